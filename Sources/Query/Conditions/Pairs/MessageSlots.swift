import WinnowBitmaps
import WinnowColumns
import WinnowFormat
import WinnowModel

/// A bit, or a sum, for every message of every row of a block.
@safe final class MessageSlots {
    // All in plain memory: every event comes by here, and looking whether variables of an object
    // are in use takes longer than setting a bit.
    /// Per row the first slot; one more for the end.
    private let offsets: UnsafeMutablePointer<Int>
    private let bits: UnsafeMutablePointer<UInt64>
    private let sums: UnsafeMutablePointer<UInt64>?
    /// Whether an event had a message that is not there.
    private let outside = UnsafeMutablePointer<Bool>.allocate(capacity: 1)
    private let file: String

    init(_ parts: [ActivityPart], _ block: BlockIndex, counting: Bool) throws(WinnowError) {
        var counts = [Int](repeating: 0, count: Block.rows + 1)
        for part in parts { try part.messages(block)?.raise(&counts) }
        unsafe offsets = .allocate(capacity: Block.rows + 1)
        unsafe outside.initialize(to: false)
        var total = 0
        for row in 0...Block.rows {
            unsafe offsets[row] = total
            total += counts[row]
        }
        unsafe bits = .allocate(capacity: total / 64 + 1)
        unsafe bits.initialize(repeating: 0, count: total / 64 + 1)
        unsafe sums = counting ? .allocate(capacity: total + 1) : nil
        unsafe sums?.initialize(repeating: 0, count: total + 1)
        file = parts.first?.file.path ?? ""
    }

    deinit {
        unsafe offsets.deallocate()
        unsafe outside.deallocate()
        unsafe bits.deallocate()
        unsafe sums?.deallocate()
    }

    func add(
        _ rows: UnsafePointer<UInt16>, _ keys: UnsafePointer<UInt32>, _ by: UnsafePointer<UInt32>,
        _ n: Int
    ) {
        unsafe forEachSlot(rows, keys, n) { i, slot in
            unsafe bits[slot >> 6] |= 1 << UInt64(slot & 63)
            if let sums = unsafe sums { unsafe sums[slot] += UInt64(by[i]) }
        }
    }

    func exclude(_ rows: UnsafePointer<UInt16>, _ keys: UnsafePointer<UInt32>, _ n: Int) {
        unsafe forEachSlot(rows, keys, n) { _, slot in
            unsafe bits[slot >> 6] &= ~(1 << UInt64(slot & 63))
        }
    }

    /// Calls `body` with the number and slot of each event that has a message.
    private func forEachSlot(
        _ rows: UnsafePointer<UInt16>, _ keys: UnsafePointer<UInt32>, _ n: Int,
        _ body: (Int, Int) -> Void
    ) {
        for i in 0..<n where unsafe keys[i] > 0 {
            let slot = unsafe offsets[Int(rows[i])] + Int(keys[i]) - 1
            if unsafe slot < offsets[Int(rows[i]) + 1] {
                body(i, slot)
            } else {
                unsafe outside.pointee = true
            }
        }
    }

    /// Inserts the rows that have a message left whose sum suffices.
    func insertRows(atLeast: UInt64, into out: BlockSet) throws(WinnowError) {
        if unsafe outside.pointee {
            throw .damaged(file: file, what: "an event of a message that is not there")
        }
        var row = 0
        for word in unsafe 0...offsets[Block.rows] / 64 {
            var rest = unsafe bits[word]
            while rest != 0 {
                let slot = word << 6 + rest.trailingZeroBitCount
                rest &= rest - 1
                if let sums = unsafe sums, unsafe sums[slot] < atLeast { continue }
                while unsafe offsets[row + 1] <= slot { row += 1 }
                out.insert(row)
            }
        }
    }
}
