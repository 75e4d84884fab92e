import Model

/// A segment: a rule with an optional name and time zone. The canonical form is JSON, see `init(json:)`.
public struct Segment: Sendable, Hashable {
    public var name: String?
    /// An IANA name; nil takes the zone of the evaluation.
    public var timezone: String?
    public var rule: Rule

    public init(name: String? = nil, timezone: String? = nil, _ rule: Rule) {
        self.name = name
        self.timezone = timezone
        self.rule = rule
    }
}

/// A set of profiles, described.
public indirect enum Rule: Sendable, Hashable {
    /// Profiles in all of the parts.
    case all([Rule])
    /// Profiles in at least one of the parts.
    case any([Rule])
    /// All other live profiles.
    case not(Rule)
    case activity(Activity)
    case field(FieldCondition)
    case sample(Sample)
}

/// A share of all profiles, chosen by a hash of their ids: the same profiles every time, others for another salt.
public struct Sample: Sendable, Hashable {
    /// Hundredths of a percent, 0 … 10,000; the first included, the last not.
    public var range: Range<Int>
    public var salt: String

    public init(_ range: Range<Int>, salt: String = "") {
        self.range = range
        self.salt = salt
    }
}

/// What a profile did, or did not do, in a channel.
public struct Activity: Sendable, Hashable {
    public var type: EventType
    public var condition: CountCondition
    public var campaigns: Selector?
    public var templates: Selector?
    /// Ids of clicked links that count; nil for any click.
    public var links: [String]?
    public var during: Window?
    public var precededBy: Preceding?
    public var counting: Counting

    /// Whose events are counted together.
    public enum Counting: String, Sendable, CaseIterable {
        /// Those of all objects in scope.
        case total
        /// Some object's alone must satisfy the condition.
        case anyOne = "any_one"
        /// Every object's alone must.
        case everyOne = "every_one"
    }

    public init(
        _ channel: Channel, _ event: Event, _ condition: CountCondition, campaigns: Selector? = nil,
        templates: Selector? = nil, links: [String]? = nil, during: Window? = nil, precededBy: Preceding? = nil,
        counting: Counting = .total
    ) {
        type = EventType(channel, event)
        self.condition = condition
        self.campaigns = campaigns
        self.templates = templates
        self.links = links
        self.during = during
        self.precededBy = precededBy
        self.counting = counting
    }
}

/// How often the event must have happened: the sum of `count` over the matching events.
public enum CountCondition: Sendable, Hashable {
    case exists, doesNotExist, notHappened
    /// 1 … 2³² − 1.
    case atLeast(UInt32)
    case atMost(UInt32)
    case exactly(UInt32)
    case between(UInt32, UInt32)

    /// The counts that satisfy it; nil as upper bound for no limit.
    public var range: (lower: UInt64, upper: UInt64?) {
        switch self {
        case .exists: (1, nil)
        case .doesNotExist, .notHappened: (0, 0)
        case .atLeast(let n): (UInt64(n), nil)
        case .atMost(let n): (0, UInt64(n))
        case .exactly(let n): (UInt64(n), UInt64(n))
        case .between(let lo, let hi): (UInt64(lo), UInt64(hi))
        }
    }
}

/// Campaigns or templates: those listed, and those that satisfy all of the given tag and attribute conditions.
public struct Selector: Sendable, Hashable {
    public var ids: [String]
    public var tags: [String]
    public var allTags: [String]
    public var attributes: [AttributeCondition]

    /// An attribute that must have one of the values.
    public struct AttributeCondition: Sendable, Hashable {
        public var key: String
        public var values: [String]

        public init(key: String, values: [String]) {
            self.key = key
            self.values = values
        }
    }

    public init(
        ids: [String] = [], tags: [String] = [], allTags: [String] = [], attributes: [AttributeCondition] = []
    ) {
        self.ids = ids
        self.tags = tags
        self.allTags = allTags
        self.attributes = attributes
    }

    /// Whether objects are chosen by what they are, not only by id.
    public var hasConditions: Bool { !tags.isEmpty || !allTags.isEmpty || !attributes.isEmpty }
}

/// The event that must have happened in the same scope and window where another did not.
public struct Preceding: Sendable, Hashable {
    public var event: Event
    public var atLeast: UInt32
    public var pairing: Pairing

    /// What both events must have in common.
    public enum Pairing: String, Sendable, CaseIterable {
        case scope
        /// Some one campaign of the scope; template, when only templates are selected.
        case object
        /// Some one message.
        case message
    }

