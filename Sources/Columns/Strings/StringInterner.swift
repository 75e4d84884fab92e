import WinnowCKernels
import WinnowFormat
import WinnowModel

/// New strings on their way into a table: each gets the next code, in the order of arrival.
package struct StringInterner: Sendable {
    package let first: UInt32
    private var text: [UInt8] = []
    private var ends: [Int] = []
    private var hashes: [UInt64] = []
    /// Open addressing: the upper half of the hash, then the index plus one; 0 for a free slot.
    /// With a piece of the hash in the slot most strings that are not there cost one cache miss.
    private var slots: [UInt64]
    /// The string that was asked for last: often it comes again.
    private var last = -1

    package init(first: UInt32) {
        self.first = first
        slots = Array(repeating: 0, count: 64)
    }

    package var count: Int { ends.count }

    /// About how much memory it takes: arrays that grow have a third to spare.
    package var memory: Int { text.count * 4 / 3 + ends.count * 24 + slots.count * 8 }

    package func hash(_ index: Int) -> UInt64 { hashes[index] }

    package func bytes(_ index: Int) -> ArraySlice<UInt8> {
        text[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
    }

    /// Calls `body` with every string, in the order of their codes.
    func forEach(_ body: (UnsafeRawBufferPointer) throws(WinnowError) -> Void) throws(WinnowError) {
        try unsafe text.withUnsafeBytesThrowing { (text) throws(WinnowError) in
            var start = 0
            for end in ends {
                try unsafe body(UnsafeRawBufferPointer(rebasing: text[start..<end]))
                start = end
            }
        }
    }

    /// The code of a string that was interned before.
    package func find(_ bytes: UnsafeRawBufferPointer, hash: UInt64) -> UInt32? {
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != 0 {
            let index = Int(slots[slot] & 0xFFFF_FFFF) - 1
            if slots[slot] >> 32 == hash >> 32, hashes[index] == hash,
                unsafe isEqual(index, bytes)
            {
                return first + UInt32(index)
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// The code of a string, new if need be; nil when all 2³² − 2 codes are given.
    package mutating func intern(_ bytes: UnsafeRawBufferPointer, hash: UInt64) -> UInt32? {
        if let code = unsafe find(bytes, hash: hash) { return code }
        guard UInt64(first) + UInt64(count) < UInt64(UInt32.max) - 1 else { return nil }
        if (count + 1) * 2 > slots.count { grow() }
        unsafe text.append(contentsOf: bytes)
        ends.append(text.count)
        hashes.append(hash)
        place(count - 1)
        return first + UInt32(count - 1)
    }

    /// Says that a string of some hash will be looked for soon.
    package func prefetch(_ hash: UInt64) {
        let slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        unsafe slots.withUnsafeBufferPointer { slots in
            if let base = slots.baseAddress { unsafe ck_prefetch(base + slot) }
        }
    }

    package mutating func intern(_ bytes: UnsafeRawBufferPointer) -> UInt32? {
        if last >= 0, unsafe isEqual(last, bytes) { return first + UInt32(last) }
        guard let code = unsafe intern(bytes, hash: stringHash(bytes)) else { return nil }
        last = Int(code - first)
        return code
    }

    private func isEqual(_ index: Int, _ bytes: UnsafeRawBufferPointer) -> Bool {
        let range = (index == 0 ? 0 : ends[index - 1])..<ends[index]
        return unsafe text.withUnsafeBytes { text in
            unsafe bytes.holds(UnsafeRawBufferPointer(rebasing: text[range]))
        }
    }

    private mutating func grow() {
        slots = Array(repeating: 0, count: slots.count * 2)
        for index in 0..<count { place(index) }
    }

    private mutating func place(_ index: Int) {
        var slot = Int(truncatingIfNeeded: hashes[index]) & (slots.count - 1)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = (hashes[index] >> 32) << 32 | UInt64(index + 1)
    }
}
