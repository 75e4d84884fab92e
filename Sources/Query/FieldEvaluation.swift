import Bitmaps
import Columns
import Model
import Rules

/// Evaluates a field condition in one block: newest part first, each answering for the rows that it speaks about and no
/// newer part has answered for.
struct FieldEvaluation {
    let plan: FieldPlan
    let scratch: Scratch
    /// Two free nesting levels.
    let level: Int
    /// Rows outside need not be right; nil for all.
    let within: BlockSet?

    /// Above this many ranges, single values are looked up instead of compared range by range.
    private static let maximumRanges = 16

    func evaluate(_ block: Int, into out: BlockSet) throws(WinnowError) {
        let matched = scratch.set(level), open = scratch.set(level + 1)
        out.clear()
        var first = true
        for part in plan.parts {
            guard let values = try part.part.block(part.index, block) else { continue }
            // Nothing overlays the field in a store that was loaded once.
            if plan.parts.count == 1 { return try match(values, part.test, into: out) }
            scratch.take(.fieldOverlay)
            if first { open.fill(first: Block.rows) }
            first = false
            try match(values, part.test, into: matched)
            matched.formIntersection(open)
            out.formUnion(matched)
            values.touched.copy(into: matched)
            open.subtract(matched)
        }
    }

    private func match(
        _ values: FieldBlock, _ test: FieldPlan.ColumnTest, into out: BlockSet
    ) throws(WinnowError) {
        switch (test, values.column) {
        case (.never, _): out.clear()
        case (.present, _):
            scratch.take(.fieldPresence)
            values.members.copy(into: out)
        case (.ranges(let ranges), .sliced(let block)): select(ranges, block, into: out)
        case (.daysOfYear(let days), .sliced(let block)):
            scratch.take(.fieldDaysOfYear)
            lookUp(block, into: out) { days.contains($0) }
        case (.texts(let test), .texts(let texts)):
            scratch.take(.fieldTexts)
            out.clear()
            let rows = unsafe scratch.distinct
            unsafe texts.members.rows(into: rows)
            let matters: (Int) -> Bool = { unsafe within?.contains(Int(rows[$0])) ?? true }
            let matches: (Int, UnsafeRawBufferPointer) -> Void = { rank, text in
                if matters(rank), unsafe test.passes(text) { unsafe out.insert(Int(rows[rank])) }
            }
            if let parts = test.necessaryParts {
                try unsafe texts.search(parts, wanted: { $0.contains(where: matters) }, unsafe matches)
            } else {
                try unsafe texts.forEach(wanted: { $0.contains(where: matters) }, unsafe matches)
            }
        case (.anyOf(let codes), .sets(let sets)):
            scratch.take(.fieldAnyOf)
            out.clear()
            for code in codes { try sets.rows(ofCode: code)?.union(into: out) }
        case (.allOf(let codes), .sets(let sets)):
            scratch.take(.fieldAllOf)
            sets.members.copy(into: out)
            let one = scratch.sliced.spare
            for code in codes {
                guard let rows = try sets.rows(ofCode: code) else { return out.clear() }
                rows.copy(into: one)
                out.formIntersection(one)
            }
        default: out.clear()
        }
    }

    private func select(_ ranges: [ClosedRange<Int64>], _ block: SlicedBlock, into out: BlockSet) {
        guard ranges.count <= FieldEvaluation.maximumRanges else {
            scratch.take(.fieldLookUp)
            return lookUp(block, into: out) { contains(ranges, $0) }
        }
        scratch.take(.fieldRanges)
        for (i, range) in ranges.enumerated() {
            if i == 0 {
                block.select(range, into: out, scratch.sliced)
            } else {
                block.select(range, into: scratch.sliced.spare, scratch.sliced)
                out.formUnion(scratch.sliced.spare)
            }
        }
    }

    private func contains(_ ranges: [ClosedRange<Int64>], _ value: Int64) -> Bool {
        let low = firstNotBelow(ranges.indices) { ranges[$0].upperBound < value }
        return low < ranges.count && ranges[low].contains(value)
    }

    private func lookUp(_ block: SlicedBlock, into out: BlockSet, _ passes: (Int64) -> Bool) {
        out.clear()
        let rows = unsafe scratch.distinct
        unsafe block.members.rows(into: rows)
        for (rank, value) in unsafe block.values(rows: rows).enumerated() where passes(value) {
            unsafe out.insert(Int(rows[rank]))
        }
    }
}
