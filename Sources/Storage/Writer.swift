import WinnowColumns
import WinnowDisk
import WinnowFormat
import WinnowModel

/// The one writer of a store: holds its lock, and commits batches.
///
/// Method: everything new is written into part files that no manifest names yet, and all of them
/// are made durable together; then one new manifest names them. Before the manifest has its final
/// name nothing has happened, after it everything has. There is no log, and so nothing to replay;
/// what a writer that died has left behind is removed by the next one.
package final class Writer {
    package let directory: StoreDirectory
    package private(set) var snapshot: StoreVersion
    /// Ends whatever the writer does, up to the commit point.
    package let cancellation: Cancellation
    private let lock: any FileLock
    private var nextPart: UInt64
    /// Files that no manifest names yet, and of them those that one will name.
    private var unnamed: [String] = []
    private var unsynced: [any WritableFile] = []
    /// Whether making something durable has failed: what is in the files and in the system's memory
    /// is unknown then, and another attempt could seem to succeed.
    private var isPoisoned = false

    package init(
        _ directory: StoreDirectory, _ cancellation: Cancellation = Cancellation()
    ) throws(WinnowError) {
        self.directory = directory
        self.cancellation = cancellation
        _ = try directory.versions()
        guard let lock = try directory.disk.lock(directory.lock, .exclusive(creating: true)) else {
            throw .anotherWriter(path: directory.path)
        }
        self.lock = lock
        snapshot = try StoreVersion(directory)
        nextPart = snapshot.manifest.nextPart
        // Nothing is removed, and nothing added, before every part is known to be there.
        for kind in PartKind.allCases { _ = try snapshot.files(kind) }
        versionsHeld = try directory.removeUnused(keeping: snapshot.manifest)
    }

    /// Older versions that readers still hold, and with them their files.
    package private(set) var versionsHeld = 0

    /// A part file that belongs to nothing until a commit names it; one that no commit will name
    /// need not be durable.
    package func newPart(_ kind: PartKind, durable: Bool = true) throws(WinnowError) -> PartWriter {
        defer { nextPart += 1 }
        let part = try PartWriter(
            disk: directory.disk, directory: directory.parts, id: nextPart, kind: kind,
            cancellation: cancellation)
        unnamed.append(part.path)
        if durable { unsynced.append(part.file) }
        return part
    }

    /// A writer that gives up takes what it has written with it.
    deinit { for path in unnamed { try? directory.disk.unlink(path) } }

    /// Writes those strings of a batch out that take more than so many bytes of memory.
    package func spillStrings(of batch: inout Batch, above limit: Int) throws(WinnowError) {
        let open = { (reference: PartReference) throws(WinnowError) in
            try self.directory.open(reference)
        }
        if batch.profiles.new.memory > limit {
            try batch.profiles.spill(to: newPart(.keys, durable: false), open)
        }
        for namespace in Namespace.names where batch.names[namespace]?.new.memory ?? 0 > limit {
            try batch.names[namespace]?.spill(to: newPart(.dictionary, durable: false), open)
        }
    }

    /// Finds what is only known once a batch is laid over what the store has, and stores nothing:
    /// the events that have been there before, where that is wanted, and subscriptions that are new.
    package func tryOut(_ batch: Batch, memory: Int) throws(WinnowError) {
        if let distinct = batch.distinct {
            for (kind, parts) in [
                (PartKind.activity, try snapshot.activity()), (.goals, try snapshot.goals()),
            ] {
                guard let records = batch.records[kind], records.count > 0 else { continue }
                _ = try ActivityMerge.write(
                    records.sources, knowing: parts, names: nil, distinct: (distinct, 0),
                    memory: memory, to: try newPart(kind, durable: false))
            }
        }
        guard batch.records[.subscriptions]?.count ?? 0 > 0 else { return }
        let merge = Merge(
            snapshot: snapshot, directory: directory, older: [], batch: batch, purge: nil,
            memory: memory)
        _ = try SubscriptionsFamily.write(merge, to: try newPart(.subscriptions, durable: false))
    }

    /// Stores a batch: atomically, and durably when this returns. One that says nothing makes no
    /// version.
    /// - Parameter time: nil for what is no batch of data.
    /// - Parameter memory: bytes that merging may take.
    package func commit(_ batch: Batch, at time: Instant?, memory: Int) throws(WinnowError) {
        if batch.isEmpty { return }
        let leavesLists = try leavesLists(batch)
        try commit { (manifest) throws(WinnowError) in
            if let time { manifest.time = max(manifest.time, time) }
            if leavesLists { manifest.forgets = true }
            manifest.rows += UInt32(clamping: batch.profiles.added)
            if !batch.erased.isEmpty { manifest.forgets = true }
            for kind in PartKind.allCases {
                let size = kind.family.size(in: batch)
                guard size > 0 else { continue }
                let lengths = manifest.parts(of: kind).map(\.length)
                // The estimate is generous, so that equal batches count as equal; the constant is
                // what an empty part takes.
                let count = kind.family.merged(lengths, new: UInt64(size) + 4096)
                try replace(count, of: kind, by: batch, purging: nil, memory, in: &manifest)
            }
        }
    }

    /// Whether there are lists that no segment has any more once a batch is stored.
    private func leavesLists(_ batch: Batch) throws(WinnowError) -> Bool {
        guard !batch.segments.isEmpty else { return false }
        let saved = try snapshot.savedSegments()
        return batch.segments.contains { new in
            let old = saved.named(String(decoding: new.name, as: UTF8.self))
            return old.map { $0.isStatic && (new.isRemoved || new.list != $0.list) } ?? false
        }
    }

    /// Replaces the newest parts of a kind by one of what they say and what a batch says.
    private func replace(
        _ count: Int, of kind: PartKind, by batch: Batch, purging purge: Purge?, _ memory: Int,
        in manifest: inout Manifest
    ) throws(WinnowError) {
        let older = Array(manifest.parts(of: kind).suffix(count))
        let merge = Merge(
            snapshot: snapshot, directory: directory, older: older, batch: batch, purge: purge,
            memory: memory)
        WorkLog.say(
            "writing \(kind.name)"
                + (older.isEmpty ? "" : ", merged with \(older.count) older parts"))
        let part = try kind.family.write(merge, to: try newPart(kind))
        let gone = Set(older.map(\.id))
        manifest.parts.removeAll { $0.kind == kind && gone.contains($0.id) }
        manifest.parts.append(part)
    }

    /// Merges all parts of each kind into one, without what was forgotten: nothing of it is in the
    /// files of the new version. Makes no version when that is so already.
    package func compact(memory: Int) throws(WinnowError) {
        let kinds = snapshot.manifest.parts.map(\.kind)
        let purges = snapshot.manifest.forgets
        guard purges || Set(kinds).count < kinds.count else { return }
        let nothing = try Batch(snapshot)
        let purge = purges ? try Purge(snapshot) : nil
        try commit { (manifest) throws(WinnowError) in
            for kind in PartKind.allCases {
                // One part alone is merged with nothing to leave something out.
                let count = manifest.parts(of: kind).count
                guard count > (purges ? 0 : 1) else { continue }
                try replace(count, of: kind, by: nothing, purging: purge, memory, in: &manifest)
            }
            manifest.forgets = false
        }
    }

    /// Takes profiles out of every answer, at once; their values leave the files when the store is
    /// compacted.
    /// - Returns: how many there were, of each id once.
    package func erase(_ ids: [[UInt8]], at time: Instant) throws(WinnowError) -> Int {
        let keys = try snapshot.keys()
        var batch = try Batch(snapshot)
        batch.erased = Set(ids.compactMap { keys.code(of: $0).map(Row.init(rawValue:)) }).sorted()
        try commit(batch, at: time, memory: LoadOptions.smallestMemory)
        return batch.erased.count
    }

    /// Forgets the activity and goals before an instant that the store has now, at once; they leave the
    /// files when the store is compacted. What static segments were before leaves them at once. Older
    /// activity that is loaded later is not forgotten. Makes no version when there is none.
    package func drop(before horizon: Int64) throws(WinnowError) {
        let parts = try (snapshot.activity() + snapshot.goals()).filter { part in
            part.horizon < horizon
                && part.types.values.contains { $0.events > 0 && $0.minimum < horizon }
        }
        let saved = try snapshot.savedSegments()
        var batch = try Batch(snapshot)
        batch.droppedBefore = horizon
        batch.segments = saved.all.filter { segment in
            segment.isStatic && segment.horizon < horizon
                && saved.refreshes[segment.list]?.first.map { $0.asOf < horizon } ?? false
        }
        for i in batch.segments.indices { batch.segments[i].horizon = horizon }
        guard !parts.isEmpty || !batch.segments.isEmpty else { return }
        let cut = Set(parts.map(\.file.reference.id))
        try commit { (manifest) throws(WinnowError) in
            for kind in [PartKind.members, .segments] where !batch.segments.isEmpty {
                let count = manifest.parts(of: kind).count
                try replace(
                    count, of: kind, by: batch, purging: nil, LoadOptions.smallestMemory,
                    in: &manifest)
            }
            if cut.isEmpty { return }
            manifest.forgets = true
            for i in manifest.parts.indices
            where cut.contains(manifest.parts[i].id) {
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
    private func commit(_ change: (inout Manifest) throws(WinnowError) -> Void) throws(WinnowError)
    {
        if isPoisoned { throw .usage("this writer has failed before; open the store anew") }
        var manifest = snapshot.manifest
        manifest.parent = manifest.version
        manifest.version += 1
        try change(&manifest)
        try cancellation.check()
        manifest.nextPart = nextPart
        isPoisoned = true
        try directory.disk.sync(unsynced, directory: directory.parts)
        for file in unsynced { try file.close() }
        unsynced = []
        // From here on the next writer decides what is rubbish: it knows which manifest there is.
        unnamed = []
        try directory.publish(manifest)
        isPoisoned = false
        do throws(WinnowError) { snapshot = try StoreVersion(directory) } catch {
            throw .outcomeUnknown(path: directory.path, reason: error.description)
        }
        removeUnused()
    }

    /// Removes what no version needs that somebody holds. The current one is stored; what cannot be
    /// removed now the next writer will remove.
    package func removeUnused() {
        versionsHeld = (try? directory.removeUnused(keeping: snapshot.manifest)) ?? versionsHeld
    }
}
