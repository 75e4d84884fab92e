import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowStorage

/// Loads events, goals or subscriptions. A piece is parsed into records whose names have numbers of the piece's own;
/// gathering gives each distinct name of a piece its store-wide code once, so that events are
/// touched only as numbers.
struct RecordLoading<Rows: RecordRows>: Loading {
    private let writer: Writer
    private let parser: RecordParser<Rows>
    private var pending: Batch
    private var run = MemoryRun()
    private let memory: Int
    /// Of subscriptions, how many rows the run has: later ones may replace earlier ones.
    private var sequence: UInt32 = 0
    let columns: ColumnNames

    init(_ kind: Rows, _ writer: Writer, _ options: LoadOptions) throws(WinnowError) {
        self.writer = writer
        pending = try Batch(writer.snapshot)
        if options.distinct { pending.distinct = DistinctEvents() }
        pending.records[Rows.parts] = Batch.Records()
        parser = RecordParser(
            kind: kind, keys: try writer.snapshot.keys(),
            unknownProfiles: options.unknownProfiles)
        memory = LoadLimits.gathered(options.memory)
        columns = ColumnNames(kind.columns, alternatives: kind.alternatives, options)
    }

    var parse: @Sendable (InputPiece, RowLayout, Cancellation) -> ParsedPiece<RecordContent> {
        let parser = parser
        return { parser.parse($0, $1, $2) }
    }

    mutating func gather(_ content: RecordContent, _ summary: inout LoadSummary) throws(WinnowError)
    {
        let namespaces = Rows.namespaces
        let campaigns = try codes(content.campaigns, namespaces.campaign)
        let templates = try codes(content.templates, namespaces.template)
        let links = try namespaces.link.map { (namespace) throws(WinnowError) in
            try codes(content.links, namespace)
        }
        let rows = try newRows(content.unknownProfiles)
        summary.skipped += content.skipped
        let firstMessage = run.add(messages: content.messages)
        for type in content.types {
            var events = type.events
            for (event, profile) in type.ofUnknown { events[event].row = rows[Int(profile)] }
            if let links, content.links.count > 0 {
                for i in events.indices { events[i].link = links[Int(events[i].link.rawValue)] }
            }
            if content.messages.count > 0 {
                for i in events.indices where events[i].message > 0 {
                    events[i].message += firstMessage
                }
            }
            let keys = type.keys.map {
                LeafKey(
                    campaign: campaigns[Int($0.campaign.rawValue)],
                    template: templates[Int($0.template.rawValue)],
                    variant: $0.variant)
            }
            switch type.type {
            case .event, .goal: break
            case .anonymousGoal: RecordLoading.place(&events, keys)
            case .subscription:
                for i in events.indices {
                    sequence += 1
                    events[i].message = sequence
                }
            }
            run.add(type.type, keys, events)
            pending.records[Rows.parts]?.count += events.count
            if Rows.parts != .subscriptions { summary.new += events.count }
        }
        if run.bytes + pending.memory > memory { try spill() }
    }

    /// Gives goals of nobody their rows.
    private static func place(_ events: inout [EventRecord], _ keys: [LeafKey]) {
        for i in events.indices {
            let key = keys[events[i].leaf.index]
            var hash = UInt64(key.pixel.rawValue) << 32 | UInt64(key.goal.rawValue)
            for number in [events[i].time, events[i].value ?? .min] {
                hash = (hash ^ UInt64(bitPattern: number)) &* 0x9E37_79B9_7F4A_7C15
                hash ^= hash >> 29
            }
            events[i].row = RecordType.anonymousRow(events[i].time, hash: hash)
        }
    }

    /// The store's codes of a piece's names, by their numbers there; new names get one as they
    /// come. The first is that of none.
    private mutating func codes(
        _ names: StringInterner, _ namespace: Namespace
    ) throws(WinnowError) -> [NameCode] {
        var codes: [NameCode] = [.none]
        codes.reserveCapacity(names.count + 1)
        for i in 0..<names.count {
            let code = unsafe names.bytes(i).withUnsafeBytes {
                unsafe pending.names[namespace]?.intern($0)
            }
            guard let code else {
                throw .usage("the store has no room for more \(namespace) ids")
            }
            codes.append(NameCode(code))
        }
        return codes
    }

    /// Rows for the profiles that the store does not have.
    private mutating func newRows(_ profiles: StringInterner) throws(WinnowError) -> [Row] {
        var rows: [Row] = []
        for i in 0..<profiles.count {
            let row = unsafe profiles.bytes(i).withUnsafeBytes {
                unsafe pending.profiles.intern($0)
            }
            guard let row else { throw .usage("the store has no room for more profiles") }
            rows.append(Row(rawValue: row))
        }
        return rows
    }

    private mutating func spill() throws(WinnowError) {
        if run.count > 0 {
            let part = try writer.newPart(Rows.parts, durable: false)
            let reference = try ActivityMerge.write(
                [run], knowing: [], names: nil, memory: memory, to: part)
            let spilled = SpilledRun(try ActivityPart(try writer.directory.open(reference)))
            pending.records[Rows.parts]?.sources.append(spilled)
            run = MemoryRun()
            sequence = 0
        }
        try writer.spillStrings(of: &pending, above: memory / 16)
    }

    mutating func batch() throws(WinnowError) -> Batch {
        // Merging needs memory, too.
        if pending.records[Rows.parts]?.sources.isEmpty == false { try spill() }
        if run.count > 0 { pending.records[Rows.parts]?.sources.append(run) }
        run = MemoryRun()
        return pending
    }
}
