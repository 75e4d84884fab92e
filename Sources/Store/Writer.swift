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
    /// Whether all parts become one of each kind, however large they are.
    var mergesAll = false
    /// What is left out of them; nil leaves nothing out.
    var purge: Purge?

    struct Purge {
        let erased: ErasedRows?
        /// Names that the catalogue has, and once activity is written those of its events: the others go.
        let inUse: NamesInUse
    }

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
/// Method: everything new is written into part files that no manifest names yet, and all of them are made durable
/// together; then one new manifest names them. Before the manifest has its final name nothing has happened, after it
/// everything has. There is no log, and so nothing to replay; what a writer that died has left behind is removed by the
/// next one.
package final class Writer {
    package let directory: StoreDirectory
    package private(set) var snapshot: Snapshot
    private let lock: any FileLock
    private var nextPart: UInt64
    /// Files that no manifest names yet, and of them those that one will name.
    private var unnamed: [String] = []
    private var unsynced: [any WritableFile] = []
    /// Whether making something durable has failed: what is in the files and in the system's memory is unknown then,
    /// and another attempt could seem to succeed.
    private var isPoisoned = false

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
        versionsHeld = try directory.removeUnused(keeping: snapshot.manifest)
    }

    /// Older versions that readers still hold, and with them their files.
    package private(set) var versionsHeld = 0

    /// A part file that belongs to nothing until a commit names it; one that no commit will name need not be durable.
    package func newPart(_ kind: PartKind, durable: Bool = true) throws(WinnowError) -> PartWriter {
        defer { nextPart += 1 }
        let part = try PartWriter(disk: directory.disk, directory: directory.parts, id: nextPart, kind: kind)
        unnamed.append(part.path)
        if durable { unsynced.append(part.file) }
        return part
    }

    /// A writer that gives up takes what it has written with it.
    deinit { for path in unnamed { try? directory.disk.unlink(path) } }

    /// Writes those strings of a batch out that take more than so many bytes of memory.
    package func spillStrings(of batch: inout Batch, above limit: Int) throws(WinnowError) {
        let open = { (reference: PartReference) throws(WinnowError) in try self.directory.open(reference) }
        if batch.profiles.new.memory > limit { try batch.profiles.spill(to: newPart(.keys, durable: false), open) }
        for namespace in Namespace.names where batch.names[namespace]?.new.memory ?? 0 > limit {
            try batch.names[namespace]?.spill(to: newPart(.dictionary, durable: false), open)
        }
    }

    /// Stores a batch: atomically, and durably when this returns. One that says nothing makes no version.
    /// - Parameter memory: bytes that merging may take.
    package func commit(_ batch: Batch, at time: Instant, memory: Int) throws(WinnowError) {
        if batch.isEmpty { return }
        try commit { (manifest) throws(WinnowError) in
            manifest.time = max(manifest.time, time)
            manifest.rows += UInt32(clamping: batch.profiles.added)
            try write(batch, memory, to: &manifest)
        }
    }

    /// Merges all parts of each kind into one, without what was forgotten: nothing of it is in the files of the new
    /// version. Makes no version when that is so already.
    package func compact(memory: Int) throws(WinnowError) {
        let kinds = snapshot.manifest.parts.map(\.kind), purges = snapshot.manifest.forgets
        guard purges || Set(kinds).count < kinds.count else { return }
        var nothing = try Batch(snapshot)
        nothing.mergesAll = true
        if purges {
            let inUse = NamesInUse(try snapshot.names().mapValues(\.count))
            for object in try snapshot.catalogue() {
                let namespace = object.kind == .campaign ? Namespace.campaign : .template
                let code = try snapshot.strings(namespace).code(of: object.id)
                inUse.insert(namespace, code.map { [$0] } ?? [])
            }
            nothing.purge = Batch.Purge(erased: snapshot.erased, inUse: inUse)
        }
        try commit { (manifest) throws(WinnowError) in
            try write(nothing, memory, to: &manifest)
            manifest.forgets = false
            if let erased = nothing.purge?.erased {
                try replaceErased(by: try erased.write(purged: true, to: try newPart(.erased)), in: &manifest)
            }
        }
    }

    /// Takes profiles out of every answer, at once; their values leave the files when the store is compacted.
    /// - Returns: how many there were, of each id once.
    package func erase(_ ids: [[UInt8]], at time: Instant) throws(WinnowError) -> Int {
        let keys = try snapshot.keys()
        let rows = Set(ids.compactMap { keys.code(of: $0) }).sorted()
        guard !rows.isEmpty else { return 0 }
        let erased = ErasedRows(snapshot.erased, adding: rows, rows: snapshot.rows)
        try commit { (manifest) throws(WinnowError) in
            manifest.time = max(manifest.time, time)
            manifest.forgets = true
            try replaceErased(by: try erased.write(purged: false, to: try newPart(.erased)), in: &manifest)
        }
        return rows.count
    }

    private func replaceErased(by part: PartReference, in manifest: inout Manifest) throws(WinnowError) {
        manifest.parts.removeAll { $0.kind == .erased }
        manifest.parts.append(part)
    }

    /// Forgets the activity before an instant that the store has now, at once; it leaves the files when the store is
    /// compacted. Older activity that is loaded later is not forgotten. Makes no version when there is none.
    package func drop(before horizon: Int64) throws(WinnowError) {
        let parts = try snapshot.activity().filter { part in
            part.horizon < horizon && part.types.values.contains { $0.events > 0 && $0.minimum < horizon }
        }
        guard !parts.isEmpty else { return }
        let cut = Set(parts.map(\.file.reference.id))
        try commit { (manifest) throws(WinnowError) in
            manifest.forgets = true
            for i in manifest.parts.indices
            where manifest.parts[i].kind == .activity && cut.contains(manifest.parts[i].id) {
                manifest.parts[i].horizon = horizon
            }
        }
    }

    /// Adds a field that no profile has a value of yet.
    package func add(_ field: Field) throws(WinnowError) {
        let schema = try snapshot.schema.adding(field)
        try commit { (manifest) throws(WinnowError) in manifest.schema = schema }
    }

    /// Makes the next version of what `change` does to the manifest.
    private func commit(_ change: (inout Manifest) throws(WinnowError) -> Void) throws(WinnowError) {
        if isPoisoned { throw .usage("this writer has failed before; open the store anew") }
        var manifest = snapshot.manifest
        manifest.parent = manifest.version
        manifest.version += 1
        try change(&manifest)
        manifest.nextPart = nextPart
        isPoisoned = true
        try directory.disk.sync(unsynced, directory: directory.parts)
        for file in unsynced { try file.close() }
        unsynced = []
        // From here on the next writer decides what is rubbish: it knows which manifest there is.
        unnamed = []
        try directory.publish(manifest)
        isPoisoned = false
        do throws(WinnowError) { snapshot = try Snapshot(directory) } catch {
            throw .outcomeUnknown(path: directory.path, reason: error.description)
        }
        // The version is stored; what cannot be removed now the next writer will remove.
        versionsHeld = (try? directory.removeUnused(keeping: snapshot.manifest)) ?? versionsHeld
    }

    private func write(_ batch: Batch, _ memory: Int, to manifest: inout Manifest) throws(WinnowError) {
        try addActivity(batch, memory, to: &manifest)
        try addKeys(batch, to: &manifest)
        try addFields(batch, to: &manifest)
        try addNames(batch, to: &manifest)
        try addObjects(batch, to: &manifest)
        try addIdentity(batch, to: &manifest)
    }

    /// Replaces the newest parts of a kind, as many as the policy says, by one that `write` makes of them and the
    /// batch. A batch that has nothing for the kind (size 0) leaves them alone unless it merges all.
    private func add(
        _ kind: PartKind, size: Int, _ batch: Batch, to manifest: inout Manifest,
        _ write: (_ merged: [PartReference]) throws(WinnowError) -> PartReference
    ) throws(WinnowError) {
        let parts = manifest.parts(of: kind)
        guard size > 0 || (batch.mergesAll && parts.count > (batch.purge == nil ? 1 : 0)) else { return }
        // The estimate is generous, so that equal batches count as equal; the constant is what an empty part takes.
        let estimate = UInt64(size) + 4096
        let count = batch.mergesAll ? parts.count : MergePolicy.merged(parts.map(\.length), new: estimate)
        let merged = Array(parts.suffix(count))
        let part = try write(merged)
        let gone = Set(merged.map(\.id))
        manifest.parts.removeAll { $0.kind == kind && gone.contains($0.id) }
        manifest.parts.append(part)
    }

    private func addActivity(
        _ batch: Batch, _ memory: Int, to manifest: inout Manifest
    ) throws(WinnowError) {
        try add(.activity, size: batch.eventCount * 8, batch, to: &manifest) { (merged) throws(WinnowError) in
            let parts = try snapshot.activity()
            let older = parts.suffix(merged.count).map { RemainingEvents($0, without: batch.purge?.erased) }
            let sources: [any EventSource] = older + batch.events
            // How names order that the store or the batch has.
            let names = snapshot.schema.uniqueEvents == .derived ? NameOrder(batch.names) : nil
            return try ActivityMerge.write(
                sources, knowing: parts, names: names, purging: batch.purge?.inUse, memory: memory,
                to: try newPart(.activity))
        }
    }

    private func addKeys(_ batch: Batch, to manifest: inout Manifest) throws(WinnowError) {
        try add(.keys, size: batch.profiles.added * 24, batch, to: &manifest) { (merged) throws(WinnowError) in
            let older = try tables(merged, .profile), erased = batch.purge?.erased
            let source = StringTableWriter.Source(
                .profile, older: older + batch.profiles.runs, new: batch.profiles.new,
                keeping: { erased?.contains($0) != true })
            return try StringTableWriter.write([source], to: try newPart(.keys))
        }
    }

    private func addFields(_ batch: Batch, to manifest: inout Manifest) throws(WinnowError) {
        try add(.profiles, size: batch.fieldCells * 8, batch, to: &manifest) { (merged) throws(WinnowError) in
            let older = try snapshot.profiles().suffix(merged.count).map { ProfileSource.part($0) }
            return try ProfileMerge.write(
                older + batch.fields, snapshot.schema, purging: batch.purge?.erased, to: try newPart(.profiles))
        }
    }

    private func addNames(_ batch: Batch, to manifest: inout Manifest) throws(WinnowError) {
        let size = batch.names.values.reduce(0) { $0 + $1.added * 24 }
        try add(.dictionary, size: size, batch, to: &manifest) { (merged) throws(WinnowError) in
            var sources: [StringTableWriter.Source] = []
            for namespace in Namespace.names {
                let own = batch.names[namespace]
                sources.append(
                    .init(
                        namespace, older: try tables(merged, namespace) + (own?.runs ?? []), new: own?.new,
                        keeping: { batch.purge?.inUse.contains(namespace, $0) ?? true }))
            }
            return try StringTableWriter.write(sources, to: try newPart(.dictionary))
        }
    }

    private func addIdentity(_ batch: Batch, to manifest: inout Manifest) throws(WinnowError) {
        let size = batch.identity.map { $0.id.count + 64 } ?? 0
        try add(.batches, size: size, batch, to: &manifest) { (merged) throws(WinnowError) in
            let parts = try snapshot.batches()
            return try BatchesPart.write(
                parts.suffix(merged.count), adding: batch.identity,
                first: UInt32(clamping: parts.reduce(0) { $0 + $1.ids.count }), to: try newPart(.batches))
        }
    }

    private func tables(_ parts: [PartReference], _ namespace: Namespace) throws(WinnowError) -> [StringTable] {
        var files: [PartFile] = []
        for reference in parts { files.append(try directory.open(reference)) }
        return try StringTables(files, namespace).tables
    }

    private func addObjects(_ batch: Batch, to manifest: inout Manifest) throws(WinnowError) {
        try add(.catalogue, size: batch.objects.count * 128, batch, to: &manifest) { (merged) throws(WinnowError) in
            var parts: [[CatalogueObject]] = []
            for reference in merged { parts.append(try CataloguePart.read(try directory.open(reference))) }
            let objects = CataloguePart.merged(parts + [batch.objects])
            return try CataloguePart.write(objects, to: try newPart(.catalogue))
        }
    }
}
