import WinnowModel

/// Which campaigns, or templates, have a tag or an attribute, in all parts of a catalogue.
package struct CatalogueIndex: Sendable {
    /// Oldest first; an object in a later part replaces the one in an earlier.
    private let tables: [SelectorTable]

    package init(_ tables: [SelectorTable]) { self.tables = tables }

    /// The codes of the objects that have a tag, distinct, ascending.
    package func withTag(_ tag: String) throws(WinnowError) -> [UInt32] {
        try codes(of: SelectorTable.Term(tag: Array(tag.utf8)))
    }

    package func with(attribute key: String, _ value: String) throws(WinnowError) -> [UInt32] {
        try codes(
            of: SelectorTable.Term(
                CatalogueObject.Attribute(key: Array(key.utf8), value: Array(value.utf8))))
    }

    private func codes(of term: SelectorTable.Term) throws(WinnowError) -> [UInt32] {
        var codes: [UInt32] = []
        for (i, table) in tables.enumerated() {
            let newer = tables[(i + 1)...]
            codes += try table.codes(of: term).filter { code in
                !newer.contains { $0.contains(code) }
            }
        }
        return tables.count < 2 ? codes : codes.sortedDistinct()
    }
}
