import Columns
import Model
import Store

/// Loads profiles: ids that are new get the next row, fields that a row gives are set, the rest keep what is stored.
struct ProfileLoading: Loading {
    private var pending: Batch
    private let keys: StringTables
    private let schema: Schema
    private let mode: LoadMode
    private var updated: Set<UInt32> = []
    let columns: ColumnNames

    init(_ writer: Writer, _ options: LoadOptions) throws(WinnowError) {
        pending = try Batch(writer.snapshot)
        keys = try writer.snapshot.keys()
        schema = writer.snapshot.schema
        mode = options.mode
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
        // Ids of the piece of which no row, or no further row, counts.
        var closed = [Bool](repeating: false, count: content.ids.count)
        for i in 0..<content.ids.count {
            let before = pending.profiles.count
            guard let row = row(content.ids.bytes(i), closed: &closed[i]) else {
                throw .usage("the store has no room for more profiles")
            }
            if pending.profiles.count > before { summary.new += 1 }
            stored.append(row)
        }
        let rows = content.rows.map { id -> UInt32 in
            if closed[Int(id)] {
                summary.skipped += 1
                return ProfileBatch.nobody
            }
            if mode == .insert { closed[Int(id)] = true }
            return stored[Int(id)]
        }
        summary.updated = updated.count
        pending.fields.append(content.fields, rows: rows)
    }

    /// The row of an id, new if the mode allows; nil when the store is full.
    private mutating func row(_ id: ArraySlice<UInt8>, closed: inout Bool) -> UInt32? {
        id.withUnsafeBytes { bytes in
            let hash = stringHash(bytes)
            if let row = keys.code(of: bytes, hash: hash) {
                closed = mode == .insert
                if !closed { updated.insert(row) }
                return row
            }
            if mode == .update || (mode == .insert && pending.profiles.find(bytes, hash: hash) != nil) {
                closed = true
                return ProfileBatch.nobody
            }
            return pending.profiles.intern(bytes, hash: hash)
        }
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
