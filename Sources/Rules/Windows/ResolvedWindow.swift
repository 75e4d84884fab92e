import WinnowModel

/// When a rule is evaluated: the instant, and the zone that days begin in.
package struct EvaluationTime: Sendable {
    package var asOf: Instant
    package var zone: TimeZoneRules
    /// The zone of rules that name none.
    package var usualZone: TimeZoneRules
    /// Whether somebody chose the instant.
    package var isChosen: Bool
    /// Finds the zones of saved segments.
    private let find: ZoneFinder

    /// Finds a zone by its name.
    package typealias ZoneFinder = @Sendable (String) throws(WinnowError) -> TimeZoneRules

    /// - Parameter usualZone: nil for the same zone.
    package init(
        asOf: Instant, zone: TimeZoneRules, usualZone: TimeZoneRules? = nil, isChosen: Bool = false,
        find: @escaping ZoneFinder = { (name) throws(WinnowError) in
            throw .usage("no time zone “\(name)” is known here")
        }
    ) {
        self.asOf = asOf
        self.zone = zone
        self.usualZone = usualZone ?? zone
        self.isChosen = isChosen
        self.find = find
    }

    /// The same instant for a rule with a zone of its own; nil for the usual one.
    package func inZone(_ name: String?) throws(WinnowError) -> EvaluationTime {
        var time = self
        time.zone = usualZone
        if let name { time.zone = try find(name) }
        return time
    }
}

/// A window in absolute time.
public struct ResolvedWindow: Sendable, Hashable {
    /// nil for no beginning.
    public var from: Instant?
    /// nil for no end but the instant of evaluation.
    public var to: Instant?
    /// Whether the end itself is in.
    public var toInclusive: Bool

    /// A window between two instants, the first included.
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

    /// The window as far as an instant, which is in it: what counts of activity. An empty one
    /// begins where it ends.
    package func ending(at end: Instant) -> ResolvedWindow {
        var window = self
        if to.map({ $0 > end }) ?? true { (window.to, window.toInclusive) = (end, true) }
        if window.milliseconds == nil { (window.from, window.toInclusive) = (window.to, false) }
        return window
    }
}
