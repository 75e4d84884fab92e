import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowStorage

/// Loads events. A piece is parsed into records whose names have numbers of the piece's own;
/// gathering gives each distinct name of a piece its store-wide code once, so that events are
/// touched only as numbers.
struct EventLoading: Loading {
    private let writer: Writer
    private var pending: Batch
    private var run = MemoryRun()
    private let keys: StringTables
    private let memory: Int
    private let latest: Int64
    private let stored: Bool
    private let unknownProfiles: UnknownProfiles
    let columns: ColumnNames

    private enum Column: Int {
        case profile, channel, event, time, timeMs, campaign, template, link, message, count,
            machine

        static let names = [
            "profile", "channel", "event", "time", "time_ms", "campaign", "template", "link",
            "message", "count",
            "machine",
        ]
        var name: String { Column.names[rawValue] }
    }

    init(_ writer: Writer, now: Instant, _ options: LoadOptions) throws(WinnowError) {
        self.writer = writer
        pending = try Batch(writer.snapshot)
        keys = try writer.snapshot.keys()
        memory = LoadLimits.gathered(options.memory)
        latest = now.milliseconds + Instant.millisecondsPerDay
        stored = writer.snapshot.schema.uniqueEvents == .stored
        unknownProfiles = options.unknownProfiles
        columns = ColumnNames(
            names: Column.names.map { Array($0.utf8) },
            ignoresUnknown: options.ignoresUnknownColumns)
    }

    /// Events of one type in a piece.
    struct TypeContent: Sendable {
        let type: EventType
        /// Campaign and template are numbers of the piece plus one.
        var keys: [LeafKey] = []
        var keyIndex: [UInt64: UInt32] = [:]
        var events: [EventRecord] = []
        /// Events of profiles that are not there yet, and the profile's number in the piece.
        var strangers: [(event: Int, profile: UInt32)] = []
    }

    struct Content: Sendable {
        var strangers = StringInterner(first: 0)
        var skipped = 0
        var types: [TypeContent] = []
        var names: [StringInterner] = Namespace.names.map { _ in StringInterner(first: 0) }
        var messages = StringInterner(first: 0)
    }

    var parser: @Sendable (InputChunk, RowLayout) -> ParsedChunk<Content> {
        let keys = keys, latest = latest, stored = stored, policy = unknownProfiles
        return { chunk, layout in
            var parsed = ParsedChunk(content: Content())
            var typeIndex: [UInt16: Int] = [:], content = Content()
            var last = (key: UInt64.max, type: -1, leaf: UInt32(0)), recent = RecentProfiles()
            let result = RowReader.forEach(chunk, layout, rejected: &parsed.rejected) {
                (cells) throws(BadRow) in
                let type = try EventLoading.type(cells, stored: stored)
                let profile = try unsafe cells[Column.profile.rawValue].id("profile")
                let row = unsafe recent.row(of: profile, in: keys)
                if row == nil, policy == .reject {
                    let id = unsafe String(decoding: profile, as: UTF8.self)
                    throw BadRow(
                        column: "profile", code: .unknownProfile,
                        reason: "there is no profile “\(id)”; load the profiles first, "
                            + "or say what becomes of such events"
                    )
                }
                let time = try EventLoading.time(cells, latest: latest)
                let count = try EventLoading.count(cells[Column.count.rawValue])
                let machine = try EventLoading.machine(cells[Column.machine.rawValue])
                // All is checked before any name is entered: a row that is not stored makes nothing
                // known.
                let campaignID = try unsafe EventLoading.id(cells, .campaign),
                    templateID = try unsafe EventLoading.id(cells, .template)
                let linkID = try unsafe EventLoading.id(cells, .link),
                    messageID = try unsafe EventLoading.id(cells, .message)
                if row == nil, policy == .skip {
                    content.skipped += 1
                    return
                }
                let campaign = unsafe EventLoading.code(campaignID, &content.names[0])
                let template = unsafe EventLoading.code(templateID, &content.names[1])
                let link = unsafe EventLoading.code(linkID, &content.names[2])
                let message = unsafe EventLoading.code(messageID, &content.messages)
                // A piece has far fewer than 2²⁴ names of a kind: it is 4 MiB long, or one line.
                let key =
                    (machine ? 1 << 63 : 0) | UInt64(type.code) << 48 | UInt64(campaign) << 24
                    | UInt64(template)
                if key != last.key {
                    let index = typeIndex[type.code] ?? content.types.count
                    if index == content.types.count {
                        typeIndex[type.code] = index
                        content.types.append(TypeContent(type: type))
                    }
                    last = (key, index, content.types[index].leaf(key, campaign, template, machine))
                }
                if row == nil, let stranger = unsafe content.strangers.intern(profile) {
                    let event = content.types[last.type].events.count
                    content.types[last.type].strangers.append((event, stranger))
                }
                content.types[last.type].events.append(
                    EventRecord(
                        row: row ?? 0, leaf: last.leaf, time: time, count: count, link: link,
                        message: message))
            }
            parsed.content = content
            (parsed.rows, parsed.lines) = result
            return parsed
        }
    }

