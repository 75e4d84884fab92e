import WinnowColumns
import WinnowFormat

/// The message ids of a piece, numbered from 0 on, each for one profile. What happens to a message
/// is often close together: most of those that repeat are kept once. One that comes back later
/// may have two numbers; a block's messages are compared in the end.
struct PieceMessages: Sendable {
    private var text: [UInt8] = []
    private var ends: [UInt32] = []
    private var owners: [UInt64] = []
    /// By hash, the number plus one of the id that was last entered.
    private var recent: [UInt32] = []
    private static let recentIDs = 4096
    /// The one that was asked for last: often it comes again.
    private var last = 0

    var count: Int { ends.count }

    /// The number of an id that some profile's event names.
    mutating func number(_ id: UnsafeRawBufferPointer, of owner: UInt64) -> UInt32 {
        if unsafe isKnown(last, id, owner) { return UInt32(last) }
        if recent.isEmpty { recent = [UInt32](repeating: 0, count: PieceMessages.recentIDs) }
        let slot = unsafe Int(stringHash(id) & UInt64(PieceMessages.recentIDs - 1))
        last = Int(recent[slot]) - 1
        if unsafe isKnown(last, id, owner) { return UInt32(last) }
        unsafe text.append(contentsOf: id)
        ends.append(UInt32(truncatingIfNeeded: text.count))
        owners.append(owner)
        recent[slot] = UInt32(truncatingIfNeeded: count)
        last = count - 1
        return UInt32(truncatingIfNeeded: last)
    }

    /// Whether a number, which may be out of range, is that of an id and its owner.
    private func isKnown(_ number: Int, _ id: UnsafeRawBufferPointer, _ owner: UInt64) -> Bool {
        guard owners.indices.contains(number), owners[number] == owner else { return false }
        return unsafe text.withUnsafeBytes { text in
            unsafe id.holds(UnsafeRawBufferPointer(rebasing: text[range(number)]))
        }
    }

    private func range(_ i: Int) -> Range<Int> { (i == 0 ? 0 : Int(ends[i - 1]))..<Int(ends[i]) }

    /// What becomes of each id, in order.
    func map(_ body: (Int, UnsafeRawBufferPointer) -> UInt32) -> [UInt32] {
        unsafe text.withUnsafeBytes { text in
            (0..<count).map { unsafe body($0, UnsafeRawBufferPointer(rebasing: text[range($0)])) }
        }
    }
}
