import WinnowBitmaps
import WinnowColumns
import WinnowModel
import WinnowRules

/// Profiles whose field passes a test: newest part first, each answering for the rows that it
/// speaks about and no newer part has answered for.
final class ColumnCondition: BoundCondition {
    /// Newest part first.
    private let parts: [PartTest]

    init(_ parts: [PartTest]) { self.parts = parts }

    struct PartTest: Sendable {
        let part: ProfilePart
        let index: ProfilePart.FieldIndex
        let test: Test
    }

    /// A test in terms of one part's column.
    enum Test: Sendable {
        case present
        /// Values, or dictionary codes, in one of the ascending, disjoint ranges.
        case ranges([ClosedRange<Int64>])
        case daysOfYear(DaysOfYear)
        case texts(TextTest)
        /// Rows with one of the dictionary codes, or with all.
        case anyOf([Int])
        case allOf([Int])
        /// Rows whose set has no value, or has one.
        case emptySet
        case filledSet
        case never
    }

    /// Above this many ranges, single values are looked up instead of compared range by range.
    private static let maximumRanges = 16

    var cost: Int {
        parts.reduce(0) { sum, part in
            if case .texts = part.test { sum + 1_000_000 } else { sum + 500 }
        }
    }

    func evaluate(_ view: BlockView, into out: BlockSet) throws(WinnowError) {
        let matched = view.spare(0)
        let open = view.spare(1)
        out.clear()
        var first = true
        for part in parts {
            guard let values = try part.part.block(part.index, view.block) else { continue }
            view.scratch.look(bytes: values.byteCount)
            // Nothing overlays the field in a store that was loaded once.
            if parts.count == 1 { return try match(values, part.test, view, into: out) }
            view.scratch.record(.fieldOverlay)
            if first { open.fill(first: Block.rows) }
            first = false
            try match(values, part.test, view, into: matched)
            matched.formIntersection(open)
            out.formUnion(matched)
            values.touched.copy(into: matched)
            open.subtract(matched)
        }
    }

    private func match(
        _ values: FieldBlock, _ test: Test, _ view: BlockView, into out: BlockSet
    ) throws(WinnowError) {
        switch (test, values.column) {
        case (.never, _): out.clear()
        case (.present, _):
            view.scratch.record(.fieldPresence)
            values.members.copy(into: out)
        case (.ranges(let ranges), .sliced(let block)): select(ranges, block, view, into: out)
        case (.daysOfYear(let days), .sliced(let block)):
            view.scratch.record(.fieldDaysOfYear)
            lookUp(block, view, into: out) { days.contains($0) }
        case (.texts(let test), .texts(let texts)):
            view.scratch.record(.fieldTexts)
            out.clear()
            let rows = unsafe view.scratch.distinct
            unsafe texts.members.rows(into: rows)
            let matters: (Int) -> Bool = { unsafe view.candidates?.contains(Int(rows[$0])) ?? true }
            let matches: (Int, UnsafeRawBufferPointer) -> Void = { rank, text in
                if matters(rank), unsafe test.passes(text) { unsafe out.insert(Int(rows[rank])) }
            }
            if let parts = test.necessaryParts {
                try unsafe texts.search(
                    parts, wanted: { $0.contains(where: matters) }, unsafe matches)
            } else {
                try unsafe texts.forEach(wanted: { $0.contains(where: matters) }, unsafe matches)
            }
        case (.anyOf(let codes), .sets(let sets)):
            view.scratch.record(.fieldAnyOf)
            out.clear()
            for code in codes { try sets.rows(ofCode: code)?.union(into: out) }
        case (.allOf(let codes), .sets(let sets)):
            view.scratch.record(.fieldAllOf)
            sets.members.copy(into: out)
            let one = view.scratch.sliced.spare
            for code in codes {
                guard let rows = try sets.rows(ofCode: code) else { return out.clear() }
                rows.copy(into: one)
                out.formIntersection(one)
            }
        case (.emptySet, .sets(let sets)):
            view.scratch.record(.fieldEmptySet)
            sets.members.copy(into: out)
            let filled = view.scratch.sliced.spare
            filled.clear()
            try sets.unite(into: filled)
            out.subtract(filled)
        case (.filledSet, .sets(let sets)):
            view.scratch.record(.fieldFilledSet)
            out.clear()
            try sets.unite(into: out)
        default: out.clear()
        }
    }

    private func select(
        _ ranges: [ClosedRange<Int64>], _ block: SlicedBlock, _ view: BlockView, into out: BlockSet
    ) {
        guard ranges.count <= ColumnCondition.maximumRanges else {
            view.scratch.record(.fieldLookUp)
            return lookUp(block, view, into: out) { contains(ranges, $0) }
        }
        view.scratch.record(.fieldRanges)
        for (i, range) in ranges.enumerated() {
            if i == 0 {
                block.select(range, into: out, view.scratch.sliced)
            } else {
                block.select(range, into: view.scratch.sliced.spare, view.scratch.sliced)
                out.formUnion(view.scratch.sliced.spare)
            }
        }
    }

    private func contains(_ ranges: [ClosedRange<Int64>], _ value: Int64) -> Bool {
        let low = firstNotBelow(ranges.indices) { ranges[$0].upperBound < value }
        return low < ranges.count && ranges[low].contains(value)
    }

    private func lookUp(
        _ block: SlicedBlock, _ view: BlockView, into out: BlockSet, _ passes: (Int64) -> Bool
    ) {
        out.clear()
        let rows = unsafe view.scratch.distinct
        unsafe block.members.rows(into: rows)
        for (rank, value) in unsafe block.values(rows: rows).enumerated() where passes(value) {
            unsafe out.insert(Int(rows[rank]))
        }
    }
}
