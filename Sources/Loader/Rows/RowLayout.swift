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

/// What rows look like: the columns of the kind, and for CSV where each of them is in the file.
struct RowLayout: Sendable {
    let columns: ColumnNames
    /// Per CSV cell the column, nil for one to be ignored; nil for NDJSON.
    var positions: [Int?]?
    /// Whether an unquoted empty cell means "no value" rather than "not said".
    var emptyClears = false

    /// Takes the header row off the first piece of a CSV file.
    static func csv(_ piece: InputPiece, _ columns: ColumnNames, file: String) throws(WinnowError)
        -> RowLayout
    {
        var layout = RowLayout(columns: columns, positions: [])
        guard !piece.isCut else {
            throw .badData(
                file: file, line: 1, column: nil, code: BadRow.longLine.code,
                reason: BadRow.longLine.reason)
        }
        try unsafe piece.withText { (text) throws(WinnowError) in
            var rows = unsafe CSVRows(text)
            var cells: [InputCell] = []
            defer { rows.release() }
            do throws(BadRow) {
                guard try rows.next(&cells) else {
                    throw BadRow(
                        column: nil, code: .missingHeader, reason: "there is no header row")
                }
                layout.positions = try positions(cells, columns)
            } catch {
                throw .badData(
                    file: file, line: rows.line, column: error.column, code: error.code,
                    reason: error.reason)
            }
        }
        return layout
    }

    /// The column of each cell of a header row.
    private static func positions(
        _ header: [InputCell], _ columns: ColumnNames
    ) throws(BadRow) -> [Int?] {
        var positions: [Int?] = []
        var known: Set<Int> = []
        var unknown: Set<[UInt8]> = []
        for cell in header {
            guard unsafe String(validating: cell.bytes, as: UTF8.self) != nil else {
                throw BadRow(column: nil, code: .badUTF8, reason: "the header is not UTF-8")
            }
            let name = unsafe String(decoding: cell.bytes.prefix(100), as: UTF8.self)
            let column = unsafe columns.index(of: cell.bytes)
            guard column != nil || columns.ignoresUnknown else {
                throw BadRow(
                    column: name, code: .unknownColumn,
                    reason: "unknown column; the columns are \(columns.listed)")
            }
            let isNew =
                unsafe column.map { known.insert($0).inserted }
                ?? unknown.insert(Array(cell.bytes)).inserted
            guard isNew else {
                throw BadRow(
                    column: name, code: .repeatedColumn, reason: "the column is there twice")
            }
            positions.append(column)
        }
        return positions
    }
}
