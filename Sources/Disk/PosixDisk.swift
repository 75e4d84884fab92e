import Model

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The real file system, by plain system calls.
package struct PosixDisk: Disk {
    package init() {}

    package func createDirectory(_ path: String) throws(WinnowError) {
        guard mkdir(path, 0o777) == 0 else { throw failure("create directory", path) }
    }

    package func create(_ path: String) throws(WinnowError) -> any WritableFile {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
        guard descriptor >= 0 else { throw failure("create", path) }
        return PosixFile(descriptor, path)
    }

    package func map(_ path: String, expecting length: Int?) throws(WinnowError) -> MappedFile {
        try MappedFile(path: path, expecting: length)
    }

    package func rename(_ from: String, to: String) throws(WinnowError) {
        #if canImport(Darwin)
            let result = Darwin.rename(from, to)
        #elseif canImport(Musl)
            let result = Musl.rename(from, to)
        #else
            let result = Glibc.rename(from, to)
        #endif
        guard result == 0 else { throw failure("rename", from) }
    }

    package func link(_ from: String, to: String) throws(WinnowError) {
        #if canImport(Darwin)
            let result = Darwin.link(from, to)
        #elseif canImport(Musl)
            let result = Musl.link(from, to)
        #else
            let result = Glibc.link(from, to)
        #endif
        guard result == 0 else { throw failure("link", to) }
    }

    package func unlink(_ path: String) throws(WinnowError) {
        #if canImport(Darwin)
            let result = Darwin.unlink(path)
        #elseif canImport(Musl)
            let result = Musl.unlink(path)
        #else
            let result = Glibc.unlink(path)
        #endif
        guard result == 0 else { throw failure("remove", path) }
    }

    package func syncDirectory(_ path: String) throws(WinnowError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open directory", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("sync directory", path) }
    }

    package func list(_ path: String) throws(WinnowError) -> [String]? {
        guard let directory = opendir(path) else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw failure("read directory", path)
        }
        defer { closedir(directory) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(directory) else { break }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw failure("read directory", path) }
        return names
    }

    package func lock(_ path: String, _ kind: LockKind) throws(WinnowError) -> FileLock? {
        try FileLock(path: path, kind)
    }
}

/// A file written with plain `write` calls.
private final class PosixFile: WritableFile {
    private let descriptor: Int32
    private let path: String
    private var closed = false

    init(_ descriptor: Int32, _ path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { if !closed { _ = SystemCalls.close(descriptor) } }

    func append(_ bytes: UnsafeRawBufferPointer) throws(WinnowError) {
        try SystemCalls.writeAll(descriptor, bytes, path)
    }

    func sync() throws(WinnowError) {
        #if canImport(Darwin)
            let result = fcntl(descriptor, F_FULLFSYNC)
        #else
            let result = fdatasync(descriptor)
        #endif
        guard result == 0 else { throw failure("sync", path) }
    }

    func close() throws(WinnowError) {
        closed = true
        guard SystemCalls.close(descriptor) == 0 else { throw failure("close", path) }
    }
}

/// An advisory lock on a whole file, released when the last reference goes. It belongs to the open file, not to the
/// process: closing another descriptor of the same file does not lose it, as it would with POSIX record locks.
package final class FileLock: Sendable {
    private let descriptor: Int32

    fileprivate init?(path: String, _ kind: LockKind) throws(WinnowError) {
        let flags: Int32, operation: Int32
        switch kind {
        case .shared: (flags, operation) = (O_RDONLY, LOCK_SH)
        case .exclusive(let creating): (flags, operation) = (creating ? O_RDWR | O_CREAT : O_RDONLY, LOCK_EX)
        }
        descriptor = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o666)
        guard descriptor >= 0 else { throw failure("open", path) }
        while flock(descriptor, operation | LOCK_NB) != 0 {
            if errno == EINTR { continue }
            if errno == EWOULDBLOCK { return nil }
            throw failure("lock", path)
        }
    }

    deinit { close(descriptor) }

    /// Whether the locked file still has a name; a reader that locked a file just removed must look again.
    package var isLinked: Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_nlink > 0
    }
}

enum SystemCalls {
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
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written < 0 {
                if errno == EINTR { continue }
                throw failure("write", path)
            }
            rest = rest.dropFirst(written)
        }
    }
}

/// The error of the call that just failed.
func failure(_ operation: String, _ path: String) -> WinnowError {
    let code = errno
    return code == ENOENT
        ? .notFound(what: "file or folder", path: path) : .io(operation: operation, path: path, code: code)
}
