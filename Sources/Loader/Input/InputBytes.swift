import WinnowDisk
import WinnowFormat
import WinnowModel

/// The bytes of an input: of a file decompressed where its name ends in `.zst` or `.gz`, and
/// digested on the way where that is wanted.
final class InputBytes {
    private let stream: InputStream?
    private let cancellation: Cancellation
    private let caller: (@Sendable () throws(WinnowError) -> [UInt8]?)?
    /// What is left of an input in memory, or of what the caller has handed over.
    private var memory: ArraySlice<UInt8> = []
    private let compressed: CompressedInput?
    private var digest: SHA256?
    /// Bytes taken from the file so far.
    private(set) var taken = 0

    init(
        _ input: LoadSource.Input, digesting: Bool, _ cancellation: Cancellation
    ) throws(WinnowError) {
        self.cancellation = cancellation
        let isCancelled = { cancellation.isRequested }
        var stream: InputStream?
        var caller: (@Sendable () throws(WinnowError) -> [UInt8]?)?
        var compressed: CompressedInput?
        switch input {
        case .bytes(let bytes, _): memory = bytes[...]
        case .caller(_, let compression, let next):
            caller = next
            compressed = compression.map { CompressedInput($0, named: input.name) }
        case .table: break
        case .standardInput:
            stream = try InputStream(path: "-", isCancelled: isCancelled)
        case .file(let path):
            stream = try InputStream(path: path, isCancelled: isCancelled)
            compressed = CompressedInput(file: path)
        }
        self.stream = stream
        self.caller = caller
        self.compressed = compressed
        digest = digesting ? SHA256() : nil
    }

    /// Reads up to `buffer.count` bytes; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(WinnowError) -> Int {
        let count: Int
        if let compressed {
            count = try unsafe compressed.read(into: buffer) { (bytes) throws(WinnowError) in
                try unsafe take(bytes)
            }
        } else {
            count = try unsafe take(buffer)
        }
        unsafe digest?.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        return count
    }

    private func take(_ buffer: UnsafeMutableRawBufferPointer) throws(WinnowError) -> Int {
        let count: Int
        try cancellation.check()
        if let stream {
            count = try unsafe stream.read(into: buffer)
        } else {
            // Empty bytes are not the end.
            while memory.isEmpty, let caller {
                try cancellation.check()
                guard let next = try caller() else { break }
                memory = next[...]
            }
            count = min(buffer.count, memory.count)
            unsafe buffer.copyBytes(from: memory.prefix(count))
            memory.removeFirst(count)
        }
        taken += count
        return count
    }

    /// The digest of everything that was read; empty when none was wanted.
    func finishDigest() -> [UInt8] { digest?.finish() ?? [] }

    /// Reads everything for its digest alone.
    static func digest(
        _ input: LoadSource.Input, _ cancellation: Cancellation
    ) throws(WinnowError) -> [UInt8] {
        let bytes = try InputBytes(input, digesting: true, cancellation)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
        defer { unsafe buffer.deallocate() }
        while try unsafe bytes.read(into: buffer) > 0 {}
        return bytes.finishDigest()
    }
}
