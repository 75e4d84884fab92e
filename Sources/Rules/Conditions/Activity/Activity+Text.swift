import WinnowModel

/// activity = CHANNEL EVENT op { "in" scope } [ "on" ("link"|"links") list ]
///            [ window ] [ counting ] [ having ]
/// op       = "exists" | "does not exist" | "not happened"
///          | ("at least"|"at most"|"exactly") INT ["times"] | "between" INT "and" INT ["times"]
/// scope    = ("campaign"|"campaigns"|"template"|"templates") selector
/// selector = [ list ] [ "or" ] { "tagged" list | "tagged all" list
///          | "with" NAME ( "=" STRING | "in" list ) }
/// counting = "counting" ("any one" | "every one")
/// having   = "having" EVENT [ "at least" INT ["times"] ]
///            [ "paired by" ("scope"|"object"|"message") ]
extension Activity {
    static func read(_ reader: inout TextReader) throws(WinnowError) -> Activity? {
        try reader.activity()
    }
}

extension TextReader {
    /// The channel that a condition on activity begins with; the name of a field is before an
    /// operator.
    private func channel() -> Channel? {
        guard case .word = token.kind, let channel = Channel(name: lexer.lowercased(token)),
            case .word = next.kind, !TextWords.fieldStarts.contains(lexer.lowercased(next))
        else { return nil }
        return channel
    }

    fileprivate mutating func activity() throws(WinnowError) -> Activity? {
        expect("a channel")
        guard let channel = channel() else { return nil }
        mark([Activity.key, .channel])
        advance()
        mark([Activity.key, .event])
        var activity = Activity(channel, try event(of: channel), .exists)
        activity.condition = try count()
        try refuse(Later.machines)
        try scopes(&activity)
        let links = token.start
        if take("on links") || take("on link") {
            mark([Activity.key, .links], at: links)
            activity.links = try strings()
        }
        activity.during = try window([Activity.key, .during])
        try refuse(Later.counting)
        let counting = token.start
        if let mode = choice(Activity.Counting.allCases, { $0.words.map { "counting \($0)" } }) {
            mark([Activity.key, .counting], at: counting)
            activity.counting = mode
        }
        try refuse(Later.after)
        activity.precededBy = try having(channel)
        return activity
    }

    private mutating func event(of channel: Channel) throws(WinnowError) -> Event {
        guard case .word = token.kind else {
            throw failure(expecting: "an event of \(channel.name)")
        }
        guard let event = Event(name: lexer.lowercased(token)), channel.has(event)
        else {
            throw error(channel.noEvent(shown(token)))
        }
        advance()
        return event
    }

    // MARK: How often

    private mutating func count() throws(WinnowError) -> CountCondition {
        mark([Activity.key, .operator])
        guard let op = choice(CountOperator.allCases, { $0.words }) else { throw failure() }
        mark([Activity.key, .times])
        switch op {
        case .exists: return .exists
        case .doesNotExist: return .doesNotExist
        case .notHappened: return .notHappened
        case .atLeast: return .atLeast(try times())
        case .atMost: return .atMost(try times())
        case .exactly: return .exactly(try times())
        case .between:
            let low = try number()
            try require("and")
            return .between(low, try times())
        }
    }

    private mutating func number() throws(WinnowError) -> UInt32 {
        UInt32(try integer(0...Int(UInt32.max)))
    }

    private mutating func times() throws(WinnowError) -> UInt32 {
        let number = try number()
        _ = take("times")
        return number
    }

    // MARK: Scopes

    private mutating func scopes(_ activity: inout Activity) throws(WinnowError) {
        while true {
            let start = token.start
            if take("in campaigns") || take("in campaign") {
                guard activity.campaigns == nil else {
                    throw error("campaigns are selected twice", at: start)
                }
                activity.campaigns = try selector([Activity.key, .campaigns], start)
            } else if take("in templates") || take("in template") {
                guard activity.templates == nil else {
                    throw error("templates are selected twice", at: start)
                }
                activity.templates = try selector([Activity.key, .templates], start)
            } else {
                return
            }
        }
    }

