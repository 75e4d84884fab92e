import Foundation

/// A day of the proleptic Gregorian calendar.
struct OracleDate: Sendable {
    var year: Int64
    var month: Int64
    var day: Int64

    /// Days since 1970-01-01.
    ///
    /// Years are counted from March, so that the leap day is the last of its year and needs no case
    /// of its own.
    var number: Int64 {
        let marchYear = month > 2 ? year : year - 1
        let monthsSinceMarch = (month + 9) % 12
        let leapDays =
            marchYear.flooredQuotient(4) - marchYear.flooredQuotient(100)
            + marchYear.flooredQuotient(400)
        return marchYear * 365 + leapDays + (monthsSinceMarch * 153 + 2) / 5 + day - 1 - 719_468
    }

    init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    init(number: Int64) {
        // Come down from a year, then a month, that is too late.
        year = (number + 719_468).flooredQuotient(146_097) * 400 + 400
        while OracleDate(year: year, month: 1, day: 1).number > number {
            let excess = OracleDate(year: year, month: 1, day: 1).number - number
            year -= max(1, excess / 366)
        }
        month = 12
        day = 1
        while self.number > number { month -= 1 }
        day += number - self.number
    }

    /// Reads `YYYY-MM-DD`.
    init(_ text: String) throws(OracleFailure) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [4, 2, 2], let year = Int64(parts[0]),
            let month = Int64(parts[1]),
            let day = Int64(parts[2]), year >= 1, (1...12).contains(month), day >= 1,
            day <= Self.daysIn(month: month, of: year)
        else { throw OracleFailure(description: "\(text) is not a date") }
        self.init(year: year, month: month, day: day)
    }

    static func isLeap(_ year: Int64) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    static func daysIn(month: Int64, of year: Int64) -> Int64 {
        let next =
            month == 12
            ? OracleDate(year: year + 1, month: 1, day: 1)
            : .init(year: year, month: month + 1, day: 1)
        return next.number - OracleDate(year: year, month: month, day: 1).number
    }

    /// The same day so many months earlier, or the last of that month when it is shorter.
    func earlier(months: Int64) -> OracleDate {
        let index = year * 12 + month - 1 - months
        let newYear = index.flooredQuotient(12)
        let newMonth = index - newYear * 12 + 1
        return OracleDate(
            year: newYear, month: newMonth, day: min(day, Self.daysIn(month: newMonth, of: newYear))
        )
    }
}

extension Int64 {
    func flooredQuotient(_ divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}

/// Local days and wall times of one time zone. Instants are milliseconds since 1970 UTC.
struct OracleCalendar: Sendable {
    static let hour: Int64 = 3_600_000
    static let day: Int64 = 86_400_000
    static let firstDay = OracleDate(year: 1, month: 1, day: 1).number
    static let afterLastDay = OracleDate(year: 10_000, month: 1, day: 1).number

    let zone: TimeZone

    init(zone identifier: String) throws {
        guard let zone = TimeZone(identifier: identifier) else {
            throw OracleFailure(description: "no time zone \(identifier)")
        }
        self.zone = zone
    }

    func offset(at instant: Int64) -> Int64 {
        let seconds = instant.flooredQuotient(1000)
        return Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds)))) * 1000
    }

    func wall(at instant: Int64) -> Int64 {
        instant + offset(at: instant)
    }

    func day(at instant: Int64) -> Int64 {
        wall(at: instant).flooredQuotient(Self.day)
    }

    /// The first instant whose local date is that day or later (a zone that crossed the date line
    /// has no such day).
    func start(ofDay number: Int64) -> Int64 {
        let midnight = number * Self.day
        let changes = changes(around: midnight)
        let offsets = Set([offset(at: midnight - 30 * Self.hour)] + changes.map { offset(at: $0) })
        // Local time reaches the day either by passing midnight or by a jump of the clock.
        let candidates = (offsets.map { midnight - $0 } + changes).sorted()
        return candidates.first { day(at: $0) >= number } ?? midnight
    }

    /// The instant of a wall time. Of two the earlier; one in a gap is read with the offset before
    /// the gap.
    func instant(ofWall wall: Int64) -> Int64 {
        let changes = changes(around: wall)
        let offsets = Set([offset(at: wall - 30 * Self.hour)] + changes.map { offset(at: $0) })
        if let instant = offsets.map({ wall - $0 }).sorted().first(where: {
            self.wall(at: $0) == wall
        }) {
            return instant
        }
        let gap = changes.first { self.wall(at: $0 - 1) < wall && wall < self.wall(at: $0) }
        return wall - offset(at: (gap ?? wall) - 1)
    }

    /// The instants within 30 hours at which the offset changes.
    private func changes(around instant: Int64) -> [Int64] {
        let samples = stride(
            from: instant - 30 * Self.hour, to: instant + 30 * Self.hour, by: Int(Self.hour))
        return samples.compactMap { sample in
            var before = sample
            var after = sample + Self.hour
            guard offset(at: before) != offset(at: after) else { return nil }
            while after - before > 1 {
                let middle = before + (after - before) / 2
                if offset(at: middle) == offset(at: before) {
                    before = middle
                } else {
                    after = middle
                }
            }
            return after
        }
    }
}

