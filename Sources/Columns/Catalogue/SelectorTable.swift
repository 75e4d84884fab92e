import WinnowFormat
import WinnowModel

/// What selectors ask of the campaigns, or templates, of one catalogue part: which have a tag, or
/// an attribute. Stored beside the objects, so that a selector reads what it chooses and not the
/// whole catalogue.
///
///     table    = codes ends postingEnds postings text
///     codes    = packed column: the dictionary codes of the objects, ascending
///     ends     = packed column: where each term ends in `text`; terms ascend bytewise
///     postingEnds = packed column: where each term's postings end
///     postings = packed column: per term the codes of the objects that have it, ascending
///     term     = a tag: 0:u8 and its bytes; an attribute: 1:u8 length:u32 key value
package struct SelectorTable: Sendable {
    private let codes, ends, postingEnds, postings: PackedColumn
    private let text: Text
    private let file: String

    /// Bytes of a part, or in memory: the owner sees to it that they stay.
    @safe private struct Text: @unchecked Sendable {
        let bytes: UnsafeRawBufferPointer
        let owner: AnyObject
    }

    fileprivate init(
        _ bytes: UnsafeRawBufferPointer, of file: String, ownedBy owner: AnyObject
    ) throws(WinnowError) {
        var reader = unsafe ByteReader(bytes, of: file, "selectors")
        codes = try PackedColumn(&reader)
        ends = try PackedColumn(&reader)
        postingEnds = try PackedColumn(&reader)
        postings = try PackedColumn(&reader)
        text = unsafe Text(bytes: reader.rest, owner: owner)
        self.file = file
        guard ends.count == postingEnds.count, max(codes.width, postings.width) <= 32 else {
            throw reader.damage("columns of the wrong length")
        }
    }

    /// Whether an object with this code is in the part. Complexity: O(log objects).
    func contains(_ code: UInt32) -> Bool {
        let at = codes.lowerBound(Int64(code))
        return at < codes.count && codes[at] == Int64(code)
    }

    /// The codes of the objects that have a term, ascending. Complexity: O(log terms) and the codes.
    func codes(of term: Term) throws(WinnowError) -> [UInt32] {
        let at = try firstNotBelow(0..<ends.count) { (i) throws(WinnowError) in
            unsafe try self.bytes(ofTerm: i).lexicographicallyPrecedes(term.bytes)
        }
        guard at < ends.count, unsafe try bytes(ofTerm: at).elementsEqual(term.bytes) else {
            return []
        }
        let range = try range(postingEnds, at, within: postings.count)
        return unsafe [UInt32](unsafeUninitializedCapacity: range.count) { buffer, filled in
            if let base = buffer.baseAddress { unsafe postings.copy(range, into: base) }
            filled = range.count
        }
    }

    private func bytes(ofTerm i: Int) throws(WinnowError) -> UnsafeRawBufferPointer {
        let range = try unsafe range(ends, i, within: text.bytes.count)
        return unsafe UnsafeRawBufferPointer(rebasing: text.bytes[range])
    }

    /// What ends at the i-th of some ends and begins where the one before it ends.
    private func range(
        _ ends: PackedColumn, _ i: Int, within count: Int
    ) throws(WinnowError) -> Range<Int> {
        let start = i == 0 ? 0 : ends[i - 1]
        guard 0 <= start, start <= ends[i], ends[i] <= Int64(count) else {
            throw .damaged(file: file, what: "selectors: an entry leads outside")
        }
        return Int(start)..<Int(ends[i])
    }

    /// What an object can be chosen by.
    struct Term: Hashable, Comparable {
        let bytes: [UInt8]

        init(tag: [UInt8]) { bytes = [0] + tag }

        init(_ attribute: CatalogueObject.Attribute) {
            var writer = ByteWriter()
            writer.put(UInt8(1))
            writer.put(string: attribute.key)
            bytes = writer.bytes + attribute.value
        }

        static func < (a: Term, b: Term) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }
    }

    /// The table of some objects and their codes.
    fileprivate static func encoded(_ objects: [(object: CatalogueObject, code: UInt32)]) -> [UInt8]
    {
        var postings: [Term: [UInt32]] = [:]
        for (object, code) in objects {
            for tag in object.tags { postings[Term(tag: tag), default: []].append(code) }
            for attribute in object.attributes {
                postings[Term(attribute), default: []].append(code)
            }
        }
        var text: [UInt8] = []
        var ends: [Int64] = []
        var all: [Int64] = []
        var postingEnds: [Int64] = []
        for (term, codes) in postings.sorted(by: { $0.key < $1.key }) {
            text += term.bytes
            ends.append(Int64(text.count))
            all += codes.sortedDistinct().map { Int64($0) }
            postingEnds.append(Int64(all.count))
        }
        var out = ByteWriter()
        for column in [objects.map { Int64($0.code) }.sorted(), ends, postingEnds, all] {
            PackedColumn.append(column, to: &out)
        }
        return out.bytes + text
    }
}

