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

    var count: Int { ends.count }

    /// The number of an id that some profile's event names.
    mutating func number(_ id: UnsafeRawBufferPointer, of owner: UInt64) -> UInt32 {
        if recent.isEmpty { recent = [UInt32](repeating: 0, count: PieceMessages.recentIDs) }
        let slot = unsafe Int(stringHash(id) & UInt64(PieceMessages.recentIDs - 1))
        let known = Int(recent[slot]) - 1
        if known >= 0, owners[known] == owner,
            unsafe text.withUnsafeBytes({ text in
                unsafe id.holds(UnsafeRawBufferPointer(rebasing: text[range(known)]))
            })
        {
            return UInt32(known)
        }
        unsafe text.append(contentsOf: id)
        ends.append(UInt32(truncatingIfNeeded: text.count))
        owners.append(owner)
        recent[slot] = UInt32(truncatingIfNeeded: count)
        return UInt32(truncatingIfNeeded: count - 1)
    }

    private func range(_ i: Int) -> Range<Int> { (i == 0 ? 0 : Int(ends[i - 1]))..<Int(ends[i]) }

    /// What becomes of each id, in order.
    func map(_ body: (Int, UnsafeRawBufferPointer) -> UInt32) -> [UInt32] {
        unsafe text.withUnsafeBytes { text in
            (0..<count).map { unsafe body($0, UnsafeRawBufferPointer(rebasing: text[range($0)])) }
        }
    }
}
