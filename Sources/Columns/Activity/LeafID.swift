/// Which leaf of a type it is: a place in the leaf table of one part, or of one source on its way
/// into a part. A damaged chunk may name one that the table does not have.
@usableFromInline package struct LeafID: RawRepresentable, Hashable, Comparable, Sendable {
    /// As chunks store it.
    @usableFromInline package let rawValue: UInt32

    @inlinable package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// - Parameter index: in a table; tables have fewer leaves than there are numbers.
    @inlinable package init(_ index: Int) { rawValue = UInt32(clamping: index) }

    /// For arrays with a place for each leaf.
    @inlinable package var index: Int { Int(rawValue) }

    @inlinable package static func < (a: LeafID, b: LeafID) -> Bool { a.rawValue < b.rawValue }
}
