import Synchronization
import WinnowDisk
import WinnowModel
import WinnowStorage

/// The newest version of a store, opened once for all who ask. While nobody commits, asking costs one
/// system call.
package final class NewestSnapshot: Sendable {
    private let store: Store
    private let held = Mutex<(snapshot: Snapshot, change: FolderChange?)?>(nil)

    package init(of store: Store) { self.store = store }

    /// The version that is current now.
    package func snapshot() throws(WinnowError) -> Snapshot {
        let held = held.withLock(\.self)
        // Before the folder is looked at: what changes meanwhile is seen the next time.
        let change = try store.disk.lastChange(inFolder: store.path)
        if let held, let change, held.change == change { return held.snapshot }
        var snapshot = held?.snapshot
        if snapshot?.version != (try store.directory.newestVersion()) {
            snapshot = try store.snapshot()
        }
        guard let snapshot else { return try store.snapshot() }
        self.held.withLock { $0 = (snapshot, change) }
        return snapshot
    }

    /// Lets go of a version that is not current any more, so that its files can be removed, and of one
    /// whose store is gone; called now and then.
    package func letGoOfOld() {
        guard let version = held.withLock({ $0?.snapshot.version }) else { return }
        if (try? store.directory.newestVersion()) != version { held.withLock { $0 = nil } }
    }
}
