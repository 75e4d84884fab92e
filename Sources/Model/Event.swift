/// What can happen in a channel. The raw value is what part files store; never renumber.
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
