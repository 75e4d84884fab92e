import WinnowColumns
import WinnowFormat
import WinnowModel

/// Field values; later parts overlay earlier ones.
enum ProfilesFamily: PartFamily {
    static let kind = PartKind.profiles
    static let share = StoreShare.profiles

    static func size(in batch: Batch) -> Int { batch.fieldCells * 8 }

    static func write(_ merge: Merge, to part: PartWriter) throws(WinnowError) -> PartReference {
        let older = merge.replaced(try merge.snapshot.profiles()).map { ProfileSource.part($0) }
        return try ProfileMerge.write(
            older + merge.batch.fields, merge.snapshot.schema, purging: merge.purge?.erased,
            to: part)
    }

    static func verify(_ check: StoreCheck) throws(WinnowError) {
        for part in try check.snapshot.profiles() {
            part.verify(
                check.snapshot.schema, rows: check.snapshot.rows, purged: check.purged,
                check.findings)
            check.pass(part.file.reference)
        }
    }

    static func search(
        _ file: PartFile, for value: SoughtValue, _ schema: Schema, _ found: Findings
    ) throws(WinnowError) { try value.search(try ProfilePart(file), schema, found) }
}
