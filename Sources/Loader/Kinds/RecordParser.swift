import WinnowColumns
import WinnowFormat
import WinnowModel

/// What a piece of input says of events, goals or subscriptions; names have codes of the piece's own.
struct RecordContent: Sendable {
    var campaigns = StringInterner(first: 0)
    var templates = StringInterner(first: 0)
    var links = StringInterner(first: 0)
    var messages = PieceMessages()
    /// Profiles that the store does not have, numbered from 0 on.
    var unknownProfiles = StringInterner(first: 0)
    /// Rows that are passed over, since the store does not have the profile.
    var skipped = 0
    var types: [Events] = []
    private var typeIndex: [UInt16: Int] = [:]
    /// Where rows were put a short while ago: most are like one of these.
    private var places = [Place](repeating: Place(), count: 64)

    /// The type of a row by its index, and the leaf there.
    private struct Place {
        var type = UInt16.max
        var key = UInt64.max
        var index = 0
        var leaf = LeafID(0)
    }

    /// Events of one type.
    struct Events: Sendable {
        let type: RecordType
        /// Campaign and template are the piece's own.
        fileprivate(set) var keys: [LeafKey] = []
        private var keyIndex: [UInt64: LeafID] = [:]
        fileprivate(set) var events: [EventRecord] = []
        /// Events of profiles that the store does not have, and the number of each profile.
        fileprivate(set) var ofUnknown: [(event: Int, profile: UInt32)] = []

        fileprivate init(_ type: RecordType) { self.type = type }

        /// The piece's leaf of a key.
        fileprivate mutating func leaf(_ code: UInt64, _ key: LeafKey) -> LeafID {
            if let leaf = keyIndex[code] { return leaf }
            let leaf = LeafID(keys.count)
            keyIndex[code] = leaf
            keys.append(key)
            return leaf
        }
    }

    /// Adds an event.
    /// - Parameter row: of its profile; nil for one that the store does not have.
    mutating func append(_ event: RecordRow, row: Row?) {
        var profile: UInt32?
        if row == nil {
            profile = unsafe event.profile.flatMap { unsafe unknownProfiles.intern($0) }
        }
        append(event, row: row, profile: profile)
    }

    /// Adds an event of a profile that has a number here.
    mutating func append(_ event: RecordRow, profile: UInt32) {
        append(event, row: nil, profile: profile)
    }

    private mutating func append(_ event: RecordRow, row: Row?, profile: UInt32?) {
        let key = unsafe LeafKey(
            campaign: RecordContent.name(event.campaign, &campaigns),
            template: RecordContent.name(event.template, &templates), variant: event.variant)
        let link = unsafe RecordContent.name(event.link, &links)
        unsafe append(
            event.type, key, link: link, message: event.message, time: event.time,
            count: event.count, value: event.value, row: row, profile: profile)
    }

    /// Adds an event whose names have codes of the piece's own.
    /// - Parameter message: empty for none.
    /// - Parameter id: of its profile.
    mutating func append(
        _ type: RecordType, _ key: LeafKey, link: NameCode, message: UnsafeRawBufferPointer,
        time: Int64, row: Row?, id: UnsafeRawBufferPointer
    ) {
        let profile = unsafe row == nil ? unknownProfiles.intern(id) : nil
        unsafe append(
            type, key, link: link, message: message.isEmpty ? nil : message, time: time, count: 1,
            value: nil, row: row, profile: profile)
    }

    @inline(__always)
    private mutating func append(
        _ type: RecordType, _ key: LeafKey, link: NameCode, message: UnsafeRawBufferPointer?,
        time: Int64, count: UInt32, value: Int64?, row: Row?, profile: UInt32?
    ) {
        let owner = profile.map { UInt64($0) | 1 << 32 } ?? UInt64(row?.rawValue ?? 0)
        let message = unsafe message.map { unsafe messages.number($0, of: owner) + 1 } ?? 0
        let place = place(type, key)
        if let profile {
            types[place.index].ofUnknown.append((types[place.index].events.count, profile))
        }
        types[place.index].events.append(
            EventRecord(
                row: row ?? Row(rawValue: 0), leaf: place.leaf, time: time, count: count,
                link: link, message: message, value: value))
    }

