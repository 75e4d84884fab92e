/// A time as files have it: RFC 3339, or its parts with a space between them, with an offset, or
/// without one. After a numeric offset the letters of a zone may follow, which say nothing new.
package struct WrittenTime: Equatable {
    /// Milliseconds since 1970 by the clock that shows it; digits below the millisecond are cut.
    package let wall: Int64
    /// Milliseconds east of UTC; nil where nothing is said.
    package let offset: Int64?

    /// Reads `2026-01-31T12:00:00.250+03:00`, and with a space for the `T`, `+03`, `+0300`, a space
    /// before the offset, and `+0300 MSK`.
    package init?(utf8 text: UnsafeRawBufferPointer) {
        if let plain = unsafe WrittenTime(plain: text) {
            self = plain
            return
        }
        guard text.count >= 19,
            let date = unsafe CivilDate(utf8: UnsafeRawBufferPointer(rebasing: text[0..<10]))
        else { return nil }
        var reader = unsafe DigitReader(UnsafeRawBufferPointer(rebasing: text[10...]))
        guard reader.take("T") || reader.take(" ") || reader.take("t"),
            let clock = reader.clock()
        else { return nil }
        wall = Int64(date.day) * Instant.millisecondsPerDay + clock
        if reader.atEnd {
            offset = nil
            return
        }
        _ = reader.take(" ")
        guard let minutes = reader.anyOffset() else { return nil }
        offset = Int64(minutes) * 60_000
    }

    /// Reads `2026-01-31T12:00:00Z`, as most times are written, eight bytes at a time; nil for what
    /// may be a time in another form, or none.
    private init?(plain text: UnsafeRawBufferPointer) {
        guard text.count == 20,
            let date = unsafe EightDigits(text, 0, .date),
            let clock = unsafe EightDigits(text, 8, .clock),
            let rest = unsafe EightDigits(text, 12, .rest),
            clock.pair(3) < 24, clock.pair(6) < 60, rest.pair(5) < 60,
            let day = CivilDate(
                year: date.pair(0) * 100 + date.pair(2), month: date.pair(5), day: clock.pair(0))
        else { return nil }
        let seconds = clock.pair(3) * 3600 + clock.pair(6) * 60 + rest.pair(5)
        wall = Int64(day.day) * Instant.millisecondsPerDay + Int64(seconds) * 1000
        offset = 0
    }

    /// The instant, by a clock where the time has no offset; nil outside of the years 0001 to 9999.
    package func instant(_ instantOfWall: (Int64) -> Int64) -> Int64? {
        let instant = offset.map { wall - $0 } ?? instantOfWall(wall)
        return Instant.possibleMilliseconds.contains(instant) ? instant : nil
    }
}

/// Eight bytes of a text in which digits and other characters are at known places.
private struct EightDigits {
    /// The digits' values, the first in the lowest byte, and zeros between them.
    private let values: UInt64

    /// What the bytes must be, the first in the lowest byte.
    struct Pattern {
        /// The characters, digits as zeros.
        let characters: UInt64
        /// Bytes of ones at the digits.
        let digits: UInt64

        /// `0000-00-`
        static let date = Pattern(characters: 0x2D30_302D_3030_3030, digits: 0x00FF_FF00_FFFF_FFFF)
        /// `00T00:00`
        static let clock = Pattern(characters: 0x3030_3A30_3054_3030, digits: 0xFFFF_00FF_FF00_FFFF)
        /// `0:00:00Z`
        static let rest = Pattern(characters: 0x5A30_303A_3030_3A30, digits: 0x00FF_FF00_FFFF_00FF)
    }

    /// nil where the text, which has eight bytes from `start` on, differs.
    init?(_ text: UnsafeRawBufferPointer, _ start: Int, _ pattern: Pattern) {
        let digits = pattern.digits
        values =
            unsafe UInt64(littleEndian: text.loadUnaligned(fromByteOffset: start, as: UInt64.self))
            ^ pattern.characters
        // What is none of the digits' values up to nine has a bit of the upper half, or gets one.
        let six = 0x0606_0606_0606_0606 & digits
        guard values & ~(0x0F0F_0F0F_0F0F_0F0F & digits) == 0,
            (values + six) & 0xF0F0_F0F0_F0F0_F0F0 == 0
        else { return nil }
    }

    /// The number of two digits, by the place of the first.
    func pair(_ i: Int) -> Int {
        let two = values >> UInt64(8 * i)
        return Int(two & 0xF) * 10 + Int(two >> 8 & 0xF)
    }
}

extension DigitReader {
    /// `HH:MM:SS[.fff…]` in milliseconds of the day.
    mutating func clock() -> Int64? {
        guard let hour = number(digits: 2), hour < 24, take(":"),
            let minute = number(digits: 2), minute < 60, take(":"),
            let second = number(digits: 2), second < 60, let fraction = fraction()
        else { return nil }
        return Int64(hour * 3600 + minute * 60 + second) * 1000 + Int64(fraction)
    }

    /// `.` and digits as whole milliseconds, 0 when there is no dot.
    private mutating func fraction() -> Int? {
        guard take(".") else { return 0 }
        var value = 0
        var digits = 0
        while let byte = next, let digit = decimalDigit(byte) {
            if digits < 3 { value = value * 10 + digit }
            digits += 1
            _ = number(digits: 1)
        }
        guard digits > 0 else { return nil }
        for _ in min(digits, 3)..<3 { value *= 10 }
        return value
    }

    /// `Z` or `±HH:MM`, in minutes east of UTC.
    mutating func offset() -> Int? {
        if take("Z") || take("z") { return 0 }
        let east = take("+")
        guard east || take("-"), let hours = number(digits: 2), hours < 24, take(":"),
            let minutes = number(digits: 2), minutes < 60
        else { return nil }
        return (hours * 60 + minutes) * (east ? 1 : -1)
    }

    /// The same, and `±HH`, `±HHMM`, with a zone's letters after the digits; nothing may follow.
    fileprivate mutating func anyOffset() -> Int? {
        if take("Z") || take("z") { return atEnd ? 0 : nil }
        let east = take("+")
        guard east || take("-"), let hours = number(digits: 2), hours < 24 else { return nil }
        var minutes = 0
        if take(":") || next.flatMap(decimalDigit) != nil {
            guard let number = number(digits: 2), number < 60 else { return nil }
            minutes = number
        }
        if !atEnd {
            _ = take(" ")
            guard next != nil else { return nil }
            while let byte = next {
                guard (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) else {
                    return nil
                }
                _ = take(Unicode.Scalar(byte))
            }
        }
        return (hours * 60 + minutes) * (east ? 1 : -1)
    }
}
