import Bitmaps
import CKernels
import Disk
import Dispatch
import Format
import Model

/// Where the events of a new part come from: events in memory, or a part that is being merged.
package protocol EventSource: Sendable {
    /// The types it has events of.
    var eventTypes: [EventType] { get }
    /// Its leaves of a type; months are those of its own splits.
    func leaves(of type: EventType) throws(WinnowError) -> [LeafSummary]
    /// The blocks in which it has events of a type, and how many.
    func blocks(of type: EventType) throws(WinnowError) -> [(block: Int, events: Int)]
    /// Appends the events of a block; `leaf` is the position in `leaves(of:)`.
    func append(_ type: EventType, block: Int, to events: inout [EventRecord]) throws(WinnowError)
    /// The ids that the message numbers of the block's events stand for; nil when they are the store's ordinals.
    func localMessages(_ block: Int) throws(WinnowError) -> LocalMessages?
    /// The messages that the source brings to a block of the store.
    func messages(_ block: Int) throws(WinnowError) -> MessageBlock?
}

package struct LeafSummary: Sendable {
    package var key: LeafKey
    package var events: Int64
    package var minimum, maximum: Int64

    package init(key: LeafKey, events: Int64, minimum: Int64, maximum: Int64) {
        self.key = key
        self.events = events
        self.minimum = minimum
        self.maximum = maximum
    }
}

/// Writes one activity part from any number of sources. Loading, spilling and merging are this one path. Rows never
/// change, so blocks are independent: each is gathered, sorted and encoded by itself, on all cores, and a merge needs
/// the memory of a few blocks, however large the sources.
package struct ActivityMerge: Sendable {
    private let sources: [any EventSource]
    /// All parts of the store, oldest first: where messages are looked up.
    private let store: [ActivityPart]
    /// nil when no first events are marked.
    private let names: NameOrder?
    private let plans: [LeafPlan]

    /// - Parameter names: orders equal events; nil when the store derives no unique events, or the part is a run that
    ///   will be merged again.
    /// - Parameter memory: bytes that blocks may take that are worked on side by side.
    package static func write(
        _ sources: [any EventSource], knowing store: [ActivityPart], names: NameOrder?, memory: Int, to part: PartWriter
    ) throws(WinnowError) -> PartReference {
        let merge = try ActivityMerge(sources: sources, store: store, names: names)
        return try merge.write(to: part, memory: memory)
    }

    /// What an event takes while its block is gathered, sorted and encoded.
    private static let eventMemory = 128

    private init(sources: [any EventSource], store: [ActivityPart], names: NameOrder?) throws(WinnowError) {
        self.sources = sources
        self.store = store
        self.names = names
        var plans: [LeafPlan] = []
        for type in Set(sources.flatMap(\.eventTypes)).sorted() { plans.append(try LeafPlan(type, sources)) }
        self.plans = plans
    }

    /// Blocks in ascending order, in groups that fit the memory and keep the cores busy.
    private func groups(memory: Int) throws(WinnowError) -> [[Int]] {
        var events: [Int: Int] = [:]
        for plan in plans {
            for source in sources {
                for (block, count) in try source.blocks(of: plan.type) { events[block, default: 0] += count }
            }
        }
        var groups: [[Int]] = [], free = 0
        for (block, count) in events.sorted(by: { $0.key < $1.key }) {
            let needed = count * ActivityMerge.eventMemory
            if let last = groups.last, last.count < availableCores(), needed <= free {
                groups[groups.count - 1].append(block)
                free -= needed
            } else {
                groups.append([block])
                free = memory - needed
            }
        }
        return groups
    }

    private func write(to part: PartWriter, memory: Int) throws(WinnowError) -> PartReference {
        var writer = try ActivityPartWriter(part, plans.map { ($0.type, $0.keys) })
        for group in try groups(memory: memory) {
            let gathered = try concurrentMap(group.count) { (i) throws(WinnowError) in try gather(group[i]) }
            let pieces = gathered.indices.flatMap { i in gathered[i].types.indices.map { (block: i, type: $0) } }
            let chunks = try concurrentMap(pieces.count) { (i) throws(WinnowError) in
                let (type, events) = gathered[pieces[i].block].types[pieces[i].type]
                let firsts = names.flatMap { FirstEvents(plans[type].type, $0) }
                return (type, ActivityChunkEncoder.encode(events, leaves: plans[type].keys, firsts: firsts))
            }
            for (i, block) in group.enumerated() {
                let own = zip(pieces, chunks).filter { $0.0.block == i }.map { (type: $0.1.0, chunk: $0.1.1) }
                try writer.append(block, own, messages: gathered[i].messages)
            }
        }
        return try writer.finish()
    }

    /// A block's events by type, their messages numbered as in the store, and the messages for the new part.
    private struct GatheredBlock {
        var types: [(type: Int, events: [EventRecord])] = []
        var messages: [UInt8] = []
    }

    private func gather(_ block: Int) throws(WinnowError) -> GatheredBlock {
        var result = GatheredBlock(), numbering = MessageNumbering()
        var local: [LocalMessages?] = [], carried: [MessageBlock] = []
        for source in sources {
            local.append(try source.localMessages(block))
            if let messages = try source.messages(block) { carried.append(messages) }
        }
        var numbered: [(type: Int, range: Range<Int>)] = []
        for (type, plan) in plans.enumerated() {
            var events: [EventRecord] = []
            for (i, source) in sources.enumerated() {
                let start = events.count
                try source.append(plan.type, block: block, to: &events)
                try plan.renumber(&events, from: start, source: i)
                if let ids = local[i], start < events.count {
                    try numbering.enter(&events, from: start, ids)
                    numbered.append((result.types.count, start..<events.count))
                }
            }
            if !events.isEmpty { result.types.append((type, events)) }
        }
        if !numbering.isEmpty {
            var known: [MessageBlock] = []
            for part in store { if let messages = try part.messages(block) { known.append(messages) } }
            try numbering.resolve(known)
            for (type, range) in numbered { numbering.number(&result.types[type].events, range) }
        }
        result.messages = try numbering.encoded(merging: carried)
        return result
    }
}

