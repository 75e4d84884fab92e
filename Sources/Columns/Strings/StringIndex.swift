import WinnowCKernels
import WinnowDisk
import WinnowFormat

/// The strings of some tables by hash, in memory of its own: who looks one up waits once for memory,
/// where tables in a file make him wait four times. Takes 40 bytes a string.
///
/// Method: open addressing, linear probing. A slot has the code and sixteen bytes, which are the
/// string where it is as short as most ids; else its hash and where it is in its table.
@safe final class StringIndex: @unchecked Sendable {
    private struct Slot {
        /// Nothing for a free slot, else the code plus one; the length from bit 32 on, and 24 bits of
        /// the hash above.
        var code: UInt64
        /// The first and the last eight bytes of a short string; of a longer one its hash and address.
        var first, last: UInt64
    }

    private let memory: HugePages
    private let slots: UnsafeMutablePointer<Slot>
    private let size: Int
    /// Strings up to this length are in the slot.
    private static let short = 16

    /// What it takes for so many strings.
    static func byteCount(_ strings: Int) -> Int { size(strings) * MemoryLayout<Slot>.stride }

    private static func size(_ strings: Int) -> Int { strings * 5 / 3 + 16 }

    /// - Parameter hidden: codes that are not found.
    /// - Returns: nil where the system has no memory for it.
    init?(_ tables: UnsafeMutableBufferPointer<StringTable.Columns>, hiding hidden: HiddenCodes?) {
        size = unsafe StringIndex.size(tables.reduce(0) { $0 + $1.count })
        guard let memory = HugePages(byteCount: size * MemoryLayout<Slot>.stride),
            let base = unsafe memory.bytes.baseAddress
        else { return nil }
        self.memory = memory
        unsafe slots = unsafe base.bindMemory(to: Slot.self, capacity: size)
        for i in 0..<tables.count {
            let table = unsafe tables[i]
            for index in 0..<table.count {
                let code = table.first + UInt32(index)
                let bytes = unsafe table.bytes(index)
                // One that was purged has no bytes.
                if unsafe bytes.isEmpty || hidden?.contains(code) == true { continue }
                let hash = unsafe stringHash(bytes)
                var at = position(hash)
                while unsafe slots[at].code != 0 { at = next(at) }
                unsafe slots[at] = StringIndex.slot(bytes, hash, code: UInt64(code) + 1)
            }
        }
    }

    private func position(_ hash: UInt64) -> Int {
        Int(hash.multipliedFullWidth(by: UInt64(size)).high)
    }

    private func next(_ at: Int) -> Int { at + 1 == size ? 0 : at + 1 }

    private static func slot(_ bytes: UnsafeRawBufferPointer, _ hash: UInt64, code: UInt64) -> Slot
    {
        let code = code | UInt64(min(bytes.count, 255)) << 32 | (hash >> 40) << 40
        guard bytes.count <= short else {
            let address = UInt(bitPattern: bytes.baseAddress)
            return Slot(code: code, first: hash, last: UInt64(address))
        }
        let ends = unsafe bytes.ends
        return Slot(code: code, first: ends.first, last: ends.last)
    }

    /// Finds the codes of many strings; those of others, and of what is not there, stay.
    func find(
        _ strings: [UnsafeRawBufferPointer], _ hashes: [UInt64], _ wanted: [Int],
        _ codes: inout [UInt32?]
    ) {
        for i in wanted { unsafe ck_prefetch(slots + position(hashes[i])) }
        for i in wanted {
            if let code = unsafe code(of: strings[i], hashes[i]) { codes[i] = code }
        }
    }

    private func code(of bytes: UnsafeRawBufferPointer, _ hash: UInt64) -> UInt32? {
        let sought = unsafe StringIndex.slot(bytes, hash, code: 0)
        var at = position(hash)
        while true {
            let slot = unsafe slots[at]
            let code = UInt32(truncatingIfNeeded: slot.code)
            if code == 0 { return nil }
            if slot.code >> 32 == sought.code >> 32, slot.first == sought.first,
                unsafe bytes.count <= StringIndex.short
                    ? slot.last == sought.last : StringIndex.holds(slot.last, bytes)
            {
                return code - 1
            }
            at = next(at)
        }
    }

    /// Whether the string at an address, which has the length of these bytes, is the same.
    private static func holds(_ address: UInt64, _ bytes: UnsafeRawBufferPointer) -> Bool {
        unsafe bytes.holds(
            UnsafeRawBufferPointer(
                start: UnsafeRawPointer(bitPattern: UInt(address)), count: bytes.count))
    }
}

extension UnsafeRawBufferPointer {
    /// The first and the last eight of one to sixteen bytes: with the length they tell all of them.
    fileprivate var ends: (first: UInt64, last: UInt64) {
        if count >= 8 {
            return unsafe (
                loadUnaligned(as: UInt64.self),
                loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
            )
        }
        if count >= 4 {
            return unsafe (
                UInt64(loadUnaligned(as: UInt32.self)),
                UInt64(loadUnaligned(fromByteOffset: count - 4, as: UInt32.self))
            )
        }
        return unsafe (reduce(0) { $0 << 8 | UInt64($1) }, 0)
    }
}
