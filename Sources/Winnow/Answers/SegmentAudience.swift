import WinnowBitmaps
import WinnowColumns
import WinnowDisk
import WinnowFormat
import WinnowModel
import WinnowQuery
import WinnowRules
import WinnowStorage
import WinnowThreads

extension Snapshot {
    /// Writes a segment's profiles as CSV for an advertising service: a row for each profile with
    /// anything to say, in the order of their rows; further ids of profiles follow in rows of their
    /// own.
    /// - Parameter segment: who is written.
    /// - Parameter audience: for whom, and how.
    /// - Parameter options: when and how the segment is evaluated.
    /// - Parameter write: takes the bytes, in order, on the caller's thread.
    /// - Throws: `usage` for a column that the service does not have or a field that is not there;
    ///   `invalidRule` with the place in the rule; what `write` throws.
    /// - Complexity: as `count`, and O(profiles).
    @discardableResult
    public func export(
        _ segment: Segment, audience: AudienceOptions,
        _ options: EvaluationOptions = EvaluationOptions(),
        to write: (ArraySlice<UInt8>) throws(WinnowError) -> Void
    ) throws(WinnowError) -> AudienceSummary {
        let binding = try Binding(self, options, of: [segment])
        let bound = try binding.bind(segment)
        let evaluator = evaluator(options, Cancellation())
        var rows = try evaluator.rows(bound.plan)
        var summary = AudienceSummary(count: rows.count, warnings: bound.warnings)
        if let channel = audience.reachable {
            let reachable = Segment.reachable(by: channel)
            let plan = try Binding(self, options, of: [reachable]).bind(reachable).plan
            let kept = try evaluator.rows(.all([bound.plan, plan]))
            if kept.count < rows.count {
                summary.leftOut[.unreachable] = rows.count - kept.count
            }
            rows = kept
        }
        if let limit = audience.limit {
            guard limit >= 0 else { throw .usage("a limit is at least 0, not \(limit)") }
            rows = rows.first(limit)
        }
        let writer = try AudienceWriter(audience, snapshot, name: segment.name)
        try write(writer.header[...])
        let pieces = rows.pieces
        let threads = threads(options)
        for pass in writer.passes {
            for start in stride(from: 0, to: pieces.count, by: threads) {
                if audience.isCancelled() { throw .cancelled }
                let texts = try concurrentMap(min(threads, pieces.count - start)) {
                    (i) throws(WinnowError) in
                    let set = BlockSet.allocate()
                    defer { set.deallocate() }
                    pieces[start + i].copy(into: set)
                    return try writer.rows(set, of: pieces[start + i].block, pass)
                }
                for text in texts {
                    try write(text.bytes[...])
                    summary.rows += text.rows
                    summary.leftOut.merge(text.leftOut, uniquingKeysWith: +)
                }
            }
        }
        return summary
    }

    /// Writes a segment's profiles for an advertising service to a file, which gets its name when it
    /// is complete.
    /// - Parameter segment: who is written.
    /// - Parameter audience: for whom, and how.
    /// - Parameter options: when and how the segment is evaluated.
    /// - Parameter path: the file.
    /// - Throws: `cannotCreate` where there can be no such file, also inside of the store.
    @discardableResult
    public func export(
        _ segment: Segment, audience: AudienceOptions,
        _ options: EvaluationOptions = EvaluationOptions(), toFile path: String
    ) throws(WinnowError) -> AudienceSummary {
        guard !isInside(path, snapshot.path) else {
            throw .cannotCreate(path: path, reason: "it would be inside the store")
        }
        let file = try CompletedFile(path: path)
        let summary = try export(segment, audience: audience, options) {
            (bytes) throws(WinnowError) in try file.write(bytes)
        }
        try file.finish()
        return summary
    }
}

/// The columns of one service, and where their values come from.
private struct AudienceColumn: Sendable {
    enum Kind: Sendable {
        case email, phone, city, country, name, gender, day, advertisingID, plain
        /// The profile's own id; personal ones are left out where it is not hashed.
        case externalID
        /// The segment's number and name.
        case segmentID, segmentName
        /// Contacts of subscriptions to push.
        case contact
    }

