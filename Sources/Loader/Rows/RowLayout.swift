import WinnowFormat
import WinnowJSON
import WinnowModel

extension InputFormat {
    /// The format that a file's name tells.
    init(file path: String) throws(WinnowError) {
        var name = path[...]
        if let end = CompressedInput.endings.first(where: path.hasSuffix) {
            name.removeLast(end.count)
        }
        if name.hasSuffix(".csv") {
            self = .csv
        } else if name.hasSuffix(".ndjson") || name.hasSuffix(".jsonl") {
            self = .ndjson
        } else if name.hasSuffix(".json") {
            self = .json
        } else {
            throw .usage(
                "\(path): the name ends in neither .csv nor .ndjson; say which format it is")
        }
    }
}

extension WinnowError {
    /// The error for JSON that is not one object a line.
    static func rowsOfJSON(_ file: String) -> WinnowError {
        .usage(
            "\(file): wanted is one object a line, in a file that ends in .ndjson; "
                + "a feed takes JSON as it is, with a mapping that says what its rows mean")
    }
}

/// What rows look like: the columns of the kind, for CSV where each of them is in the file, and how
/// cells are written.
struct RowLayout: Sendable {
    let columns: ColumnNames
    let rules: ValueRules
    /// Per column of CSV or a table where its cells go, nil for one to be passed over; nil for NDJSON.
    private(set) var targets: [CellTarget?]?
    /// Columns of CSV or a table that are passed over.
    private(set) var ignored: [String] = []
    let delimiter: UInt8
    /// Whether an empty cell that is no value means "no value" rather than "not said".
    let emptyClears: Bool
    let quotedEmptyIsAbsent: Bool
    let trims: Bool
    /// Whether the first rows are shown.
    let previews: Bool
    /// Whether rows of tables are to be compared with others.
    let comparesRows: Bool

    /// The layout of NDJSON, and of CSV before its header is read.
    init(_ columns: ColumnNames, _ rules: ValueRules, _ options: LoadOptions) {
        self.columns = columns
        self.rules = rules
        delimiter = options.delimiterByte
        emptyClears = options.emptyClears
        quotedEmptyIsAbsent = options.quotedEmptyIsAbsent
        trims = options.trims
        previews = options.dryRun
        comparesRows = options.batch != nil
    }

    /// The layout of a CSV file, by the header row of its first piece.
    func csv(_ piece: TextPiece, file: String) throws(WinnowError) -> RowLayout {
        var layout = self
        guard !piece.isCut else {
            throw .badData(
                file: file, line: 1, column: nil, code: BadRow.longLine.code,
                reason: BadRow.longLine.reason)
        }
        try unsafe piece.withText { (text) throws(WinnowError) in
            var rows = unsafe CSVRows(text, delimiter: delimiter)
            var cells: [InputCell] = []
            defer { rows.release() }
            do throws(BadRow) {
                let hasHeader: Bool
                do throws(BadRow) { hasHeader = try rows.next(&cells) } catch {
                    // Quoted cells with another delimiter behind them are no cells.
                    try unsafe refuseOtherDelimiter(text, [])
                    throw error
                }
                guard hasHeader else {
                    throw BadRow(
                        column: nil, code: .missingHeader, reason: "there is no header row")
                }
                try unsafe refuseOtherDelimiter(text, cells)
                try layout.read(header: cells.map { unsafe Array($0.bytes) })
            } catch {
                throw .badData(
                    file: file, line: rows.line, column: error.column, code: error.code,
                    reason: error.reason)
            }
        }
        return layout
    }

    /// The layout of a table.
    func table(_ table: Table) throws(WinnowError) -> RowLayout {
        var layout = self
        do throws(BadRow) {
            try layout.read(header: table.columns.map { Array($0.name.utf8) })
            for (column, target) in zip(table.columns, layout.targets ?? []) where target != nil {
                guard case .other(let format) = column.layout else { continue }
                throw BadRow(
                    column: column.name, code: .badValue,
                    reason: "columns of Arrow's format “\(format)” cannot be loaded; cast it to "
                        + "text, a number, a boolean, a date, a timestamp, or a list of text")
            }
        } catch {
            throw .badData(
                file: table.name, line: nil, column: error.column, code: error.code,
                reason: error.reason)
        }
        return layout
    }