    /// Gives the events of numbered profiles their rows.
    mutating func setRows(_ rows: [Row]) {
        for i in types.indices {
            for (event, profile) in types[i].ofUnknown {
                types[i].events[event].row = rows[Int(profile)]
            }
        }
    }

    /// The rows of the messages' events; nil where there are none any more.
    var messageRows: [Row?] {
        var rows = [Row?](repeating: nil, count: messages.count)
        if messages.count == 0 { return rows }
        for type in types {
            for event in type.events where event.message > 0 {
                rows[Int(event.message) - 1] = event.row
            }
        }
        return rows
    }

    /// What becomes of a record of a numbered profile.
    enum Fate {
        case drop
        case keep(EventRecord)
        /// It is a goal of nobody.
        case anonymous(EventRecord)
    }

    /// Decides over all records, which are of numbered profiles.
    mutating func settle(_ fate: (EventRecord, UInt32) -> Fate) {
        for i in types.indices {
            var kept: [EventRecord] = []
            var anonymous = Events(.anonymousGoal)
            anonymous.keys = types[i].keys
            for (event, profile) in types[i].ofUnknown {
                switch fate(types[i].events[event], profile) {
                case .drop: break
                case .keep(let record): kept.append(record)
                case .anonymous(let record): anonymous.events.append(record)
                }
            }
            types[i].events = kept
            types[i].ofUnknown = []
            if !anonymous.events.isEmpty { types.append(anonymous) }
        }
    }

    /// Finds the type and leaf of an event.
    private mutating func place(_ type: RecordType, _ key: LeafKey) -> Place {
        // A piece has far fewer than 2²⁴ names of a kind: it is 4 MiB long, or one line. Variants
        // have 16 bits.
        let code =
            UInt64(key.variant) << 48 | UInt64(key.campaign.rawValue) << 24
            | UInt64(key.template.rawValue)
        let number = type.code
        let hash = (code ^ UInt64(number) << 40) &* 0x9E37_79B9_7F4A_7C15
        let slot = Int(hash >> 58)
        if places[slot].key == code, places[slot].type == number { return places[slot] }
        let index = typeIndex[number] ?? types.count
        if index == types.count {
            typeIndex[number] = index
            types.append(Events(type))
        }
        let leaf = types[index].leaf(code, key)
        places[slot] = Place(type: number, key: code, index: index, leaf: leaf)
        return places[slot]
    }

    /// The piece's own code of an id.
    private static func name(
        _ id: UnsafeRawBufferPointer?, _ names: inout StringInterner
    ) -> NameCode {
        // A piece holds far fewer ids than there are codes.
        unsafe id.flatMap { unsafe names.intern($0) }.map { NameCode($0) } ?? .none
    }
}

/// Makes records of the rows of a piece.
struct RecordParser<Rows: RecordRows>: Sendable {
    let kind: Rows
    var keys: StringTables
    let unknownProfiles: UnknownProfiles

    /// Rows whose profiles are looked up together.
    private static var batch: Int { 128 }

    func parse(
        _ piece: InputPiece, _ layout: RowLayout, _ cancellation: Cancellation
    ) -> ParsedPiece<RecordContent> {
        var content = RecordContent()
        var records: [RecordRow] = []
        var profiles = ProfileRows(keys)
        func settle() -> [RowReader.RefusedRow] {
            defer { records.removeAll(keepingCapacity: true) }
            return self.settle(records, &profiles, &content)
        }
        var columns: EventColumns?
        if case .table = piece, let kind = kind as? EventRows {
            columns = EventColumns(kind, unknownProfiles)
        }
        // All is checked before any name is entered: a row that is not stored makes nothing known.
        let rows = RowReader(
            piece, layout, cancellation, batch: RecordParser.batch, settle: settle,
            columnwise: { columns?.take(&$0, most: $1, &profiles, &content) ?? 0 }
        ) { (cells) throws(BadRow) in records.append(try kind.row(cells, layout.rules)) }
        return ParsedPiece(rows: rows.report, content: content)
    }

