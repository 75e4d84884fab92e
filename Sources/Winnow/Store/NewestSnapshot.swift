import Synchronization
import WinnowModel
import WinnowStorage

/// The newest version of a store, opened once for all who ask. While nobody commits, asking costs a look
/// at the store's folder.
package final class NewestSnapshot: Sendable {
    private let store: Store
    private let held = Mutex<Snapshot?>(nil)

    package init(of store: Store) { self.store = store }

    /// The version that is current now.
    package func snapshot() throws(WinnowError) -> Snapshot {
        let newest = try store.directory.newestVersion()
        if let held = held.withLock(\.self), held.version == newest { return held }
        let snapshot = try store.snapshot()
        held.withLock { $0 = snapshot }
        return snapshot
    }

    /// Lets go of a version that is not current any more, so that its files can be removed, and of one
    /// whose store is gone; called now and then.
    package func letGoOfOld() {
        guard let version = held.withLock({ $0?.version }) else { return }
        if (try? store.directory.newestVersion()) != version { held.withLock { $0 = nil } }
    }
}
