import Model

/// When a rule is evaluated: the instant, and the zone that days begin in.
public struct EvaluationTime: Sendable {
    public var asOf: Instant
    public var zone: TimeZoneRules

    public init(asOf: Instant, zone: TimeZoneRules) {
        self.asOf = asOf
        self.zone = zone
    }
}

/// A window in absolute time.
public struct ResolvedWindow: Sendable, Hashable {
    /// nil for no beginning.
    public var from: Instant?
    /// nil for no end but the instant of evaluation.
    public var to: Instant?
    public var toInclusive: Bool

    public init(from: Instant?, to: Instant?, toInclusive: Bool) {
        self.from = from
        self.to = to
        self.toInclusive = toInclusive
    }

    /// The milliseconds in the window, nil when there are none.
    public var milliseconds: ClosedRange<Int64>? {
        let low = from?.milliseconds ?? .min
        let high = to.map { toInclusive ? $0.milliseconds : $0.milliseconds - 1 } ?? .max
        return low <= high ? low...high : nil
    }
}

extension Window {
    /// The window at a time of evaluation. Ends that leave the years 0001–9999 are cut there.
    public func resolved(_ time: EvaluationTime) -> ResolvedWindow {
        let today = time.zone.date(of: time.asOf)
        switch self {
        case .last(let n, let unit, .calendar):
            let start: CivilDate
            switch unit {
            case .months: start = Window.adding(months: -n, to: today)
            case .weeks: start = CivilDate(day: today.day - n * 7)
            default: start = CivilDate(day: today.day - n)
            }
            return ResolvedWindow(from: Window.start(start, time.zone), to: time.asOf, toInclusive: true)
        case .last(let n, let unit, .rolling):
            return ResolvedWindow(from: Window.rolling(n, unit, time), to: time.asOf, toInclusive: true)
        case .daysAgo(let first, let last):
            return Window.days(
                from: CivilDate(day: today.day - first), to: CivilDate(day: today.day - last), time.zone)
        case .dates(let from, let to):
            return Window.days(from: from, to: to, time.zone)
        case .instants(let from, let to):
            return ResolvedWindow(from: from, to: to, toInclusive: false)
        }
    }

    /// Whether the window's end is the instant of evaluation or counted from it.
    public var isRelative: Bool {
        switch self {
        case .last, .daysAgo: true
        case .dates, .instants: false
        }
    }

    /// Whole local days, both included.
    private static func days(from: CivilDate?, to: CivilDate?, _ zone: TimeZoneRules) -> ResolvedWindow {
        let start = from.map { Window.start($0, zone) }
        guard let to else { return ResolvedWindow(from: start, to: nil, toInclusive: false) }
        let end = zone.start(of: CivilDate(day: to.day + 1))
        guard end <= .last else { return ResolvedWindow(from: start, to: .last, toInclusive: true) }
        return ResolvedWindow(from: start, to: max(end, .first), toInclusive: false)
    }

    private static func start(_ day: CivilDate, _ zone: TimeZoneRules) -> Instant {
        if day < CivilDate.first { return .first }
        return min(max(zone.start(of: day), .first), .last)
    }

    private static func adding(months: Int, to day: CivilDate) -> CivilDate {
        months < -120_000 ? CivilDate(day: CivilDate.first.day - 1) : day.adding(months: months)
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
            let shifted = adding(months: -n, to: CivilDate(day: Int(day)))
            if shifted < CivilDate.first { return .first }
            let clock = wall - day * Instant.millisecondsPerDay
            return max(time.zone.instant(ofWall: Int64(shifted.day) * Instant.millisecondsPerDay + clock), .first)
        }
        return max(Instant(milliseconds: time.asOf.milliseconds - Int64(n) * back), .first)
    }
}
