import WinnowModel

extension InputFormat {
    /// The format that a file's name tells.
    init(file path: String) throws(WinnowError) {
        let name = path.hasSuffix(".zst") ? path.dropLast(4) : path[...]
        if name.hasSuffix(".csv") {
            self = .csv
        } else if name.hasSuffix(".ndjson") || name.hasSuffix(".jsonl") {
            self = .ndjson
        } else {
            throw .usage(
                "\(path): the name ends in neither .csv nor .ndjson; say which format it is")
        }
    }
}

/// What a chunk's rows look like: the columns of the kind, and for CSV where each of them stands in
/// the file.
struct RowLayout: Sendable {
    let columns: ColumnNames
    /// Per CSV cell the column, nil for one to be ignored; nil for NDJSON.
    var positions: [Int?]?
    /// Whether an unquoted empty cell means "no value" rather than "not said".
    var emptyClears = false

    /// Takes the header row off the first chunk of a CSV file.
    static func csv(_ chunk: InputChunk, _ columns: ColumnNames, file: String) throws(WinnowError)
        -> RowLayout
    {
        var layout = RowLayout(columns: columns, positions: [])
        guard !chunk.isCut else {
            throw .badData(
                file: file, line: 1, column: nil, code: BadRow.longLine.code,
                reason: BadRow.longLine.reason)
        }
        try unsafe chunk.withText { (text) throws(WinnowError) in
            var rows = unsafe CSVRows(text), cells: [InputCell] = []
            defer { rows.release() }
            func bad(_ column: String?, _ code: ErrorCode, _ reason: String) -> WinnowError {
                .badData(file: file, line: rows.line, column: column, code: code, reason: reason)
            }
            var found = false
            do throws(BadRow) { found = try rows.next(&cells) } catch {
                throw bad(nil, error.code, error.reason)
            }
            guard found else { throw bad(nil, .missingHeader, "there is no header row") }
            var seen: Set<Int> = [], unknown: Set<[UInt8]> = []
            for cell in cells {
                guard unsafe String(validating: cell.bytes, as: UTF8.self) != nil else {
                    throw bad(nil, .badUTF8, "the header is not UTF-8")
                }
                let name = unsafe String(decoding: cell.bytes.prefix(100), as: UTF8.self)
                guard let column = unsafe columns.index(of: cell.bytes) else {
                    guard columns.ignoresUnknown else {
                        throw bad(
                            name, .unknownColumn,
                            "unknown column; the columns are \(columns.listed)")
                    }
                    guard unsafe unknown.insert(Array(cell.bytes)).inserted else {
                        throw bad(name, .repeatedColumn, "the column is there twice")
                    }
                    layout.positions?.append(nil)
                    continue
                }
                guard seen.insert(column).inserted else {
                    throw bad(name, .repeatedColumn, "the column is there twice")
                }
                layout.positions?.append(column)
            }
        }
        return layout
    }
}

extension InputChunk {
    /// The chunk's text, without a byte order mark at the start of a file.
    func withText(_ body: (UnsafeRawBufferPointer) throws(WinnowError) -> Void) throws(WinnowError)
    {
        try unsafe bytes.withUnsafeBytesThrowing { (raw) throws(WinnowError) in
            let mark = unsafe isFirst && raw.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
            try unsafe body(UnsafeRawBufferPointer(rebasing: raw[mark...]))
        }
    }
}

/// The rows of one chunk, whatever its format.
enum RowReader {
    /// Calls `body` with every row's cells, in the order of the columns, and collects what it or
    /// the format refuses. Returns how many rows were read and how many lines the chunk has.
    static func forEach(
        _ chunk: InputChunk, _ layout: RowLayout, rejected: inout [RejectedRow],
        _ body: (borrowing [InputCell]) throws(BadRow) -> Void
    ) -> (rows: Int, lines: Int) {
        var count = 0
        let lines = unsafe chunk.bytes.withUnsafeBytes { raw in
            unsafe raw.reduce(0) { $0 + ($1 == 0x0A ? 1 : 0) }
        }
        if chunk.isCut {
            rejected.append(
                RejectedRow(
                    line: 1, column: nil, code: BadRow.longLine.code,
                    reason: BadRow.longLine.reason,
                    raw: Array(chunk.bytes.prefix(4096))))
            return (1, lines + 1)
        }
        try? unsafe chunk.withText { (text) throws(WinnowError) in
            let ascii = unsafe isASCII(text)
            var cells = [InputCell](repeating: InputCell(), count: layout.columns.names.count)
            func take(_ bad: BadRow, _ line: Int, _ raw: Range<Int>) {
                unsafe rejected.append(
                    RejectedRow(
                        line: line, column: bad.column, code: bad.code, reason: bad.reason,
                        raw: Array(text[raw.clamped(to: 0..<text.count)])))
            }
            func check(_ raw: Range<Int>) throws(BadRow) {
                guard raw.count <= LoadLimits.line else { throw BadRow.longLine }
                guard !ascii else { return }
                let row = unsafe UnsafeRawBufferPointer(rebasing: text[raw])
                guard unsafe isASCII(row) || String(validating: row, as: UTF8.self) != nil else {
                    throw BadRow(column: nil, code: .badUTF8, reason: "the line is not UTF-8")
                }
            }
            if let positions = layout.positions {
                var rows = unsafe CSVRows(text), found: [InputCell] = []
                defer { rows.release() }
                if chunk.isFirst { _ = try? rows.next(&found) }
                while true {
                    var counted = false
                    do throws(BadRow) {
                        guard try rows.next(&found) else { break }
                        (count, counted) = (count + 1, true)
                        try check(rows.raw)
                        guard found.count == positions.count else {
                            throw BadRow(
                                column: nil, code: .wrongWidth,
                                reason:
                                    "the row has \(found.count) cells, the header \(positions.count)"
                            )
                        }
                        for i in cells.indices { cells[i] = InputCell() }
                        for (cell, position) in zip(found, positions) {
                            guard let position else { continue }
                            cells[position] =
                                unsafe cell.kind == .absent && layout.emptyClears
                                ? InputCell(kind: .null) : cell
                        }
                        try body(cells)
                    } catch {
                        if !counted { count += 1 }
                        take(error, rows.line, rows.raw)
                    }
                }
            } else {
                var rows = unsafe JSONRows(text, layout.columns)
                defer { rows.release() }
                while true {
                    var counted = false
                    do throws(BadRow) {
                        guard try rows.next(&cells) else { break }
                        (count, counted) = (count + 1, true)
                        try check(rows.raw)
                        try body(cells)
                    } catch {
                        if !counted { count += 1 }
                        take(error, rows.line, rows.raw)
                    }
                }
            }
        }
        return (count, lines)
    }

    private static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var bits: UInt8 = 0
        for i in 0..<bytes.count { unsafe bits |= bytes[i] }
        return bits < 0x80
    }
}
