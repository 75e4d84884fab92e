import WinnowModel

/// The offsets of a time zone, read from the system's TZif data (RFC 8536). Foundation would bring
/// its own, but a statically linked one finds no zone data at all.
///
/// Method: the file lists transitions up to some year and then a rule in POSIX TZ form for ever.
/// Both are asked for the stretches of constant offset around a local time; days and wall times are
/// then matched against the stretches, which makes gaps, overlaps and days that do not exist one
/// case.
package struct TimeZoneRules: Sendable {
    package let name: String
    private let transitions: [Transition]
    private let firstOffset: Int64
    private let footer: PosixZone?

    private struct Transition: Sendable {
        var at: Int64
        var offset: Int64
    }

    /// A stretch of constant offset: UTC seconds from `start` until `end`, seconds east of UTC.
    struct Stretch {
        var start, end, offset: Int64
    }

    package static let utc = TimeZoneRules(name: "UTC", fixed: 0)

    private init(name: String, fixed offset: Int64) {
        self.name = name
        transitions = []
        firstOffset = offset
        footer = nil
    }

    /// Whether a text could name a zone, and so may be made part of a path.
    package static func isPlausible(name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 64
            && name.utf8.allSatisfy {
                ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39)
                    || [0x2B, 0x2D, 0x2F, 0x5F].contains($0)
            }
            && name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
                !$0.isEmpty
            }
    }

    /// Reads a TZif file; nil when the bytes are not one.
    package init?(name: String, tzif bytes: [UInt8]) {
        self.name = name
        var reader = TZifReader(bytes)
        guard let first = reader.header(), first.version >= 2,
            reader.skip(first.size(timeBytes: 4)),
            let second = reader.header(), let body = reader.body(second)
        else { return nil }
        transitions = zip(body.times, body.indexes).map {
            Transition(at: $0, offset: body.offsets[$1])
        }
        firstOffset = body.offsets.first ?? 0
        let text = reader.footer()
        footer = text.isEmpty ? nil : PosixZone(text)
        if !text.isEmpty && footer == nil { return nil }
    }

    /// Seconds east of UTC at an instant.
    package func offset(atSecond second: Int64) -> Int64 {
        if transitions.isEmpty || second >= (transitions.last?.at ?? 0), let footer {
            return footer.offset(atSecond: second)
        }
        let low = firstNotBelow(transitions.indices) { transitions[$0].at <= second }
        return low == 0 ? firstOffset : transitions[low - 1].offset
    }

    /// The stretches that cover the UTC seconds of a range, in order.
    func stretches(_ range: Range<Int64>) -> [Stretch] {
        let last = transitions.last?.at ?? .min
        var cuts = transitions.map(\.at).filter { $0 > range.lowerBound && $0 < range.upperBound }
        if let footer, range.upperBound > last {
            cuts += footer.transitions(range).filter {
                $0 > last && $0 > range.lowerBound && $0 < range.upperBound
            }
        }
        let starts = [range.lowerBound] + cuts.sorted()
        return starts.indices.map {
            Stretch(
                start: starts[$0], end: $0 + 1 < starts.count ? starts[$0 + 1] : range.upperBound,
                offset: offset(atSecond: starts[$0]))
        }
    }

    /// The local date of an instant.
    package func date(of instant: Instant) -> CivilDate {
        let second = floorDivide(instant.milliseconds, 1000)
        return CivilDate(day: Int(floorDivide(second + offset(atSecond: second), 86_400)))
    }

    /// The first instant whose local date is the day; of a day that does not exist, that of the
    /// next.
    package func start(of day: CivilDate) -> Instant {
        let midnight = Int64(day.day) * 86_400
        for stretch in stretches(midnight - 172_800..<midnight + 259_200) {
            let begin = max(stretch.start, midnight - stretch.offset)
            if begin < stretch.end { return Instant(milliseconds: begin * 1000) }
        }
        return Instant(milliseconds: midnight * 1000)
    }

    /// The milliseconds whose local date is one of some days, ascending. They are not all in one
    /// range where the clocks went back over midnight.
    func milliseconds(on days: ClosedRange<Int>) -> [ClosedRange<Int64>] {
        let midnight = Int64(days.lowerBound) * 86_400
        let end = (Int64(days.upperBound) + 1) * 86_400
        return stretches(midnight - 172_800..<end + 172_800).compactMap { stretch in
            let first = max(stretch.start, midnight - stretch.offset)
            let next = min(stretch.end, end - stretch.offset)
            return first < next ? first * 1000...next * 1000 - 1 : nil
        }
    }

    /// The instant of a local wall time in milliseconds since 1970 local: of two the earlier, and
    /// one that does not exist is read with the offset before the gap.
    package func instant(ofWall wall: Int64) -> Instant {
        let second = floorDivide(wall, 1000)
        let rest = wall - second * 1000
        var before = offset(atSecond: second - 172_800)
        for stretch in stretches(second - 172_800..<second + 172_800) {
            let utc = second - stretch.offset
            if utc >= stretch.start && utc < stretch.end {
                return Instant(milliseconds: utc * 1000 + rest)
            }
            if utc < stretch.start { break }
            before = stretch.offset
        }
        return Instant(milliseconds: (second - before) * 1000 + rest)
    }

    /// The local wall time of an instant, in milliseconds.
    package func wall(of instant: Instant) -> Int64 {
        instant.milliseconds + offset(atSecond: floorDivide(instant.milliseconds, 1000)) * 1000
    }
}

