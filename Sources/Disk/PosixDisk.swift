import WinnowModel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The real file system, by plain system calls.
package struct PosixDisk: Disk {
    private let syncsInParallel: Bool

    /// - Parameter syncsInParallel: whether io_uring makes files durable side by side, where the
    ///   system has it.
    package init(syncsInParallel: Bool = true) { self.syncsInParallel = syncsInParallel }

    package func createDirectory(_ path: String) throws(WinnowError) {
        try checkPath(path)
        guard unsafe mkdir(path, 0o777) == 0 else { throw failure("create directory", path) }
    }

    package func create(_ path: String) throws(WinnowError) -> any WritableFile {
        try checkPath(path)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
        let descriptor = SystemCalls.retrying { unsafe open(path, flags, 0o666) }
        guard descriptor >= 0 else { throw failure("create", path) }
        return PosixFile(descriptor, path)
    }

    package func sync(_ files: [any WritableFile], directory: String?) throws(WinnowError) {
        var jobs: [SyncJob] = []
        for case let file as PosixFile in files {
            jobs.append(SyncJob(descriptor: file.descriptor, path: file.path, isDirectory: false))
        }
        guard let directory else { return try sync(jobs) }
        let descriptor = SystemCalls.retrying {
            unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        guard descriptor >= 0 else { throw failure("open directory", directory) }
        defer { _ = SystemCalls.close(descriptor) }
        try sync(jobs + [SyncJob(descriptor: descriptor, path: directory, isDirectory: true)])
    }

    private func sync(_ jobs: [SyncJob]) throws(WinnowError) {
        // One alone gains nothing, and neither does setting up a ring for it.
        if syncsInParallel, jobs.count > 1, try SyncRing.run(jobs) { return }
        for job in jobs { try job.run() }
    }

    package func map(_ path: String, expecting length: Int?) throws(WinnowError) -> MappedFile {
        try checkPath(path)
        return try MappedFile(path: path, expecting: length)
    }

    package func link(_ from: String, to: String) throws(WinnowError) {
        try checkPath(from)
        try checkPath(to)
        #if canImport(Darwin)
            let result = Darwin.link(from, to)
        #elseif canImport(Musl)
            let result = Musl.link(from, to)
        #else
            let result = unsafe Glibc.link(from, to)
        #endif
        guard result == 0 else { throw failure("link", to) }
    }

    package func unlink(_ path: String) throws(WinnowError) {
        try checkPath(path)
        #if canImport(Darwin)
            let result = Darwin.unlink(path)
        #elseif canImport(Musl)
            let result = Musl.unlink(path)
        #else
            let result = unsafe Glibc.unlink(path)
        #endif
        guard result == 0 else { throw failure("remove", path) }
    }

    package func list(_ path: String) throws(WinnowError) -> [String]? {
        try checkPath(path)
        guard let directory = unsafe opendir(path) else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw failure("read directory", path)
        }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(directory) else { break }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw failure("read directory", path) }
        return names
    }

    package func lastChange(inFolder path: String) throws(WinnowError) -> FolderChange? {
        try checkPath(path)
        var status = stat()
        guard unsafe systemStat(path, &status) == 0 else {
            if errno == ENOENT { return nil }
            throw failure("stat", path)
        }
        // The system's clock of files ticks every few milliseconds: what happens within a tick has the
        // same time. A change that is older than that is the only one of its time.
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        let change = FolderChange.time(of: status)
        let age = Double(now.tv_sec - change.tv_sec) + Double(now.tv_nsec - change.tv_nsec) / 1e9
        guard age > 0.1 else { return nil }
        return FolderChange(
            device: UInt64(truncatingIfNeeded: status.st_dev),
            inode: UInt64(truncatingIfNeeded: status.st_ino), seconds: change.tv_sec,
            nanoseconds: change.tv_nsec)
    }

    package func isDirectory(_ path: String) throws(WinnowError) -> Bool {
        try checkPath(path)
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else {
            if errno == ENOENT { return false }
            throw failure("stat", path)
        }
        return status.st_mode & S_IFMT == S_IFDIR
    }

    package func lock(_ path: String, _ kind: LockKind) throws(WinnowError) -> (any FileLock)? {
        try checkPath(path)
        return try PosixLock(path: path, kind)
    }
}

/// Something to be made durable.
struct SyncJob {
    let descriptor: Int32
    let path: String
    let isDirectory: Bool

    func run() throws(WinnowError) {
        let result = SystemCalls.retrying {
            #if canImport(Darwin)
                isDirectory ? fsync(descriptor) : fcntl(descriptor, F_FULLFSYNC)
            #else
                isDirectory ? fsync(descriptor) : fdatasync(descriptor)
            #endif
        }
        guard result == 0 else { throw failed(errno) }
    }

    func failed(_ code: Int32) -> WinnowError {
        .io(operation: isDirectory ? "sync directory" : "sync", path: path, code: code)
    }
}

