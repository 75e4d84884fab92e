import Model

/// Builds little-endian structures.
package struct ByteWriter {
    @usableFromInline package var bytes: [UInt8] = []

    package init() {}

    // Inlinable: a generic is not specialised across targets otherwise, which costs tens of times its work.
    @inlinable package mutating func put<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// A length (u32) and the bytes.
    package mutating func put(string: some Collection<UInt8>) {
        put(UInt32(clamping: string.count))
        bytes.append(contentsOf: string)
    }

    package mutating func align(to boundary: Int) {
        while bytes.count % boundary != 0 { bytes.append(0) }
    }
}

/// Takes little-endian structures off the front of mapped bytes. Nothing is believed: whatever would reach past the end
/// is damage of the named file.
package struct ByteReader {
    @usableFromInline package internal(set) var rest: UnsafeRawBufferPointer
    private let file: String
    private let part: String

    package init(_ bytes: UnsafeRawBufferPointer, of file: String, _ part: String) {
        rest = bytes
        self.file = file
        self.part = part
    }

    @usableFromInline package func damage(_ what: String) -> WinnowError { .damaged(file: file, what: "\(part): \(what)") }

    @inlinable package mutating func take<T: FixedWidthInteger>(_: T.Type) throws(WinnowError) -> T {
        guard rest.count >= MemoryLayout<T>.size else { throw damage("it ends early") }
        let value = T(littleEndian: rest.loadUnaligned(as: T.self))
        rest = UnsafeRawBufferPointer(rebasing: rest[MemoryLayout<T>.size...])
        return value
    }

    package mutating func take(bytes count: Int) throws(WinnowError) -> UnsafeRawBufferPointer {
        guard count >= 0, rest.count >= count else { throw damage("it ends early") }
        let taken = UnsafeRawBufferPointer(rebasing: rest[..<count])
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        return taken
    }

    /// A length (u32) and so many bytes.
    package mutating func takeString() throws(WinnowError) -> [UInt8] {
        let count = try take(UInt32.self)
        return Array(try take(bytes: Int(count)))
    }

    package mutating func takeText() throws(WinnowError) -> String {
        guard let text = String(validating: try takeString(), as: UTF8.self) else {
            throw damage("a name is not UTF-8")
        }
        return text
    }
}

extension UnsafeRawBufferPointer {
    /// The part of the bytes that a structure says is its own; nil when it would reach past the end.
    package func slice(_ offset: Int, _ count: Int) -> UnsafeRawBufferPointer? {
        guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else { return nil }
        return UnsafeRawBufferPointer(rebasing: self[offset..<offset + count])
    }
}
