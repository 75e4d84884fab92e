import Bitmaps
import Columns
import Dispatch
import Model
import Store
import Synchronization

/// Evaluates plans block by block, on several threads: blocks are independent and their results disjoint, so nothing is
/// merged but counts.
package struct Evaluator {
    private let snapshot: Snapshot
    private let threads: Int

    /// Blocks that a thread takes at a time.
    private static let run = 4

    package init(_ snapshot: Snapshot, threads: Int) {
        self.snapshot = snapshot
        self.threads = max(1, threads)
    }

    /// How many profiles match.
    package func count(_ plan: Plan) throws(WinnowError) -> Int {
        switch plan {
        case .nobody: return 0
        case .everybody: return snapshot.rows
        default: break
        }
        let total = Atomic(0)
        try forEachBlock(plan) { _, set in _ = total.wrappingAdd(set.count, ordering: .relaxed) }
        return total.load(ordering: .relaxed)
    }

    /// The rows that match, ascending.
    package func rows(_ plan: Plan) throws(WinnowError) -> [UInt32] {
        let found = Mutex([[UInt32]](repeating: [], count: snapshot.blocks))
        try forEachBlock(plan) { block, set in
            var rows: [UInt32] = []
            for word in 0..<Block.words {
                var bits = set.bits[word]
                while bits != 0 {
                    rows.append(UInt32(block * Block.rows + word * 64 + bits.trailingZeroBitCount))
                    bits &= bits - 1
                }
            }
            found.withLock { $0[block] = rows }
        }
        return found.withLock { Array($0.joined()) }
    }

    /// Calls `body` with the set of every block, on several threads, in no order.
    private func forEachBlock(
        _ plan: Plan, _ body: @Sendable (Int, BlockSet) -> Void
    ) throws(WinnowError) {
        let blocks = snapshot.blocks, rows = snapshot.rows
        let next = Atomic(0), failure = Mutex<WinnowError?>(nil)
        let workers = min(threads, (blocks + Evaluator.run - 1) / Evaluator.run)
        @Sendable func work() {
            let scratch = Scratch()
            while true {
                let start = next.wrappingAdd(Evaluator.run, ordering: .relaxed).oldValue
                guard start < blocks, failure.withLock({ $0 == nil }) else { return }
                for block in start..<min(start + Evaluator.run, blocks) {
                    scratch.universe.fill(first: min(Block.rows, rows - block * Block.rows))
                    let out = scratch.set(0)
                    do throws(WinnowError) {
                        try BlockEvaluation(block: block, scratch: scratch).evaluate(plan, into: out, level: 1)
                    } catch {
                        return failure.withLock { $0 = error }
                    }
                    body(block, out)
                }
            }
        }
        if workers <= 1 { work() } else { DispatchQueue.concurrentPerform(iterations: workers) { _ in work() } }
        if let error = failure.withLock({ $0 }) { throw error }
    }
}

/// Evaluates a plan in one block.
private struct BlockEvaluation {
    let block: Int
    let scratch: Scratch

    /// Makes `out` the matching rows; sets of `level` and above are free.
    func evaluate(_ plan: Plan, into out: BlockSet, level: Int) throws(WinnowError) {
        switch plan {
        case .nobody: out.clear()
        case .everybody: out.copy(from: scratch.universe)
        case .activity(let activity):
            try ActivityEvaluation(plan: activity, scratch: scratch).evaluate(block, into: out)
        case .field(let field):
            try FieldEvaluation(plan: field, scratch: scratch, level: level).evaluate(block, into: out)
        case .rows(let rows):
            scratch.take(.rows)
            insert(rows, into: out)
        case .pairs(let pairs):
            try PairEvaluation(plan: pairs, scratch: scratch).evaluate(block, into: out, level: level)
        case .sample(let sample):
            scratch.take(.sample)
            out.clear()
            for row in 0..<Block.rows where scratch.universe.contains(row) {
                if sample.contains(UInt32(block * Block.rows + row)) { out.insert(row) }
            }
        case .not(let inner):
            try evaluate(inner, into: out, level: level)
            scratch.take(.complemented)
            out.complement(in: scratch.universe)
        case .all(let plans): try all(plans, into: out, level: level)
        case .any(let plans): try any(plans, into: out, level: level)
        }
    }

    /// Terms come cheapest first; the rest are spared when nobody is left.
    private func all(_ plans: [Plan], into out: BlockSet, level: Int) throws(WinnowError) {
        let term = scratch.set(level)
        for (i, plan) in plans.enumerated() {
            if i == 0 {
                try evaluate(plan, into: out, level: level + 1)
            } else if let inner = plan.complemented {
                try evaluate(inner, into: term, level: level + 1)
                scratch.take(.subtracted)
                out.subtract(term)
            } else {
                try evaluate(plan, into: term, level: level + 1)
                out.formIntersection(term)
            }
            if out.isEmpty {
                if i < plans.count - 1 { scratch.take(.spared) }
                return
            }
        }
    }

    private func any(_ plans: [Plan], into out: BlockSet, level: Int) throws(WinnowError) {
        let term = scratch.set(level)
        for (i, plan) in plans.enumerated() {
            try evaluate(plan, into: i == 0 ? out : term, level: level + 1)
            if i > 0 { out.formUnion(term) }
        }
    }

    private func insert(_ rows: [UInt32], into out: BlockSet) {
        out.clear()
        let first = UInt32(block * Block.rows)
        var low = firstNotBelow(rows.indices) { rows[$0] < first }
        while low < rows.count, rows[low] - first < UInt32(Block.rows) {
            out.insert(Int(rows[low] - first))
            low += 1
        }
    }
}
