import WinnowFormat
import WinnowModel

/// Rows of a piece in one of the formats.
protocol RowFormat {
    /// 1-based; of the row that was read last.
    var line: Int { get }
    /// Where the row that was read last is.
    var raw: Range<Int> { get }

    /// Reads a row; false at the end. A malformed row throws and is passed over, so that reading
    /// can go on. Cells are good until `release`.
    mutating func next(_ cells: inout [InputCell]) throws(BadRow) -> Bool

    /// A row as it is shown to somebody, by where it is.
    func shown(_ row: Range<Int>) -> [UInt8]

    /// Lets what cells point to go.
    mutating func release()

    /// Lets everything go.
    mutating func end()
}

/// The text of a piece, whose rows are checked one by one.
@safe struct RowText {
    let bytes: UnsafeRawBufferPointer
    private let isASCII: Bool

    init(_ bytes: UnsafeRawBufferPointer) {
        unsafe self.bytes = unsafe bytes
        isASCII = unsafe bytes.isASCII
    }

    @inline(__always)
    func check(_ row: Range<Int>) throws(BadRow) {
        guard row.count <= LoadLimits.line else { throw BadRow.longLine }
        if !isASCII { try checkUTF8(row) }
    }

    private func checkUTF8(_ row: Range<Int>) throws(BadRow) {
        let row = unsafe UnsafeRawBufferPointer(rebasing: bytes[row])
        guard unsafe row.isASCII || String(validating: row, as: UTF8.self) != nil else {
            throw BadRow(column: nil, code: .badUTF8, reason: "the line is not UTF-8")
        }
    }

    func shown(_ row: Range<Int>) -> [UInt8] {
        unsafe Array(bytes[row.clamped(to: 0..<bytes.count)])
    }
}

/// Where the cells of a column go, and what they may say.
struct CellTarget {
    let position: Int
    /// Whether an empty cell is no value, in quotes, too.
    private let isNoneWhenEmpty: Bool
    private let emptyClears: Bool
    private let trims: Bool

    init(_ position: Int, _ layout: RowLayout) {
        self.position = position
        let content = layout.columns.columns[position].content
        isNoneWhenEmpty = content == .id || content == .other || layout.quotedEmptyIsAbsent
        emptyClears = layout.emptyClears
        trims = layout.trims
    }

    /// What a cell says, by the ways in which it may say that there is no value.
    @inline(__always)
    func value(of cell: InputCell) -> InputCell {
        let cell = trims ? cell.trimmed : cell
        let isNone =
            unsafe cell.kind == .absent
            || cell.bytes.isEmpty && (isNoneWhenEmpty || !cell.isQuoted)
        guard isNone else { return cell }
        return unsafe emptyClears ? InputCell(kind: .null) : InputCell()
    }
}

/// Rows of CSV with a cell per column of the kind, in the order of these.
private struct CSVTable: RowFormat {
    private let text: RowText
    private var rows: CSVRows
    /// Per cell of a row where it goes; nil for one that is passed over.
    private let targets: [CellTarget?]

    var line: Int { rows.line }
    var raw: Range<Int> { rows.raw }

    init(_ text: RowText, _ targets: [CellTarget?], _ layout: RowLayout) {
        self.text = text
        rows = unsafe CSVRows(text.bytes, delimiter: layout.delimiter)
        self.targets = targets
    }

    mutating func next(_ cells: inout [InputCell]) throws(BadRow) -> Bool {
        guard rows.begin() else { return false }
        var cells = cells.mutableSpan
        for i in cells.indices { cells[i] = InputCell() }
        var width = 0
        repeat {
            let cell = try rows.cell()
            if width < targets.count, let target = targets[width] {
                cells[target.position] = target.value(of: cell)
            }
            width += 1
        } while rows.takeDelimiter()
        rows.end()
        guard width == targets.count else { throw .wrongWidth(width, header: targets.count) }
        try text.check(raw)
        return true
    }

    /// Passes over the header.
    mutating func skip() { _ = rows.skip() }

    func shown(_ row: Range<Int>) -> [UInt8] { text.shown(row) }

    mutating func release() { rows.release() }
    mutating func end() { rows.release() }
}

/// What came of the rows of one piece.
struct RowReport: Sendable {
    /// Rows read, bad ones included.
    var rows = 0
    /// Lines of the piece.
    var lines = 0
    var rejected: [RejectedRow] = []
    /// Ids with blanks around them.
    var blankIDs = 0
    /// Keys that were passed over.
    var ignored: Set<[UInt8]> = []
    /// The first rows that are good, as JSON, where a preview is wanted.
    var preview: [String] = []
    /// Of a table all rows, as lines of JSON, where they are to be compared.
    var written: [UInt8] = []
}

