import WinnowColumns
import WinnowFormat
import WinnowJSON
import WinnowModel

/// What a piece of a feed says: rows with the values by which they find their profiles, and records
/// of these rows.
struct FeedContent: Sendable {
    /// What a row says of its profile.
    struct Profile: Sendable {
        /// What it is found by, normalised; nil where the row does not say it.
        var key: [UInt8]?
        /// The same as the index has it.
        var indexed: ProfileIndex.Key?
        /// The same as it is stored on a new profile.
        var value: [UInt8] = []
        var id: [UInt8]?
        var device: [UInt8]?
        /// E-mail addresses, normalised, by which later rows may find it.
        var contacts: [(address: [UInt8], whom: Mapping.Entry.Whom)] = []
        /// What it has from now on that it is found by: nil for nothing said, empty for cleared.
        var newKey: [UInt8]?
        var newDevice: [UInt8]?
        /// Whether fields are said.
        var hasFields = false
    }

    var profiles: [Profile] = []
    /// Rows are positions in `profiles`.
    var fields: ProfileBatch
    var events = RecordContent()
    var subscriptions = RecordContent()
    var goals = RecordContent()
    /// Per entry how many rows yielded something, and how many did not.
    var yielded: [Int]
    var yieldedNothing: [Int]
    /// Rows that are passed over.
    var skipped = 0
}

/// Makes profiles and records of the rows of a piece, as a mapping says.
struct FeedParser: Sendable {
    let mapping: Mapping
    let schema: Schema
    private let profile: FeedProfile?
    private let entries: [FeedEntry]
    let events: EventRows
    let goals: GoalRows
    let subscriptions = SubscriptionRows(choice: .keep)
    /// The built-in field of device ids, and the column of the input that is called so; nil where
    /// the store has a field of its own.
    let device: (field: Int, column: Int)?

    static let deviceName = "appmetrica_device_id"

    init(
        _ mapping: Mapping, _ schema: Schema, latest: Int64, device: (field: Int, column: Int)?
    ) {
        self.mapping = mapping
        self.schema = schema
        self.device = device
        events = EventRows(latest: latest, loadsUnique: schema.uniqueEvents == .stored)
        goals = GoalRows(latest: latest)
        profile = mapping.profile.map { FeedProfile($0, schema) }
        entries = mapping.entries.map { FeedEntry($0) }
    }

    func parse(
        _ piece: InputPiece, _ layout: RowLayout, _ cancellation: Cancellation
    ) -> ParsedPiece<FeedContent> {
        var content = FeedContent(
            fields: ProfileBatch(fields: schema.fields.count),
            yielded: Array(repeating: 0, count: mapping.entries.count),
            yieldedNothing: Array(repeating: 0, count: mapping.entries.count))
        var preview: [String] = []
        let whole = FeedRow(nulls: mapping.source.nulls, layout.rules.instantOfWall)
        // All is read and checked before anything is entered.
        var read: [FeedRowContent] = []
        defer { for i in read.indices { read[i].clear() } }
        let reader = RowReader(piece, layout, cancellation) { (cells) throws(BadRow) in
            whole.take(cells)
            let items: [FeedRow]? =
                if let each = mapping.source.each { try items(of: whole, each) } else { nil }
            let count = items?.count ?? 1
            if count == 0 { content.skipped += 1 }
            var used = 0
            for i in 0..<count {
                let row = items?[i] ?? whole
                if row.meets(mapping.conditions) {
                    if used == read.count { read.append(FeedRowContent(layout.previews)) }
                    used += 1
                    read[used - 1].clear()
                    try self.read(row, layout.rules, &read[used - 1])
                } else {
                    content.skipped += 1
                }
                try row.check()
            }
            for i in 0..<used {
                read[i].enter(into: &content)
                if layout.previews, preview.count < LoadPreview.most { preview += read[i].preview }
            }
        }
        var report = reader.report
        report.preview = Array(preview.prefix(LoadPreview.most))
        return ParsedPiece(rows: report, content: content)
    }

    /// The rows that the elements of an array in a row are.
    private func items(
        of whole: FeedRow, _ each: Mapping.Path
    ) throws(BadRow) -> [FeedRow] {
        let node = whole.node(each)
        try whole.check()
        switch node {
        case nil, .null: return []
        case .array(let elements): return elements.map { FeedRow(whole, item: $0) }
        case .string(let text):
            // A string may hold the array.
            if case .array(let elements)? = try? JSONValue(parsing: text) {
                return elements.map { FeedRow(whole, item: $0) }
            }
            return [FeedRow(whole, item: .string(text))]
        case let scalar?: return [FeedRow(whole, item: scalar)]
        }
    }

    // MARK: One row

