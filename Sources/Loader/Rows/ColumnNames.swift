import WinnowColumns

/// The columns that a kind of input may have.
struct ColumnNames: Sendable {
    let names: [[UInt8]]
    let ignoresUnknown: Bool
    private let index: StringInterner

    /// Up to so many, comparing one after the other is faster than hashing.
    private static let few = 12

    init(names: [[UInt8]], ignoresUnknown: Bool) {
        self.names = names
        self.ignoresUnknown = ignoresUnknown
        var index = StringInterner(first: 0)
        for name in names { _ = unsafe name.withUnsafeBytes { unsafe index.intern($0) } }
        self.index = index
    }

    func index(of name: UnsafeRawBufferPointer) -> Int? {
        if names.count <= ColumnNames.few {
            return names.firstIndex { unsafe $0.elementsEqual(name) }
        }
        return unsafe index.find(name, hash: stringHash(name)).map(Int.init)
    }

    func text(_ column: Int) -> String { String(decoding: names[column], as: UTF8.self) }

    /// For messages: the names, of very many the first.
    var listed: String {
        let shown = names.prefix(50).map { String(decoding: $0, as: UTF8.self) }
        return shown.joined(separator: ", ") + (names.count > shown.count ? ", …" : "")
    }
}
