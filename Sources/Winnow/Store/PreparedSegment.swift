import WinnowModel
import WinnowQuery
import WinnowStorage

/// A segment bound to a snapshot: names are found, windows are instants. Counting it again costs
/// its evaluation alone.
public struct PreparedSegment: Sendable {
    let snapshot: Snapshot
    let name: String?
    let bound: BoundSegment
    /// The instant of evaluation, fixed when the segment was prepared.
    public let asOf: Instant
    let options: EvaluationOptions

    /// Counts the profiles, exactly.
    /// - Throws: `damaged` when the store is.
    public func count() throws(WinnowError) -> SegmentCount {
        let clock = ContinuousClock()
        let start = clock.now
        let count = try snapshot.evaluator(options, Cancellation()).count([bound.plan])[0]
        return SegmentCount(
            name: name, count: count, universe: snapshot.profiles, asOf: asOf,
            elapsed: clock.now - start,
            version: snapshot.version, windows: bound.windows, warnings: bound.warnings)
    }

    /// The external ids, in the order of their rows.
    public func ids() throws(WinnowError) -> ProfileIDs {
        ProfileIDs(try rows(), try snapshot.snapshot.keys())
    }

    /// The row numbers, ascending.
    package func rowNumbers() throws(WinnowError) -> [UInt32] { try rows().map(\.rawValue) }

    /// The row numbers as a Roaring bitmap in the portable format.
    package func bitmap() throws(WinnowError) -> [UInt8] {
        var bytes: [UInt8] = []
        try RoaringBitmap(rows()).write { bytes += $0 }
        return bytes
    }

    func rows() throws(WinnowError) -> RowSet {
        try snapshot.evaluator(options, Cancellation()).rows(bound.plan)
    }
}
