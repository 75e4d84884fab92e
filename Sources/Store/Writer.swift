import Columns
import Disk
import Format
import Model

/// What one batch adds to a store; everything in it becomes visible together.
package struct Batch {
    /// Profiles by their ids, new ones in the order of their rows.
    package var profiles: GrowingStrings
    package var names: [Namespace: GrowingStrings] = [:]
    /// Field values, oldest first.
    package var fields: [ProfileSource] = []
    package var fieldCells = 0
    package var objects: [CatalogueObject] = []
    package var events: [any EventSource] = []
    package var eventCount = 0
    /// The batch's own id and the digest of its content.
    package var identity: (id: [UInt8], digest: [UInt8])?

    var isEmpty: Bool {
        profiles.added == 0 && names.values.allSatisfy { $0.added == 0 } && fieldCells == 0 && objects.isEmpty
            && eventCount == 0 && identity == nil
    }

    /// About how much memory the strings take.
    package var memory: Int { names.values.reduce(profiles.new.memory) { $0 + $1.new.memory } }

    package init(_ snapshot: Snapshot) throws(WinnowError) {
        profiles = GrowingStrings(.profile, try snapshot.keys())
        for namespace in Namespace.names {
            names[namespace] = GrowingStrings(namespace, try snapshot.strings(namespace))
        }
    }
}

