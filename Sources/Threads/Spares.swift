#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What some threads are done with and others can use again. Sanitizers see its lock, which they do
/// not see of `Mutex`.
@safe package final class Spares<Value: Sendable>: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var values: [Value] = []
    private let most: Int

    /// - Parameter most: how many are kept.
    package init(most: Int) {
        self.most = most
        unsafe pthread_mutex_init(lock, nil)
    }

    deinit {
        unsafe pthread_mutex_destroy(lock)
        unsafe lock.deallocate()
    }

    /// One that nobody uses; nil when there is none.
    package func take() -> Value? {
        unsafe pthread_mutex_lock(lock)
        defer { unsafe pthread_mutex_unlock(lock) }
        return values.popLast()
    }

    /// Keeps one that nobody uses any more, or lets it go.
    package func keep(_ value: Value) {
        unsafe pthread_mutex_lock(lock)
        defer { unsafe pthread_mutex_unlock(lock) }
        if values.count < most { values.append(value) }
    }
}
