import Synchronization
import WinnowModel

/// Whether an evaluation is to end early: because somebody said so, or because the task is
/// cancelled that called it. All threads of the evaluation ask, once a block.
package final class Cancellation: Sendable {
    private let requested = Atomic(false)

    package init() {}

    package func request() { requested.store(true, ordering: .relaxed) }

    package var isRequested: Bool {
        if requested.load(ordering: .relaxed) { return true }
        // Only the calling thread belongs to a task; it tells the others.
        guard Task.isCancelled else { return false }
        request()
        return true
    }

    package func check() throws(WinnowError) { if isRequested { throw .cancelled } }
}