/// A stretch of time: instants `from <= t < end`, and the local days whose first instant lies in
/// it.
struct OracleWindow: Sendable {
    var from: Int64
    var end: Int64

    func contains(_ instant: Int64) -> Bool {
        from <= instant && instant < end
    }

    static let everything = OracleWindow(
        from: OracleCalendar.firstDay * OracleCalendar.day,
        end: OracleCalendar.afterLastDay * OracleCalendar.day)
}

extension OracleCalendar {
    /// Resolves a window of a rule. Its relative forms end at "as of"; whoever counts events caps
    /// the others as well.
    func window(_ rule: OracleJSON, asOf: Int64) throws -> OracleWindow {
        if rule["last"] != nil { return try lastWindow(rule, asOf: asOf) }
        if rule["days_ago"] != nil { return try daysAgoWindow(rule, asOf: asOf) }
        if rule["period"] != nil { return try periodWindow(rule, asOf: asOf) }
        return try absoluteWindow(rule, asOf: asOf)
    }

    private func lastWindow(_ rule: OracleJSON, asOf: Int64) throws -> OracleWindow {
        try rule.allowOnly(["last", "unit", "mode"])
        let asked = try rule.required("last").integer()
        guard asked >= 0 else { throw OracleFailure(description: "last \(asked)") }
        // More minutes than ten thousand years have: longer windows are cut to the same instant
        // anyhow.
        let number = min(asked, 5_300_000_000)
        let unit = try rule["unit"]?.word() ?? "days"
        let isShort = unit == "minutes" || unit == "hours"
        let mode = try rule["mode"]?.word() ?? (isShort ? "rolling" : "calendar")
        let from: Int64
        switch (mode, unit) {
        case ("rolling", "minutes"): from = asOf - number * 60_000
        case ("rolling", "hours"): from = asOf - number * Self.hour
        case ("rolling", "days"): from = asOf - number * Self.day
        case ("rolling", "weeks"): from = asOf - number * 7 * Self.day
        case ("rolling", "months"): from = monthsBefore(asOf, number)
        case ("rolling", "years"): from = monthsBefore(asOf, min(number, 20_000) * 12)
        case ("calendar", "days"): from = startCut(day(at: asOf) - number)
        case ("calendar", "weeks"): from = startCut(day(at: asOf) - number * 7)
        case ("calendar", "months"):
            from = startCut(OracleDate(number: day(at: asOf)).earlier(months: number).number)
        case ("calendar", "years"):
            let months = min(number, 20_000) * 12
            from = startCut(OracleDate(number: day(at: asOf)).earlier(months: months).number)
        default: throw OracleFailure(description: "no window in \(unit) with mode \(mode)")
        }
        return OracleWindow(from: max(from, OracleWindow.everything.from), end: asOf + 1)
    }

    private func monthsBefore(_ instant: Int64, _ months: Int64) -> Int64 {
        let wall = wall(at: instant)
        let today = wall.flooredQuotient(Self.day)
        let day = OracleDate(number: today).earlier(months: months).number
        guard day > Self.firstDay else { return OracleWindow.everything.from }
        return self.instant(ofWall: day * Self.day + wall - today * Self.day)
    }

    private func startCut(_ day: Int64) -> Int64 {
        if day >= Self.afterLastDay { return OracleWindow.everything.end }
        return day > Self.firstDay ? start(ofDay: day) : OracleWindow.everything.from
    }

