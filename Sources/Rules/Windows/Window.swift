import WinnowModel

/// A span of time, absolute or relative to the instant of evaluation.
public enum Window: Sendable, Hashable {
    /// What windows are counted in.
    public enum Unit: String, Sendable, CaseIterable {
        case minutes, hours, days, weeks, months

        /// Whether it is shorter than a day, so that no calendar counts it.
        public var isShort: Bool { self == .minutes || self == .hours }

        /// One of it, as text has it; more are the name itself.
        var singular: String { String(rawValue.dropLast()) }
    }

    /// How units are counted back from the instant of evaluation.
    public enum Mode: String, Sendable, CaseIterable {
        /// From the start of a local day on.
        case calendar
        /// To the millisecond.
        case rolling
    }

    /// From so long ago (0 or more) until now, both ends included. Without a mode days and longer
    /// units are counted by the calendar; minutes and hours always roll.
    case last(Int, Unit = .days, Mode? = nil)
    /// Whole local days, both included; the first is the further one.
    case daysAgo(Int, Int)
    /// Whole local days, both included; nil for an open end, of which there is at most one.
    case dates(from: CivilDate?, to: CivilDate?)
    /// `from` included, `to` excluded; nil for an open end, of which there is at most one.
    case instants(from: Instant?, to: Instant?)
}

extension Window {
    /// The mode of units that are counted back.
    static func mode(_ chosen: Mode?, of unit: Unit) -> Mode {
        chosen ?? (unit.isShort ? .rolling : .calendar)
    }
}
