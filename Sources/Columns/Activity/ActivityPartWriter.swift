import WinnowFormat
import WinnowModel

/// Writes an activity part block by block, in ascending order.
struct ActivityPartWriter {
    private let writer: PartWriter
    private var types: [TypeTables]
    private var messageBlocks = ByteWriter()
    private var chunkOffset = 0

    /// What is known of one event type when all its chunks are written.
    fileprivate struct TypeTables {
        let type: RecordType
        let keys: [LeafKey]
        var events, distinct, minimum, maximum, withoutMessage, firstWithoutMessage: [Int64]
        var blocks:
            [(
                block: BlockIndex, events: Int, chunk: Int, chunkSize: Int, summary: Int,
                summarySize: Int
            )] =
                []
        var summaries = ByteWriter()
        var rows = 0

        init(_ type: RecordType, _ keys: [LeafKey]) {
            self.type = type
            self.keys = keys
            events = Array(repeating: 0, count: keys.count)
            distinct = events
            withoutMessage = events
            minimum = Array(repeating: .max, count: keys.count)
            maximum = Array(repeating: .min, count: keys.count)
            firstWithoutMessage = minimum
        }
    }

    init(_ writer: PartWriter, _ types: [(type: RecordType, leaves: [LeafKey])]) throws(WinnowError)
    {
        self.writer = writer
        self.types = types.map { TypeTables($0.type, $0.leaves) }
        try writer.begin(.chunks)
    }

    /// Adds a block: a chunk per type that has events there, by the type's position, and the
    /// messages, if any.
    mutating func append(
        _ block: BlockIndex, _ chunks: [(type: Int, chunk: EncodedChunk)], messages: [UInt8]
    ) throws(WinnowError) {
        for (type, chunk) in chunks {
            types[type].add(block, chunk, at: chunkOffset)
            try put(chunk.bytes)
        }
        guard !messages.isEmpty else { return }
        messageBlocks.put(block.rawValue)
        messageBlocks.put(UInt32(0))
        messageBlocks.put(UInt64(chunkOffset))
        messageBlocks.put(UInt64(messages.count))
        try put(messages)
    }

    private mutating func put(_ bytes: [UInt8]) throws(WinnowError) {
        try writer.append(bytes)
        writer.align(to: 8)
        chunkOffset += (bytes.count + 7) / 8 * 8
    }

    mutating func finish() throws(WinnowError) -> PartReference {
        var directory = ByteWriter()
        var leaves = ByteWriter()
        var blocks = ByteWriter()
        var summaries = 0
        try writer.begin(.summaries)
        directory.put(UInt32(clamping: types.count))
        directory.put(UInt32(ActivityPart.typeEntrySize))
        directory.put(UInt32(ActivityPart.blockEntrySize))
        directory.put(UInt32(0))
        for i in types.indices {
            types[i].append(
                to: &directory, leaves: &leaves, blocks: &blocks, summariesAt: summaries)
            try writer.append(types[i].summaries.bytes)
            summaries += types[i].summaries.bytes.count
        }
        try writer.begin(.blocks)
        try writer.append(blocks.bytes)
        if !messageBlocks.bytes.isEmpty {
            try writer.begin(.messageBlocks)
            try writer.append(messageBlocks.bytes)
        }
        try writer.begin(.leaves)
        try writer.append(leaves.bytes)
        try writer.begin(.eventTypes)
        try writer.append(directory.bytes)
        return try writer.finish()
    }
}

extension ActivityPartWriter.TypeTables {
    fileprivate mutating func add(_ block: BlockIndex, _ chunk: EncodedChunk, at offset: Int) {
        for leaf in chunk.leaves {
            let i = leaf.leaf.index
            events[i] += leaf.events
            distinct[i] += leaf.distinct
            withoutMessage[i] += leaf.withoutMessage
            firstWithoutMessage[i] = min(firstWithoutMessage[i], leaf.firstWithoutMessage)
            minimum[i] = min(minimum[i], leaf.minimum)
            maximum[i] = max(maximum[i], leaf.maximum)
        }
        rows += chunk.rows
        blocks.append(
            (
                block, chunk.events, offset, chunk.bytes.count, summaries.bytes.count,
                chunk.summary.count
            ))
        summaries.bytes.append(contentsOf: chunk.summary)
        summaries.align(to: 64)
    }

    fileprivate mutating func append(
        to directory: inout ByteWriter, leaves: inout ByteWriter, blocks all: inout ByteWriter,
        summariesAt start: Int
    ) {
        let used = keys.indices.filter { events[$0] > 0 }
        directory.put(type.code)
        directory.put(UInt16(FirstEvents.bits(of: type) == 0 ? 0 : 1))
        directory.put(UInt32(clamping: keys.count))
        directory.put(UInt32(clamping: blocks.count))
        directory.put(UInt32(clamping: rows))
        directory.put(UInt64(blocks.reduce(0) { $0 + $1.events }))
        directory.put(used.map { minimum[$0] }.min() ?? 0)
        directory.put(used.map { maximum[$0] }.max() ?? 0)
        directory.put(UInt64(leaves.bytes.count))
        let leafStart = leaves.bytes.count
        // A leaf without events has no times; the type's own keep the packed columns narrow.
        let filler = used.first.map { minimum[$0] } ?? 0
        for i in keys.indices where events[i] == 0 { (minimum[i], maximum[i]) = (filler, filler) }
        leaves.put(LeafTable.columns)
        leaves.put(UInt32(0))
        PackedColumn.append(keys.map { Int64($0.campaign.rawValue) }, to: &leaves)
        PackedColumn.append(keys.map { Int64($0.template.rawValue) }, to: &leaves)
        PackedColumn.append(keys.map { Int64($0.variant) }, to: &leaves)
        PackedColumn.append(keys.map { Int64($0.month) }, to: &leaves)
        for i in keys.indices where withoutMessage[i] == 0 { firstWithoutMessage[i] = minimum[i] }
        for column in [events, distinct, minimum, maximum, withoutMessage, firstWithoutMessage] {
            PackedColumn.append(column, to: &leaves)
        }
        directory.put(UInt64(leaves.bytes.count - leafStart))
        directory.put(UInt64(all.bytes.count))
        for entry in blocks {
            all.put(entry.block.rawValue)
            all.put(UInt32(clamping: entry.events))
            all.put(UInt64(entry.chunk))
            all.put(UInt32(clamping: entry.chunkSize))
            all.put(UInt32(clamping: entry.summarySize))
            all.put(UInt64(start + entry.summary))
        }
    }
}
