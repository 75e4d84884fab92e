/// A day of the proleptic Gregorian calendar, as a number of days since 1970-01-01. No time zone.
///
/// Rules and files take the years 0001 to 9999. Other days can be made, up to 290 million years
/// away, but a rule that names one is refused.
public struct CivilDate: Hashable, Sendable, Comparable {
    /// Days since 1970-01-01.
    public let day: Int

    /// The day so many days after 1970-01-01; one that is further away than any `CivilDate` becomes
    /// the furthest.
    public init(day: Int) { self.day = min(max(day, -CivilDate.furthest), CivilDate.furthest) }

    /// Days. So near that no arithmetic on dates and instants overflows 64 bits.
    static let furthest = 106_000_000_000

    /// The first day that rules and files can name: 0001-01-01.
    public static let first = CivilDate(uncheckedYear: 1, month: 1, day: 1)
    /// The last day that rules and files can name: 9999-12-31.
    public static let last = CivilDate(uncheckedYear: 9999, month: 12, day: 31)

    /// The day of a year (1–9999), month and day; nil when there is no such day.
    public init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month), day >= 1,
            day <= CivilDate.days(ofMonth: month, year: year)
        else { return nil }
        self.init(uncheckedYear: year, month: month, day: day)
    }

    /// Years are counted from March, so that the leap day is the last of its year, in eras of 400
    /// years.
    private init(uncheckedYear year: Int, month: Int, day: Int) {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        self.init(day: era * 146_097 + dayOfEra - 719_468)
    }

    /// Year, month and day.
    public var components: (year: Int, month: Int, day: Int) {
        let z = day + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month,
            dayOfYear - (153 * shifted + 2) / 5 + 1
        )
    }

    /// The same day of the month so many months away, or the month's last day where there is none.
    public func adding(months: Int) -> CivilDate {
        let (year, month, day) = components
        // More months than that lead beyond the furthest day from anywhere.
        let index = year * 12 + (month - 1) + min(max(months, -8_000_000_000), 8_000_000_000)
        let newYear = index >= 0 ? index / 12 : (index - 11) / 12
        let newMonth = index - newYear * 12 + 1
        let last = CivilDate.days(ofMonth: newMonth, year: newYear)
        return CivilDate(uncheckedYear: newYear, month: newMonth, day: min(day, last))
    }

    /// Whether the year has a 29 February.
    public static func isLeap(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    /// How many days a month (1–12) has.
    public static func days(ofMonth month: Int, year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Whether the day is the earlier one.
    public static func < (a: CivilDate, b: CivilDate) -> Bool { a.day < b.day }
}

extension CivilDate: CustomStringConvertible, LosslessStringConvertible {
    /// `YYYY-MM-DD`.
    public var description: String {
        let (year, month, day) = components
        return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2)
    }

    /// Reads exactly `YYYY-MM-DD`, years 0001–9999.
    public init?(_ text: String) {
        var text = text
        guard let date = text.withUTF8({ unsafe CivilDate(utf8: UnsafeRawBufferPointer($0)) })
        else { return nil }
        self = date
    }

    /// Reads exactly `YYYY-MM-DD` from bytes.
    public init?(utf8 text: UnsafeRawBufferPointer) {
        var reader = unsafe DigitReader(text)
        guard let year = reader.number(digits: 4), reader.take("-"),
            let month = reader.number(digits: 2),
            reader.take("-"), let day = reader.number(digits: 2), reader.atEnd
        else { return nil }
        self.init(year: year, month: month, day: day)
    }
}

/// A number with leading zeros.
func padded(_ value: Int, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}

/// Takes fixed-width numbers and marks off the front of a text.
@safe struct DigitReader {
    private let text: UnsafeRawBufferPointer
    private(set) var at = 0

    init(_ text: UnsafeRawBufferPointer) { unsafe self.text = unsafe text }

    var atEnd: Bool { unsafe at == text.count }
    var next: UInt8? { unsafe at < text.count ? text[at] : nil }

    mutating func number(digits: Int) -> Int? {
        guard unsafe at + digits <= text.count else { return nil }
        var value = 0
        for i in at..<at + digits {
            guard let digit = unsafe decimalDigit(text[i]) else { return nil }
            value = value * 10 + digit
        }
        at += digits
        return value
    }

    mutating func take(_ mark: Unicode.Scalar) -> Bool {
        guard let next, next == UInt8(truncatingIfNeeded: mark.value) else { return false }
        at += 1
        return true
    }
}

func decimalDigit(_ byte: UInt8) -> Int? { byte >= 0x30 && byte <= 0x39 ? Int(byte - 0x30) : nil }
