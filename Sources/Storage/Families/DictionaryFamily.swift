import WinnowColumns
import WinnowFormat
import WinnowModel

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
