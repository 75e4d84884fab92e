import WinnowColumns
import WinnowFormat
import WinnowModel

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

    /// What was done under the id of a batch; nil for nothing.
    package func digest(ofBatch id: [UInt8]) throws(WinnowError) -> [UInt8]? {
        for part in try batches() {
            let digest = try unsafe id.withUnsafeBytesThrowing { (id) throws(WinnowError) in
                try unsafe part.digest(of: id)
            }
            if let digest { return digest }
        }
        return nil
    }
}
