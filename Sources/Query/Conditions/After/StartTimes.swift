import WinnowBitmaps
import WinnowCKernels
import WinnowModel

/// The last, or the first, time of an event in each row of a block.
///
/// Method: times of other blocks and rules are left where they are. What is kept is above all that
/// was kept in earlier rounds, so that the greater of two is right whether a row has a time yet or
/// not, and nothing is cleared, or branches.
@safe final class StartTimes {
    private let kept = UnsafeMutablePointer<Int64>.allocate(capacity: Block.rows)
    /// What is kept is at least this.
    private var floor: Int64 = 0
    /// What is kept of a time is `origin` plus the time, or minus it where the first one is sought.
    private var origin: Int64 = 0
    private var sign: Int64 = 1

    private static let times = Instant.possibleMilliseconds
    private static let round = times.upperBound - times.lowerBound + 1

    init() { unsafe kept.initialize(repeating: -1, count: Block.rows) }

    deinit { unsafe kept.deallocate() }

    /// Forgets the times of all rows; those to come are the last of each row, or the first.
    func begin(_ order: TimeOrder) {
        if floor > Int64.max - 3 * StartTimes.round {
            unsafe kept.update(repeating: -1, count: Block.rows)
            floor = 0
        }
        floor += StartTimes.round
        (origin, sign) =
            order == .lastFirst
            ? (floor - StartTimes.times.lowerBound, 1) : (floor + StartTimes.times.upperBound, -1)
    }

    /// Takes note of events; rows whose time those to come do not pass leave `open`.
    func take(
        _ rows: UnsafePointer<UInt16>, _ at: UnsafePointer<Int64>, _ n: Int, bound: Int64?,
        _ open: UnsafeMutablePointer<UInt64>
    ) {
        let bound = bound.map { origin + sign * StartTimes.clamped($0) }
        unsafe kernels.take_times(
            kept, rows, at, n, origin, sign, bound ?? 0, bound == nil ? nil : open)
    }

    private static func clamped(_ time: Int64) -> Int64 {
        min(max(time, times.lowerBound), times.upperBound)
    }

    /// The time of a row; nil when it has none.
    subscript(row: Int) -> Int64? {
        let kept = unsafe kept[row]
        return kept < floor ? nil : sign &* (kept &- origin)
    }

    /// Finds the rows with an event later than their time, and not later than their end, and takes
    /// them off `open`, and those to whose time events to come do not reach.
    func find(
        _ rows: UnsafePointer<UInt16>, _ at: UnsafePointer<Int64>, _ n: Int,
        ends: UnsafePointer<Int64>?, bound: Int64?, _ found: UnsafeMutablePointer<UInt64>,
        _ open: UnsafeMutablePointer<UInt64>
    ) {
        unsafe kernels.find_later(
            kept, ends, rows, at, n, origin, sign, floor, bound ?? 0, found,
            bound == nil ? nil : open)
    }
}
