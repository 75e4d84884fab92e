/// Which leaf of a type it is: a place in the leaf table of one part, or of one source on its way
/// into a part. A damaged chunk may name one that the table does not have.
package struct LeafID: RawRepresentable, Hashable, Comparable, Sendable {
    /// As chunks store it.
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// - Parameter index: in a table; tables have fewer leaves than there are numbers.
    package init(_ index: Int) { rawValue = UInt32(clamping: index) }

    /// For arrays with a place for each leaf. A call from other rooms; `rawValue` is none, which
    /// matters where leaves are looked at by the thousand.
    package var index: Int { Int(rawValue) }

    package static func < (a: LeafID, b: LeafID) -> Bool { a.rawValue < b.rawValue }
}
