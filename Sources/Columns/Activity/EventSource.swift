import WinnowBitmaps
import WinnowCKernels
import WinnowFormat
import WinnowModel

/// Where the events of a new part come from: events in memory, or a part that is being merged.
package protocol EventSource: Sendable {
    /// The types it has events of.
    var recordTypes: [RecordType] { get }
    /// Its leaves of a type; months are those of its own splits.
    func leaves(of type: RecordType) throws(WinnowError) -> [LeafSummary]
    /// The blocks in which it has events of a type, and how many.
    func blocks(of type: RecordType) throws(WinnowError) -> [(block: BlockIndex, events: Int)]
    /// Appends the events of a block; `leaf` is the position in `leaves(of:)`.
    func append(_ type: RecordType, block: BlockIndex, to events: inout [EventRecord])
        throws(WinnowError)
    /// The ids that the message numbers of the block's events stand for; nil when they are the
    /// store's ordinals.
    func localMessages(_ block: BlockIndex) throws(WinnowError) -> LocalMessages?
    /// The messages that the source brings to a block of the store.
    func messages(_ block: BlockIndex) throws(WinnowError) -> MessageBlock?
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

/// What sources over parts have in common.
extension ActivityPart {
    package var recordTypes: [RecordType] { Array(types.keys) }

    package func leaves(of type: RecordType) throws(WinnowError) -> [LeafSummary] {
        guard let index = types[type] else { return [] }
        let table = try leaves(of: index)
        let possible = Instant.possibleMilliseconds
        var leaves: [LeafSummary] = []
        for i in 0..<table.count {
            let leaf = LeafSummary(
                key: table.key(LeafID(i)), events: table.events[i], minimum: table.minimum[i],
                maximum: table.maximum[i])
            guard possible.contains(leaf.minimum), possible.contains(leaf.maximum),
                leaf.minimum <= leaf.maximum,
                (0...Int64(index.events)).contains(leaf.events)
            else { throw .damaged(file: file.path, what: "leaf \(i) of \(type) is impossible") }
            leaves.append(leaf)
        }
        return leaves
    }

    package func blocks(of type: RecordType) throws(WinnowError) -> [(
        block: BlockIndex, events: Int
    )] {
        guard let index = types[type] else { return [] }
        var blocks: [(block: BlockIndex, events: Int)] = []
        for i in 0..<index.blockCount {
            let entry = try entry(index, i)
            blocks.append((entry.block, entry.events))
        }
        return blocks
    }

    package func append(_ type: RecordType, block: BlockIndex, to events: inout [EventRecord])
        throws(WinnowError)
    {
        try append(type, block: block, to: &events, of: nil)
    }

    /// Appends the events of some leaves; nil for all.
    func append(
        _ type: RecordType, block: BlockIndex, to events: inout [EventRecord],
        of isWanted: ((LeafID) -> Bool)?
    ) throws(WinnowError) {
        guard let index = types[type], let entry = try find(index, block: block) else { return }
        if isWanted == nil { try willReadChunk(entry) }
        let chunk = try chunk(entry)
        // What a chunk says of its events is backed by its bytes, so there is memory for it.
        let total = (0..<chunk.headCount).reduce(chunk.tail.events) {
            $0 + chunk.events(ofHead: $1)
        }
        guard total == entry.events else {
            throw .damaged(
                file: file.path, what: "a chunk does not have the events that its table says")
        }
        if isWanted == nil { events.reserveCapacity(events.count + total) }
        var distinct = [UInt16](repeating: 0, count: Block.rows)
        for i in 0..<chunk.headCount where isWanted?(chunk.leaf(ofHead: i)) ?? true {
            let head = try chunk.head(i)
            var rows = [UInt16](repeating: 0, count: head.events)
            try unsafe head.eventRows(into: &rows, distinct: &distinct)
            try append(
                head.streams, 0..<head.events, leaf: head.leaf, block, rows, to: &events)
        }
        for i in 0..<chunk.tailRuns where isWanted?(chunk.leaf(ofRun: i)) ?? true {
            let run = try chunk.run(i)
            let rows = unsafe Array(
                UnsafeBufferPointer(start: chunk.tailRows + run.lowerBound, count: run.count))
            try append(
                chunk.tail, run, leaf: chunk.leaf(ofRun: i), block, rows, to: &events)
        }
    }

    func append(
        _ streams: EventStreams, _ range: Range<Int>, leaf: LeafID, _ block: BlockIndex,
        _ rows: [UInt16],
        to events: inout [EventRecord]
    ) throws(WinnowError) {
        let times = streams.times(range)
        let links = streams.links(range)
        let values = streams.values(range)
        var weights = [UInt32](repeating: 1, count: range.count)
        var messages = weights
        unsafe streams.weights(range, into: &weights)
        unsafe streams.messages(range, into: &messages)
        for i in 0..<range.count {
            guard weights[i] > 0 else {
                throw .damaged(file: file.path, what: "an event that did not happen")
            }
            events.append(
                EventRecord(
                    row: Row(block, rows[i]), leaf: leaf, time: times[i],
                    count: weights[i],
                    link: links[i], message: messages[i], value: values[i]))
        }
    }
}

extension ActivityChunk.Head {
    /// Writes the row of every event, in order, where there is room for `events`; `distinct` has
    /// room for a block.
    package func eventRows(
        into rows: UnsafeMutablePointer<UInt16>, distinct all: UnsafeMutablePointer<UInt16>
    ) throws(WinnowError) {
        guard container.isSound else { throw misfit }
        unsafe container.rows(into: starts == nil ? rows : all)
        guard let starts = unsafe starts else { return }
        var rank = -1
        for i in 0..<events {
            unsafe rank += Int(starts[i >> 3] >> UInt8(i & 7) & 1)
            guard rank >= 0, rank < distinct else { throw misfit }
            unsafe rows[i] = unsafe all[rank]
        }
        if rank != distinct - 1 { throw misfit }
    }
}

/// A part that a load wrote when its memory was full: its messages have ordinals of its own.
package struct SpilledRun: EventSource {
    private let part: ActivityPart
    package init(_ part: ActivityPart) { self.part = part }

    package var recordTypes: [RecordType] { part.recordTypes }
    package func leaves(of type: RecordType) throws(WinnowError) -> [LeafSummary] {
        try part.leaves(of: type)
    }
    package func blocks(of type: RecordType) throws(WinnowError) -> [(
        block: BlockIndex, events: Int
    )] {
        try part.blocks(of: type)
    }
    package func append(_ type: RecordType, block: BlockIndex, to events: inout [EventRecord])
        throws(WinnowError)
    {
        try part.append(type, block: block, to: &events)
    }
    package func localMessages(_ block: BlockIndex) throws(WinnowError) -> LocalMessages? {
        guard let messages = try part.messages(block) else { return nil }
        return try LocalMessages(messages)
    }
    package func messages(_ block: BlockIndex) -> MessageBlock? { nil }
}