/// The one writer of a store: holds its lock, and commits batches.
///
/// Method: everything new is written into part files that no manifest names yet, each made durable as it is finished;
/// then one new manifest names them all. Before the manifest has its final name nothing has happened, after it
/// everything has. There is no log, and so nothing to replay; what a writer that died has left behind is removed by the
/// next one.
package final class Writer {
    package let directory: StoreDirectory
    package private(set) var snapshot: Snapshot
    private let lock: FileLock
    private var nextPart: UInt64
    /// Files that no manifest names yet.
    private var unnamed: [String] = []

    package init(_ directory: StoreDirectory) throws(WinnowError) {
        self.directory = directory
        _ = try directory.versions()
        guard let lock = try directory.disk.lock(directory.lock, .exclusive(creating: true)) else {
            throw .anotherWriter(path: directory.path)
        }
        self.lock = lock
        snapshot = try Snapshot(directory)
        nextPart = snapshot.manifest.nextPart
        // Nothing is removed, and nothing added, before every part is known to be there.
        for kind in PartKind.allCases { _ = try snapshot.files(kind) }
        try directory.removeUnused(keeping: snapshot.manifest)
    }

    /// A part file that belongs to nothing until a commit names it; one that no commit will name need not be durable.
    package func newPart(_ kind: PartKind, durable: Bool = true) throws(WinnowError) -> PartWriter {
        defer { nextPart += 1 }
        let part = try PartWriter(
            disk: directory.disk, directory: directory.parts, id: nextPart, kind: kind, durable: durable)
        unnamed.append(part.path)
        return part
    }

    /// A writer that gives up takes what it has written with it.
    deinit { for path in unnamed { try? directory.disk.unlink(path) } }

    /// Writes those strings of a batch out that take more than so many bytes of memory.
    package func spillStrings(of batch: inout Batch, above limit: Int) throws(WinnowError) {
        let open = { (reference: PartReference) throws(WinnowError) in
            try PartFile(disk: self.directory.disk, directory: self.directory.parts, reference)
        }
        if batch.profiles.new.memory > limit { try batch.profiles.spill(to: newPart(.keys, durable: false), open) }
        for namespace in Namespace.names where batch.names[namespace]?.new.memory ?? 0 > limit {
            try batch.names[namespace]?.spill(to: newPart(.dictionary, durable: false), open)
        }
    }

    /// Stores a batch: atomically, and durably when this returns. One that says nothing makes no version.
    /// - Parameter memory: bytes that merging may take.
    package func commit(_ batch: Batch, at time: Instant, memory: Int) throws(WinnowError) {
        if batch.isEmpty { return }
        var manifest = snapshot.manifest
        manifest.parent = manifest.version
        manifest.version += 1
        manifest.time = max(manifest.time, time)
        manifest.rows += UInt32(clamping: batch.profiles.added)
        try addActivity(batch, memory, to: &manifest)
        try addProfiles(batch, to: &manifest)
        try addStrings(batch, to: &manifest)
        try addObjects(batch, to: &manifest)
        try addIdentity(batch, to: &manifest)
        manifest.nextPart = nextPart
        // From here on the next writer decides what is rubbish: it knows which manifest there is.
        unnamed = []
        try directory.publish(manifest)
        do throws(WinnowError) { snapshot = try Snapshot(directory) } catch {
            throw .outcomeUnknown(path: directory.path, reason: error.description)
        }
        // The batch is stored; what cannot be removed now the next writer will remove.
        try? directory.removeUnused(keeping: snapshot.manifest)
    }

    /// Replaces the newest parts of a kind, as many as the policy says, by one that `write` makes of them and the
    /// batch.
    private func add(
        _ kind: PartKind, size: Int, to manifest: inout Manifest,
        _ write: (_ merged: [PartReference]) throws(WinnowError) -> PartReference
    ) throws(WinnowError) {
        let parts = manifest.parts(of: kind)
        // The estimate is generous, so that equal batches count as equal; the constant is what an empty part takes.
        let estimate = UInt64(size) + 4096
        let merged = Array(parts.suffix(MergePolicy.merged(parts.map(\.length), new: estimate)))
        let part = try write(merged)
        let gone = Set(merged.map(\.id))
        manifest.parts.removeAll { $0.kind == kind && gone.contains($0.id) }
        manifest.parts.append(part)
    }

    private func addActivity(_ batch: Batch, _ memory: Int, to manifest: inout Manifest) throws(WinnowError) {
        guard batch.eventCount > 0 else { return }
        try add(.activity, size: batch.eventCount * 8, to: &manifest) { (merged) throws(WinnowError) in
            let parts = try snapshot.activity()
            let sources: [any EventSource] = parts.suffix(merged.count) + batch.events
            return try ActivityMerge.write(
                sources, knowing: parts, names: try nameOrder(batch.names), memory: memory,
                to: try newPart(.activity))
        }
    }

    /// How names order that the store or a batch has; nil when the store derives no unique events.
    private func nameOrder(_ names: [Namespace: GrowingStrings]) throws(WinnowError) -> NameOrder? {
        snapshot.schema.uniqueEvents == .derived ? NameOrder(names) : nil
    }

    private func addProfiles(_ batch: Batch, to manifest: inout Manifest) throws(WinnowError) {
        if batch.profiles.added > 0 {
            try add(.keys, size: batch.profiles.added * 24, to: &manifest) { (merged) throws(WinnowError) in
                let older = try tables(merged, .profile)
                return try StringTableWriter.write(
                    [.init(.profile, older: older + batch.profiles.runs, new: batch.profiles.new)],
                    to: try newPart(.keys))
            }
        }
        guard batch.fieldCells > 0 else { return }
        try add(.profiles, size: batch.fieldCells * 8, to: &manifest) { (merged) throws(WinnowError) in
            let older = try snapshot.profiles().suffix(merged.count).map { ProfileSource.part($0) }
            return try ProfileMerge.write(older + batch.fields, snapshot.schema, to: try newPart(.profiles))
        }
    }

    private func addStrings(_ batch: Batch, to manifest: inout Manifest) throws(WinnowError) {
        let added = batch.names.values.reduce(0) { $0 + $1.added }
        guard added > 0 else { return }
        try add(.dictionary, size: added * 24, to: &manifest) { (merged) throws(WinnowError) in
            var sources: [StringTableWriter.Source] = []
            for namespace in Namespace.names {
                let own = batch.names[namespace]
                sources.append(
                    .init(namespace, older: try tables(merged, namespace) + (own?.runs ?? []), new: own?.new))
            }
            return try StringTableWriter.write(sources, to: try newPart(.dictionary))
        }
    }

    private func addIdentity(_ batch: Batch, to manifest: inout Manifest) throws(WinnowError) {
        guard let (id, digest) = batch.identity else { return }
        try add(.batches, size: id.count + 64, to: &manifest) { (merged) throws(WinnowError) in
            let parts = try snapshot.batches(), count = parts.reduce(0) { $0 + $1.ids.count }
            return try BatchesPart.write(
                parts.suffix(merged.count), id: id, digest: digest, first: UInt32(clamping: count),
                to: try newPart(.batches))
        }
    }

    private func tables(_ parts: [PartReference], _ namespace: Namespace) throws(WinnowError) -> [StringTable] {
        var files: [PartFile] = []
        for reference in parts {
            files.append(try PartFile(disk: directory.disk, directory: directory.parts, reference))
        }
        return try StringTables(files, namespace).tables
    }

    private func addObjects(_ batch: Batch, to manifest: inout Manifest) throws(WinnowError) {
        guard !batch.objects.isEmpty else { return }
        try add(.catalogue, size: batch.objects.count * 128, to: &manifest) { (merged) throws(WinnowError) in
            var parts: [[CatalogueObject]] = []
            for reference in merged {
                let file = try PartFile(disk: directory.disk, directory: directory.parts, reference)
                parts.append(try CataloguePart.read(file))
            }
            let objects = CataloguePart.merged(parts + [batch.objects])
            return try CataloguePart.write(objects, to: try newPart(.catalogue))
        }
    }
}
