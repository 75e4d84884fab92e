import WinnowBitmaps
import WinnowModel
import WinnowRules

/// Profiles whose goals in a scope have values that come to something. Sums have 128 bits, so that
/// none overflows.
final class GoalValueCondition: BoundCondition {
    private let scope: ActivityScope
    private let test: ValueTest

    init(_ scope: ActivityScope, _ test: ValueTest) {
        self.scope = scope
        self.test = test
    }

    var cost: Int { 20_000 + scope.events / 100 }

    var leaves: Int { scope.leaves }

    func evaluate(_ view: BlockView, into out: BlockSet) throws(WinnowError) {
        view.scratch.record(.goalValues)
        out.clear()
        let counts = unsafe view.scratch.wideCounters.base
        let totals = unsafe view.scratch.totals.base
        let evaluation = ActivityEvaluation(scope, view.scratch, view.candidates)
        let aggregate = test.aggregate
        try unsafe evaluation.forEachValue(view.block) { rows, values, n in
            for i in 0..<n {
                let row = unsafe Int(rows[i])
                let value = unsafe Int128(values[i])
                if out.contains(row) {
                    unsafe counts[row] += 1
                    let total = unsafe totals[row]
                    unsafe totals[row] =
                        switch aggregate {
                        case .sum, .average: total + value
                        case .min: min(total, value)
                        case .max: max(total, value)
                        }
                } else {
                    out.insert(row)
                    unsafe counts[row] = 1
                    unsafe totals[row] = value
                }
            }
        }
        let test = test
        out.filter { unsafe test.holds(totals[$0], count: counts[$0]) }
    }
}
