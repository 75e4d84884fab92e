/// A way to reach a profile. The raw value is what part files store; never renumber.
public enum Channel: UInt8, CaseIterable, Sendable, Hashable {
    case email, sms, push
    case telegramBot, telegramGroup, maxBot, maxGroup
    case whatsapp, viber, vkNotify

    /// The name in rules, files and output.
    public var name: String {
        switch self {
        case .email: "email"
        case .sms: "sms"
        case .push: "push"
        case .telegramBot: "telegram_bot"
        case .telegramGroup: "telegram_group"
        case .maxBot: "max_bot"
        case .maxGroup: "max_group"
        case .whatsapp: "whatsapp"
        case .viber: "viber"
        case .vkNotify: "vk_notify"
        }
    }

    /// The channel of that name, nil when there is none.
    public init?(name: String) {
        guard let match = Channel.allCases.first(where: { $0.name == name }) else { return nil }
        self = match
    }

    /// The events that exist in the channel, in the order of the table.
    public var events: [Event] { Event.allCases.filter { has($0) } }

    /// Whether the event exists in the channel.
    public func has(_ event: Event) -> Bool { event.channels.contains(self) }
}