    let name: String
    let kind: Kind
    /// Of these fields the first that has a value.
    var fields: [String] = []
    var isHashed = true
    /// Whether a value of it alone makes no row.
    var isAside = false

    static func columns(of target: AudienceOptions.Target) -> [AudienceColumn] {
        switch target {
        case .yandex:
            [
                .init(name: "email", kind: .email, fields: ["email"]),
                .init(name: "phone", kind: .phone, fields: ["phone"]),
                .init(name: "external_id", kind: .externalID),
                .init(name: "push_subscription_id", kind: .contact),
            ]
        case .google:
            [
                .init(name: "email", kind: .email, fields: ["email"]),
                .init(name: "phone", kind: .phone, fields: ["phone"]),
                .init(
                    name: "advertising_id", kind: .advertisingID,
                    fields: ["idfa", "google_aid", "oaid"], isHashed: false),
                .init(name: "segment_id", kind: .segmentID, isHashed: false, isAside: true),
                .init(name: "segment", kind: .segmentName, isHashed: false, isAside: true),
            ]
        case .vk:
            [
                .init(name: "vk", kind: .plain, fields: ["vk_id"], isHashed: false),
                .init(name: "email", kind: .email, fields: ["email"]),
                .init(name: "phone", kind: .phone, fields: ["phone"]),
                .init(name: "ok", kind: .plain, fields: ["ok_id"], isHashed: false),
                .init(
                    name: "advertising_id", kind: .advertisingID, fields: ["google_aid"],
                    isHashed: false),
                .init(name: "idfa", kind: .advertisingID, fields: ["idfa"], isHashed: false),
            ]
        case .facebook:
            [
                .init(name: "em", kind: .email, fields: ["email"]),
                .init(name: "ph", kind: .phone, fields: ["phone"]),
                .init(name: "ct", kind: .city, fields: ["city"]),
                .init(name: "country", kind: .country, fields: ["country"]),
                .init(name: "fn", kind: .name, fields: ["first_name"]),
                .init(name: "ln", kind: .name, fields: ["last_name"]),
                .init(name: "ge", kind: .gender, fields: ["gender"]),
                .init(name: "db", kind: .day, fields: ["birthday"]),
                .init(name: "external_id", kind: .externalID, isHashed: false),
            ]
        }
    }
}

/// Makes rows of an audience.
private struct AudienceWriter: Sendable {
    /// Which rows are made.
    enum Pass: Sendable { case first, further }

    private let audience: AudienceOptions
    private let columns: [AudienceColumn]
    private let snapshot: StoreVersion
    private let keys: StringTables
    /// By their names, the fields that columns come from.
    private let fields: [String: FieldColumn]
    private let segmentName: String

    init(
        _ audience: AudienceOptions, _ snapshot: StoreVersion, name: String?
    ) throws(WinnowError) {
        self.audience = audience
        self.snapshot = snapshot
        keys = try snapshot.keys()
        var columns = AudienceColumn.columns(of: audience.target)
        for (name, field) in audience.columns.sorted(by: { $0.key < $1.key }) {
            guard let place = columns.firstIndex(where: { $0.name == name }) else {
                throw .usage(
                    "\(audience.target.rawValue) has no column “\(name)”; its columns are "
                        + columns.map(\.name).joined(separator: ", "))
            }
            if field != Schema.idName { _ = try snapshot.schema.known(field) }
            columns[place].fields = [field]
        }
        self.columns = columns
        var fields: [String: FieldColumn] = [:]
        for name in columns.flatMap(\.fields) {
            guard let index = snapshot.schema.index(of: name) else { continue }
            fields[name] = try FieldColumn(try snapshot.profiles(), snapshot.schema.fields[index])
        }
        // A personal id is told by the profile's phone, whether that is a column or not.
        if fields["phone"] == nil, let index = snapshot.schema.index(of: "phone") {
            fields["phone"] = try FieldColumn(
                try snapshot.profiles(), snapshot.schema.fields[index])
        }
        self.fields = fields
        segmentName = audience.segmentName ?? name ?? ""
    }

