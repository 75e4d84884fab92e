import WinnowModel

// Segments as Swift code writes them:
//
//     let quiet: Segment = .email(.delivered, .atLeast(3), during: .last(30, .days)) && !.email(.opened)
//     let vip: Segment = .field("country", in: ["DE", "SE"]) && .field("ltv", .atLeast, 100)

extension Segment {
    /// Conditions on what happened in the channel: `.email(.opened, .atLeast(2))`.
    public static var email: ChannelConditions { ChannelConditions(channel: .email) }
    /// Conditions on what happened in the channel.
    public static var sms: ChannelConditions { ChannelConditions(channel: .sms) }
    /// Conditions on what happened in the channel.
    public static var push: ChannelConditions { ChannelConditions(channel: .push) }
    /// Conditions on what happened in the channel.
    public static var telegramBot: ChannelConditions { ChannelConditions(channel: .telegramBot) }
    /// Conditions on what happened in the channel.
    public static var telegramGroup: ChannelConditions {
        ChannelConditions(channel: .telegramGroup)
    }
    /// Conditions on what happened in the channel.
    public static var maxBot: ChannelConditions { ChannelConditions(channel: .maxBot) }
    /// Conditions on what happened in the channel.
    public static var maxGroup: ChannelConditions { ChannelConditions(channel: .maxGroup) }
    /// Conditions on what happened in the channel.
    public static var whatsapp: ChannelConditions { ChannelConditions(channel: .whatsapp) }
    /// Conditions on what happened in the channel.
    public static var viber: ChannelConditions { ChannelConditions(channel: .viber) }
    /// Conditions on what happened in the channel.
    public static var vkNotify: ChannelConditions { ChannelConditions(channel: .vkNotify) }

    /// Profiles by what they did.
    public static func activity(_ activity: Activity) -> Segment { Segment(.activity(activity)) }

    /// A share of all profiles, chosen by a hash of their ids, in percent: `.sample(0, to: 10)`.
    /// - Parameter from: from 0 on; two decimals count.
    /// - Parameter to: up to 100.
    public static func sample(_ from: Double, to: Double, salt: String = "") -> Segment {
        // What is no percentage is out of range, and so an error when it is evaluated.
        func hundredths(_ percent: Double) -> Int { Int(exactly: (percent * 100).rounded()) ?? -1 }
        let low = hundredths(from), high = hundredths(to)
        return Segment(
            .sample(Sample(min(low, high)..<(low < high ? high : min(low, high)), salt: salt)))
    }
}

/// What can be asked of a channel.
public struct ChannelConditions: Sendable {
    let channel: Channel

    /// Profiles by how often an event happened in the channel. Without a condition: at least once,
    /// or ever when nothing restricts which events count.
    public func callAsFunction(
        _ event: Event, _ condition: CountCondition? = nil, campaigns: Selector? = nil,
        templates: Selector? = nil,
        links: [String]? = nil, during window: Window? = nil, precededBy: Preceding? = nil,
        counting: Activity.Counting = .total
    ) -> Segment {
        let restricts =
            campaigns != nil || templates != nil || links != nil || window != nil
            || precededBy != nil
            || counting != .total
        return .activity(
            Activity(
                channel, event, condition ?? (restricts ? .atLeast(1) : .exists),
                campaigns: campaigns,
                templates: templates, links: links, during: window, precededBy: precededBy,
                counting: counting))
    }
}

extension Selector {
    /// The objects with these ids.
    public static func ids(_ ids: String...) -> Selector { Selector(ids: ids) }

    /// Objects that have one of the tags.
    public static func tagged(_ tags: String...) -> Selector { Selector(tags: tags) }

    /// Objects that have all of the tags.
    public static func taggedAll(_ tags: String...) -> Selector { Selector(allTags: tags) }
}

// MARK: Fields

extension Segment {
    /// Profiles by a field and an operator that takes no value: `.field("city", .exists)`.
    public static func field(_ name: String, _ operator: FieldOperator) -> Segment {
        Segment(.field(FieldCondition(name, `operator`)))
    }

    /// Profiles whose field compares to a value: `.field("ltv", .atLeast, 100)`.
    public static func field(
        _ name: String, _ operator: FieldOperator, _ value: FieldCondition.Literal,
        ignoringCase: Bool? = nil
    ) -> Segment {
        Segment(.field(FieldCondition(name, `operator`, .value(value), ignoresCase: ignoringCase)))
    }

    /// Profiles whose field compares to a list: `.field("likes", .hasAny, ["poetry"])`.
    public static func field(
        _ name: String, _ operator: FieldOperator, _ values: [FieldCondition.Literal],
        ignoringCase: Bool? = nil
    ) -> Segment {
        Segment(.field(FieldCondition(name, `operator`, .list(values), ignoresCase: ignoringCase)))
    }

    /// Profiles whose field is one of some values.
    public static func field(
        _ name: String, in values: [FieldCondition.Literal], ignoringCase: Bool? = nil
    ) -> Segment {
        field(name, .in, values, ignoringCase: ignoringCase)
    }

    /// Profiles whose field is between two values, both included.
    public static func field(
        _ name: String, between low: FieldCondition.Literal, and high: FieldCondition.Literal
    ) -> Segment {
        field(name, .between, [low, high])
    }

    /// Profiles whose date or instant is in a window.
    public static func field(_ name: String, during window: Window) -> Segment {
        Segment(.field(FieldCondition(name, .during, .window(window))))
    }

    /// Profiles whose date comes round again within some days from today, both included.
    public static func field(
        _ name: String, anniversary days: ClosedRange<Int>,
        feb29: FieldCondition.Anniversary.LeapDay = .feb28
    ) -> Segment {
        Segment(
            .field(FieldCondition(name, .anniversary, .anniversary(.init(days, leapDay: feb29)))))
    }
}

// MARK: Combining

extension Segment {
    /// Profiles in both. Names are dropped; segments of different time zones give one that cannot
    /// be evaluated.
    public static func && (a: Segment, b: Segment) -> Segment {
        Segment(a, b, .all(a.rule.parts(ofAll: true) + b.rule.parts(ofAll: true)))
    }

    /// Profiles in one of the two, or both. Names are dropped; segments of different time zones
    /// give one that cannot be evaluated.
    public static func || (a: Segment, b: Segment) -> Segment {
        Segment(a, b, .any(a.rule.parts(ofAll: false) + b.rule.parts(ofAll: false)))
    }

    /// All other profiles. The name is dropped.
    public static prefix func ! (a: Segment) -> Segment { Segment(a, a, .not(a.rule)) }
}

extension Rule {
    /// The parts of a group of the kind; a rule that is none is the only part. So chains of
    /// operators do not nest.
    fileprivate func parts(ofAll: Bool) -> [Rule] {
        switch node {
        case .all(let parts) where ofAll && !parts.isEmpty: parts
        case .any(let parts) where !ofAll && !parts.isEmpty: parts
        default: [self]
        }
    }
}