    /// What lies ahead of an instant, as instants; for dates see `nextDays`.
    func nextWindow(_ rule: OracleJSON, asOf: Int64) throws -> OracleWindow {
        let (number, unit, mode) = try nextParts(rule)
        guard mode == "rolling" else {
            let last = try lastDay(after: day(at: asOf), number, unit)
            return OracleWindow(from: asOf, end: startCut(last + 1))
        }
        let end: Int64
        switch unit {
        case "minutes": end = asOf + number * 60_000
        case "hours": end = asOf + number * Self.hour
        case "days": end = asOf + number * Self.day
        case "weeks": end = asOf + number * 7 * Self.day
        case "months": end = monthsBefore(asOf, -min(number, 200_000))
        case "years": end = monthsBefore(asOf, -min(number, 20_000) * 12)
        default: throw OracleFailure(description: "no unit \(unit)")
        }
        return OracleWindow(from: asOf + 1, end: min(end, OracleWindow.everything.end - 1) + 1)
    }

    /// What lies ahead, as days.
    func nextDays(_ rule: OracleJSON, asOf: Int64) throws -> ClosedRange<Int64> {
        let (number, unit, mode) = try nextParts(rule)
        guard mode == "calendar" else {
            throw OracleFailure(description: "dates do not lie ahead by the clock")
        }
        let today = day(at: asOf)
        return today...max(today, try lastDay(after: today, number, unit))
    }

    /// So much later than an instant.
    func instant(after start: Int64, _ rule: OracleJSON) throws -> Int64 {
        try rule.allowOnly(["next", "unit"])
        let number = try rule.required("next").integer()
        guard number > 0 else { throw OracleFailure(description: "within \(number)") }
        let end: Int64
        switch try rule["unit"]?.word() ?? "days" {
        case "minutes": end = start + number * 60_000
        case "hours": end = start + number * Self.hour
        case "days": end = start + number * Self.day
        case "weeks": end = start + number * 7 * Self.day
        case "months": end = monthsBefore(start, -min(number, 200_000))
        case "years": end = monthsBefore(start, -min(number, 20_000) * 12)
        case let unit: throw OracleFailure(description: "no unit \(unit)")
        }
        return min(end, OracleWindow.everything.end - 1)
    }

    private func nextParts(_ rule: OracleJSON) throws -> (Int64, unit: String, mode: String) {
        try rule.allowOnly(["next", "unit", "mode"])
        let asked = try rule.required("next").integer()
        guard asked >= 0 else { throw OracleFailure(description: "next \(asked)") }
        let unit = try rule["unit"]?.word() ?? "days"
        let isShort = unit == "minutes" || unit == "hours"
        let mode = try rule["mode"]?.word() ?? (isShort ? "rolling" : "calendar")
        if isShort, mode == "calendar" { throw OracleFailure(description: "\(unit) by days") }
        return (min(asked, 5_300_000_000), unit, mode)
    }

    private func lastDay(after today: Int64, _ number: Int64, _ unit: String) throws -> Int64 {
        let date = OracleDate(number: today)
        switch unit {
        case "days": return today + number
        case "weeks": return today + number * 7
        case "months": return date.earlier(months: -min(number, 200_000)).number
        case "years": return date.earlier(months: -min(number, 20_000) * 12).number
        default: throw OracleFailure(description: "no unit \(unit) of days")
        }
    }

    /// A whole period of the local calendar, found by walking day by day.
    private func periodWindow(_ rule: OracleJSON, asOf: Int64) throws -> OracleWindow {
        try rule.allowOnly(["period"])
        let words = try rule.required("period").word().split(separator: "_").map(String.init)
        guard words.count == 2 else { throw OracleFailure(description: "period \(words)") }
        let name = { (day: Int64) throws -> [Int64] in
            let date = OracleDate(number: day)
            switch words[1] {
            case "day": return [day]
            // 2024-01-01 was a Monday.
            case "week":
                let monday = OracleDate(year: 2024, month: 1, day: 1).number
                return [(day - monday).flooredQuotient(7)]
            case "month": return [date.year, date.month]
            case "quarter": return [date.year, (date.month + 2) / 3]
            case "year": return [date.year]
            default: throw OracleFailure(description: "period \(words)")
            }
        }
        var first = day(at: asOf)
        while try name(first - 1) == name(first) { first -= 1 }
        var end = first
        func skip() throws { let own = try name(end); while try name(end) == own { end += 1 } }
        try skip()
        switch words[0] {
        case "this": break
        case "last":
            end = first
            first -= 1
            while try name(first - 1) == name(first) { first -= 1 }
        case "next":
            first = end
            try skip()
        default: throw OracleFailure(description: "period \(words)")
        }
        return OracleWindow(from: startCut(first), end: startCut(end))
    }

