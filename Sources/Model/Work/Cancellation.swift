import Synchronization

/// What lets other work go first.
package protocol GivingWay: Sendable {
    /// Waits while others are to go first; called often, on any thread.
    func giveWay()
}

/// Whether work is to end early: because somebody said so, or because the task is cancelled that
/// called it. All threads of the work ask, often enough for it to end within some milliseconds.
package final class Cancellation: Sendable {
    private let requested = Atomic(false)
    private let asks: @Sendable () -> Bool
    private let others: (any GivingWay)?

    /// Whom work that is begun in this task lets go first whenever it asks whether to end.
    @TaskLocal package static var others: (any GivingWay)?

    /// - Parameter asks: asked now and then, on any thread; true ends the work.
    package init(_ asks: @escaping @Sendable () -> Bool = { false }) {
        self.asks = asks
        others = Cancellation.others
    }

    package func request() { requested.store(true, ordering: .relaxed) }

    package var isRequested: Bool {
        others?.giveWay()
        if requested.load(ordering: .relaxed) { return true }
        // Only the calling thread belongs to a task; it tells the others.
        guard Task.isCancelled || asks() else { return false }
        request()
        return true
    }

    package func check() throws(WinnowError) { if isRequested { throw .cancelled } }
}