/// A file written with plain `write` calls.
private final class PosixFile: WritableFile {
    let descriptor: Int32
    let path: String
    private var closed = false

    init(_ descriptor: Int32, _ path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { if !closed { _ = SystemCalls.close(descriptor) } }

    func append(_ bytes: UnsafeRawBufferPointer) throws(WinnowError) {
        try unsafe SystemCalls.writeAll(descriptor, bytes, path)
    }

    func close() throws(WinnowError) {
        if closed { return }
        closed = true
        guard SystemCalls.close(descriptor) == 0 || errno == EINTR else {
            throw failure("close", path)
        }
    }
}

/// The lock belongs to the open file, not to the process: closing another descriptor of the same
/// file does not lose it, as it would with POSIX record locks.
private final class PosixLock: FileLock {
    private let descriptor: Int32
    private let process = getpid()

    init?(path: String, _ kind: LockKind) throws(WinnowError) {
        let flags: Int32, operation: Int32
        switch kind {
        case .shared: (flags, operation) = (O_RDONLY, LOCK_SH)
        case .exclusive(let creating):
            (flags, operation) = (creating ? O_RDWR | O_CREAT : O_RDONLY, LOCK_EX)
        case .folder: (flags, operation) = (O_RDONLY | O_DIRECTORY, LOCK_EX)
        }
        let links: Int32 = if case .folder = kind { 0 } else { O_NOFOLLOW }
        let descriptor = SystemCalls.retrying {
            unsafe open(path, flags | links | O_CLOEXEC | O_NONBLOCK, 0o666)
        }
        self.descriptor = descriptor
        guard descriptor >= 0 else { throw openFailure(path) }
        guard SystemCalls.retrying({ flock(descriptor, operation | LOCK_NB) }) == 0 else {
            if errno == EWOULDBLOCK { return nil }
            throw failure("lock", path)
        }
    }

    deinit {
        // A process that is being started holds a copy of the descriptor until it runs its program,
        // and with it the lock, unless that is given up before. A child that goes on has the copy, too:
        // the lock is its parent's.
        if process == getpid() { _ = SystemCalls.retrying { flock(descriptor, LOCK_UN) } }
        _ = SystemCalls.close(descriptor)
    }

    var isLinked: Bool {
        var status = stat()
        return unsafe fstat(descriptor, &status) == 0 && status.st_nlink > 0
    }
}

enum SystemCalls {
    /// Calls again what a signal has interrupted.
    static func retrying(_ call: () -> Int32) -> Int32 {
        while true {
            let result = call()
            if result >= 0 || errno != EINTR { return result }
        }
    }

    /// `close` by a name that does not clash with methods of that name.
    static func close(_ descriptor: Int32) -> Int32 {
        #if canImport(Darwin)
            Darwin.close(descriptor)
        #elseif canImport(Musl)
            Musl.close(descriptor)
        #else
            Glibc.close(descriptor)
        #endif
    }

    static func writeAll(
        _ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, _ path: String
    ) throws(WinnowError) {
        var rest = unsafe bytes[...]
        while unsafe !rest.isEmpty {
            let written = unsafe write(
                descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written < 0 {
                if errno == EINTR { continue }
                throw failure("write", path)
            }
            unsafe rest = unsafe rest.dropFirst(written)
        }
    }
}

/// Refuses a path with a NUL in it: the system would take what comes before for all of it.
func checkPath(_ path: String) throws(WinnowError) {
    if path.utf8.contains(0) {
        throw .usage("a path cannot have a NUL in it: \(path.prefix { $0 != "\0" })…")
    }
}

/// The error of an `open` of one of a store's files that just failed.
func openFailure(_ path: String) -> WinnowError {
    switch errno {
    case ELOOP: .damaged(file: path, what: "it is a link, and no plain file")
    case ENXIO: .damaged(file: path, what: "not a plain file")
    default: failure("open", path)
    }
}

/// The error of the call that just failed.
func failure(_ operation: String, _ path: String) -> WinnowError {
    let code = errno
    return code == ENOENT
        ? .notFound(what: "file or folder", path: path)
        : .io(operation: operation, path: path, code: code)
}

/// A path that stays the same place when the process goes to another folder.
package func absolutePath(_ path: String) -> String {
    guard !path.isEmpty, !path.hasPrefix("/"), let folder = unsafe getcwd(nil, 0) else {
        return path
    }
    defer { unsafe free(folder) }
    guard let text = unsafe String(validatingCString: folder) else { return path }
    return text + "/" + path
}

/// `stat` by a name that is no type's.
private func systemStat(_ path: String, _ status: UnsafeMutablePointer<stat>) -> Int32 {
    unsafe stat(path, status)
}

extension FolderChange {
    fileprivate static func time(of status: stat) -> timespec {
        #if canImport(Darwin)
            status.st_mtimespec
        #else
            status.st_mtim
        #endif
    }
}
