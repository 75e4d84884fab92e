import WinnowModel

/// What one index of a part covers: the events of a type, or all records of another kind, which are
/// kept in the same form. What the names and the rest of a leaf's key stand for, the type says:
///
///     type            campaign    template    variant                          link
///     event           campaign    template    1 where software did it          link
///     goal            pixel       goal        0
///     subscription    resource    provider    channel, status, whether timed   contact
///
/// Goals of nobody are of a type of their own; see `anonymousRow` for their rows.
package enum RecordType: Hashable, Sendable {
    case event(EventType)
    case goal
    case anonymousGoal
    case subscription

    // No channel has so great a number.
    private static let firstOther: UInt16 = 0xFF00
    private static let others: [RecordType] = [.goal, .anonymousGoal, .subscription]

    /// The type as part files store it.
    package var code: UInt16 {
        if case .event(let type) = self { return type.code }
        return RecordType.firstOther + UInt16(RecordType.others.firstIndex(of: self) ?? 0)
    }

    /// The type of a stored number; nil when it names none.
    package init?(code: UInt16) {
        if let type = EventType(code: code) {
            self = .event(type)
        } else if let other = RecordType.others.first(where: { $0.code == code }) {
            self = other
        } else {
            return nil
        }
    }

    /// For people.
    package var name: String {
        switch self {
        case .event(let type): "\(type.channel.name) \(type.event.name)"
        case .goal: "goal"
        case .anonymousGoal: "anonymous goal"
        case .subscription: "subscription"
        }
    }

    /// What the campaigns, templates and links of its leaves and events are names of; nil for
    /// nothing.
    var namespaces: (campaign: Namespace, template: Namespace, link: Namespace?) {
        switch self {
        case .event: (.campaign, .template, .link)
        case .goal, .anonymousGoal: (.pixel, .goal, nil)
        case .subscription: (.resource, .provider, .contact)
        }
    }

    /// Whether large leaves are split by month; times of subscriptions may be of any year.
    var splitsLeaves: Bool { self != .subscription }

    /// Whether its rows are those of profiles.
    package var isOfProfiles: Bool { self != .anonymousGoal }

    /// The row of a goal of nobody: its day is the block, so that a night's goals are together, and
    /// equal goals have the same row, so that they can be told.
    package static func anonymousRow(_ time: Int64, hash: UInt64) -> Row {
        let day = Instant(milliseconds: time).utcDay.day
        let block = UInt32(truncatingIfNeeded: (day % 65_000 + 65_000) % 65_000)
        return Row(BlockIndex(rawValue: block), UInt16(truncatingIfNeeded: hash >> 32))
    }
}

extension RecordType: Comparable {
    package static func < (a: RecordType, b: RecordType) -> Bool { a.code < b.code }
}

extension LeafKey {
    /// The leaf of goals on a pixel.
    package init(pixel: NameCode, goal: NameCode) { self.init(campaign: pixel, template: goal) }

    package var pixel: NameCode { campaign }
    package var goal: NameCode { template }
}

extension LeafKey {
    /// The leaf of records of a subscription.
    /// - Parameter isTimed: whether they have a time; else their time is zero, and says nothing.
    package init(
        resource: NameCode, provider: NameCode, _ channel: Channel, _ status: SubscriptionStatus,
        isTimed: Bool
    ) {
        let variant =
            UInt32(channel.rawValue) << 8 | UInt32(status.rawValue) << 1 | (isTimed ? 1 : 0)
        self.init(campaign: resource, template: provider, variant: variant)
    }

    package var resource: NameCode { campaign }
    package var provider: NameCode { template }
    package var channel: Channel? { Channel(rawValue: UInt8(truncatingIfNeeded: variant >> 8)) }
    package var status: SubscriptionStatus? {
        SubscriptionStatus(rawValue: UInt8(truncatingIfNeeded: variant >> 1 & 0x7F))
    }
    package var isTimed: Bool { variant & 1 == 1 }
}

extension RecordType {
    /// Whether a leaf of the type can have the key.
    func isPossible(_ key: LeafKey) -> Bool {
        switch self {
        case .event: key.variant <= 1
        case .goal, .anonymousGoal: key.variant == 0
        case .subscription: key.variant < 1 << 16 && key.channel != nil && key.status != nil
        }
    }
}
