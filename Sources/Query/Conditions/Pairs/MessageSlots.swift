import WinnowBitmaps
import WinnowColumns
import WinnowFormat
import WinnowModel

/// A bit, or a sum, for every message of every row of a block.
@safe final class MessageSlots {
    /// Per row how many messages it has.
    private var counts = [UInt32](repeating: 0, count: Block.rows)
    // In plain memory: every event comes by here, and looking whether variables of an object are in
    // use takes longer than setting a bit.
    /// Per row the first slot; one more for the end.
    private let offsets = UnsafeMutablePointer<UInt32>.allocate(capacity: Block.rows + 1)
    private var bits = UnsafeMutablePointer<UInt64>.allocate(capacity: 2)
    private var sums = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
    /// Slots that there is room for.
    private var room = (bits: 0, sums: 0)
    private var isCounting = false
    /// Whether an event had a message that is not there.
    private var outside = false
    private var file = ""

    /// Numbers of 64 bits that there is room for.
    var capacity: Int { room.bits / 64 + room.sums }

    deinit {
        unsafe offsets.deallocate()
        unsafe bits.deallocate()
        unsafe sums.deallocate()
    }

    /// Makes empty slots for the messages of a block, with sums where events are counted.
    func reset(_ parts: [ActivityPart], _ block: BlockIndex, counting: Bool) throws(WinnowError) {
        file = parts.first?.file.path ?? ""
        outside = false
        isCounting = counting
        unsafe counts.withUnsafeMutableBufferPointer { unsafe $0.update(repeating: 0) }
        for part in parts { try part.messages(block)?.raise(&counts) }
        var total = 0
        for (row, count) in counts.enumerated() {
            unsafe offsets[row] = UInt32(truncatingIfNeeded: total)
            total += Int(count)
        }
        guard let end = UInt32(exactly: total) else {
            throw .damaged(file: file, what: "more messages than a block can have")
        }
        unsafe offsets[Block.rows] = end
        if total > room.bits {
            unsafe bits.deallocate()
            // Eight bytes can be read from where any row's bits begin.
            unsafe bits = .allocate(capacity: total / 64 + 2)
            room.bits = total
        }
        unsafe bits.initialize(repeating: 0, count: total / 64 + 2)
        guard counting else { return }
        if total > room.sums {
            unsafe sums.deallocate()
            unsafe sums = .allocate(capacity: total)
            room.sums = total
        }
        unsafe sums.initialize(repeating: 0, count: total)
    }

    func add(
        _ rows: UnsafePointer<UInt16>, _ keys: UnsafePointer<UInt32>, _ by: UnsafePointer<UInt32>,
        _ n: Int
    ) {
        let (bits, sums) = unsafe (bits, isCounting ? sums : nil)
        unsafe forEachSlot(rows, keys, n) { i, slot in
            unsafe bits[slot >> 6] |= 1 << UInt64(slot & 63)
            if let sums = unsafe sums { unsafe sums[slot] += UInt64(by[i]) }
        }
    }

    func exclude(_ rows: UnsafePointer<UInt16>, _ keys: UnsafePointer<UInt32>, _ n: Int) {
        let bits = unsafe bits
        unsafe forEachSlot(rows, keys, n) { _, slot in
            unsafe bits[slot >> 6] &= ~(1 << UInt64(slot & 63))
        }
    }

    /// Calls `body` with the number and slot of each event that has a message.
    @inline(__always)
    private func forEachSlot(
        _ rows: UnsafePointer<UInt16>, _ keys: UnsafePointer<UInt32>, _ n: Int,
        _ body: (Int, Int) -> Void
    ) {
        var isOutside = false
        for i in 0..<n where unsafe keys[i] > 0 {
            let slot = unsafe Int(offsets[Int(rows[i])]) + Int(keys[i]) - 1
            if unsafe slot < Int(offsets[Int(rows[i]) + 1]) {
                body(i, slot)
            } else {
                isOutside = true
            }
        }
        if isOutside { outside = true }
    }

    /// Inserts the rows that have a message left whose sum suffices.
    func insertRows(atLeast: UInt64, into out: BlockSet) throws(WinnowError) {
        if outside {
            throw .damaged(file: file, what: "an event of a message that is not there")
        }
        if isCounting { removeSums(below: atLeast) }
        let bits = unsafe UnsafeRawPointer(bits)
        for word in 0..<Block.words {
            var met: UInt64 = 0
            var start = unsafe Int(offsets[word << 6])
            for row in 0..<64 {
                let end = unsafe Int(offsets[word << 6 + row + 1])
                // Most rows have no more messages than eight bytes hold bits wherever they begin.
                // Whether one is left is as good as chance, so nothing is skipped.
                var rest: UInt64 = 0
                repeat {
                    let count = min(end - start, 57)
                    let bytes = unsafe bits.loadUnaligned(
                        fromByteOffset: start >> 3, as: UInt64.self)
                    rest |= bytes >> UInt64(start & 7) & (1 &<< UInt64(count) &- 1)
                    start += count
                } while start < end
                met |= (rest == 0 ? 0 : 1) &<< UInt64(row)
            }
            unsafe out.bits[word] |= met
        }
    }

    /// Clears the bits of messages whose sum does not suffice.
    private func removeSums(below least: UInt64) {
        for word in unsafe 0...Int(offsets[Block.rows]) / 64 {
            var rest = unsafe bits[word]
            while rest != 0 {
                let bit = rest & (~rest &+ 1)
                if unsafe sums[word << 6 + rest.trailingZeroBitCount] < least {
                    unsafe bits[word] &= ~bit
                }
                rest &= ~bit
            }
        }
    }
}
