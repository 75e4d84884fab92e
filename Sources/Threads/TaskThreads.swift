/// Threads for tasks that work for long and may block, apart from the concurrency pool's and from those
/// that help with jobs. A task that prefers them (`Task(executorPreference:)`) runs on one of them, so
/// that synchronous code sees whether its task is cancelled.
package final class TaskThreads: TaskExecutor {
    private let pool = ThreadPool()
    private let most: Int

    /// - Parameter most: how many tasks run at once; further ones wait.
    package init(most: Int) { self.most = most }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let work = Job({ unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }, 1)
        // Where the system gives no thread at all, the one at hand does it.
        if !pool.start(work, most: most) { work.work() }
    }
}
