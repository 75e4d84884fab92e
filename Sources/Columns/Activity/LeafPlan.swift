import WinnowModel

/// The leaves of the part to be written, and where each source's leaves go.
struct LeafPlan: Sendable {
    let type: RecordType
    let keys: [LeafKey]
    /// Per source and leaf: the new leaf, or of a split one the first month's; nil for a leaf
    /// without events.
    private let targets: [[Target?]]

    private struct Target: Sendable {
        var leaf: LeafID
        /// When the source's events of the leaf were.
        var times = Int64.min...Int64.max
        /// Month of `leaf` when the events must be told apart by month, else 0.
        var firstMonth: UInt32
    }

    init(_ type: RecordType, _ sources: [any EventSource]) throws(WinnowError) {
        self.type = type
        var totals: [LeafKey: LeafSummary] = [:]
        var all: [[LeafSummary]] = []
        for source in sources {
            let leaves = try source.leaves(of: type)
            all.append(leaves)
            for leaf in leaves where leaf.events > 0 {
                let key = leaf.key.unsplit
                var total =
                    totals[key] ?? LeafSummary(key: key, events: 0, minimum: .max, maximum: .min)
                total.events += leaf.events
                total.minimum = min(total.minimum, leaf.minimum)
                total.maximum = max(total.maximum, leaf.maximum)
                totals[key] = total
            }
        }
        var keys: [LeafKey] = []
        var starts: [LeafKey: Target] = [:]
        for total in totals.values.sorted(by: { $0.key < $1.key }) {
            let split =
                type.splitsLeaves && total.events >= Tuning.splitEvents
                && total.maximum - total.minimum > Tuning.splitSpan
            let first = split ? LeafKey.month(of: total.minimum) : 0
            starts[total.key] = Target(leaf: LeafID(keys.count), firstMonth: first)
            for month in first...(split ? LeafKey.month(of: total.maximum) : 0) {
                var key = total.key
                key.month = month
                keys.append(key)
            }
        }
        self.keys = keys
        targets = all.map { leaves in
            leaves.map {
                guard $0.events > 0, var target = starts[$0.key.unsplit] else { return nil }
                target.times = $0.minimum...max($0.minimum, $0.maximum)
                return target
            }
        }
    }

    func renumber(_ events: inout [EventRecord], from start: Int, source: Int) throws(WinnowError) {
        let targets = targets[source]
        for i in start..<events.count {
            guard events[i].leaf.index < targets.count,
                let target = targets[events[i].leaf.index],
                target.times.contains(events[i].time)
            else {
                throw .damaged(
                    file: "activity",
                    what: "\(type.name): an event of a leaf that is not there, or not then")
            }
            events[i].leaf = target.leaf
            guard target.firstMonth > 0 else { continue }
            let months = LeafKey.month(of: events[i].time) - target.firstMonth
            events[i].leaf = LeafID(target.leaf.index + Int(months))
        }
    }
}
