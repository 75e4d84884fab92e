import Synchronization
import WinnowBitmaps
import WinnowCKernels
import WinnowColumns
import WinnowModel
import WinnowStorage

/// Events of some profiles in one stretch of time.
package struct EventTotal: Sendable {
    /// What their `count`s add up to.
    package fileprivate(set) var events: UInt64 = 0
    /// Profiles that have one.
    package fileprivate(set) var profiles = 0
}

extension Evaluator {
    /// The events of a plan's profiles, by type and by stretches of time.
    /// - Parameter starts: when the stretches begin, ascending; each ends where the next begins.
    /// - Parameter end: the last instant of the last one.
    /// - Returns: per type, in their order, a total for each stretch.
    /// - Complexity: O(events of the time).
    package func timeline(
        of plan: Plan, _ types: [EventType], starts: [Instant], end: Instant,
        _ snapshot: StoreVersion
    ) throws(WinnowError) -> [[EventTotal]] {
        let none = types.map { _ in Array(repeating: EventTotal(), count: starts.count) }
        guard let first = starts.first, first <= end else { return none }
        let window = first.milliseconds...end.milliseconds
        let scope = Scope(
            machines: nil, campaigns: nil, templates: nil, window: window, asOf: end.milliseconds)
        var scopes: [(type: Int, events: ActivityScope)] = []
        for (i, type) in types.enumerated() {
            if let events = try scope.events(.event(type), links: nil, keying: .none, snapshot) {
                scopes.append((i, events))
            }
        }
        let begins = starts.map(\.milliseconds)
        let totals = Mutex(none)
        let wanted = scopes
        try forEachBlock([plan]) { (found) throws(WinnowError) in
            let rows = found.sets[0]
            if rows.isEmpty { return }
            for (type, events) in wanted {
                var block = StretchTotals(begins)
                try unsafe ActivityEvaluation(events, found.scratch).forEachTime(
                    found.block, .firstFirst, while: rows
                ) { rows, by, at, n, _ in unsafe block.add(rows, by, at, n) }
                let own = block.totals()
                totals.withLock { totals in
                    for (i, total) in own.enumerated() {
                        totals[type][i].events = totals[type][i].events.saturatingAdd(total.events)
                        totals[type][i].profiles += total.profiles
                    }
                }
            }
        }
        return totals.withLock { $0 }
    }
}

/// What events of one block come to in each stretch.
private struct StretchTotals {
    private let starts: [Int64]
    private var events: [UInt64]
    /// A stretch and a row for each event.
    private var met: [UInt64] = []
    private var last = 0

    init(_ starts: [Int64]) {
        self.starts = starts
        events = Array(repeating: 0, count: starts.count)
    }

    mutating func add(
        _ rows: UnsafePointer<UInt16>, _ by: UnsafePointer<UInt32>, _ at: UnsafePointer<Int64>,
        _ n: Int
    ) {
        for i in 0..<n {
            let time = unsafe at[i]
            guard time >= starts[0] else { continue }
            // Events of a run are close together.
            if time < starts[last] || last + 1 < starts.count && time >= starts[last + 1] {
                last = firstNotBelow(starts.indices) { starts[$0] <= time } - 1
            }
            events[last] = unsafe events[last].saturatingAdd(UInt64(by[i]))
            unsafe met.append(UInt64(last) << 16 | UInt64(rows[i]))
        }
    }

    mutating func totals() -> [EventTotal] {
        var totals = events.map { EventTotal(events: $0) }
        var scratch = [UInt64](repeating: 0, count: met.count)
        unsafe ck_sort(&met, &scratch, met.count, 48)
        var before = UInt64.max
        for key in met where key != before {
            totals[Int(key >> 16)].profiles += 1
            before = key
        }
        return totals
    }
}
