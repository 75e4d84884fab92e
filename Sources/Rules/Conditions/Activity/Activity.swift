import WinnowModel

/// What a profile did, or did not do, in a channel.
public struct Activity: Sendable, Hashable {
    /// Which event, in which channel; only some exist, see `Channel.has`.
    public var type: EventType
    /// How often it must have happened.
    public var condition: CountCondition
    /// Whose events count, before uniqueness; nil for both.
    public var by: Actor?
    /// Campaigns whose events count; nil for any, and for events without one.
    public var campaigns: Selector?
    /// Templates whose events count; nil for any, and for events without one.
    public var templates: Selector?
    /// Ids of clicked links that count, only for clicks; nil for any click.
    @Bytewise public var links: [String]?
    /// When events count; nil for ever.
    public var during: Window?
    /// What must have happened in the same scope and window; only with `notHappened`.
    public var precededBy: Preceding?
    /// What must have happened before the events that count.
    public var after: After?
    /// Whose events are counted together.
    public var counting: Counting

    /// Who did something.
    public enum Actor: String, Sendable, CaseIterable {
        /// Nobody says that software did it.
        case people
        /// Software: mail privacy proxies, link scanners.
        case machines
    }

    /// Whose events are counted together: those of one object are those of one campaign or template.
    public enum Counting: Sendable, Hashable {
        /// Those of all objects in scope.
        case total
        /// Some object's alone must satisfy the condition.
        case anyOne
        /// Every object's alone must.
        case everyOne
        /// At least so many different objects, 1 … 2³¹ − 1, must, each alone.
        case atLeast(Int)

        /// The modes that take no number: their names in JSON and, where they are said, their words
        /// in text.
        static let plain: [(mode: Counting, name: String, words: String?)] = [
            (.total, "total", nil), (.anyOne, "any_one", "any one"),
            (.everyOne, "every_one", "every one"),
        ]
    }

    /// A condition on how often an event happened.
    public init(
        _ channel: Channel, _ event: Event, _ condition: CountCondition, by: Actor? = nil,
        campaigns: Selector? = nil, templates: Selector? = nil, links: [String]? = nil,
        during: Window? = nil, precededBy: Preceding? = nil, after: After? = nil,
        counting: Counting = .total
    ) {
        type = EventType(channel, event)
        self.condition = condition
        self.by = by
        self.campaigns = campaigns
        self.templates = templates
        self.links = links
        self.during = during
        self.precededBy = precededBy
        self.after = after
        self.counting = counting
    }
}

/// How often the event must have happened: the sum of `count` over the matching events.
public enum CountCondition: Sendable, Hashable {
    /// Ever, or never, in the channel: with nothing that restricts which events count.
    case exists, doesNotExist
    /// Not once among the events that count.
    case notHappened
    /// 1 … 2³² − 1.
    case atLeast(UInt32)
    /// That often or less, or never.
    case atMost(UInt32)
    /// Exactly that often.
    case exactly(UInt32)
    /// From the first number to the second, both included.
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

    /// The operator's name and what it takes.
    public var `operator`: CountOperator {
        switch self {
        case .exists: .exists
        case .doesNotExist: .doesNotExist
        case .notHappened: .notHappened
        case .atLeast: .atLeast
        case .atMost: .atMost
        case .exactly: .exactly
        case .between: .between
        }
    }
}

/// The operators on how often something happened, by their names in JSON, in the order in which
/// help lists them. What each takes is said here alone; readers, writers and error texts ask for
/// it.
public enum CountOperator: String, Sendable, CaseIterable {
    case exists
    case doesNotExist = "does_not_exist"
    case notHappened = "not_happened"
    case atLeast = "at_least"
    case atMost = "at_most"
    case exactly
    case between

    /// The numbers that an operator takes.
    public enum Operand: Sendable, Hashable {
        case none
        /// One number, from a least one on.
        case number(least: UInt32)
        /// A lowest and a highest.
        case range
    }

    /// The numbers that it takes.
    public var operand: Operand {
        switch self {
        case .exists, .doesNotExist, .notHappened: .none
        case .atLeast: .number(least: 1)
        case .atMost, .exactly: .number(least: 0)
        case .between: .range
        }
    }

    /// The operator in rules as text.
    var words: String {
        switch self {
        case .exists: "exists"
        case .doesNotExist: "does not exist"
        case .notHappened: "not happened"
        case .atLeast: "at least"
        case .atMost: "at most"
        case .exactly: "exactly"
        case .between: "between"
        }
    }

    /// For one that looks at all activity, and so takes no scope or window: the operator that does
    /// take them.
    public var restricted: CountOperator? {
        switch self {
        case .exists: .atLeast
        case .doesNotExist: .notHappened
        default: nil
        }
    }
}

/// The event that must have happened in the same scope and window where another did not.
public struct Preceding: Sendable, Hashable {
    /// The event, of the same channel; the rule's own only where links tell the two apart.
    public var event: Event
    /// How often it must have happened, 1 … 2³² − 1.
    public var atLeast: UInt32
    /// Whose events of it count; nil for both.
    public var by: Activity.Actor?
    /// What both events must have in common.
    public var pairing: Pairing

    /// What both events must have in common.
    public enum Pairing: String, Sendable, CaseIterable {
        /// The rule's campaigns, templates and window.
        case scope
        /// Some one campaign of the scope; template, when only templates are selected.
        case object
        /// Some one message.
        case message
    }

    /// An event that must have happened.
    public init(
        _ event: Event, by: Activity.Actor? = nil, atLeast: UInt32 = 1, pairing: Pairing = .scope
    ) {
        self.event = event
        self.by = by
        self.atLeast = atLeast
        self.pairing = pairing
    }
}

/// The event after which others count: of a profile without it nothing does, and it is in no such
/// rule.
public struct After: Sendable, Hashable {
    /// The event, of the same channel and scope, whenever it was; the rule's own only with `first`.
    public var event: Event
    /// Which one of the profile's.
    public var which: Which
    /// Whose events of it count; nil for both.
    public var by: Activity.Actor?
    /// How long after it events count, this instant included; nil for ever.
    public var within: Duration?
    /// What both events must have in common.
    public var pairing: Preceding.Pairing

    /// Which one of a profile's events.
    public enum Which: String, Sendable, CaseIterable {
        case last, first
    }

    /// A stretch of time, always to the millisecond; months and years keep the local wall time.
    public struct Duration: Sendable, Hashable {
        /// How many units, 1 … 2³¹ − 1.
        public var number: Int
        /// What they are.
        public var unit: Window.Unit

        /// So many units.
        public init(_ number: Int, _ unit: Window.Unit = .days) {
            self.number = number
            self.unit = unit
        }
    }

    /// An event after which others count.
    public init(
        _ event: Event, which: Which = .last, by: Activity.Actor? = nil, within: Duration? = nil,
        pairing: Preceding.Pairing = .scope
    ) {
        self.event = event
        self.which = which
        self.by = by
        self.within = within
        self.pairing = pairing
    }
}
