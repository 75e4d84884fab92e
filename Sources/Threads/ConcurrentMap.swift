import Synchronization

/// The results of `body(0) … body(n − 1)`, computed on all cores; the first error by number wins.
package func concurrentMap<T: Sendable, E: Error>(
    _ n: Int, _ body: @Sendable (Int) throws(E) -> T
) throws(E) -> [T] {
    let results = Results<Result<T, E>>(n)
    onThreads(n) {
        results.fill { i in
            do throws(E) { return .success(try body(i)) } catch { return .failure(error) }
        }
    }
    var values: [T] = []
    values.reserveCapacity(n)
    for result in results.values { values.append(try result.get()) }
    return values
}

/// Values that are being computed on other cores while the caller goes on.
package final class StartedMap<T: Sendable> {
    private let results: Results<T>
    private let job: Job

    /// Starts `body(0) … body(n − 1)`.
    package init(_ n: Int, _ body: @escaping @Sendable (Int) -> T) {
        let results = Results<T>(n)
        self.results = results
        job = Job({ results.fill(body) }, min(n, availableCores()))
        ThreadPool.shared.start(job)
    }

    deinit { ThreadPool.shared.close(job) }

    /// Computes what is left, and waits for all of them.
    package func values() -> [T] {
        job.work()
        ThreadPool.shared.finish(job)
        return results.values
    }
}

/// Results by number, which threads compute one after the other, each the next that nobody has
/// begun.
@safe private final class Results<T: Sendable>: @unchecked Sendable {
    private let count: Int
    private let slots: UnsafeMutablePointer<T?>
    private let next = Atomic(0)

    init(_ count: Int) {
        self.count = count
        unsafe slots = .allocate(capacity: count)
        unsafe slots.initialize(repeating: nil, count: count)
    }

    /// Computes results until all are begun; called on any number of threads.
    func fill(_ body: (Int) -> T) {
        while true {
            let i = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard i < count else { return }
            unsafe slots[i] = body(i)
        }
    }

    /// All of them, when every thread is done.
    var values: [T] { (0..<count).compactMap { unsafe slots[$0] } }

    deinit {
        unsafe slots.deinitialize(count: count)
        unsafe slots.deallocate()
    }
}
