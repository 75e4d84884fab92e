import WinnowBitmaps
import WinnowColumns
import WinnowModel
import WinnowRules

/// Profiles that have an event, and of other events after it between two bounds; in the whole
/// scope, or in some one object or message.
///
/// Method: sets of rows tell most: who does not have the event, or not enough of the others. Runs
/// of the event that begin when all others are over, or end before them, tell without their times.
/// Where all of the event are in scope, quarter hours of last events decide nearly all of the rest.
/// For the rows that are left, the last (or first) time of the event is found from the runs with
/// the latest (earliest) events on, until no run can change it; then what is later. Objects are
/// looked at one by one in the same way. For messages, times are kept by row and message.
final class AfterCondition: BoundCondition {
    /// The events after which others count.
    private let before: ActivityScope
    /// The events that count; nil when there are none.
    private let events: ActivityScope?
    private let lower: UInt64
    private let upper: UInt64?
    private let span: Span
    private let pairing: Pairing

    /// What both events have in common: objects and messages by the keys of their scopes.
    enum Pairing: Sendable { case scope, object, message }

    /// The time in which events count, seen from the event before them.
    struct Span: Sendable {
        let which: After.Which
        let within: After.Duration?
        let zone: TimeZoneRules
        /// The milliseconds of `within`; nil where a calendar tells.
        private let length: Int64?

        init(which: After.Which, within: After.Duration?, zone: TimeZoneRules) {
            (self.which, self.within, self.zone) = (which, within, zone)
            length = within.flatMap { duration in
                duration.unit.length.map {
                    $0.multipliedReportingOverflow(by: Int64(duration.number))
                }
            }.map { $0.overflow ? .max : $0.partialValue }
        }

        /// The time of an event instead of another.
        func choose(_ known: Int64, _ time: Int64) -> Int64 {
            which == .last ? max(known, time) : min(known, time)
        }

        /// The last instant at which events count.
        func end(after time: Int64) -> Int64 {
            guard let within else { return .max }
            if let length {
                let (end, isOver) = time.addingReportingOverflow(length)
                return isOver ? .max : end
            }
            return Window.rolling(
                within.number, within.unit, from: Instant(milliseconds: time), zone
            ).milliseconds
        }
    }

    init(
        _ before: ActivityScope, _ events: ActivityScope?, lower: UInt64, upper: UInt64?,
        span: Span, pairing: Pairing
    ) {
        self.before = before
        self.events = events
        self.lower = lower
        self.upper = upper
        self.span = span
        self.pairing = pairing
    }

    var cost: Int { 20_000 + (before.events + (events?.events ?? 0)) / 50 }

    var leaves: Int { before.leaves + (events?.leaves ?? 0) }

    func evaluate(_ view: BlockView, into out: BlockSet) throws(WinnowError) {
        out.clear()
        switch pairing {
        case .scope:
            view.scratch.record(.afterRows)
            let scratch = view.scratch
            let first = try Events(before, view, in: scratch.gatheredBefore, order)
            let others = try events.map { (scope) throws(WinnowError) in
                try Events(scope, view, in: scratch.gathered, .lastFirst)
            }
            try evaluate(first, others, view, within: view.candidates, into: out)
        case .object:
            if try !evaluateObjects(view, into: out) { try evaluatePairs(view, into: out) }
        case .message:
            try evaluatePairs(view, into: out)
        }
    }

    private func matches(_ count: UInt64) -> Bool { count >= lower && count <= upper ?? .max }

    /// Object by object, the runs of both events in the same order; false when runs do not tell
    /// which events are in scope.
    private func evaluateObjects(_ view: BlockView, into out: BlockSet) throws(WinnowError) -> Bool
    {
        let scratch = view.scratch
        let first = scratch.keyed
        let others = scratch.excluded
        var before = Events(self.before, view)
        guard try before.evaluation.gatherByKey(view.block, first, order) else { return false }
        var events = self.events.map { Events($0, view) }
        if let events {
            let told = try events.evaluation.gatherByKey(view.block, others, .lastFirst)
            if !told { return false }
        }
        scratch.record(.afterObjects)
        let left = view.spare(0)
        left.copy(from: view.candidates ?? scratch.universe)
        let met = view.spare(1)
        // The conditions' own sets begin where these two end.
        let inner = BlockView(
            block: view.block, candidates: nil, scratch: scratch, level: view.level + 2)
        var start = 0
        var from = 0
        while start < first.runs.count {
            let end = first.runs.endOfObject(from: start)
            let key = first.runs[start].key ?? 0
            before.runs = (first, start..<end)
            start = end
            if key == 0 { continue }
            while from < others.runs.count, others.runs[from].key ?? 0 < key { from += 1 }
            let hasOthers =
                events != nil && from < others.runs.count && others.runs[from].key == key
            if hasOthers { events?.runs = (others, from..<others.runs.endOfObject(from: from)) }
            try evaluate(before, hasOthers ? events : nil, inner, within: left, into: met)
            out.formUnion(met)
            left.subtract(met)
            if left.isEmpty { return true }
        }
        return true
    }

