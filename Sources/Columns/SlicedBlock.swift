import Bitmaps
import CKernels
import Format
import Model

/// Numbers of some rows of one block, bit-sliced: slice s holds bit s of every value, so that a comparison is one pass
/// over a few bitsets at memory speed (about 0.1 µs per slice and block), where unpacking would take 10 µs. Used for
/// profile fields, dictionary codes and event counts alike.
///
///     block   = kind:u8 width:u8 dense:u8 0:u8 count:u32 base:i64 members slices
///     members = container of `kind` with `count` rows
///     slices  = width × (1,024 words, bit = row, when dense; else ⌈count/512⌉×8 words, bit = rank among the members)
///
/// Everything is at a multiple of 8. A value is base + its sliced bits.
package struct SlicedBlock {
    package let members: Container
    /// All of the block, as it is stored.
    let bytes: UnsafeRawBufferPointer
    private let width: Int
    private let base: Int64
    private let dense: Bool
    private let slices: UnsafePointer<UInt64>

    /// Scratch that a ranked comparison needs.
    package struct Scratch {
        let ranks = BlockSet.allocate()
        let members = BlockSet.allocate()
        /// For callers that unite several comparisons.
        package let spare = BlockSet.allocate()
        package init() {}
        package func deallocate() {
            spare.deallocate()
            ranks.deallocate()
            members.deallocate()
        }
    }

    package init(_ bytes: UnsafeRawBufferPointer, of file: String) throws(WinnowError) {
        var reader = ByteReader(bytes, of: file, "sliced block")
        let kind = Container.Kind(rawValue: try reader.take(UInt8.self))
        width = Int(try reader.take(UInt8.self))
        dense = try reader.take(UInt8.self) == 1
        _ = try reader.take(UInt8.self)
        let count = Int(try reader.take(UInt32.self))
        base = try reader.take(Int64.self)
        guard let kind, width <= 64, count <= Block.rows, kind != .array || count <= Container.maximumArray else {
            throw reader.damage("impossible header")
        }
        let container = try reader.take(bytes: SlicedBlock.rounded(Container.byteCount(kind, count: count)))
        members = Container(kind: kind, count: count, bytes: container.baseAddress ?? SlicedBlock.nowhere)
        let sliceBytes = try reader.take(bytes: width * SlicedBlock.words(count, dense) * 8)
        slices = (sliceBytes.baseAddress ?? SlicedBlock.nowhere).assumingMemoryBound(to: UInt64.self)
        self.bytes = UnsafeRawBufferPointer(rebasing: bytes.dropLast(reader.rest.count))
    }

    private nonisolated(unsafe) static let nowhere = UnsafeRawPointer(
        UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64))

    private static func words(_ count: Int, _ dense: Bool) -> Int { dense ? Block.words : (count + 511) / 512 * 8 }
    private static func rounded(_ bytes: Int) -> Int { (bytes + 7) / 8 * 8 }

    private var words: Int { SlicedBlock.words(members.count, dense) }

    /// Greatest value the slices can hold above the base.
    private var span: UInt64 { width == 64 ? .max : (1 << UInt64(width)) - 1 }

    /// Makes `out` the rows whose value lies in `range`.
    package func select(_ range: ClosedRange<Int64>, into out: BlockSet, _ scratch: Scratch) {
        guard members.count > 0, range.upperBound >= base else { return out.clear() }
        let hi = UInt64(bitPattern: range.upperBound &- base)
        let lo = range.lowerBound <= base ? 0 : UInt64(bitPattern: range.lowerBound &- base)
        guard lo <= span else { return out.clear() }
        if lo == 0, hi >= span { return members.copy(into: out) }
        if dense {
            kernels.slices_between(slices, UInt32(width), words, lo, min(hi, span), out.bits)
            members.copy(into: scratch.members)
            out.formIntersection(scratch.members)
        } else {
            kernels.slices_between(slices, UInt32(width), words, lo, min(hi, span), scratch.ranks.bits)
            spread(into: out, scratch)
        }
    }

    /// The rows whose rank bit is set in `scratch.ranks`.
    private func spread(into out: BlockSet, _ scratch: Scratch) {
        guard let rows = members.array else {
            members.copy(into: scratch.members)
            kernels.expand(scratch.members.bits, Block.words, scratch.ranks.bits, out.bits)
            return
        }
        out.clear()
        for rank in 0..<members.count where scratch.ranks.contains(rank) { out.insert(Int(rows[rank])) }
    }

    /// The values as sums: calls `body` with sets of rows and what each row of a set adds to its value.
    package func forEachAddend(_ scratch: Scratch, _ body: (BlockSet, UInt64) -> Void) {
        members.copy(into: scratch.members)
        if base > 0 { body(scratch.members, UInt64(base)) }
        for slice in 0..<width {
            let bits = slices + slice * words
            if dense {
                scratch.spare.bits.update(from: bits, count: Block.words)
            } else {
                // The kernel may look one word past the last rank's.
                scratch.ranks.bits.update(from: bits, count: words)
                kernels.expand(scratch.members.bits, Block.words, scratch.ranks.bits, scratch.spare.bits)
            }
            body(scratch.spare, 1 << UInt64(slice))
        }
    }

    /// All values in the order of the members' rows.
    package func values(rows: UnsafePointer<UInt16>) -> [Int64] {
        var result = [UInt64](repeating: 0, count: members.count)
        for slice in 0..<width {
            let words = slices + slice * self.words
            for rank in 0..<members.count {
                let slot = dense ? Int(rows[rank]) : rank
                result[rank] |= (words[slot >> 6] >> UInt64(slot & 63) & 1) << UInt64(slice)
            }
        }
        return result.map { base &+ Int64(bitPattern: $0) }
    }

    /// Greatest value that any member has at the most.
    package var bound: Int64 {
        let (sum, overflow) = base.addingReportingOverflow(Int64(clamping: span))
        return overflow ? .max : sum
    }

    /// Appends the block of ascending distinct rows and their values; `out` must be at a multiple of 8.
    package static func append(rows: [UInt16], values: [Int64], to out: inout ByteWriter) {
        let base = values.min() ?? 0
        let width = Packing.width(of: UInt64(bitPattern: (values.max() ?? 0) &- base))
        let dense = rows.count >= Tuning.denseRows
        var container: [UInt8] = []
        let kind = rows.withUnsafeBufferPointer { ContainerEncoder.append($0, to: &container) }
        out.put(kind.rawValue)
        out.put(UInt8(width))
        out.put(UInt8(dense ? 1 : 0))
        out.put(UInt8(0))
        out.put(UInt32(rows.count))
        out.put(base)
        out.bytes.append(contentsOf: container)
        out.align(to: 8)
        let words = words(rows.count, dense)
        var slices = [UInt64](repeating: 0, count: width * words)
        for (rank, value) in values.enumerated() {
            let slot = dense ? Int(rows[rank]) : rank
            var bits = UInt64(bitPattern: value &- base)
            while bits != 0 {
                slices[bits.trailingZeroBitCount * words + slot >> 6] |= 1 << UInt64(slot & 63)
                bits &= bits - 1
            }
        }
        slices.withUnsafeBytes { out.bytes.append(contentsOf: $0) }
    }
}
