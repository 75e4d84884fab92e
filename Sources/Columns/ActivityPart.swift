import Bitmaps
import Disk
import Format
import Model

/// The key of a leaf: events of one type, campaign, template and, in leaves that are split, UTC month. Campaign and
/// template are dictionary codes plus one, zero for none; month 0 is "not split", else months since 1970-01 plus one.
package struct LeafKey: Hashable, Sendable, Comparable {
    package var campaign: UInt32
    package var template: UInt32
    package var month: UInt32

    package init(campaign: UInt32, template: UInt32, month: UInt32 = 0) {
        self.campaign = campaign
        self.template = template
        self.month = month
    }

    package static func < (a: LeafKey, b: LeafKey) -> Bool {
        (a.campaign, a.template, a.month) < (b.campaign, b.template, b.month)
    }

    /// The month number of an instant.
    package static func month(of time: Int64) -> UInt32 {
        let (year, month, _) = Instant(milliseconds: time).utcDay.components
        return UInt32(clamping: (year - 1970) * 12 + month)
    }
}

/// The activity of one part: per event type a leaf table and, per block that has events, a chunk and perhaps a summary.
///
///     eventTypes = types:u32 (code:u16 0:u16 leaves:u32 blocks:u32 0:u32 events:u64 minimum:i64 maximum:i64
///                  leafOffset:u64 leafSize:u64 blockOffset:u64) …
///     leaves     = per type the packed columns campaign template month events distinct minimum maximum
///     blocks     = per type (block:u32 events:u32 chunk:u64 chunkSize:u32 summarySize:u32 summary:u64) …  ascending
package final class ActivityPart: Sendable {
    package let file: PartFile
    package let types: [EventType: TypeIndex]

    /// Where everything of one event type lies.
    package struct TypeIndex: Sendable {
        package let type: EventType
        package let leafCount: Int
        package let blockCount: Int
        package let events: Int
        package let minimum, maximum: Int64
        fileprivate let leafOffset, leafSize, blockOffset: Int
    }

    /// A block's entry in the `blocks` table.
    package struct BlockEntry: Sendable {
        package let block: Int
        package let events: Int
        fileprivate let chunkOffset, chunkSize, summaryOffset, summarySize: Int
        package var hasSummary: Bool { summarySize > 0 }
    }

    private static let blockEntrySize = 32

    package init(disk: any Disk, directory: String, _ reference: PartReference) throws(WinnowError) {
        file = try PartFile(disk: disk, directory: directory, reference)
        var reader = try file.reader(.eventTypes)
        var types: [EventType: TypeIndex] = [:]
        for _ in 0..<(try reader.take(UInt32.self)) {
            let code = try reader.take(UInt16.self)
            _ = try reader.take(UInt16.self)
            guard let type = EventType(code: code) else { throw reader.damage("an unknown event type") }
            let leafCount = Int(try reader.take(UInt32.self)), blockCount = Int(try reader.take(UInt32.self))
            _ = try reader.take(UInt32.self)
            types[type] = TypeIndex(
                type: type, leafCount: leafCount, blockCount: blockCount,
                events: Int(clamping: try reader.take(UInt64.self)),
                minimum: try reader.take(Int64.self), maximum: try reader.take(Int64.self),
                leafOffset: Int(clamping: try reader.take(UInt64.self)),
                leafSize: Int(clamping: try reader.take(UInt64.self)),
                blockOffset: Int(clamping: try reader.take(UInt64.self)))
        }
        self.types = types
    }

    package func leaves(of index: TypeIndex) throws(WinnowError) -> LeafTable {
        let bytes = try file.bytes(.leaves, index.leafOffset, index.leafSize)
        let table = try LeafTable(ByteReader(bytes, of: file.path, "leaf table"))
        guard table.count == index.leafCount else {
            throw .damaged(file: file.path, what: "a leaf table has the wrong length")
        }
        return table
    }

    package func entry(_ index: TypeIndex, _ i: Int) throws(WinnowError) -> BlockEntry {
        let offset = index.blockOffset + i * ActivityPart.blockEntrySize
        var reader = ByteReader(try file.bytes(.blocks, offset, ActivityPart.blockEntrySize), of: file.path, "blocks")
        let block = Int(try reader.take(UInt32.self)), events = Int(try reader.take(UInt32.self))
        let chunkOffset = Int(clamping: try reader.take(UInt64.self)), chunkSize = Int(try reader.take(UInt32.self))
        let summarySize = Int(try reader.take(UInt32.self))
        return BlockEntry(
            block: block, events: events, chunkOffset: chunkOffset, chunkSize: chunkSize,
            summaryOffset: Int(clamping: try reader.take(UInt64.self)), summarySize: summarySize)
    }

    /// The entry of a block, nil when it has no events of the type. Complexity: O(log blocks).
    package func find(_ index: TypeIndex, block: Int) throws(WinnowError) -> BlockEntry? {
        // Most types have events in every block; then the entry stands at its own number.
        if block < index.blockCount {
            let direct = try entry(index, block)
            if direct.block == block { return direct }
        }
        var low = 0, high = index.blockCount
        while low < high {
            let middle = (low + high) / 2
            if try entry(index, middle).block < block { low = middle + 1 } else { high = middle }
        }
        guard low < index.blockCount else { return nil }
        let found = try entry(index, low)
        return found.block == block ? found : nil
    }

    package func chunk(_ entry: BlockEntry) throws(WinnowError) -> ActivityChunk {
        try ActivityChunk(try file.unverifiedBytes(.chunks, entry.chunkOffset, entry.chunkSize), in: file)
    }

    /// How often each row has the event; only where `hasSummary`.
    package func summary(_ entry: BlockEntry) throws(WinnowError) -> SlicedBlock {
        try SlicedBlock(try file.bytes(.summaries, entry.summaryOffset, entry.summarySize), of: file.path)
    }
}

