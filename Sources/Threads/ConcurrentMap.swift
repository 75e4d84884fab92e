import Synchronization

/// The results of `body(0) … body(n − 1)`, computed on all cores; the first error by number wins.
package func concurrentMap<T: Sendable, E: Error>(
    _ n: Int, _ body: @Sendable (Int) throws(E) -> T
) throws(E) -> [T] {
    let results = UnsafeMutablePointer<Result<T, E>?>.allocate(capacity: n)
    unsafe results.initialize(repeating: nil, count: n)
    defer {
        unsafe results.deinitialize(count: n)
        unsafe results.deallocate()
    }
    nonisolated(unsafe) let slots = unsafe results
    let next = Atomic(0)
    onThreads(n) {
        while true {
            let i = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard i < n else { return }
            do throws(E) { unsafe slots[i] = .success(try body(i)) } catch { unsafe slots[i] = .failure(error) }
        }
    }
    var values: [T] = []
    values.reserveCapacity(n)
    for i in 0..<n { if let result = unsafe results[i] { values.append(try result.get()) } }
    return values
}

/// Values that are being computed on other cores while the caller goes on.
package final class StartedMap<T: Sendable> {
    private let work: StartedWork<T>
    private let job: Job

    /// Starts `body(0) … body(n − 1)`.
    package init(_ n: Int, _ body: @escaping @Sendable (Int) -> T) {
        let work = StartedWork(n, body)
        self.work = work
        job = Job({ work.run() }, min(n, availableCores()))
        ThreadPool.shared.start(job)
    }

    deinit { ThreadPool.shared.close(job) }

    /// Computes what is left, and waits for all of them.
    package func values() -> [T] {
        work.run()
        ThreadPool.shared.finish(job)
        return work.values
    }
}

/// Lives until the last thread is done with it, which may be after its `StartedMap`.
@safe private final class StartedWork<T: Sendable>: @unchecked Sendable {
    private let count: Int
    private let body: @Sendable (Int) -> T
    private let slots: UnsafeMutablePointer<T?>
    private let next = Atomic(0)

    init(_ count: Int, _ body: @escaping @Sendable (Int) -> T) {
        self.count = count
        self.body = body
        unsafe slots = .allocate(capacity: count)
        unsafe slots.initialize(repeating: nil, count: count)
    }

    func run() {
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
