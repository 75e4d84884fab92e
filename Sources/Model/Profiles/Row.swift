/// Rows and blocks: a profile has one dense row number for life, and rows are grouped in blocks,
/// the unit of storage, evaluation and parallelism.
public enum Block {
    /// Rows of a block: a row within its block fits 16 bits, and a set of them is 8 KiB.
    public static let rows = 65_536
    /// 64-bit words of a block's bitset.
    public static let words = rows / 64

    /// How many blocks hold that many rows.
    public static func count(rows: Int) -> Int { (rows + Block.rows - 1) / Block.rows }

    /// Blocks that 2³² rows take: none has a number from here on.
    public static let maximum = 65_536
}

/// The number of a block. Parts store it in 32 bits, so a damaged one may say more than
/// `Block.maximum`.
@usableFromInline package struct BlockIndex: RawRepresentable, Hashable, Comparable, Sendable {
    @usableFromInline package let rawValue: UInt32

    @inlinable package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// - Parameter number: of a block that is there, from 0 on.
    @inlinable package init(_ number: Int) { rawValue = UInt32(clamping: number) }

    /// For arrays with a place for each block.
    @inlinable package var number: Int { Int(rawValue) }

    @inlinable package static func < (a: BlockIndex, b: BlockIndex) -> Bool {
        a.rawValue < b.rawValue
    }
}

/// A profile's place in the store.
@usableFromInline package struct Row: RawRepresentable, Hashable, Comparable, Sendable {
    /// As parts and lists of rows keep it.
    @usableFromInline package let rawValue: UInt32

    @inlinable package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The row of a block; of a block that cannot be, some row.
    @inlinable package init(_ block: BlockIndex, _ inBlock: UInt16) {
        rawValue = block.rawValue << 16 | UInt32(inBlock)
    }

    @inlinable package var block: BlockIndex { BlockIndex(rawValue: rawValue >> 16) }

    /// Which of its block's rows it is.
    @inlinable package var inBlock: UInt16 { UInt16(truncatingIfNeeded: rawValue) }

    @inlinable package static func < (a: Row, b: Row) -> Bool { a.rawValue < b.rawValue }
}
