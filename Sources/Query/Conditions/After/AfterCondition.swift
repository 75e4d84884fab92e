import WinnowBitmaps
import WinnowCKernels
import WinnowColumns
import WinnowModel
import WinnowRules

/// Profiles that have an event, and of other events after it between two bounds; in the whole
/// scope, or in some one object or message.
///
/// Method: the first pass finds, for each row of the block, the last (or first) time of the event;
/// the second counts what is later, and not too late. For pairs the same is kept per row and key.
/// Both passes look at the times of the events that candidates have.
final class AfterCondition: BoundCondition {
    /// The events after which others count.
    private let before: ActivityScope
    /// The events that count; nil when there are none.
    private let events: ActivityScope?
    private let lower: UInt64
    private let upper: UInt64?
    private let span: Span
    /// Whether both events have a campaign, template or message in common, by the keys of their
    /// scopes.
    private let pairs: Bool

    /// The time in which events count, seen from the event before them.
    struct Span: Sendable {
        let which: After.Which
        let within: After.Duration?
        let zone: TimeZoneRules

        /// The time of an event instead of another.
        func choose(_ known: Int64, _ time: Int64) -> Int64 {
            which == .last ? max(known, time) : min(known, time)
        }

        /// The last instant at which events count.
        func end(after time: Int64) -> Int64 {
            guard let within else { return .max }
            return Window.rolling(
                within.number, within.unit, from: Instant(milliseconds: time), zone
            ).milliseconds
        }
    }

    init(
        _ before: ActivityScope, _ events: ActivityScope?, lower: UInt64, upper: UInt64?,
        span: Span, pairs: Bool
    ) {
        self.before = before
        self.events = events
        self.lower = lower
        self.upper = upper
        self.span = span
        self.pairs = pairs
    }

    var cost: Int { 20_000 + (before.events + (events?.events ?? 0)) / 50 }

    func evaluate(_ view: BlockView, into out: BlockSet) throws(WinnowError) {
        out.clear()
        if pairs { try evaluatePairs(view, into: out) } else { try evaluateRows(view, into: out) }
    }

    private func matches(_ count: UInt64) -> Bool { count >= lower && count <= upper ?? .max }

    private func evaluateRows(_ view: BlockView, into out: BlockSet) throws(WinnowError) {
        let scratch = view.scratch
        scratch.record(.afterRows)
        let starts = unsafe scratch.starts.base
        let ends = unsafe scratch.ends.base
        let counts = unsafe scratch.wideCounters.base
        let span = span
        // Rows that have the event; of others nothing is kept.
        let known = view.spare(0)
        known.clear()
        try unsafe ActivityEvaluation(before, scratch, view.candidates).forEachTime(
            view.block, keys: false
        ) { rows, _, _, at, n in
            for i in 0..<n {
                let row = unsafe Int(rows[i])
                if known.contains(row) {
                    unsafe starts[row] = span.choose(starts[row], at[i])
                } else {
                    known.insert(row)
                    unsafe starts[row] = at[i]
                    unsafe counts[row] = 0
                }
            }
        }
        known.forEach { unsafe ends[$0] = span.end(after: starts[$0]) }
        if let events {
            try unsafe ActivityEvaluation(events, scratch, known).forEachTime(
                view.block, keys: false
            ) { rows, _, by, at, n in
                for i in 0..<n {
                    let row = unsafe Int(rows[i])
                    if known.contains(row), unsafe at[i] > starts[row],
                        unsafe at[i] <= ends[row]
                    {
                        unsafe counts[row] = counts[row].saturatingAdd(UInt64(by[i]))
                    }
                }
            }
        }
        known.forEach { if unsafe matches(counts[$0]) { out.insert($0) } }
    }

    private func evaluatePairs(_ view: BlockView, into out: BlockSet) throws(WinnowError) {
        view.scratch.record(.afterPairs)
        var pairs: [UInt64: (start: Int64, end: Int64, count: UInt64)] = [:]
        let span = span
        func key(_ row: UInt16, _ key: UInt32) -> UInt64 { UInt64(key) << 16 | UInt64(row) }
        try unsafe ActivityEvaluation(before, view.scratch, view.candidates).forEachTime(
            view.block, keys: true
        ) { rows, keys, _, at, n in
            for i in 0..<n where unsafe keys[i] > 0 {
                let pair = unsafe key(rows[i], keys[i])
                let time = unsafe at[i]
                pairs[pair] = (pairs[pair].map { span.choose($0.start, time) } ?? time, 0, 0)
            }
        }
        for (pair, value) in pairs { pairs[pair]?.end = span.end(after: value.start) }
        if let events {
            try unsafe ActivityEvaluation(events, view.scratch, view.candidates).forEachTime(
                view.block, keys: true
            ) { rows, keys, by, at, n in
                for i in 0..<n where unsafe keys[i] > 0 {
                    let pair = unsafe key(rows[i], keys[i])
                    guard let known = pairs[pair], unsafe at[i] > known.start,
                        unsafe at[i] <= known.end
                    else { continue }
                    unsafe pairs[pair]?.count = known.count.saturatingAdd(UInt64(by[i]))
                }
            }
        }
        for (pair, value) in pairs where matches(value.count) { out.insert(Int(pair & 0xFFFF)) }
    }
}
