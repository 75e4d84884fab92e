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
///     head   = leaf:u32 events:u32 distinct:u32 offset:u32 kind:u8 repeats:u8 time:u8 weight:u8 link:u8 message:u8
///              seconds:u8 first:u8 base:i64 maximum:u64 linkBase:u32 messageBase:u32                     (48 bytes)
///     tail   = codes ends rows:u16… times weights links messages firsts     packed widths as the header says
///     data   = per head, at `offset`: container starts times weights links messages firsts
///
/// `starts`, a bit per event that says whether it is the first of its row, is there where `repeats` is 1: some row has
/// several. `weights` (`count` of an event, less one) are there only where some differ from zero. Times are seconds or
/// milliseconds above `base`. Links are dictionary codes plus one, messages the profile's ordinals plus one; zero is
/// none. `firsts` stands where unique events are derived from the type, see `FirstEvents`. `maximum` is the greatest
/// sum of weights of one row. What rules compare (times, links, firsts) is bit-sliced (`SlicedStream`), the rest is
/// packed.
///
/// A chunk refers to its part's mapping and must not outlive the part. Reading one allocates nothing and counts no
/// references: threads would contend for the counts.
@safe package struct ActivityChunk {
    @safe package struct Head {
        package let leaf: Int
        package let distinct: Int
        package let streams: EventStreams
        package let container: Container
        /// A bit per event: whether it is the first of its row; nil when all are. Who reads it must see to it that
        /// there are as many as rows.
        package let starts: UnsafePointer<UInt8>?
        package let maximum: UInt64
        fileprivate let checks: PartFile.Checks
        package var events: Int { streams.events }

        /// The error for a container, or `starts`, that do not add up to the rows.
        package var misfit: WinnowError { checks.damage("a run's rows do not add up to its events") }
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
    private let checks: PartFile.Checks

    static let headerSize = 48
    static let headSize = 48

    /// Reads the directory of a chunk; the data of a head is verified when the head is asked for.
    package init(_ bytes: UnsafeRawBufferPointer, _ checks: PartFile.Checks) throws(WinnowError) {
        unsafe self.bytes = unsafe bytes
        self.checks = checks
        guard bytes.count >= ActivityChunk.headerSize else { throw checks.damage("a chunk ends early") }
        try unsafe checks.verify(UnsafeRawBufferPointer(rebasing: bytes[..<ActivityChunk.headerSize]))
        headCount = unsafe Int(bytes.number(0, UInt32.self))
        tailRuns = unsafe Int(bytes.number(4, UInt32.self))
        let events = unsafe Int(bytes.number(8, UInt32.self))
        codeWidth = unsafe Int(bytes[12])
        endWidth = unsafe Int(bytes[13])
        let shape = unsafe StreamShape(bytes, 14), bases = unsafe StreamBases(bytes, 24)
        tailMaximum = bases.maximum
        var rest = unsafe StreamCursor(bytes, ActivityChunk.headerSize)
        _ = unsafe rest.take(headCount * ActivityChunk.headSize)
        unsafe codes = unsafe rest.take(Packing.byteCount(tailRuns, width: codeWidth))
        unsafe ends = unsafe rest.take(Packing.byteCount(tailRuns, width: endWidth))
        if rest.at % 2 == 1 { _ = unsafe rest.take(1) }
        unsafe tailRows = unsafe UnsafeRawPointer(rest.take(events * 2)).assumingMemoryBound(to: UInt16.self)
        tail = EventStreams(&rest, events: events, shape, bases)
        guard rest.fits, shape.isPossible, max(codeWidth, endWidth) <= 32 else {
            throw checks.damage("a chunk has an impossible header")
        }
        try unsafe checks.verify(UnsafeRawBufferPointer(rebasing: bytes[..<rest.at]))
    }

    /// The leaf of the i-th head; heads ascend by leaf.
    package func leaf(ofHead i: Int) -> Int { unsafe Int(bytes.number(entry(i), UInt32.self)) }

    /// The greatest sum of weights of a row in the i-th head.
    package func maximum(ofHead i: Int) -> UInt64 { unsafe bytes.number(entry(i) + 32, UInt64.self) }

    /// How many events the i-th head has.
    package func events(ofHead i: Int) -> Int { unsafe Int(bytes.number(entry(i) + 4, UInt32.self)) }

    private func entry(_ i: Int) -> Int { ActivityChunk.headerSize + i * ActivityChunk.headSize }

    package func head(_ i: Int) throws(WinnowError) -> Head {
        let entry = entry(i)
        let leaf = leaf(ofHead: i), events = events(ofHead: i)
        let distinct = unsafe Int(bytes.number(entry + 8, UInt32.self)),
            offset = unsafe Int(bytes.number(entry + 12, UInt32.self))
        let kind = unsafe Container.Kind(rawValue: bytes[entry + 16]), repeats = unsafe bytes[entry + 17]
        let shape = unsafe StreamShape(bytes, entry + 18), bases = unsafe StreamBases(bytes, entry + 24)
        guard let kind, distinct <= min(events, Block.rows), repeats <= 1, unsafe offset <= bytes.count,
            repeats == 1 || distinct == events, Container.isPossible(kind, count: distinct), offset % 8 == 0,
            shape.isPossible
        else { throw checks.damage("a chunk has an impossible head") }
        var rest = unsafe StreamCursor(bytes, offset)
        let container = unsafe rest.take(Container.byteCount(kind, count: distinct))
        let starts = unsafe rest.take(repeats == 1 ? (events + 7) / 8 : 0)
        let streams = EventStreams(&rest, events: events, shape, bases)
        guard rest.fits else { throw checks.damage("a head lies outside its chunk") }
        try unsafe checks.verify(UnsafeRawBufferPointer(rebasing: bytes[offset..<rest.at]))
        return unsafe Head(
            leaf: leaf, distinct: distinct, streams: streams,
            container: Container(kind: kind, count: distinct, bytes: container),
            starts: repeats == 1 ? starts : nil, maximum: bases.maximum, checks: checks)
    }

    /// The leaf of the i-th run of the tail; runs ascend by leaf.
    package func leaf(ofRun i: Int) -> Int {
        var code: UInt32 = 0
        unsafe ck_unpack32(codes, i, 1, UInt32(codeWidth), 0, &code)
        return Int(code)
    }

    /// The leaves of some runs of the tail.
    package func leaves(ofRuns range: Range<Int>, into out: UnsafeMutablePointer<UInt32>) {
        unsafe ck_unpack32(codes, range.lowerBound, range.count, UInt32(codeWidth), 0, out)
    }

    /// Where some runs of the tail end.
    package func ends(ofRuns range: Range<Int>, into out: UnsafeMutablePointer<UInt32>) {
        unsafe ck_unpack32(ends, range.lowerBound, range.count, UInt32(endWidth), 0, out)
    }

    /// The events of the i-th run of the tail.
    package func run(_ i: Int) throws(WinnowError) -> Range<Int> {
        var start: UInt32 = 0, end: UInt32 = 0
        if i > 0 { unsafe ends(ofRuns: i - 1..<i, into: &start) }
        unsafe ends(ofRuns: i..<i + 1, into: &end)
        return try run(from: start, to: end)
    }

    /// The events of a run between two ends.
    package func run(from start: UInt32, to end: UInt32) throws(WinnowError) -> Range<Int> {
        guard start <= end, end <= tail.events else { throw checks.damage("the tail's runs overlap") }
        return Int(start)..<Int(end)
    }
}

/// Hands out what lies one behind the other in a chunk; the caller asks `fits` before it looks at any of it.
@safe struct StreamCursor {
    private let bytes: UnsafeRawBufferPointer
    private(set) var at: Int
    private(set) var fits = true

    init(_ bytes: UnsafeRawBufferPointer, _ offset: Int) {
        unsafe self.bytes = unsafe bytes
        at = offset
    }

    mutating func take(_ count: Int) -> UnsafePointer<UInt8> {
        guard fits, unsafe count <= bytes.count - at, let base = unsafe bytes.baseAddress else {
            fits = false
            return unsafe EventStreams.nothing
        }
        defer { at += count }
        return unsafe (base + at).assumingMemoryBound(to: UInt8.self)
    }
}

/// Widths and flags shared by heads and tail.
struct StreamShape {
    let time, weight, link, message, first: Int
    let seconds: Bool

    fileprivate init(_ bytes: UnsafeRawBufferPointer, _ at: Int) {
        time = unsafe Int(bytes[at])
        weight = unsafe Int(bytes[at + 1])
        link = unsafe Int(bytes[at + 2])
        message = unsafe Int(bytes[at + 3])
        seconds = unsafe bytes[at + 4] == 1
        first = unsafe Int(bytes[at + 5])
    }

    var isPossible: Bool { time <= 64 && max(weight, link, message) <= 32 && first <= FirstEvents.width }
}

struct StreamBases {
    let time: Int64
    let maximum: UInt64
    let link, message: UInt32

    fileprivate init(_ bytes: UnsafeRawBufferPointer, _ at: Int) {
        time = unsafe bytes.number(at, Int64.self)
        maximum = unsafe bytes.number(at + 8, UInt64.self)
        link = unsafe bytes.number(at + 16, UInt32.self)
        message = unsafe bytes.number(at + 20, UInt32.self)
    }
}

/// What is kept per event beside its row: times, weights, links, messages, in the order of the rows.
@safe package struct EventStreams {
    package let events: Int
    private let shape: StreamShape
    private let bases: StreamBases
    private let weightBytes, messageBytes: UnsafePointer<UInt8>
    /// Seconds or milliseconds above a base, see `storedRange`.
    package let storedTimes: SlicedStream
    private let storedLinks: SlicedStream
    /// The `FirstEvents` bits.
    package let firsts: SlicedStream

    nonisolated(unsafe) static let nothing = unsafe UnsafePointer(UnsafeMutablePointer<UInt8>.allocate(capacity: 64))

    init(_ rest: inout StreamCursor, events: Int, _ shape: StreamShape, _ bases: StreamBases) {
        self.events = events
        self.shape = shape
        self.bases = bases
        func take(sliced width: Int) -> SlicedStream {
            unsafe SlicedStream(rest.take(SlicedStream.byteCount(events, width: width)), count: events, width: width)
        }
        storedTimes = take(sliced: shape.time)
        unsafe weightBytes = unsafe rest.take(Packing.byteCount(events, width: shape.weight))
        storedLinks = take(sliced: shape.link)
        unsafe messageBytes = unsafe rest.take(Packing.byteCount(events, width: shape.message))
        firsts = take(sliced: shape.first)
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

    /// Takes the events from `start` (a multiple of 512) on whose link is none of the codes plus one, ascending, off
    /// the mask of `n` events; `spare` and `result` have room for as many.
    package func narrow(
        _ mask: UnsafeMutablePointer<UInt64>, toLinks links: [UInt32], from start: Int, first n: Int,
        spare: UnsafeMutablePointer<UInt64>, result: UnsafeMutablePointer<UInt64>
    ) {
        let words = SlicedStream.maskWords(n)
        let stream = storedLinks.from(start)
        unsafe result.update(repeating: 0, count: words)
        for link in links where link >= bases.link {
            let code = UInt64(link - bases.link)
            if code > stream.span { break }
            unsafe spare.update(from: mask, count: words)
            unsafe stream.narrow(spare, to: code...code, first: n)
            for i in 0..<words { unsafe result[i] |= spare[i] }
        }
        unsafe mask.update(from: result, count: words)
    }

    package func times(_ range: Range<Int>) -> [Int64] {
        storedTimes.values(range).map { bases.time &+ Int64(bitPattern: $0) &* unit }
    }

    /// `count` of some events.
    package func weights(_ range: Range<Int>, into out: UnsafeMutablePointer<UInt32>) {
        unsafe ck_unpack32(weightBytes, range.lowerBound, range.count, UInt32(shape.weight), 1, out)
    }

    /// Link codes plus one; zero is none.
    package func links(_ range: Range<Int>) -> [UInt32] {
        storedLinks.values(range).map { bases.link &+ UInt32(truncatingIfNeeded: $0) }
    }

    /// Message ordinals plus one; zero is none.
    package func messages(_ range: Range<Int>, into out: UnsafeMutablePointer<UInt32>) {
        unsafe ck_unpack32(messageBytes, range.lowerBound, range.count, UInt32(shape.message), bases.message, out)
    }
}
