import WinnowColumns
import WinnowFormat
import WinnowModel

/// Events of a table, read column by column, a few rows at a time: no cells are made, and of a
/// dictionary each text is looked up once. Where one of the rows is not as usual they are left to
/// `EventRows`, which says what is wrong with it.
@safe struct EventColumns {
    private let kind: EventRows
    private let unknownProfiles: UnknownProfiles
    /// By channel and event, those that can be loaded.
    private let types: [RecordType?]
    /// Of the slice that is read; nil where its columns are not as usual.
    private var columns: Columns?
    private var slice = -1

    private struct Columns {
        let profile, time: PlainCells
        let message: PlainCells?
        var channel: WordColumn<Channel>
        var event: WordColumn<Event>
        var campaign, template, link: NameColumn

        /// Where the type of one of the rows that were read is.
        @inline(__always)
        func type(_ i: Int) -> Int { Int(channel.words[i]) << 8 | Int(event.words[i]) }
    }

    // Of the rows that are read together.
    private var profiles: [UnsafeRawBufferPointer] = unsafe []
    private var messages: [UnsafeRawBufferPointer] = unsafe []
    private var times: [Int64] = []

    init(_ kind: EventRows, _ unknownProfiles: UnknownProfiles) {
        self.kind = kind
        self.unknownProfiles = unknownProfiles
        var types = [RecordType?](repeating: nil, count: 1 << 16)
        for channel in Channel.allCases {
            for event in Event.allCases where kind.loads(event, of: channel) {
                let type = EventType(channel, event)
                types[Int(type.code)] = .event(type)
            }
        }
        self.types = types
    }

    /// Adds the next rows.
    /// - Parameter most: how many, at most.
    /// - Returns: how many; 0 where they are to be read one by one.
    mutating func take(
        _ table: inout TableRows, most: Int, _ rows: inout ProfileRows,
        _ content: inout RecordContent
    ) -> Int {
        guard let range = table.upcoming(most) else { return 0 }
        if slice != table.slice {
            slice = table.slice
            columns = EventColumns.columns(of: table)
        }
        // Taken out, so that nothing of it is copied.
        guard var columns else { return 0 }
        self.columns = nil
        defer { self.columns = columns }
        guard read(range, &columns) else { return 0 }
        rows.begin()
        for i in unsafe profiles.indices { unsafe rows.add(profiles[i]) }
        let found = rows.find()
        guard unknownProfiles != .reject || !found.contains(nil) else { return 0 }
        for i in found.indices {
            guard let type = types[columns.type(i)] else { continue }
            let row = found[i].map(Row.init(rawValue:))
            if row == nil, unknownProfiles == .skip {
                content.skipped += 1
                continue
            }
            let key = LeafKey(
                campaign: columns.campaign.code(i, &content.campaigns),
                template: columns.template.code(i, &content.templates), variant: 0)
            unsafe content.append(
                type, key, link: columns.link.code(i, &content.links), message: messages[i],
                time: times[i], row: row, id: profiles[i])
        }
        table.take(range.count)
        return range.count
    }

    /// The columns of a slice; nil where they are not as usual.
    private static func columns(of table: TableRows) -> Columns? {
        func column(_ column: EventColumn) -> PlainCells? { table.plain(column.rawValue) }
        let texts: [EventColumn] = [
            .profile, .channel, .event, .campaign, .template, .link, .message,
        ]
        let positions = (texts + [.time]).map(\.rawValue)
        guard table.positions.allSatisfy({ positions.contains($0) && table.plain($0) != nil }),
            texts.allSatisfy({ column($0)?.isText ?? true }), let time = column(.time), time.isTime,
            let profile = column(.profile), let channel = column(.channel),
            let event = column(.event), let campaign = NameColumn(column(.campaign)),
            let template = NameColumn(column(.template)), let link = NameColumn(column(.link))
        else { return nil }
        return Columns(
            profile: profile, time: time, message: column(.message),
            channel: WordColumn(channel, EventRows.channels),
            event: WordColumn(event, EventRows.events),
            campaign: campaign, template: template, link: link)
    }