    private func read(
        _ row: FeedRow, _ rules: ValueRules, _ result: inout FeedRowContent
    ) throws(BadRow) {
        if let profile {
            try read(profile, row, rules, &result)
            result.note(profile.mapping)
        }
        for number in entries.indices {
            if try read(entries[number], row, rules, &result) { result.yielded.append(number) }
        }
    }

    private func read(
        _ feed: FeedProfile, _ row: FeedRow, _ rules: ValueRules, _ result: inout FeedRowContent
    ) throws(BadRow) {
        let profile = feed.mapping
        if let value = profile.value { try read(feed, value, row, &result) }
        if let id = profile.id, let text = try row.value(id, Schema.idName).text {
            result.profile.id = try FeedParser.checkedID(text, Schema.idName)
        }
        for (field, value) in profile.columns {
            if !result.previews, field != feed.field, field != device?.field,
                let cell = row.cell(value, isTime: false)
            {
                try set(field, to: cell, rules, &result)
                continue
            }
            let (name, type) = (schema.fields[field].name, schema.fields[field].type)
            let found = try row.value(value, name, isDate: type == .date)
            try set(field, to: found, feed, rules, &result)
        }
        if let device, !profile.columns.contains(where: { $0.field == device.field }) {
            try set(
                device.field, to: row.value(ofColumn: device.column), feed, rules, &result)
        }
        guard let from = profile.columnsFrom, case .object(let members)? = row.object(from.path)
        else { return }
        for (key, node) in members where key.utf8.starts(with: from.prefix) {
            let name = String(decoding: key.utf8.dropFirst(from.prefix.count), as: UTF8.self)
            guard let field = schema.index(of: name) else {
                if from.unknown == .skip { continue }
                throw BadRow(
                    column: key, code: .unknownColumn,
                    reason: "the store has no field “\(name)”")
            }
            try set(field, to: row.value(of: node), feed, rules, &result)
        }
    }

    /// Reads what the profile is found by.
    private func read(
        _ feed: FeedProfile, _ value: Mapping.Value, _ row: FeedRow, _ result: inout FeedRowContent
    ) throws(BadRow) {
        let profile = feed.mapping
        if let text = try row.value(value, profile.name).text {
            let key = profile.match.normalized(text, schema)
            if !key.isEmpty {
                result.profile.key = key
                if feed.field != nil { result.profile.indexed = ProfileIndex.Key(key) }
                result.profile.value = text
                if profile.match == .id { _ = try FeedParser.checkedID(text, Schema.idName) }
                return
            }
        }
        guard profile.ignoresEmpty else {
            throw BadRow(
                column: profile.name, code: .missingMatch,
                reason: "the value is missing by which the profile is found")
        }
    }

    private static func checkedID(_ text: [UInt8], _ column: String) throws(BadRow) -> [UInt8] {
        guard text.count <= LoadLimits.id else {
            throw BadRow(
                column: column, code: .longID,
                reason: "the id has \(text.count) bytes, at most \(LoadLimits.id) are allowed")
        }
        return text
    }

    private func set(
        _ field: Int, to value: FeedValue, _ feed: FeedProfile, _ rules: ValueRules,
        _ result: inout FeedRowContent
    ) throws(BadRow) {
        let cell: InputCell
        switch value {
        case .absent: return
        case .empty:
            if feed.mapping.ignoresEmpty { return }
            cell = unsafe InputCell(kind: .null)
        case .text, .set: cell = result.cell(value)
        }
        if result.previews { result.shown.append((schema.fields[field].name, value)) }
        try set(field, to: cell, rules, &result)
        if field == feed.field {
            result.profile.newKey = feed.mapping.match.normalized(value.text ?? [], schema)
        }
        if field == device?.field {
            let text = value.text ?? []
            result.profile.newDevice = text
            result.profile.device = text.isEmpty ? nil : text
        }
    }

    private func set(
        _ field: Int, to cell: InputCell, _ rules: ValueRules, _ result: inout FeedRowContent
    ) throws(BadRow) {
        let own = schema.fields[field]
        let cell = own.type == .decimal ? cell.withExponent : cell
        let value = try CellValue(
            cell, own, rules, isStatus: field == schema.globalStatus)
        result.fields.append((field, value))
    }

