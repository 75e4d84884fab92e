import WinnowModel

/// When a rule is evaluated: the instant, and the zone that days begin in.
package struct EvaluationTime: Sendable {
    package var asOf: Instant
    package var zone: TimeZoneRules

    package init(asOf: Instant, zone: TimeZoneRules) {
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
