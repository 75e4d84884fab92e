/// Which leaf of a type it is: a place in the leaf table of one part, or of one source on its way
/// into a part. A damaged chunk may name one that the table does not have.
package struct LeafID: RawRepresentable, Hashable, Strideable, Sendable {
    /// As chunks store it.
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// - Parameter index: in a table; tables have fewer leaves than there are numbers.
    package init(_ index: Int) { rawValue = UInt32(clamping: index) }

    /// For arrays with a place for each leaf.
    package var index: Int { Int(rawValue) }

    package func distance(to other: LeafID) -> Int { other.index - index }

    package func advanced(by n: Int) -> LeafID { LeafID(index + n) }

    package static func < (a: LeafID, b: LeafID) -> Bool { a.rawValue < b.rawValue }
}
