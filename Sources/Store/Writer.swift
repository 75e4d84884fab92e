import Columns
import Disk
import Format
import Model

/// What one batch adds to a store; everything in it becomes visible together.
package struct Batch {
    /// Profiles that are new, in the order of their rows.
    package var profiles: StringInterner
    package var strings: [Namespace: StringInterner]
    package var fields: ProfileBatch
    package var objects: [CatalogueObject] = []
    package var events: [any EventSource] = []
    package var eventCount = 0

    var isEmpty: Bool {
        profiles.count == 0 && strings.values.allSatisfy { $0.count == 0 } && fields.isEmpty && objects.isEmpty
            && eventCount == 0
    }

    package init(_ snapshot: Snapshot) throws(WinnowError) {
        profiles = StringInterner(first: snapshot.manifest.rows)
        strings = [:]
        for namespace in Namespace.allCases where namespace != .profile {
            strings[namespace] = StringInterner(first: UInt32(clamping: try snapshot.strings(namespace).count))
        }
        fields = ProfileBatch(fields: snapshot.schema.fields.count)
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
        return try PartWriter(
            disk: directory.disk, directory: directory.parts, id: nextPart, kind: kind, durable: durable)
    }

    /// Stores a batch: atomically, and durably when this returns. One that says nothing makes no version.
    package func commit(_ batch: Batch, at time: Instant) throws(WinnowError) {
        if batch.isEmpty { return }
        var manifest = snapshot.manifest
        manifest.parent = manifest.version
        manifest.version += 1
        manifest.time = max(manifest.time, time)
        manifest.rows += UInt32(batch.profiles.count)
        try addActivity(batch, to: &manifest)
        try addProfiles(batch, to: &manifest)
        try addStrings(batch, to: &manifest)
        try addObjects(batch, to: &manifest)
        manifest.nextPart = nextPart
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

    private func addActivity(_ batch: Batch, to manifest: inout Manifest) throws(WinnowError) {
        guard batch.eventCount > 0 else { return }
        try add(.activity, size: batch.eventCount * 8, to: &manifest) { (merged) throws(WinnowError) in
            let parts = try snapshot.activity()
            let sources: [any EventSource] = parts.suffix(merged.count) + batch.events
            return try ActivityMerge.write(
                sources, knowing: parts, names: try nameOrder(batch.strings), to: try newPart(.activity))
        }
    }

    /// How names order that the store or a batch has; nil when the store derives no unique events.
    private func nameOrder(_ new: [Namespace: StringInterner]) throws(WinnowError) -> NameOrder? {
        guard snapshot.schema.uniqueEvents == .derived else { return nil }
        return NameOrder(try snapshot.names(), new: new)
    }

    private func addProfiles(_ batch: Batch, to manifest: inout Manifest) throws(WinnowError) {
        if batch.profiles.count > 0 {
            try add(.keys, size: batch.profiles.count * 24, to: &manifest) { (merged) throws(WinnowError) in
                let older = try tables(merged, .profile)
                return try StringTableWriter.write(
                    [.init(.profile, older: older, new: batch.profiles)], to: try newPart(.keys))
            }
        }
        guard !batch.fields.isEmpty else { return }
        try add(.profiles, size: batch.fields.cells * 8, to: &manifest) { (merged) throws(WinnowError) in
            var fields = ProfileBatch(fields: snapshot.schema.fields.count)
            for reference in merged {
                let part = try ProfilePart(disk: directory.disk, directory: directory.parts, reference)
                try fields.append(part, snapshot.schema)
            }
            if merged.isEmpty { fields = batch.fields } else { fields.append(batch.fields) }
            return try ProfilePartWriter.write(fields, snapshot.schema, to: try newPart(.profiles))
        }
    }

    private func addStrings(_ batch: Batch, to manifest: inout Manifest) throws(WinnowError) {
        let new = batch.strings.filter { $0.value.count > 0 }
        guard !new.isEmpty else { return }
        let size = new.values.reduce(0) { $0 + $1.count * 24 }
        try add(.dictionary, size: size, to: &manifest) { (merged) throws(WinnowError) in
            var sources: [StringTableWriter.Source] = []
            for namespace in Namespace.allCases where namespace != .profile {
                sources.append(.init(namespace, older: try tables(merged, namespace), new: new[namespace]))
            }
            return try StringTableWriter.write(sources, to: try newPart(.dictionary))
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
