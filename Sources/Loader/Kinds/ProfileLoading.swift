import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowStorage

/// Loads profiles: ids that are new get the next row, fields that a row gives are set, the rest
/// keep what is stored.
struct ProfileLoading: Loading {
    private let writer: Writer
    private var pending: Batch
    private var fields: ProfileBatch
    /// Rows that the store had before the load, and that it speaks about.
    private var updated: RowSet
    private let firstRow: Row
    private let schema: Schema
    private let mode: LoadMode
    private let memory: Int
    let columns: ColumnNames

    init(_ writer: Writer, _ options: LoadOptions) throws(WinnowError) {
        self.writer = writer
        pending = try Batch(writer.snapshot)
        fields = ProfileBatch(fields: writer.snapshot.schema.fields.count)
        firstRow = Row(rawValue: writer.snapshot.manifest.rows)
        updated = RowSet(rows: writer.snapshot.rows)
        memory = LoadLimits.gathered(options.memory)
        schema = writer.snapshot.schema
        mode = options.mode
        columns = ColumnNames(
            [InputColumn(Schema.idName, .id, isRequired: true)]
                + schema.fields.map { field in
                    switch field.type.nature {
                    case .text: InputColumn(field.name, .text)
                    case .set: InputColumn(field.name, .set)
                    case .quantity, .truth, .time: InputColumn(field.name, .other)
                    }
                }, options)
    }

    struct Content: Sendable {
        /// One per row of the piece, in order; an id may come again.
        var ids = StringInterner(first: 0)
        var rows: [UInt32] = []
        /// Rows are positions in `rows`.
        var fields: ProfileBatch
    }

    var parse: @Sendable (InputPiece, RowLayout, Cancellation) -> ParsedPiece<Content> {
        let schema = schema
        let status = schema.globalStatus
        return { piece, layout, cancellation in
            var content = Content(fields: ProfileBatch(fields: schema.fields.count, isPiece: true))
            var values = [CellValue](repeating: .absent, count: schema.fields.count)
            var sets = ReadSets(fields: schema.fields.count)
            let rows = RowReader(piece, layout, cancellation) { (cells) throws(BadRow) in
                let id = try unsafe cells[0].id(Schema.idName)
                for i in values.indices {
                    let field = schema.fields[i]
                    if field.type.nature == .set, let cell = sets.cell(cells[i + 1], of: i) {
                        values[i] = .same(cell)
                    } else {
                        values[i] = try CellValue(
                            cells[i + 1], field, layout.rules, isStatus: i == status)
                    }
                }
                guard let code = unsafe content.ids.intern(id) else { return }
                let row = Row(rawValue: UInt32(content.rows.count))
                content.rows.append(code)
                for (field, value) in values.enumerated() {
                    if case .strings = value {
                        sets.note(cells[field + 1], field, cell: content.fields.cells(of: field))
                    }
                    value.put(into: &content.fields, field, row)
                }
            }
            return ParsedPiece(rows: rows.report, content: content)
        }
    }

    mutating func gather(_ content: Content, _ summary: inout LoadSummary) throws(WinnowError) {
        var stored: [Row] = []
        stored.reserveCapacity(content.ids.count)
        // Ids of the piece of which no row, or no further row, counts.
        var closed = [Bool](repeating: false, count: content.ids.count)
        for i in 0..<content.ids.count {
            pending.profiles.prefetch(content.ids, i + 16)
            let before = pending.profiles.added
            let id = content.ids.bytes(i)
            guard let row = row(id, hash: content.ids.hash(i), closed: &closed[i]) else {
                throw .usage("the store has no room for more profiles")
            }
            if pending.profiles.added > before { summary.new += 1 }
            stored.append(row)
        }
        let rows = content.rows.map { id -> Row in
            if closed[Int(id)] {
                summary.skipped += 1
                return ProfileBatch.noRow
            }
            if mode == .insert { closed[Int(id)] = true }
            return stored[Int(id)]
        }
        summary.updated = updated.count
        fields.append(content.fields, rows: rows)
        if fields.memory + pending.memory > memory { try spill() }
    }

    private mutating func spill() throws(WinnowError) {
        try pending.spill(&fields, schema, writer)
        try writer.spillStrings(of: &pending, above: memory / 16)
    }

    /// The row of an id, new if the mode allows; nil when the store is full.
    private mutating func row(_ id: ArraySlice<UInt8>, hash: UInt64, closed: inout Bool) -> Row? {
        unsafe id.withUnsafeBytes { bytes in
            guard let known = unsafe pending.profiles.find(bytes, hash: hash) else {
                closed = mode == .update
                if closed { return ProfileBatch.noRow }
                return unsafe pending.profiles.add(bytes, hash: hash).map(Row.init(rawValue:))
            }
            let row = Row(rawValue: known)
            closed = mode == .insert
            if row < firstRow, !closed { updated.insert(row) }
            return row
        }
    }

