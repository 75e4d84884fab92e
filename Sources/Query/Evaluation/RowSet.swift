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
