import WinnowCZstd
import WinnowModel

/// zstd frames: for text and for what is read rarely. Postings are not compressed, zstd gains
/// nothing on them.
package enum Zstd {
    /// Levels above 3 gained at most 5 % on our columns.
    private static let level: Int32 = 3
    /// Largest frame that is ever written, and so believed when reading.
    package static let maximumFrame = 1 << 28

    package static func compress(_ bytes: ArraySlice<UInt8>) throws(WinnowError) -> [UInt8] {
        let bound = ZSTD_compressBound(bytes.count)
        var failed = false
        let frame = unsafe [UInt8](unsafeUninitializedCapacity: bound) { out, count in
            let written = unsafe bytes.withUnsafeBytes {
                unsafe ZSTD_compress(out.baseAddress, bound, $0.baseAddress, $0.count, level)
            }
            failed = ZSTD_isError(written) != 0
            count = failed ? 0 : written
        }
        // With room for the bound, memory is all that zstd can lack.
        if failed { throw .io(operation: "compress", path: "a frame", code: 12) }
        return frame
    }

    /// The bytes of one frame, which must be `size` long.
    package static func decompress(
        _ frame: UnsafeRawBufferPointer, size: Int, of file: String
    ) throws(WinnowError) -> [UInt8] {
        guard size >= 0, size <= maximumFrame else {
            throw .damaged(file: file, what: "a compressed frame claims \(size) bytes")
        }
        var written = 0
        // Room for one at least: an array without room is one that all threads share.
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: max(1, size)) { out, count in
            written = unsafe ZSTD_decompress(out.baseAddress, size, frame.baseAddress, frame.count)
            count = written == size ? size : 0
        }
        guard written == size else {
            throw .damaged(file: file, what: "a compressed frame cannot be read")
        }
        return bytes
    }
}

/// Decompresses a file of zstd frames piece by piece.
@safe package final class ZstdReader {
    private let stream: OpaquePointer?
    private let file: String
    private var input = [UInt8](repeating: 0, count: 1 << 17)
    private var filled = 0
    private var used = 0
    /// Whether what was read so far ends with a whole frame.
    private var complete = true

    package init(file: String) {
        self.file = file
        unsafe stream = unsafe ZSTD_createDStream()
    }

    deinit { unsafe ZSTD_freeDStream(stream) }

    /// Fills as much of `buffer` as there is; 0 at the end. `refill` reads compressed bytes, 0 at
    /// the end.
    package func read(
        into buffer: UnsafeMutableRawBufferPointer,
        _ refill: (UnsafeMutableRawBufferPointer) throws(WinnowError) -> Int
    ) throws(WinnowError) -> Int {
        var output = unsafe ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
        while unsafe output.pos == 0 {
            if used == filled {
                (used, filled) = (0, 0)
                filled = try unsafe input.withUnsafeMutableBytesThrowing(refill)
                if filled == 0 {
                    if complete { return 0 }
                    throw bad("the compressed data ends early")
                }
            }
            let status = unsafe input.withUnsafeBytes { bytes in
                var source = unsafe ZSTD_inBuffer(src: bytes.baseAddress, size: filled, pos: used)
                let status = unsafe ZSTD_decompressStream(stream, &output, &source)
                used = unsafe source.pos
                return status
            }
            guard ZSTD_isError(status) == 0 else {
                throw unsafe bad(
                    "it cannot be decompressed: " + String(cString: ZSTD_getErrorName(status)))
            }
            complete = status == 0
        }
        return unsafe output.pos
    }

    private func bad(_ reason: String) -> WinnowError {
        .badData(file: file, line: nil, column: nil, code: .badZstd, reason: reason)
    }
}
