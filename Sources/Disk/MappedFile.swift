import WinnowModel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A whole file, mapped read-only for as long as the object lives. The length is checked before the
/// mapping; a device error under a mapped page still ends the process (SIGBUS), which no reader of
/// mapped files can prevent.
@safe package final class MappedFile: @unchecked Sendable {
    package let path: String
    package let bytes: UnsafeRawBufferPointer
    private let isMapping: Bool

    package init(path: String, expecting length: Int? = nil) throws(WinnowError) {
        self.path = path
        isMapping = true
        // A pipe in place of a file must not make anybody wait.
        let descriptor = SystemCalls.retrying {
            unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        }
        guard descriptor >= 0 else { throw openFailure(path) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw failure("stat", path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .damaged(file: path, what: "not a plain file")
        }
        let actual = Int(status.st_size)
        if let length, length != actual {
            throw .damaged(file: path, what: "it is \(actual) bytes long and should be \(length)")
        }
        guard actual > 0 else {
            unsafe bytes = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        let address = unsafe mmap(nil, actual, PROT_READ, MAP_SHARED, descriptor, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else {
            throw failure("map", path)
        }
        unsafe bytes = unsafe UnsafeRawBufferPointer(start: address, count: actual)
    }

    /// Says that only what `willRead` names will be read: the system does not read what is around a
    /// place that is looked at, which may be much (8 MiB on some machines) and is mostly not wanted.
    package func readsByRequest() {
        guard isMapping, let base = unsafe bytes.baseAddress else { return }
        unsafe madvise(UnsafeMutableRawPointer(mutating: base), bytes.count, MADV_RANDOM)
    }

    /// Has the system begin to read some bytes that are not in memory. Does not wait.
    package func willRead(_ range: Range<Int>) {
        guard isMapping, let base = unsafe bytes.baseAddress else { return }
        let range = range.clamped(to: unsafe 0..<bytes.count)
        var start = range.lowerBound / MappedFile.page * MappedFile.page
        while start < range.upperBound {
            let end = min(start + MappedFile.readAhead, range.upperBound)
            unsafe madvise(
                UnsafeMutableRawPointer(mutating: base + start), end - start, MADV_WILLNEED)
            start += MappedFile.readAhead
        }
    }

    /// A multiple of the system's, which want aligned addresses.
    private static let page = 1 << 16
    /// Of a longer request Linux reads only as much as it would read ahead, which is this by default.
    private static let readAhead = 128 << 10

    /// What a disk in memory has for the file.
    package init(path: String, copying content: [UInt8]) {
        self.path = path
        isMapping = false
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: content.count, alignment: 64)
        unsafe copy.copyBytes(from: content)
        unsafe bytes = UnsafeRawBufferPointer(copy)
    }

    deinit {
        guard let base = unsafe bytes.baseAddress else { return }
        if isMapping {
            unsafe munmap(UnsafeMutableRawPointer(mutating: base), bytes.count)
        } else {
            unsafe bytes.deallocate()
        }
    }
}
