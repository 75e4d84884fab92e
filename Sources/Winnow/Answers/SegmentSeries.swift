import WinnowJSON
import WinnowModel
import WinnowQuery
import WinnowRules

/// A segment's counts as of one instant after the other.
public struct SegmentSeries: Sendable {
    /// The count as of one instant.
    public struct Point: Sendable, Hashable {
        /// The instant of evaluation.
        public var asOf: Instant
        /// Profiles in the segment, exactly.
        public var count: Int
        /// All live profiles; as they are now.
        public var universe: Int
    }

    /// In the order of time.
    public var points: [Point]
    /// What the rule's author should know; each is told once.
    public var warnings: [RuleWarning]
    /// Of the store.
    public var version: UInt64
}

/// An end of a series.
public enum SeriesTime: Sendable, Hashable {
    case instant(Instant)
    /// A day of the segment's zone; it stands for its end, the start of the next one.
    case day(CivilDate)
}

/// How far the instants of a series are apart. Days and longer steps are those of the calendar in
/// the segment's zone: they keep the local time, and of a month that is too short they take the
/// last day.
public struct SeriesStep: Sendable, Hashable, LosslessStringConvertible {
    /// At least 1.
    public var number: Int
    /// Hours or longer.
    public var unit: Window.Unit

    /// A step. Whether there can be a series with it is checked when one is asked for.
    public init(_ number: Int, _ unit: Window.Unit) {
        self.number = number
        self.unit = unit
    }

    private static let units: [(String, Window.Unit)] = [
        ("mo", .months), ("h", .hours), ("d", .days), ("w", .weeks), ("y", .years),
    ]

    /// Reads a step as `1d`: a number from 1 on, and `h`, `d`, `w`, `mo` or `y`.
    public init?(_ text: String) {
        for (suffix, unit) in SeriesStep.units where text.hasSuffix(suffix) {
            let digits = text.dropLast(suffix.count)
            guard digits.allSatisfy({ ("0"..."9").contains($0) }), let number = Int(digits),
                number > 0
            else { return nil }
            self.init(number, unit)
            return
        }
        return nil
    }

    /// As it is read.
    public var description: String {
        "\(number)\(SeriesStep.units.first { $0.1 == unit }?.0 ?? unit.rawValue)"
    }
}

extension Snapshot {
    /// The most points of a series.
    public static let seriesPoints = 10_000
    /// Points that are evaluated together: what they need at a time, some sets of 8 KiB for each
    /// point, stays in a core's cache.
    private static let together = 128

    /// A segment's counts as of `since`, one step after it, two steps, … up to `until`. Fields,
    /// catalogue and profiles are those of now at every point.
    /// - Parameter segment: who is counted.
    /// - Parameter since: the first instant.
    /// - Parameter until: nil for now.
    /// - Parameter step: how far the instants are apart.
    /// - Parameter options: without an instant of evaluation.
    /// - Throws: `usage` where there can be no such series; `invalidRule` with the place in the rule.
    /// - Complexity: conditions on how often something happened, and on what is the same at every
    ///   point, are evaluated once for each 128 points; others once for each point.
    public func series(
        of segment: Segment, since: SeriesTime, until: SeriesTime? = nil,
        every step: SeriesStep = SeriesStep(1, .days),
        _ options: EvaluationOptions = EvaluationOptions()
    ) throws(WinnowError) -> SegmentSeries {
        guard options.asOf == nil else {
            throw .usage("a series has instants of its own; give no other one")
        }
        let zone = try Binding(self, options, of: [segment]).zone(segment)
        let times = try SeriesTimes(since, until ?? .instant(.now), step, zone).all
        let evaluator = evaluator(options, Cancellation())
        var series = SegmentSeries(points: [], warnings: [], version: version)
        var told: Set<RuleWarning> = []
        let shared = SharedBindings(of: [segment], often: true)
        for start in stride(from: 0, to: times.count, by: Snapshot.together) {
            let some = times[start..<min(start + Snapshot.together, times.count)]
            var plans: [Plan] = []
            for time in some {
                var own = options
                own.asOf = time
                let binding = try Binding(self, own, of: [segment], sharing: shared)
                let bound = try binding.bind(segment)
                plans.append(bound.plan)
                for warning in bound.warnings where told.insert(warning.untimed).inserted {
                    series.warnings.append(warning)
                }
            }
            shared.forgetTimes()
            for (time, count) in zip(some, try evaluator.count(plans)) {
                series.points.append(.init(asOf: time, count: count, universe: profiles))
            }
        }
        return series
    }
}