    /// Reads one kind of records; false where the row yields nothing.
    private func read(
        _ feed: FeedEntry, _ row: FeedRow, _ rules: ValueRules,
        _ result: inout FeedRowContent
    ) throws(BadRow) -> Bool {
        guard row.meets(feed.mapping.conditions) else { return false }
        result.cells.removeAll(keepingCapacity: true)
        for _ in feed.columns { result.cells.append(InputCell()) }
        for (column, value) in feed.mapping.columns {
            if !result.previews, let cell = row.cell(value, isTime: column == feed.time) {
                result.cells[column] = cell
                continue
            }
            let found = try row.value(value, feed.names[column])
            if found == .absent || found == .empty {
                if column == feed.mapping.needed { return false }
                continue
            }
            result.cells[column] = result.cell(found)
        }
        // The profile is known by its row.
        result.cells[0] = FeedRowContent.known
        if let value = feed.value { result.cells[value] = result.cells[value].withExponent }
        let record: RecordRow
        switch feed.mapping.kind {
        case .events: record = try events.row(result.cells, rules)
        case .goals:
            record = try goals.row(result.cells, rules)
        case .subscriptions:
            var subscription = try subscriptions.row(result.cells, rules)
            subscription.count = feed.mapping.choice.rawValue
            record = subscription
            if let contact = unsafe record.link,
                unsafe result.cells[1].bytes.elementsEqual(Channel.email.name.utf8)
            {
                let address = unsafe ContactForms.email(Array(contact))
                if !address.isEmpty { result.profile.contacts.append((address, feed.mapping.whom)) }
            }
        }
        result.records.append((feed, record))
        result.note(feed.mapping.kind, feed.columns)
        return true
    }
}

extension Mapping.Profile.Match {
    /// What is compared of a value: of e-mail addresses without blanks around them and ASCII case,
    /// of phones the digits.
    func normalized(_ value: [UInt8], _ schema: Schema) -> [UInt8] {
        switch self {
        case .id: value
        case .email, .emailOrSubscription: ContactForms.email(value)
        case .field(let number):
            switch schema.fields[number].name {
            case "email": ContactForms.email(value)
            case "phone": ContactForms.phone(value)
            default: value
            }
        }
    }

    /// The field that is compared; nil for the id.
    func field(_ schema: Schema) -> Int? {
        switch self {
        case .id: nil
        case .email, .emailOrSubscription: schema.index(of: "email")
        case .field(let number): number
        }
    }
}

extension FeedRow {
    /// The object that a path leads to, or that a string at its end holds.
    func object(_ path: Mapping.Path) -> JSONValue? {
        guard case .string(let text)? = node(path) else { return node(path) }
        return try? JSONValue(parsing: text)
    }
}

/// What a mapping says of profiles. An object, since every row looks at it.
private final class FeedProfile: Sendable {
    let mapping: Mapping.Profile
    /// The field that is compared; nil for the id.
    let field: Int?

    init(_ mapping: Mapping.Profile, _ schema: Schema) {
        self.mapping = mapping
        field = mapping.match.field(schema)
    }
}

/// What a mapping says of one kind of records, with the columns of that kind.
private final class FeedEntry: Sendable {
    let mapping: Mapping.Entry
    let columns: [InputColumn]
    let names: [String]
    /// The places of a time that may be Unix seconds, and of the value of a goal.
    let time, value: Int?

    init(_ mapping: Mapping.Entry) {
        self.mapping = mapping
        columns = mapping.kind.columns
        names = columns.map { String(decoding: $0.name, as: UTF8.self) }
        time = names.firstIndex(of: "time")
        value = names.firstIndex(of: "value")
    }
}

extension InputCell {
    /// The same as a number of JSON where it has an exponent, which no other text has.
    fileprivate var withExponent: InputCell {
        guard kind == .csv, unsafe bytes.contains(where: { $0 | 0x20 == UInt8(ascii: "e") }) else {
            return self
        }
        return unsafe InputCell(kind: .number, bytes: bytes)
    }
}

/// What one row says, read and checked; texts are in memory of its own.
@safe struct FeedRowContent {
    var profile = FeedContent.Profile()
    fileprivate(set) var fields: [(field: Int, value: CellValue)] = []
    fileprivate var records: [(entry: FeedEntry, record: RecordRow)] = []
    /// The entries that yielded something.
    fileprivate(set) var yielded: [Int] = []
    fileprivate(set) var preview: [String] = []
    /// Fields and what they get, for a preview.
    fileprivate var shown: [(field: String, value: FeedValue)] = []
    /// The cells of the record that is being read.
    fileprivate var cells: [InputCell] = []
    private var texts: [UnsafeMutableRawBufferPointer] = unsafe []
    fileprivate let previews: Bool

    /// - Parameter previews: whether records are shown.
    init(_ previews: Bool) { self.previews = previews }

