import Synchronization

/// What the process tells of its work, when somebody listens: parts that are opened, parts that are
/// merged. Silent otherwise, at the cost of one look at a flag.
package enum WorkLog {
    private static let isHeard = Atomic(false)
    private static let listener = Mutex<(@Sendable (String) -> Void)?>(nil)

    /// From now on `body` is told of everything, on any thread.
    package static func listen(_ body: @escaping @Sendable (String) -> Void) {
        listener.withLock { $0 = body }
        isHeard.store(true, ordering: .relaxed)
    }

    /// Tells something; the text is made only when somebody listens.
    package static func say(_ text: @autoclosure () -> String) {
        guard isHeard.load(ordering: .relaxed) else { return }
        let line = text()
        let body = listener.withLock { $0 }
        body?(line)
    }
}
