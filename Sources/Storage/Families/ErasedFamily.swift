import WinnowColumns
import WinnowFormat
import WinnowModel

/// The rows of erased profiles: one part, which each erasure replaces.
enum ErasedFamily: PartFamily {
    static let kind = PartKind.erased
    static let share = StoreShare.other

    static func size(in batch: Batch) -> Int { batch.erased.count * 8 }

    static func merged(_ lengths: [UInt64], new: UInt64) -> Int { lengths.count }

    static func write(_ merge: Merge, to part: PartWriter) throws(WinnowError) -> PartReference {
        let snapshot = merge.snapshot
        let erased = ErasedRows(snapshot.erased, adding: merge.batch.erased, rows: snapshot.rows)
        return try erased.write(purged: merge.purge != nil, to: part)
    }

    static func verify(_ check: StoreCheck) throws(WinnowError) {
        check.findings.expect(
            check.snapshot.manifest.parts(of: kind).count <= 1, check.manifest,
            "several parts tell who is erased")
    }

    /// Rows alone.
    static func search(
        _ file: PartFile, for value: SoughtValue, _ schema: Schema, _ found: Findings
    ) throws(WinnowError) {}
}
