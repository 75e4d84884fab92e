import WinnowColumns
import WinnowFormat
import WinnowModel

/// A column that a kind of input may have.
struct InputColumn: Sendable {
    let name: [UInt8]
    let content: Content
    /// Whether a row cannot be without it.
    var isRequired = false

    enum Content: Sendable {
        /// Ids, which are never empty.
        case id
        /// Strings, which may be empty.
        case text
        /// Sets, which may be empty, too.
        case set
        /// What no empty cell can be.
        case other
    }

    init(_ name: String, _ content: Content, isRequired: Bool = false) {
        self.name = Array(name.utf8)
        self.content = content
        self.isRequired = isRequired
    }
}

/// The columns that a kind of input may have, and what becomes of others.
struct ColumnNames: Sendable {
    let columns: [InputColumn]
    /// Columns of which a row needs just one.
    let alternatives: [[UInt8]]
    let ignoresUnknown: Bool
    private let ignoresSimilar: Bool
    private let index: StringInterner
    private let renames: [[UInt8]: [UInt8]]
    /// Names by what is left of them without case, blanks and punctuation.
    private let similar: [[UInt8]: Int]

    /// Up to so many, comparing one after the other is faster than hashing.
    private static let few = 12

    init(_ columns: [InputColumn], alternatives: [String] = [], _ options: LoadOptions) {
        self.columns = columns
        self.alternatives = alternatives.map { Array($0.utf8) }
        ignoresUnknown = options.ignoresUnknownColumns
        ignoresSimilar = options.ignoresSimilarColumns
        var index = StringInterner(first: 0)
        for column in columns { _ = unsafe column.name.withUnsafeBytes { unsafe index.intern($0) } }
        self.index = index
        renames = Dictionary(
            options.renames.map { (Array($0.key.utf8), Array($0.value.utf8)) },
            uniquingKeysWith: { first, _ in first })
        similar = Dictionary(
            columns.enumerated().map { (ColumnNames.core($0.element.name[...]), $0.offset) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The column of a name of the input.
    func index(of name: UnsafeRawBufferPointer) -> Int? {
        guard !renames.isEmpty, let other = unsafe renames[Array(name)] else {
            return unsafe find(name)
        }
        return unsafe other.withUnsafeBytes { unsafe find($0) }
    }

    private func find(_ name: UnsafeRawBufferPointer) -> Int? {
        if columns.count <= ColumnNames.few {
            return columns.firstIndex { unsafe name.holds($0.name) }
        }
        return unsafe index.find(name, hash: stringHash(name)).map(Int.init)
    }

    /// The known column that a name is but for case, blanks or punctuation, where that is an error.
    func similarColumn(to name: [UInt8]) -> String? {
        guard !ignoresSimilar else { return nil }
        return similar[ColumnNames.core(name[...])].map(text)
    }

    private static func core(_ name: ArraySlice<UInt8>) -> [UInt8] {
        name.compactMap { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                0x80...0xFF:
                byte
            default: nil
            }
        }
    }

    func text(_ column: Int) -> String { String(decoding: columns[column].name, as: UTF8.self) }

    /// For messages: the names, of very many the first.
    var listed: String {
        let shown = columns.prefix(50).map { String(decoding: $0.name, as: UTF8.self) }
        return shown.joined(separator: ", ") + (columns.count > shown.count ? ", …" : "")
    }
}
