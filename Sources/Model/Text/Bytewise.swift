/// Whether two strings have the same bytes; Swift's `==` would call canonically equivalent ones
/// equal.
public func sameBytes(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }

/// Text of a value that is compared byte by byte, as all text in Winnow is. A type whose text is
/// wrapped so can have its `==` and `hash` synthesised.
@propertyWrapper
public struct Bytewise<Value: BytewiseComparable & Sendable>: Hashable, Sendable {
    /// The text itself.
    public var wrappedValue: Value

    /// Wraps some text.
    public init(wrappedValue: Value) { self.wrappedValue = wrappedValue }

    /// Whether both have the same bytes.
    public static func == (a: Bytewise, b: Bytewise) -> Bool {
        a.wrappedValue.hasSameBytes(as: b.wrappedValue)
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) { wrappedValue.hashBytes(into: &hasher) }
}

/// Text, a list of texts, or perhaps one.
public protocol BytewiseComparable {
    /// Whether both have the same bytes.
    func hasSameBytes(as other: Self) -> Bool
    /// Hashes the bytes: values with the same bytes have the same hash.
    func hashBytes(into hasher: inout Hasher)
}

extension String: BytewiseComparable {
    /// Whether both have the same bytes.
    public func hasSameBytes(as other: String) -> Bool { sameBytes(self, other) }

    /// Hashes the bytes.
    public func hashBytes(into hasher: inout Hasher) {
        var text = self
        text.withUTF8 { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(utf8.count)
    }
}

extension Array: BytewiseComparable where Element: BytewiseComparable {
    /// Whether both have the same bytes.
    public func hasSameBytes(as other: [Element]) -> Bool {
        count == other.count && zip(self, other).allSatisfy { $0.hasSameBytes(as: $1) }
    }

    /// Hashes the bytes.
    public func hashBytes(into hasher: inout Hasher) {
        for element in self { element.hashBytes(into: &hasher) }
        hasher.combine(count)
    }
}

extension Optional: BytewiseComparable where Wrapped: BytewiseComparable {
    /// Whether both have the same bytes.
    public func hasSameBytes(as other: Wrapped?) -> Bool {
        guard let self, let other else { return self == nil && other == nil }
        return self.hasSameBytes(as: other)
    }

    /// Hashes the bytes.
    public func hashBytes(into hasher: inout Hasher) {
        hasher.combine(self != nil)
        self?.hashBytes(into: &hasher)
    }
}