    private var order: TimeOrder { span.which == .last ? .lastFirst : .firstFirst }

    /// Makes `out` the rows that have the event before, and the others as often as wanted.
    private func evaluate(
        _ before: Events, _ events: Events?, _ view: BlockView, within: BlockSet?,
        into out: BlockSet
    ) throws(WinnowError) {
        if lower > 0, before.runs != nil, events != nil {
            // Times tell who has the event before.
            out.copy(from: within ?? view.scratch.universe)
        } else {
            try before.rows(having: 1, within: within, into: out)
        }
        guard let events else {
            if lower > 0 { out.clear() }
            return
        }
        // Without so many events at any time it is known whether a row matches.
        guard let enough = lower > 0 ? lower : upper.map({ $0.saturatingAdd(1) }), !out.isEmpty
        else { return }
        let open = view.spare(0)
        try events.rows(having: enough, within: out, into: open)
        if lower > 0 { out.clear() } else { out.subtract(open) }
        if !open.isEmpty { try decide(open, before, events, enough: enough, view) }
        out.formUnion(open)
    }

    /// Takes the rows that do not match off the set.
    private func decide(
        _ rows: BlockSet, _ before: Events, _ events: Events, enough: UInt64, _ view: BlockView
    ) throws(WinnowError) {
        // What one event decides is looked for from the last one on.
        let isOne = enough == 1 && (lower == 0 || upper == nil)
        let open = view.spare(1)
        let later = view.spare(2)
        open.copy(from: rows)
        later.clear()
        var before = before
        var times = events.times
        if !isOne || span.within != nil { times = times.map { Int64.min...$0.upperBound } }
        if try compareQuarters(
            of: open, later: later, before, events, &times, isOne: isOne, view)
        {
            try before.gather(order, among: times)
            if !open.isEmpty { try findStarts(of: open, before, nil, view) }
        } else {
            try compareSpans(of: open, later: later, before, times, view)
            if !open.isEmpty { try findStarts(of: open, before, times, view) }
            try findEarlier(than: times, of: open, later: later, before, view)
        }
        if isOne {
            if !open.isEmpty { try find(later, of: open, events, view) }
            if lower > 0 { rows.formIntersection(later) } else { rows.subtract(later) }
        } else {
            let counted = view.spare(3)
            counted.copy(from: open)
            try count(counted, events, view)
            if lower > 0 { rows.clear() } else { rows.subtract(open) }
            rows.formUnion(counted)
        }
    }

    /// Decides by the quarter hours of last events, where these tell: takes rows off `open` that
    /// have nothing later, and those with something later, which it adds to `later`, if one event is
    /// what matters. The others' times are as their own quarter hours, or else their runs, say.
    /// Returns whether all rows that are left have the event last among the others' times.
    private func compareQuarters(
        of open: BlockSet, later: BlockSet, _ before: Events, _ events: Events,
        _ times: inout ClosedRange<Int64>?, isOne: Bool, _ view: BlockView
    ) throws(WinnowError) -> Bool {
        let latestIsLater = isOne && span.within == nil
        guard before.runs == nil, span.which == .last || latestIsLater else { return false }
        let told = view.spare(3)
        told.copy(from: open)
        guard let first = try before.lastQuarters(told) else { return false }
        let (greater, less, equal) = (view.spare(4), view.spare(5), view.spare(6))
        if let last = try events.lastQuarters(told) {
            view.scratch.record(.afterQuarters)
            last.compare(with: first, greater: greater, equal: equal, view.scratch.sliced)
            less.copy(from: told)
            less.subtract(greater)
            less.subtract(equal)
        } else if let quarters = times.map(Recency.quarters) {
            view.scratch.record(.afterTimes)
            times = Recency.times(of: quarters)
            first.select(Int64.min...quarters.lowerBound - 1, into: greater, view.scratch.sliced)
            first.select(quarters.upperBound + 1...Int64.max, into: less, view.scratch.sliced)
            less.formIntersection(told)
        } else {
            return false
        }
        // Where the last event is earlier, nothing is later.
        if span.which == .last { open.subtract(less) }
        if latestIsLater {
            greater.formIntersection(told)
            later.formUnion(greater)
            open.subtract(greater)
        }
        equal.copy(from: open)
        equal.subtract(told)
        return span.which == .last && equal.isEmpty
    }

    /// Decides by the runs of the event before that begin when all others are over, where its last
    /// time matters; by those that end before all others, where its first one does.
    private func compareSpans(
        of open: BlockSet, later: BlockSet, _ before: Events, _ times: ClosedRange<Int64>?,
        _ view: BlockView
    ) throws(WinnowError) {
        guard let times else { return }
        let isLast = span.which == .last
        func decides(_ span: LeafSpan) -> Bool {
            isLast ? span.isAfter(times) : span.isBefore(times)
        }
        guard before.contains(where: decides) else { return }
        view.scratch.record(.afterSpans)
        let decided = view.spare(3)
        try before.unite(into: decided, where: decides)
        if !isLast {
            decided.formIntersection(open)
            later.formUnion(decided)
        }
        open.subtract(decided)
    }