    mutating func gather(_ content: Content, _ summary: inout LoadSummary) throws(WinnowError) {
        var codes: [[UInt32]] = []
        for (namespace, names) in zip(Namespace.names, content.names) {
            codes.append(try storeCodes(names, namespace))
        }
        var rows: [UInt32] = []
        for i in 0..<content.strangers.count {
            guard
                let row = unsafe content.strangers.bytes(i).withUnsafeBytes({
                    unsafe pending.profiles.intern($0)
                })
            else {
                throw .usage("the store has no room for more profiles")
            }
            rows.append(row)
        }
        summary.skipped += content.skipped
        let firstMessage = run.add(messages: content.messages)
        for var type in content.types {
            for stranger in type.strangers {
                type.events[stranger.event].row = rows[Int(stranger.profile)]
            }
            let keys = type.keys.map {
                LeafKey(
                    campaign: codes[0][Int($0.campaign)], template: codes[1][Int($0.template)],
                    machine: $0.machine)
            }
            if codes[2].count > 1 {
                for i in type.events.indices {
                    type.events[i].link = codes[2][Int(type.events[i].link)]
                }
            }
            if content.messages.count > 0 {
                for i in type.events.indices where type.events[i].message > 0 {
                    type.events[i].message += firstMessage
                }
            }
            run.add(type.type, keys, type.events)
            pending.eventCount += type.events.count
            summary.new += type.events.count
        }
        if run.bytes + pending.memory > memory { try spill() }
    }

    /// The store's codes plus one of a piece's names, new ones given as they come; the first is
    /// that of "none".
    private mutating func storeCodes(
        _ names: StringInterner, _ namespace: Namespace
    ) throws(WinnowError) -> [UInt32] {
        var codes: [UInt32] = [0]
        codes.reserveCapacity(names.count + 1)
        for i in 0..<names.count {
            guard
                let code = unsafe names.bytes(i).withUnsafeBytes({
                    unsafe pending.names[namespace]?.intern($0)
                })
            else {
                throw .usage("the store has no room for more \(namespace) ids")
            }
            codes.append(code + 1)
        }
        return codes
    }

    private mutating func spill() throws(WinnowError) {
        if run.count > 0 {
            let part = try writer.newPart(.activity, durable: false)
            let reference = try ActivityMerge.write(
                [run], knowing: [], names: nil, memory: memory, to: part)
            pending.events.append(
                SpilledRun(try ActivityPart(try writer.directory.open(reference))))
            run = MemoryRun()
        }
        try writer.spillStrings(of: &pending, above: memory / 16)
    }

    mutating func batch() throws(WinnowError) -> Batch {
        // Merging needs memory, too.
        if !pending.events.isEmpty { try spill() }
        if run.count > 0 { pending.events.append(run) }
        run = MemoryRun()
        return pending
    }

    // MARK: Cells

    private static let channelNames = NameTable(Channel.allCases.map { ($0.name, $0) })
    private static let eventNames = NameTable(Event.allCases.map { ($0.name, $0) })

    private static func type(_ cells: [InputCell], stored: Bool) throws(BadRow) -> EventType {
        let channelName = try unsafe cells[Column.channel.rawValue].text("channel")
        let eventName = try unsafe cells[Column.event.rawValue].text("event")
        guard let channel = unsafe channelNames.value(of: channelName) else {
            let name = unsafe String(decoding: channelName.prefix(60), as: UTF8.self)
            throw BadRow(
                column: "channel", code: .unknownChannel, reason: "unknown channel “\(name)”")
        }
        guard let event = unsafe eventNames.value(of: eventName),
            channel.has(event)
        else {
            let name = unsafe String(decoding: eventName.prefix(60), as: UTF8.self)
            let legal = channel.events.map(\.name).joined(separator: ", ")
            throw BadRow(
                column: "event", code: .unknownEvent,
                reason: "\(channel.name) has no event “\(name)”; its events are \(legal)")
        }
        guard event.derivedFrom == nil || stored else {
            throw BadRow(
                column: "event", code: .derivedEvent,
                reason: "“\(event.name)” is derived in this store and cannot be loaded")
        }
        return EventType(channel, event)
    }

