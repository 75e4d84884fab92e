import WinnowModel

/// Rows of a piece in one of the formats.
protocol RowFormat {
    /// 1-based; of the row that was read last.
    var line: Int { get }
    /// Bytes of the row that was read last, without its line end.
    var raw: Range<Int> { get }

    /// Reads a row; false at the end. A malformed row throws and is passed over, so that reading
    /// can go on. Cells are good until the next row is read.
    mutating func next(_ cells: inout [InputCell]) throws(BadRow) -> Bool

    /// Frees what cells point to.
    mutating func release()
}

/// Rows of CSV with a cell per column of the kind, in the order of these.
private struct CSVTable: RowFormat {
    private var rows: CSVRows
    private let positions: [Int?]
    private let layout: RowLayout
    private var found: [InputCell] = []

    var line: Int { rows.line }
    var raw: Range<Int> { rows.raw }

    init(_ rows: CSVRows, _ positions: [Int?], _ layout: RowLayout) {
        self.rows = rows
        self.positions = positions
        self.layout = layout
    }

    mutating func next(_ cells: inout [InputCell]) throws(BadRow) -> Bool {
        guard try rows.next(&found) else { return false }
        guard found.count == positions.count else {
            throw .wrongWidth(found.count, header: positions.count)
        }
        for i in cells.indices { cells[i] = InputCell() }
        for (cell, position) in zip(found, positions) {
            guard let position else { continue }
            cells[position] = value(of: cell, layout.columns.columns[position].content)
        }
        return true
    }

    /// What a cell says, by the ways in which it may say that there is no value.
    private func value(of cell: InputCell, _ content: InputColumn.Content) -> InputCell {
        let cell = layout.trims ? cell.trimmed : cell
        let isNone =
            unsafe cell.kind == .absent
            || cell.bytes.isEmpty
                && (content == .id || content == .other || layout.quotedEmptyIsAbsent
                    || !cell.isQuoted)
        guard isNone else { return cell }
        return unsafe layout.emptyClears ? InputCell(kind: .null) : InputCell()
    }

    /// Passes over the header.
    mutating func skip() { _ = rows.skip() }

    mutating func release() { rows.release() }
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
}

/// Reads the rows of one piece, whatever its format, and says what came of it.
struct RowReader {
    private(set) var report = RowReport()

    /// Calls `body` with every row's cells, in the order of the columns, and collects what it or
    /// the format refuses. When cancelled it ends anywhere.
    init(
        _ piece: InputPiece, _ layout: RowLayout, _ cancellation: Cancellation,
        _ body: (borrowing [InputCell]) throws(BadRow) -> Void
    ) {
        report.lines = piece.lines
        if piece.isCut {
            let start = Array(piece.bytes.prefix(4096))
            report.rejected.append(RejectedRow(BadRow.longLine, line: 1, raw: start))
            report.rows = 1
            report.lines += 1
            return
        }
        try? unsafe piece.withText { (text) throws(WinnowError) in
            if let positions = layout.positions {
                var table = unsafe CSVTable(
                    CSVRows(text, delimiter: layout.delimiter), positions, layout)
                if piece.isFirst { table.skip() }
                unsafe read(&table, text, layout, cancellation, body)
            } else {
                var rows = unsafe JSONRows(text, layout.columns, trims: layout.trims)
                unsafe read(&rows, text, layout, cancellation, body)
                report.ignored = rows.ignored
            }
        }
    }

    private mutating func read(
        _ source: inout some RowFormat, _ text: UnsafeRawBufferPointer, _ layout: RowLayout,
        _ cancellation: Cancellation, _ body: (borrowing [InputCell]) throws(BadRow) -> Void
    ) {
        let isASCII = unsafe RowReader.isASCII(text)
        let columns = layout.columns
        var cells = [InputCell](repeating: InputCell(), count: columns.columns.count)
        let ids = columns.columns.indices.filter { columns.columns[$0].content == .id }
        defer { source.release() }
        while report.rows % 1024 != 0 || !cancellation.isRequested {
            do throws(BadRow) {
                guard try source.next(&cells) else { return }
                let row = unsafe UnsafeRawBufferPointer(rebasing: text[source.raw])
                try unsafe RowReader.check(row, isASCII: isASCII)
                try body(cells)
                for i in ids where cells[i].hasBlanksAround { report.blankIDs += 1 }
                if layout.previews, report.preview.count < LoadPreview.most {
                    report.preview.append(layout.json(cells))
                }
            } catch {
                let raw = source.raw.clamped(to: 0..<text.count)
                unsafe report.rejected.append(
                    RejectedRow(error, line: source.line, raw: Array(text[raw])))
            }
            report.rows += 1
        }
    }

    private static func check(
        _ row: UnsafeRawBufferPointer, isASCII: Bool
    ) throws(BadRow) {
        guard row.count <= LoadLimits.line else { throw BadRow.longLine }
        if isASCII { return }
        guard unsafe self.isASCII(row) || String(validating: row, as: UTF8.self) != nil else {
            throw BadRow(column: nil, code: .badUTF8, reason: "the line is not UTF-8")
        }
    }

    private static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var bits: UInt8 = 0
        for i in 0..<bytes.count { unsafe bits |= bytes[i] }
        return bits < 0x80
    }
}
