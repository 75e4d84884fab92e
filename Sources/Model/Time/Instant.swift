/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
///
/// Rules and files take the years 0001 to 9999. Other instants can be made, up to 290 million years
/// away, but an evaluation that names one is refused.
public struct Instant: Hashable, Sendable, Comparable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    public let milliseconds: Int64

    /// The instant so many milliseconds after 1970; one that is further away than any `Instant`
    /// becomes the furthest.
    public init(milliseconds: Int64) {
        self.milliseconds = min(max(milliseconds, -Instant.furthest), Instant.furthest)
    }

    /// Milliseconds of a day without changes of clocks.
    public static let millisecondsPerDay: Int64 = 86_400_000

    /// Milliseconds. So near that no arithmetic on dates and instants overflows 64 bits.
    private static let furthest = Int64(CivilDate.furthest) * millisecondsPerDay

    /// The first instant that rules and files can name: the year 0001 begins, UTC.
    public static let first = Instant(milliseconds: Int64(CivilDate.first.day) * millisecondsPerDay)
    /// The last instant that rules and files can name: the last millisecond of 9999, UTC.
    public static let last = Instant(
        milliseconds: Int64(CivilDate.last.day + 1) * millisecondsPerDay - 1)
    /// Milliseconds since 1970 of the years 0001 to 9999.
    package static let possibleMilliseconds = first.milliseconds...last.milliseconds

    /// Whether the instant is the earlier one.
    public static func < (a: Instant, b: Instant) -> Bool { a.milliseconds < b.milliseconds }

    /// The UTC day it falls on.
    public var utcDay: CivilDate {
        CivilDate(day: Int(floorDivide(milliseconds, Instant.millisecondsPerDay)))
    }
}

/// Division that rounds towards minus infinity; the divisor is positive.
package func floorDivide(_ a: Int64, _ b: Int64) -> Int64 { a >= 0 ? a / b : (a + 1) / b - 1 }

extension Instant: CustomStringConvertible, LosslessStringConvertible {
    /// `2026-01-01T00:00:00.000Z`.
    public var description: String {
        let day = utcDay
        let rest = Int(milliseconds - Int64(day.day) * Instant.millisecondsPerDay)
        let seconds = rest / 1000
        let clock =
            "\(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
        return "\(day)T\(clock).\(padded(rest % 1000, 3))Z"
    }

    /// Reads RFC 3339, for example `2026-01-01T12:00:00.250+03:00`; digits below the millisecond
    /// are cut.
    public init?(_ text: String) {
        var text = text
        guard
            let instant = text.withUTF8({
                unsafe Instant(utf8: UnsafeRawBufferPointer($0), allowSpace: false)
            })
        else { return nil }
        self = instant
    }

    /// Reads RFC 3339 from bytes, and with `allowSpace` also `YYYY-MM-DD HH:MM:SS[.fff]`, which is
    /// UTC.
    public init?(utf8 text: UnsafeRawBufferPointer, allowSpace: Bool) {
        guard text.count >= 19,
            let date = unsafe CivilDate(utf8: UnsafeRawBufferPointer(rebasing: text[0..<10]))
        else { return nil }
        var reader = unsafe DigitReader(UnsafeRawBufferPointer(rebasing: text[10...]))
        let spaced = allowSpace && reader.take(" ")
        guard spaced || reader.take("T") || reader.take("t"), let clock = reader.clock() else {
            return nil
        }
        var offset = 0
        if !spaced {
            guard let minutes = reader.offset() else { return nil }
            offset = minutes
        }
        guard reader.atEnd else { return nil }
        self.init(
            milliseconds: Int64(date.day) * Instant.millisecondsPerDay + clock - Int64(offset)
                * 60_000)
        guard self >= Instant.first, self <= Instant.last else { return nil }
    }
}
