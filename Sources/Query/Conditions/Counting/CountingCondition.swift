import WinnowBitmaps
import WinnowCKernels
import WinnowColumns
import WinnowModel

/// Profiles of whose objects (campaigns, or templates) at least so many have events of their own
/// that count between two bounds. The scope's leaves give the objects.
///
/// Method: runs are brought together by object. Where one object is enough, rows are united: an
/// object with few events, as most have in a block, is counted row by row, one with many as a rule
/// of its own. Where all that have events in the block must meet the condition, their sets are
/// intersected until nobody is left. Else each row counts its objects.
/// Memory is that of the runs in the block, whatever the number of objects in scope.
final class CountingCondition: BoundCondition {
    /// What an object's events must come to; not zero.
    private let events: EventCondition
    /// At least one.
    private let objects: Int

    init(_ events: EventCondition, objects: Int) {
        self.events = events
        self.objects = objects
    }

    var cost: Int { 10_000 + events.scope.events / 100 }

    var leaves: Int { events.leaves }

    func evaluate(_ view: BlockView, into out: BlockSet) throws(WinnowError) {
        let activity = ActivityEvaluation(events.scope, view.scratch, view.candidates)
        let gathered = view.scratch.keyed
        out.clear()
        guard try activity.gatherByKey(view.block, gathered) else {
            view.scratch.record(.objectSums)
            return try sums(activity, view.block, into: out)
        }
        let present = present(gathered)
        if present < objects { return }
        if objects == 1 {
            try unsafe forEachObject(
                activity, gathered, view, { unsafe kernels.set_rows(out.bits, $0, $1) },
                { out.formUnion($0) })
        } else if objects == present {
            try intersect(activity, gathered, view, into: out)
        } else {
            try count(activity, gathered, view, into: out)
        }
    }

    /// Who meets the condition in enough objects.
    private func count(
        _ activity: ActivityEvaluation, _ gathered: GatheredRuns, _ view: BlockView,
        into out: BlockSet
    ) throws(WinnowError) {
        view.scratch.record(.objectsCounted)
        // Most conditions ask for few objects; a byte a row stays in the nearest cache.
        if let least = UInt8(exactly: objects) {
            let counts = unsafe view.scratch.fewObjects.base
            unsafe counts.update(repeating: 0, count: Block.rows)
            // No row has more objects than events.
            let fits = gathered.bound <= 255
            try unsafe forEachObject(
                activity, gathered, view,
                { rows, n in
                    if fits {
                        unsafe kernels.count_rows(counts, rows, n)
                    } else {
                        unsafe kernels.count_rows_saturating(counts, rows, nil, n)
                    }
                },
                { unsafe kernels.count_bitset(counts, $0.bits, Block.words, 1) })
            return unsafe kernels.counters_between(counts, least, 255, out.bits, Block.rows)
        }
        let counts = unsafe view.scratch.objectCounts.base
        unsafe counts.update(repeating: 0, count: Block.rows)
        try unsafe forEachObject(
            activity, gathered, view,
            { rows, n in for i in 0..<n { unsafe counts[Int(rows[i])] += 1 } },
            { $0.forEach { unsafe counts[$0] += 1 } })
        for row in 0..<Block.rows where unsafe Int(counts[row]) >= objects { out.insert(row) }
    }

    /// How many objects have events in the block.
    private func present(_ gathered: GatheredRuns) -> Int {
        let runs = gathered.runs
        var present = 0
        for i in runs.indices where i == 0 || runs[i - 1].key != runs[i].key {
            if runs[i].key ?? 0 > 0 { present += 1 }
        }
        return present
    }

    /// Who meets the condition in every object.
    private func intersect(
        _ activity: ActivityEvaluation, _ gathered: GatheredRuns, _ view: BlockView,
        into out: BlockSet
    ) throws(WinnowError) {
        view.scratch.record(.objectsIntersected)
        let wanted = ActivityEvaluation.Wanted(
            lower: events.lower, upper: events.upper, out: view.spare(0))
        var start = 0
        var isFirst = true
        while start < gathered.runs.count, isFirst || !out.isEmpty {
            let end = gathered.runs.endOfObject(from: start)
            defer { start = end }
            if gathered.runs[start].key ?? 0 == 0 { continue }
            try activity.evaluate(gathered.runs[start..<end], gathered, wanted)
            if isFirst { out.copy(from: wanted.out) } else { out.formIntersection(wanted.out) }
            isFirst = false
        }
    }

