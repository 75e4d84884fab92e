import WinnowModel

extension Rule {
    /// Profiles by what they did.
    public static func activity(_ activity: Activity) -> Rule { Rule(.activity(activity)) }
}

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
}

/// What can be asked of a channel.
public struct ChannelConditions: Sendable {
    let channel: Channel

    /// Profiles by how often an event happened in the channel. Without a condition: at least once,
    /// or ever when nothing restricts which events count.
    public func callAsFunction(
        _ event: Event, _ condition: CountCondition? = nil, by: Activity.Actor? = nil,
        campaigns: Selector? = nil, templates: Selector? = nil, links: [String]? = nil,
        during window: Window? = nil, precededBy: Preceding? = nil, after: After? = nil,
        counting: Activity.Counting = .total
    ) -> Segment {
        let restricts =
            campaigns != nil || templates != nil || links != nil || window != nil
            || precededBy != nil || after != nil || counting != .total
        return .activity(
            Activity(
                channel, event, condition ?? (restricts ? .atLeast(1) : .exists), by: by,
                campaigns: campaigns, templates: templates, links: links, during: window,
                precededBy: precededBy, after: after, counting: counting))
    }
}

extension Selector {
    /// The objects with these ids.
    public static func ids(_ ids: String...) -> Selector { Selector(ids: ids) }

    /// Objects that have one of the tags.
    public static func tagged(_ tags: String...) -> Selector { Selector(tags: tags) }

    /// The objects that were sent last in the channel: `.latest(5)`.
    public static func latest(_ count: Int) -> Selector { Selector(latest: count) }

    /// Objects that have all of the tags.
    public static func taggedAll(_ tags: String...) -> Selector { Selector(allTags: tags) }
}
