/// Which event exists in which channel: the one table that rules, loaders and the command line
/// read.
public enum Catalogue {
    /// The channels in which an event exists.
    public static func channels(of event: Event) -> [Channel] {
        switch event {
        case .sent, .delivered:
            Channel.allCases
        case .opened:
            [.email, .sms, .push]
        case .read:
            [.email, .whatsapp, .viber, .vkNotify]
        case .clicked, .uniqueClicked, .uniqueLinkClicked:
            [.email, .sms, .push, .telegramBot, .maxBot, .whatsapp, .viber, .vkNotify]
        case .unsubscribeClicked:
            [.email, .sms, .push, .vkNotify]
        case .undelivered:
            [
                .email, .sms, .telegramBot, .telegramGroup, .maxBot, .maxGroup, .whatsapp, .viber,
                .vkNotify,
            ]
        case .policyViolated:
            [.telegramBot, .telegramGroup, .maxBot, .maxGroup, .whatsapp, .vkNotify]
        case .hardBounced, .subscriptionConfirmed:
            [.email, .telegramBot, .maxBot]
        case .softBounced, .complained, .suppressed, .confirmClicked, .glanced, .skimmed, .replied:
            [.email]
        case .uniqueOpened:
            [.email, .push]
        case .subscribed, .unsubscribed:
            [.telegramBot, .maxBot, .whatsapp, .viber, .vkNotify]
        }
    }

    /// The events that exist in a channel, in the table's order.
    public static func events(of channel: Channel) -> [Event] {
        Event.allCases.filter { contains(channel, $0) }
    }

    /// Whether the event exists in the channel.
    public static func contains(_ channel: Channel, _ event: Event) -> Bool {
        channels(of: event).contains(channel)
    }
}

/// A (channel, event) pair: what one index of the store covers.
public struct EventType: Hashable, Sendable, Comparable {
    /// Where it happens.
    public var channel: Channel
    /// What happens.
    public var event: Event

    /// A pair; whether the event exists in the channel, `Catalogue.contains` says.
    public init(_ channel: Channel, _ event: Event) {
        self.channel = channel
        self.event = event
    }

    /// The pair as one number, as part files store it.
    public var code: UInt16 { UInt16(channel.rawValue) << 8 | UInt16(event.rawValue) }

    /// The pair of a stored number; nil when it names none.
    public init?(code: UInt16) {
        guard let channel = Channel(rawValue: UInt8(code >> 8)),
            let event = Event(rawValue: UInt8(code & 255))
        else { return nil }
        self.init(channel, event)
    }

    /// By channel, then event, in the order of their stored numbers.
    public static func < (a: EventType, b: EventType) -> Bool { a.code < b.code }
}
