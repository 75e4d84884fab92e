import WinnowFormat
import WinnowModel

/// Rows of a piece in one of the formats.
protocol RowFormat {
    /// 1-based; of the row that was read last.
    var line: Int { get }
    /// Bytes of the row that was read last, without its line end.
    var raw: Range<Int> { get }

    /// Reads a row; false at the end. A malformed row throws and is passed over, so that reading
    /// can go on. Cells are good until `release`.
    mutating func next(_ cells: inout [InputCell]) throws(BadRow) -> Bool

    /// Frees what cells point to.
    mutating func release()
}

/// Rows of CSV with a cell per column of the kind, in the order of these.
private struct CSVTable: RowFormat {
    private var rows: CSVRows
    private let layout: RowLayout
    /// Per cell of a row where it goes; nil for one that is passed over.
    private let targets: [Target?]

    private struct Target {
        let position: Int
        /// Whether an empty cell is no value, in quotes, too.
        let isNoneWhenEmpty: Bool
    }

    var line: Int { rows.line }
    var raw: Range<Int> { rows.raw }

    init(_ rows: CSVRows, _ positions: [Int?], _ layout: RowLayout) {
        self.rows = rows
        self.layout = layout
        targets = positions.map { position in
            guard let position else { return nil }
            let content = layout.columns.columns[position].content
            return Target(
                position: position,
                isNoneWhenEmpty: content == .id || content == .other || layout.quotedEmptyIsAbsent)
        }
    }

    mutating func next(_ cells: inout [InputCell]) throws(BadRow) -> Bool {
        guard rows.begin() else { return false }
        var cells = cells.mutableSpan
        for i in cells.indices { cells[i] = InputCell() }
        var width = 0
        repeat {
            let cell = try rows.cell()
            if width < targets.count, let target = targets[width] {
                cells[target.position] = value(of: cell, target)
            }
            width += 1
        } while rows.takeDelimiter()
        rows.end()
        guard width == targets.count else { throw .wrongWidth(width, header: targets.count) }
        return true
    }

    /// What a cell says, by the ways in which it may say that there is no value.
    @inline(__always)
    private func value(of cell: InputCell, _ target: Target) -> InputCell {
        let cell = layout.trims ? cell.trimmed : cell
        let isNone =
            unsafe cell.kind == .absent
            || cell.bytes.isEmpty && (target.isNoneWhenEmpty || !cell.isQuoted)
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
    init(
        _ piece: InputPiece, _ layout: RowLayout, _ cancellation: Cancellation, batch: Int = 1,
        settle: () -> [RefusedRow] = { [] },
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
        // A row that is shown must be settled.
        let batch = layout.previews ? 1 : batch
        try? unsafe piece.withText { (text) throws(WinnowError) in
            if let positions = layout.positions {
                var table = unsafe CSVTable(
                    CSVRows(text, delimiter: layout.delimiter), positions, layout)
                if piece.isFirst { table.skip() }
                unsafe read(&table, text, layout, cancellation, batch, settle, body)
            } else {
                var rows = unsafe JSONRows(text, layout.columns, trims: layout.trims)
                unsafe read(&rows, text, layout, cancellation, batch, settle, body)
                report.ignored = rows.ignored
            }
        }
    }

    private mutating func read(
        _ source: inout some RowFormat, _ text: UnsafeRawBufferPointer, _ layout: RowLayout,
        _ cancellation: Cancellation, _ batch: Int, _ settle: () -> [RefusedRow],
        _ body: (borrowing [InputCell]) throws(BadRow) -> Void
    ) {
        let isASCII = unsafe text.isASCII
        let columns = layout.columns
        var cells = [InputCell](repeating: InputCell(), count: columns.columns.count)
        let ids = columns.columns.indices.filter { columns.columns[$0].content == .id }
        defer { source.release() }
        while report.rows % 1024 != 0 || !cancellation.isRequested {
            do throws(BadRow) {
                guard try source.next(&cells) else { break }
                let row = unsafe UnsafeRawBufferPointer(rebasing: text[source.raw])
                try unsafe RowReader.check(row, isASCII: isASCII)
                try body(cells)
                var blankIDs = 0
                for i in ids where cells[i].hasBlanksAround { blankIDs += 1 }
                waiting.append(WaitingRow(line: source.line, raw: source.raw, blankIDs: blankIDs))
                if waiting.count == batch {
                    let isRefused = unsafe endWaiting(settle, text)
                    if layout.previews, !isRefused, report.preview.count < LoadPreview.most {
                        report.preview.append(layout.json(cells))
                    }
                    source.release()
                }
            } catch {
                unsafe endWaiting(settle, text)
                let raw = source.raw.clamped(to: 0..<text.count)
                unsafe report.rejected.append(
                    RejectedRow(error, line: source.line, raw: Array(text[raw])))
                source.release()
            }
            report.rows += 1
        }
        unsafe endWaiting(settle, text)
    }

    /// Returns whether a row was refused.
    @discardableResult
    private mutating func endWaiting(
        _ settle: () -> [RefusedRow], _ text: UnsafeRawBufferPointer
    ) -> Bool {
        let refused = settle()
        for row in waiting { report.blankIDs += row.blankIDs }
        for (number, error) in refused {
            let row = waiting[number]
            report.blankIDs -= row.blankIDs
            let raw = row.raw.clamped(to: 0..<text.count)
            unsafe report.rejected.append(
                RejectedRow(error, line: row.line, raw: Array(text[raw])))
        }
        waiting.removeAll(keepingCapacity: true)
        return !refused.isEmpty
    }

    private static func check(
        _ row: UnsafeRawBufferPointer, isASCII: Bool
    ) throws(BadRow) {
        guard row.count <= LoadLimits.line else { throw BadRow.longLine }
        if isASCII { return }
        guard unsafe row.isASCII || String(validating: row, as: UTF8.self) != nil else {
            throw BadRow(column: nil, code: .badUTF8, reason: "the line is not UTF-8")
        }
    }
}
