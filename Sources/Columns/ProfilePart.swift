import Bitmaps
import Format
import Model

/// Field values of some rows. Later parts overlay earlier ones: per field a part leaves a row untouched, clears it, or
/// sets it.
///
///     fields      = fields:u32 (name form:u8 dictionary:u64 size:u64 blocks:u32 firstBlock:u32) …
///     fieldBlocks = (block:u32 0:u32 offset:u64 length:u64) …             ascending by block within each field
///     fieldValues = dictionaries and blocks, each at a multiple of 8
///     dictionary  = ends text                        packed column; distinct strings, ascending by bytes
///     block       = touched column
///     touched     = kind:u8 0:u8×3 count:u32 container padded to 8       the rows that the part speaks about
///     column      = sliced block of numbers, or of dictionary codes (forms `numbers`, `codes`)
///                 | members texts                                        form `texts`
///                 | members values:u32 0:u32 size:u64 containers codes ends kinds counts   form `sets`: rows per
///                   value; `size` is that of the containers, each at a multiple of 8, and `ends` where each ends
package final class ProfilePart: Sendable {
    package enum Form: UInt8, Sendable { case numbers = 1, codes, texts, sets }

    package struct FieldIndex: Sendable {
        package let form: Form
        fileprivate let dictionary, dictionarySize, blocks, firstBlock: Int
    }

    package let file: PartFile
    /// By name; names differ by bytes, so a dictionary of strings will not do.
    private let fields: [(name: String, index: FieldIndex)]

    package init(_ file: PartFile) throws(WinnowError) {
        self.file = file
        var reader = try file.reader(.fields), fields: [(name: String, index: FieldIndex)] = []
        for _ in 0..<(try reader.take(UInt32.self)) {
            let name = try reader.takeText()
            guard let form = Form(rawValue: try reader.take(UInt8.self)) else {
                throw reader.damage("a column of unknown form")
            }
            let index = FieldIndex(
                form: form, dictionary: Int(clamping: try reader.take(UInt64.self)),
                dictionarySize: Int(clamping: try reader.take(UInt64.self)),
                blocks: Int(try reader.take(UInt32.self)), firstBlock: Int(try reader.take(UInt32.self)))
            fields.append((name, index))
        }
        self.fields = fields
    }

    var fieldNames: [String] { fields.map(\.name) }

    /// Where a field's values are, nil when the part says nothing about it. Complexity: O(fields).
    package func field(_ name: String) -> FieldIndex? { fields.first { sameBytes($0.name, name) }?.index }

    package func dictionary(_ index: FieldIndex) throws(WinnowError) -> FieldDictionary {
        let bytes = try unsafe file.bytes(.fieldValues, index.dictionary, index.dictionarySize)
        return try unsafe FieldDictionary(ByteReader(bytes, of: file.path, "field dictionary"))
    }

    /// The values of a block, nil when the part says nothing about it. Complexity: O(log blocks).
    package func block(_ index: FieldIndex, _ block: Int) throws(WinnowError) -> FieldBlock? {
        guard let found = try find(index, block) else { return nil }
        let bytes = try unsafe file.bytes(.fieldValues, found.offset, found.length)
        return unsafe try FieldBlock(bytes, index.form, in: file)
    }

    private func find(_ index: FieldIndex, _ block: Int) throws(WinnowError) -> (offset: Int, length: Int)? {
        // Most fields have values in every block; then the entry stands at its own number.
        if block < index.blocks {
            let direct = try entry(index, block)
            if direct.block == block { return (direct.offset, direct.length) }
        }
        let low = try firstNotBelow(0..<index.blocks) { (i) throws(WinnowError) in try entry(index, i).block < block }
        guard low < index.blocks else { return nil }
        let found = try entry(index, low)
        return found.block == block ? (found.offset, found.length) : nil
    }

    package func blocks(_ index: FieldIndex) throws(WinnowError) -> [Int] {
        var result: [Int] = []
        for i in 0..<index.blocks { result.append(try entry(index, i).block) }
        return result
    }

    private func entry(_ index: FieldIndex, _ i: Int) throws(WinnowError) -> (block: Int, offset: Int, length: Int) {
        var reader = unsafe ByteReader(
            try file.bytes(.fieldBlocks, (index.firstBlock + i) * 24, 24), of: file.path, "field blocks")
        let block = Int(try reader.take(UInt32.self))
        _ = try reader.take(UInt32.self)
        return (block, Int(clamping: try reader.take(UInt64.self)), Int(clamping: try reader.take(UInt64.self)))
    }
}

