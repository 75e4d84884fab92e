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

    /// The instant, by a clock where the time has no offset; nil outside of the years 0001 to 9999.
    package func instant(_ instantOfWall: (Int64) -> Int64) -> Int64? {
        let instant = offset.map { wall - $0 } ?? instantOfWall(wall)
        return Instant.possibleMilliseconds.contains(instant) ? instant : nil
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
