#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Memory that is zero at first, in pages of 2 MiB where the system has some: what is looked at all over
/// the place does not wait for page tables, too.
@safe package final class HugePages: @unchecked Sendable {
    package let bytes: UnsafeMutableRawBufferPointer

    /// nil where the system has no such memory.
    package init?(byteCount: Int) {
        let address = unsafe mmap(
            nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else { return nil }
        unsafe bytes = unsafe UnsafeMutableRawBufferPointer(start: address, count: byteCount)
        #if os(Linux)
            // Where it is refused pages are small, and that is all.
            unsafe madvise(address, byteCount, MADV_HUGEPAGE)
        #endif
    }

    deinit { unsafe munmap(bytes.baseAddress, bytes.count) }
}
