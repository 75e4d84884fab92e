import Bitmaps
import CKernels
import Format
import Model

/// The events of one (channel, event) in one block. A chunk is where evaluation, merging and building all happen, so
/// each of them needs memory for one chunk at a time, however large the store.
///
/// Events of one leaf (campaign, template, month) form a *run*. A long run is a *head* with a directory entry of its
/// own: a container of rows, and streams beside it. Short runs share the *tail*: one packed directory of (leaf, end),
/// and streams for all of them. In a nightly batch almost everything is tail, in a merged store almost everything is
/// heads.
///
///     chunk  = header head… tail data
///     header = heads:u32 runs:u32 events:u32 code:u8 end:u8 time:u8 weight:u8 link:u8 message:u8 seconds:u8 first:u8
///              0:u32 base:i64 maximum:u64 linkBase:u32 messageBase:u32                                   (48 bytes)
///     head   = leaf:u32 events:u32 distinct:u32 offset:u32 kind:u8 count:u8 time:u8 weight:u8 link:u8 message:u8
///              seconds:u8 first:u8 base:i64 maximum:u64 linkBase:u32 messageBase:u32                     (48 bytes)
///     tail   = codes ends rows:u16… times weights links messages firsts     packed widths as the header says
///     data   = per head, at `offset`: container counts times weights links messages firsts
///
/// `counts` (events of a row, less one) and `weights` (`count` of an event, less one) are there only where some differ
/// from zero. Times are seconds or milliseconds above `base`. Links are dictionary codes plus one, messages the
/// profile's ordinals plus one; zero is none. `firsts` stands where unique events are derived from the type, see
/// `FirstEvents`. `maximum` is the greatest sum of weights of one row.
package struct ActivityChunk {
    package struct Head {
        package let leaf: Int
        package let distinct: Int
        package let streams: EventStreams
        package let container: Container
        package let counts: UnsafePointer<UInt8>
        package let countWidth: Int
        package let maximum: UInt64
        let file: String
        package var events: Int { streams.events }
    }

    package let headCount: Int
    package let tailRuns: Int
    package let tail: EventStreams
    package let tailMaximum: UInt64
    package let tailRows: UnsafePointer<UInt16>
    private let codes: UnsafePointer<UInt8>
    private let codeWidth: Int
    private let ends: UnsafePointer<UInt8>
    private let endWidth: Int
    private let bytes: UnsafeRawBufferPointer
    private let part: PartFile
    private var file: String { part.path }

    static let headerSize = 48
    static let headSize = 48

    /// Reads the directory of a chunk; the data of a head is verified when the head is asked for.
    package init(_ bytes: UnsafeRawBufferPointer, in part: PartFile) throws(WinnowError) {
        self.bytes = bytes
        self.part = part
        var reader = ByteReader(bytes, of: part.path, "chunk")
        try part.verify(UnsafeRawBufferPointer(rebasing: bytes.prefix(ActivityChunk.headerSize)))
        headCount = Int(try reader.take(UInt32.self))
        tailRuns = Int(try reader.take(UInt32.self))
        let events = Int(try reader.take(UInt32.self))
        codeWidth = Int(try reader.take(UInt8.self))
        endWidth = Int(try reader.take(UInt8.self))
        let shape = try StreamShape(&reader)
        _ = try reader.take(UInt32.self)
        let bases = try StreamBases(&reader)
        tailMaximum = bases.maximum
        _ = try reader.take(bytes: headCount * ActivityChunk.headSize)
        codes = try reader.takePacked(tailRuns, codeWidth)
        ends = try reader.takePacked(tailRuns, endWidth)
        if (bytes.count - reader.rest.count) % 2 == 1 { _ = try reader.take(UInt8.self) }
        tailRows =
            try reader.take(bytes: events * 2).baseAddress?.assumingMemoryBound(to: UInt16.self)
            ?? EventStreams.nothing.withMemoryRebound(to: UInt16.self, capacity: 1) { $0 }
        tail = try EventStreams(&reader, events: events, shape, bases)
        try part.verify(UnsafeRawBufferPointer(rebasing: bytes.dropLast(reader.rest.count)))
    }

    private func damage(_ what: String) -> WinnowError { .damaged(file: file, what: "chunk: \(what)") }

    /// The leaf of the i-th head; heads ascend by leaf.
    package func leaf(ofHead i: Int) -> Int {
        Int(bytes.loadUnaligned(fromByteOffset: ActivityChunk.headerSize + i * ActivityChunk.headSize, as: UInt32.self))
    }

    package func head(_ i: Int) throws(WinnowError) -> Head {
        guard let entry = bytes.slice(ActivityChunk.headerSize + i * ActivityChunk.headSize, ActivityChunk.headSize)
        else { throw damage("a head lies outside") }
        var reader = ByteReader(entry, of: file, "head")
        let leaf = Int(try reader.take(UInt32.self)), events = Int(try reader.take(UInt32.self))
        let distinct = Int(try reader.take(UInt32.self)), offset = Int(try reader.take(UInt32.self))
        let kind = Container.Kind(rawValue: try reader.take(UInt8.self))
        let countWidth = Int(try reader.take(UInt8.self))
        let shape = try StreamShape(&reader), bases = try StreamBases(&reader)
        guard let kind, distinct <= min(events, Block.rows), countWidth <= 32, offset <= bytes.count,
            countWidth > 0 || distinct == events
        else { throw damage("impossible head") }
        var data = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[offset...]), of: file, "head data")
        let container = try data.take(bytes: Container.byteCount(kind, count: distinct))
        let counts = try data.takePacked(distinct, countWidth)
        let streams = try EventStreams(&data, events: events, shape, bases)
        try part.verify(UnsafeRawBufferPointer(rebasing: bytes[offset..<bytes.count - data.rest.count]))
        return Head(
            leaf: leaf, distinct: distinct, streams: streams,
            container: Container(
                kind: kind, count: distinct, bytes: container.baseAddress ?? UnsafeRawPointer(EventStreams.nothing)),
            counts: counts, countWidth: countWidth, maximum: bases.maximum, file: file)
    }

    /// The leaf of the i-th run of the tail; runs ascend by leaf.
    package func leaf(ofRun i: Int) -> Int { Int(unpackOne(codes, i, codeWidth)) }

    /// The events of the i-th run of the tail.
    package func run(_ i: Int) throws(WinnowError) -> Range<Int> {
        let start = i == 0 ? 0 : Int(unpackOne(ends, i - 1, endWidth)), end = Int(unpackOne(ends, i, endWidth))
        guard start <= end, end <= tail.events else { throw damage("the tail's runs overlap") }
        return start..<end
    }
}