    /// Finds the last (or first) time of the event before, and until when events count.
    private func findStarts(
        of open: BlockSet, _ before: Events, _ times: ClosedRange<Int64>?, _ view: BlockView
    ) throws(WinnowError) {
        let starts = view.scratch.starts
        starts.begin(order)
        let pending = view.spare(3)
        pending.copy(from: open)
        let bits = unsafe pending.bits
        try unsafe before.forEachTime(order, among: times, while: pending) {
            rows, _, at, n, bound in
            unsafe starts.take(rows, at, n, bound: bound, bits)
        }
        guard span.within != nil else { return }
        let ends = unsafe view.scratch.ends.base
        open.forEach { row in
            if let start = starts[row] { unsafe ends[row] = span.end(after: start) }
        }
    }

    /// Adds the rows of `open` to `later` whose last event before is in runs that end before all
    /// others: they have no such time yet.
    private func findEarlier(
        than times: ClosedRange<Int64>?, of open: BlockSet, later: BlockSet, _ before: Events,
        _ view: BlockView
    ) throws(WinnowError) {
        guard let times, span.which == .last, !open.isEmpty,
            before.contains(where: { $0.isBefore(times) })
        else { return }
        let starts = view.scratch.starts
        let earlier = view.spare(3)
        try before.unite(into: earlier) { $0.isBefore(times) }
        earlier.formIntersection(open)
        earlier.filter { starts[$0] == nil }
        later.formUnion(earlier)
    }

    /// Adds to `found` the rows of `open` that have one event that counts.
    private func find(
        _ found: BlockSet, of open: BlockSet, _ events: Events, _ view: BlockView
    ) throws(WinnowError) {
        let starts = view.scratch.starts
        let ends = unsafe span.within == nil ? nil : UnsafePointer(view.scratch.ends.base)
        let pending = view.spare(3)
        pending.copy(from: open)
        let bits = unsafe pending.bits
        let foundBits = unsafe found.bits
        try unsafe events.forEachTime(.lastFirst, while: pending) { rows, _, at, n, bound in
            unsafe starts.find(rows, at, n, ends: ends, bound: bound, foundBits, bits)
        }
    }

    /// Takes the rows whose events that count are not as many as wanted off the set.
    private func count(
        _ open: BlockSet, _ events: Events, _ view: BlockView
    ) throws(WinnowError) {
        let starts = view.scratch.starts
        let ends = unsafe view.scratch.ends.base
        let ending = span.within != nil
        let counts = unsafe view.scratch.wideCounters.base
        open.forEach { unsafe counts[$0] = 0 }
        try unsafe events.forEachTime(.lastFirst, while: open) { rows, by, at, n, _ in
            for i in 0..<n {
                let row = unsafe Int(rows[i])
                if let start = starts[row],
                    unsafe at[i] > start && (!ending || at[i] <= ends[row])
                {
                    unsafe counts[row] = counts[row].saturatingAdd(UInt64(by[i]))
                }
            }
        }
        open.filter { unsafe matches(counts[$0]) }
    }

    /// Looks at events by row and message, or object, where both are often enough; of the other rows
    /// any message will do, or none.
    private func evaluatePairs(_ view: BlockView, into out: BlockSet) throws(WinnowError) {
        view.scratch.record(.afterPairs)
        let rows = view.spare(0)
        let open = view.spare(1)
        try Events(before, view).rows(having: 1, within: view.candidates, into: rows)
        open.clear()
        let enough = lower > 0 ? lower : upper.map { $0.saturatingAdd(1) }
        if let events, let enough {
            try Events(events, view).rows(having: enough, within: rows, into: open)
        }
        if lower > 0 { rows.copy(from: open) }
        if rows.isEmpty { return }
        let pairs = view.scratch.pairTimes
        pairs.clear()
        if let events, !open.isEmpty {
            try unsafe ActivityEvaluation(events, view.scratch, open).forEachKeyAndTime(
                view.block
            ) { rows, keys, by, at, n in unsafe pairs.add(rows, keys, by, at, n) }
        }
        pairs.seal()
        let (span, lower) = (span, lower)
        let bits = unsafe out.bits
        let wanted = unsafe rows.bits
        try unsafe ActivityEvaluation(before, view.scratch, rows).forEachKeyAndTime(
            view.block
        ) { rows, keys, _, at, n in
            unsafe pairs.start(rows, keys, at, n, span) { row in
                // Nothing came after it; more need not be known of the row.
                if lower > 0 { return }
                unsafe bits[Int(row >> 6)] |= 1 << UInt64(row & 63)
                unsafe wanted[Int(row >> 6)] &= ~(1 << UInt64(row & 63))
            }
        }
        pairs.forEachCount(span) { row, count in if matches(count) { out.insert(row) } }
    }
}
