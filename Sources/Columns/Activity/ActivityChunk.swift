import WinnowBitmaps
import WinnowCKernels
import WinnowFormat
import WinnowModel

/// The events of one (channel, event) in one block. A chunk is where evaluation, merging and
/// building all happen, so each of them needs memory for one chunk at a time, however large the
/// store.
///
/// Events of one leaf (campaign, template, variant, month) form a *run*. A long run is a *head* with a
/// directory entry of its own: a container of rows, and streams beside it. Short runs share the
/// *tail*: one packed directory of (leaf, end), and streams for all of them. In a nightly batch
/// almost everything is tail, in a merged store almost everything is heads.
///
///     chunk  = header head… tail data
///     header = heads:u32 runs:u32 events:u32 code:u8 end:u8 tags:u8×6 0:u32 maximum:u64 0:u16 shape bases
///     head   = leaf:u32 events:u32 distinct:u32 offset:u32 maximum:u64 kind:u8 repeats:u8 shape bases
///     shape  = per stream, six at the most: width:u8, and 128 in it where times are whole seconds; 0 for no stream
///     bases  = per stream: i64
///     tail   = codes ends pad rows:u16… stream…       packed widths as the header says; rows begin at an even byte
///     data   = per head, at `offset`, a multiple of 8: container starts stream…
///
/// `tags` are the chunk's table of streams (`EventStream`), ascending, 0 for no more: a stream that
/// says of every event what goes without saying is not there, so that later kinds of streams need
/// no other format. `shape` and `bases` have an entry for each; those of the header are the tail's.
/// A value is its base plus what is stored; times are stored in seconds or milliseconds. What rules
/// compare is bit-sliced (`SlicedStream`), the rest is packed.
///
/// `starts`, a bit per event that says whether it is the first of its row, is there where `repeats`
/// is 1: some row has several. `maximum` is the greatest sum of counts of one row.
///
/// A chunk refers to its part's mapping and must not outlive the part. Reading one allocates
/// nothing and counts no references: threads would contend for the counts.
@safe package struct ActivityChunk {
    @safe package struct Head {
        package let leaf: LeafID
        package let distinct: Int
        package let streams: EventStreams
        package let container: Container
        /// A bit per event: whether it is the first of its row; nil when all are. Who reads it must
        /// see to it that there are as many as rows.
        package let starts: UnsafePointer<UInt8>?
        package let maximum: UInt64
        fileprivate let checks: PartFile.Checks
        package var events: Int { streams.events }
        /// Bytes of what says which events are of which rows.
        package var rowBytes: Int {
            let hasStarts = unsafe starts != nil
            return Container.byteCount(container.kind, count: distinct)
                + (hasStarts ? (events + 7) / 8 : 0)
        }

        /// The error for a container, or `starts`, that do not add up to the rows.
        package var misfit: WinnowError {
            checks.damage("a run's rows do not add up to its events")
        }
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

    private let table: StreamTable
    private let headSize: Int
    private let firstHead: Int

    /// Bytes of a header and of a head before the bases of their streams.
    static let headerSize = 40
    static let headSize = 32

    /// Reads the directory of a chunk; the data of a head is verified when the head is asked for.
    package init(_ bytes: UnsafeRawBufferPointer, _ checks: PartFile.Checks) throws(WinnowError) {
        unsafe self.bytes = unsafe bytes
        self.checks = checks
        guard bytes.count >= ActivityChunk.headerSize else {
            throw checks.damage("a chunk ends early")
        }
        try unsafe checks.verify(
            UnsafeRawBufferPointer(rebasing: bytes[..<ActivityChunk.headerSize]))
        headCount = unsafe Int(bytes.number(0, UInt32.self))
        tailRuns = unsafe Int(bytes.number(4, UInt32.self))
        let events = unsafe Int(bytes.number(8, UInt32.self))
        codeWidth = unsafe Int(bytes[12])
        endWidth = unsafe Int(bytes[13])
        table = unsafe StreamTable(bytes, 14)
        headSize = ActivityChunk.headSize + 8 * table.count
        firstHead = ActivityChunk.headerSize + 8 * table.count
        tailMaximum = unsafe bytes.number(24, UInt64.self)
        var rest = unsafe StreamCursor(bytes, firstHead)
        _ = unsafe rest.take(headCount * headSize)
        unsafe codes = unsafe rest.take(Packing.byteCount(tailRuns, width: codeWidth))
        unsafe ends = unsafe rest.take(Packing.byteCount(tailRuns, width: endWidth))
        if rest.at % 2 == 1 { _ = unsafe rest.take(1) }
        unsafe tailRows = unsafe UnsafeRawPointer(rest.take(events * 2)).assumingMemoryBound(
            to: UInt16.self)
        guard table.isPossible, firstHead <= bytes.count else {
            throw checks.damage("a chunk has an impossible header")
        }
        try unsafe checks.verify(UnsafeRawBufferPointer(rebasing: bytes[..<firstHead]))
        tail = unsafe EventStreams(&rest, events: events, table, bytes, shape: 34)
        guard rest.fits, tail.isPossible, max(codeWidth, endWidth) <= 32 else {
            throw checks.damage("a chunk has an impossible header")
        }
        try unsafe checks.verify(UnsafeRawBufferPointer(rebasing: bytes[..<rest.at]))
    }

    /// The leaf of the i-th head; heads ascend by leaf.
    package func leaf(ofHead i: Int) -> LeafID {
        unsafe LeafID(rawValue: bytes.number(entry(i), UInt32.self))
    }

    /// The greatest sum of weights of a row in the i-th head.
    package func maximum(ofHead i: Int) -> UInt64 {
        unsafe bytes.number(entry(i) + 16, UInt64.self)
    }

    /// How many events the i-th head has.
    package func events(ofHead i: Int) -> Int {
        unsafe Int(bytes.number(entry(i) + 4, UInt32.self))
    }

    private func entry(_ i: Int) -> Int { firstHead + i * headSize }

    package func head(_ i: Int) throws(WinnowError) -> Head {
        let entry = entry(i)
        let leaf = leaf(ofHead: i)
        let events = events(ofHead: i)
        let distinct = unsafe Int(bytes.number(entry + 8, UInt32.self))
        let offset = unsafe Int(bytes.number(entry + 12, UInt32.self))
        let kind = unsafe Container.Kind(rawValue: bytes[entry + 24])
        let repeats = unsafe bytes[entry + 25]
        guard let kind, distinct <= min(events, Block.rows), repeats <= 1,
            unsafe offset <= bytes.count,
            repeats == 1 || distinct == events, Container.isPossible(kind, count: distinct),
            offset % 8 == 0
        else { throw checks.damage("a chunk has an impossible head") }
        var rest = unsafe StreamCursor(bytes, offset)
        let container = unsafe rest.take(Container.byteCount(kind, count: distinct))
        let starts = unsafe rest.take(repeats == 1 ? (events + 7) / 8 : 0)
        let streams = unsafe EventStreams(&rest, events: events, table, bytes, shape: entry + 26)
        guard streams.isPossible else { throw checks.damage("a chunk has an impossible head") }
        guard rest.fits else { throw checks.damage("a head is outside its chunk") }
        try unsafe checks.verify(UnsafeRawBufferPointer(rebasing: bytes[offset..<rest.at]))
        return unsafe Head(
            leaf: leaf, distinct: distinct, streams: streams,
            container: Container(kind: kind, count: distinct, bytes: container),
            starts: repeats == 1 ? starts : nil, maximum: maximum(ofHead: i), checks: checks)
    }

    /// The leaf of the i-th run of the tail; runs ascend by leaf.
    package func leaf(ofRun i: Int) -> LeafID {
        var code: UInt32 = 0
        unsafe ck_unpack32(codes, i, 1, UInt32(codeWidth), 0, &code)
        return LeafID(rawValue: code)
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
        var start: UInt32 = 0
        var end: UInt32 = 0
        if i > 0 { unsafe ends(ofRuns: i - 1..<i, into: &start) }
        unsafe ends(ofRuns: i..<i + 1, into: &end)
        return try run(from: start, to: end)
    }

    /// The events of a run between two ends.
    package func run(from start: UInt32, to end: UInt32) throws(WinnowError) -> Range<Int> {
        guard start <= end, end <= tail.events else {
            throw checks.damage("the tail's runs overlap")
        }
        return Int(start)..<Int(end)
    }
}

/// Hands out what is one after the other in a chunk; the caller asks `fits` before it looks at
/// any of it.
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
