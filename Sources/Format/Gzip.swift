import WinnowCZlib
import WinnowModel

/// Decompresses a gzip file of one member or several, piece by piece.
@safe package final class GzipReader {
    // In memory that stays where it is: the library keeps its address.
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let file: String
    private var input = [UInt8](repeating: 0, count: 1 << 17)
    private var filled = 0
    private var used = 0
    /// Whether what was read so far ends with a whole member.
    private var complete = true
    private let isReady: Bool

    package init(file: String) {
        self.file = file
        unsafe stream.initialize(to: z_stream())
        isReady = unsafe winnow_inflate_gzip(stream) == Z_OK
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Fills as much of `buffer` as there is; 0 at the end. `refill` reads compressed bytes, 0 at
    /// the end.
    package func read(
        into buffer: UnsafeMutableRawBufferPointer,
        _ refill: (UnsafeMutableRawBufferPointer) throws(WinnowError) -> Int
    ) throws(WinnowError) -> Int {
        guard isReady else { throw .io(operation: "decompress", path: file, code: 12) }
        let room = min(buffer.count, Int(UInt32.max))
        guard room > 0, let base = unsafe buffer.bindMemory(to: UInt8.self).baseAddress else {
            return 0
        }
        var written = 0
        while written == 0 {
            if used == filled {
                (used, filled) = (0, 0)
                filled = try unsafe input.withUnsafeMutableBytesThrowing(refill)
                if filled == 0 {
                    if complete { return 0 }
                    throw bad("the compressed data ends early")
                }
            }
            if complete, unsafe inflateReset(stream) != Z_OK {
                throw .io(operation: "decompress", path: file, code: 12)
            }
            complete = false
            let status = unsafe input.withUnsafeMutableBufferPointer { bytes in
                unsafe stream.pointee.next_in = unsafe bytes.baseAddress.map { unsafe $0 + used }
                unsafe stream.pointee.avail_in = UInt32(filled - used)
                unsafe stream.pointee.next_out = unsafe base
                unsafe stream.pointee.avail_out = UInt32(room)
                let status = unsafe inflate(stream, Z_NO_FLUSH)
                used = unsafe filled - Int(stream.pointee.avail_in)
                written = unsafe room - Int(stream.pointee.avail_out)
                return status
            }
            switch status {
            case Z_OK, Z_BUF_ERROR: break
            case Z_STREAM_END: complete = true
            default: throw bad("it cannot be decompressed: it is no gzip, or damaged")
            }
        }
        return written
    }

    private func bad(_ reason: String) -> WinnowError {
        .badData(file: file, line: nil, column: nil, code: .badGzip, reason: reason)
    }
}
