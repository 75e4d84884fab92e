import Bitmaps
import CKernels
import Columns
import Model

/// Evaluates in one block who has enough objects whose own events meet a condition.
///
/// Method: runs are brought together by object. An object with few events, as most have in a block, is counted row by
/// row; one with many as a rule of its own. Where one object is enough, rows are united; else a counter a row says how
/// many objects there were. Memory is that of the runs in the block, whatever the number of objects in scope.
struct CountingEvaluation {
    let plan: CountingPlan
    let scratch: Scratch
    /// Rows outside need not be right; nil for all.
    let within: BlockSet?

    func evaluate(_ block: Int, into out: BlockSet, level: Int) throws(WinnowError) {
        let activity = ActivityEvaluation(plan.activity.scope, scratch, within), gathered = scratch.keyed
        out.clear()
        guard try activity.gatherByKey(block, gathered) else {
            scratch.take(.objectSums)
            return try sums(activity, block, into: out)
        }
        if plan.objects > 1 {
            try tally(activity, gathered, level, into: out)
        } else {
            try forEachObject(activity, gathered, level, { out.insert(Int($0)) }, { out.formUnion($0) })
        }
    }

    /// Counts, a byte a row or where that is too little 64 bits, how many objects meet the condition.
    private func tally(
        _ activity: ActivityEvaluation, _ gathered: GatheredRuns, _ level: Int, into out: BlockSet
    ) throws(WinnowError) {
        if let objects = UInt8(exactly: plan.objects) {
            scratch.take(.objectsTallied)
            let tallies = unsafe scratch.tallies()
            try forEachObject(
                activity, gathered, level,
                { row in unsafe tallies[Int(row)] = unsafe max(tallies[Int(row)], tallies[Int(row)] &+ 1) },
                { set in unsafe kernels.count_bitset(tallies, set.bits, Block.words, 1) })
            unsafe kernels.counters_between(tallies, objects, 255, out.bits, Block.rows)
            unsafe tallies.update(repeating: 0, count: Block.rows)
        } else {
            scratch.take(.objectsTalliedWide)
            let tallies = unsafe scratch.wideTallies(), rows = unsafe scratch.distinct
            try forEachObject(
                activity, gathered, level, { row in unsafe tallies[Int(row)] += 1 },
                { set in
                    let n = unsafe kernels.rows_of(set.bits, Block.words, rows)
                    unsafe kernels.count_rows_wide(tallies, rows, nil, n)
                })
            unsafe kernels.counters_between_wide(tallies, UInt64(plan.objects), .max, out.bits, Block.rows)
            unsafe tallies.update(repeating: 0, count: Block.rows)
        }
    }

    /// Calls `body` with each row that meets the condition in an object, or `all` with a set of such rows, object by
    /// object.
    private func forEachObject(
        _ activity: ActivityEvaluation, _ gathered: GatheredRuns, _ level: Int, _ body: (UInt16) -> Void,
        _ all: (BlockSet) -> Void
    ) throws(WinnowError) {
        let wanted = ActivityEvaluation.Wanted(
            lower: plan.activity.lower, upper: plan.activity.upper, out: scratch.set(level))
        var start = 0
        while start < gathered.runs.count {
            let end = gathered.endOfObject(from: start)
            defer { start = end }
            var events = 0, bound: UInt64 = 0
            for i in start..<end {
                events += gathered.events(of: gathered.runs[i])
                bound = bound.saturatingAdd(gathered.bound(of: gathered.runs[i]))
            }
            // Events without a campaign, or template, are of no object.
            if gathered.runs[start].key ?? 0 == 0 || bound < wanted.lower { continue }
            if events < Tuning.fewEvents, bound <= 255 || wanted.fitsByte, let lower = UInt8(exactly: wanted.lower) {
                scratch.take(.objectFew)
                let sink = unsafe FewSink(scratch.counters, rows: scratch.touched)
                try activity.feed(start..<end, of: gathered, sink)
                let upper = UInt8(clamping: wanted.upper ?? 255)
                if lower <= upper { sink.drain(lower...upper, body) } else { sink.clear() }
            } else {
                scratch.take(.objectSet)
                try activity.evaluate(gathered.runs[start..<end], gathered, wanted)
                all(wanted.out)
            }
        }
    }

    /// The same where events come one by one.
    private func sums(_ activity: ActivityEvaluation, _ block: Int, into out: BlockSet) throws(WinnowError) {
        var sums: [UInt64: UInt64] = [:], objects: [UInt16: Int] = [:]
        try unsafe activity.forEachKey(block) { rows, keys, by, n in
            for i in 0..<n where unsafe keys[i] > 0 {
                unsafe sums[UInt64(keys[i]) << 16 | UInt64(rows[i]), default: 0] += UInt64(by[i])
            }
        }
        for (key, sum) in sums where sum >= plan.activity.lower && sum <= plan.activity.upper ?? .max {
            objects[UInt16(truncatingIfNeeded: key), default: 0] += 1
        }
        for (row, count) in objects where count >= plan.objects { out.insert(Int(row)) }
    }
}
