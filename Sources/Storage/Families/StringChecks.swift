import WinnowColumns
import WinnowFormat
import WinnowModel

/// What is common to parts that number strings.
enum StringChecks {
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