    /// Calls `body` with the rows that meet the condition in an object, or `all` with a set of such
    /// rows, object by object.
    private func forEachObject(
        _ activity: ActivityEvaluation, _ gathered: GatheredRuns, _ view: BlockView,
        _ body: (UnsafePointer<UInt16>, Int) -> Void,
        _ all: (BlockSet) -> Void
    ) throws(WinnowError) {
        let wanted = ActivityEvaluation.Wanted(
            lower: events.lower, upper: events.upper, out: view.spare(0))
        let runs = gathered.runs
        let tails = PlainTails(gathered, events.scope)
        var start = 0
        while start < runs.count {
            let end = runs.endOfObject(from: start)
            defer { start = end }
            // Most objects have a few events of the tail, each counting once.
            if let tails, let count = tails.events(of: runs, start..<end) {
                if runs[start].key ?? 0 > 0, UInt64(count) >= wanted.lower {
                    view.scratch.record(.objectTail)
                    let rows = unsafe view.scratch.touched
                    let met = tails.count(runs, start..<end, wanted, view.scratch)
                    unsafe body(rows, met)
                }
                continue
            }
            var count = 0
            var bound: UInt64 = 0
            for i in start..<end {
                count += gathered.events(of: gathered.runs[i])
                bound = bound.saturatingAdd(gathered.bound(of: gathered.runs[i]))
            }
            // Events without a campaign, or template, are of no object.
            if gathered.runs[start].key ?? 0 == 0 || bound < wanted.lower { continue }
            if count < Tuning.fewEvents, bound <= 255 || wanted.fitsByte,
                let lower = UInt8(exactly: wanted.lower)
            {
                view.scratch.record(.objectFew)
                let sink = unsafe FewSink(view.scratch.counters, rows: view.scratch.touched)
                try activity.scan(start..<end, of: gathered, sink)
                let upper = UInt8(clamping: wanted.upper ?? 255)
                if lower <= upper {
                    unsafe body(view.scratch.touched, sink.drain(lower...upper))
                } else {
                    sink.clear()
                }
            } else {
                view.scratch.record(.objectSet)
                try activity.evaluate(gathered.runs[start..<end], gathered, wanted)
                all(wanted.out)
            }
        }
    }

    /// The rows of the tails of a block's chunks, where every event in scope counts once and nothing
    /// but its leaf says whether it does.
    @safe private struct PlainTails {
        private let tails: [UnsafePointer<UInt16>]

        init?(_ gathered: GatheredRuns, _ scope: ActivityScope) {
            guard scope.links == nil, scope.unique == nil,
                !gathered.chunks.contains(where: { $0.tail.hasWeights })
            else { return nil }
            unsafe tails = unsafe gathered.chunks.map { unsafe $0.tailRows }
        }

        /// How many events some runs have; nil when they are not all in the tail and in the window
        /// as a whole, or too many.
        func events(of runs: [RunInScope], _ object: Range<Int>) -> Int? {
            var count = 0
            for i in object {
                guard case .tailRun(let range) = runs[i].kind, !runs[i].straddles else {
                    return nil
                }
                count += range.count
            }
            return count < min(Tuning.fewEvents, 256) ? count : nil
        }

        /// Writes the rows whose events in the runs are as many as is wanted to `scratch.touched`,
        /// and returns how many.
        func count(
            _ runs: [RunInScope], _ object: Range<Int>, _ wanted: ActivityEvaluation.Wanted,
            _ scratch: Scratch
        ) -> Int {
            let first = runs[object.lowerBound]
            if object.count == 1, case .tailRun(let range) = first.kind {
                // The events of a row stand together.
                return unsafe kernels.repeated_rows(
                    tails[first.chunk] + range.lowerBound, range.count, Int(clamping: wanted.lower),
                    Int(clamping: wanted.upper ?? .max), scratch.touched)
            }
            let counters = unsafe scratch.counters
            let touched = unsafe scratch.touched
            var count = 0
            for i in object {
                guard case .tailRun(let range) = runs[i].kind else { continue }
                let rows = unsafe tails[runs[i].chunk]
                for i in range {
                    let row = unsafe rows[i]
                    unsafe counters[Int(row)] &+= 1
                    unsafe touched[count] = row
                    count += 1
                }
            }
            let upper = wanted.upper ?? .max
            var met = 0
            for i in 0..<count {
                let row = unsafe touched[i]
                let counted = unsafe UInt64(counters[Int(row)])
                unsafe counters[Int(row)] = 0
                guard counted >= wanted.lower, counted <= upper else { continue }
                unsafe touched[met] = row
                met += 1
            }
            return met
        }
    }

    /// The same where events come one by one.
    private func sums(_ activity: ActivityEvaluation, _ block: BlockIndex, into out: BlockSet)
        throws(WinnowError)
    {
        var sums: [UInt64: UInt64] = [:]
        var met: [UInt16: Int] = [:]
        try unsafe activity.forEachKey(block) { rows, keys, by, n in
            for i in 0..<n where unsafe keys[i] > 0 {
                unsafe sums[UInt64(keys[i]) << 16 | UInt64(rows[i]), default: 0] += UInt64(by[i])
            }
        }
        for (key, sum) in sums where sum >= events.lower && sum <= events.upper ?? .max {
            met[UInt16(truncatingIfNeeded: key), default: 0] += 1
        }
        for (row, count) in met where count >= objects { out.insert(Int(row)) }
    }
}