extension Snapshot {
    /// When a day begins in a zone.
    /// - Parameter day: the day.
    /// - Parameter timezone: nil for UTC.
    /// - Throws: `usage` for a zone that is not known.
    public func start(of day: CivilDate, in timezone: String? = nil) throws(WinnowError) -> Instant
    {
        try TimeZoneRules.system(timezone ?? "UTC").start(of: day)
    }
}

/// The instants of a series.
private struct SeriesTimes {
    private(set) var all: [Instant] = []

    init(
        _ since: SeriesTime, _ until: SeriesTime, _ step: SeriesStep, _ zone: TimeZoneRules
    ) throws(WinnowError) {
        guard step.number > 0, step.unit != .minutes else {
            throw .usage("a series goes on by hours, days, weeks, months or years, at least one")
        }
        let first = try SeriesTimes.instant(since, zone)
        let last = try SeriesTimes.instant(until, zone)
        guard first <= last else {
            throw .usage("the series would end, at \(last), before it begins, at \(first)")
        }
        all = [first]
        var count = 1
        while let next = SeriesTimes.instant(count, step, after: since, first, zone), next <= last {
            guard all.count < Snapshot.seriesPoints else {
                throw .usage(
                    "the series would have more than \(Snapshot.seriesPoints) points; take longer steps"
                )
            }
            // A day that a zone has left out ends with the one before it.
            if all.last.map({ $0 < next }) ?? true { all.append(next) }
            count += 1
        }
    }

    private static func instant(
        _ time: SeriesTime, _ zone: TimeZoneRules
    ) throws(WinnowError) -> Instant {
        let instant =
            switch time {
            case .instant(let instant): instant
            case .day(let day): end(of: day, zone)
            }
        guard (Instant.first...Instant.last).contains(instant) else {
            throw .usage("a series is of the years 0001 to 9999")
        }
        return instant
    }

    private static func end(of day: CivilDate, _ zone: TimeZoneRules) -> Instant {
        day >= .first && day < .last ? zone.start(of: CivilDate(day: day.day + 1)) : .last
    }

    /// The instant so many steps after the first; nil after the year 9999. A series that begins with
    /// a day goes on from day to day, and each stands for its end.
    private static func instant(
        _ count: Int, _ step: SeriesStep, after since: SeriesTime, _ first: Instant,
        _ zone: TimeZoneRules
    ) -> Instant? {
        let (number, isOver) = count.multipliedReportingOverflow(by: step.number)
        let most = CivilDate.last.day - CivilDate.first.day
        guard !isOver, number <= (step.unit == .hours ? 24 * most : most) else { return nil }
        if case .day(let day) = since, step.unit != .hours {
            let next =
                switch step.unit {
                case .years: day.adding(months: 12 * number)
                case .months: day.adding(months: number)
                case .weeks: CivilDate(day: day.day + 7 * number)
                case .days, .hours, .minutes: CivilDate(day: day.day + number)
                }
            return next < .last ? end(of: next, zone) : nil
        }
        let next: Instant
        switch step.unit {
        case .minutes, .hours, .months, .years:
            next = Window.rolling(number, step.unit, from: first, zone)
        case .days, .weeks:
            let days = Int64(number) * (step.unit == .weeks ? 7 : 1)
            next = zone.instant(ofWall: zone.wall(of: first) + days * Instant.millisecondsPerDay)
        }
        return next < .last ? next : nil
    }
}

extension RuleWarning {
    /// The same but for times, which differ from point to point.
    fileprivate var untimed: RuleWarning {
        RuleWarning(code: code, path: path, message: code)
    }
}

extension SegmentSeries.Point: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object {
            $0.member("as_of", asOf.description)
            $0.member("count", count)
            $0.member("universe", universe)
        }
    }
}