    /// Finds the column of each name of a header.
    private mutating func read(header: [[UInt8]]) throws(BadRow) {
        var targets: [CellTarget?] = []
        var known: Set<Int> = []
        var unknown: Set<[UInt8]> = []
        for bytes in header {
            guard let name = String(validating: bytes, as: UTF8.self) else {
                throw BadRow(column: nil, code: .badUTF8, reason: "the header is not UTF-8")
            }
            let column = unsafe bytes.withUnsafeBytes { unsafe columns.index(of: $0) }
            if column == nil {
                try columns.refuse(bytes, as: .unknownColumn)
                ignored.append(name)
            }
            let isNew =
                column.map { known.insert($0).inserted } ?? unknown.insert(bytes).inserted
            guard isNew else {
                throw BadRow(
                    column: String(name.prefix(100)), code: .repeatedColumn,
                    reason: "the column is there twice")
            }
            targets.append(column.map { CellTarget($0, self) })
        }
        try refuseMissing(known)
        self.targets = targets
    }

    /// Tells columns that no row could be loaded without.
    private func refuseMissing(_ known: Set<Int>) throws(BadRow) {
        for (i, column) in columns.columns.enumerated() where column.isRequired {
            guard known.contains(i) else {
                throw BadRow(
                    column: columns.text(i), code: .missingColumn,
                    reason: "the column is missing; every row needs it")
            }
        }
        let alternatives = columns.alternatives
        guard !alternatives.isEmpty,
            !known.contains(where: { alternatives.contains(columns.columns[$0].name) })
        else { return }
        let names = alternatives.map { String(decoding: $0, as: UTF8.self) }
        throw BadRow(
            column: names.first, code: .missingColumn,
            reason: "a column is missing: \(names.joined(separator: " or "))")
    }

    /// Tells when a header says nothing with this delimiter, but would with another.
    private func refuseOtherDelimiter(
        _ text: UnsafeRawBufferPointer, _ header: [InputCell]
    ) throws(BadRow) {
        func isKnown(_ cell: InputCell) -> Bool { unsafe columns.index(of: cell.bytes) != nil }
        func isLike(_ cell: InputCell) -> Bool {
            unsafe isKnown(cell) || columns.similarColumn(to: Array(cell.bytes)) != nil
        }
        if header.contains(where: isKnown) { return }
        for (other, name) in [(";", "“;”"), ("\t", "tab"), ("|", "“|”"), (",", "“,”")]
            as [(Unicode.Scalar, String)]
        {
            let byte = UInt8(truncatingIfNeeded: other.value)
            if byte == delimiter { continue }
            var rows = unsafe CSVRows(text, delimiter: byte)
            defer { rows.release() }
            var cells: [InputCell] = []
            guard (try? rows.next(&cells)) == true, cells.count > 1, cells.contains(where: isLike)
            else { continue }
            throw BadRow(
                column: nil, code: .otherDelimiter,
                reason: "no column is known, but there would be with \(name) as the delimiter")
        }
    }
}

extension RowLayout {
    /// A row as an object of JSON, of what it says.
    func json(_ cells: [InputCell]) -> String {
        var json = JSONWriter()
        json.object { json in
            for (column, cell) in zip(columns.columns, cells) where cell.kind != .absent {
                json.member(String(decoding: column.name, as: UTF8.self)) { json in
                    let text = String(decoding: cell.text, as: UTF8.self)
                    switch (cell.kind, column.content) {
                    case (.absent, _), (.null, _): json.literal("null")
                    case (.number, _), (.boolean, _), (.compound, _): json.literal(text)
                    case (.csv, .set):
                        let values = unsafe cell.bytes.isEmpty ? [] : rules.values(of: cell.bytes)
                        json.array(values ?? []) {
                            $0.value(String(decoding: $1, as: UTF8.self))
                        }
                    case (.csv, .other) where RowLayout.isLiteral(text): json.literal(text)
                    case (.csv, _), (.string, _), (.instant, _), (.wallTime, _): json.value(text)
                    }
                }
            }
        }
        return json.text
    }

    /// Whether a cell that is neither text nor id reads as a number or a boolean of JSON.
    private static func isLiteral(_ text: String) -> Bool {
        text == "true" || text == "false"
            || text.utf8.allSatisfy {
                isDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
            } && Double(text) != nil
    }
}

extension ColumnNames {
    /// Throws for a name that is not known, unless such ones are passed over.
    func refuse(_ name: [UInt8], as code: ErrorCode) throws(BadRow) {
        let shown = String(decoding: name.prefix(100), as: UTF8.self)
        let similar = similarColumn(to: name)
        guard !ignoresUnknown else {
            guard let similar else { return }
            throw BadRow(
                column: shown, code: .similarColumn,
                reason: "“\(shown)” is probably “\(similar)”; write it so, or rename it")
        }
        let what = code == .unknownKey ? "key" : "column"
        if let similar {
            throw BadRow(
                column: shown, code: code,
                reason: "unknown \(what), probably “\(similar)”; write it so, or rename it")
        }
        throw BadRow(
            column: shown, code: code, reason: "unknown \(what); the \(what)s are \(listed)")
    }
}