/// The distinct strings of a field in one part, ascending by bytes, so that a prefix is a range of codes.
@safe package struct FieldDictionary: @unchecked Sendable {
    private let ends: PackedColumn
    private let text: UnsafeRawBufferPointer
    package var count: Int { ends.count }

    init(_ source: ByteReader) throws(WinnowError) {
        var reader = source
        ends = try PackedColumn(&reader)
        unsafe text = unsafe reader.rest
        // Strings are distinct, so at most one is empty.
        guard unsafe ends.count <= text.count + 1 else { throw reader.damage("more strings than there can be") }
    }

    package subscript(code: Int) -> UnsafeRawBufferPointer {
        let start = code == 0 ? 0 : Int(ends[code - 1])
        return unsafe text.slice(start, Int(ends[code]) &- start) ?? UnsafeRawBufferPointer(start: nil, count: 0)
    }
}

/// One field in one block of one part.
package struct FieldBlock {
    /// The rows that the part speaks about.
    package let touched: Container
    package let column: Column

    package enum Column {
        case sliced(SlicedBlock)
        case texts(TextBlock)
        case sets(SetBlock)
    }

    init(_ bytes: UnsafeRawBufferPointer, _ form: ProfilePart.Form, in part: PartFile) throws(WinnowError) {
        var reader = unsafe ByteReader(bytes, of: part.path, "field block")
        touched = try FieldBlock.container(&reader)
        switch form {
        case .numbers, .codes: column = unsafe .sliced(try SlicedBlock(reader.rest, part.checks))
        case .texts: column = .texts(try TextBlock(reader, in: part))
        case .sets: column = .sets(try SetBlock(reader, of: part.path))
        }
    }

    static func container(_ reader: inout ByteReader) throws(WinnowError) -> Container {
        let kind = Container.Kind(rawValue: try reader.take(UInt8.self))
        _ = try unsafe reader.take(bytes: 3)
        let count = Int(try reader.take(UInt32.self))
        guard let kind, Container.isPossible(kind, count: count) else {
            throw reader.damage("an impossible container")
        }
        let size = (Container.byteCount(kind, count: count) + 7) / 8 * 8
        let bytes = try unsafe reader.take(bytes: size)
        let container = unsafe Container(kind: kind, count: count, bytes: bytes.baseAddress ?? FieldBlock.nowhere)
        guard container.isSound else { throw reader.damage("a container has other rows than it says") }
        return container
    }

    private nonisolated(unsafe) static let nowhere = UnsafeRawPointer(
        UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64))

    static func append(container rows: [UInt16], to out: inout ByteWriter) {
        var bytes: [UInt8] = []
        let kind = unsafe rows.withUnsafeBufferPointer { unsafe ContainerEncoder.append($0, to: &bytes) }
        out.put(kind.rawValue)
        for _ in 0..<3 { out.put(UInt8(0)) }
        out.put(UInt32(rows.count))
        out.bytes.append(contentsOf: bytes)
        out.align(to: 8)
    }

    /// The rows that have a value.
    package var members: Container {
        switch column {
        case .sliced(let block): block.members
        case .texts(let block): block.members
        case .sets(let block): block.members
        }
    }
}

/// Strings of a block that hardly repeat, in the order of the rows.
///
///     members texts                                          as in `TextFrames`
package struct TextBlock {
    package let members: Container
    private let texts: TextFrames

    init(_ source: ByteReader, in part: PartFile) throws(WinnowError) {
        var reader = source
        members = try FieldBlock.container(&reader)
        texts = try TextFrames(&reader, in: part)
        guard texts.count == members.count else { throw reader.damage("texts and rows do not match") }
    }

    /// Calls `body` with the rank and bytes of every string of the frames that `wanted` asks for.
    package func forEach(
        wanted: (Range<Int>) -> Bool = { _ in true }, _ body: (Int, UnsafeRawBufferPointer) -> Void
    ) throws(WinnowError) { try unsafe texts.forEach(wanted: wanted, body) }

    /// The same for the strings in which one of some parts, none of them empty, occurs.
    package func search(
        _ parts: [[UInt8]], wanted: (Range<Int>) -> Bool, _ body: (Int, UnsafeRawBufferPointer) -> Void
    ) throws(WinnowError) { try unsafe texts.search(parts, wanted: wanted, body) }
}

