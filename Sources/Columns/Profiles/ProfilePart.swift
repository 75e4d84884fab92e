import WinnowBitmaps
import WinnowFormat
import WinnowModel

/// Field values of some rows. Later parts overlay earlier ones: per field a part leaves a row
/// untouched, clears it, or sets it.
///
///     fields      = fields:u32 (name encoding:u8 dictionary:u64 size:u64 blocks:u32 firstBlock:u32) …
///     fieldBlocks = (block:u32 0:u32 offset:u64 length:u64) …             ascending by block within each field
///     fieldValues = dictionaries and blocks, each at a multiple of 8
///     dictionary  = ends text                        packed column; distinct strings, ascending by bytes
///     block       = touched column
///     touched     = kind:u8 0:u8×3 count:u32 container padded to 8       the rows that the part speaks about
///     column      = sliced block of numbers, or of dictionary codes (encodings `numbers`, `codes`)
///                 | members texts                                        encoding `texts`
///                 | members values:u32 0:u32 size:u64 containers codes ends kinds counts   encoding `sets`: rows per
///                   value; `size` is that of the containers, each at a multiple of 8, and `ends` where each ends
package final class ProfilePart: Sendable {
    package enum Encoding: UInt8, Sendable {
        case numbers = 1, codes, texts, sets

        /// The encodings in which a type's values can be stored; texts where they hardly repeat.
        static func possible(for type: FieldType) -> [Encoding] {
            switch type.nature {
            case .text: [.codes, .texts]
            case .set: [.sets]
            case .quantity, .truth, .time: [.numbers]
            }
        }
    }

    package struct FieldIndex: Sendable {
        package let encoding: Encoding
        fileprivate let dictionary, dictionarySize, blocks, firstBlock: Int
    }

    package let file: PartFile
    /// By name; names differ by bytes, so a dictionary of strings will not do.
    private let fields: [(name: String, index: FieldIndex)]

    package init(_ file: PartFile) throws(WinnowError) {
        self.file = file
        var reader = try file.reader(.fields)
        var fields: [(name: String, index: FieldIndex)] = []
        for _ in 0..<(try reader.take(UInt32.self)) {
            let name = try reader.takeText()
            guard let encoding = Encoding(rawValue: try reader.take(UInt8.self)) else {
                throw reader.damage("a column of unknown encoding")
            }
            let index = FieldIndex(
                encoding: encoding, dictionary: Int(clamping: try reader.take(UInt64.self)),
                dictionarySize: Int(clamping: try reader.take(UInt64.self)),
                blocks: Int(try reader.take(UInt32.self)),
                firstBlock: Int(try reader.take(UInt32.self)))
            fields.append((name, index))
        }
        self.fields = fields
    }

    var fieldNames: [String] { fields.map(\.name) }

    /// Where a field's values are, nil when the part says nothing about it. Complexity: O(fields).
    package func field(_ name: String) -> FieldIndex? {
        fields.first { sameBytes($0.name, name) }?.index
    }

    package func dictionary(_ index: FieldIndex) throws(WinnowError) -> FieldDictionary {
        let bytes = try unsafe file.bytes(.fieldValues, index.dictionary, index.dictionarySize)
        return try unsafe FieldDictionary(ByteReader(bytes, of: file.path, "field dictionary"))
    }

    /// The values of a block, nil when the part says nothing about it. Complexity: O(log blocks).
    package func block(_ index: FieldIndex, _ block: BlockIndex) throws(WinnowError) -> FieldBlock?
    {
        guard let found = try find(index, block) else { return nil }
        let bytes = try unsafe file.bytes(.fieldValues, found.offset, found.length)
        return unsafe try FieldBlock(bytes, index.encoding, in: file)
    }

    private func find(_ index: FieldIndex, _ block: BlockIndex) throws(WinnowError) -> (
        offset: Int, length: Int
    )? {
        // Most fields have values in every block; then the entry is at its own number.
        let number = Int(block.rawValue)
        if number < index.blocks {
            let direct = try entry(index, number)
            if direct.block.rawValue == block.rawValue { return (direct.offset, direct.length) }
        }
        let low = try firstNotBelow(0..<index.blocks) { (i) throws(WinnowError) in
            try entry(index, i).block < block
        }
        guard low < index.blocks else { return nil }
        let found = try entry(index, low)
        return found.block == block ? (found.offset, found.length) : nil
    }

    package func blocks(_ index: FieldIndex) throws(WinnowError) -> [BlockIndex] {
        var result: [BlockIndex] = []
        for i in 0..<index.blocks { result.append(try entry(index, i).block) }
        return result
    }

    private func entry(_ index: FieldIndex, _ i: Int) throws(WinnowError) -> (
        block: BlockIndex, offset: Int, length: Int
    ) {
        var reader = unsafe ByteReader(
            try file.bytes(.fieldBlocks, (index.firstBlock + i) * 24, 24), of: file.path,
            "field blocks")
        let block = BlockIndex(rawValue: try reader.take(UInt32.self))
        _ = try reader.take(UInt32.self)
        guard block.rawValue < Block.maximum else { throw reader.damage("an impossible block") }
        return (
            block, Int(clamping: try reader.take(UInt64.self)),
            Int(clamping: try reader.take(UInt64.self))
        )
    }
}
