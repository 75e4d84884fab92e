import WinnowBitmaps
import WinnowCKernels
import WinnowFormat
import WinnowModel

/// Numbers of some rows of one block, bit-sliced (`SlicedStream`), so that a comparison is one pass
/// over a few bits of each at memory speed, where unpacking would take 10 µs a block. Used for
/// profile fields, dictionary codes and event counts alike.
///
///     block   = kind:u8 width:u8 dense:u8 0:u8 count:u32 base:i64 members values
///     members = container of `kind` with `count` rows
///     values  = one for each row of the block when dense (zero for those without), else for each member
///
/// Everything is at a multiple of 8. A value is base + its sliced bits.
@safe package struct SlicedBlock {
    package let members: Container
    /// All of the block, as it is stored.
    let bytes: UnsafeRawBufferPointer
    private let base: Int64
    private let dense: Bool
    private let stream: SlicedStream

    /// Bytes of all of it.
    package var byteCount: Int { unsafe bytes.count }

    /// Scratch that a ranked comparison needs.
    package struct Scratch {
        let ranks = BlockSet.allocate()
        let members = BlockSet.allocate()
        /// For callers that unite several comparisons.
        package let spare = BlockSet.allocate()
        /// For comparing two blocks: a bit of each, and what is carried.
        fileprivate let bits = (BlockSet.allocate(), BlockSet.allocate())
        fileprivate let carry = BlockSet.allocate()
        package init() {}
        package func deallocate() {
            bits.0.deallocate()
            bits.1.deallocate()
            carry.deallocate()
            spare.deallocate()
            ranks.deallocate()
            members.deallocate()
        }
    }

    package init(_ bytes: UnsafeRawBufferPointer, _ checks: PartFile.Checks) throws(WinnowError) {
        guard bytes.count >= 16 else { throw checks.damage("a sliced block ends early") }
        let kind = unsafe Container.Kind(rawValue: bytes[0])
        let width = unsafe Int(bytes[1])
        let count = unsafe Int(bytes.number(4, UInt32.self))
        dense = unsafe bytes[2] == 1
        base = unsafe bytes.number(8, Int64.self)
        guard let kind, width <= 64, Container.isPossible(kind, count: count) else {
            throw checks.damage("a sliced block has an impossible header")
        }
        let start = 16 + SlicedBlock.rounded(Container.byteCount(kind, count: count))
        let slots = dense ? Block.rows : count
        let end = start + SlicedBlock.rounded(SlicedStream.byteCount(slots, width: width))
        guard end <= bytes.count, let first = bytes.baseAddress else {
            throw checks.damage("a sliced block ends early")
        }
        members = unsafe Container(kind: kind, count: count, bytes: first + 16)
        guard members.isSound else {
            throw checks.damage("a sliced block has other rows than it says")
        }
        stream = unsafe SlicedStream(
            (first + start).assumingMemoryBound(to: UInt8.self), count: slots, width: width)
        unsafe self.bytes = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<end])
    }

    /// Other numbers of the same rows, stored after `block` as
    ///
    ///     width:u8 0:u8×7 base:i64 values
    package init(
        _ bytes: UnsafeRawBufferPointer, after block: SlicedBlock, _ checks: PartFile.Checks
    )
        throws(WinnowError)
    {
        let start = unsafe block.bytes.count
        let slots = block.stream.count
        guard bytes.count >= start + 16, let first = bytes.baseAddress else {
            throw checks.damage("a sliced block ends early")
        }
        let width = unsafe Int(bytes[start])
        let end = start + 16 + SlicedBlock.rounded(SlicedStream.byteCount(slots, width: width))
        guard width <= 64, end <= bytes.count else {
            throw checks.damage("a sliced block ends early")
        }
        members = block.members
        dense = block.dense
        base = unsafe bytes.number(start + 8, Int64.self)
        stream = unsafe SlicedStream(
            (first + start + 16).assumingMemoryBound(to: UInt8.self), count: slots, width: width)
        unsafe self.bytes = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<end])
    }

    private static func rounded(_ bytes: Int) -> Int { (bytes + 7) / 8 * 8 }

    /// Makes `out` the rows whose value is in `range`.
    package func select(_ range: ClosedRange<Int64>, into out: BlockSet, _ scratch: Scratch) {
        guard members.count > 0, range.upperBound >= base else { return out.clear() }
        let hi = UInt64(bitPattern: range.upperBound &- base)
        let lo = range.lowerBound <= base ? 0 : UInt64(bitPattern: range.lowerBound &- base)
        guard lo <= stream.span else { return out.clear() }
        if dense || (lo == 0 && hi >= stream.span) {
            members.copy(into: out)
            unsafe stream.narrow(out.bits, to: lo...max(lo, hi))
        } else {
            scratch.ranks.fill(first: members.count)
            unsafe stream.narrow(scratch.ranks.bits, to: lo...max(lo, hi))
            spread(into: out, scratch)
        }
    }

    /// The rows whose rank bit is set in `scratch.ranks`.
    private func spread(into out: BlockSet, _ scratch: Scratch) {
        guard let rows = unsafe members.array else {
            members.copy(into: scratch.members)
            unsafe kernels.expand(scratch.members.bits, Block.words, scratch.ranks.bits, out.bits)
            return
        }
        out.clear()
        for rank in 0..<members.count where scratch.ranks.contains(rank) {
            unsafe out.insert(Int(rows[rank]))
        }
    }

    /// The rows and their values where both are small: adding few one by one takes less than a pass
    /// over a set of all rows for each bit, adding many more than twice as long. nil where they are
    /// not.
    package var few: (rows: UnsafePointer<UInt16>, values: [UInt32])? {
        guard !dense, base >= 0, bound <= Int64(UInt32.max), let rows = unsafe members.array else {
            return nil
        }
        let base = UInt32(truncatingIfNeeded: base)
        let values = stream.values(0..<members.count).map {
            base &+ UInt32(truncatingIfNeeded: $0)
        }
        return unsafe (rows, values)
    }

    /// The values as sums: calls `body` with sets of rows and what each row of a set adds to its
    /// value.
    package func forEachAddend(_ scratch: Scratch, _ body: (BlockSet, UInt64) -> Void) {
        members.copy(into: scratch.members)
        if base > 0 { body(scratch.members, UInt64(base)) }
        for bit in 0..<stream.width {
            if dense {
                unsafe stream.copy(bit: bit, into: scratch.spare.bits)
            } else {
                unsafe stream.copy(bit: bit, into: scratch.ranks.bits)
                unsafe kernels.expand(
                    scratch.members.bits, Block.words, scratch.ranks.bits, scratch.spare.bits)
            }
            body(scratch.spare, 1 << UInt64(bit))
        }
    }

    /// Makes `greater` and `equal` the rows whose value here is greater than, or equal to, the one
    /// in another block; of rows that are not in both, nothing is said.
    package func compare(
        with other: SlicedBlock, greater: BlockSet, equal: BlockSet, _ scratch: Scratch
    ) {
        guard base >= other.base else {
            other.compare(with: self, greater: greater, equal: equal, scratch)
            // What is neither less nor equal.
            greater.formUnion(equal)
            scratch.carry.fill(first: BlockSet.rows)
            return greater.complement(in: scratch.carry)
        }
        greater.clear()
        equal.fill(first: BlockSet.rows)
        scratch.carry.clear()
        let ahead = UInt64(bitPattern: base &- other.base)
        let width = max(stream.width, other.stream.width, Packing.width(of: ahead))
        // One more for what the sum carries; what does not fit 64 bits would be no Int64.
        for bit in 0..<min(width + 1, 64) {
            copy(bit: bit, into: scratch.bits.0, scratch)
            other.copy(bit: bit, into: scratch.bits.1, scratch)
            unsafe kernels.compare_bit(
                scratch.bits.0.bits, scratch.bits.1.bits, ahead >> UInt64(bit) & 1 == 1,
                scratch.carry.bits, greater.bits, equal.bits, BlockSet.words)
        }
    }

    /// One bit of every row's value above the base.
    private func copy(bit: Int, into out: BlockSet, _ scratch: Scratch) {
        guard bit < stream.width else { return out.clear() }
        guard !dense else { return unsafe stream.copy(bit: bit, into: out.bits) }
        unsafe stream.copy(bit: bit, into: scratch.ranks.bits)
        spread(into: out, scratch)
    }

    /// All values in the order of the members' rows.
    package func values(rows: UnsafePointer<UInt16>) -> [Int64] {
        let values = stream.values(0..<stream.count)
        return (0..<members.count).map {
            unsafe base &+ Int64(bitPattern: values[dense ? Int(rows[$0]) : $0])
        }
    }

    /// Greatest value that any member has at the most.
    package var bound: Int64 {
        // From the least base on the span may be more than an Int64 holds.
        let room = UInt64(bitPattern: Int64.max &- base)
        return stream.span > room ? .max : base &+ Int64(bitPattern: stream.span)
    }

    /// Appends the block of ascending distinct rows and their values; `out` must be at a multiple
    /// of 8.
    package static func append(rows: [UInt16], values: [Int64], to out: inout ByteWriter) {
        let base = values.min() ?? 0
        let width = width(of: values)
        let dense = rows.count >= Tuning.denseRows
        var container: [UInt8] = []
        let kind = unsafe rows.withUnsafeBufferPointer {
            unsafe ContainerEncoder.append($0, to: &container)
        }
        out.put(kind.rawValue)
        out.put(UInt8(width))
        out.put(UInt8(dense ? 1 : 0))
        out.put(UInt8(0))
        out.put(UInt32(rows.count))
        out.put(base)
        out.bytes.append(contentsOf: container)
        out.align(to: 8)
        append(stream: values, of: rows, to: &out)
    }

    /// Appends other values of the rows of the block before.
    package static func append(more values: [Int64], of rows: [UInt16], to out: inout ByteWriter) {
        out.put(UInt8(width(of: values)))
        out.align(to: 8)
        out.put(values.min() ?? 0)
        append(stream: values, of: rows, to: &out)
    }

    private static func width(of values: [Int64]) -> Int {
        Packing.width(of: UInt64(bitPattern: (values.max() ?? 0) &- (values.min() ?? 0)))
    }

    private static func append(stream values: [Int64], of rows: [UInt16], to out: inout ByteWriter)
    {
        let dense = rows.count >= Tuning.denseRows
        let base = values.min() ?? 0
        var slots = [UInt64](repeating: 0, count: dense ? Block.rows : rows.count)
        for (rank, value) in values.enumerated() {
            slots[dense ? Int(rows[rank]) : rank] = UInt64(bitPattern: value &- base)
        }
        SlicedStream.append(slots, width: width(of: values), to: &out.bytes)
        out.align(to: 8)
    }
}
