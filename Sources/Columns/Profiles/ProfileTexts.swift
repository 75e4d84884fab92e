import WinnowBitmaps
import WinnowModel

/// The texts of a field as profiles have them now, whatever part says so.
package struct ProfileTexts: Sendable {
    /// Newest first.
    private let columns: [Column]

    private struct Column: Sendable {
        let part: ProfilePart
        let index: ProfilePart.FieldIndex
        let dictionary: FieldDictionary?
    }

    /// - Parameter parts: all of the store, oldest first.
    /// - Parameter field: a field of strings.
    package init(_ parts: [ProfilePart], _ field: String) throws(WinnowError) {
        var columns: [Column] = []
        for part in parts.reversed() {
            guard let index = part.field(field) else { continue }
            columns.append(
                Column(
                    part: part, index: index,
                    dictionary: index.encoding == .codes ? try part.dictionary(index) : nil))
        }
        self.columns = columns
    }

    /// Calls `body` with the row and text of each profile of a block that has one.
    package func forEach(
        in block: BlockIndex, _ body: (Row, UnsafeRawBufferPointer) -> Void
    ) throws(WinnowError) {
        let spoken = BlockSet.allocate()
        defer { spoken.deallocate() }
        spoken.clear()
        for column in columns {
            guard let values = try column.part.block(column.index, block) else { continue }
            let members = values.members.allRows
            switch values.column {
            case .texts(let texts):
                try unsafe texts.forEach { rank, text in
                    guard rank < members.count, !spoken.contains(Int(members[rank])) else { return }
                    unsafe body(Row(block, members[rank]), text)
                }
            case .sliced(let sliced):
                guard let dictionary = column.dictionary else { continue }
                for (row, code) in unsafe zip(members, sliced.values(rows: members))
                where !spoken.contains(Int(row)) && code >= 0 && code < dictionary.count {
                    unsafe body(Row(block, row), dictionary[Int(code)])
                }
            case .sets: break
            }
            values.touched.union(into: spoken)
        }
    }
}
