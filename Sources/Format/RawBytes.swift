import WinnowCKernels

extension UnsafeRawBufferPointer {
    /// Whether these are the bytes of an array.
    package func holds(_ other: [UInt8]) -> Bool {
        unsafe other.withUnsafeBytes { unsafe holds($0) }
    }

    /// Whether these are the bytes of a slice.
    package func holds(_ other: ArraySlice<UInt8>) -> Bool {
        unsafe other.withUnsafeBytes { unsafe holds($0) }
    }

    private func holds(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        guard let a = baseAddress, let b = other.baseAddress else { return true }
        return unsafe ck_same(a, b, count)
    }

    /// Where a byte comes first from `start` on; nil where it does not.
    package func firstIndex(of byte: UInt8, from start: Int) -> Int? {
        guard start < count, let base = baseAddress else { return nil }
        let found = unsafe start + ck_find_byte(base + start, byte, count - start)
        return found < count ? found : nil
    }
}
