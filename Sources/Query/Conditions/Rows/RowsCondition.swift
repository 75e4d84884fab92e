import WinnowBitmaps
import WinnowModel
import WinnowStorage

/// Profiles by their rows: conditions on the external id.
final class RowsCondition: BoundCondition {
    /// Ascending.
    private let rows: [Row]

    init(_ rows: [Row]) { self.rows = rows }

    var cost: Int { 0 }

    func storedCount(_ snapshot: StoreVersion) -> Int? { rows.count }

    func evaluate(_ view: BlockView, into out: BlockSet) {
        view.scratch.record(.rows)
        out.clear()
        var low = firstNotBelow(rows.indices) { rows[$0].block < view.block }
        while low < rows.count, rows[low].block == view.block {
            out.insert(Int(rows[low].inBlock))
            low += 1
        }
    }
}
