import WinnowColumns
import WinnowFormat
import WinnowModel

/// What is common to parts that number strings.
private enum StringChecks {
    /// Checks the tables of some namespaces in all parts of a kind.
    static func verify(
        _ kind: PartKind, _ namespaces: [Namespace], hiding erased: ErasedRows?,
        purged: StringTable.Purged,
        _ check: StoreCheck
    ) throws(WinnowError) {
        var earlier: [Namespace: [StringTable]] = [:]
        for file in try check.snapshot.files(kind) {
            for namespace in namespaces {
                guard let table = try StringTable(file, namespace) else { continue }
                table.verify(
                    following: earlier[namespace] ?? [], hiding: erased, purged: purged,
                    of: file.path,
                    check.findings)
                earlier[namespace, default: []].append(table)
            }
        }
    }
}

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
            keeping: { erased?.contains($0) != true })
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

/// Names of campaigns, templates and links, and their numbers.
enum DictionaryFamily: PartFamily {
    static let kind = PartKind.dictionary
    static let share = StoreShare.index

    static func size(in batch: Batch) -> Int { batch.names.values.reduce(0) { $0 + $1.added * 24 } }

    static func write(_ merge: Merge, to part: PartWriter) throws(WinnowError) -> PartReference {
        var sources: [StringTableWriter.Source] = []
        for namespace in Namespace.names {
            let own = merge.batch.names[namespace]
            let inUse = merge.purge?.inUse
            sources.append(
                .init(
                    namespace, older: try merge.tables(namespace) + (own?.runs ?? []),
                    new: own?.new,
                    keeping: { inUse?.contains(namespace, $0) ?? true }))
        }
        return try StringTableWriter.write(sources, to: part)
    }

    static func verify(_ check: StoreCheck) throws(WinnowError) {
        try StringChecks.verify(kind, Namespace.names, hiding: nil, purged: .any, check)
    }

    static func search(
        _ file: PartFile, for value: SoughtValue, _ schema: Schema, _ found: Findings
    ) throws(WinnowError) { try value.searchStrings(file, found) }
}

/// Ids and digests of the batches that were loaded under an id.
enum BatchesFamily: PartFamily {
    static let kind = PartKind.batches
    static let share = StoreShare.other

    static func size(in batch: Batch) -> Int { batch.identity.map { $0.id.count + 64 } ?? 0 }

    static func write(_ merge: Merge, to part: PartWriter) throws(WinnowError) -> PartReference {
        let parts = try merge.snapshot.batches()
        return try BatchesPart.write(
            merge.replaced(parts), adding: merge.batch.identity,
            first: UInt32(clamping: parts.reduce(0) { $0 + $1.ids.count }), to: part)
    }

    static func verify(_ check: StoreCheck) throws(WinnowError) {
        try StringChecks.verify(kind, [.batch], hiding: nil, purged: .none, check)
        // Opening them compares the number of ids with digests.
        _ = try check.snapshot.batches()
    }

    static func search(
        _ file: PartFile, for value: SoughtValue, _ schema: Schema, _ found: Findings
    ) throws(WinnowError) { try value.searchStrings(file, found) }
}

extension StoreVersion {
    /// Batches that were loaded under an id.
    package func batches() throws(WinnowError) -> [BatchesPart] {
        var batches: [BatchesPart] = []
        for file in try files(.batches) { batches.append(try BatchesPart(file)) }
        return batches
    }
}