/// The leaves of the part to be written, and where each source's leaves go.
private struct LeafPlan: Sendable {
    let type: EventType
    let keys: [LeafKey]
    /// Per source and leaf: the new leaf, or of a split one the first month's.
    private let targets: [[Target]]

    private struct Target: Sendable {
        var leaf: UInt32
        /// Month of `leaf` when the events must be told apart by month, else 0.
        var firstMonth: UInt32
    }

    init(_ type: EventType, _ sources: [any EventSource]) throws(WinnowError) {
        self.type = type
        var totals: [LeafKey: LeafSummary] = [:]
        var all: [[LeafSummary]] = []
        for source in sources {
            let leaves = try source.leaves(of: type)
            all.append(leaves)
            for leaf in leaves where leaf.events > 0 {
                var key = leaf.key
                key.month = 0
                var total = totals[key] ?? LeafSummary(key: key, events: 0, minimum: .max, maximum: .min)
                total.events += leaf.events
                total.minimum = min(total.minimum, leaf.minimum)
                total.maximum = max(total.maximum, leaf.maximum)
                totals[key] = total
            }
        }
        var keys: [LeafKey] = [], starts: [LeafKey: Target] = [:]
        for total in totals.values.sorted(by: { $0.key < $1.key }) {
            let split = total.events >= Tuning.splitEvents && total.maximum - total.minimum > Tuning.splitSpan
            let first = split ? LeafKey.month(of: total.minimum) : 0
            starts[total.key] = Target(leaf: UInt32(keys.count), firstMonth: first)
            for month in first...(split ? LeafKey.month(of: total.maximum) : 0) {
                keys.append(LeafKey(campaign: total.key.campaign, template: total.key.template, month: month))
            }
        }
        self.keys = keys
        targets = all.map { leaves in
            leaves.map {
                starts[LeafKey(campaign: $0.key.campaign, template: $0.key.template)] ?? Target(leaf: 0, firstMonth: 0)
            }
        }
    }

    func renumber(_ events: inout [EventRecord], from start: Int, source: Int) throws(WinnowError) {
        let targets = targets[source]
        for i in start..<events.count {
            guard Int(events[i].leaf) < targets.count else {
                throw .damaged(file: "activity", what: "an event of a leaf that is not there")
            }
            let target = targets[Int(events[i].leaf)]
            events[i].leaf =
                target.firstMonth == 0
                ? target.leaf : target.leaf + LeafKey.month(of: events[i].time) - target.firstMonth
        }
    }
}

/// The results of `body(0) … body(n − 1)`, computed on all cores; the first error by number wins.
package func concurrentMap<T: Sendable>(
    _ n: Int, _ body: @Sendable (Int) throws(WinnowError) -> T
) throws(WinnowError) -> [T] {
    let results = UnsafeMutablePointer<Result<T, WinnowError>?>.allocate(capacity: n)
    results.initialize(repeating: nil, count: n)
    defer {
        results.deinitialize(count: n)
        results.deallocate()
    }
    nonisolated(unsafe) let slots = results
    DispatchQueue.concurrentPerform(iterations: n) { i in
        do throws(WinnowError) { slots[i] = .success(try body(i)) } catch { slots[i] = .failure(error) }
    }
    var values: [T] = []
    values.reserveCapacity(n)
    for i in 0..<n { if let result = results[i] { values.append(try result.get()) } }
    return values
}

