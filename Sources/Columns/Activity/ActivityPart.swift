import WinnowBitmaps
import WinnowFormat
import WinnowModel

/// The key of a leaf: events of one type, campaign, template, of people or of machines and, in
/// leaves that are split, of one UTC month. Month 0 is "not split", else months since 1970-01 plus one.
/// Records of other types have names and a variant of their own, see `RecordType`.
package struct LeafKey: Hashable, Sendable, Comparable {
    package var campaign: NameCode
    package var template: NameCode
    /// What else tells events of the leaf from others; of events 1 where software did them.
    package var variant: UInt32
    package var month: UInt32

    package init(campaign: NameCode, template: NameCode, variant: UInt32 = 0, month: UInt32 = 0) {
        self.campaign = campaign
        self.template = template
        self.variant = variant
        self.month = month
    }

    package init(campaign: NameCode, template: NameCode, machine: Bool, month: UInt32 = 0) {
        self.init(
            campaign: campaign, template: template, variant: machine ? 1 : 0, month: month)
    }

    /// Whether software did what events of the leaf tell: mail privacy proxies, link scanners.
    package var machine: Bool { variant == 1 }

    /// The key without a month.
    var unsplit: LeafKey { LeafKey(campaign: campaign, template: template, variant: variant) }

    package static func < (a: LeafKey, b: LeafKey) -> Bool {
        (a.campaign, a.template, a.variant, a.month) < (
            b.campaign, b.template, b.variant, b.month
        )
    }

    /// The month number of an instant.
    package static func month(of time: Int64) -> UInt32 {
        let (year, month, _) = Instant(milliseconds: time).utcDay.components
        return UInt32(clamping: (year - 1970) * 12 + month)
    }
}