    mutating func batch() throws(WinnowError) -> Batch {
        // Merging needs memory, too.
        if !pending.fields.isEmpty { try spill() }
        pending.take(&fields, schema)
        return pending
    }
}

extension Batch {
    /// Takes fields of profiles by way of a part that no manifest will name, and leaves none.
    mutating func spill(
        _ waiting: inout ProfileBatch, _ schema: Schema, _ writer: Writer
    ) throws(WinnowError) {
        guard !waiting.isEmpty else { return }
        let part = try writer.newPart(.profiles, durable: false)
        let reference = try ProfileMerge.write([.batch(waiting)], schema, to: part)
        add(.part(try ProfilePart(try writer.directory.open(reference))), of: &waiting, schema)
    }

    /// Takes fields of profiles as they are, and leaves none.
    mutating func take(_ waiting: inout ProfileBatch, _ schema: Schema) {
        if !waiting.isEmpty { add(.batch(waiting), of: &waiting, schema) }
    }

    private mutating func add(
        _ source: ProfileSource, of waiting: inout ProfileBatch, _ schema: Schema
    ) {
        fields.append(source)
        fieldCells += waiting.cells
        waiting = ProfileBatch(fields: schema.fields.count)
    }
}

/// The sets of a piece that were read, as they are written: most are written again and again.
private struct ReadSets {
    private var fields: [(texts: StringInterner, cells: [Int])]
    /// Where more different ones are, they hardly repeat.
    private static let most = 4096

    init(fields: Int) {
        self.fields = Array(repeating: (StringInterner(first: 0), []), count: fields)
    }

    /// The number of the field's cell in which the same is written.
    func cell(_ cell: InputCell, of field: Int) -> Int? {
        guard cell.kind == .csv || cell.kind == .compound, !fields[field].cells.isEmpty else {
            return nil
        }
        let code = unsafe fields[field].texts.find(cell.bytes, hash: stringHash(cell.bytes))
        return code.map { fields[field].cells[Int($0)] }
    }

    /// Takes note of what is written in a cell that was read.
    mutating func note(_ cell: InputCell, _ field: Int, cell number: Int) {
        guard fields[field].cells.count < ReadSets.most,
            let code = unsafe fields[field].texts.intern(cell.bytes),
            Int(code) == fields[field].cells.count
        else { return }
        fields[field].cells.append(number)
    }
}

/// A set of rows, a bit each.
private struct RowSet {
    private var words: [UInt64]
    private(set) var count = 0

    init(rows: Int) { words = Array(repeating: 0, count: rows / 64 + 1) }

    mutating func insert(_ row: Row) {
        let bit: UInt64 = 1 << UInt64(row.rawValue & 63)
        let word = Int(row.rawValue >> 6)
        if words[word] & bit == 0 {
            words[word] |= bit
            count += 1
        }
    }
}

/// One cell, read by its field's type.
@safe enum CellValue {
    case absent, cleared
    case number(Int64)
    case text(UnsafeRawBufferPointer)
    case strings([[UInt8]])
    /// The set that another cell of the field has.
    case same(Int)

    /// - Parameter isStatus: whether only statuses are values.
    init(
        _ cell: InputCell, _ field: Field, _ rules: ValueRules, isStatus: Bool = false
    ) throws(BadRow) {
        switch cell.kind {
        case .absent: self = .absent
        case .null: self = .cleared
        default:
            switch field.type.nature {
            case .text:
                let text = try unsafe cell.text(field.name)
                let isPossible =
                    !isStatus
                    || Schema.statuses.contains { unsafe text.elementsEqual($0.utf8) }
                guard isPossible else {
                    throw cell.bad(field.name, Schema.statuses.joined(separator: ", "))
                }
                self = unsafe .text(text)
            case .set: self = .strings(try cell.strings(field.name, rules))
            case .quantity, .truth, .time: self = .number(try cell.number(field, rules))
            }
        }
    }

    func put(into batch: inout ProfileBatch, _ field: Int, _ row: Row) {
        switch self {
        case .absent: break
        case .cleared: batch.clear(field: field, row: row)
        case .number(let value): batch.set(field: field, row: row, number: value)
        case .text(let text): unsafe batch.set(field: field, row: row, text: text)
        case .strings(let values): batch.set(field: field, row: row, values: values)
        case .same(let cell): batch.set(field: field, row: row, as: cell)
        }
    }
}
