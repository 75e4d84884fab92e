import WinnowModel

/// activity = CHANNEL EVENT op [ by ] { "in" scope } [ "on" ("link"|"links") list ]
///            [ window ] [ counting ] [ having | after ]
/// op       = "exists" | "does not exist" | "not happened"
///          | ("at least"|"at most"|"exactly") INT ["times"] | "between" INT "and" INT ["times"]
/// scope    = ("campaign"|"campaigns"|"template"|"templates") selector
/// selector = [ list ] [ "or" ] { "tagged" list | "tagged all" list
///          | "with" NAME ( "=" STRING | "in" list ) } [ "latest" INT ]
/// counting = "counting" ("any one" | "every one" | "at least" INT)
/// by       = "by" ("people" | "machines")
/// having   = "having" EVENT [ by ] [ "at least" INT ["times"] ]
///            [ "paired by" ("scope"|"object"|"message") ]
/// after    = "after" ["last"|"first"] EVENT [ by ] [ "within" INT unit ]
///            [ "paired by" ("scope"|"object"|"message") ]
extension Activity {
    static func read(
        _ reader: inout TextReader, after opening: String?
    ) throws(WinnowError) -> Activity? {
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
        activity.condition = try count(of: Activity.key)
        activity.by = try actor([Activity.key, .by])
        try scopes(&activity)
        let links = token.start
        if take("on links") || take("on link") {
            mark([Activity.key, .links], at: links)
            activity.links = try strings()
        }
        activity.during = try window([Activity.key, .during])
        mark([Activity.key, .counting])
        if take("counting") { activity.counting = try counting() }
        activity.precededBy = try having(channel)
        if activity.precededBy == nil { activity.after = try after(channel) }
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

    private mutating func actor(_ place: [RuleKey]) throws(WinnowError) -> Activity.Actor? {
        mark(place)
        return take("by") ? try choice(Activity.Actor.self) : nil
    }

    private mutating func counting() throws(WinnowError) -> Activity.Counting {
        if let named = choice(Activity.Counting.plain, { $0.words }) { return named.mode }
        try require("at least")
        mark([Activity.key, .counting, .atLeast])
        return .atLeast(try integer(RuleLimits.number))
    }

    // MARK: How often

    /// How often, as the condition of a key says it.
    mutating func count(of key: RuleKey) throws(WinnowError) -> CountCondition {
        mark([key, .operator])
        guard let op = choice(CountOperator.allCases, { $0.words }) else { throw failure() }
        mark([key, .times])
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
        if take("latest") {
            mark(place + [.latest])
            selector.latest = try integer(RuleLimits.number)
        }
        guard isListed || selector.hasConditions || selector.latest != nil else { throw failure() }
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
        preceding.by = try actor([Activity.key, .precededBy, .by])
        if take("at least") {
            mark([Activity.key, .precededBy, .atLeast])
            preceding.atLeast = try times()
        }
        if take("paired by") { preceding.pairing = try choice(Preceding.Pairing.self) }
        return preceding
    }

    private mutating func after(_ channel: Channel) throws(WinnowError) -> After? {
        let place: [RuleKey] = [Activity.key, .after]
        mark(place)
        guard take("after") else { return nil }
        mark(place + [.which])
        let which = choice(After.Which.allCases) { $0.rawValue } ?? .last
        mark(place + [.event])
        var after = After(try event(of: channel), which: which)
        after.by = try actor(place + [.by])
        if take("within") {
            mark(place + [.within, .next])
            let number = try integer(RuleLimits.number)
            after.within = .init(number, try unit())
        }
        if take("paired by") { after.pairing = try choice(Preceding.Pairing.self) }
        return after
    }
}

// MARK: Writing

extension Activity {
    func text() -> String {
        var words = [type.channel.name, type.event.name, condition.text]
        if let by { words.append(by.text) }
        if let campaigns { words += ["in", campaigns.text("campaign")] }
        if let templates { words += ["in", templates.text("template")] }
        if let links {
            words += ["on", links.count == 1 ? "link" : "links", TextWords.quoted(links)]
        }
        if let during { words.append(during.text) }
        if let mode = counting.text { words += ["counting", mode] }
        if let precededBy { words.append(precededBy.text) }
        if let after { words.append(after.text) }
        return words.joined(separator: " ")
    }
}

extension CountCondition {
    /// How often, in rules as text.
    var text: String {
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
        var words = [ids.count == 1 && !hasConditions && latest == nil ? kind : kind + "s"]
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
        if let latest { words.append("latest \(latest)") }
        return words.joined(separator: " ")
    }
}

extension Preceding {
    fileprivate var text: String {
        var text = "having \(event.name)"
        if let by { text += " \(by.text)" }
        if atLeast != 1 { text += " at least \(atLeast) times" }
        if pairing != .scope { text += " paired by \(pairing.rawValue)" }
        return text
    }
}

extension After {
    fileprivate var text: String {
        var text = which == .last ? "after \(event.name)" : "after \(which.rawValue) \(event.name)"
        if let by { text += " \(by.text)" }
        if let within {
            let unit = within.number == 1 ? within.unit.singular : within.unit.rawValue
            text += " within \(within.number) \(unit)"
        }
        if pairing != .scope { text += " paired by \(pairing.rawValue)" }
        return text
    }
}

extension Activity.Actor {
    fileprivate var text: String { "by \(rawValue)" }
}

extension Activity.Counting {
    /// The mode in rules as text; nil for the one that is not said.
    fileprivate var text: String? {
        if case .atLeast(let objects) = self { return "at least \(objects)" }
        return Activity.Counting.plain.first { $0.mode == self }?.words
    }
}
