import WinnowColumns
import WinnowFormat
import WinnowModel

/// Events, in the order in which they were loaded.
enum ActivityFamily: PartFamily {
    static let kind = PartKind.activity
    static let share = StoreShare.activity

    static func size(in batch: Batch) -> Int { (batch.records[kind]?.count ?? 0) * 8 }

    static func write(_ merge: Merge, to part: PartWriter) throws(WinnowError) -> PartReference {
        let parts = try merge.snapshot.activity()
        let older = merge.replaced(parts).map { RemainingEvents($0, without: merge.purge?.erased) }
        // How names order that the store or the batch has.
        let names =
            merge.snapshot.schema.uniqueEvents == .derived ? NameOrder(merge.batch.names) : nil
        return try ActivityMerge.write(
            older + merge.records(of: kind), knowing: parts, names: names,
            purging: merge.purge?.inUse,
            distinct: merge.batch.distinct.map { ($0, older.count) }, memory: merge.memory,
            to: part)
    }

    static func verify(_ check: StoreCheck) throws(WinnowError) {
        try check.verifyRecords(
            try check.snapshot.activity(),
            derivesUnique: check.snapshot.schema.uniqueEvents == .derived)
    }

    static func search(
        _ file: PartFile, for value: SoughtValue, _ schema: Schema, _ found: Findings
    ) throws(WinnowError) { try value.search(try ActivityPart(file), found) }
}

extension StoreCheck {
    /// Checks parts that hold events, or records in their form.
    /// - Parameter derivesUnique: whether first events are marked.
    func verifyRecords(
        _ parts: [ActivityPart], derivesUnique: Bool = false
    ) throws(WinnowError) {
        let names = try snapshot.names()
        var expected = ActivityExpectations(
            rows: snapshot.rows, names: names, order: derivesUnique ? NameOrder(names) : nil,
            purged: purged, older: [])
        for part in parts {
            part.verify(expected, findings)
            expected.older.append(part)
            pass(part.file.reference)
        }
    }
}