    private static func time(_ cells: [InputCell], latest: Int64) throws(BadRow) -> Int64 {
        let time = cells[Column.time.rawValue], milliseconds = cells[Column.timeMs.rawValue]
        guard time.isThere != milliseconds.isThere else {
            throw BadRow(
                column: "time", code: time.isThere ? .twoTimes : .missingTime,
                reason: "exactly one of time and time_ms is needed")
        }
        let value = time.isThere ? try time.time("time") : try milliseconds.integer("time_ms")
        let column = time.isThere ? "time" : "time_ms"
        guard value >= LoadLimits.firstEvent else {
            throw BadRow(column: column, code: .timeRange, reason: "the time lies before 2000")
        }
        guard value <= latest else {
            throw BadRow(
                column: column, code: .timeRange, reason: "the time lies more than a day ahead")
        }
        return value
    }

    private static func count(_ cell: InputCell) throws(BadRow) -> UInt32 {
        guard cell.isThere else { return 1 }
        let value = try cell.integer("count")
        guard (1...Int64(Int32.max)).contains(value) else {
            throw BadRow(
                column: "count", code: .badValue, reason: "count lies between 1 and 2147483647")
        }
        return UInt32(value)
    }

    /// Whether software did it; people did where nothing is said.
    private static func machine(_ cell: InputCell) throws(BadRow) -> Bool {
        cell.isThere ? try cell.boolean(Column.machine.name) : false
    }

    /// An optional id.
    private static func id(_ cells: [InputCell], _ column: Column) throws(BadRow)
        -> UnsafeRawBufferPointer?
    {
        let cell = cells[column.rawValue]
        return unsafe cell.isThere ? try cell.id(column.name) : nil
    }

    /// The piece's number of an id, plus one; zero for none.
    private static func code(_ id: UnsafeRawBufferPointer?, _ names: inout StringInterner) -> UInt32
    {
        // A piece holds far fewer ids than there are numbers.
        unsafe id.flatMap { unsafe names.intern($0) }.map { $0 + 1 } ?? 0
    }
}

/// Profiles that were looked up a short while ago: what happens to a message mostly stands close
/// together, and a table of millions of ids costs four cache misses a look.
@safe private struct RecentProfiles: ~Copyable {
    private let entries = UnsafeMutablePointer<(hash: UInt64, row: UInt32, isThere: Bool)>.allocate(
        capacity: 4096)

    init() { unsafe entries.initialize(repeating: (0, 0, false), count: 4096) }

    deinit { unsafe entries.deallocate() }

    mutating func row(of id: UnsafeRawBufferPointer, in keys: StringTables) -> UInt32? {
        let hash = unsafe stringHash(id), entry = unsafe entries + Int(hash & 4095)
        // Equal hashes are not enough: the bytes decide. They stand in order of rows, so mostly
        // they are in the cache.
        if unsafe entry.pointee.isThere, unsafe entry.pointee.hash == hash,
            unsafe keys.bytes(entry.pointee.row)?.elementsEqual(id) == true
        {
            return unsafe entry.pointee.row
        }
        guard let row = unsafe keys.code(of: id, hash: hash) else { return nil }
        unsafe entry.pointee = (hash, row, true)
        return row
    }
}

/// A few names, looked up by their bytes.
private struct NameTable<Value: Sendable>: Sendable {
    private let entries: [(name: [UInt8], value: Value)]

    init(_ entries: [(String, Value)]) { self.entries = entries.map { (Array($0.0.utf8), $0.1) } }

    func value(of name: UnsafeRawBufferPointer) -> Value? {
        for entry in entries where entry.name.count == name.count {
            if unsafe name.elementsEqual(entry.name) { return entry.value }
        }
        return nil
    }
}

extension EventLoading.TypeContent {
    /// The piece's leaf of a campaign and template.
    fileprivate mutating func leaf(
        _ key: UInt64, _ campaign: UInt32, _ template: UInt32, _ machine: Bool
    ) -> UInt32 {
        if let leaf = keyIndex[key] { return leaf }
        let leaf = UInt32(keys.count)
        keyIndex[key] = leaf
        keys.append(LeafKey(campaign: campaign, template: template, machine: machine))
        return leaf
    }
}