/// The leaves of one event type in one part, ascending by key.
package struct LeafTable: Sendable {
    package let campaigns, templates, months, events, distinct, minimum, maximum: PackedColumn
    package var count: Int { campaigns.count }

    init(_ source: ByteReader) throws(WinnowError) {
        var reader = source
        campaigns = try PackedColumn(&reader)
        templates = try PackedColumn(&reader)
        months = try PackedColumn(&reader)
        events = try PackedColumn(&reader)
        distinct = try PackedColumn(&reader)
        minimum = try PackedColumn(&reader)
        maximum = try PackedColumn(&reader)
        let count = campaigns.count
        guard [templates, months, events, distinct, minimum, maximum].allSatisfy({ $0.count == count }) else {
            throw reader.damage("columns of different length")
        }
    }

    package func key(_ i: Int) -> LeafKey {
        LeafKey(
            campaign: UInt32(truncatingIfNeeded: campaigns[i]), template: UInt32(truncatingIfNeeded: templates[i]),
            month: UInt32(truncatingIfNeeded: months[i]))
    }

    /// The leaves of a campaign (code plus one). Complexity: O(log leaves).
    package func leaves(ofCampaign code: UInt32) -> Range<Int> {
        let start = campaigns.lowerBound(Int64(code))
        return start..<campaigns.lowerBound(Int64(code) + 1, in: start..<count)
    }
}

/// Writes an activity part, type by type in ascending order, block by block.
struct ActivityPartWriter {
    private let writer: PartWriter
    private var types = ByteWriter()
    private var typeCount: UInt32 = 0
    private var leafTables = ByteWriter()
    private var blockTables = ByteWriter()
    private var summaries = ByteWriter()
    private var chunkOffset = 0
    private var blocks: [(block: Int, chunk: EncodedChunk, offset: Int, summary: Int)] = []

    init(_ writer: PartWriter) throws(WinnowError) {
        self.writer = writer
        try writer.begin(.chunks)
    }

    /// Adds all chunks of one type: `next` gives them in ascending order of blocks.
    mutating func append(
        _ type: EventType, leaves keys: [LeafKey],
        _ next: () throws(WinnowError) -> (block: Int, chunk: EncodedChunk)?
    ) throws(WinnowError) {
        var events = [Int64](repeating: 0, count: keys.count), distinct = events
        var minimum = [Int64](repeating: .max, count: keys.count)
        var maximum = [Int64](repeating: .min, count: keys.count)
        let blockOffset = blockTables.bytes.count
        var blockCount: UInt32 = 0, total = 0
        while let (block, chunk) = try next() {
            for leaf in chunk.leaves {
                let i = Int(leaf.leaf)
                events[i] += leaf.events
                distinct[i] += leaf.distinct
                minimum[i] = min(minimum[i], leaf.minimum)
                maximum[i] = max(maximum[i], leaf.maximum)
            }
            blockTables.put(UInt32(block))
            blockTables.put(UInt32(clamping: chunk.events))
            blockTables.put(UInt64(chunkOffset))
            blockTables.put(UInt32(clamping: chunk.bytes.count))
            blockTables.put(UInt32(clamping: chunk.summary.count))
            summaries.align(to: 64)
            blockTables.put(UInt64(summaries.bytes.count))
            summaries.bytes.append(contentsOf: chunk.summary)
            try writer.append(chunk.bytes)
            writer.align(to: 8)
            chunkOffset += (chunk.bytes.count + 7) / 8 * 8
            blockCount += 1
            total += chunk.events
        }
        let used = keys.indices.filter { events[$0] > 0 }
        types.put(type.code)
        types.put(UInt16(0))
        types.put(UInt32(clamping: keys.count))
        types.put(blockCount)
        types.put(UInt32(0))
        types.put(UInt64(total))
        types.put(used.map { minimum[$0] }.min() ?? 0)
        types.put(used.map { maximum[$0] }.max() ?? 0)
        types.put(UInt64(leafTables.bytes.count))
        let leafStart = leafTables.bytes.count
        // A leaf without events has no times; the type's own keep the packed columns narrow.
        let filler = used.first.map { minimum[$0] } ?? 0
        for i in keys.indices where events[i] == 0 { (minimum[i], maximum[i]) = (filler, filler) }
        PackedColumn.append(keys.map { Int64($0.campaign) }, to: &leafTables)
        PackedColumn.append(keys.map { Int64($0.template) }, to: &leafTables)
        PackedColumn.append(keys.map { Int64($0.month) }, to: &leafTables)
        for column in [events, distinct, minimum, maximum] { PackedColumn.append(column, to: &leafTables) }
        types.put(UInt64(leafTables.bytes.count - leafStart))
        types.put(UInt64(blockOffset))
        typeCount += 1
    }

    mutating func finish() throws(WinnowError) -> PartReference {
        try writer.begin(.summaries)
        try writer.append(summaries.bytes)
        try writer.begin(.blocks)
        try writer.append(blockTables.bytes)
        try writer.begin(.leaves)
        try writer.append(leafTables.bytes)
        try writer.begin(.eventTypes)
        var head = ByteWriter()
        head.put(typeCount)
        try writer.append(head.bytes + types.bytes)
        return try writer.finish()
    }
}