/// One value of a packed sequence.
private func unpackOne(_ packed: UnsafePointer<UInt8>, _ i: Int, _ width: Int) -> UInt64 {
    var value: UInt64 = 0
    ck_unpack(packed, i, 1, UInt32(width), &value)
    return value
}

/// Widths and flags shared by heads and tail.
struct StreamShape {
    var time, weight, link, message, first: Int
    var seconds: Bool

    init(_ reader: inout ByteReader) throws(WinnowError) {
        time = Int(try reader.take(UInt8.self))
        weight = Int(try reader.take(UInt8.self))
        link = Int(try reader.take(UInt8.self))
        message = Int(try reader.take(UInt8.self))
        seconds = try reader.take(UInt8.self) == 1
        first = Int(try reader.take(UInt8.self))
        guard time <= Packing.maximumWidth, max(weight, link, message) <= 32, first <= FirstEvents.width else {
            throw reader.damage("impossible widths")
        }
    }
}

struct StreamBases {
    let time: Int64
    let maximum: UInt64
    let link, message: UInt32

    init(_ reader: inout ByteReader) throws(WinnowError) {
        time = try reader.take(Int64.self)
        maximum = try reader.take(UInt64.self)
        link = try reader.take(UInt32.self)
        message = try reader.take(UInt32.self)
    }
}