    /// Reads what could be refused; false where something is not as usual.
    private mutating func read(_ rows: Range<Int>, _ columns: inout Columns) -> Bool {
        let possible = LoadLimits.firstEvent...kind.latest
        times.removeAll(keepingCapacity: true)
        columns.time.append(rows, to: &times)
        guard times.count == rows.count, times.allSatisfy(possible.contains) else { return false }
        unsafe PlainCells.replace(&profiles, by: columns.profile, rows)
        unsafe PlainCells.replace(&messages, by: columns.message, rows)
        for i in unsafe profiles.indices {
            guard unsafe !profiles[i].isEmpty, unsafe profiles[i].isUsualID,
                unsafe messages[i].isUsualID
            else { return false }
        }
        columns.channel.read(rows)
        columns.event.read(rows)
        for i in rows.indices where types[columns.type(i - rows.lowerBound)] == nil { return false }
        return columns.campaign.read(rows) && columns.template.read(rows)
            && columns.link.read(rows)
    }
}

/// A column of a few words that are known.
@safe private struct WordColumn<Word: RawRepresentable & Sendable> where Word.RawValue == UInt8 {
    private let cells: PlainCells
    private let table: NameTable<Word>
    /// By the codes of a dictionary.
    private let known: [UInt8]
    private var codes: [Int32] = []
    private var texts: [UnsafeRawBufferPointer] = unsafe []
    /// Of the rows that were read last, each with its number; `none` for no word.
    private(set) var words: [UInt8] = []

    /// No word's number.
    private static var none: UInt8 { .max }

    init(_ cells: PlainCells, _ table: NameTable<Word>) {
        self.cells = cells
        self.table = table
        known = (0..<cells.distinct).map {
            unsafe table.value(of: cells.text(of: $0))?.rawValue ?? WordColumn.none
        }
    }

    mutating func read(_ rows: Range<Int>) {
        words.removeAll(keepingCapacity: true)
        if cells.hasCodes {
            codes.removeAll(keepingCapacity: true)
            cells.append(rows, to: &codes)
            for code in codes { words.append(code < 0 ? WordColumn.none : known[Int(code)]) }
        } else {
            unsafe PlainCells.replace(&texts, by: cells, rows)
            for i in unsafe texts.indices {
                unsafe words.append(table.value(of: texts[i])?.rawValue ?? WordColumn.none)
            }
        }
    }
}

/// A column of ids that get codes of the piece's own.
@safe private struct NameColumn {
    private let cells: PlainCells?
    /// By the codes of a dictionary; nil where they were not needed yet.
    private var known: [NameCode?]
    // Of the rows that were read last.
    private var codes: [Int32] = []
    private var texts: [UnsafeRawBufferPointer] = unsafe []

    /// nil where a dictionary has something that is not as usual.
    init?(_ cells: PlainCells?) {
        self.cells = cells
        let count = cells?.distinct ?? 0
        known = Array(repeating: nil, count: count)
        for code in 0..<count {
            if let cells, unsafe !cells.text(of: code).isUsualID { return nil }
        }
    }

    /// Reads rows; false where one of them is not as usual.
    mutating func read(_ rows: Range<Int>) -> Bool {
        guard let cells else { return true }
        if cells.hasCodes {
            codes.removeAll(keepingCapacity: true)
            cells.append(rows, to: &codes)
            return true
        }
        unsafe PlainCells.replace(&texts, by: cells, rows)
        for i in unsafe texts.indices { guard unsafe texts[i].isUsualID else { return false } }
        return true
    }

    /// The code of one of the rows that were read.
    @inline(__always)
    mutating func code(_ i: Int, _ names: inout StringInterner) -> NameCode {
        guard let cells else { return .none }
        guard cells.hasCodes else { return unsafe NameColumn.code(texts[i], &names) }
        guard codes[i] >= 0 else { return .none }
        let code = Int(codes[i])
        if let known = known[code] { return known }
        let name = unsafe NameColumn.code(cells.text(of: code), &names)
        known[code] = name
        return name
    }

    @inline(__always)
    private static func code(
        _ text: UnsafeRawBufferPointer, _ names: inout StringInterner
    ) -> NameCode {
        if unsafe text.isEmpty { return .none }
        return unsafe names.intern(text).map { NameCode($0) } ?? .none
    }
}

extension UnsafeRawBufferPointer {
    /// Whether it is an id without blanks around it, or none.
    @inline(__always)
    fileprivate var isUsualID: Bool {
        guard let first = unsafe first, let last = unsafe last else { return true }
        return count <= LoadLimits.id && !isBlank(first) && !isBlank(last)
    }
}