    private func daysAgoWindow(_ rule: OracleJSON, asOf: Int64) throws -> OracleWindow {
        try rule.allowOnly(["days_ago"])
        let bounds = try rule.required("days_ago").elements().map { try $0.integer() }
        guard bounds.count == 2, bounds[0] >= bounds[1], bounds[1] >= 0 else {
            throw OracleFailure(description: "days_ago \(bounds)")
        }
        let today = day(at: asOf)
        let end = startCut(today - bounds[1] + 1)
        return OracleWindow(from: startCut(today - bounds[0]), end: min(end, asOf + 1))
    }

    private func absoluteWindow(_ rule: OracleJSON, asOf: Int64) throws -> OracleWindow {
        try rule.allowOnly(["from", "to"])
        let from = try rule["from"].map { try literal($0, asOf: asOf) }
        let to = try rule["to"].map { try literal($0, asOf: asOf) }
        let relative = try [rule["from"], rule["to"]].compactMap { try $0?.word() }.filter {
            $0.hasPrefix("today")
        }
        var window = OracleWindow.everything
        switch (from, to) {
        case (.day(let from)?, .day(let to)?) where from <= to:
            window = OracleWindow(from: start(ofDay: from), end: start(ofDay: to + 1))
        case (.instant(let from)?, .instant(let to)?) where from <= to:
            window = OracleWindow(from: from, end: to)
        case (.day?, .day?) where relative.count == 1: window.end = window.from
        case (.day(let from)?, nil): window.from = start(ofDay: from)
        case (.instant(let from)?, nil): window.from = from
        case (nil, .day(let to)?): window.end = start(ofDay: to + 1)
        case (nil, .instant(let to)?): window.end = to
        default:
            throw OracleFailure(
                description:
                    "a window from \(String(describing: from)) to \(String(describing: to))")
        }
        return window
    }
}

/// A date or an instant as a rule writes it.
enum OracleTime: Sendable {
    case day(Int64)
    case instant(Int64)
}

extension OracleCalendar {
    func literal(_ value: OracleJSON, asOf: Int64) throws -> OracleTime {
        let text = try value.word()
        if text.hasPrefix("today") {
            guard let days = text == "today" ? 0 : Int64(text.dropFirst(5)) else {
                throw OracleFailure(description: "\(text) is not a day")
            }
            return .day(min(max(day(at: asOf) + days, Self.firstDay), Self.afterLastDay - 1))
        }
        if text.utf8.count == 10 { return .day(try OracleDate(text).number) }
        return .instant(try Self.instant(text))
    }

    /// Reads RFC 3339; digits below the millisecond are cut.
    static func instant(_ text: String) throws -> Int64 {
        let failure = OracleFailure(description: "\(text) is not an instant")
        let characters = Array(text.utf8)
        guard characters.count >= 20, "Tt".utf8.contains(characters[10]) else { throw failure }
        let day = try OracleDate(String(text.prefix(10)))
        let clock = text.dropFirst(11).prefix(8).split(
            separator: ":", omittingEmptySubsequences: false)
        guard clock.map(\.utf8.count) == [2, 2, 2], let hours = Int64(clock[0]),
            let minutes = Int64(clock[1]),
            let seconds = Int64(clock[2]), hours < 24, minutes < 60, seconds < 60
        else { throw failure }
        var rest = text.dropFirst(19)
        var milliseconds: Int64 = 0
        if rest.first == "." {
            let digits = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
            guard let value = Int64((digits + "00").prefix(3)), !digits.isEmpty else {
                throw failure
            }
            milliseconds = value
            rest = rest.dropFirst(1 + digits.count)
        }
        guard let shift = shift(String(rest)) else { throw failure }
        return day.number * Self.day + hours * hour + minutes * 60_000 + seconds * 1000
            + milliseconds - shift
    }

    /// `Z`, `+03:00` or `-03:00`, in milliseconds.
    private static func shift(_ text: String) -> Int64? {
        if text == "Z" || text == "z" { return 0 }
        let parts = text.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
        guard let sign = text.first, sign == "+" || sign == "-", parts.map(\.utf8.count) == [2, 2],
            let hours = Int64(parts[0]), let minutes = Int64(parts[1]), hours < 24, minutes < 60
        else { return nil }
        return (sign == "-" ? -1 : 1) * (hours * hour + minutes * 60_000)
    }
}
