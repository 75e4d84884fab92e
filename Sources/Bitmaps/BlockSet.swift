import WinnowCKernels

/// A set of rows of one block, as 8 KiB of bits in memory of its own: the currency of evaluation. A
/// set is scratch: it is allocated once per thread and level, and overwritten block after block.
@safe package struct BlockSet: @unchecked Sendable {
    package static let words = 1024
    package static let rows = 65_536

    package let bits: UnsafeMutablePointer<UInt64>

    /// Uninitialised; the owner frees it. Aligned for the widest vectors.
    package static func allocate() -> BlockSet {
        let raw = UnsafeMutableRawPointer.allocate(byteCount: words * 8, alignment: 64)
        return unsafe BlockSet(bits: raw.bindMemory(to: UInt64.self, capacity: words))
    }

    package init(bits: UnsafeMutablePointer<UInt64>) { unsafe self.bits = unsafe bits }

    package func deallocate() { unsafe UnsafeMutableRawPointer(bits).deallocate() }

    package func clear() { unsafe bits.update(repeating: 0, count: BlockSet.words) }

    /// The rows 0 ..< n.
    package func fill(first n: Int) {
        clear()
        let full = n / 64
        unsafe bits.update(repeating: ~0, count: full)
        if n % 64 != 0 { unsafe bits[full] = (1 << UInt64(n % 64)) - 1 }
    }

    package func copy(from other: BlockSet) {
        unsafe bits.update(from: other.bits, count: BlockSet.words)
    }
    package func formIntersection(_ other: BlockSet) {
        unsafe kernels.and_into(bits, other.bits, BlockSet.words)
    }
    package func formUnion(_ other: BlockSet) {
        unsafe kernels.or_into(bits, other.bits, BlockSet.words)
    }
    package func subtract(_ other: BlockSet) {
        unsafe kernels.andnot_into(bits, other.bits, BlockSet.words)
    }
    /// Becomes `universe` without itself.
    package func complement(in universe: BlockSet) {
        unsafe kernels.not_within(bits, universe.bits, BlockSet.words)
    }
    package var count: Int { unsafe kernels.popcount(bits, BlockSet.words) }
    /// How many rows are in both.
    package func count(with other: BlockSet) -> Int {
        unsafe kernels.popcount_both(bits, other.bits, BlockSet.words)
    }
    package func contains(_ row: Int) -> Bool { unsafe bits[row >> 6] >> UInt64(row & 63) & 1 == 1 }
    package func insert(_ row: Int) { unsafe bits[row >> 6] |= 1 << UInt64(row & 63) }

    /// Calls `body` with each row, ascending.
    package func forEach(_ body: (Int) -> Void) {
        for word in 0..<BlockSet.words {
            var rest = unsafe bits[word]
            while rest != 0 {
                body(word * 64 + rest.trailingZeroBitCount)
                rest &= rest - 1
            }
        }
    }

    /// Keeps the rows that pass.
    package func filter(_ passes: (Int) -> Bool) {
        for word in 0..<BlockSet.words {
            var rest = unsafe bits[word]
            while rest != 0 {
                if !passes(word * 64 + rest.trailingZeroBitCount) {
                    unsafe bits[word] &= ~(rest & ~(rest - 1))
                }
                rest &= rest - 1
            }
        }
    }

    package var isEmpty: Bool {
        for i in 0..<BlockSet.words where unsafe bits[i] != 0 { return false }
        return true
    }
}

/// The kernel table in use; read where it is, since a copy would take longer than many a kernel.
package var kernels: ck_table {
    unsafeAddress { unsafe ck_kernels() }
}
