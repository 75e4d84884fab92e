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
        var texts: CellTexts

        mutating func add(_ row: Row, _ value: Int64, cleared: Bool) {
            rows.append(row)
            values.append(value)
            self.cleared.append(cleared)
        }
    }

    /// - Parameter isPiece: whether it will be appended to another.
    package init(fields: Int, isPiece: Bool = false) {
        columns = Array(repeating: Column(texts: CellTexts(isPiece: isPiece)), count: fields)
    }

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
            var codes: [Int64] = []
            codes.reserveCapacity(column.texts.count)
            for text in 0..<column.texts.count {
                codes.append(
                    unsafe Int64(
                        column.texts.bytes(text).withUnsafeBytes {
                            unsafe columns[field].texts.code(of: $0)
                        }))
            }
            // Taken out, so that it need not be asked for each cell whether it is shared.
            var own = Column(texts: CellTexts(isPiece: false))
            swap(&own, &columns[field])
            for cell in column.rows.indices {
                let row = rows[Int(column.rows[cell].rawValue)]
                guard row != ProfileBatch.noRow else { continue }
                let value = column.values[cell]
                let cleared = column.cleared[cell]
                own.add(
                    row, cleared || codes.isEmpty ? value : codes[Int(value)], cleared: cleared)
            }
            swap(&own, &columns[field])
        }
    }

    package mutating func clear(field: Int, row: Row) { add(field, row, 0, cleared: true) }

    package mutating func set(field: Int, row: Row, number: Int64) {
        add(field, row, number, cleared: false)
    }

    package mutating func set(field: Int, row: Row, text: UnsafeRawBufferPointer) {
        let code = unsafe columns[field].texts.code(of: text)
        add(field, row, Int64(code), cleared: false)
    }

    /// Sets a string or set that another row has; `cell` is the number of what was set for it.
    package mutating func set(field: Int, row: Row, as cell: Int) {
        add(field, row, columns[field].values[cell], cleared: false)
    }

    /// How much was said of a field.
    package func cells(of field: Int) -> Int { columns[field].rows.count }

    /// A set is kept as its distinct values in ascending order.
    package mutating func set(field: Int, row: Row, values: [[UInt8]]) {
        unsafe ProfileBatch.joined(values).withUnsafeBytes {
            unsafe set(field: field, row: row, text: $0)
        }
    }

    private mutating func add(_ field: Int, _ row: Row, _ value: Int64, cleared: Bool) {
        columns[field].add(row, value, cleared: cleared)
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

/// The strings of a field's cells, by codes. Equal ones have the same code until it shows that they
/// hardly repeat, as addresses do; from then on each has its own, and finding them is saved.
struct CellTexts: Sendable {
    private var distinct = StringInterner(first: 0)
    private var asked = 0
    /// Those behind the distinct ones, one after the other.
    private var text: [UInt8] = []
    private var ends: [Int] = []
    private var isListing = false
    private let isPiece: Bool

    /// - Parameter isPiece: whether they are soon compared anew, so that it matters little when they do
    ///   repeat after all. Else fields that could have a dictionary are left their chance.
    init(isPiece: Bool) { self.isPiece = isPiece }

    var count: Int { distinct.count + ends.count }

    /// About how much memory it takes: arrays that grow have a third to spare.
    var memory: Int { distinct.memory + text.count * 4 / 3 + ends.count * 11 }

    /// The code of a string.
    mutating func code(of bytes: UnsafeRawBufferPointer) -> UInt32 {
        asked += 1
        if isListing {
            unsafe text.append(contentsOf: bytes)
            ends.append(text.count)
            return UInt32(truncatingIfNeeded: count - 1)
        }
        let code = unsafe distinct.intern(bytes) ?? 0
        isListing =
            distinct.count >= (isPiece ? 1024 : 4 * Tuning.dictionaryStrings)
            && distinct.count * 16 > asked * 15
        return code
    }

    func bytes(_ code: Int) -> ArraySlice<UInt8> {
        if code < distinct.count { return distinct.bytes(code) }
        let i = code - distinct.count
        return text[(i == 0 ? 0 : ends[i - 1])..<ends[i]]
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
