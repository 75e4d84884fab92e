import WinnowColumns
import WinnowFormat
import WinnowModel

/// External ids of profiles and their rows.
enum KeysFamily: PartFamily {
    static let kind = PartKind.keys
    static let share = StoreShare.index

    static func size(in batch: Batch) -> Int { batch.profiles.added * 24 }

    static func write(_ merge: Merge, to part: PartWriter) throws(WinnowError) -> PartReference {
        let erased = merge.purge?.erased
        let profiles = merge.batch.profiles
        let source = StringTableWriter.Source(
            .profile, older: try merge.tables(.profile) + profiles.runs, new: profiles.new,
            keeping: { erased?.contains(Row(rawValue: $0)) != true })
        return try StringTableWriter.write([source], to: part)
    }

    static func verify(_ check: StoreCheck) throws(WinnowError) {
        try StringChecks.verify(
            kind, [.profile], hiding: check.snapshot.erased,
            purged: check.purged.map { .only($0) } ?? .none, check)
        // Opening them compares the number of ids with rows.
        _ = try check.snapshot.keys()
    }

    static func search(
        _ file: PartFile, for value: SoughtValue, _ schema: Schema, _ found: Findings
    ) throws(WinnowError) { try value.searchStrings(file, found) }
}
