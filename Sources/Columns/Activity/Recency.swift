import WinnowModel

/// When something happened last, in quarters of an hour since 1970: fine enough for windows that
/// begin at a local midnight or on the hour, in every zone of the present, and half the size of
/// seconds.
package enum Recency {
    static let length: Int64 = 900_000

    static func quarter(of time: Int64) -> Int64 {
        (time - (time % length + length) % length) / length
    }

    /// The quarters that events between two times can be in.
    package static func quarters(_ times: ClosedRange<Int64>) -> ClosedRange<Int64> {
        let lowest = Instant.possibleMilliseconds.lowerBound
        return quarter(of: max(times.lowerBound, lowest))...quarter(of: times.upperBound)
    }

    /// All times of some quarters, and the end of the last one.
    package static func times(of quarters: ClosedRange<Int64>) -> ClosedRange<Int64> {
        quarters.lowerBound * length...(quarters.upperBound + 1) * length
    }

    /// The quarter that begins at an instant; nil when none does.
    package static func quarter(beginningAt time: Int64) -> Int64? {
        time % length == 0 ? time / length : nil
    }
}
