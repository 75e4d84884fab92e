import WinnowModel

/// Builds little-endian structures.
package struct ByteWriter {
    package var bytes: [UInt8] = []

    package init() {}

    // One method a width: a generic would not be specialised across targets and cost tens of times
    // its work.
    package mutating func put(_ value: UInt8) { bytes.append(value) }
    package mutating func put(_ value: UInt16) { append(value) }
    package mutating func put(_ value: UInt32) { append(value) }
    package mutating func put(_ value: UInt64) { append(value) }
    package mutating func put(_ value: Int64) { append(value) }

    private mutating func append<T: FixedWidthInteger>(_ value: T) {
        unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
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

/// Takes little-endian structures off the front of mapped bytes. Nothing is believed: whatever
/// would reach past the end is damage of the named file.
@safe package struct ByteReader {
    package private(set) var rest: UnsafeRawBufferPointer
    private let file: String
    private let part: String

    package init(_ bytes: UnsafeRawBufferPointer, of file: String, _ part: String) {
        unsafe rest = unsafe bytes
        self.file = file
        self.part = part
    }

    package func damage(_ what: String) -> WinnowError {
        .damaged(file: file, what: "\(part): \(what)")
    }

    package mutating func take(_: UInt8.Type) throws(WinnowError) -> UInt8 { try number() }
    package mutating func take(_: UInt16.Type) throws(WinnowError) -> UInt16 { try number() }
    package mutating func take(_: UInt32.Type) throws(WinnowError) -> UInt32 { try number() }
    package mutating func take(_: UInt64.Type) throws(WinnowError) -> UInt64 { try number() }
    package mutating func take(_: Int64.Type) throws(WinnowError) -> Int64 { try number() }

    private mutating func number<T: FixedWidthInteger>() throws(WinnowError) -> T {
        guard unsafe rest.count >= MemoryLayout<T>.size else { throw damage("it ends early") }
        let value = unsafe T(littleEndian: rest.loadUnaligned(as: T.self))
        unsafe rest = unsafe UnsafeRawBufferPointer(rebasing: rest[MemoryLayout<T>.size...])
        return value
    }

    package mutating func take(bytes count: Int) throws(WinnowError) -> UnsafeRawBufferPointer {
        guard count >= 0, unsafe rest.count >= count else { throw damage("it ends early") }
        let taken = unsafe UnsafeRawBufferPointer(rebasing: rest[..<count])
        unsafe rest = unsafe UnsafeRawBufferPointer(rebasing: rest[count...])
        return unsafe taken
    }

    /// A length (u32) and so many bytes.
    package mutating func takeString() throws(WinnowError) -> [UInt8] {
        let count = try take(UInt32.self)
        return unsafe Array(try take(bytes: Int(count)))
    }

    package mutating func takeText() throws(WinnowError) -> String {
        guard let text = String(validating: try takeString(), as: UTF8.self) else {
            throw damage("a name is not UTF-8")
        }
        return text
    }
}

extension UnsafeRawBufferPointer {
    /// The part of the bytes that a structure says is its own; nil when it would reach past the
    /// end.
    package func slice(_ offset: Int, _ count: Int) -> UnsafeRawBufferPointer? {
        guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else {
            return nil
        }
        return unsafe UnsafeRawBufferPointer(rebasing: self[offset..<offset + count])
    }
}
