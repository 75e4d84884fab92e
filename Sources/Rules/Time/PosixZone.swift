import WinnowModel

/// The rule after the last transition of a zone, in POSIX TZ form: `CET-1CEST,M3.5.0,M10.5.0/3`.
struct PosixZone: Sendable {
    private let standard: Int64
    private let daylight: Daylight?

    private struct Daylight: Sendable {
        var offset: Int64
        var start, end: Day
    }

    /// A day of every year, and the second of that day.
    fileprivate struct Day: Sendable {
        enum Form: Sendable {
            case monthWeekDay(month: Int, week: Int, weekday: Int)
            case julian(Int)
            case zeroBased(Int)
        }
        var form: Form
        var second: Int64

        /// Local seconds since 1970 in a year.
        func local(_ year: Int) -> Int64 {
            guard let january = CivilDate(year: min(max(year, 1), 9999), month: 1, day: 1) else {
                return 0
            }
            let day: Int
            switch form {
            case .zeroBased(let n): day = january.day + n
            case .julian(let n):
                day = january.day + n - 1 + (CivilDate.isLeap(year) && n >= 60 ? 1 : 0)
            case .monthWeekDay(let month, let week, let weekday):
                let first = january.adding(months: month - 1).day
                // 1970-01-01 was a Thursday, weekday 4.
                let firstWeekday = ((first + 4) % 7 + 7) % 7
                var found = first + (weekday - firstWeekday + 7) % 7 + (week - 1) * 7
                if found >= first + CivilDate.days(ofMonth: month, year: year) { found -= 7 }
                day = found
            }
            return Int64(day) * 86_400 + second
        }
    }

    init?(_ text: [UInt8]) {
        var parser = Parser(text)
        guard parser.skipName(), let west = parser.time() else { return nil }
        standard = -west
        guard parser.skipName() else {
            daylight = nil
            if !parser.atEnd { return nil }
            return
        }
        var offset = standard + 3600
        if !parser.at(","), let west = parser.time() { offset = -west }
        guard parser.take(","), let start = Day(&parser), parser.take(","), let end = Day(&parser),
            parser.atEnd
        else { return nil }
        daylight = Daylight(offset: offset, start: start, end: end)
    }

    func offset(atSecond second: Int64) -> Int64 {
        guard let daylight else { return standard }
        // A year's two changes may be in the neighbouring UTC year, so the latest of three years'
        // decides.
        let year = Instant(milliseconds: second * 1000).utcDay.components.year
        var latest = (at: Int64.min, offset: standard)
        for y in year - 1...year + 1 {
            let on = daylight.start.local(y) - standard
            let off = daylight.end.local(y) - daylight.offset
            if on <= second && on > latest.at { latest = (on, daylight.offset) }
            // On a tie (daylight time all year) the change to daylight time wins.
            if off <= second && off > latest.at { latest = (off, standard) }
        }
        return latest.offset
    }

    /// The changes near a range, unordered.
    func transitions(_ range: Range<Int64>) -> [Int64] {
        guard let daylight else { return [] }
        let first = Instant(milliseconds: range.lowerBound * 1000).utcDay.components.year
        let last = Instant(milliseconds: range.upperBound * 1000).utcDay.components.year
        return (first - 1...last + 1).flatMap {
            [daylight.start.local($0) - standard, daylight.end.local($0) - daylight.offset]
        }
    }

    fileprivate struct Parser {
        private var rest: ArraySlice<UInt8>

        init(_ text: [UInt8]) { rest = text[...] }

        var atEnd: Bool { rest.isEmpty }

        func at(_ mark: Character) -> Bool { rest.first == mark.asciiValue }

        mutating func take(_ mark: Character) -> Bool {
            guard at(mark) else { return false }
            rest.removeFirst()
            return true
        }

        /// `CET` or `<+03>`.
        mutating func skipName() -> Bool {
            if take("<") {
                guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return false }
                rest = rest[(end + 1)...]
                return true
            }
            let letters = rest.prefix { ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A }
            rest = rest.dropFirst(letters.count)
            return letters.count >= 3
        }

        mutating func number() -> Int? {
            let digits = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }.prefix(6)
            rest = rest.dropFirst(digits.count)
            return digits.isEmpty ? nil : digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        }

        /// `[+-]h[:m[:s]]` in seconds.
        mutating func time() -> Int64? {
            let negative = take("-")
            if !negative { _ = take("+") }
            guard var seconds = number().map({ Int64($0) * 3600 }) else { return nil }
            for unit in [Int64(60), 1] where take(":") {
                guard let n = number() else { return nil }
                seconds += Int64(n) * unit
            }
            return negative ? -seconds : seconds
        }
    }
}

extension PosixZone.Day {
    fileprivate init?(_ parser: inout PosixZone.Parser) {
        if parser.take("M") {
            guard let month = parser.number(), parser.take("."), let week = parser.number(),
                parser.take("."),
                let weekday = parser.number(), (1...12).contains(month), (1...5).contains(week),
                weekday <= 6
            else { return nil }
            form = .monthWeekDay(month: month, week: week, weekday: weekday)
        } else if parser.take("J") {
            guard let n = parser.number(), (1...365).contains(n) else { return nil }
            form = .julian(n)
        } else {
            guard let n = parser.number(), n <= 365 else { return nil }
            form = .zeroBased(n)
        }
        second = 7200
        if parser.take("/") {
            guard let time = parser.time() else { return nil }
            second = time
        }
    }
}
