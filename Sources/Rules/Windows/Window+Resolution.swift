import WinnowModel

extension Window {
    /// The window at a time of evaluation. Ends that leave the years 0001–9999 are cut there.
    /// - Parameter ofDates: whether what is looked at has no time of day: then the future begins
    ///   with today, not now.
    package func resolved(_ time: EvaluationTime, ofDates: Bool = false) -> ResolvedWindow {
        let today = time.zone.date(of: time.asOf)
        switch self {
        case .last(let n, let unit, let mode):
            let from =
                Window.mode(mode, of: unit) == .rolling
                ? Window.rolling(-Window.bounded(n), unit, time)
                : Window.start(Window.day(-Window.bounded(n), unit, from: today), time.zone)
            return ResolvedWindow(from: from, to: time.asOf, toInclusive: true)
        case .next(let n, let unit, let mode):
            if Window.mode(mode, of: unit) == .rolling {
                let now = Instant(milliseconds: time.asOf.milliseconds + 1)
                let to = Window.rolling(Window.bounded(n), unit, time)
                return ResolvedWindow(from: now, to: to, toInclusive: true)
            }
            let last = Window.day(Window.bounded(n), unit, from: today)
            var window = Window.days(from: today, to: last, time.zone)
            if !ofDates { window.from = time.asOf }
            return window
        case .daysAgo(let first, let last):
            return Window.days(
                from: CivilDate(day: today.day - Window.bounded(first)),
                to: CivilDate(day: today.day - Window.bounded(last)), time.zone)
        case .dates(let from, let to):
            return Window.days(from: from?.resolved(time), to: to?.resolved(time), time.zone)
        case .instants(let from, let to):
            return ResolvedWindow(from: from, to: to, toInclusive: false)
        case .period(let period):
            let days = period.days(around: today)
            return Window.days(from: days.first, to: days.last, time.zone)
        }
    }

    /// Whether the window's end is the instant of evaluation or counted back from it.
    package var isRelative: Bool {
        switch self {
        case .last, .daysAgo: true
        case .next, .dates, .instants, .period: false
        }
    }

    /// A number of units in a range in which nothing overflows; it leads out of the years that
    /// count on both sides.
    static func bounded(_ n: Int) -> Int { min(max(n, 0), longest) }

    /// The day so many units after another; before it, when there are less than none.
    private static func day(_ n: Int, _ unit: Unit, from day: CivilDate) -> CivilDate {
        switch unit {
        case .years: day.adding(months: n * 12)
        case .months: day.adding(months: n)
        case .weeks: CivilDate(day: day.day + n * 7)
        case .days, .hours, .minutes: CivilDate(day: day.day + n)
        }
    }

    /// Whole local days, both included.
    private static func days(from: CivilDate?, to: CivilDate?, _ zone: TimeZoneRules)
        -> ResolvedWindow
    {
        let start = from.map { Window.start($0, zone) }
        guard let to else { return ResolvedWindow(from: start, to: nil, toInclusive: false) }
        guard to <= .last else { return ResolvedWindow(from: start, to: .last, toInclusive: true) }
        let end = zone.start(of: CivilDate(day: to.day + 1))
        guard end <= .last else { return ResolvedWindow(from: start, to: .last, toInclusive: true) }
        return ResolvedWindow(from: start, to: max(end, .first), toInclusive: false)
    }

    private static func start(_ day: CivilDate, _ zone: TimeZoneRules) -> Instant {
        if day < CivilDate.first { return .first }
        if day > CivilDate.last { return .last }
        return min(max(zone.start(of: day), .first), .last)
    }

    /// The instant so many units after the evaluation; before it, when there are less than none.
    private static func rolling(_ n: Int, _ unit: Unit, _ time: EvaluationTime) -> Instant {
        rolling(n, unit, from: time.asOf, time.zone)
    }

    /// The same from another instant. Months and years keep the local wall time, on the last day of
    /// the month where the day does not exist.
    package static func rolling(
        _ n: Int, _ unit: Unit, from start: Instant, _ zone: TimeZoneRules
    ) -> Instant {
        guard let length = unit.length else {
            let wall = zone.wall(of: start)
            let day = floorDivide(wall, Instant.millisecondsPerDay)
            let shifted = Window.day(n, unit, from: CivilDate(day: Int(day)))
            if shifted < CivilDate.first { return .first }
            if shifted > CivilDate.last { return .last }
            let clock = wall - day * Instant.millisecondsPerDay
            let instant = zone.instant(
                ofWall: Int64(shifted.day) * Instant.millisecondsPerDay + clock)
            return min(max(instant, .first), .last)
        }
        let (distance, over) = Int64(n).multipliedReportingOverflow(by: length)
        let (end, beyond) = start.milliseconds.addingReportingOverflow(distance)
        guard !over, !beyond else { return n < 0 ? .first : .last }
        return min(max(Instant(milliseconds: end), .first), .last)
    }
}

extension Window.Unit {
    /// Its milliseconds; nil where a calendar tells.
    package var length: Int64? {
        switch self {
        case .minutes: 60_000
        case .hours: 3_600_000
        case .days: Instant.millisecondsPerDay
        case .weeks: 7 * Instant.millisecondsPerDay
        case .months, .years: nil
        }
    }
}

extension Window.Period {
    /// The first and the last day of the period, seen from a day.
    fileprivate func days(around today: CivilDate) -> (first: CivilDate, last: CivilDate) {
        let steps = which == .this ? 0 : which == .last ? -1 : 1
        let (year, month, _) = today.components
        let months: Int
        let start: CivilDate
        switch length {
        case .day, .week:
            // 1970-01-01 was a Thursday.
            let weekday = ((today.day + 3) % 7 + 7) % 7
            let days = length == .day ? 1 : 7
            let first = today.day - (length == .day ? 0 : weekday) + steps * days
            return (CivilDate(day: first), CivilDate(day: first + days - 1))
        case .month: (months, start) = (1, CivilDate.first(ofMonth: month, year: year))
        case .quarter:
            (months, start) = (3, CivilDate.first(ofMonth: (month - 1) / 3 * 3 + 1, year: year))
        case .year: (months, start) = (12, CivilDate.first(ofMonth: 1, year: year))
        }
        let first = start.adding(months: steps * months)
        return (first, CivilDate(day: first.adding(months: months).day - 1))
    }
}

extension CivilDate {
    /// The first day of a month of any year.
    fileprivate static func first(ofMonth month: Int, year: Int) -> CivilDate {
        CivilDate(day: CivilDate.first.day).adding(months: (year - 1) * 12 + month - 1)
    }
}