    /// Stands for a profile that is known by its row.
    fileprivate static var known: InputCell {
        let text: StaticString = "-"
        return unsafe InputCell(
            kind: .csv,
            bytes: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Forgets the row; memory is kept.
    mutating func clear() {
        for i in unsafe texts.indices { unsafe texts[i].deallocate() }
        unsafe texts.removeAll(keepingCapacity: true)
        profile = FeedContent.Profile()
        fields.removeAll(keepingCapacity: true)
        records.removeAll(keepingCapacity: true)
        yielded.removeAll(keepingCapacity: true)
        preview.removeAll()
        shown.removeAll()
    }

    /// A value as a cell.
    fileprivate mutating func cell(_ value: FeedValue) -> InputCell {
        switch value {
        case .absent: InputCell()
        case .empty: unsafe InputCell(kind: .null)
        case .text(let text): unsafe InputCell(kind: .csv, bytes: keep(text))
        case .set(let values):
            unsafe InputCell(kind: .compound, bytes: keep(FeedRowContent.array(values)))
        }
    }

    private static func array(_ values: [[UInt8]]) -> [UInt8] {
        var json = JSONWriter()
        json.array(values) { $0.value(String(decoding: $1, as: UTF8.self)) }
        return Array(json.text.utf8)
    }

    private mutating func keep(_ text: [UInt8]) -> UnsafeRawBufferPointer {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, text.count), alignment: 1)
        unsafe buffer.copyBytes(from: text)
        unsafe texts.append(buffer)
        return unsafe UnsafeRawBufferPointer(rebasing: buffer[..<text.count])
    }

    /// Takes note of what the row says of its profile for a preview: by what it is found, and its
    /// fields.
    fileprivate mutating func note(_ mapping: Mapping.Profile) {
        guard previews, mapping.writes else { return }
        var json = JSONWriter()
        json.object { json in
            json.member("profiles") { json in
                json.object { json in
                    if !profile.value.isEmpty {
                        json.member(mapping.name, String(decoding: profile.value, as: UTF8.self))
                    }
                    for (field, value) in shown where field != mapping.name {
                        json.member(field) { json in
                            switch value {
                            case .absent, .empty: json.literal("null")
                            case .text(let text): json.value(String(decoding: text, as: UTF8.self))
                            case .set(let members):
                                json.array(members) {
                                    $0.value(String(decoding: $1, as: UTF8.self))
                                }
                            }
                        }
                    }
                }
            }
        }
        preview.append(json.text)
    }

    /// Takes note of a record for a preview.
    fileprivate mutating func note(
        _ kind: Mapping.Entry.Kind, _ columns: [InputColumn]
    ) {
        guard previews, preview.count < LoadPreview.most else { return }
        var json = JSONWriter()
        json.object { json in
            json.member(kind.rawValue) { json in
                json.object { json in
                    if !profile.value.isEmpty {
                        json.member("profile", String(decoding: profile.value, as: UTF8.self))
                    }
                    for (column, cell) in zip(columns, cells).dropFirst() where cell.isPresent {
                        json.member(
                            String(decoding: column.name, as: UTF8.self),
                            unsafe String(decoding: cell.bytes, as: UTF8.self))
                    }
                }
            }
        }
        preview.append(json.text)
    }

    /// Adds what the row says to a piece's content.
    mutating func enter(into content: inout FeedContent) {
        let number = UInt32(content.profiles.count)
        profile.hasFields = !fields.isEmpty
        content.profiles.append(profile)
        for (field, value) in fields {
            value.put(into: &content.fields, field, Row(rawValue: number))
        }
        for (feed, record) in records {
            let entry = feed.mapping
            switch entry.kind {
            case .events: content.events.append(record, profile: number)
            case .subscriptions:
                var record = record
                record.count |= FeedMarks.mark(entry.whom)
                content.subscriptions.append(record, profile: number)
            case .goals:
                var record = record
                record.type = .goal
                record.count = entry.anonymous ? FeedMarks.anonymous : 1
                content.goals.append(record, profile: number)
            }
        }
        // In the order of the entries.
        var next = 0
        for entry in content.yielded.indices {
            if next < yielded.count, yielded[next] == entry {
                content.yielded[entry] += 1
                next += 1
            } else {
                content.yieldedNothing[entry] += 1
            }
        }
    }
}

/// What records of a feed carry in place of a count until their profiles are known.
enum FeedMarks {
    /// A goal that is one of nobody where it has no profile.
    static let anonymous: UInt32 = 2

    /// Whom a subscription is for, beside what becomes of one that is there.
    static func mark(_ whom: Mapping.Entry.Whom) -> UInt32 {
        switch whom {
        case .all: 0
        case .new: 1 << 8
        case .existing: 2 << 8
        }
    }

    static func isFor(_ count: UInt32, isNew: Bool) -> Bool {
        switch count >> 8 {
        case 1: isNew
        case 2: !isNew
        default: true
        }
    }

    static func choice(_ count: UInt32) -> UInt32 { count & 0xFF }
}
