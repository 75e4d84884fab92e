import WinnowColumns
import WinnowFormat
import WinnowModel

/// Goals, in the order in which they were loaded: in the form of events.
enum GoalsFamily: PartFamily {
    static let kind = PartKind.goals
    static let share = StoreShare.other

    static func size(in batch: Batch) -> Int { (batch.records[kind]?.count ?? 0) * 8 }

    static func write(_ merge: Merge, to part: PartWriter) throws(WinnowError) -> PartReference {
        let parts = try merge.snapshot.goals()
        let older = merge.replaced(parts).map { RemainingEvents($0, without: merge.purge?.erased) }
        return try ActivityMerge.write(
            older + merge.records(of: kind), knowing: parts, names: nil,
            purging: merge.purge?.inUse, distinct: merge.batch.distinct.map { ($0, older.count) },
            memory: merge.memory, to: part)
    }

    static func verify(_ check: StoreCheck) throws(WinnowError) {
        try check.verifyRecords(try check.snapshot.goals())
    }

    static func search(
        _ file: PartFile, for value: SoughtValue, _ schema: Schema, _ found: Findings
    ) throws(WinnowError) { try value.search(try ActivityPart(file), found) }
}
