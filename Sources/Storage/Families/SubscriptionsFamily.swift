import WinnowColumns
import WinnowFormat
import WinnowModel

/// Subscriptions, in the form of events: a part has all records of each profile that it speaks of.
enum SubscriptionsFamily: PartFamily {
    static let kind = PartKind.subscriptions
    static let share = StoreShare.other

    static func size(in batch: Batch) -> Int { (batch.records[kind]?.count ?? 0) * 16 }

    static func write(_ merge: Merge, to part: PartWriter) throws(WinnowError) -> PartReference {
        let parts = try merge.snapshot.subscriptions()
        let changes = try SubscriptionChanges(
            merge.records(of: kind), onto: parts, merging: merge.older.count,
            without: merge.purge?.erased)
        let written = try ActivityMerge.write(
            [changes], knowing: [], names: nil, purging: merge.purge?.inUse, memory: merge.memory,
            to: part)
        merge.batch.tally.set(changes.tally)
        return written
    }

    static func verify(_ check: StoreCheck) throws(WinnowError) {
        let parts = try check.snapshot.subscriptions()
        try check.verifyRecords(parts)
        for part in parts {
            check.findings.check(part.file.path) { () throws(WinnowError) in
                try part.verifyIdentities(check.findings)
            }
        }
    }

    static func search(
        _ file: PartFile, for value: SoughtValue, _ schema: Schema, _ found: Findings
    ) throws(WinnowError) { try value.search(try ActivityPart(file), found) }
}
