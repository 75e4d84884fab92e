import WinnowBitmaps
import WinnowModel

/// Rows of a whole store, as 8 KiB of bits for each block that has any.
package struct RowSet: Sequence, Sendable {
    private var blocks: [(block: BlockIndex, words: [UInt64])] = []
    package private(set) var count = 0

    /// The sets of blocks, in any order.
    init(_ blocks: [(block: BlockIndex, words: [UInt64])]) {
        self.blocks = blocks.sorted { $0.block < $1.block }
        count = blocks.reduce(0) { $0 + $1.words.reduce(0) { $0 + $1.nonzeroBitCount } }
    }

    /// Some rows, in any order.
    package init(_ rows: [Row]) {
        var blocks: [BlockIndex: [UInt64]] = [:]
        for row in rows {
            let bit: UInt64 = 1 << UInt64(row.inBlock & 63)
            blocks[row.block, default: Array(repeating: 0, count: Block.words)][
                Int(row.inBlock >> 6)] |= bit
        }
        self.init(blocks.map { ($0.key, $0.value) })
    }

    /// The first so many of them.
    package func first(_ limit: Int) -> RowSet {
        guard limit < count else { return self }
        var left = Swift.max(0, limit)
        var some: [(block: BlockIndex, words: [UInt64])] = []
        for (block, words) in blocks where left > 0 {
            var own = words
            for word in own.indices {
                while own[word].nonzeroBitCount > left {
                    // Takes the last row of the word off.
                    own[word] &= ~(1 << UInt64(63 - own[word].leadingZeroBitCount))
                }
                left -= own[word].nonzeroBitCount
            }
            some.append((block, own))
        }
        return RowSet(some)
    }

    /// Some of the rows of one block.
    package struct Piece: Sendable {
        package let block: BlockIndex
        /// Which of the block's words they are in, and these.
        private let range: Range<Int>
        private let words: [UInt64]

        fileprivate init(_ block: BlockIndex, _ words: [UInt64], _ range: Range<Int>) {
            self.block = block
            self.words = words
            self.range = range
        }

        /// Makes a set these rows.
        package func copy(into set: BlockSet) {
            set.clear()
            for word in range { unsafe set.bits[word] = words[word] }
        }
    }

    /// The rows in order, those of a quarter of a block together.
    package var pieces: [Piece] {
        let size = Block.words / 4
        return blocks.flatMap { block, words in
            stride(from: 0, to: words.count, by: size).compactMap { start in
                let range = start..<Swift.min(start + size, words.count)
                return words[range].contains { $0 != 0 } ? Piece(block, words, range) : nil
            }
        }
    }

    /// Rows that can be asked for by their blocks.
    package struct ByBlock: Sendable {
        private let words: [BlockIndex: [UInt64]]

        fileprivate init(_ blocks: [(block: BlockIndex, words: [UInt64])]) {
            words = Dictionary(uniqueKeysWithValues: blocks)
        }

        /// Makes a set the rows of a block; false when there are none.
        package func copy(_ block: BlockIndex, into set: BlockSet) -> Bool {
            guard let words = words[block] else { return false }
            for (i, word) in words.enumerated() { unsafe set.bits[i] = word }
            return true
        }
    }

    /// The same, to be asked for by blocks.
    package var byBlock: ByBlock { ByBlock(blocks) }

    /// The blocks that have rows, in order.
    package var blockIndices: [BlockIndex] { blocks.map(\.block) }

    /// Calls `body` with each block that has rows, in order, and its words.
    package func forEachBlock(
        _ body: (BlockIndex, [UInt64]) throws(WinnowError) -> Void
    ) throws(WinnowError) {
        for (block, words) in blocks where words.contains(where: { $0 != 0 }) {
            try body(block, words)
        }
    }

    package func makeIterator() -> Iterator { Iterator(blocks: blocks) }

    package struct Iterator: IteratorProtocol {
        fileprivate let blocks: [(block: BlockIndex, words: [UInt64])]
        private var block = 0
        private var word = 0
        private var rest: UInt64 = 0

        fileprivate init(blocks: [(block: BlockIndex, words: [UInt64])]) {
            self.blocks = blocks
            rest = blocks.first?.words.first ?? 0
        }

        package mutating func next() -> Row? {
            while block < blocks.count {
                if rest != 0 {
                    let row = word * 64 + rest.trailingZeroBitCount
                    rest &= rest - 1
                    return Row(blocks[block].block, UInt16(truncatingIfNeeded: row))
                }
                word += 1
                if word == blocks[block].words.count { (block, word) = (block + 1, 0) }
                rest = block < blocks.count ? blocks[block].words[word] : 0
            }
            return nil
        }
    }
}
