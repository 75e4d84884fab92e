import WinnowCKernels
import WinnowModel

/// Bit-packing: values of one width, back to back, lowest bit first. Readers load eight bytes at a
/// time, so eight bytes that belong to the same file must follow; a part's trailer sees to that.
package enum Packing {
    /// Widest value that one unaligned load can serve.
    package static let maximumWidth = 57

    /// Bits that the value needs; 0 for 0.
    package static func width(of value: UInt64) -> Int { 64 - value.leadingZeroBitCount }

    package static func byteCount(_ count: Int, width: Int) -> Int { (count * width + 7) / 8 }

    /// Appends the values, each below 2^width.
    package static func append(_ values: [UInt64], width: Int, to out: inout [UInt8]) {
        guard width > 0 else { return }
        var pending: UInt64 = 0
        var filled = 0
        for value in values {
            pending |= value << UInt64(filled)
            let room = 64 - filled
            if width >= room {
                unsafe withUnsafeBytes(of: pending.littleEndian) {
                    unsafe out.append(contentsOf: $0)
                }
                pending = room < 64 ? value >> UInt64(room) : 0
                filled = width - room
            } else {
                filled += width
            }
        }
        while filled > 0 {
            out.append(UInt8(truncatingIfNeeded: pending))
            pending >>= 8
            filled -= 8
        }
    }
}

/// A packed column with its least value taken off:
///
///     column = count:u32 width:u8 0:u8×3 base:i64 packed…      value i = base + packed i
@usableFromInline @safe package struct PackedColumn: @unchecked Sendable {
    /// Bytes before the values.
    package static let headerSize = 16
    /// Bytes of the column.
    package var byteCount: Int {
        PackedColumn.headerSize + Packing.byteCount(count, width: width)
    }

    @usableFromInline package let count: Int
    @usableFromInline package let width: Int
    @usableFromInline package let base: Int64
    @usableFromInline package let packed: UnsafePointer<UInt8>

    package init(_ reader: inout ByteReader) throws(WinnowError) {
        count = Int(try reader.take(UInt32.self))
        width = Int(try reader.take(UInt8.self))
        _ = try unsafe reader.take(bytes: 3)
        base = try reader.take(Int64.self)
        guard width <= Packing.maximumWidth else {
            throw reader.damage("a packed width of \(width)")
        }
        let bytes = try unsafe reader.take(bytes: Packing.byteCount(count, width: width))
        // An empty buffer has no address; nothing is read from it then.
        unsafe packed =
            unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? PackedColumn.nothing
    }

    private nonisolated(unsafe) static let nothing = unsafe UnsafePointer(
        UnsafeMutablePointer<UInt8>.allocate(capacity: 16))

    /// The value at `i`, which must be below `count`. Complexity: O(1).
    @inlinable package subscript(i: Int) -> Int64 {
        guard width > 0 else { return base }
        let bit = i &* width
        let word = unsafe UnsafeRawPointer(packed).loadUnaligned(
            fromByteOffset: bit >> 3, as: UInt64.self)
        let mask = (1 as UInt64) &<< UInt64(truncatingIfNeeded: width) &- 1
        return base
            &+ Int64(truncatingIfNeeded: UInt64(littleEndian: word) &>> UInt64(bit & 7) & mask)
    }

    /// Says that the value at `i` will be read soon.
    package func prefetch(_ i: Int) {
        if i >= 0, i < count { unsafe ck_prefetch(packed + ((i &* width) >> 3)) }
    }

    /// The bytes that some values are in.
    package func bytes(of range: Range<Int>) -> UnsafeRawBufferPointer {
        let first = range.lowerBound * width / 8
        let end = min((range.upperBound * width + 7) / 8, Packing.byteCount(count, width: width))
        return unsafe UnsafeRawBufferPointer(start: packed + first, count: max(0, end - first))
    }

    /// The values of a range, in a column of width 32 or less whose values fit 32 bits.
    package func copy(_ range: Range<Int>, into out: UnsafeMutablePointer<UInt32>) {
        unsafe ck_unpack32(
            packed, range.lowerBound, range.count, UInt32(width), UInt32(truncatingIfNeeded: base),
            out)
    }

    /// The first index whose value is not below `value`, in an ascending column. Complexity: O(log
    /// count).
    package func lowerBound(_ value: Int64, in range: Range<Int>? = nil) -> Int {
        firstNotBelow(range ?? 0..<count) { self[$0] < value }
    }

    /// The same for an index that is likely not far behind `start`. Complexity: O(log of how far).
    package func lowerBound(_ value: Int64, from start: Int) -> Int {
        var low = start
        var step = 1
        while low + step < count, self[low + step - 1] < value {
            low += step
            step *= 2
        }
        return firstNotBelow(low..<min(count, low + step)) { self[$0] < value }
    }

    /// Appends the column of the values.
    package static func append(_ values: [Int64], to out: inout ByteWriter) {
        let base = values.min() ?? 0
        let span = (values.max() ?? 0).subtractingReportingOverflow(base)
        let width = Packing.width(of: UInt64(bitPattern: span.partialValue))
        appendHeader(count: values.count, width: width, base: base, to: &out)
        Packing.append(values.map { UInt64(bitPattern: $0 &- base) }, width: width, to: &out.bytes)
    }

    fileprivate static func appendHeader(
        count: Int, width: Int, base: Int64, to out: inout ByteWriter
    ) {
        out.put(UInt32(clamping: count))
        out.put(UInt8(width))
        out.put(UInt8(0))
        out.put(UInt16(0))
        out.put(base)
    }
}

/// Writes a packed column that is too long to be gathered first, straight into a part.
package struct PackedColumnWriter {
    private let count: Int
    private let width: Int
    private let base: Int64
    private var pending: [UInt64] = []
    private var bytes: [UInt8] = []

    /// A multiple of 64, so that every piece ends with a whole byte.
    private static let piece = 1 << 15

    /// All values are in `base ... maximum`.
    package init(count: Int, base: Int64, maximum: Int64) {
        self.count = count
        self.base = base
        width = Packing.width(of: UInt64(bitPattern: maximum &- base))
        pending.reserveCapacity(PackedColumnWriter.piece)
    }

    /// Bytes that the column will take.
    package var size: Int { 16 + Packing.byteCount(count, width: width) }

    package func begin(_ part: PartWriter) throws(WinnowError) {
        var out = ByteWriter()
        PackedColumn.appendHeader(count: count, width: width, base: base, to: &out)
        try part.append(out.bytes)
    }

    package mutating func append(_ value: Int64, to part: PartWriter) throws(WinnowError) {
        pending.append(UInt64(bitPattern: value &- base))
        if pending.count == PackedColumnWriter.piece { try flush(part) }
    }

    /// Writes what is left; the column ends here.
    package mutating func finish(_ part: PartWriter) throws(WinnowError) { try flush(part) }

    private mutating func flush(_ part: PartWriter) throws(WinnowError) {
        bytes.removeAll(keepingCapacity: true)
        Packing.append(pending, width: width, to: &bytes)
        try part.append(bytes)
        pending.removeAll(keepingCapacity: true)
    }
}