/// Sets of strings of a block, inverted: for each value the rows that have it.
@safe package struct SetBlock {
    package let members: Container
    package let values: Int
    private let codes: PackedColumn
    private let ends: PackedColumn
    private let kinds, counts: PackedColumn
    private let containers: UnsafeRawBufferPointer
    private let file: String

    init(_ source: ByteReader, of file: String) throws(WinnowError) {
        var reader = source
        self.file = file
        members = try FieldBlock.container(&reader)
        values = Int(try reader.take(UInt32.self))
        _ = try reader.take(UInt32.self)
        let size = Int(clamping: try reader.take(UInt64.self))
        unsafe containers = try unsafe reader.take(bytes: size)
        codes = try PackedColumn(&reader)
        ends = try PackedColumn(&reader)
        kinds = try PackedColumn(&reader)
        counts = try PackedColumn(&reader)
        guard [codes, ends, kinds, counts].allSatisfy({ $0.count == values }) else {
            throw reader.damage("columns of different length")
        }
        // Codes are distinct, so that a column without bytes has no more than one.
        guard codes.width >= 32 || values <= 1 << codes.width else {
            throw reader.damage("more values than there can be")
        }
    }

    /// The i-th value that occurs: its dictionary code and rows.
    package func value(_ i: Int) throws(WinnowError) -> (code: Int, rows: Container) {
        let start = i == 0 ? 0 : (Int(ends[i - 1]) &+ 7) / 8 * 8
        guard let kind = Container.Kind(rawValue: UInt8(clamping: kinds[i])),
            Container.isPossible(kind, count: Int(counts[i])), codes[i] >= 0,
            let bytes = unsafe containers.slice(start, Container.byteCount(kind, count: Int(counts[i])))
        else { throw .damaged(file: file, what: "a set's rows lie outside") }
        let rows = unsafe Container(kind: kind, count: Int(counts[i]), bytes: bytes.baseAddress ?? SetBlock.nowhere)
        guard rows.isSound else { throw .damaged(file: file, what: "a set has other rows than it says") }
        return (Int(codes[i]), rows)
    }

    private nonisolated(unsafe) static let nowhere = UnsafeRawPointer(
        UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64))

    /// The rows that have a value, by its dictionary code; nil when none has it. Complexity: O(log values).
    package func rows(ofCode code: Int) throws(WinnowError) -> Container? {
        let i = codes.lowerBound(Int64(code))
        guard i < values, codes[i] == Int64(code) else { return nil }
        return try value(i).rows
    }

    static func append(rows: [UInt16], sets: [[Int]], to out: inout ByteWriter) {
        FieldBlock.append(container: rows, to: &out)
        var postings: [Int: [UInt16]] = [:]
        for (rank, set) in sets.enumerated() { for code in set { postings[code, default: []].append(rows[rank]) } }
        let codes = postings.keys.sorted()
        var containers = ByteWriter(), ends: [Int64] = [], kinds: [Int64] = []
        for code in codes {
            containers.align(to: 8)
            let kind = unsafe (postings[code] ?? []).withUnsafeBufferPointer {
                unsafe ContainerEncoder.append($0, to: &containers.bytes)
            }
            kinds.append(Int64(kind.rawValue))
            ends.append(Int64(containers.bytes.count))
        }
        containers.align(to: 8)
        out.put(UInt32(codes.count))
        out.put(UInt32(0))
        out.put(UInt64(containers.bytes.count))
        out.bytes.append(contentsOf: containers.bytes)
        PackedColumn.append(codes.map(Int64.init), to: &out)
        PackedColumn.append(ends, to: &out)
        PackedColumn.append(kinds, to: &out)
        PackedColumn.append(codes.map { Int64(postings[$0]?.count ?? 0) }, to: &out)
    }
}
