import CZstd
import Model

/// zstd frames: for text and for what is read rarely. Postings are not compressed, zstd gains nothing on them.
package enum Zstd {
    /// Levels above 3 gained at most 5 % on our columns.
    private static let level: Int32 = 3
    /// Largest frame that is ever written, and so believed when reading.
    package static let maximumFrame = 1 << 28

    package static func compress(_ bytes: ArraySlice<UInt8>) throws(WinnowError) -> [UInt8] {
        let bound = ZSTD_compressBound(bytes.count)
        var failed = false
        let frame = [UInt8](unsafeUninitializedCapacity: bound) { out, count in
            let written = bytes.withUnsafeBytes {
                ZSTD_compress(out.baseAddress, bound, $0.baseAddress, $0.count, level)
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
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { out, count in
            written = ZSTD_decompress(out.baseAddress, size, frame.baseAddress, frame.count)
            count = written == size ? size : 0
        }
        guard written == size else { throw .damaged(file: file, what: "a compressed frame cannot be read") }
        return bytes
    }
}
