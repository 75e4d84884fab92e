#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Cores that this process may use.
package func availableCores() -> Int { cores }

/// Asked once: the system reads a file for it.
private let cores = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))

/// Calls `work` on at most `count` threads at once, this one among them, and returns when all calls
/// have.
/// - Parameter waiting: whether the threads wait for a disk most of the time, so that more than there
///   are cores are of use.
package func onThreads(_ count: Int, waiting: Bool = false, _ work: @Sendable () -> Void) {
    let most = waiting ? max(cores, ThreadPool.mostWaiting) : cores
    let helpers = min(count, most) - 1
    if helpers <= 0 { return work() }
    withoutActuallyEscaping(work) { work in
        let job = Job(work, helpers)
        ThreadPool.shared.start(job, most: most)
        work()
        ThreadPool.shared.finish(job)
    }
}

/// Calls `work` on a helping thread some time; where the system gives no thread, at once on this
/// one.
package func inBackground(_ work: @escaping @Sendable () -> Void) {
    if !ThreadPool.shared.start(Job(work, 1)) { work() }
}

/// Some work in which several threads may take part; whoever wants it done is one of them. What
/// changes is guarded by the pool's lock.
final class Job: @unchecked Sendable {
    let work: @Sendable () -> Void
    /// How many more threads may join.
    fileprivate var places: Int
    /// How many have joined and are not done.
    fileprivate var helpers = 0

    init(_ work: @escaping @Sendable () -> Void, _ places: Int) {
        self.work = work
        self.places = places
    }
}

/// Threads that help with jobs: at most one a core, and more where a disk is waited for, made when
/// they are first wanted, and then waiting for more to do.
///
/// Nobody waits for a thread to be there: a job that no helper has joined is done by who wants it.
/// So work gets done where the system gives no threads (limits of processes or memory). A dispatch
/// queue would wait there until it does.
@safe final class ThreadPool: @unchecked Sendable {
    static let shared = makeShared()
    /// So many disks keep busy, and take the memory of so many stacks.
    static let mostWaiting = 32

    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let wanted = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let finished = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    /// Those that have places, oldest first.
    private var jobs: [Job] = []
    private var threads = 0
    /// Threads that wait for a job.
    private var idle = 0

    init() {
        unsafe pthread_mutex_init(lock, nil)
        unsafe pthread_cond_init(wanted, nil)
        unsafe pthread_cond_init(finished, nil)
    }

    private static func makeShared() -> ThreadPool {
        // A child has the pool as it was, and none of its threads.
        pthread_atfork(
            { unsafe pthread_mutex_lock(ThreadPool.shared.lock) },
            { unsafe pthread_mutex_unlock(ThreadPool.shared.lock) },
            { ThreadPool.shared.beginAgain() })
        return ThreadPool()
    }

    /// In a child of the process, whose one thread holds the lock.
    private func beginAgain() {
        jobs = []
        threads = 0
        idle = 0
        unsafe pthread_mutex_init(lock, nil)
        unsafe pthread_cond_init(wanted, nil)
        unsafe pthread_cond_init(finished, nil)
    }

    private func locked(_ body: () -> Void) {
        unsafe pthread_mutex_lock(lock)
        body()
        unsafe pthread_mutex_unlock(lock)
    }

    /// Lets threads join a job; false, and nothing done, where there are none.
    @discardableResult
    func start(_ job: Job, most: Int = cores) -> Bool {
        if job.places <= 0 { return false }
        var isStarted = false
        var woken = 0
        locked {
            jobs.append(job)
            woken = min(job.places, idle)
            var missing = job.places - idle
            while missing > 0, threads < most, startThread() {
                threads += 1
                missing -= 1
            }
            isStarted = threads > 0
            if !isStarted { jobs.removeAll { $0 === job } }
        }
        // After the lock is free: who wakes up wants it.
        for _ in 0..<woken { unsafe pthread_cond_signal(wanted) }
        return isStarted
    }

    /// Lets no more threads join a job.
    func close(_ job: Job) { locked { closeLocked(job) } }

    /// Waits for all threads that have joined a job; no more will.
    func finish(_ job: Job) {
        locked {
            closeLocked(job)
            while job.helpers > 0 { unsafe pthread_cond_wait(finished, lock) }
        }
    }

    private func closeLocked(_ job: Job) {
        guard job.places > 0 else { return }
        job.places = 0
        jobs.removeAll { $0 === job }
    }

    /// What each thread does for as long as the process lives.
    private func help() {
        locked {
            while true {
                if joinJob() { continue }
                idle += 1
                unsafe pthread_cond_wait(wanted, lock)
                idle -= 1
            }
        }
    }

    /// Takes part in the oldest job; false when there is none. The lock is held before and after,
    /// but not meanwhile.
    private func joinJob() -> Bool {
        guard let job = jobs.first else { return false }
        job.places -= 1
        if job.places == 0 { jobs.removeFirst() }
        job.helpers += 1
        unsafe pthread_mutex_unlock(lock)
        job.work()
        unsafe pthread_mutex_lock(lock)
        job.helpers -= 1
        if job.helpers == 0 { unsafe pthread_cond_broadcast(finished) }
        return true
    }

    /// Whether the system gives one more thread.
    private func startThread() -> Bool {
        #if canImport(Glibc)
            var thread: pthread_t = 0
        #else
            var thread: pthread_t?
        #endif
        let pool = unsafe Unmanaged.passRetained(self)
        guard unsafe pthread_create(&thread, nil, ThreadPool.main, pool.toOpaque()) == 0 else {
            unsafe pool.release()
            return false
        }
        #if canImport(Glibc)
            pthread_detach(thread)
        #else
            if let thread { pthread_detach(thread) }
        #endif
        return true
    }

    /// What a thread begins with. It keeps its pool for as long as it lives.
    private static func begin(_ pool: UnsafeMutableRawPointer) {
        unsafe Unmanaged<ThreadPool>.fromOpaque(pool).takeUnretainedValue().help()
    }

    #if canImport(Darwin)
        private static let main:
            @convention(c) (UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? = { pool in
                unsafe begin(pool)
                return nil
            }
    #else
        private static let main:
            @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { pool in
                if let pool = unsafe pool { unsafe begin(pool) }
                return nil
            }
    #endif
}