/// Reads the rows of one piece, whatever its format, and says what came of it.
struct RowReader {
    private(set) var report = RowReport()
    /// Rows that were handed out and are not settled.
    private var waiting: [WaitingRow] = []

    private struct WaitingRow {
        let line: Int
        let raw: Range<Int>
        let blankIDs: Int
    }

    /// A row that was taken and is refused later, by its number among those that wait.
    typealias RefusedRow = (number: Int, error: BadRow)

    /// Calls `body` with every row's cells, in the order of the columns, and collects what it or
    /// the format refuses. When cancelled it ends anywhere.
    /// - Parameter batch: how many rows may wait to be looked at together. What cells point to is good
    ///   until `settle` is called, after so many rows at most, and before a bad one is reported; it
    ///   decides over those that wait, and says which of them it refuses.
    /// - Parameter columnwise: of tables, takes the next rows, at most so many; returns how many it took,
    ///   0 where they are to be read one by one.
    init(
        _ piece: InputPiece, _ layout: RowLayout, _ cancellation: Cancellation, batch: Int = 1,
        settle: () -> [RefusedRow] = { [] },
        columnwise: ((inout TableRows, Int) -> Int)? = nil,
        _ body: (borrowing [InputCell]) throws(BadRow) -> Void
    ) {
        // A row that is shown must be settled.
        let batch = layout.previews ? 1 : batch
        switch piece {
        case .text(let piece) where piece.isCut:
            let start = Array(piece.bytes.prefix(4096))
            report.rejected.append(RejectedRow(BadRow.longLine, line: 1, raw: start))
            report.rows = 1
            report.lines = piece.lines + 1
        case .text(let piece):
            report.lines = piece.lines
            try? unsafe piece.withText { (text) throws(WinnowError) in
                let text = unsafe RowText(text)
                if let targets = layout.targets {
                    var table = CSVTable(text, targets, layout)
                    defer { table.end() }
                    if piece.isFirst { table.skip() }
                    read(&table, layout, cancellation, batch, settle, body)
                } else {
                    var rows = JSONRows(text, layout.columns, trims: layout.trims)
                    defer { rows.end() }
                    read(&rows, layout, cancellation, batch, settle, body)
                    report.ignored = rows.ignored
                }
            }
        case .table(let piece):
            report.lines = piece.rows
            if layout.comparesRows { report.written = TableLines.all(of: piece) }
            var rows = TableRows(piece, layout.targets ?? [])
            defer { rows.end() }
            // Rows that are trimmed or shown are read one by one.
            let columnwise = layout.trims || layout.previews ? nil : columnwise
            while !rows.atEnd, !cancellation.isRequested {
                let count = columnwise?(&rows, batch) ?? 0
                report.rows += count
                guard count == 0 else { continue }
                let most = columnwise == nil ? Int.max : batch
                read(&rows, layout, cancellation, batch, settle, body, most: most)
            }
        }
    }

    private mutating func read(
        _ source: inout some RowFormat, _ layout: RowLayout,
        _ cancellation: Cancellation, _ batch: Int, _ settle: () -> [RefusedRow],
        _ body: (borrowing [InputCell]) throws(BadRow) -> Void, most: Int = .max
    ) {
        let columns = layout.columns
        var cells = [InputCell](repeating: InputCell(), count: columns.columns.count)
        let ids = columns.columns.indices.filter { columns.columns[$0].content == .id }
        var count = 0
        while count < most, report.rows % 1024 != 0 || !cancellation.isRequested {
            count += 1
            do throws(BadRow) {
                guard try source.next(&cells) else { break }
                try body(cells)
                var blankIDs = 0
                for i in ids where cells[i].hasBlanksAround { blankIDs += 1 }
                waiting.append(WaitingRow(line: source.line, raw: source.raw, blankIDs: blankIDs))
                if waiting.count == batch {
                    let isRefused = endWaiting(settle, source)
                    if layout.previews, !isRefused, report.preview.count < LoadPreview.most {
                        report.preview.append(layout.json(cells))
                    }
                    source.release()
                }
            } catch {
                endWaiting(settle, source)
                report.rejected.append(
                    RejectedRow(error, line: source.line, raw: source.shown(source.raw)))
                source.release()
            }
            report.rows += 1
        }
        endWaiting(settle, source)
    }

    /// Returns whether a row was refused.
    @discardableResult
    private mutating func endWaiting(
        _ settle: () -> [RefusedRow], _ source: some RowFormat
    ) -> Bool {
        let refused = settle()
        for row in waiting { report.blankIDs += row.blankIDs }
        for (number, error) in refused {
            let row = waiting[number]
            report.blankIDs -= row.blankIDs
            report.rejected.append(RejectedRow(error, line: row.line, raw: source.shown(row.raw)))
        }
        waiting.removeAll(keepingCapacity: true)
        return !refused.isEmpty
    }
}
