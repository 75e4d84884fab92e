import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowStorage

/// Loads events. A piece is parsed into records whose names have numbers of the piece's own;
/// gathering gives each distinct name of a piece its store-wide code once, so that events are
/// touched only as numbers.
struct EventLoading: Loading {
    private let writer: Writer
    private let parser: EventParser
    private var pending: Batch
    private var run = MemoryRun()
    private let memory: Int
    let columns: ColumnNames

    init(_ writer: Writer, now: Instant, _ options: LoadOptions) throws(WinnowError) {
        self.writer = writer
        pending = try Batch(writer.snapshot)
        if options.distinct { pending.distinct = DistinctEvents() }
        parser = EventParser(
            keys: try writer.snapshot.keys(),
            latest: now.milliseconds + Instant.millisecondsPerDay,
            loadsUnique: writer.snapshot.schema.uniqueEvents == .stored,
            unknownProfiles: options.unknownProfiles)
        memory = LoadLimits.gathered(options.memory)
        columns = ColumnNames(
            EventColumn.allCases.map(\.column),
            alternatives: [EventColumn.time.name, EventColumn.timeMs.name], options)
    }

    var parse: @Sendable (InputPiece, RowLayout, Cancellation) -> ParsedPiece<EventContent> {
        let parser = parser
        return { parser.parse($0, $1, $2) }
    }

    mutating func gather(_ content: EventContent, _ summary: inout LoadSummary) throws(WinnowError)
    {
        let campaigns = try codes(content.campaigns, .campaign)
        let templates = try codes(content.templates, .template)
        let links = try codes(content.links, .link)
        let rows = try newRows(content.unknownProfiles)
        summary.skipped += content.skipped
        let firstMessage = run.add(messages: content.messages)
        for type in content.types {
            var events = type.events
            for (event, profile) in type.ofUnknown { events[event].row = rows[Int(profile)] }
            if content.links.count > 0 {
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
                    machine: $0.machine)
            }
            run.add(type.type, keys, events)
            pending.eventCount += events.count
            summary.new += events.count
        }
        if run.bytes + pending.memory > memory { try spill() }
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
}
