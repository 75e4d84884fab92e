import WinnowBitmaps
import WinnowCKernels
import WinnowFormat
import WinnowModel

/// One event on its way into a chunk. The message is an ordinal of the profile's plus one; zero for
/// none.
@usableFromInline package struct EventRecord: Sendable {
    @usableFromInline package var row: Row
    @usableFromInline package var leaf: LeafID
    @usableFromInline package var time: Int64
    @usableFromInline package var count: UInt32
    @usableFromInline package var link: NameCode
    @usableFromInline package var message: UInt32
    /// Which unique events it is, by its chunk alone; see `FirstEvents`.
    @usableFromInline var first: UInt8 = 0
    // Side by side an optional number would make every event a fifth larger.
    @usableFromInline var hasValue = false
    @usableFromInline var number: Int64 = 0

    /// A number that belongs to it: the value of a goal, the priority of a subscription.
    @inlinable package var value: Int64? {
        get { hasValue ? number : nil }
        set {
            hasValue = newValue != nil
            number = newValue ?? 0
        }
    }

    @inlinable package init(
        row: Row, leaf: LeafID, time: Int64, count: UInt32, link: NameCode, message: UInt32,
        value: Int64? = nil
    ) {
        self.row = row
        self.leaf = leaf
        self.time = time
        self.count = count
        self.link = link
        self.message = message
        self.value = value
    }
}

/// What one chunk adds to its leaf's totals.
struct LeafContribution {
    var leaf: LeafID
    var events: Int64
    var distinct: Int64
    var minimum: Int64
    var maximum: Int64
    /// Events without a message, where that matters, and when the first of them was.
    var withoutMessage: Int64 = 0
    var firstWithoutMessage = Int64.max
}

/// A chunk in its stored form, and what the tables of its part need to know of it.
package struct EncodedChunk: Sendable {
    let bytes: [UInt8]
    let summary: [UInt8]
    let events: Int
    /// How many rows have events.
    let rows: Int
    let leaves: [LeafContribution]
}

extension LeafContribution: Sendable {}

/// Sorts the events of one (type, block) and writes its chunk; the grammar is at
/// `ActivityChunk`.
struct ActivityChunkEncoder {
    private var events: [EventRecord]
    private var heads = ByteWriter()
    private var data = ByteWriter()
    private var tail: [Range<Int>] = []
    private var leaves: [LeafContribution] = []
    private var longRuns: [Range<Int>] = []
    private let marksFirsts: Bool
    private let table: StreamTable

    /// `firsts` marks the events from which unique events are derived; nil where none are.
    static func encode(_ events: [EventRecord], leaves keys: [LeafKey], firsts: FirstEvents?)
        -> EncodedChunk
    {
        var sorted = sorted(events, leafCount: keys.count)
        firsts?.mark(&sorted, keys)
        var encoder = ActivityChunkEncoder(events: sorted, marksFirsts: firsts != nil)
        return encoder.encode()
    }

    private init(events: [EventRecord], marksFirsts: Bool) {
        self.events = events
        self.marksFirsts = marksFirsts
        table = StreamTable(events)
    }

    /// By leaf, then row. The order within a row carries no meaning.
    private static func sorted(_ events: [EventRecord], leafCount: Int) -> [EventRecord] {
        let leafBits = Packing.width(of: UInt64(leafCount))
        guard leafBits <= 24, events.count < 1 << 24 else {
            return events.sorted { ($0.leaf, $0.row) < ($1.leaf, $1.row) }
        }
        var keys = unsafe [UInt64](unsafeUninitializedCapacity: events.count) { buffer, count in
            for (i, event) in events.enumerated() {
                let key =
                    UInt64(i) << 40 | UInt64(event.leaf.rawValue) << 16 | UInt64(event.row.inBlock)
                unsafe (buffer.baseAddress.unsafelyUnwrapped + i).initialize(to: key)
            }
            count = events.count
        }
        var scratch = [UInt64](repeating: 0, count: events.count)
        unsafe ck_sort(&keys, &scratch, events.count, UInt32(16 + leafBits))
        return keys.map { events[Int($0 >> 40)] }
    }

    private mutating func encode() -> EncodedChunk {
        var start = 0
        while start < events.count {
            var end = start + 1
            while end < events.count, events[end].leaf == events[start].leaf { end += 1 }
            let run = start..<end
            leaves.append(contribution(run))
            if run.count < Tuning.smallestHead { tail.append(run) } else { longRuns.append(run) }
            start = end
        }
        let tailBytes = encodeTail()
        // Offsets of heads count from the chunk's start, so the size of what is before their
        // data comes first.
        let bases = 8 * table.count
        let fixed =
            ActivityChunk.headerSize + bases + longRuns.count * (ActivityChunk.headSize + bases)
        let dataStart = (fixed + tailBytes.streams.bytes.count + 7) / 8 * 8
        for run in longRuns { encodeHead(run, dataStart: dataStart) }
        var out = ByteWriter()
        out.bytes.reserveCapacity(dataStart + data.bytes.count)
        out.bytes.append(contentsOf: tailBytes.header.bytes)
        out.bytes.append(contentsOf: heads.bytes)
        out.bytes.append(contentsOf: tailBytes.streams.bytes)
        out.align(to: 8)
        out.bytes.append(contentsOf: data.bytes)
        let (summary, rows) = summary()
        return EncodedChunk(
            bytes: out.bytes, summary: summary, events: events.count, rows: rows, leaves: leaves)
    }