/// The activity of one part: per event type a leaf table and, per block that has events, a chunk
/// and perhaps a summary; per block the ids of the messages that the part is the first to mention.
///
///     eventTypes    = types:u32 entry:u32 blockEntry:u32 0:u32 (code:u16 marks:u16 leaves:u32 blocks:u32 rows:u32
///                     events:u64 minimum:i64 maximum:i64 leafOffset:u64 leafSize:u64 blockOffset:u64) …
///     leaves        = per type: columns:u32 0:u32 and the packed columns campaign template variant month events
///                     distinct minimum maximum withoutMessage firstWithoutMessage
///     blocks        = per type (block:u32 events:u32 chunk:u64 chunkSize:u32 summarySize:u32 summary:u64) …  ascending
///     messageBlocks = (block:u32 0:u32 offset:u64 size:u64) …                                               ascending
///     chunks        = per block, ascending: a chunk of each type, messages; each at a multiple of 8
///     summaries     = a sliced block of how often each row has the event, after it the quarter hours of `Recency`
///
/// `entry` and `blockEntry` are the bytes of an entry of `eventTypes` and of `blocks`, and
/// `columns` is how many there are, so that later ones can have more.
///
/// `marks` is 1 where first events are marked for each actor, too, see `FirstEvents`.
///
/// `withoutMessage` is how many of a leaf's events have no message id, where unique events are
/// derived from the type, and `firstWithoutMessage` the time of the first of them (where there is
/// none, the leaf's least time).
package final class ActivityPart: Sendable {
    package let file: PartFile
    package let types: [RecordType: TypeIndex]
    private let checks: PartFile.Checks
    private let blockEntries, chunks, summaries: Section
    /// Bytes of an entry in the table of blocks.
    private let blockEntrySize: Int

    /// Events before this instant are forgotten, though they are still there.
    package var horizon: Int64 { file.reference.horizon }

    /// Where everything of one event type is.
    package struct TypeIndex: Sendable {
        package let type: RecordType
        package let leafCount: Int
        package let blockCount: Int
        /// How many rows have the event.
        package let rows: Int
        package let events: Int
        package let minimum, maximum: Int64
        /// Whether unique events of people, or of machines, are marked.
        package let marksActors: Bool
        fileprivate let leafOffset, leafSize, blockOffset: Int
    }

    /// A block's entry in the `blocks` table.
    package struct BlockEntry: Sendable {
        package let block: BlockIndex
        package let events: Int
        fileprivate let chunkOffset, chunkSize, summaryOffset, summarySize: Int
        package var hasSummary: Bool { summarySize > 0 }
    }

    /// A section whose bytes are verified as they are asked for. Counts no references, like
    /// `PartFile.Checks`.
    @safe private struct Section: @unchecked Sendable {
        private let bytes: UnsafeRawBufferPointer
        private let checks: PartFile.Checks

        init(_ file: PartFile, _ tag: SectionTag) throws(WinnowError) {
            unsafe bytes = try unsafe file.unverifiedBytes(tag, 0, file.size(of: tag))
            checks = file.checks
        }

        func verified(_ offset: Int, _ count: Int) throws(WinnowError) -> UnsafeRawBufferPointer {
            let found = try unsafe unverified(offset, count)
            try unsafe checks.verify(found)
            return unsafe found
        }

        func unverified(_ offset: Int, _ count: Int) throws(WinnowError) -> UnsafeRawBufferPointer {
            guard let found = unsafe bytes.slice(offset, count) else {
                throw checks.damage("an offset leads out of a section")
            }
            return unsafe found
        }
    }

    /// More than any disk holds: totals stay far from where sums overflow.
    private static let maximumEvents = 1 << 48
    static let typeEntrySize = 64
    static let blockEntrySize = 32
    private static let messageEntrySize = 24

    package init(_ file: PartFile) throws(WinnowError) {
        self.file = file
        var reader = try file.reader(.eventTypes)
        var types: [RecordType: TypeIndex] = [:]
        let count = try reader.take(UInt32.self)
        let entrySize = Int(try reader.take(UInt32.self))
        blockEntrySize = Int(try reader.take(UInt32.self))
        _ = try reader.take(UInt32.self)
        guard (ActivityPart.typeEntrySize...4096).contains(entrySize),
            (ActivityPart.blockEntrySize...4096).contains(blockEntrySize), blockEntrySize % 8 == 0
        else { throw reader.damage("impossible entries") }
        for _ in 0..<count {
            let code = try reader.take(UInt16.self)
            let marks = try reader.take(UInt16.self)
            guard let type = RecordType(code: code) else {
                throw reader.damage("an unknown event type")
            }
            let leafCount = Int(try reader.take(UInt32.self))
            let blockCount = Int(try reader.take(UInt32.self))
            let rows = Int(try reader.take(UInt32.self))
            let index = TypeIndex(
                type: type, leafCount: leafCount, blockCount: blockCount, rows: rows,
                events: Int(clamping: try reader.take(UInt64.self)),
                minimum: try reader.take(Int64.self), maximum: try reader.take(Int64.self),
                marksActors: marks & 1 == 1,
                leafOffset: Int(clamping: try reader.take(UInt64.self)),
                leafSize: Int(clamping: try reader.take(UInt64.self)),
                blockOffset: Int(clamping: try reader.take(UInt64.self)))
            _ = try unsafe reader.take(bytes: entrySize - ActivityPart.typeEntrySize)
            guard index.events <= ActivityPart.maximumEvents, index.minimum <= index.maximum,
                Instant.possibleMilliseconds.contains(index.minimum),
                Instant.possibleMilliseconds.contains(index.maximum), types[type] == nil
            else { throw reader.damage("an impossible event type") }
            types[type] = index
        }
        self.types = types
        checks = file.checks
        blockEntries = try Section(file, .blocks)
        chunks = try Section(file, .chunks)
        summaries = try Section(file, .summaries)
    }

    package func leaves(of index: TypeIndex) throws(WinnowError) -> LeafTable {
        let bytes = try unsafe file.bytes(.leaves, index.leafOffset, index.leafSize)
        let table = try unsafe LeafTable(ByteReader(bytes, of: file.path, "leaf table"))
        guard table.count == index.leafCount else {
            throw .damaged(file: file.path, what: "a leaf table has the wrong length")
        }
        return table
    }

    package func entry(_ index: TypeIndex, _ i: Int) throws(WinnowError) -> BlockEntry {
        let (start, overflow) = index.blockOffset.addingReportingOverflow(i * blockEntrySize)
        if overflow { throw checks.damage("an offset leads out of a section") }
        let bytes = try unsafe blockEntries.verified(start, ActivityPart.blockEntrySize)
        let entry = unsafe BlockEntry(
            block: BlockIndex(rawValue: bytes.number(0, UInt32.self)),
            events: Int(bytes.number(4, UInt32.self)),
            chunkOffset: Int(clamping: bytes.number(8, UInt64.self)),
            chunkSize: Int(bytes.number(16, UInt32.self)),
            summaryOffset: Int(clamping: bytes.number(24, UInt64.self)),
            summarySize: Int(bytes.number(20, UInt32.self))
        )
        // Containers are read as whole words.
        guard entry.block.rawValue < Block.maximum, entry.chunkOffset % 8 == 0,
            entry.summaryOffset % 8 == 0
        else {
            throw checks.damage("an impossible block")
        }
        return entry
    }

    /// The entry of a block, nil when it has no events of the type. Complexity: O(log blocks).
    package func find(_ index: TypeIndex, block: BlockIndex) throws(WinnowError) -> BlockEntry? {
        // Most types have events in every block; then the entry is at its own number.
        let number = Int(block.rawValue)
        if number < index.blockCount {
            let direct = try entry(index, number)
            if direct.block.rawValue == block.rawValue { return direct }
        }
        let low = try firstNotBelow(0..<index.blockCount) { (i) throws(WinnowError) in
            try entry(index, i).block < block
        }
        guard low < index.blockCount else { return nil }
        let found = try entry(index, low)
        return found.block == block ? found : nil
    }

    /// The bytes of a chunk and of its summary.
    func bytes(_ entry: BlockEntry) throws(WinnowError) -> (
        chunk: UnsafeRawBufferPointer, summary: UnsafeRawBufferPointer
    ) {
        unsafe (try chunks.verified(entry.chunkOffset, entry.chunkSize), try summaryBytes(entry))
    }

    private func summaryBytes(_ entry: BlockEntry) throws(WinnowError) -> UnsafeRawBufferPointer {
        try unsafe summaries.verified(entry.summaryOffset, entry.summarySize)
    }

    /// Bytes that the type's chunks, summaries and tables take.
    package func size(of index: TypeIndex) throws(WinnowError) -> Int {
        var size = index.leafSize + index.blockCount * blockEntrySize
        for i in 0..<index.blockCount {
            let entry = try entry(index, i)
            size += entry.chunkSize + entry.summarySize
        }
        return size
    }

    /// Says that all of a chunk will be read.
    func willReadChunk(_ entry: BlockEntry) throws(WinnowError) {
        unsafe file.willRead(try chunks.unverified(entry.chunkOffset, entry.chunkSize))
    }

    package func chunk(_ entry: BlockEntry) throws(WinnowError) -> ActivityChunk {
        try unsafe ActivityChunk(try chunks.unverified(entry.chunkOffset, entry.chunkSize), checks)
    }

    /// The blocks that the part brings messages of.
    package func messageBlocks() throws(WinnowError) -> [BlockIndex] {
        var blocks: [BlockIndex] = []
        for i in 0..<file.size(of: .messageBlocks) / ActivityPart.messageEntrySize {
            blocks.append(try messageEntry(i).block)
        }
        return blocks
    }

    /// The messages that the part brings to a block. Complexity: O(log blocks) and what the
    /// directory takes.
    package func messages(_ block: BlockIndex) throws(WinnowError) -> MessageBlock? {
        let end = file.size(of: .messageBlocks) / ActivityPart.messageEntrySize
        let low = try firstNotBelow(0..<end) { (i) throws(WinnowError) in
            try messageEntry(i).block < block
        }
        guard low < end else { return nil }
        let entry = try messageEntry(low)
        guard entry.block == block else { return nil }
        return unsafe try MessageBlock(
            try file.unverifiedBytes(.chunks, entry.offset, entry.size), in: file)
    }

    private func messageEntry(_ i: Int) throws(WinnowError) -> (
        block: BlockIndex, offset: Int, size: Int
    ) {
        let size = ActivityPart.messageEntrySize
        var reader = unsafe ByteReader(
            try file.bytes(.messageBlocks, i * size, size), of: file.path, "message blocks")
        let block = BlockIndex(rawValue: try reader.take(UInt32.self))
        _ = try reader.take(UInt32.self)
        guard block.rawValue < Block.maximum else { throw reader.damage("an impossible block") }
        return (
            block, Int(clamping: try reader.take(UInt64.self)),
            Int(clamping: try reader.take(UInt64.self))
        )
    }

    /// Makes the set the rows that have an event of the type in a block.
    package func rows(_ entry: BlockEntry, into rows: BlockSet) throws(WinnowError) {
        if entry.hasSummary { return try summary(entry).members.copy(into: rows) }
        rows.clear()
        let chunk = try chunk(entry)
        for i in 0..<chunk.headCount { try chunk.head(i).container.union(into: rows) }
        for i in 0..<chunk.tail.events { unsafe rows.insert(Int(chunk.tailRows[i])) }
    }

    /// In which quarter of an hour each row had the event last, see `Recency`; only where
    /// `hasSummary`.
    package func latest(_ entry: BlockEntry) throws(WinnowError) -> SlicedBlock {
        let bytes = try unsafe summaryBytes(entry)
        return try unsafe SlicedBlock(bytes, after: try SlicedBlock(bytes, checks), checks)
    }

    /// How often each row has the event; only where `hasSummary`.
    package func summary(_ entry: BlockEntry) throws(WinnowError) -> SlicedBlock {
        try unsafe SlicedBlock(try summaryBytes(entry), checks)
    }
}