    private mutating func selector(
        _ place: [RuleKey], _ start: Int
    ) throws(WinnowError) -> Selector {
        mark(place, at: start)
        var selector = Selector()
        let isListed: Bool
        switch token.kind {
        case .string: isListed = true
        default: isListed = isNext("(")
        }
        if isListed {
            mark(place + [.ids])
            selector.ids = try strings()
            // Else the “or” is one between rules.
            if isNext("or tagged") || isNext("or with") { try require("or") }
        } else {
            expect("a string in double quotes")
            expect("“(”")
        }
        while try condition(&selector, place) {}
        try refuse(Later.selectors)
        guard isListed || selector.hasConditions else { throw failure() }
        return selector
    }

    /// Reads one of the conditions that choose objects by what they are.
    private mutating func condition(_ selector: inout Selector, _ place: [RuleKey])
        throws(WinnowError) -> Bool
    {
        let start = token.start
        if take("tagged all") {
            guard selector.allTags.isEmpty else {
                throw error("“tagged all” is said twice", at: start)
            }
            mark(place + [.allTags], at: start)
            selector.allTags = try strings()
        } else if take("tagged") {
            guard selector.tags.isEmpty else {
                throw error("“tagged” is said twice", at: start)
            }
            mark(place + [.tags], at: start)
            selector.tags = try strings()
        } else if take("with") {
            let name = try name("an attribute’s name")
            mark(RulePath((place + [.attributes]).map { .key($0.rawValue) }).key(name), at: start)
            if take("=") {
                selector.attributes.append(.init(key: name, values: [try string()]))
            } else {
                try require("in")
                selector.attributes.append(.init(key: name, values: try strings()))
            }
        } else {
            return false
        }
        return true
    }

    // MARK: What happened before

    private mutating func having(_ channel: Channel) throws(WinnowError) -> Preceding? {
        mark([Activity.key, .precededBy])
        guard take("having") else { return nil }
        mark([Activity.key, .precededBy, .event])
        var preceding = Preceding(try event(of: channel))
        try refuse(Later.machines)
        if take("at least") {
            mark([Activity.key, .precededBy, .atLeast])
            preceding.atLeast = try times()
        }
        if take("paired by") { preceding.pairing = try choice(Preceding.Pairing.self) }
        return preceding
    }
}

// MARK: Writing

extension Activity {
    func text() -> String {
        var words = [type.channel.name, type.event.name, condition.text]
        if let campaigns { words += ["in", campaigns.text("campaign")] }
        if let templates { words += ["in", templates.text("template")] }
        if let links {
            words += ["on", links.count == 1 ? "link" : "links", TextWords.quoted(links)]
        }
        if let during { words.append(during.text) }
        if let mode = counting.words { words += ["counting", mode] }
        if let precededBy { words.append(precededBy.text) }
        return words.joined(separator: " ")
    }
}

extension CountCondition {
    fileprivate var text: String {
        let words = self.operator.words
        return switch self {
        case .exists, .doesNotExist, .notHappened: words
        case .atLeast(let n), .atMost(let n), .exactly(let n): "\(words) \(n) times"
        case .between(let low, let high): "\(words) \(low) and \(high) times"
        }
    }
}

extension Selector {
    fileprivate func text(_ kind: String) -> String {
        var words = [ids.count == 1 && !hasConditions ? kind : kind + "s"]
        if !ids.isEmpty { words.append(TextWords.quoted(ids)) }
        if !ids.isEmpty, hasConditions { words.append("or") }
        if !tags.isEmpty { words += ["tagged", TextWords.quoted(tags)] }
        if !allTags.isEmpty { words += ["tagged all", TextWords.quoted(allTags)] }
        for condition in attributes {
            let isOne = condition.values.count == 1
            words += [
                "with", TextWords.name(condition.key), isOne ? "=" : "in",
                TextWords.quoted(condition.values),
            ]
        }
        return words.joined(separator: " ")
    }
}

extension Preceding {
    fileprivate var text: String {
        var text = "having \(event.name)"
        if atLeast != 1 { text += " at least \(atLeast) times" }
        if pairing != .scope { text += " paired by \(pairing.rawValue)" }
        return text
    }
}