    public init(_ event: Event, atLeast: UInt32 = 1, pairing: Pairing = .scope) {
        self.event = event
        self.atLeast = atLeast
        self.pairing = pairing
    }
}

/// A span of time, absolute or relative to the instant of evaluation.
public enum Window: Sendable, Hashable {
    public enum Unit: String, Sendable, CaseIterable { case minutes, hours, days, weeks, months }
    public enum Mode: String, Sendable, CaseIterable { case calendar, rolling }

    /// From so long ago until now, both ends included.
    case last(Int, Unit, Mode)
    /// Whole local days, both included; the first is the further one.
    case daysAgo(Int, Int)
    /// Whole local days, both included; nil for an open end.
    case dates(from: CivilDate?, to: CivilDate?)
    /// `from` included, `to` excluded; nil for an open end.
    case instants(from: Instant?, to: Instant?)
}

/// A condition on a profile field. Which operators and operands a field takes depends on its type.
public struct FieldCondition: Sendable, Hashable {
    public var name: String
    public var `operator`: FieldOperator
    public var operand: Operand
    /// Whether upper and lower case are the same; nil where that was not said.
    public var ignoresCase: Bool?

    public enum Operand: Sendable, Hashable {
        case none
        case value(Literal)
        case list([Literal])
        case window(Window)
        case anniversary(Anniversary)
    }

    /// Days around today on which a date comes round again.
    public struct Anniversary: Sendable, Hashable {
        /// What becomes of 29 February in common years.
        public enum LeapDay: String, Sendable, CaseIterable { case feb28, mar1, skip }

        /// Days from today, −365 … 365, both included.
        public var days: ClosedRange<Int>
        public var leapDay: LeapDay

        public init(_ days: ClosedRange<Int>, leapDay: LeapDay = .feb28) {
            self.days = days
            self.leapDay = leapDay
        }
    }

    public enum Literal: Sendable, Hashable {
        case string(String)
        /// A JSON number as written: digits are never rounded.
        case number(String)
        case boolean(Bool)
    }

    public init(
        _ name: String, _ operator: FieldOperator, _ operand: Operand = .none, ignoresCase: Bool? = nil
    ) {
        self.name = name
        self.operator = `operator`
        self.operand = operand
        self.ignoresCase = ignoresCase
    }
}

/// The operators on fields, by their names in JSON.
public enum FieldOperator: String, Sendable, CaseIterable {
    case exists
    case doesNotExist = "does_not_exist"
    case equals
    case notEquals = "not_equals"
    case `in`
    case notIn = "not_in"
    case contains
    case notContains = "not_contains"
    case startsWith = "starts_with"
    case endsWith = "ends_with"
    case matches
    case notMatches = "not_matches"
    case isEmpty = "is_empty"
    case isNotEmpty = "is_not_empty"
    case lessThan = "less_than"
    case atMost = "at_most"
    case greaterThan = "greater_than"
    case atLeast = "at_least"
    case between
    case notBetween = "not_between"
    case before
    case onOrBefore = "on_or_before"
    case after
    case onOrAfter = "on_or_after"
    case during
    case anniversary
    case hasAny = "has_any"
    case hasAll = "has_all"
    case hasNone = "has_none"

    /// A negative operator matches exactly the profiles that its positive does not.
    public var positive: FieldOperator {
        switch self {
        case .doesNotExist: .exists
        case .notEquals: .equals
        case .notIn: .in
        case .notContains: .contains
        case .notMatches: .matches
        case .isNotEmpty: .isEmpty
        case .notBetween: .between
        case .hasNone: .hasAny
        default: self
        }
    }

    /// The operators that a type has, in the order in which help lists them.
    public static func operators(of type: FieldType) -> [FieldOperator] {
        let any: [FieldOperator] = [.exists, .doesNotExist]
        switch type {
        case .string:
            return any + [
                .equals, .notEquals, .in, .notIn, .contains, .notContains, .startsWith, .endsWith, .matches,
                .notMatches, .isEmpty, .isNotEmpty,
            ]
        case .integer, .decimal:
            return any + [
                .equals, .notEquals, .in, .notIn, .lessThan, .atMost, .greaterThan, .atLeast, .between, .notBetween,
            ]
        case .boolean: return any + [.equals, .notEquals]
        case .date, .datetime:
            return any + [
                .equals, .notEquals, .before, .onOrBefore, .after, .onOrAfter, .between, .notBetween, .during,
                .anniversary,
            ]
        case .stringSet: return any + [.hasAny, .hasAll, .hasNone]
        }
    }
}
