import WinnowModel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file of the user's (or standard input, `-`), read front to back.
package final class InputStream {
    package let name: String
    private let descriptor: Int32
    private let isCancelled: () -> Bool

    /// `isCancelled` is asked when a signal interrupts waiting for input; true ends it with
    /// `cancelled`.
    package init(path: String, isCancelled: @escaping () -> Bool = { false }) throws(WinnowError) {
        try checkPath(path)
        self.isCancelled = isCancelled
        name = path == "-" ? "standard input" : path
        descriptor = path == "-" ? STDIN_FILENO : try InputStream.open(path, isCancelled)
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw failure("stat", path) }
        if status.st_mode & S_IFMT == S_IFDIR {
            throw .io(operation: "read", path: path, code: EISDIR)
        }
    }

    /// Opening a named pipe waits for its writer.
    private static func open(_ path: String, _ isCancelled: () -> Bool) throws(WinnowError) -> Int32
    {
        while true {
            let descriptor = SystemCalls.open(path, O_RDONLY | O_CLOEXEC)
            if descriptor >= 0 { return descriptor }
            if errno != EINTR { throw failure("open", path) }
            if isCancelled() { throw .cancelled }
        }
    }

    deinit { if descriptor != STDIN_FILENO { close(descriptor) } }

    /// Reads up to `buffer.count` bytes; 0 at the end.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(WinnowError) -> Int {
        while true {
            let count = unsafe SystemCalls.read(descriptor, buffer)
            if count >= 0 { return count }
            if errno != EINTR { throw failure("read", name) }
            if isCancelled() { throw .cancelled }
        }
    }

    /// Everything that is left, at most `limit` bytes; more is an error.
    package func readAll(limit: Int) throws(WinnowError) -> [UInt8] {
        var result: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { unsafe buffer.deallocate() }
        while true {
            let count = try unsafe read(into: buffer)
            if count == 0 { return result }
            unsafe result.append(contentsOf: buffer[..<count])
            if result.count > limit { throw .usage("\(name) is longer than \(limit) bytes") }
        }
    }
}

/// The lines of a file of the user's, read as they are asked for; LF or CRLF, the last one may have
/// neither.
package struct InputLines {
    private let stream: InputStream
    private let limit: Int
    private var pending: [UInt8] = []
    /// Bytes of `pending` that were handed out, and that are known to hold no line end.
    private var taken = 0
    private var searched = 0
    private var ended = false
    /// The number of the line that was handed out last, from 1 on.
    package private(set) var number = 0

    /// - Parameter limit: bytes of the longest line.
    package init(path: String, limit: Int) throws(WinnowError) {
        stream = try InputStream(path: path)
        self.limit = limit
    }

    /// The next line without its end; nil after the last.
    package mutating func next() throws(WinnowError) -> [UInt8]? {
        while true {
            if let end = pending[searched...].firstIndex(of: 0x0A) {
                defer { (taken, searched) = (end + 1, end + 1) }
                return line(pending[taken..<end])
            }
            searched = pending.count
            if ended {
                guard taken < pending.count else { return nil }
                defer { taken = pending.count }
                return line(pending[taken...])
            }
            guard searched - taken <= limit else {
                throw .usage("\(stream.name), line \(number + 1) is longer than \(limit) bytes")
            }
            try fill()
        }
    }

    private mutating func line(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        number += 1
        return Array(bytes.last == 0x0D ? bytes.dropLast() : bytes)
    }

    private mutating func fill() throws(WinnowError) {
        pending.removeFirst(taken)
        searched -= taken
        taken = 0
        let old = pending.count
        let piece = 1 << 16
        pending.append(contentsOf: repeatElement(0, count: piece))
        let count = try unsafe pending.withUnsafeMutableBytesThrowing {
            (buffer) throws(WinnowError) in
            try unsafe stream.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[old...]))
        }
        pending.removeLast(piece - count)
        ended = count == 0
    }
}

extension SystemCalls {
    static func open(_ path: String, _ flags: Int32) -> Int32 {
        #if canImport(Darwin)
            Darwin.open(path, flags)
        #elseif canImport(Musl)
            Musl.open(path, flags)
        #else
            unsafe Glibc.open(path, flags)
        #endif
    }

    static func read(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        #if canImport(Darwin)
            Darwin.read(descriptor, buffer.baseAddress, buffer.count)
        #elseif canImport(Musl)
            Musl.read(descriptor, buffer.baseAddress, buffer.count)
        #else
            unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        #endif
    }
}