/// Takes a TZif file apart; every read is bounds-checked.
private struct TZifReader {
    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    struct Header {
        var version: Int
        var utcFlags, standardFlags, leaps, times, types, characters: Int
        func size(timeBytes: Int) -> Int {
            times * (timeBytes + 1) + types * 6 + characters + leaps * (timeBytes + 4)
                + standardFlags + utcFlags
        }
    }

    private mutating func number(_ count: Int) -> Int64? {
        guard at + count <= bytes.count else { return nil }
        var value: Int64 = count > 0 && bytes[at] >= 0x80 ? -1 : 0
        for byte in bytes[at..<at + count] { value = value << 8 | Int64(byte) }
        at += count
        return value
    }

    mutating func skip(_ count: Int) -> Bool {
        guard count >= 0, count <= bytes.count - at else { return false }
        at += count
        return true
    }

    mutating func header() -> Header? {
        guard at + 44 <= bytes.count, bytes[at..<at + 4].elementsEqual("TZif".utf8) else {
            return nil
        }
        let version = bytes[at + 4] >= 0x32 ? Int(bytes[at + 4]) - 0x30 : 1
        at += 20
        var counts: [Int] = []
        for _ in 0..<6 {
            guard let count = number(4), (0...100_000).contains(count) else { return nil }
            counts.append(Int(count))
        }
        return Header(
            version: version, utcFlags: counts[0], standardFlags: counts[1], leaps: counts[2],
            times: counts[3],
            types: counts[4], characters: counts[5])
    }

    mutating func body(_ header: Header) -> (times: [Int64], indexes: [Int], offsets: [Int64])? {
        guard header.size(timeBytes: 8) <= bytes.count - at, header.types > 0 else { return nil }
        var times: [Int64] = []
        var indexes: [Int] = []
        var offsets: [Int64] = []
        for _ in 0..<header.times { times.append(number(8) ?? 0) }
        for _ in 0..<header.times { indexes.append(Int(number(1) ?? 0)) }
        for _ in 0..<header.types {
            offsets.append(number(4) ?? 0)
            _ = number(2)
        }
        guard indexes.allSatisfy({ offsets.indices.contains($0) }),
            skip(header.characters + header.leaps * 12 + header.standardFlags + header.utcFlags)
        else { return nil }
        return (times, indexes, offsets)
    }

    mutating func footer() -> [UInt8] {
        guard at < bytes.count, bytes[at] == 0x0A else { return [] }
        return Array(bytes[(at + 1)...].prefix { $0 != 0x0A })
    }
}
