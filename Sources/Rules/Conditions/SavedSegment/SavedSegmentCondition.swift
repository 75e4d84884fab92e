import WinnowJSON
import WinnowModel

/// Profiles by a segment that the store keeps: who is in it, or who came into a static one, or left
/// it, often enough.
public struct SavedSegmentCondition: Sendable, Hashable {
    /// What happened to members of a static segment.
    public enum Change: String, Sendable, CaseIterable {
        case entered, left
    }

    /// How often something must have happened, and when.
    public struct History: Sendable, Hashable {
        /// What.
        public var change: Change
        /// At least so often; 1 … 2³² − 1.
        public var atLeast: UInt32
        /// When; nil for ever.
        public var during: Window?

        /// A change, how often, and when.
        public init(_ change: Change, atLeast: UInt32 = 1, during: Window? = nil) {
            self.change = change
            self.atLeast = atLeast
            self.during = during
        }
    }

    /// The name of the segment.
    @Bytewise public var name: String
    /// nil for who is in it.
    public var history: History?

    /// A condition on a segment of a store.
    public init(_ name: String, _ history: History? = nil) {
        self.name = name
        self.history = history
    }
}

extension Rule {
    /// Profiles by a segment that the store keeps.
    public static func segment(_ condition: SavedSegmentCondition) -> Rule {
        Rule(.segment(condition))
    }

    /// The names of the segments that the rule uses, each once, in the order of the rule.
    package var segmentsUsed: [String] {
        var names: [String] = []
        var known: Set<[UInt8]> = []
        func visit(_ rule: Rule) {
            if case .segment(let condition) = rule.node,
                known.insert(Array(condition.name.utf8)).inserted
            {
                names.append(condition.name)
            }
            for child in rule.node.children { visit(child) }
        }
        visit(self)
        return names
    }
}

extension Segment {
    /// Profiles in a segment that the store keeps: `.saved("vip") && .email(.opened)`.
    public static func saved(_ name: String) -> Segment {
        Segment(.segment(SavedSegmentCondition(name)))
    }

    /// Profiles that came into a static segment of the store: `.entered("vip", during: .last(7))`.
    /// - Parameter name: of the segment.
    /// - Parameter atLeast: how often.
    /// - Parameter window: nil for ever.
    public static func entered(
        _ name: String, atLeast: UInt32 = 1, during window: Window? = nil
    ) -> Segment {
        Segment(
            .segment(SavedSegmentCondition(name, .init(.entered, atLeast: atLeast, during: window)))
        )
    }

    /// Profiles that left a static segment of the store.
    /// - Parameter name: of the segment.
    /// - Parameter atLeast: how often.
    /// - Parameter window: nil for ever.
    public static func left(
        _ name: String, atLeast: UInt32 = 1, during window: Window? = nil
    ) -> Segment {
        Segment(
            .segment(SavedSegmentCondition(name, .init(.left, atLeast: atLeast, during: window))))
    }
}

extension SavedSegmentCondition {
    /// Bytes of a name.
    package static let nameBytes = 1...255
}

extension SavedSegmentCondition.Change {
    package var key: RuleKey { RuleKey(rawValue: rawValue) }
}

extension SavedSegmentCondition: RuleCondition {
    package static let key: RuleKey = "segment"
    static let openings = ["in segment"] + Change.allCases.map { "\($0.rawValue) segment" }
    var node: Rule.Node { .segment(self) }
    /// The segment itself aside.
    var timeUse: TimeUse { history?.during?.timeUseOfEvents ?? .none }

    func validate() throws(WinnowError) {
        let isObject = history != nil
        guard SavedSegmentCondition.nameBytes.contains(name.utf8.count) else {
            let message = "the name of a segment has 1 to 255 bytes"
            throw isObject ? .invalidRule(at: .name, message) : .invalidRule(message)
        }
        guard let history else { return }
        try inside(history.change.key) { () throws(WinnowError) in
            guard history.atLeast > 0 else {
                throw .invalidRule(at: .atLeast, "the number is at least 1")
            }
            try inside(.during) { () throws(WinnowError) in
                try history.during?.validate()
                if history.during?.liesAhead == true {
                    throw .invalidRule("what lies ahead has not happened; “next” is for fields")
                }
            }
        }
    }

    // MARK: JSON

    static func read(_ value: RuleValue) throws(WinnowError) -> SavedSegmentCondition {
        if case .string(let name) = value.value { return SavedSegmentCondition(name) }
        let object = try RuleObject(value, allowed: [.name] + Change.allCases.map(\.key))
        let name = try object.required(.name).string()
        let given = Change.allCases.filter { object.optional($0.key) != nil }
        guard given.count == 1, let inner = object.optional(given[0].key) else {
            throw value.error(
                "exactly one of entered and left is given; {\"segment\": \"…\"} means its members")
        }
        let history = try RuleObject(inner, allowed: [.atLeast, .during])
        return SavedSegmentCondition(
            name,
            History(
                given[0],
                atLeast: UInt32(
                    try history.optional(.atLeast)?.integer(1...Int64(UInt32.max)) ?? 1),
                during: try history.optional(.during).map(WindowReader.window)))
    }

    package func write(to json: inout JSONWriter) {
        guard let history else { return json.value(name) }
        json.object { json in
            json.member(.name, name)
            json.member(history.change.key) { json in
                json.object { json in
                    if history.atLeast != 1 { json.member(.atLeast, Int(history.atLeast)) }
                    if let during = history.during { json.member(.during, during) }
                }
            }
        }
    }

    // MARK: Text

    /// segment = "in" "segment" STRING
    ///         | ("entered"|"left") "segment" STRING [ "at least" INT ["times"] ] [ window ]
    static func read(
        _ reader: inout TextReader, after opening: String?
    ) throws(WinnowError) -> SavedSegmentCondition? {
        let change = Change.allCases.first { opening?.hasPrefix($0.rawValue) == true }
        reader.mark([key])
        if change != nil { reader.mark([key, .name]) }
        let name = try reader.string()
        guard let change else { return SavedSegmentCondition(name) }
        var history = History(change)
        reader.mark([key, change.key, .atLeast])
        if reader.take("at least") {
            history.atLeast = UInt32(try reader.integer(1...Int(UInt32.max)))
            _ = reader.take("times")
        }
        history.during = try reader.window([key, change.key, .during])
        return SavedSegmentCondition(name, history)
    }

    func text() -> String {
        guard let history else { return "in segment \(jsonString(name))" }
        var words = ["\(history.change.rawValue) segment \(jsonString(name))"]
        if history.atLeast != 1 { words.append("at least \(history.atLeast) times") }
        if let during = history.during { words.append(during.text) }
        return words.joined(separator: " ")
    }
}
