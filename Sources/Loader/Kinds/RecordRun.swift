import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowStorage

/// Records of one kind of parts while a batch is gathered: what pieces say, in order, with each
/// distinct name of a piece given its store-wide code once.
struct RecordRun {
    let parts: PartKind
    private let namespaces: (campaign: Namespace, template: Namespace, link: Namespace?)
    private var run = MemoryRun()
    /// Of subscriptions, how many rows the run has: later ones may replace earlier ones.
    private var sequence: UInt32 = 0

    init<Rows: RecordRows>(of rows: Rows.Type, in batch: inout Batch) {
        parts = Rows.parts
        namespaces = Rows.namespaces
        batch.records[parts] = Batch.Records()
    }

    var bytes: Int { run.bytes }

    /// Adds what a piece says, whose records know their rows; returns how many records.
    mutating func add(
        _ content: RecordContent, to batch: inout Batch
    ) throws(WinnowError) -> Int {
        var count = 0
        let campaigns = try codes(content.campaigns, namespaces.campaign, &batch)
        let templates = try codes(content.templates, namespaces.template, &batch)
        let links = try namespaces.link.map { (namespace) throws(WinnowError) in
            try codes(content.links, namespace, &batch)
        }
        let messages = run.add(messages: content.messages, rows: content.messageRows)
        for type in content.types {
            var events = type.events
            if let links, content.links.count > 0 {
                for i in events.indices { events[i].link = links[Int(events[i].link.rawValue)] }
            }
            if content.messages.count > 0 {
                for i in events.indices where events[i].message > 0 {
                    events[i].message = messages[Int(events[i].message) - 1]
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
            case .anonymousGoal: RecordRun.place(&events, keys)
            case .subscription:
                for i in events.indices {
                    sequence += 1
                    events[i].message = sequence
                }
            }
            run.add(type.type, keys, events)
            count += events.count
        }
        batch.records[parts]?.count += count
        return count
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
    private func codes(
        _ names: StringInterner, _ namespace: Namespace, _ batch: inout Batch
    ) throws(WinnowError) -> [NameCode] {
        var codes: [NameCode] = [.none]
        codes.reserveCapacity(names.count + 1)
        for i in 0..<names.count {
            let code = unsafe names.bytes(i).withUnsafeBytes {
                unsafe batch.names[namespace]?.intern($0)
            }
            guard let code else {
                throw .usage("the store has no room for more \(namespace) ids")
            }
            codes.append(NameCode(code))
        }
        return codes
    }

    /// Writes the records out, to be merged at the end.
    mutating func spill(
        _ writer: Writer, memory: Int, to batch: inout Batch
    ) throws(WinnowError) {
        guard run.count > 0 else { return }
        let part = try writer.newPart(parts, durable: false)
        let reference = try ActivityMerge.write(
            [run], knowing: [], names: nil, memory: memory, to: part)
        let spilled = SpilledRun(try ActivityPart(try writer.directory.open(reference)))
        batch.records[parts]?.sources.append(spilled)
        run = MemoryRun()
        sequence = 0
    }

    /// Hands over what is left; where much was written out, so is the rest, since merging needs
    /// memory, too.
    mutating func finish(
        _ writer: Writer, memory: Int, to batch: inout Batch
    ) throws(WinnowError) {
        if batch.records[parts]?.sources.isEmpty == false {
            try spill(writer, memory: memory, to: &batch)
        }
        if run.count > 0 { batch.records[parts]?.sources.append(run) }
        run = MemoryRun()
    }
}
