import WinnowModel

extension Activity: RuleCondition {
    package static let key: RuleKey = "activity"
    static let words: [(json: String, words: String?)] =
        CountOperator.allCases.map { ($0.rawValue, $0.words) }
        + Activity.Counting.plain.map { ($0.name, $0.words) }
        + [(RuleKey.precededBy.rawValue, "having")]
    var node: Rule.Node { .activity(self) }
    var timeUse: TimeUse { during?.timeUseOfEvents ?? .none }

    var positive: Rule.Node? {
        guard isNegative, counting == .total, precededBy == nil, after == nil else { return nil }
        var other = self
        other.condition = condition == .doesNotExist ? .exists : .atLeast(1)
        return other.node
    }

    var isNegative: Bool { condition == .doesNotExist || condition == .notHappened }

    var keyOfEverybody: RuleKey? {
        // Who has nothing after the other event need not have that.
        condition == .atMost(.max) && counting == .total && after == nil ? .times : nil
    }

    func validate() throws(WinnowError) {
        try type.channel.validate(type.event)
        if let instead = condition.operator.restricted, let key = restriction {
            let name = condition.operator.rawValue
            throw .invalidRule(
                at: key, "“\(name)” looks at all activity; use “\(instead.rawValue)” to restrict it"
            )
        }
        try condition.validate()
        if precededBy != nil, condition != .notHappened {
            throw .invalidRule(at: .precededBy, "only “not_happened” takes a preceding event")
        }
        if links != nil, !type.event.takesLinks {
            throw .invalidRule(at: .links, "only clicks have links, not “\(type.event.name)”")
        }
        if precededBy != nil, after != nil {
            throw .invalidRule(at: .after, "“after” and “preceded_by” do not go together")
        }
        try validateCounting()
        try inside(.campaigns) { () throws(WinnowError) in try campaigns?.validate() }
        try inside(.templates) { () throws(WinnowError) in try templates?.validate() }
        try inside(.links) { () throws(WinnowError) in
            if let links { try RuleLimits.validate(count: links.count) }
        }
        try inside(.during) { () throws(WinnowError) in
            try during?.validate()
            if during?.liesAhead == true {
                throw .invalidRule("what lies ahead has not happened; “next” is for fields")
            }
        }
        try inside(.precededBy) { () throws(WinnowError) in try precededBy?.validate(of: self) }
        try inside(.after) { () throws(WinnowError) in try after?.validate(of: self) }
    }

    private func validateCounting() throws(WinnowError) {
        if counting == .total { return }
        if precededBy != nil || after != nil {
            let other = precededBy == nil ? "after" : "preceded_by"
            throw .invalidRule(at: .counting, "“counting” and “\(other)” do not go together")
        }
        guard (campaigns == nil) != (templates == nil) else {
            throw .invalidRule(
                at: .counting,
                "“\(counting.name ?? "counting")” needs exactly one of campaigns and templates")
        }
        guard case .atLeast(let objects) = counting else { return }
        try inside(.counting) { () throws(WinnowError) in
            try RuleLimits.validate(number: objects, at: .atLeast)
        }
    }

    /// The first key that restricts which events count.
    private var restriction: RuleKey? {
        if campaigns != nil { return .campaigns }
        if templates != nil { return .templates }
        if links != nil { return .links }
        if during != nil { return .during }
        if precededBy != nil { return .precededBy }
        if after != nil { return .after }
        return counting == .total ? nil : .counting
    }
}

extension Channel {
    /// Checks that an event exists in the channel.
    fileprivate func validate(_ event: Event) throws(WinnowError) {
        if !has(event) {
            throw noEvent(event.name, RulePath.document.key(.event))
        }
    }

    /// The error for an event that the channel does not have.
    func noEvent(_ name: String, _ path: RulePath) -> WinnowError {
        .invalidRule(path: path, message: noEvent(name))
    }

    /// What is wrong with an event that the channel does not have.
    func noEvent(_ name: String) -> String {
        let legal = events.map(\.name)
        return "\(self.name) has no event “\(name)”\(nearestHint(for: name, among: legal)); "
            + "its events are \(legal.joined(separator: ", "))"
    }

    /// The error for a channel that there is not.
    static func unknown(_ name: String, _ path: RulePath) -> WinnowError {
        .invalidRule(path: path, message: unknown(name))
    }

    /// What is wrong with a channel that there is not.
    static func unknown(_ name: String) -> String {
        let names = allCases.map(\.name)
        return "unknown channel “\(name)”\(nearestHint(for: name, among: names)); "
            + "the channels are \(names.joined(separator: ", "))"
    }
}

extension CountCondition {
    /// Checks the numbers.
    func validate() throws(WinnowError) {
        switch self {
        case .atLeast(0):
            throw .invalidRule(
                at: .times, "at least 0 times holds for everybody; use “not_happened” for never")
        case .between(let lo, let hi) where lo > hi:
            throw .invalidRule(at: .times, "the lowest number, \(lo), is above the highest, \(hi)")
        default: break
        }
    }
}

extension Selector {
    fileprivate func validate() throws(WinnowError) {
        guard !ids.isEmpty || hasConditions || latest != nil else {
            throw .invalidRule("the selector is empty")
        }
        if let latest { try RuleLimits.validate(number: latest, at: .latest) }
        for list in [ids, tags, allTags] where !list.isEmpty {
            try RuleLimits.validate(count: list.count)
        }
        guard !attributes.isEmpty else { return }
        var seen: Set<[UInt8]> = []
        for condition in attributes {
            do throws(WinnowError) {
                guard seen.insert(Array(condition.key.utf8)).inserted else {
                    throw .invalidRule("the key is repeated")
                }
                try RuleLimits.validate(count: condition.values.count)
            } catch {
                throw error.inside(.key(condition.key)).inside(.key(RuleKey.attributes.rawValue))
            }
        }
    }
}

extension Preceding {
    fileprivate func validate(of activity: Activity) throws(WinnowError) {
        try activity.type.channel.validate(event)
        guard atLeast > 0 else {
            throw .invalidRule(at: .atLeast, "0 is not between 1 and \(UInt32.max)")
        }
    }
}

extension After {
    fileprivate func validate(of activity: Activity) throws(WinnowError) {
        try activity.type.channel.validate(event)
        if event == activity.type.event, which == .last {
            throw .invalidRule(
                at: .event, "nothing comes after the last “\(event.name)” of all; use “first”")
        }
        if let within {
            try inside(.within) { () throws(WinnowError) in
                try RuleLimits.validate(number: within.number, at: .next)
            }
        }
    }
}
