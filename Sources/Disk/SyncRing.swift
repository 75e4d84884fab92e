import WinnowModel

#if IOUring
    import WinnowCUring
    import Glibc

    /// Makes files durable side by side with io_uring. A commit waits for the slowest of its files,
    /// where plain calls wait for all of them one after the other. Writes stay plain calls: into
    /// the page cache they gain nothing.
    enum SyncRing {
        /// Runs all jobs, whatever becomes of some, and throws the first failure by their order.
        /// - Returns: false when the system gives no ring, as containers often forbid it; nothing
        ///   has been done then.
        static func run(_ jobs: [SyncJob]) throws(WinnowError) -> Bool {
            var ring = unsafe io_uring()
            guard unsafe io_uring_queue_init(UInt32(jobs.count), &ring, 0) == 0 else {
                return false
            }
            defer { unsafe io_uring_queue_exit(&ring) }
            guard unsafe submit(jobs, to: &ring) else { return false }
            var results = [Int32](repeating: 0, count: jobs.count)
            for _ in jobs {
                var completion: UnsafeMutablePointer<io_uring_cqe>?
                let waited = SystemCalls.retryingNegated {
                    unsafe io_uring_wait_cqe(&ring, &completion)
                }
                guard waited == 0, let completion = unsafe completion else {
                    throw .io(operation: "wait for the sync of", path: jobs[0].path, code: -waited)
                }
                unsafe results[Int(completion.pointee.user_data)] = unsafe completion.pointee.res
                unsafe io_uring_cqe_seen(&ring, completion)
            }
            for (job, result) in zip(jobs, results) {
                switch -result {
                case 0: break
                // Not tried yet: unknown to the system, or it had no thread to try it with.
                case EINTR, EINVAL, EOPNOTSUPP, ECANCELED, EAGAIN: try job.run()
                case let code: throw job.failed(code)
                }
            }
            return true
        }

        private static func submit(_ jobs: [SyncJob], to ring: inout io_uring) -> Bool {
            for (i, job) in jobs.enumerated() {
                guard let entry = unsafe io_uring_get_sqe(&ring) else { return false }
                unsafe io_uring_prep_fsync(
                    entry, job.descriptor, job.isDirectory ? 0 : UInt32(IORING_FSYNC_DATASYNC))
                unsafe io_uring_sqe_set_data64(entry, UInt64(i))
            }
            return SystemCalls.retryingNegated { unsafe io_uring_submit(&ring) } == jobs.count
        }
    }

    extension SystemCalls {
        /// The same for calls that return the negated error.
        fileprivate static func retryingNegated(_ call: () -> Int32) -> Int32 {
            while true {
                let result = call()
                if result != -EINTR { return result }
            }
        }
    }
#else
    /// A build without io_uring: files are made durable one after the other.
    enum SyncRing {
        static func run(_ jobs: [SyncJob]) throws(WinnowError) -> Bool { false }
    }
#endif
