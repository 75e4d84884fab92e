import WinnowFormat
import WinnowJSON
import WinnowModel

/// Rows of a table, with a cell per column of the kind, in the order of these.
struct TableRows: RowFormat {
    private let piece: TablePiece
    /// Per column of the table where its cells go; nil for one that is passed over.
    private let targets: [CellTarget?]
    /// Columns of the current slice that go somewhere.
    private var columns: [Column] = []
    /// All columns of the current slice.
    private var all: [TableCells] = []
    private(set) var slice = 0
    /// Rows of the slice that are to come.
    private var rows = 0..<0
    private var text = CellText()
    private(set) var line = 0
    var raw: Range<Int> { line - 1..<line }

    private struct Column {
        /// By its place in the table.
        let place: Int
        let target: CellTarget
        /// nil where `TableCells` are needed.
        let plain: PlainCells?
    }

    init(_ piece: TablePiece, _ targets: [CellTarget?]) {
        self.piece = piece
        self.targets = targets
    }

    /// Whether all rows were read.
    var atEnd: Bool { rows.isEmpty && slice == piece.slices.count }

    /// The next rows in their batch, at most so many; nil at the end.
    mutating func upcoming(_ most: Int) -> Range<Int>? {
        while rows.isEmpty {
            guard slice < piece.slices.count else { return nil }
            begin(piece.slices[slice])
            slice += 1
        }
        return rows.prefix(most)
    }

    /// Passes over rows.
    mutating func take(_ count: Int) {
        rows.removeFirst(count)
        line += count
    }

    /// The cells for a column of the kind in the current slice; nil where there are none, or where more
    /// than a look is needed.
    func plain(_ position: Int) -> PlainCells? {
        columns.first { $0.target.position == position }?.plain
    }

    /// Columns of the kind that the table has.
    var positions: [Int] { columns.map(\.target.position) }

    mutating func next(_ cells: inout [InputCell]) throws(BadRow) -> Bool {
        guard upcoming(1) != nil else { return false }
        let row = rows.removeFirst()
        line += 1
        // What no column is for stays as it is: absent.
        var cells = cells.mutableSpan
        for i in columns.indices {
            let column = columns[i]
            if let cell = column.plain?.cell(row) {
                cells[column.target.position] = column.target.value(of: cell)
            } else {
                cells[column.target.position] = column.target.value(
                    of: try other(column.place, row))
            }
        }
        return true
    }

    private mutating func other(_ column: Int, _ row: Int) throws(BadRow) -> InputCell {
        do throws(BadRow) { return try all[column].cell(row, &text) } catch {
            throw BadRow(
                column: piece.columns[column].name, code: error.code, reason: error.reason)
        }
    }

    private mutating func begin(_ slice: TablePiece.Slice) {
        rows = slice.rows
        columns.removeAll()
        all = zip(piece.columns, slice.batch.columns).map { TableCells($0.layout, $1) }
        for (i, target) in targets.enumerated() {
            guard let target else { continue }
            columns.append(Column(place: i, target: target, plain: all[i].plain(slice.rows)))
        }
    }

    func shown(_ row: Range<Int>) -> [UInt8] {
        var before = row.lowerBound
        for slice in piece.slices {
            if before < slice.rows.count {
                var lines = TableLines(piece.columns, slice, isForAll: false)
                defer { lines.release() }
                var out: [UInt8] = []
                lines.append(slice.rows.lowerBound + before, to: &out)
                return out
            }
            before -= slice.rows.count
        }
        return []
    }

    mutating func release() { text.release() }

    mutating func end() { text.end() }
}

/// Rows of a table as objects of JSON, with all its columns in their order: how a table's rows are
/// shown, and what is compared of them.
struct TableLines {
    private let names: [[UInt8]]
    private let columns: [TableCells]
    /// Of columns of which a look is enough.
    private let plain: [PlainCells?]
    private var text = CellText()

    /// - Parameter isForAll: whether all rows are written, so that checking all of them first pays.
    init(_ columns: [Table.Column], _ slice: TablePiece.Slice, isForAll: Bool) {
        names = columns.map { Array((jsonString($0.name) + ": ").utf8) }
        self.columns = zip(columns, slice.batch.columns).map {
            TableCells($0.layout, $1)
        }
        plain = self.columns.map { isForAll ? $0.plain(slice.rows) : nil }
    }

    /// Appends a row of the batch.
    mutating func append(_ row: Int, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "{"))
        for i in columns.indices {
            if i > 0 { out.append(contentsOf: ", ".utf8) }
            out.append(contentsOf: names[i])
            if let cell = plain[i]?.cell(row) {
                cell.appendJSON(to: &out)
            } else {
                let cell = (try? columns[i].cell(row, &text)) ?? InputCell()
                cell.appendJSON(to: &out)
            }
        }
        out.append(UInt8(ascii: "}"))
        text.release()
    }

    mutating func release() { text.end() }

    /// A line for each row.
    static func all(of piece: TablePiece) -> [UInt8] {
        var out: [UInt8] = []
        for slice in piece.slices {
            var lines = TableLines(piece.columns, slice, isForAll: true)
            defer { lines.release() }
            for row in slice.rows {
                lines.append(row, to: &out)
                out.append(0x0A)
            }
        }
        return out
    }
}
