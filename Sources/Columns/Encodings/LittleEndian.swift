extension UnsafeRawBufferPointer {
    /// A little-endian number that the caller knows to be inside.
    func number<T: FixedWidthInteger>(_ offset: Int, _: T.Type) -> T {
        unsafe T(littleEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
    }
}