    var header: [UInt8] { Array((columns.map(\.name).joined(separator: ",") + "\n").utf8) }

    /// Where a profile may have several ids, those that are left follow after all first rows.
    var passes: [Pass] {
        switch audience.target {
        case .yandex, .google: [.first, .further]
        case .vk, .facebook: [.first]
        }
    }

    /// Rows of some profiles of a block.
    func rows(
        _ rows: BlockSet, of block: BlockIndex, _ pass: Pass
    ) throws(WinnowError) -> (bytes: [UInt8], rows: Int, leftOut: [AudienceSummary.Reason: Int]) {
        var cells: [String: FieldCells] = [:]
        for (name, column) in fields {
            cells[name] = try FieldCells(column, in: block, of: rows)
        }
        let contacts = try contacts(of: rows, in: block)
        var out: [UInt8] = []
        var count = 0
        var leftOut: [AudienceSummary.Reason: Int] = [:]
        rows.forEach { row in
            let id = unsafe keys.bytes(Row(block, UInt16(truncatingIfNeeded: row)).rawValue).map {
                unsafe String(decoding: $0, as: UTF8.self)
            }
            let person = Person(id: id ?? "", row: row, cells: cells, fields: fields)
            let own = contacts[row] ?? []
            switch pass {
            case .first:
                let values = columns.map { value(of: $0, person, own.first, &leftOut) }
                if add(values, to: &out) { count += 1 }
            case .further:
                for (place, text) in further(person, own) {
                    var values = [String](repeating: "", count: columns.count)
                    for (i, column) in columns.enumerated() where column.isAside {
                        values[i] = value(of: column, person, nil, &leftOut)
                    }
                    values[place] = text
                    if add(values, to: &out) { count += 1 }
                }
            }
        }
        return (out, count, pass == .first ? leftOut : [:])
    }

    /// One profile of a block.
    private struct Person {
        let id: String
        let row: Int
        let cells: [String: FieldCells]
        let fields: [String: FieldColumn]

        /// A field as text; nil where it has no value, or an empty one.
        func text(_ field: String) -> String? {
            if field == Schema.idName { return id }
            guard let value = cells[field]?[row], let column = fields[field] else { return nil }
            let text = column.field.text(value)
            return text.isEmpty ? nil : text
        }
    }

    /// Adds a row, when it says anything.
    private func add(_ values: [String], to out: inout [UInt8]) -> Bool {
        let tells = zip(columns, values).contains { column, value in
            !column.isAside && !value.isEmpty
        }
        guard tells else { return false }
        for (i, value) in values.enumerated() {
            if i > 0 { out.append(UInt8(ascii: ",")) }
            if !value.isEmpty { CSVText.append(Array(value.utf8)[...], to: &out) }
        }
        out.append(0x0A)
        return true
    }

