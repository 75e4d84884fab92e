import Columns
import Model
import Store

/// Loads profiles: ids that are new get the next row, fields that a row gives are set, the rest keep what is stored.
struct ProfileLoading: Loading {
    private var pending: Batch
    private let keys: StringTables
    private let schema: Schema
    private var updated: Set<UInt32> = []
    let columns: ColumnNames

    init(_ writer: Writer, _ options: LoadOptions) throws(WinnowError) {
        pending = try Batch(writer.snapshot)
        keys = try writer.snapshot.keys()
        schema = writer.snapshot.schema
        columns = ColumnNames(
            names: [Array(Schema.idName.utf8)] + schema.fields.map { Array($0.name.utf8) },
            ignoresUnknown: options.ignoresUnknownColumns)
    }

    struct Content: Sendable {
        /// One per row of the piece, in order; an id may come again.
        var ids = StringInterner(first: 0)
        var rows: [UInt32] = []
        /// Rows are positions in `rows`.
        var fields: ProfileBatch
    }

    var parser: @Sendable (InputChunk, RowLayout) -> ParsedChunk<Content> {
        let schema = schema
        return { chunk, layout in
            var parsed = ParsedChunk(content: Content(fields: ProfileBatch(fields: schema.fields.count)))
            var content = parsed.content
            let result = RowReader.forEach(chunk, layout, rejected: &parsed.rejected) { (cells) throws(BadRow) in
                guard cells[0].isThere else {
                    throw BadRow(column: Schema.idName, code: "missing_id", reason: "the id is missing")
                }
                let id = try cells[0].id(Schema.idName)
                var values: [CellValue] = []
                for (field, cell) in zip(schema.fields, cells.dropFirst()) {
                    values.append(try CellValue(cell, field))
                }
                guard let code = content.ids.intern(id) else { return }
                let row = UInt32(content.rows.count)
                content.rows.append(code)
                for (field, value) in values.enumerated() { value.put(into: &content.fields, field, row) }
            }
            parsed.content = content
            (parsed.rows, parsed.lines) = result
            return parsed
        }
    }

    mutating func gather(_ content: Content, _ summary: inout LoadSummary) throws(WinnowError) {
        var stored: [UInt32] = []
        stored.reserveCapacity(content.ids.count)
        for i in 0..<content.ids.count {
            let known = pending.profiles.count
            let row = content.ids.bytes(i).withUnsafeBytes { bytes -> UInt32? in
                let hash = stringHash(bytes)
                if let row = keys.code(of: bytes, hash: hash) {
                    updated.insert(row)
                    return row
                }
                return pending.profiles.intern(bytes, hash: hash)
            }
            guard let row else { throw .usage("the store has no room for more profiles") }
            if pending.profiles.count > known { summary.new += 1 }
            stored.append(row)
        }
        summary.updated = updated.count
        pending.fields.append(content.fields, rows: content.rows.map { stored[Int($0)] })
    }

    mutating func batch() -> Batch { pending }
}

/// One cell, read by its field's type.
private enum CellValue {
    case absent, cleared
    case number(Int64)
    case text(UnsafeRawBufferPointer)
    case strings([[UInt8]])

    init(_ cell: InputCell, _ field: Field) throws(BadRow) {
        switch cell.kind {
        case .absent: self = .absent
        case .null: self = .cleared
        default:
            switch field.type {
            case .string: self = .text(try cell.text(field.name))
            case .integer: self = .number(try cell.integer(field.name))
            case .decimal: self = .number(try cell.decimal(field.name, scale: field.scale))
            case .boolean: self = .number(try cell.boolean(field.name))
            case .date: self = .number(try cell.date(field.name))
            case .datetime: self = .number(try cell.datetime(field.name))
            case .stringSet: self = .strings(try cell.strings(field.name))
            }
        }
    }

    func put(into batch: inout ProfileBatch, _ field: Int, _ row: UInt32) {
        switch self {
        case .absent: break
        case .cleared: batch.clear(field: field, row: row)
        case .number(let value): batch.set(field: field, row: row, number: value)
        case .text(let text): batch.set(field: field, row: row, text: text)
        case .strings(let values): batch.set(field: field, row: row, values: values)
        }
    }
}
