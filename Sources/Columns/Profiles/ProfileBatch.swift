import WinnowCKernels
import WinnowFormat
import WinnowModel

/// Field values on their way into a profiles part, cell by cell in the order in which they were
/// said; of two about the same row and field the later one counts.
package struct ProfileBatch: Sendable {
    /// Per field of the schema.
    private(set) var columns: [Column]

    struct Column: Sendable {
        var rows: [Row] = []
        /// Numbers as they are; strings and sets as codes of `texts`; `cleared` for a value taken
        /// away.
        var values: [Int64] = []
        /// 0 for a value, 1 for cleared.
        var cleared: [Bool] = []
        var texts = StringInterner(first: 0)
    }

    package init(fields: Int) { columns = Array(repeating: Column(), count: fields) }

    package var isEmpty: Bool { columns.allSatisfy(\.rows.isEmpty) }

    /// About how much memory it takes: arrays that grow have a third to spare.
    package var memory: Int { columns.reduce(0) { $0 + $1.rows.count * 18 + $1.texts.memory } }

    /// Values and clearings.
    package var cells: Int { columns.reduce(0) { $0 + $1.rows.count } }

    /// A row that a translation gives to cells that are to be passed over; no profile has it.
    package static let noRow = Row(rawValue: .max)

    /// Says what a later batch for the same fields says, whose rows are positions in `rows`.
    package mutating func append(_ later: ProfileBatch, rows: [Row]) {
        for (field, column) in later.columns.enumerated() {
            let codes = (0..<column.texts.count).map { text in
                unsafe Int64(
                    column.texts.bytes(text).withUnsafeBytes {
                        unsafe columns[field].texts.intern($0)
                    } ?? 0)
            }
            for cell in column.rows.indices {
                let row = rows[Int(column.rows[cell].rawValue)]
                guard row != ProfileBatch.noRow else { continue }
                let value = column.values[cell]
                let cleared = column.cleared[cell]
                add(
                    field, row, cleared || codes.isEmpty ? value : codes[Int(value)],
                    cleared: cleared)
            }
        }
    }

    package mutating func clear(field: Int, row: Row) { add(field, row, 0, cleared: true) }

    package mutating func set(field: Int, row: Row, number: Int64) {
        add(field, row, number, cleared: false)
    }

    package mutating func set(field: Int, row: Row, text: UnsafeRawBufferPointer) {
        let code = unsafe columns[field].texts.intern(text) ?? 0
        add(field, row, Int64(code), cleared: false)
    }

    /// A set is kept as its distinct values in ascending order.
    package mutating func set(field: Int, row: Row, values: [[UInt8]]) {
        unsafe ProfileBatch.joined(values).withUnsafeBytes {
            unsafe set(field: field, row: row, text: $0)
        }
    }

    private mutating func add(_ field: Int, _ row: Row, _ value: Int64, cleared: Bool) {
        columns[field].rows.append(row)
        columns[field].values.append(value)
        columns[field].cleared.append(cleared)
    }

    static func joined(_ values: [[UInt8]]) -> [UInt8] {
        var out = ByteWriter()
        for value in Set(values).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            out.put(string: value)
        }
        return out.bytes
    }

    static func split(_ bytes: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var rest = bytes
        var result: [ArraySlice<UInt8>] = []
        while rest.count >= 4 {
            let count = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            result.append(rest.dropFirst(4).prefix(count))
            rest = rest.dropFirst(4 + count)
        }
        return result
    }
}

extension ProfileBatch.Column {
    /// Cells in the order of rows, the last word on each.
    struct Settled {
        let rows: [Row]
        /// Per row the cell; nil when the i-th row's is the i-th.
        let cells: [UInt32]?

        func cell(_ i: Int) -> Int { cells.map { Int($0[i]) } ?? i }
    }

    func settled() -> Settled {
        if !zip(rows, rows.dropFirst()).contains(where: { $0 >= $1 }) {
            return Settled(rows: rows, cells: nil)
        }
        // What was said later stays after what was said before.
        var order = rows.indices.map { UInt64($0) << 32 | UInt64(rows[$0].rawValue) }
        var scratch = [UInt64](repeating: 0, count: order.count)
        unsafe ck_sort(&order, &scratch, order.count, 32)
        var settledRows: [Row] = []
        var cells: [UInt32] = []
        for key in order {
            let row = Row(rawValue: UInt32(truncatingIfNeeded: key))
            let cell = UInt32(key >> 32)
            if settledRows.last == row {
                cells[cells.count - 1] = cell
            } else {
                settledRows.append(row)
                cells.append(cell)
            }
        }
        return Settled(rows: settledRows, cells: cells)
    }
}