extension ActivityPart: EventSource {
    package var eventTypes: [EventType] { Array(types.keys) }

    package func leaves(of type: EventType) throws(WinnowError) -> [LeafSummary] {
        guard let index = types[type] else { return [] }
        let table = try leaves(of: index)
        return (0..<table.count).map {
            LeafSummary(
                key: table.key($0), events: table.events[$0], minimum: table.minimum[$0], maximum: table.maximum[$0])
        }
    }

    package func blocks(of type: EventType) throws(WinnowError) -> [(block: Int, events: Int)] {
        guard let index = types[type] else { return [] }
        var blocks: [(block: Int, events: Int)] = []
        for i in 0..<index.blockCount {
            let entry = try entry(index, i)
            blocks.append((entry.block, entry.events))
        }
        return blocks
    }

    package func append(_ type: EventType, block: Int, to events: inout [EventRecord]) throws(WinnowError) {
        guard let index = types[type], let entry = try find(index, block: block) else { return }
        let chunk = try chunk(entry), firstRow = UInt32(block) << 16
        events.reserveCapacity(events.count + entry.events)
        var distinct = [UInt16](repeating: 0, count: Block.rows)
        var counts = [UInt32](repeating: 0, count: Block.rows)
        for i in 0..<chunk.headCount {
            let head = try chunk.head(i)
            var rows = [UInt16](repeating: 0, count: head.events)
            try head.eventRows(into: &rows, distinct: &distinct, counts: &counts)
            try append(head.streams, 0..<head.events, leaf: head.leaf, rows: rows, firstRow, to: &events)
        }
        for i in 0..<chunk.tailRuns {
            let run = try chunk.run(i)
            let rows = Array(UnsafeBufferPointer(start: chunk.tailRows + run.lowerBound, count: run.count))
            try append(chunk.tail, run, leaf: chunk.leaf(ofRun: i), rows: rows, firstRow, to: &events)
        }
    }

    package func localMessages(_ block: Int) -> LocalMessages? { nil }

    private func append(
        _ streams: EventStreams, _ range: Range<Int>, leaf: Int, rows: [UInt16], _ firstRow: UInt32,
        to events: inout [EventRecord]
    ) throws(WinnowError) {
        let times = streams.times(range)
        var weights = [UInt32](repeating: 1, count: range.count), links = weights, messages = weights
        streams.weights(range, into: &weights)
        streams.links(range, into: &links)
        streams.messages(range, into: &messages)
        for i in 0..<range.count {
            events.append(
                EventRecord(
                    row: firstRow | UInt32(rows[i]), leaf: UInt32(clamping: leaf), time: times[i], count: weights[i],
                    link: links[i], message: messages[i]))
        }
    }
}

extension ActivityChunk.Head {
    /// Writes the row of every event, in order, where there is room for `events`; `distinct` and `counts` have room for
    /// a block. Counts that do not add up to the events are damage.
    package func eventRows(
        into rows: UnsafeMutablePointer<UInt16>, distinct: UnsafeMutablePointer<UInt16>,
        counts more: UnsafeMutablePointer<UInt32>
    ) throws(WinnowError) {
        guard countWidth > 0 else { return container.rows(into: rows) }
        container.rows(into: distinct)
        ck_unpack32(counts, 0, self.distinct, UInt32(countWidth), 1, more)
        var at = 0
        for i in 0..<self.distinct {
            let n = Int(more[i])
            guard n <= events - at else { throw damage }
            let row = distinct[i]
            for k in at..<at + n { rows[k] = row }
            at += n
        }
        guard at == events else { throw damage }
    }

    private var damage: WinnowError { .damaged(file: file, what: "a run's counts do not add up to its events") }
}

/// A part that a load wrote when its memory was full: its messages have ordinals of its own.
package struct SpilledRun: EventSource {
    private let part: ActivityPart
    package init(_ part: ActivityPart) { self.part = part }

    package var eventTypes: [EventType] { part.eventTypes }
    package func leaves(of type: EventType) throws(WinnowError) -> [LeafSummary] { try part.leaves(of: type) }
    package func blocks(of type: EventType) throws(WinnowError) -> [(block: Int, events: Int)] {
        try part.blocks(of: type)
    }
    package func append(_ type: EventType, block: Int, to events: inout [EventRecord]) throws(WinnowError) {
        try part.append(type, block: block, to: &events)
    }
    package func localMessages(_ block: Int) throws(WinnowError) -> LocalMessages? {
        guard let messages = try part.messages(block) else { return nil }
        return try LocalMessages(messages)
    }
    package func messages(_ block: Int) -> MessageBlock? { nil }
}
