import WinnowColumns
import WinnowDisk
import WinnowFormat
import WinnowModel

/// What there is to know of one kind of part: how a batch adds to it, how parts are merged,
/// verified and searched. The rest of the target asks; `PartKind.family` is the one list, and what a
/// batch says to each is in `Batch`.
protocol PartFamily {
    static var kind: PartKind { get }

    /// Under which name people see its bytes.
    static var share: StoreShare { get }

    /// About how many bytes a batch adds; 0 when it says nothing of this kind.
    static func size(in batch: Batch) -> Int

    /// Writes one part in place of some of the newest, `merge.older`, and what the batch says.
    static func write(_ merge: Merge, to part: PartWriter) throws(WinnowError) -> PartReference

    /// How many of the newest parts a new one of so many bytes is merged with; lengths are oldest
    /// first.
    static func merged(_ lengths: [UInt64], new: UInt64) -> Int

    /// Checks everything in the parts that checksums do not: structures, and what is derived.
    static func verify(_ check: StoreCheck) throws(WinnowError)

    /// Adds the places where a value is in a part, decoded.
    static func search(
        _ file: PartFile, for value: SoughtValue, _ schema: Schema, _ found: Findings
    ) throws(WinnowError)
}

extension PartFamily {
    static func merged(_ lengths: [UInt64], new: UInt64) -> Int {
        MergePolicy.merged(lengths, new: new)
    }
}

/// How `info` groups the bytes of a store.
package enum StoreShare: Sendable { case activity, profiles, catalogue, index, other }

/// What a family needs to write a part.
struct Merge {
    let snapshot: StoreVersion
    let directory: StoreDirectory
    /// The parts that are replaced, oldest first, the newest of the store.
    let older: [PartReference]
    let batch: Batch
    /// What is left out of the new part; nil leaves nothing out.
    let purge: Purge?
    /// Bytes that it may take.
    let memory: Int

    /// The replaced parts of those that the snapshot has opened.
    func replaced<P>(_ all: [P]) -> ArraySlice<P> { all.suffix(older.count) }

    /// Whether these are all of the snapshot.
    func isWhole(_ kind: PartKind) -> Bool {
        older.count == snapshot.manifest.parts(of: kind).count
    }

    /// What the batch has of a kind.
    func records(of kind: PartKind) -> [any EventSource] { batch.records[kind]?.sources ?? [] }

    /// The numbered strings of the replaced parts.
    func tables(_ namespace: Namespace) throws(WinnowError) -> [StringTable] {
        var files: [PartFile] = []
        for reference in older { files.append(try directory.open(reference)) }
        return try StringTables(files, namespace).tables
    }
}

/// What a compaction leaves out.
struct Purge {
    let erased: ErasedRows?
    /// Names that the catalogue has, and once activity is written those of its events: the others
    /// go.
    let inUse: NamesInUse

    init(_ snapshot: StoreVersion) throws(WinnowError) {
        erased = snapshot.erased
        inUse = NamesInUse(try snapshot.names().mapValues(\.count))
        for object in try snapshot.catalogue() {
            let code = try snapshot.strings(object.kind.namespace).code(of: object.id)
            inUse.insert(object.kind.namespace, code.map { [$0] } ?? [])
        }
    }
}
