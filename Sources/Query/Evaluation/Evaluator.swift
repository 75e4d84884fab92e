import WinnowBitmaps
import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowStorage
import Synchronization
import WinnowThreads

/// One block, and who of it is in each plan.
package struct EvaluatedBlock {
    package let block: BlockIndex
    /// In the order of the plans.
    package let sets: [BlockSet]
    let scratch: Scratch

    /// The profiles of the block that are there.
    package var universe: BlockSet { scratch.universe }

    /// A free set, by its number from 0 on.
    package func spare(_ i: Int) -> BlockSet { scratch.set(i) }
}

/// Evaluates plans block by block, on several threads: blocks are independent and their results
/// disjoint, so nothing is merged but counts.
package final class Evaluator: Sendable {
    private let snapshot: StoreVersion
    private let threads: Int
    private let cancellation: Cancellation
    private let taken = Mutex(EvaluationPaths())

    /// Blocks that a thread takes at a time.
    private static let run = 4
    /// So often a disk is waited for before more threads wait for it: one alone may be a thread that
    /// had no core for a while.
    private static let fewWaits = 3
    /// Threads for each that was asked for, while files are not in memory: of one disk they ask so
    /// much more at once.
    private static let waitingThreads = 16

    package init(
        _ snapshot: StoreVersion, threads: Int, _ cancellation: Cancellation = Cancellation()
    ) {
        self.snapshot = snapshot
        self.cancellation = cancellation
        self.threads = max(1, threads)
    }

    /// How many profiles match each plan. Plans are evaluated together, so what they share is
    /// evaluated once.
    package func count(_ plans: [Plan]) throws(WinnowError) -> [Int] {
        var counts = [Int](repeating: 0, count: plans.count)
        var open: [(plan: Plan, of: Int, complements: Bool)] = []
        for (i, plan) in plans.enumerated() {
            let (inner, complements) = plan.complemented.map { ($0, true) } ?? (plan, false)
            if let known = try storedCount(inner) {
                taken.withLock { $0.record(.storedCountAlone) }
                counts[i] = complements ? snapshot.live - known : known
            } else {
                open.append((inner, i, complements))
            }
        }
        guard !open.isEmpty else { return counts }
        let plans = open.map(\.plan)
        nonisolated(unsafe) let totals = UnsafeMutablePointer<Atomic<Int>>.allocate(
            capacity: plans.count)
        for i in plans.indices { unsafe (totals + i).initialize(to: Atomic(0)) }
        defer {
            unsafe totals.deinitialize(count: plans.count)
            unsafe totals.deallocate()
        }
        try forEachBlock(Program(plans)) { evaluation, block throws(WinnowError) in
            try evaluation.evaluate(block) { i, set in
                _ = unsafe totals[i].wrappingAdd(set.count, ordering: .relaxed)
            }
        }
        for (i, entry) in open.enumerated() {
            let total = unsafe totals[i].load(ordering: .relaxed)
            counts[entry.of] = entry.complements ? snapshot.live - total : total
        }
        return counts
    }

    /// Profiles that are there.
    var live: Int { snapshot.live }

    /// How often each path was taken so far.
    package var paths: EvaluationPaths { taken.withLock { $0 } }

    /// The count where tables alone tell it, without a look at any block.
    func storedCount(_ plan: Plan) throws(WinnowError) -> Int? {
        switch plan {
        case .empty: 0
        case .universe: snapshot.live
        case .condition(let condition): try condition.storedCount(snapshot)
        case .saved(let saved): try storedCount(saved.plan)
        case .all, .any, .not: nil
        }
    }

    /// The rows that match.
    package func rows(_ plan: Plan) throws(WinnowError) -> RowSet {
        let found = Mutex([(block: BlockIndex, words: [UInt64])]())
        try forEachBlock(Program([plan])) { evaluation, block throws(WinnowError) in
            try evaluation.evaluate(block) { _, set in
                if set.isEmpty { return }
                let words = unsafe Array(UnsafeBufferPointer(start: set.bits, count: Block.words))
                found.withLock { $0.append((block, words)) }
            }
        }
        return RowSet(found.withLock { $0 })
    }

    /// Calls `body` with the rows of all plans in every block, on several threads, in no order. Sets
    /// are good until the call returns.
    package func forEachBlock(
        _ plans: [Plan], _ body: @Sendable (EvaluatedBlock) throws(WinnowError) -> Void
    ) throws(WinnowError) {
        try forEachBlock(Program(plans)) { evaluation, block throws(WinnowError) in
            try body(
                EvaluatedBlock(
                    block: block, sets: try evaluation.sets(in: block),
                    scratch: evaluation.scratch))
        }
    }

    /// Calls `body` with what evaluates plans in one block.
    func inBlock(
        _ block: BlockIndex, _ program: Program,
        _ body: (BlockEvaluation) throws(WinnowError) -> Void
    ) throws(WinnowError) {
        let evaluation = BlockEvaluation(
            program, rows: snapshot.rows, erased: snapshot.erased)
        evaluation.begin(block)
        try body(evaluation)
        evaluation.scratch.giveBack()
    }

    /// Calls `body` with every block, on several threads, in no order.
    func forEachBlock(
        _ program: Program,
        _ body: @Sendable (BlockEvaluation, BlockIndex) throws(WinnowError) -> Void
    ) throws(WinnowError) {
        let blocks = snapshot.blocks
        let rows = snapshot.rows
        let erased = snapshot.erased
        let next = Atomic(0)
        let failure = Mutex<WinnowError?>(nil)
        let waits = PartFile.waits
        /// - Parameter run: blocks that are taken at a time.
        /// - Parameter stopsForDisk: whether to leave blocks to others where reading takes long.
        @Sendable func work(run: Int, stopsForDisk: Bool) {
            let evaluation = BlockEvaluation(program, rows: rows, erased: erased)
            while !stopsForDisk || PartFile.waits - waits < Evaluator.fewWaits {
                let start = next.wrappingAdd(run, ordering: .relaxed).oldValue
                guard start < blocks, failure.withLock({ $0 == nil }) else { break }
                do throws(WinnowError) {
                    for block in start..<min(start + run, blocks) {
                        try cancellation.check()
                        try body(evaluation, BlockIndex(block))
                    }
                } catch {
                    // The scratch may be in the middle of something; it is not used again.
                    return failure.withLock { $0 = error }
                }
            }
            taken.withLock { unsafe $0.add(evaluation.scratch.paths) }
            evaluation.scratch.giveBack()
        }
        let workers = min(threads, (blocks + Evaluator.run - 1) / Evaluator.run)
        onThreads(workers) { work(run: Evaluator.run, stopsForDisk: true) }
        let left = blocks - next.load(ordering: .relaxed)
        if left > 0 {
            onThreads(min(left, threads * Evaluator.waitingThreads), waiting: true) {
                work(run: 1, stopsForDisk: false)
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }
}
