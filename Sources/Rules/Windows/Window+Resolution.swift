import WinnowModel

extension Window {
    /// The window at a time of evaluation. Ends that leave the years 0001–9999 are cut there.
    package func resolved(_ time: EvaluationTime) -> ResolvedWindow {
        let today = time.zone.date(of: time.asOf)
        switch self {
        case .last(let number, let unit, let mode):
            let n = Window.bounded(number)
            let from =
                Window.mode(mode, of: unit) == .rolling
                ? Window.rolling(n, unit, time)
                : Window.start(Window.day(n, unit, before: today), time.zone)
            return ResolvedWindow(from: from, to: time.asOf, toInclusive: true)
        case .daysAgo(let first, let last):
            return Window.days(
                from: CivilDate(day: today.day - Window.bounded(first)),
                to: CivilDate(day: today.day - Window.bounded(last)), time.zone)
        case .dates(let from, let to):
            return Window.days(from: from, to: to, time.zone)
        case .instants(let from, let to):
            return ResolvedWindow(from: from, to: to, toInclusive: false)
        }
    }

    /// Whether the window's end is the instant of evaluation or counted from it.
    package var isRelative: Bool {
        switch self {
        case .last, .daysAgo: true
        case .dates, .instants: false
        }
    }

    /// A number of units in a range in which nothing overflows; it leads out of the years that
    /// count on both sides.
    static func bounded(_ n: Int) -> Int { min(max(n, 0), longest) }

    /// The day so many units before another.
    private static func day(_ n: Int, _ unit: Unit, before day: CivilDate) -> CivilDate {
        switch unit {
        case .months: day.adding(months: -n)
        case .weeks: CivilDate(day: day.day - n * 7)
        case .days, .hours, .minutes: CivilDate(day: day.day - n)
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
        return min(max(zone.start(of: day), .first), .last)
    }

    private static func rolling(_ n: Int, _ unit: Unit, _ time: EvaluationTime) -> Instant {
        let back: Int64
        switch unit {
        case .minutes: back = 60_000
        case .hours: back = 3_600_000
        case .days: back = Instant.millisecondsPerDay
        case .weeks: back = 7 * Instant.millisecondsPerDay
        case .months:
            let wall = time.zone.wall(of: time.asOf)
            let day = floorDivide(wall, Instant.millisecondsPerDay)
            let shifted = CivilDate(day: Int(day)).adding(months: -n)
            if shifted < CivilDate.first { return .first }
            let clock = wall - day * Instant.millisecondsPerDay
            return max(
                time.zone.instant(ofWall: Int64(shifted.day) * Instant.millisecondsPerDay + clock),
                .first)
        }
        return max(Instant(milliseconds: time.asOf.milliseconds - Int64(n) * back), .first)
    }
}