/// Bytes of a plain file; nil for what is none, or is not there. Opens nothing: a pipe would
/// notice.
package func fileSize(_ path: String) -> Int? {
    var status = stat()
    guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(status.st_size)
}

/// Whether an input, `-` for standard input, is the plain file that a path leads to.
package func isInput(_ input: String, _ path: String) -> Bool {
    var first = stat()
    var second = stat()
    guard unsafe (input == "-" ? fstat(0, &first) : stat(input, &first)) == 0,
        unsafe stat(path, &second) == 0
    else {
        return false
    }
    return first.st_dev == second.st_dev && first.st_ino == second.st_ino
        && first.st_mode & S_IFMT == S_IFREG
}

/// Whether a file that is there, or would be made, is in a folder or below it, wherever links
/// lead.
package func isInside(_ path: String, _ folder: String) -> Bool {
    let parent = path.utf8.lastIndex(of: UInt8(ascii: "/")).map {
        $0 == path.startIndex ? "/" : String(path[..<$0])
    }
    guard let folder = resolved(folder), let target = resolved(path) ?? resolved(parent ?? ".")
    else { return false }
    return (target + "/").hasPrefix(folder + "/")
}

/// An absolute path without links; nil when it leads nowhere.
private func resolved(_ path: String) -> String? {
    guard let real = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(real) }
    return unsafe String(cString: real)
}

/// A file of the user's that is there as a whole or not at all: it is written beside its place, and
/// gets its name when it is complete.
package final class CompletedFile {
    private let path: String
    private let temporary: String
    private let stream: OutputStream
    private var isFinished = false

    /// - Throws: `cannotCreate`, also where something is that is no plain file.
    package init(path: String) throws(WinnowError) {
        try checkPath(path)
        if path.isEmpty { throw .cannotCreate(path: "a file", reason: "its name is empty") }
        // What a link leads to is replaced, not the link.
        self.path = resolved(path) ?? path
        var status = stat()
        let replaces = unsafe stat(self.path, &status) == 0
        if replaces, status.st_mode & S_IFMT != S_IFREG {
            throw .cannotCreate(path: path, reason: "it is no plain file")
        }
        temporary = "\(self.path).\(getpid()).part"
        do throws(WinnowError) { stream = try OutputStream(path: temporary) } catch {
            guard case .cannotCreate(_, let reason) = error else { throw error }
            throw .cannotCreate(path: path, reason: reason)
        }
        // Who may not read the old one may not read the new one.
        if replaces { stream.allow(as: status.st_mode & 0o7777) }
    }

    package func write(_ bytes: some Sequence<UInt8>) throws(WinnowError) {
        try stream.write(bytes)
    }

    /// Makes it durable and gives it its name.
    package func finish() throws(WinnowError) {
        try stream.flush()
        try stream.sync()
        guard unsafe rename(temporary, path) == 0 else { throw failure("rename", temporary) }
        isFinished = true
    }

    deinit { if !isFinished { unsafe unlink(temporary) } }
}

/// A file of the user's that is written front to back, replacing what was there.
package final class OutputStream {
    private let descriptor: Int32
    private let path: String
    private var buffer: [UInt8] = []

    package init(path: String) throws(WinnowError) {
        try checkPath(path)
        self.path = path
        descriptor = SystemCalls.retrying {
            unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        }
        guard descriptor >= 0 else {
            throw unsafe .cannotCreate(path: path, reason: String(cString: strerror(errno)))
        }
        buffer.reserveCapacity(1 << 18)
    }

    deinit { close(descriptor) }

    package func write(_ bytes: some Sequence<UInt8>) throws(WinnowError) {
        buffer.append(contentsOf: bytes)
        if buffer.count >= (1 << 18) - 4096 { try flush() }
    }

    /// Gives the file the permissions of another.
    fileprivate func allow(as mode: mode_t) { fchmod(descriptor, mode) }

    fileprivate func sync() throws(WinnowError) {
        try SyncJob(descriptor: descriptor, path: path, isDirectory: false).run()
    }

    package func flush() throws(WinnowError) {
        try unsafe buffer.withUnsafeBytesThrowing { (bytes) throws(WinnowError) in
            try unsafe SystemCalls.writeAll(descriptor, bytes, path)
        }
        buffer.removeAll(keepingCapacity: true)
    }
}
