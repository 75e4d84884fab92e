/// A name that an event has, or none. Parts store zero for none, else the dictionary's code plus
/// one.
@usableFromInline package struct NameCode: RawRepresentable, Hashable, Comparable, Sendable {
    /// As parts store it.
    @usableFromInline package let rawValue: UInt32

    @inlinable package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The name of a code; there are fewer codes than numbers.
    @inlinable package init(_ code: UInt32) { rawValue = code &+ 1 }

    /// No name; comes first.
    @usableFromInline package static let none = NameCode(rawValue: 0)

    /// The dictionary's code; nil for none.
    @inlinable package var code: UInt32? { self == .none ? nil : rawValue - 1 }

    @inlinable package static func < (a: NameCode, b: NameCode) -> Bool { a.rawValue < b.rawValue }
}
