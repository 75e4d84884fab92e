import WinnowBitmaps
import WinnowColumns
import WinnowModel

/// Profiles whose records count between two bounds, where several parts have records: of each
/// profile those of the newest part that speaks of it.
final class OverlaidCondition: BoundCondition {
    /// Newest first; without a condition where none of a part's records count.
    private let parts: [(part: ActivityPart, condition: EventCondition?)]

    init(_ parts: [(ActivityPart, EventCondition?)]) {
        self.parts = parts.map { (part: $0.0, condition: $0.1) }
    }

    var cost: Int { parts.reduce(10_000) { $0 + ($1.condition?.cost ?? 0) } }

    var leaves: Int { parts.reduce(0) { $0 + ($1.condition?.leaves ?? 0) } }

    func evaluate(_ view: BlockView, into out: BlockSet) throws(WinnowError) {
        view.scratch.record(.recordsOverlaid)
        out.clear()
        let open = view.spare(0)
        let own = view.spare(1)
        let met = view.spare(2)
        open.copy(from: view.candidates ?? view.scratch.universe)
        for (part, condition) in parts {
            guard let index = part.types[.subscription],
                let entry = try part.find(index, block: view.block)
            else { continue }
            try part.rows(entry, into: own)
            if let condition {
                // The conditions' own sets begin where these end.
                let inner = BlockView(
                    block: view.block, candidates: open, scratch: view.scratch,
                    level: view.level + 3)
                try condition.evaluate(inner, into: met)
                met.formIntersection(own)
                met.formIntersection(open)
                out.formUnion(met)
            }
            open.subtract(own)
            if open.isEmpty { return }
        }
    }
}
