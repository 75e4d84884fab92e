import WinnowCKernels
import WinnowFormat
import WinnowModel

/// What can be kept per event beside its row. The raw value is the tag in a chunk's table; never
/// renumber.
enum EventStream: UInt8, CaseIterable {
    /// Milliseconds since 1970, in whole seconds where all are. Every chunk has it.
    case time = 1
    /// `count` of an event; without the stream it is 1.
    case count
    /// `NameCode` of the link; without the stream no event has one.
    case link
    /// The profile's ordinal plus one of the message, 0 for none; without the stream no event has
    /// one.
    case message
    /// Which unique events it is, see `FirstEvents`; without the stream it is none.
    case first
    /// A number that belongs to it; without the stream it is 0.
    case value
    /// Whether such a number does; without the stream none does.
    case hasValue

    /// Whether it is bit-sliced, for comparing; else it is packed.
    var isSliced: Bool { self != .count && self != .message }

    /// The value that goes without saying.
    var standard: Int64 { self == .count ? 1 : 0 }

    var greatestWidth: Int {
        switch self {
        case .time, .value: 64
        case .count, .link, .message: 32
        case .first: FirstEvents.width
        case .hasValue: 1
        }
    }
}

/// The streams that a chunk has, in the order of their tags; as one number, so that reading it
/// allocates nothing.
struct StreamTable {
    /// A tag a byte, lowest first.
    private var tags: UInt64 = 0
    private(set) var count = 0

    static let most = 6

    /// A table as it is stored.
    init(_ bytes: UnsafeRawBufferPointer, _ at: Int) {
        for i in 0..<StreamTable.most where unsafe bytes[at + i] > 0 {
            unsafe append(bytes[at + i])
        }
    }

    /// The streams that some events need: those whose values are not all what goes without saying.
    init(_ events: [EventRecord]) {
        for stream in EventStream.allCases
        where stream == .time || events.contains(where: { $0.value(of: stream) != stream.standard })
        {
            append(stream.rawValue)
        }
    }

    private mutating func append(_ tag: UInt8) {
        tags |= UInt64(tag) << UInt64(8 * count)
        count += 1
    }

    /// The stream at a place of the table.
    subscript(i: Int) -> EventStream? {
        EventStream(rawValue: UInt8(truncatingIfNeeded: tags >> UInt64(8 * i)))
    }

    /// Whether a reader knows all of them, each once, and how to find the events' times.
    var isPossible: Bool {
        guard count > 0, self[0] == .time else { return false }
        for i in 1..<count {
            guard let stream = self[i], let before = self[i - 1], before.rawValue < stream.rawValue
            else {
                return false
            }
        }
        return true
    }

    func put(to out: inout ByteWriter) {
        for i in 0..<StreamTable.most { out.put(UInt8(truncatingIfNeeded: tags >> UInt64(8 * i))) }
    }
}

