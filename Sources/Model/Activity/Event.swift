/// What can happen in a channel; all that is known of an event is said here. The raw value is what
/// part files store; never renumber.
public enum Event: UInt8, CaseIterable, Sendable, Hashable {
    case sent, delivered, opened, read, clicked
    case uniqueClicked, uniqueLinkClicked, uniqueOpened
    case unsubscribeClicked, undelivered, policyViolated
    case hardBounced, softBounced, complained, suppressed
    case confirmClicked, glanced, skimmed, replied
    case subscribed, unsubscribed, subscriptionConfirmed

    /// The name in rules, files and output.
    public var name: String {
        switch self {
        case .sent: "sent"
        case .delivered: "delivered"
        case .opened: "opened"
        case .read: "read"
        case .clicked: "clicked"
        case .uniqueClicked: "unique_clicked"
        case .uniqueLinkClicked: "unique_link_clicked"
        case .uniqueOpened: "unique_opened"
        case .unsubscribeClicked: "unsubscribe_clicked"
        case .undelivered: "undelivered"
        case .policyViolated: "policy_violated"
        case .hardBounced: "hard_bounced"
        case .softBounced: "soft_bounced"
        case .complained: "complained"
        case .suppressed: "suppressed"
        case .confirmClicked: "confirm_clicked"
        case .glanced: "glanced"
        case .skimmed: "skimmed"
        case .replied: "replied"
        case .subscribed: "subscribed"
        case .unsubscribed: "unsubscribed"
        case .subscriptionConfirmed: "subscription_confirmed"
        }
    }

    /// The event of that name, nil when there is none.
    public init?(name: String) {
        guard let match = Event.allCases.first(where: { $0.name == name }) else { return nil }
        self = match
    }

    /// The channels in which it happens: the one table that rules, loaders and the command line read.
    public var channels: [Channel] {
        switch self {
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

    /// The stored event that this one is derived from; nil for an event that is itself stored.
    public var derivedFrom: Event? {
        switch self {
        case .uniqueClicked, .uniqueLinkClicked: .clicked
        case .uniqueOpened: .opened
        default: nil
        }
    }

    /// Whether a rule on this event may name links.
    public var takesLinks: Bool { self == .clicked || derivedFrom == .clicked }
}
