import WinnowColumns
import WinnowFormat
import WinnowModel

/// Events, in the order in which they were loaded.
enum ActivityFamily: PartFamily {
    static let kind = PartKind.activity
    static let share = StoreShare.activity

    static func size(in batch: Batch) -> Int { batch.eventCount * 8 }

    static func write(_ merge: Merge, to part: PartWriter) throws(WinnowError) -> PartReference {
        let parts = try merge.snapshot.activity()
        let older = merge.replaced(parts).map { RemainingEvents($0, without: merge.purge?.erased) }
        // How names order that the store or the batch has.
        let names =
            merge.snapshot.schema.uniqueEvents == .derived ? NameOrder(merge.batch.names) : nil
        return try ActivityMerge.write(
            older + merge.batch.events, knowing: parts, names: names, purging: merge.purge?.inUse,
            distinct: merge.batch.distinct.map { ($0, older.count) }, memory: merge.memory,
            to: part)
    }

    static func verify(_ check: StoreCheck) throws(WinnowError) {
        let names = try check.snapshot.names()
        var expected = ActivityExpectations(
            rows: check.snapshot.rows, names: names,
            order: check.snapshot.schema.uniqueEvents == .derived ? NameOrder(names) : nil,
            purged: check.purged,
            older: [])
        for part in try check.snapshot.activity() {
            part.verify(expected, check.findings)
            expected.older.append(part)
            check.pass(part.file.reference)
        }
    }

    static func search(
        _ file: PartFile, for value: SoughtValue, _ schema: Schema, _ found: Findings
    ) throws(WinnowError) { try value.search(try ActivityPart(file), found) }
}
