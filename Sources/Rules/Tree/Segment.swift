import WinnowModel

/// A segment: a rule with an optional name and time zone. It is a value, built in Swift or read
/// from text (`init(_:)`) or JSON (`init(json:)`); any segment can be evaluated, and gives an answer
/// or a typed error.
public struct Segment: Sendable, Hashable {
    /// What people call it; plays no part in evaluation.
    @Bytewise public var name: String?
    /// An IANA name; nil takes the zone of the evaluation.
    @Bytewise public var timezone: String?
    /// Who is in it.
    public var rule: Rule
    /// Whether it was combined from segments of different zones: days would begin at two times.
    private(set) var mixesTimezones = false

    /// A segment of a rule.
    public init(name: String? = nil, timezone: String? = nil, _ rule: Rule) {
        self.name = name
        self.timezone = timezone
        self.rule = rule
    }

    /// The combination of two segments: names are dropped, equal zones stay.
    init(_ a: Segment, _ b: Segment, _ rule: Rule) {
        self.init(timezone: a.timezone, rule)
        mixesTimezones =
            a.mixesTimezones || b.mixesTimezones || !a.timezone.hasSameBytes(as: b.timezone)
    }
}

/// A set of profiles, described. Rules nest to `RuleLimits.depth` levels and have at most
/// `RuleLimits.nodes` nodes by construction: a rule knows both numbers, and one that would pass a
/// limit has the node `tooDeep` or `tooLarge` instead, which evaluates to an error. So no rule can
/// be too large to look at, or to release.
public struct Rule: Sendable, Hashable {
    /// What a rule is made of.
    public indirect enum Node: Sendable, Hashable {
        /// Profiles in all of the parts, of which there is at least one.
        case all([Rule])
        /// Profiles in at least one of the parts.
        case any([Rule])
        /// All other live profiles.
        case not(Rule)
        /// Profiles by what they did.
        case activity(Activity)
        /// Profiles by a field.
        case field(FieldCondition)
        /// Profiles by their subscriptions.
        case subscription(SubscriptionCondition)
        /// Profiles by the goals that they have reached.
        case goal(GoalCondition)
        /// Profiles by a segment that the store keeps.
        case segment(SavedSegmentCondition)
        /// A share of all profiles.
        case sample(Sample)
        /// Stands where a rule would nest deeper than `RuleLimits.depth`; an error when it is
        /// evaluated.
        case tooDeep
        /// Stands where a rule would have more than `RuleLimits.nodes` nodes; an error when it is
        /// evaluated.
        case tooLarge
    }

    /// What the rule is.
    public let node: Node
    /// Levels of nesting, this one included.
    public let depth: Int
    /// Nodes, this one included.
    public let nodes: Int

    /// A rule of a node. Complexity: O(parts).
    public init(_ node: Node) {
        var depth = 1
        var nodes = 1
        for child in node.children {
            depth = max(depth, child.depth + 1)
            // Each child has few, but there may be many.
            nodes = min(nodes + child.nodes, RuleLimits.nodes + 1)
        }
        if depth > RuleLimits.depth {
            (self.node, self.depth, self.nodes) = (.tooDeep, 1, 1)
        } else if nodes > RuleLimits.nodes {
            (self.node, self.depth, self.nodes) = (.tooLarge, 1, 1)
        } else {
            (self.node, self.depth, self.nodes) = (node, depth, nodes)
        }
    }

    /// Profiles in all of the parts.
    public static func all(_ parts: [Rule]) -> Rule { Rule(.all(parts)) }
    /// Profiles in at least one of the parts.
    public static func any(_ parts: [Rule]) -> Rule { Rule(.any(parts)) }
    /// All other live profiles.
    public static func not(_ part: Rule) -> Rule { Rule(.not(part)) }
}

// The two lists of the kinds of conditions.

extension Rule {
    /// The kinds of conditions, in the order in which help lists them.
    static let conditions: [any RuleCondition.Type] = [
        Activity.self, FieldCondition.self, SubscriptionCondition.self, GoalCondition.self,
        SavedSegmentCondition.self, Sample.self,
    ]
}

extension Rule.Node {
    /// The condition that it is; nil for what is made of other rules.
    var condition: (any RuleCondition)? {
        switch self {
        case .activity(let activity): activity
        case .field(let condition): condition
        case .subscription(let condition): condition
        case .goal(let condition): condition
        case .segment(let condition): condition
        case .sample(let sample): sample
        case .all, .any, .not, .tooDeep, .tooLarge: nil
        }
    }
}

extension Rule.Node {
    /// The rules that it is made of.
    var children: [Rule] {
        switch self {
        case .all(let parts), .any(let parts): parts
        case .not(let part): [part]
        default: []
        }
    }
}

/// The limits of a rule.
public enum RuleLimits {
    /// Levels of nesting.
    public static let depth = 16
    /// Nodes.
    public static let nodes = 512
    /// Bytes of a document.
    public static let bytes = 64 << 20
    /// Values of a list.
    public static let values = 1_000_000
    /// Objects that are counted or kept, and units of time after an event.
    public static let number = 1...2_147_483_647
}