/// The leaves of one event type in one part, ascending by key.
package struct LeafTable: Sendable {
    package let campaigns, templates, variants, months, events, distinct, minimum, maximum,
        withoutMessage,
        firstWithoutMessage: PackedColumn
    package var count: Int { campaigns.count }

    static let columns: UInt32 = 10

    init(_ source: ByteReader) throws(WinnowError) {
        var reader = source
        guard try reader.take(UInt32.self) >= LeafTable.columns else {
            throw reader.damage("columns are missing")
        }
        _ = try reader.take(UInt32.self)
        campaigns = try PackedColumn(&reader)
        templates = try PackedColumn(&reader)
        variants = try PackedColumn(&reader)
        months = try PackedColumn(&reader)
        events = try PackedColumn(&reader)
        distinct = try PackedColumn(&reader)
        minimum = try PackedColumn(&reader)
        maximum = try PackedColumn(&reader)
        withoutMessage = try PackedColumn(&reader)
        firstWithoutMessage = try PackedColumn(&reader)
        let count = campaigns.count
        let keyWidth = campaigns.width + templates.width + variants.width + months.width
        let others = [
            templates, variants, months, events, distinct, minimum, maximum, withoutMessage,
            firstWithoutMessage,
        ]
        guard others.allSatisfy({ $0.count == count }) else {
            throw reader.damage("columns of different length")
        }
        // Keys are distinct, so that a table without bytes has no more than one.
        guard keyWidth >= 32 || count <= 1 << keyWidth else {
            throw reader.damage("more leaves than there can be")
        }
    }

    /// Whether some leaf may be of machines, and some of people.
    package var actors: (people: Bool, machines: Bool) {
        guard variants.width == 0, count > 0 else { return (true, true) }
        return variants[0] == 0 ? (true, false) : (false, true)
    }

    package func key(_ leaf: LeafID) -> LeafKey {
        LeafKey(
            campaign: campaign(leaf), template: template(leaf),
            variant: UInt32(truncatingIfNeeded: variants[leaf.index]),
            month: UInt32(truncatingIfNeeded: months[leaf.index]))
    }

    package func campaign(_ leaf: LeafID) -> NameCode {
        NameCode(rawValue: UInt32(truncatingIfNeeded: campaigns[leaf.index]))
    }

    package func template(_ leaf: LeafID) -> NameCode {
        NameCode(rawValue: UInt32(truncatingIfNeeded: templates[leaf.index]))
    }

    /// The places of a campaign's leaves, looked for from a place on. Complexity: O(log of how far
    /// they are, and of how many).
    package func places(ofCampaign campaign: NameCode, from start: Int = 0) -> Range<Int> {
        let start = campaigns.lowerBound(Int64(campaign.rawValue), from: start)
        return start..<campaigns.lowerBound(Int64(campaign.rawValue) + 1, from: start)
    }
}
