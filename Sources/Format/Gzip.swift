import WinnowCZlib
import WinnowModel

/// Members of gzip, one after the other.
@safe final class GzipDecoder: StreamDecoder {
    // In memory that stays where it is: the library keeps its address.
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let isReady: Bool
    /// Whether the next bytes begin a member.
    private var begins = true

    var code: ErrorCode { .badGzip }

    init() {
        unsafe stream.initialize(to: z_stream())
        isReady = unsafe winnow_inflate_gzip(stream) == Z_OK
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) -> DecoderStep {
        guard isReady, unsafe !begins || inflateReset(stream) == Z_OK else {
            return .failed("there is no memory for it")
        }
        let room = UInt32(clamping: output.count)
        let size = UInt32(clamping: input.count)
        unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(
            mutating: input.bindMemory(to: UInt8.self).baseAddress)
        unsafe stream.pointee.avail_in = size
        unsafe stream.pointee.next_out = unsafe output.bindMemory(to: UInt8.self).baseAddress
        unsafe stream.pointee.avail_out = room
        let status = unsafe inflate(stream, Z_NO_FLUSH)
        guard [Z_OK, Z_BUF_ERROR, Z_STREAM_END].contains(status) else {
            return .failed("it is no gzip, or damaged")
        }
        begins = status == Z_STREAM_END
        return unsafe .done(
            read: Int(size - stream.pointee.avail_in),
            written: Int(room - stream.pointee.avail_out), isWhole: begins)
    }
}