/// What is kept per event beside its row, in the order of the rows. The grammar is at
/// `ActivityChunk`.
@safe package struct EventStreams {
    package let events: Int
    /// Bytes of all streams.
    package private(set) var byteCount = 0
    /// Whether widths are those that the streams can have.
    private(set) var isPossible = true
    private var seconds = false
    private var timeBase: Int64 = 0
    private var countBase: UInt32 = 1
    private var linkBase: UInt32 = 0
    private var messageBase: UInt32 = 0
    private var countWidth: UInt32 = 0
    private var messageWidth: UInt32 = 0
    private var countBytes: UnsafePointer<UInt8>
    private var messageBytes: UnsafePointer<UInt8>
    /// Seconds or milliseconds above a base, see `storedRange`.
    package private(set) var storedTimes: SlicedStream
    private var storedLinks: SlicedStream
    /// The `FirstEvents` bits.
    package private(set) var firsts: SlicedStream
    private var storedValues: SlicedStream
    private var valueBase: Int64 = 0
    /// Which events have a value, less `haveBase`.
    private var having: SlicedStream
    private var havingBase: UInt64 = 0

    nonisolated(unsafe) static let nothing = unsafe UnsafePointer(
        UnsafeMutablePointer<UInt8>.allocate(capacity: 64))

    /// - Parameter shape: where in the chunk their widths are, their bases after them.
    init(
        _ rest: inout StreamCursor, events: Int, _ table: StreamTable,
        _ bytes: UnsafeRawBufferPointer, shape: Int
    ) {
        self.events = events
        let none = unsafe SlicedStream(EventStreams.nothing, count: events, width: 0)
        unsafe countBytes = unsafe EventStreams.nothing
        unsafe messageBytes = unsafe EventStreams.nothing
        (storedTimes, storedLinks, firsts) = (none, none, none)
        (storedValues, having) = (none, none)
        for i in 0..<table.count {
            guard let stream = table[i] else { continue }
            let stored = unsafe bytes[shape + i]
            let width = Int(stored & 127)
            let base = unsafe bytes.number(shape + StreamTable.most + 8 * i, Int64.self)
            guard width <= stream.greatestWidth, stored < 128 || stream == .time else {
                isPossible = false
                return
            }
            let size =
                stream.isSliced
                ? SlicedStream.byteCount(events, width: width)
                : Packing.byteCount(events, width: width)
            byteCount += size
            let content = unsafe rest.take(size)
            let sliced = unsafe SlicedStream(content, count: events, width: width)
            switch stream {
            case .time: (storedTimes, timeBase, seconds) = (sliced, base, stored >= 128)
            case .link: (storedLinks, linkBase) = (sliced, UInt32(truncatingIfNeeded: base))
            case .first: firsts = sliced
            case .value: (storedValues, valueBase) = (sliced, base)
            case .hasValue: (having, havingBase) = (sliced, UInt64(bitPattern: base))
            case .count:
                unsafe countBytes = unsafe content
                (countWidth, countBase) = (UInt32(width), UInt32(truncatingIfNeeded: base))
            case .message:
                unsafe messageBytes = unsafe content
                (messageWidth, messageBase) = (UInt32(width), UInt32(truncatingIfNeeded: base))
            }
        }
    }

    /// Whether some event may count more than once.
    package var hasWeights: Bool { countWidth > 0 || countBase != 1 }

    /// Milliseconds of one unit of the stored times.
    private var unit: Int64 { seconds ? 1000 : 1 }

    /// The window in stored units, nil when no stored time can be in it.
    package func storedRange(_ window: ClosedRange<Int64>) -> ClosedRange<UInt64>? {
        let lo =
            window.lowerBound <= timeBase ? 0 : (window.lowerBound &- timeBase &+ unit &- 1) / unit
        guard window.upperBound >= timeBase else { return nil }
        let hi = (window.upperBound &- timeBase) / unit
        return lo <= hi ? UInt64(lo)...UInt64(hi) : nil
    }

    /// Takes the events from `start` (a multiple of 512) on whose link is none of some, ascending,
    /// off the mask of `n` events; `spare` and `result` have room for as many.
    package func narrow(
        _ mask: UnsafeMutablePointer<UInt64>, toLinks links: [NameCode], from start: Int,
        first n: Int,
        spare: UnsafeMutablePointer<UInt64>, result: UnsafeMutablePointer<UInt64>
    ) {
        let words = SlicedStream.maskWords(n)
        let stream = storedLinks.from(start)
        unsafe result.update(repeating: 0, count: words)
        for link in links where link.rawValue >= linkBase {
            let code = UInt64(link.rawValue - linkBase)
            if code > stream.span { break }
            unsafe spare.update(from: mask, count: words)
            unsafe stream.narrow(spare, to: code...code, first: n)
            for i in 0..<words { unsafe result[i] |= spare[i] }
        }
        unsafe mask.update(from: result, count: words)
    }

    /// Takes the events from `start` (a multiple of 512) on that have none of some `FirstEvents` bits
    /// off the mask of `n` events; `spare` and `result` have room for as many.
    package func narrow(
        _ mask: UnsafeMutablePointer<UInt64>, toMarks wanted: UInt8, from start: Int, first n: Int,
        spare: UnsafeMutablePointer<UInt64>, result: UnsafeMutablePointer<UInt64>
    ) {
        let words = (n + 63) / 64
        let firsts = firsts.from(start)
        var marks = wanted
        unsafe firsts.copy(bit: marks.trailingZeroBitCount, into: result, first: n)
        marks &= marks &- 1
        while marks != 0 {
            unsafe firsts.copy(bit: marks.trailingZeroBitCount, into: spare, first: n)
            for i in 0..<words { unsafe result[i] |= spare[i] }
            marks &= marks &- 1
        }
        for i in 0..<words { unsafe mask[i] &= result[i] }
    }

    package func times(_ range: Range<Int>) -> [Int64] {
        storedTimes.values(range).map { timeBase &+ Int64(bitPattern: $0) &* unit }
    }

    /// The times of those of the `n` events from `start` (a multiple of 512) on that a mask chooses,
    /// one after the other; there is room for 8 more.
    package func times(
        _ start: Int, _ n: Int, of mask: UnsafePointer<UInt64>,
        into out: UnsafeMutablePointer<Int64>
    ) {
        unsafe storedTimes.values(start, n, of: mask, base: timeBase, unit: UInt32(unit), into: out)
    }

    /// `count` of some events.
    package func weights(_ range: Range<Int>, into out: UnsafeMutablePointer<UInt32>) {
        unsafe ck_unpack32(countBytes, range.lowerBound, range.count, countWidth, countBase, out)
    }

    package func links(_ range: Range<Int>) -> [NameCode] {
        storedLinks.values(range).map {
            NameCode(rawValue: linkBase &+ UInt32(truncatingIfNeeded: $0))
        }
    }

    /// The values of some events; nil for those that have none.
    package func values(_ range: Range<Int>) -> [Int64?] {
        zip(storedValues.values(range), having.values(range)).map { value, has in
            has &+ havingBase == 0 ? nil : valueBase &+ Int64(bitPattern: value)
        }
    }

    /// Takes the events from `start` (a multiple of 512) on that have no value off the mask of `n`
    /// events.
    package func narrowToValues(_ start: Int, _ n: Int, _ mask: UnsafeMutablePointer<UInt64>) {
        let wanted = 1 &- havingBase
        guard havingBase <= 1, wanted <= having.span else {
            return unsafe mask.update(repeating: 0, count: (n + 63) / 64)
        }
        unsafe having.from(start).narrow(mask, to: wanted...wanted, first: n)
    }

    /// The values of those of the `n` events from `start` (a multiple of 512) on that a mask
    /// chooses, one after the other; there is room for 8 more.
    package func values(
        _ start: Int, _ n: Int, of mask: UnsafePointer<UInt64>,
        into out: UnsafeMutablePointer<Int64>
    ) {
        unsafe storedValues.values(start, n, of: mask, base: valueBase, unit: 1, into: out)
    }

    /// Message ordinals plus one; zero is none.
    package func messages(_ range: Range<Int>, into out: UnsafeMutablePointer<UInt32>) {
        unsafe ck_unpack32(
            messageBytes, range.lowerBound, range.count, messageWidth, messageBase, out)
    }
}

