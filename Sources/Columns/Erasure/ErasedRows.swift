import WinnowBitmaps
import WinnowFormat
import WinnowModel

/// The rows of erased profiles, for all time: a row is never given again. Their values stay in
/// other parts until a compaction purges them; `purged` says of how many rows that is done, and all
/// that were erased by then are purged together. A store has at most one part of this kind, which
/// each erasure replaces.
///
///     erased = purged:u64 blocks:u32 0:u32 (block:u32 0:u32 container as in `FieldBlock`) …      ascending by block
@safe package final class ErasedRows: Sendable {
    package let count: Int
    package let purged: Int
    /// A bit per row, whole blocks of them, and how many rows that is.
    nonisolated(unsafe) let bits: UnsafeMutablePointer<UInt64>
    let capacity: Int

    private init(bits: UnsafeMutablePointer<UInt64>, capacity: Int, purged: Int) {
        unsafe self.bits = unsafe bits
        self.capacity = capacity
        self.purged = purged
        var count = 0
        for i in 0..<capacity / 64 { unsafe count += bits[i].nonzeroBitCount }
        self.count = count
    }

    deinit { unsafe bits.deallocate() }

    /// Whether nothing of any of the rows is in the store's files any more.
    package var isPurged: Bool { purged == count }

    package func contains(_ row: Row) -> Bool {
        let row = Int(row.rawValue)
        return unsafe row < capacity && bits[row >> 6] >> UInt64(row & 63) & 1 == 1
    }

    /// The erased rows of a block; nil when there are none.
    package func block(_ block: BlockIndex) -> BlockSet? {
        let number = block.number
        guard number < capacity / Block.rows else { return nil }
        let set = unsafe BlockSet(bits: bits + number * BlockSet.words)
        return set.isEmpty ? nil : set
    }

    private static func empty(rows: Int) -> (bits: UnsafeMutablePointer<UInt64>, capacity: Int) {
        let blocks = Block.count(rows: rows)
        let bits = UnsafeMutablePointer<UInt64>.allocate(capacity: blocks * BlockSet.words + 1)
        unsafe bits.initialize(repeating: 0, count: blocks * BlockSet.words + 1)
        return unsafe (bits, blocks * Block.rows)
    }

    /// - Parameter rows: how many rows the store has.
    package convenience init(_ file: PartFile, rows: Int) throws(WinnowError) {
        // The bytes are there for as long as the mapping is.
        defer { withExtendedLifetime(file) {} }
        var reader = try file.reader(.erased)
        let purged = Int(clamping: try reader.take(UInt64.self))
        let blocks = try reader.take(UInt32.self)
        _ = try reader.take(UInt32.self)
        let (bits, capacity) = unsafe ErasedRows.empty(rows: rows)
        do throws(WinnowError) {
            var last = -1
            for _ in 0..<blocks {
                let block = Int(try reader.take(UInt32.self))
                _ = try reader.take(UInt32.self)
                let container = try FieldBlock.container(&reader)
                guard block > last, block < capacity / Block.rows else {
                    throw reader.damage("an impossible block")
                }
                unsafe container.copy(into: BlockSet(bits: bits + block * BlockSet.words))
                last = block
            }
        } catch {
            unsafe bits.deallocate()
            throw error
        }
        unsafe self.init(bits: bits, capacity: capacity, purged: purged)
        let beyond = (rows..<capacity).contains { contains(Row(rawValue: UInt32($0))) }
        guard !beyond, purged <= count else {
            throw reader.damage("rows that the store does not have")
        }
    }

    /// The rows of `older` and some more.
    package convenience init(_ older: ErasedRows?, adding added: [Row], rows: Int) {
        let (bits, capacity) = unsafe ErasedRows.empty(rows: rows)
        if let older {
            unsafe bits.update(from: older.bits, count: min(older.capacity, capacity) / 64)
        }
        for row in added.lazy.map({ Int($0.rawValue) }) where row < capacity {
            unsafe bits[row >> 6] |= 1 << UInt64(row & 63)
        }
        unsafe self.init(bits: bits, capacity: capacity, purged: older?.purged ?? 0)
    }

    /// - Parameter purged: whether nothing of the rows will be in the store's files.
    package func write(purged all: Bool, to part: PartWriter) throws(WinnowError) -> PartReference {
        var out = ByteWriter()
        var blocks = ByteWriter()
        var blockCount: UInt32 = 0
        for number in 0..<capacity / Block.rows {
            guard let set = block(BlockIndex(number)) else { continue }
            var rows: [UInt16] = []
            set.forEach { rows.append(UInt16($0)) }
            blocks.put(UInt32(number))
            blocks.put(UInt32(0))
            FieldBlock.append(container: rows, to: &blocks)
            blockCount += 1
        }
        out.put(UInt64(all ? count : purged))
        out.put(blockCount)
        out.put(UInt32(0))
        try part.begin(.erased)
        try part.append(out.bytes + blocks.bytes)
        return try part.finish()
    }
}