extension ByteReader {
    fileprivate mutating func takePacked(_ count: Int, _ width: Int) throws(WinnowError) -> UnsafePointer<UInt8> {
        guard width <= Packing.maximumWidth else { throw damage("a packed width of \(width)") }
        let taken = try take(bytes: Packing.byteCount(count, width: width))
        return taken.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? EventStreams.nothing
    }
}

/// What is kept per event beside its row: times, weights, links, messages, in the order of the rows.
package struct EventStreams {
    package let events: Int
    private let shape: StreamShape
    private let bases: StreamBases
    private let times, weightBytes, linkBytes, messageBytes, firstBytes: UnsafePointer<UInt8>

    nonisolated(unsafe) static let nothing = UnsafePointer(UnsafeMutablePointer<UInt8>.allocate(capacity: 64))

    init(_ reader: inout ByteReader, events: Int, _ shape: StreamShape, _ bases: StreamBases) throws(WinnowError) {
        self.events = events
        self.shape = shape
        self.bases = bases
        times = try reader.takePacked(events, shape.time)
        weightBytes = try reader.takePacked(events, shape.weight)
        linkBytes = try reader.takePacked(events, shape.link)
        messageBytes = try reader.takePacked(events, shape.message)
        firstBytes = try reader.takePacked(events, shape.first)
    }

    package var hasWeights: Bool { shape.weight > 0 }

    /// Milliseconds of one unit of the stored times.
    private var unit: Int64 { shape.seconds ? 1000 : 1 }

    /// The window in stored units, nil when no stored time can lie in it.
    package func storedRange(_ window: ClosedRange<Int64>) -> ClosedRange<UInt64>? {
        let lo = window.lowerBound <= bases.time ? 0 : (window.lowerBound &- bases.time &+ unit &- 1) / unit
        guard window.upperBound >= bases.time else { return nil }
        let hi = (window.upperBound &- bases.time) / unit
        return lo <= hi ? UInt64(lo)...UInt64(hi) : nil
    }

    /// Stored times of some events, comparable with `storedRange`.
    package func storedTimes(_ range: Range<Int>, into out: UnsafeMutablePointer<UInt64>) {
        ck_unpack(times, range.lowerBound, range.count, UInt32(shape.time), out)
    }

    package func times(_ range: Range<Int>) -> [Int64] {
        unpacked(times, range, shape.time).map { bases.time &+ Int64(bitPattern: $0) &* unit }
    }

    /// `count` of some events.
    package func weights(_ range: Range<Int>, into out: UnsafeMutablePointer<UInt32>) {
        ck_unpack32(weightBytes, range.lowerBound, range.count, UInt32(shape.weight), 1, out)
    }

    /// Link codes plus one; zero is none.
    package func links(_ range: Range<Int>, into out: UnsafeMutablePointer<UInt32>) {
        ck_unpack32(linkBytes, range.lowerBound, range.count, UInt32(shape.link), bases.link, out)
    }

    /// Message ordinals plus one; zero is none.
    package func messages(_ range: Range<Int>, into out: UnsafeMutablePointer<UInt32>) {
        ck_unpack32(messageBytes, range.lowerBound, range.count, UInt32(shape.message), bases.message, out)
    }

    /// The `FirstEvents` bits of some events.
    package func firsts(_ range: Range<Int>, into out: UnsafeMutablePointer<UInt32>) {
        ck_unpack32(firstBytes, range.lowerBound, range.count, UInt32(shape.first), 0, out)
    }

    private func unpacked(_ packed: UnsafePointer<UInt8>, _ range: Range<Int>, _ width: Int) -> [UInt64] {
        [UInt64](unsafeUninitializedCapacity: range.count) { buffer, count in
            if let base = buffer.baseAddress { ck_unpack(packed, range.lowerBound, range.count, UInt32(width), base) }
            count = range.count
        }
    }
}