    private func contribution(_ run: Range<Int>) -> LeafContribution {
        var result = LeafContribution(
            leaf: events[run.lowerBound].leaf, events: Int64(run.count), distinct: 0,
            minimum: .max, maximum: .min)
        var previous: Row?
        for event in events[run] {
            if event.row != previous { result.distinct += 1 }
            if marksFirsts, event.message == 0 {
                result.withoutMessage += 1
                result.firstWithoutMessage = min(result.firstWithoutMessage, event.time)
            }
            previous = event.row
            result.minimum = min(result.minimum, event.time)
            result.maximum = max(result.maximum, event.time)
        }
        return result
    }

    private mutating func encodeHead(_ run: Range<Int>, dataStart: Int) {
        var rows: [UInt16] = []
        var starts: [UInt64] = []
        var sum: UInt64 = 0
        var maximum: UInt64 = 0
        for event in events[run] {
            let row = event.row.inBlock
            let isFirst = rows.last != row
            starts.append(isFirst ? 1 : 0)
            if isFirst { rows.append(row) }
            sum = (isFirst ? 0 : sum) + UInt64(event.count)
            maximum = max(maximum, sum)
        }
        let repeats = rows.count < run.count
        data.align(to: 8)
        let offset = dataStart + data.bytes.count
        let kind = unsafe rows.withUnsafeBufferPointer {
            unsafe ContainerEncoder.append($0, to: &data.bytes)
        }
        if repeats { SlicedStream.append(starts, width: 1, to: &data.bytes) }
        let streams = StreamEncoder(events[run], table)
        streams.appendStreams(of: events[run], to: &data)
        heads.put(events[run.lowerBound].leaf.rawValue)
        heads.put(UInt32(clamping: run.count))
        heads.put(UInt32(clamping: rows.count))
        heads.put(UInt32(clamping: offset))
        heads.put(maximum)
        heads.put(kind.rawValue)
        heads.put(UInt8(repeats ? 1 : 0))
        streams.appendShape(to: &heads)
    }

    private func encodeTail() -> (header: ByteWriter, streams: ByteWriter) {
        let records = tail.flatMap { events[$0] }
        let codes = tail.map { UInt64(events[$0.lowerBound].leaf.rawValue) }
        var ends: [UInt64] = []
        var end = 0
        for run in tail {
            end += run.count
            ends.append(UInt64(end))
        }
        let codeWidth = Packing.width(of: codes.last ?? 0)
        let endWidth = Packing.width(of: UInt64(end))
        let encoder = StreamEncoder(records[...], table)
        var header = ByteWriter()
        header.put(UInt32(clamping: longRuns.count))
        header.put(UInt32(clamping: tail.count))
        header.put(UInt32(clamping: records.count))
        header.put(UInt8(codeWidth))
        header.put(UInt8(endWidth))
        table.put(to: &header)
        header.put(UInt32(0))
        header.put(maximumPerRow(records))
        header.put(UInt16(0))
        encoder.appendShape(to: &header)
        var streams = ByteWriter()
        Packing.append(codes, width: codeWidth, to: &streams.bytes)
        Packing.append(ends, width: endWidth, to: &streams.bytes)
        streams.align(to: 2)
        for record in records { streams.put(record.row.inBlock) }
        encoder.appendStreams(of: records[...], to: &streams)
        return (header, streams)
    }

    private func maximumPerRow(_ records: [EventRecord]) -> UInt64 {
        var sums: [Row: UInt64] = [:]
        for record in records { sums[record.row, default: 0] += UInt64(record.count) }
        return sums.values.max() ?? 0
    }

    /// How often, and when last, each row has the event, in all leaves together, where that is
    /// worth keeping; and how many rows do.
    private func summary() -> (bytes: [UInt8], rows: Int) {
        guard events.count >= Tuning.smallestSummary else {
            return ([], Set(events.map(\.row)).count)
        }
        var sums = [UInt64](repeating: 0, count: Block.rows)
        var last = [Int64](repeating: .min, count: Block.rows)
        for event in events {
            let row = Int(event.row.inBlock)
            sums[row] += UInt64(event.count)
            last[row] = max(last[row], event.time)
        }
        var rows: [UInt16] = []
        var counts: [Int64] = []
        var latest: [Int64] = []
        for (row, sum) in sums.enumerated() where sum > 0 {
            rows.append(UInt16(row))
            counts.append(Int64(clamping: sum))
            latest.append(Recency.quarter(of: last[row]))
        }
        var out = ByteWriter()
        SlicedBlock.append(rows: rows, values: counts, to: &out)
        SlicedBlock.append(more: latest, of: rows, to: &out)
        return (out.bytes, rows.count)
    }
}
