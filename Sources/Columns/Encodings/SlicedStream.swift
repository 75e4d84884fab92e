import WinnowBitmaps
import WinnowCKernels
import WinnowFormat

/// Numbers of one width, sliced by bit in groups of 512 (`ck_slice` has the layout): comparing all
/// of them reads about ten bits of each, whatever the width, at a few hundredths of a nanosecond a
/// value; unpacking took half a nanosecond. As small as packed ones.
@safe package struct SlicedStream {
    package let count: Int
    package let width: Int
    private let bytes: UnsafePointer<UInt8>

    /// `byteCount(count, width)` bytes are at `bytes`, and 64 more of the same file.
    package init(_ bytes: UnsafePointer<UInt8>, count: Int, width: Int) {
        unsafe self.bytes = unsafe bytes
        self.count = count
        self.width = width
    }

    package static func byteCount(_ count: Int, width: Int) -> Int { (count + 7) / 8 * width }

    /// Values of a group; masks have whole groups.
    package static let group = 512

    /// Words of a mask for `n` values, in whole groups.
    package static func maskWords(_ n: Int) -> Int { (n + group - 1) / group * group / 64 }

    /// Greatest value that the width can hold.
    package var span: UInt64 { width == 64 ? .max : (1 << UInt64(width)) - 1 }

    /// The stream from a multiple of 512 on.
    package func from(_ start: Int) -> SlicedStream {
        unsafe SlicedStream(bytes + start / 8 * width, count: count - start, width: width)
    }

    /// Takes the positions below `n` whose value is not in the range off the mask.
    package func narrow(
        _ mask: UnsafeMutablePointer<UInt64>, to range: ClosedRange<UInt64>, first n: Int? = nil
    ) {
        let n = n ?? count
        if range.lowerBound == 0, range.upperBound >= span { return }
        guard range.lowerBound <= span else {
            return unsafe mask.update(repeating: 0, count: (n + 63) / 64)
        }
        unsafe kernels.sliced_between(
            bytes, stored(n), UInt32(width), range.lowerBound, min(range.upperBound, span), mask)
    }

    /// Bit `bit` of the first values.
    package func copy(bit: Int, into words: UnsafeMutablePointer<UInt64>, first n: Int? = nil) {
        let n = n ?? count
        guard bit < width else { return unsafe words.update(repeating: 0, count: (n + 63) / 64) }
        unsafe kernels.sliced_bit(bytes, stored(n), UInt32(width), UInt32(bit), words)
    }

    /// Values to read for the first `n`: a last group that is cut short by the caller is stored
    /// whole all the same.
    private func stored(_ n: Int) -> Int { min(count, SlicedStream.maskWords(n) * 64) }

    package func values(_ range: Range<Int>, into out: UnsafeMutablePointer<UInt64>) {
        unsafe ck_unslice(bytes, count, UInt32(width), range.lowerBound, range.count, out)
    }

    /// Those of the `n` values from `start`, a multiple of 64, on that a mask chooses, each times
    /// `unit` above `base`, one after the other; there is room for 8 more.
    package func values(
        _ start: Int, _ n: Int, of mask: UnsafePointer<UInt64>, base: Int64, unit: UInt32,
        into out: UnsafeMutablePointer<Int64>
    ) {
        _ = unsafe kernels.unslice(
            bytes, count, UInt32(width), start, n, mask, base, unit, out)
    }

    package func values(_ range: Range<Int>) -> [UInt64] {
        if range.isEmpty { return [] }
        return unsafe [UInt64](unsafeUninitializedCapacity: range.count) { buffer, filled in
            if let base = buffer.baseAddress { unsafe values(range, into: base) }
            filled = range.count
        }
    }

    /// Appends the values, each below 2^width.
    package static func append(_ values: [UInt64], width: Int, to out: inout [UInt8]) {
        let size = byteCount(values.count, width: width)
        let start = out.count
        guard size > 0 else { return }
        out.append(contentsOf: repeatElement(0, count: size))
        unsafe out.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            unsafe ck_slice(values, values.count, UInt32(width), base + start)
        }
    }
}
