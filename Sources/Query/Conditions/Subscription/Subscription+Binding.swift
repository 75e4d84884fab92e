import WinnowColumns
import WinnowModel
import WinnowRules
import WinnowStorage

extension SubscriptionCondition: BindableCondition {
    var usesCurrentState: Bool { true }
    var isTimeless: Bool { during == nil }

    func bind(_ binder: inout Binder) throws(WinnowError) -> Plan {
        switch question {
        case .records(let condition):
            let parts = try parts(&binder)
            return condition.plan { lower, upper in counted(parts, lower, upper) }
        case .reachable:
            var records = self
            records.question = .records(.exists)
            records.statuses = [.subscribed]
            let subscribed = try records.bind(&binder)
            // A store with a field of its own by that name takes everybody as subscribed.
            guard let status = binder.snapshot.schema.globalStatus else { return subscribed }
            let name = binder.snapshot.schema.fields[status].name
            let field = FieldCondition(
                name, .equals, .value(.string(SubscriptionStatus.subscribed.name)))
            return .all([subscribed, try field.bind(&binder)])
        }
    }

    /// Newest first, and of each the records that count; nil where it has none.
    private func parts(
        _ binder: inout Binder
    ) throws(WinnowError) -> [(part: ActivityPart, records: ActivityScope?)] {
        let resources = try binder.names(self.resources, .resource, at: .resource)
        let providers = try binder.names(self.providers, .provider, at: .provider)
        var contacts: [NameCode]?
        if let asked = self.contacts {
            let strings = try binder.snapshot.strings(.contact)
            contacts = asked.compactMap { strings.code(of: $0) }.sortedDistinct().map {
                NameCode($0)
            }
        }
        let scope = Scope(
            variants: variants, campaigns: resources, templates: providers,
            window: window(&binder), asOf: binder.time.asOf.milliseconds)
        var parts: [(part: ActivityPart, records: ActivityScope?)] = []
        for part in try binder.snapshot.subscriptions().reversed() {
            let records = try scope.events(.subscription, links: contacts, in: [part])
            parts.append((part, records))
        }
        return parts
    }

    /// Channels, statuses and times as leaves have them; nil for all.
    private var variants: Set<UInt32>? {
        if channel == nil, statuses == nil, during == nil { return nil }
        var variants: Set<UInt32> = []
        for channel in channel.map({ [$0] }) ?? Channel.allCases {
            for status in statuses ?? SubscriptionStatus.allCases {
                for isTimed in during == nil ? [false, true] : [true] {
                    let key = LeafKey(
                        resource: .none, provider: .none, channel, status, isTimed: isTimed)
                    variants.insert(key.variant)
                }
            }
        }
        return variants
    }

    private func window(_ binder: inout Binder) -> ClosedRange<Int64> {
        let possible = Instant.possibleMilliseconds
        guard let during else { return possible }
        let resolved = during.resolved(binder.time)
        let window = during.isRelative ? resolved.ending(at: binder.time.asOf) : resolved
        binder.report(window, at: .during)
        // No record has so late a time.
        return window.milliseconds?.clamped(to: possible) ?? Int64.max...Int64.max
    }

    private func counted(
        _ parts: [(part: ActivityPart, records: ActivityScope?)], _ lower: UInt64, _ upper: UInt64?
    ) -> Plan {
        let conditions = parts.map { part, records in
            (part, records.map { EventCondition($0, lower, upper) })
        }
        guard conditions.contains(where: { $0.1 != nil }) else { return .empty }
        if conditions.count == 1, let only = conditions[0].1 { return .condition(only) }
        return .condition(OverlaidCondition(conditions))
    }
}

extension Binder {
    /// The names of ids that records or goals of the snapshot have, ascending; nil for no ids.
    mutating func names(
        _ ids: [String]?, _ namespace: Namespace, at key: RuleKey
    ) throws(WinnowError) -> [NameCode]? {
        guard let ids else { return nil }
        return try at(key) { (binder) throws(WinnowError) in
            let strings = try binder.snapshot.strings(namespace)
            let used = try binder.snapshot.usedNames(namespace)
            var names: Set<NameCode> = []
            for id in ids {
                if let name = strings.code(of: id).map({ NameCode($0) }), used.contains(name) {
                    names.insert(name)
                } else {
                    try binder.warn(
                        "unknown_\(namespace)",
                        "the store has nothing with the \(namespace) “\(id)”")
                }
            }
            return names.sorted()
        }
    }
}