    /// Finds the profiles of some rows and adds what they say; returns those that are refused.
    private func settle(
        _ records: [RecordRow], _ profiles: inout ProfileRows, _ content: inout RecordContent
    ) -> [RowReader.RefusedRow] {
        var refused: [RowReader.RefusedRow] = []
        profiles.begin()
        for record in records {
            unsafe profiles.add(record.profile ?? UnsafeRawBufferPointer(start: nil, count: 0))
        }
        let rows = profiles.find()
        for (i, record) in records.enumerated() {
            guard let profile = unsafe record.profile, rows[i] == nil, unknownProfiles != .create
            else {
                content.append(record, row: rows[i].map(Row.init(rawValue:)))
                continue
            }
            if unknownProfiles == .skip {
                content.skipped += 1
            } else {
                refused.append(
                    (i, unsafe .unknownProfile(profile, column: Rows.profile, Rows.parts)))
            }
        }
        return refused
    }
}

extension BadRow {
    fileprivate static func unknownProfile(
        _ id: UnsafeRawBufferPointer, column: String, _ parts: PartKind
    ) -> BadRow {
        let what = parts == .activity ? "events" : parts.name
        return BadRow(
            column: column, code: .unknownProfile,
            reason: "there is no profile “\(unsafe String(decoding: id, as: UTF8.self))”; "
                + "load the profiles first, or say what becomes of such \(what)")
    }
}

/// Finds the rows of profiles by their ids. A table of millions of ids costs four cache misses a
/// look, so those of many rows are waited for together, and what was looked up a short while ago is
/// kept: what happens to a message is mostly close together.
@safe struct ProfileRows: ~Copyable {
    @safe private struct Recent {
        var hash: UInt64 = 0
        /// The id where the table has it; nil where nothing was found yet.
        var id = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        var code: UInt32?
    }

    private let keys: StringTables
    private var recent = [Recent](repeating: Recent(), count: 1024)
    private var ids: [UnsafeRawBufferPointer] = unsafe []
    private var hashes: [UInt64] = []
    private var codes: [UInt32?] = []
    private var missing: [Int] = []

    init(_ keys: StringTables) { self.keys = keys }

    /// Forgets what was added.
    mutating func begin() {
        unsafe ids.removeAll(keepingCapacity: true)
        hashes.removeAll(keepingCapacity: true)
        codes.removeAll(keepingCapacity: true)
        missing.removeAll(keepingCapacity: true)
    }

    /// Adds an id, or an empty one for none.
    mutating func add(_ id: UnsafeRawBufferPointer) {
        let hash = unsafe stringHash(id)
        unsafe ids.append(id)
        hashes.append(hash)
        codes.append(nil)
        if unsafe id.isEmpty { return }
        let entry = recent[Int(hash & 1023)]
        // Equal hashes are not enough: the bytes decide.
        if !keys.isIndexed, entry.hash == hash, unsafe entry.id.holds(id) {
            codes[codes.count - 1] = entry.code
        } else {
            missing.append(codes.count - 1)
        }
    }

    /// The row of each id that was added; nil where the store has none of that id.
    mutating func find() -> [UInt32?] {
        unsafe keys.find(ids, hashes, missing, &codes)
        if keys.isIndexed { return codes }
        for i in missing {
            guard let code = codes[i], let own = unsafe keys.bytes(code) else { continue }
            recent[Int(hashes[i] & 1023)] = unsafe Recent(hash: hashes[i], id: own, code: code)
        }
        return codes
    }
}
