import WinnowBitmaps
import WinnowCKernels

extension UnsafeRawBufferPointer {
    /// Whether these are the bytes of an array.
    @inlinable package func holds(_ other: [UInt8]) -> Bool {
        unsafe other.withUnsafeBytes { unsafe holds($0) }
    }

    /// Whether these are the bytes of a slice.
    @inlinable package func holds(_ other: ArraySlice<UInt8>) -> Bool {
        unsafe other.withUnsafeBytes { unsafe holds($0) }
    }

    /// Whether these are the same bytes.
    @inlinable package func holds(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        guard let a = baseAddress, let b = other.baseAddress else { return true }
        return unsafe ck_same(a, b, count)
    }

    /// Where a byte comes first from `start` on; nil where it does not.
    @inlinable package func firstIndex(of byte: UInt8, from start: Int) -> Int? {
        guard start < count, let base = baseAddress else { return nil }
        let found = unsafe start + ck_find_byte(base + start, byte, count - start)
        return found < count ? found : nil
    }

    /// How often a byte is there.
    package func occurrences(of byte: UInt8) -> Int {
        guard let base = unsafe baseAddress?.assumingMemoryBound(to: UInt8.self) else { return 0 }
        return unsafe kernels.count_byte(base, count, byte)
    }

    /// Whether all bytes are below 128.
    package var isASCII: Bool {
        guard let base = unsafe baseAddress?.assumingMemoryBound(to: UInt8.self) else {
            return true
        }
        return unsafe kernels.is_ascii(base, count)
    }
}

/// Where a text has one of four bytes, found 64 at a time.
@usableFromInline package struct ByteMarks {
    @usableFromInline package let words: [UInt64]
    @usableFromInline package let count: Int

    package init(_ text: UnsafeRawBufferPointer, _ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
        count = text.count
        let wanted = UInt32(a) | UInt32(b) << 8 | UInt32(c) << 16 | UInt32(d) << 24
        words = unsafe Array(unsafeUninitializedCapacity: (text.count + 63) / 64) { words, filled in
            filled = (text.count + 63) / 64
            guard let base = unsafe text.baseAddress?.assumingMemoryBound(to: UInt8.self),
                let marks = words.baseAddress
            else { return }
            unsafe kernels.mark_bytes(base, text.count, wanted, marks)
        }
    }

    /// The first place from `start` on; the end of the text where there is none.
    @inlinable package func first(from start: Int) -> Int {
        guard start < count else { return count }
        var i = start >> 6
        var word = words[i] & ~0 << UInt64(start & 63)
        while word == 0 {
            i += 1
            if i == words.count { return count }
            word = words[i]
        }
        return i << 6 + word.trailingZeroBitCount
    }
}