    /// A column's value of a profile as it is sent; empty for none.
    private func value(
        of column: AudienceColumn, _ person: Person, _ contact: String?,
        _ leftOut: inout [AudienceSummary.Reason: Int]
    ) -> String {
        func sent(_ text: String?, or reason: AudienceSummary.Reason? = nil) -> String {
            guard let text, !text.isEmpty else {
                if let reason { leftOut[reason, default: 0] += 1 }
                return ""
            }
            return column.isHashed ? audience.effectiveHash.apply(text) : text
        }
        switch column.kind {
        case .segmentID: return audience.segmentID ?? ""
        case .segmentName: return segmentName
        case .contact where column.fields.isEmpty: return sent(contact)
        case .externalID:
            let id = column.fields.first.map { person.text($0) } ?? person.id
            guard let id else { return "" }
            return isPersonal(id, column, person, &leftOut) ? "" : sent(id)
        case .advertisingID:
            for field in column.fields {
                guard let id = advertisingID(field, person) else { continue }
                return isPersonal(id, column, person, &leftOut) ? "" : id
            }
            return ""
        default: break
        }
        guard let text = column.fields.lazy.compactMap({ person.text($0) }).first else { return "" }
        // What is hashed already is passed on, but for the hash of nothing.
        if audience.target == .facebook, column.isHashed {
            if AudienceText.isHashed(text) { return text }
            if text.lowercased() == AudienceText.hashOfNothing { return "" }
        }
        switch column.kind {
        case .email:
            let email =
                audience.target == .google
                ? AudienceText.googleEmail(text) : AudienceText.email(text)
            return sent(email, or: .email)
        case .phone:
            let phone = AudienceText.phone(text, audience.country)
            return sent(phone.map { audience.target == .google ? "+" + $0 : $0 }, or: .phone)
        case .city: return sent(AudienceText.city(text))
        case .country: return sent(AudienceText.country(text), or: .country)
        case .name: return sent(AudienceText.name(text))
        case .gender: return sent(AudienceText.gender(text), or: .gender)
        case .day: return sent(AudienceText.day(text))
        case .plain:
            return isPersonal(text, column, person, &leftOut)
                ? "" : sent(AudienceText.trimmed(text))
        case .contact: return sent(text)
        case .advertisingID, .externalID, .segmentID, .segmentName: return ""
        }
    }

    /// Whether a value would tell in the open who somebody is; it is counted then.
    private func isPersonal(
        _ text: String, _ column: AudienceColumn, _ person: Person,
        _ leftOut: inout [AudienceSummary.Reason: Int]
    ) -> Bool {
        guard !column.isHashed, audience.effectiveHash != .none,
            AudienceText.isPersonal(text, phone: person.text("phone"), audience.country)
        else { return false }
        leftOut[.externalID, default: 0] += 1
        return true
    }

    /// Apple's ids are in capitals, others in small letters.
    private func advertisingID(_ field: String, _ person: Person) -> String? {
        person.text(field).flatMap {
            AudienceText.advertisingID($0, capital: field == "idfa")
        }
    }

    /// The ids that the first row of a profile has no room for, with their columns.
    private func further(_ person: Person, _ contacts: [String]) -> [(column: Int, text: String)] {
        var found: [(Int, String)] = []
        for (place, column) in columns.enumerated() {
            switch column.kind {
            case .contact where column.fields.isEmpty:
                for contact in contacts.dropFirst() {
                    found.append((place, audience.effectiveHash.apply(contact)))
                }
            case .advertisingID where column.fields.count > 1:
                var seen: [String] = []
                for field in column.fields {
                    guard let id = advertisingID(field, person), !seen.contains(id) else {
                        continue
                    }
                    if !seen.isEmpty { found.append((place, id)) }
                    seen.append(id)
                }
            default: break
            }
        }
        return found
    }

    /// The contacts of subscribed push subscriptions by row, in the order of their bytes.
    private func contacts(
        of rows: BlockSet, in block: BlockIndex
    ) throws(WinnowError) -> [Int: [String]] {
        guard columns.contains(where: { if case .contact = $0.kind { true } else { false } })
        else { return [:] }
        let parts = try snapshot.subscriptions()
        let names = try snapshot.strings(.contact)
        let leaves = try parts.map { (part) throws(WinnowError) in
            try part.leaves(of: .subscription)
        }
        var found: [Int: Set<[UInt8]>] = [:]
        try SubscriptionRecords(parts).forEach(in: block, of: rows) { part, records in
            for record in records where record.leaf.index < leaves[part].count {
                let key = leaves[part][record.leaf.index].key
                guard key.channel == .push, key.status == .subscribed, let code = record.link.code,
                    let text = unsafe names.bytes(code)
                else { continue }
                unsafe found[Int(record.row.inBlock), default: []].insert(Array(text))
            }
        }
        return found.mapValues { contacts in
            contacts.sorted { $0.lexicographicallyPrecedes($1) }.map {
                String(decoding: $0, as: UTF8.self)
            }
        }
    }
}
