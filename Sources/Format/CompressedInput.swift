import WinnowModel

/// Decompresses a file piece by piece, in the format that its name tells.
package final class CompressedInput {
    private let decoder: any StreamDecoder
    private let file: String
    private var input = [UInt8](repeating: 0, count: 1 << 17)
    private var filled = 0
    private var used = 0
    /// Whether what was read so far ends with a whole frame, or member.
    private var isWhole = true

    /// The endings of names that tell a format.
    package static let endings = [".zst", ".gz"]

    /// nil for a name that tells none.
    package convenience init?(file: String) {
        if file.hasSuffix(".zst") {
            self.init(.zstd, named: file)
        } else if file.hasSuffix(".gz") {
            self.init(.gzip, named: file)
        } else {
            return nil
        }
    }

    /// - Parameter name: what messages call the input.
    package init(_ compression: Compression, named name: String) {
        decoder =
            switch compression {
            case .gzip: GzipDecoder()
            case .zstd: ZstdDecoder()
            }
        file = name
    }

    /// Fills as much of `buffer` as there is; 0 at the end. `refill` reads compressed bytes, 0 at
    /// the end.
    package func read(
        into buffer: UnsafeMutableRawBufferPointer,
        _ refill: (UnsafeMutableRawBufferPointer) throws(WinnowError) -> Int
    ) throws(WinnowError) -> Int {
        if unsafe buffer.isEmpty { return 0 }
        while true {
            if used == filled {
                (used, filled) = (0, 0)
                filled = try unsafe input.withUnsafeMutableBytesThrowing(refill)
                if filled == 0 {
                    if isWhole { return 0 }
                    throw bad("the compressed data ends early")
                }
            }
            let step = unsafe input.withUnsafeBytes { bytes in
                unsafe decoder.step(
                    UnsafeRawBufferPointer(rebasing: bytes[used..<filled]), into: buffer)
            }
            switch step {
            case .failed(let reason): throw bad("it cannot be decompressed: \(reason)")
            case .done(read: 0, written: 0, _):
                throw bad("it cannot be decompressed: nothing comes of it")
            case .done(let read, let written, let isWhole):
                used += read
                self.isWhole = isWhole
                if written > 0 { return written }
            }
        }
    }

    private func bad(_ reason: String) -> WinnowError {
        .badData(file: file, line: nil, column: nil, code: decoder.code, reason: reason)
    }
}

/// What reads one format of compressed data.
protocol StreamDecoder {
    /// The code of errors in it.
    var code: ErrorCode { get }

    /// Decompresses some of the input into some of the output; neither is empty.
    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) -> DecoderStep
}

/// What came of decompressing a bit further.
enum DecoderStep {
    /// So many bytes were read and written; `isWhole` where a frame, or member, ends with them.
    case done(read: Int, written: Int, isWhole: Bool)
    case failed(String)
}
