import WinnowModel

/// What a profile did, or did not do, in a channel.
public struct Activity: Sendable, Hashable {
    /// Which event, in which channel; only some exist, see `Channel.has`.
    public var type: EventType
    /// How often it must have happened.
    public var condition: CountCondition
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
    /// Whose events are counted together.
    public var counting: Counting

    /// Whose events are counted together.
    public enum Counting: String, Sendable, CaseIterable {
        /// Those of all objects in scope.
        case total
        /// Some object's alone must satisfy the condition.
        case anyOne = "any_one"
        /// Every object's alone must.
        case everyOne = "every_one"

        /// The mode in rules as text; nil for the one that is not said.
        var words: String? {
            switch self {
            case .total: nil
            case .anyOne: "any one"
            case .everyOne: "every one"
            }
        }
    }

    /// A condition on how often an event happened.
    public init(
        _ channel: Channel, _ event: Event, _ condition: CountCondition,
        campaigns: Selector? = nil, templates: Selector? = nil, links: [String]? = nil,
        during: Window? = nil, precededBy: Preceding? = nil, counting: Counting = .total
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
    public init(_ event: Event, atLeast: UInt32 = 1, pairing: Pairing = .scope) {
        self.event = event
        self.atLeast = atLeast
        self.pairing = pairing
    }
}