/// Chooses widths for the streams of some events and writes them.
struct StreamEncoder {
    private let table: StreamTable
    private var bases: [Int64] = []
    private var widths: [Int] = []
    private var seconds = true

    init(_ events: ArraySlice<EventRecord>, _ table: StreamTable) {
        self.table = table
        seconds = events.allSatisfy { $0.time % 1000 == 0 }
        for i in 0..<table.count {
            guard let stream = table[i] else { continue }
            var low = Int64.max
            var high = Int64.min
            for event in events {
                let value = event.value(of: stream)
                low = min(low, value)
                high = max(high, value)
            }
            // Bits are kept as they are.
            let base = events.isEmpty ? stream.standard : stream == .first ? 0 : low
            let span = events.isEmpty ? 0 : UInt64(bitPattern: high &- base)
            bases.append(base)
            widths.append(Packing.width(of: stream == .time && seconds ? span / 1000 : span))
        }
    }

    func appendShape(to out: inout ByteWriter) {
        for i in 0..<StreamTable.most {
            guard i < widths.count else {
                out.put(UInt8(0))
                continue
            }
            out.put(UInt8(widths[i]) | (table[i] == .time && seconds ? 128 : 0))
        }
        for base in bases { out.put(base) }
    }

    func appendStreams(of events: ArraySlice<EventRecord>, to out: inout ByteWriter) {
        for i in 0..<table.count where widths[i] > 0 {
            guard let stream = table[i] else { continue }
            let unit: Int64 = stream == .time && seconds ? 1000 : 1
            let base = bases[i]
            let values = events.map { UInt64(bitPattern: ($0.value(of: stream) &- base) / unit) }
            if stream.isSliced {
                SlicedStream.append(values, width: widths[i], to: &out.bytes)
            } else {
                Packing.append(values, width: widths[i], to: &out.bytes)
            }
        }
    }
}

extension EventRecord {
    fileprivate func value(of stream: EventStream) -> Int64 {
        switch stream {
        case .time: time
        case .count: Int64(count)
        case .link: Int64(link.rawValue)
        case .message: Int64(message)
        case .first: Int64(first)
        case .value: value ?? 0
        case .hasValue: value == nil ? 0 : 1
        }
    }
}
