import Synchronization
import WinnowBitmaps
import WinnowModel

/// How plans share their profiles.
package struct PlanOverlap: Sendable {
    /// Per plan and plan how many are in both; of one and itself, how many it has.
    package fileprivate(set) var matrix: [[Int]]
    /// In some plan, and in all of them.
    package fileprivate(set) var union = 0
    package fileprivate(set) var intersection = 0
    /// Per plan how many are in no other.
    package fileprivate(set) var only: [Int]

    fileprivate init(plans: Int) {
        matrix = Array(repeating: Array(repeating: 0, count: plans), count: plans)
        only = Array(repeating: 0, count: plans)
    }
}

extension Evaluator {
    /// How plans overlap, in one pass over the blocks.
    /// - Complexity: as counting them together, and O(plans²) for each block.
    package func overlap(_ plans: [Plan]) throws(WinnowError) -> PlanOverlap {
        let total = Mutex(PlanOverlap(plans: plans.count))
        try forEachBlock(plans) { (found) throws(WinnowError) in
            let some = found.spare(0)
            let several = found.spare(1)
            let all = found.spare(2)
            let both = found.spare(3)
            some.clear()
            several.clear()
            all.copy(from: found.universe)
            for set in found.sets {
                both.copy(from: set)
                both.formIntersection(some)
                several.formUnion(both)
                some.formUnion(set)
                all.formIntersection(set)
            }
            total.withLock { total in
                total.union += some.count
                total.intersection += all.count
                for (i, set) in found.sets.enumerated() {
                    let count = set.count
                    total.matrix[i][i] += count
                    total.only[i] += count - set.count(with: several)
                    for j in 0..<i where count > 0 {
                        let shared = set.count(with: found.sets[j])
                        total.matrix[i][j] += shared
                        total.matrix[j][i] += shared
                    }
                }
            }
        }
        return total.withLock { $0 }
    }
}
