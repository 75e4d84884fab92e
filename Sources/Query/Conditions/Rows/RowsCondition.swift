import WinnowBitmaps
import WinnowModel
import WinnowStorage

/// Profiles by their rows: conditions on the external id.
final class RowsCondition: BoundCondition {
    /// Ascending.
    private let rows: [UInt32]

    init(_ rows: [UInt32]) { self.rows = rows }

    var cost: Int { 0 }

    func storedCount(_ snapshot: StoreVersion) -> Int? { rows.count }

    func evaluate(_ view: BlockView, into out: BlockSet) {
        view.scratch.record(.rows)
        out.clear()
        let first = UInt32(view.block * Block.rows)
        var low = firstNotBelow(rows.indices) { rows[$0] < first }
        while low < rows.count, rows[low] - first < UInt32(Block.rows) {
            out.insert(Int(rows[low] - first))
            low += 1
        }
    }
}
