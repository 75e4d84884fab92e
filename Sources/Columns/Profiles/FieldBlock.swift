import WinnowBitmaps
import WinnowFormat
import WinnowModel

/// One field in one block of one part.
package struct FieldBlock {
    /// The rows that the part speaks about.
    package let touched: Container
    package let column: Column
    /// Bytes of all of it.
    package let byteCount: Int

    package enum Column {
        case sliced(SlicedBlock)
        case texts(TextBlock)
        case sets(SetBlock)
    }

    init(_ bytes: UnsafeRawBufferPointer, _ encoding: ProfilePart.Encoding, in part: PartFile)
        throws(WinnowError)
    {
        byteCount = bytes.count
        var reader = unsafe ByteReader(bytes, of: part.path, "field block")
        touched = try FieldBlock.container(&reader)
        switch encoding {
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
        let container = unsafe Container(
            kind: kind, count: count, bytes: bytes.baseAddress ?? FieldBlock.nowhere)
        guard container.isSound else {
            throw reader.damage("a container has other rows than it says")
        }
        return container
    }

    private nonisolated(unsafe) static let nowhere = UnsafeRawPointer(
        UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64))

    static func append(container rows: [UInt16], to out: inout ByteWriter) {
        var bytes: [UInt8] = []
        let kind = unsafe rows.withUnsafeBufferPointer {
            unsafe ContainerEncoder.append($0, to: &bytes)
        }
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
        guard texts.count == members.count else {
            throw reader.damage("texts and rows do not match")
        }
    }

    /// Calls `body` with the rank and bytes of every string of the frames that `wanted` asks for.
    package func forEach(
        wanted: (Range<Int>) -> Bool = { _ in true }, _ body: (Int, UnsafeRawBufferPointer) -> Void
    ) throws(WinnowError) { try unsafe texts.forEach(wanted: wanted, body) }

    /// The same for the strings in which one of some parts, none of them empty, occurs.
    package func search(
        _ parts: [[UInt8]], wanted: (Range<Int>) -> Bool,
        _ body: (Int, UnsafeRawBufferPointer) -> Void
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
            let bytes = unsafe containers.slice(
                start, Container.byteCount(kind, count: Int(counts[i])))
        else { throw .damaged(file: file, what: "a set's rows are outside") }
        let rows = unsafe Container(
            kind: kind, count: Int(counts[i]), bytes: bytes.baseAddress ?? SetBlock.nowhere)
        guard rows.isSound else {
            throw .damaged(file: file, what: "a set has other rows than it says")
        }
        return (Int(codes[i]), rows)
    }

    private nonisolated(unsafe) static let nowhere = UnsafeRawPointer(
        UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64))

    /// The rows that have a value, by its dictionary code; nil when none has it. Complexity: O(log
    /// values).
    package func rows(ofCode code: Int) throws(WinnowError) -> Container? {
        let i = codes.lowerBound(Int64(code))
        guard i < values, codes[i] == Int64(code) else { return nil }
        return try value(i).rows
    }

    /// Adds the rows that have some value to a set. Complexity: O(values of all rows).
    package func unite(into out: BlockSet) throws(WinnowError) {
        for i in 0..<values { try value(i).rows.union(into: out) }
    }

    static func append(rows: [UInt16], sets: [[Int]], to out: inout ByteWriter) {
        FieldBlock.append(container: rows, to: &out)
        var postings: [Int: [UInt16]] = [:]
        for (rank, set) in sets.enumerated() {
            for code in set { postings[code, default: []].append(rows[rank]) }
        }
        let codes = postings.keys.sorted()
        var containers = ByteWriter()
        var ends: [Int64] = []
        var kinds: [Int64] = []
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
