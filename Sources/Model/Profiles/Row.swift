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
