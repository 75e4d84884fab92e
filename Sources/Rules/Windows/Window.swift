import WinnowModel

/// A span of time, absolute or relative to the instant of evaluation. Every window of activity
/// ends at that instant, too; what lies ahead is for fields.
public enum Window: Sendable, Hashable {
    /// What windows are counted in.
    public enum Unit: String, Sendable, CaseIterable {
        case minutes, hours, days, weeks, months, years

        /// Whether it is shorter than a day, so that no calendar counts it.
        public var isShort: Bool { self == .minutes || self == .hours }

        /// One of it, as text has it; more are the name itself.
        var singular: String { String(rawValue.dropLast()) }
    }

    /// How units are counted from the instant of evaluation.
    public enum Mode: String, Sendable, CaseIterable {
        /// By whole local days.
        case calendar
        /// To the millisecond.
        case rolling
    }

    /// A day as rules name it.
    public enum Day: Sendable, Hashable {
        /// A day of the calendar.
        case date(CivilDate)
        /// So many days after the local day of the evaluation; before it, when negative. At most
        /// seven digits; what leaves the years 0001–9999 is their first or last day.
        case today(Int = 0)
    }

    /// A whole local period: weeks begin on Monday.
    public struct Period: Sendable, Hashable {
        /// Which one, seen from the instant of evaluation.
        public enum Which: String, Sendable, CaseIterable {
            case this, last
            /// Only for fields.
            case next
        }

        /// How long it is.
        public enum Length: String, Sendable, CaseIterable {
            case day, week, month, quarter, year
        }

        /// Which one.
        public var which: Which
        /// How long it is.
        public var length: Length

        /// A period: `.init(.last, .quarter)`.
        public init(_ which: Which, _ length: Length) {
            self.which = which
            self.length = length
        }
    }

    /// From so long ago (0 or more) until now, both ends included. Without a mode days and longer
    /// units are counted by the calendar; minutes and hours always roll.
    case last(Int, Unit = .days, Mode? = nil)
    /// From now to so much later (0 or more); only for fields. By the calendar: from now, or for
    /// dates from today, to the end of the last day. Rolling: after now, to the millisecond; not
    /// for dates.
    case next(Int, Unit = .days, Mode? = nil)
    /// Whole local days, both included; the first is the further one.
    case daysAgo(Int, Int)
    /// Whole local days, both included; nil for an open end, of which there is at most one.
    case dates(from: Day?, to: Day?)
    /// `from` included, `to` excluded; nil for an open end, of which there is at most one.
    case instants(from: Instant?, to: Instant?)
    /// The day, week, month, quarter or year that it is now, or its neighbour.
    case period(Period)
}

extension Window {
    /// The mode of units that are counted.
    static func mode(_ chosen: Mode?, of unit: Unit) -> Mode {
        chosen ?? (unit.isShort ? .rolling : .calendar)
    }

    /// Whether it can lie ahead of the evaluation as a whole, and so is for fields alone.
    var liesAhead: Bool {
        switch self {
        case .next: true
        case .period(let period): period.which == .next
        default: false
        }
    }
}

extension Window.Day: LosslessStringConvertible {
    /// Reads `YYYY-MM-DD`, `today`, `today-3` or `today+10`, exactly so.
    public init?(_ text: String) {
        if let date = CivilDate(text) {
            self = .date(date)
            return
        }
        var digits = text.utf8[...]
        guard digits.starts(with: "today".utf8) else { return nil }
        digits = digits.dropFirst(5)
        guard let sign = digits.popFirst() else {
            self = .today(0)
            return
        }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"),
            (1...Window.Day.digits).contains(digits.count),
            digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let days = Int(Substring(digits))
        else { return nil }
        self = .today(sign == UInt8(ascii: "-") ? -days : days)
    }

    /// The day as rules write it.
    public var description: String {
        switch self {
        case .date(let date): date.description
        case .today(0): "today"
        case .today(let days): days < 0 ? "today\(days)" : "today+\(days)"
        }
    }

    /// The most digits of a distance from today.
    static let digits = 7
    /// The greatest distance from today.
    static let furthest = 9_999_999

    /// The day at a time of evaluation.
    func resolved(_ time: EvaluationTime) -> CivilDate {
        switch self {
        case .date(let date): return date
        case .today(let days):
            let near = min(max(days, -Window.Day.furthest), Window.Day.furthest)
            let day = CivilDate(day: time.zone.date(of: time.asOf).day + near)
            return min(max(day, .first), .last)
        }
    }
}
