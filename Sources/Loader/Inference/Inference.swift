import WinnowJSON
import WinnowModel

/// Reads files of profiles to see what their columns are; stores nothing.
package struct Inference {
    private var columns: [ColumnInference] = []
    /// By the bytes of their names.
    private var index: [[UInt8]: Int] = [:]
    /// Rows so far.
    private var rows = 0

    package static func run(
        _ source: LoadSource, _ options: LoadOptions
    ) throws(WinnowError) -> InferredSchema {
        var inference = Inference()
        let cancellation = Cancellation(options.isCancelled)
        for input in source.inputs {
            guard let format = try input.format(options) else {
                throw .usage("types are found in files; a table has its own")
            }
            if format == .json { throw .rowsOfJSON(input.name) }
            let bytes = try InputBytes(input, digesting: false, cancellation)
            var pieces = TextPieces(
                bytes, format, delimiter: options.delimiterByte, size: options.pieceSize,
                file: input.name)
            var header: [Int] = []
            var line = 0
            while let piece = try pieces.nextText() {
                try cancellation.check()
                if piece.isFirst { try piece.refuseOthers(format, file: input.name) }
                do throws(BadRow) {
                    switch format {
                    case .csv: try inference.readCSV(piece, &header, &line, options)
                    case .ndjson, .json: try inference.readJSON(piece, &line, options)
                    }
                } catch {
                    throw .badData(
                        file: input.name, line: line, column: error.column, code: error.code,
                        reason: error.reason)
                }
            }
        }
        let columns = inference.columns.map { $0.finished(rows: inference.rows) }
        return InferredSchema(schema: Schema(fields: columns.compactMap(\.field)), columns: columns)
    }

    /// The number of a column by its name, new if need be.
    private mutating func column(_ name: String, _ options: LoadOptions) -> Int {
        let name = options.renames[name] ?? name
        if let known = index[Array(name.utf8)] { return known }
        index[Array(name.utf8)] = columns.count
        columns.append(ColumnInference(name))
        return columns.count - 1
    }

    /// One column whose name has what usually is between cells is several.
    private static func refuseOtherDelimiter(_ header: [InputCell]) throws(BadRow) {
        guard header.count == 1 else { return }
        for (byte, name) in [(0x3B, "“;”"), (0x09, "tab"), (0x7C, "“|”"), (0x2C, "“,”")]
            as [(UInt8, String)] where unsafe header[0].bytes.contains(byte)
        {
            throw BadRow(
                column: nil, code: .otherDelimiter,
                reason:
                    "there is one column, but there would be several with \(name) as the delimiter")
        }
    }

    private mutating func readCSV(
        _ piece: TextPiece, _ header: inout [Int], _ line: inout Int, _ options: LoadOptions
    ) throws(BadRow) {
        guard !piece.isCut else { throw BadRow.longLine }
        var failure: BadRow?
        let before = line
        try? unsafe piece.withText { (text) throws(WinnowError) in
            var source = unsafe CSVRows(text, delimiter: options.delimiterByte)
            defer { source.release() }
            var cells: [InputCell] = []
            do throws(BadRow) {
                while try source.next(&cells) {
                    line = before + source.line
                    if piece.isFirst, header.isEmpty {
                        try Inference.refuseOtherDelimiter(cells)
                        for cell in cells {
                            let name = unsafe String(decoding: cell.bytes, as: UTF8.self)
                            header.append(column(name, options))
                        }
                        guard Set(header).count == header.count else {
                            throw BadRow(
                                column: nil, code: .repeatedColumn,
                                reason: "a column is there twice")
                        }
                        continue
                    }
                    guard cells.count == header.count else {
                        throw .wrongWidth(cells.count, header: header.count)
                    }
                    for (cell, i) in zip(cells, header) where cell.isPresent {
                        let cell = options.trims ? cell.trimmed : cell
                        unsafe columns[i].add(plain: cell.bytes)
                    }
                    rows += 1
                }
            } catch {
                line = before + source.line
                failure = error
            }
        }
        if let failure { throw failure }
        line = before + piece.lines
    }

    private mutating func readJSON(
        _ piece: TextPiece, _ line: inout Int, _ options: LoadOptions
    ) throws(BadRow) {
        guard !piece.isCut else { throw BadRow.longLine }
        var failure: BadRow?
        try? unsafe piece.withText { (text) throws(WinnowError) in
            var at = 0
            while at < text.count {
                let end = unsafe text[at...].firstIndex(of: 0x0A) ?? text.count
                let row = unsafe UnsafeRawBufferPointer(rebasing: text[at..<end])
                at = end + 1
                line += 1
                if unsafe row.allSatisfy({ $0 == 0x0D || isBlank($0) }) { continue }
                do throws(JSONError) {
                    let value = try unsafe JSONValue(parsing: row)
                    guard case .object(let members) = value else {
                        failure = BadRow(
                            column: nil, code: .malformedJSON,
                            reason: "expected an object, not \(value.kind)")
                        return
                    }
                    for (key, value) in members { columns[column(key, options)].add(value) }
                    rows += 1
                } catch {
                    failure = BadRow(
                        column: nil, code: .malformedJSON,
                        reason: "\(error.message) at byte \(error.offset + 1)")
                    return
                }
            }
        }
        if let failure { throw failure }
    }
}
