import Bitmaps
import Columns
import Model

/// Evaluates pairs in one block.
///
/// Method, for messages: every message of a row has a slot, a bit in a set of some hundred KiB; the other events set
/// bits, the target's clear them. For objects: runs are sorted by object, and each object's runs are evaluated like a
/// rule of its own, container by container. Only where unique events of several parts must be told apart are events
/// taken one by one for objects, too.
struct PairEvaluation {
    let plan: PairPlan
    let scratch: Scratch
    /// Rows outside need not be right; nil for all.
    let within: BlockSet?

    func evaluate(_ block: Int, into out: BlockSet, level: Int) throws(WinnowError) {
        out.clear()
        let other = ActivityEvaluation(plan.other.scope, scratch, within)
        let target = plan.target.map { ActivityEvaluation($0.scope, scratch, within) }
        switch plan.pairing {
        case .message(let parts):
            scratch.take(plan.atLeast > 1 ? .messageSums : .messageBits)
            let slots = try MessageSlots(parts, block, counting: plan.atLeast > 1)
            try unsafe other.forEachKey(block) { unsafe slots.add($0, $1, $2, $3) }
            try unsafe target?.forEachKey(block) { rows, keys, _, n in unsafe slots.strike(rows, keys, n) }
            try slots.insertRows(atLeast: plan.atLeast, into: out)
        case .object:
            let runs = scratch.keyed, excluded = scratch.struck
            var told = try other.gatherByKey(block, runs)
            if told, let target { told = try target.gatherByKey(block, excluded) }
            guard told else {
                scratch.take(.objectsOneByOne)
                return try objectsOneByOne(block, other, target, into: out)
            }
            scratch.take(.objectRuns)
            let set = scratch.set(level), strike = scratch.set(level + 1)
            var start = 0, from = 0
            while start < runs.runs.count {
                let end = runs.endOfObject(from: start), key = runs.runs[start].key ?? 0
                defer { start = end }
                if key == 0 { continue }
                try other.evaluate(runs.runs[start..<end], runs, .init(lower: plan.atLeast, upper: nil, out: set))
                while target != nil, from < excluded.runs.count, excluded.runs[from].key ?? 0 < key { from += 1 }
                if let target, from < excluded.runs.count, excluded.runs[from].key == key {
                    let group = excluded.runs[from..<excluded.endOfObject(from: from)]
                    try target.evaluate(group, excluded, .init(lower: 1, upper: nil, out: strike))
                    set.subtract(strike)
                }
                out.formUnion(set)
            }
        }
    }

    private func objectsOneByOne(
        _ block: Int, _ other: ActivityEvaluation, _ target: ActivityEvaluation?, into out: BlockSet
    ) throws(WinnowError) {
        var sums: [UInt64: UInt64] = [:]
        try unsafe other.forEachKey(block) { rows, keys, by, n in
            for i in 0..<n where unsafe keys[i] > 0 {
                unsafe sums[UInt64(keys[i]) << 16 | UInt64(rows[i]), default: 0] += UInt64(by[i])
            }
        }
        try unsafe target?.forEachKey(block) { rows, keys, _, n in
            for i in 0..<n { unsafe sums[UInt64(keys[i]) << 16 | UInt64(rows[i])] = nil }
        }
        for (key, sum) in sums where sum >= plan.atLeast { out.insert(Int(key & 0xFFFF)) }
    }
}
