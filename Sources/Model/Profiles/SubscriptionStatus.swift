/// What a profile's subscription, or all of its subscriptions together, are. The raw value is what
/// part files store; never renumber.
public enum SubscriptionStatus: UInt8, CaseIterable, Sendable, Hashable {
    case subscribed, unsubscribed, complainer, hardBounced, unconfirmed, suspended, invalid

    /// The name in rules, files and output.
    public var name: String { self == .hardBounced ? "hard_bounced" : "\(self)" }

    /// The status of that name, nil when there is none.
    public init?(name: String) {
        guard let match = SubscriptionStatus.allCases.first(where: { $0.name == name }) else {
            return nil
        }
        self = match
    }
}
