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

/// Frames of zstd, one after the other.
@safe final class ZstdDecoder: StreamDecoder {
    private let stream = unsafe ZSTD_createDStream()

    var code: ErrorCode { .badZstd }

    deinit { unsafe ZSTD_freeDStream(stream) }

    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) -> DecoderStep {
        var source = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var sink = unsafe ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let status = unsafe ZSTD_decompressStream(stream, &sink, &source)
        guard ZSTD_isError(status) == 0 else {
            return unsafe .failed(String(cString: ZSTD_getErrorName(status)))
        }
        return unsafe .done(read: source.pos, written: sink.pos, isWhole: status == 0)
    }
}
