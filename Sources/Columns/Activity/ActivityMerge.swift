import WinnowDisk
import WinnowFormat
import WinnowModel
import WinnowThreads

/// Writes one activity part from any number of sources. Loading, spilling and merging are this one
/// path. Rows never change, so blocks are independent: each is gathered, sorted and encoded by
/// itself, on all cores, and a merge needs the memory of a few blocks, however large the sources.
package struct ActivityMerge: Sendable {
    private let sources: [any EventSource]
    /// All parts of the store, oldest first: where messages are looked up.
    private let store: [ActivityPart]
    /// nil when no first events are marked.
    private let names: NameOrder?
    /// Whether what was forgotten is left out. The sources are all of the store's parts then, and
    /// messages go, too, that no event is about any more.
    private let purges: Bool
    /// Given to pass over events that have been there before: in which sources they are.
    private let distinct: (events: DistinctEvents, from: Int)?
    private let plans: [LeafPlan]

    /// - Parameter names: orders equal events; nil when the store derives no unique events, or the
    ///   part is a run that will be merged again.
    /// - Parameter inUse: given to purge what was forgotten; takes the names of all events.
    /// - Parameter distinct: given to pass over events that equal others: those of the sources from
    ///   a number on. The sources before are the newest parts of the store.
    /// - Parameter memory: bytes that blocks may take that are worked on side by side.
    package static func write(
        _ sources: [any EventSource], knowing store: [ActivityPart], names: NameOrder?,
        purging inUse: NamesInUse? = nil, distinct: (events: DistinctEvents, from: Int)? = nil,
        memory: Int, to part: PartWriter
    ) throws(WinnowError) -> PartReference {
        let merge = try ActivityMerge(
            sources: sources, store: store, names: names, purges: inUse != nil, distinct: distinct)
        return try merge.write(to: part, memory: memory, inUse)
    }

    /// What an event takes while its block is gathered, sorted and encoded.
    private static let eventMemory = 128

    private init(
        sources: [any EventSource], store: [ActivityPart], names: NameOrder?, purges: Bool,
        distinct: (events: DistinctEvents, from: Int)?
    ) throws(WinnowError) {
        self.distinct = distinct
        self.sources = sources
        self.store = store
        self.names = names
        self.purges = purges
        var plans: [LeafPlan] = []
        for type in Set(sources.flatMap(\.recordTypes)).sorted() {
            plans.append(try LeafPlan(type, sources))
        }
        self.plans = plans
    }

    /// Blocks in ascending order, in groups that fit the memory and keep the cores busy.
    private func groups(memory: Int) throws(WinnowError) -> [[BlockIndex]] {
        var events: [BlockIndex: Int] = [:]
        for plan in plans {
            for source in sources {
                for (block, count) in try source.blocks(of: plan.type) {
                    events[block, default: 0] += count
                }
            }
        }
        var groups: [[BlockIndex]] = []
        var free = 0
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

    private func write(
        to part: PartWriter, memory: Int, _ inUse: NamesInUse?
    ) throws(WinnowError) -> PartReference {
        var writer = try ActivityPartWriter(part, plans.map { ($0.type, $0.keys) })
        let cancellation = part.cancellation
        for group in try groups(memory: memory) {
            let gathered = try concurrentMap(group.count) { (i) throws(WinnowError) in
                try cancellation.check()
                return try gather(group[i], cancellation)
            }
            for block in gathered { inUse?.insert(block.names) }
            let pieces = gathered.indices.flatMap { i in
                gathered[i].types.indices.map { (block: i, type: $0) }
            }
            let chunks = try concurrentMap(pieces.count) {
                (i) throws(WinnowError) -> (type: Int, chunk: EncodedChunk) in
                try cancellation.check()
                let (type, events) = gathered[pieces[i].block].types[pieces[i].type]
                let firsts = names.flatMap { FirstEvents(plans[type].type, $0) }
                return (
                    type,
                    ActivityChunkEncoder.encode(events, leaves: plans[type].keys, firsts: firsts)
                )
            }
            for (i, block) in group.enumerated() {
                let own = zip(pieces, chunks).filter { $0.0.block == i }.map {
                    (type: $0.1.0, chunk: $0.1.1)
                }
                try writer.append(block, own, messages: gathered[i].messages)
            }
        }
        return try writer.finish()
    }

    /// A block's events by type, their messages numbered as in the store, and the messages for the
    /// new part.
    private struct GatheredBlock {
        var types: [(type: Int, events: [EventRecord])] = []
        var messages: [UInt8] = []
        /// Of its events, when what was forgotten is purged.
        var names = EventNames()
    }

    private func gather(
        _ block: BlockIndex, _ cancellation: Cancellation
    ) throws(WinnowError) -> GatheredBlock {
        var result = GatheredBlock()
        var numbering = MessageNumbering()
        var local: [(ids: LocalMessages, base: Int)?] = []
        var carried: [MessageBlock] = []
        if purges {
            let all = try LocalMessages(store, block)
            local = Array(repeating: (all, try numbering.add(all)), count: sources.count)
        } else {
            for source in sources {
                var own: (ids: LocalMessages, base: Int)?
                if let ids = try source.localMessages(block) {
                    own = (ids, try numbering.add(ids))
                }
                local.append(own)
                if let messages = try source.messages(block) { carried.append(messages) }
            }
        }
        var numbered: [(type: Int, range: Range<Int>)] = []
        // Per type where the events begin that may have been there before.
        var firstNew: [Int] = []
        for (type, plan) in plans.enumerated() {
            var events: [EventRecord] = []
            var new: Int?
            for (i, source) in sources.enumerated() {
                let start = events.count
                if i == distinct?.from { new = start }
                try cancellation.check()
                try source.append(plan.type, block: block, to: &events)
                try plan.renumber(&events, from: start, source: i)
                if let (ids, base) = local[i], start < events.count {
                    try numbering.enter(&events, from: start, ids, base: base, cancellation)
                    numbered.append((result.types.count, start..<events.count))
                }
            }
            if purges { result.names.insert(events, plan.keys, of: plan.type) }
            if !events.isEmpty {
                result.types.append((type, events))
                firstNew.append(new ?? events.count)
            }
        }
        if !numbering.isEmpty {
            var known: [MessageBlock] = []
            for part in store where !purges {
                if let messages = try part.messages(block) { known.append(messages) }
            }
            try numbering.resolve(known)
            try cancellation.check()
            for (type, range) in numbered { numbering.number(&result.types[type].events, range) }
        }
        if let distinct {
            for i in result.types.indices {
                let plan = plans[result.types[i].type]
                try distinct.events.keepNew(
                    &result.types[i].events, from: firstNew[i], plan.type, block, plan.keys,
                    store.dropLast(distinct.from))
            }
            result.types.removeAll { $0.events.isEmpty }
        }
        result.messages = try numbering.encoded(merging: carried, cancellation)
        return result
    }
}