/// Bytes that are not in a file, with the room after them that readers of packed columns ask for.
@safe private final class Memory: @unchecked Sendable {
    let bytes: UnsafeRawBufferPointer
    private let all: UnsafeMutableRawBufferPointer

    init(_ content: [UInt8]) {
        unsafe all = .allocate(byteCount: content.count + 8, alignment: 8)
        unsafe all.copyBytes(from: content)
        unsafe bytes = unsafe UnsafeRawBufferPointer(rebasing: all[..<content.count])
    }

    deinit { unsafe all.deallocate() }
}

extension CataloguePart {
    /// Writes the tables of objects, which are all of the part.
    static func appendSelectors(
        _ objects: [CatalogueObject], to part: PartWriter, _ code: CodeOfObject
    ) throws(WinnowError) {
        try part.begin(.selectors)
        try part.append(try encodedSelectors(objects, of: part.path, code))
    }

    /// The dictionary's code of an object's id.
    package typealias CodeOfObject = (CatalogueObject) throws(WinnowError) -> UInt32?

    private static func encodedSelectors(
        _ objects: [CatalogueObject], of file: String, _ code: CodeOfObject
    ) throws(WinnowError) -> [UInt8] {
        var out = ByteWriter()
        for kind in CatalogueObject.Kind.allCases {
            var own: [(object: CatalogueObject, code: UInt32)] = []
            for object in objects where object.kind == kind {
                guard let code = try code(object) else {
                    throw .damaged(file: file, what: "an object that the dictionary does not have")
                }
                own.append((object, code))
            }
            let table = SelectorTable.encoded(own)
            out.put(UInt64(table.count))
            out.bytes += table
        }
        return out.bytes
    }

    /// The table of the campaigns, or of the templates, of a part; made from the objects where an
    /// older version of the engine has written none.
    package static func selectors(
        _ file: PartFile, _ kind: CatalogueObject.Kind, _ code: CodeOfObject
    ) throws(WinnowError) -> SelectorTable {
        guard file.size(of: .selectors) == 0 else {
            return unsafe try SelectorTable(
                try table(kind, in: file.section(.selectors), file.path), of: file.path,
                ownedBy: file)
        }
        let memory = Memory(try encodedSelectors(try read(file), of: file.path, code))
        return unsafe try SelectorTable(
            try table(kind, in: memory.bytes, file.path), of: file.path,
            ownedBy: memory)
    }

    private static func table(
        _ kind: CatalogueObject.Kind, in bytes: UnsafeRawBufferPointer, _ file: String
    ) throws(WinnowError) -> UnsafeRawBufferPointer {
        var reader = unsafe ByteReader(bytes, of: file, "selectors")
        for other in CatalogueObject.Kind.allCases {
            let size = try reader.take(UInt64.self)
            let table = try unsafe reader.take(bytes: Int(clamping: size))
            if other == kind { return unsafe table }
        }
        throw reader.damage("a table is missing")
    }

    /// Checks that the stored tables say what the objects say.
    package static func verifySelectors(
        _ file: PartFile, _ objects: [CatalogueObject], _ findings: Findings, _ code: CodeOfObject
    ) throws(WinnowError) {
        guard file.size(of: .selectors) > 0 else { return }
        let expected = try encodedSelectors(objects, of: file.path, code)
        let stored = try unsafe file.section(.selectors)
        findings.expect(
            unsafe stored.elementsEqual(expected), file.path,
            "the selectors do not say what the objects say")
    }
}
