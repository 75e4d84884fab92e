import WinnowJSON
import WinnowModel
import WinnowQuery
import WinnowRules

/// What the profiles of a segment did and got, by day, week or month.
public struct ActivityBreakdown: Sendable {
    /// The stretches of time that events are added up over.
    public enum Unit: String, Sendable, CaseIterable {
        case day
        /// From Monday on.
        case week
        case month
    }

    /// The events of one kind in one stretch.
    public struct Line: Sendable {
        /// The local day on which the day, week or month begins.
        public var from: CivilDate
        /// In which channel.
        public var channel: Channel
        /// What happened.
        public var event: Event
        /// What the events' counts add up to, at most 2⁶⁴−1.
        public var count: UInt64
        /// Profiles with such an event.
        public var profiles: Int
    }

    /// Every combination that occurs, by `from`, then in the order of the catalogue.
    public var lines: [Line]
    /// The window, in the segment's zone.
    public var window: ResolvedWindow
    /// Profiles in the segment.
    public var count: Int
    /// The instant of evaluation.
    public var asOf: Instant
    /// Of the store.
    public var version: UInt64
    /// What the rule's author should know.
    public var warnings: [RuleWarning]
}

extension Snapshot {
    /// The most stretches of time that activity is added up over.
    public static let activityStretches = 10_000

    /// The events that a segment's profiles had in the time up to the instant of evaluation. Unique
    /// events that the store derives are left out.
    /// - Parameter segment: whose events are added up.
    /// - Parameter number: how many units the time has, as a window `last` counts them: days and
    ///   longer are those of the calendar.
    /// - Parameter unit: the units.
    /// - Parameter stretch: over what events are added up.
    /// - Parameter options: when and how the segment is evaluated.
    /// - Throws: `usage` where there can be no such breakdown; `invalidRule` with the place in the
    ///   rule.
    /// - Complexity: as `count`, and O(events of the time).
    public func activity(
        of segment: Segment, last number: Int, _ unit: Window.Unit,
        by stretch: ActivityBreakdown.Unit = .day,
        _ options: EvaluationOptions = EvaluationOptions()
    ) throws(WinnowError) -> ActivityBreakdown {
        guard number > 0 else { throw .usage("the time has at least one unit, not \(number)") }
        let binding = try Binding(self, options, of: [segment])
        let bound = try binding.bind(segment)
        let zone = try binding.zone(segment)
        let window = Window.last(number, unit).resolved(
            EvaluationTime(asOf: binding.asOf, zone: zone))
        let first = zone.date(of: window.from ?? binding.asOf)
        let days = try stretch.starts(from: first, to: zone.date(of: binding.asOf))
        // The first stretch may begin before the window does; what is before it is not asked for.
        let starts = days.map { max(zone.start(of: $0), window.from ?? .first) }
        let types = Channel.allCases.flatMap { channel in
            channel.events.filter {
                schema.uniqueEvents == .stored || $0.derivedFrom == nil
            }.map { EventType(channel, $0) }
        }
        let evaluator = evaluator(options, Cancellation())
        let totals = try evaluator.timeline(
            of: bound.plan, types, starts: starts, end: binding.asOf, snapshot)
        var lines: [ActivityBreakdown.Line] = []
        for (i, day) in days.enumerated() {
            for (type, own) in zip(types, totals) where own[i].profiles > 0 {
                lines.append(
                    .init(
                        from: day, channel: type.channel, event: type.event, count: own[i].events,
                        profiles: own[i].profiles))
            }
        }
        return ActivityBreakdown(
            lines: lines, window: window, count: try evaluator.count([bound.plan])[0],
            asOf: binding.asOf, version: version, warnings: bound.warnings)
    }
}

extension ActivityBreakdown.Unit {
    /// The days on which the stretches begin that have some days.
    fileprivate func starts(
        from first: CivilDate, to last: CivilDate
    ) throws(WinnowError) -> [CivilDate] {
        var starts: [CivilDate] = []
        var next = start(of: first)
        while next <= last {
            guard starts.count < Snapshot.activityStretches else {
                throw .usage(
                    "the time has more than \(Snapshot.activityStretches) \(rawValue)s; "
                        + "take a shorter one, or longer units")
            }
            starts.append(next)
            next =
                switch self {
                case .day: CivilDate(day: next.day + 1)
                case .week: CivilDate(day: next.day + 7)
                case .month: next.adding(months: 1)
                }
        }
        return starts
    }

    private func start(of day: CivilDate) -> CivilDate {
        switch self {
        case .day: return day
        case .week:
            // 1970-01-01 was a Thursday.
            let weekday = (day.day + 3) % 7
            return CivilDate(day: day.day - (weekday + 7) % 7)
        case .month: return CivilDate(day: day.day - day.components.day + 1)
        }
    }
}

extension ActivityBreakdown.Line: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object {
            $0.member("from", from.description)
            $0.member("channel", channel.name)
            $0.member("event", event.name)
            $0.member("count", count)
            $0.member("profiles", profiles)
        }
    }
}
