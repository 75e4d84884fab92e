import WinnowBitmaps
import WinnowFormat
import WinnowModel

/// Message ids of one block that some events refer to by numbers which are not the store's ordinals
/// yet. Each is of one row.
package struct LocalMessages: Sendable {
    /// The ids, one after the other.
    private(set) var text: [UInt8] = []
    private(set) var lengths: [UInt8] = []
    private(set) var rows: [UInt16] = []
    /// Per row of the block: where its ids begin, when an event's number counts within its row; nil
    /// when it counts within all ids.
    private var rowStarts: [UInt32]?

    package static let longest = Int(UInt8.max)

    package init() {}

    /// All ids of a block of a part that has ordinals of its own.
    init(_ block: MessageBlock) throws(WinnowError) {
        var starts = [UInt32](repeating: 0, count: Block.rows)
        for run in try block.runs() { starts[Int(run.row)] = UInt32(run.text) }
        rowStarts = starts
        try unsafe append(block) { row, _, id in unsafe append(id, row: row) }
    }

    /// All ids of a block of the store, by row, then ordinal.
    init(_ store: [ActivityPart], _ block: BlockIndex) throws(WinnowError) {
        var blocks: [MessageBlock] = []
        var starts = [UInt32](repeating: 0, count: Block.rows)
        var total: UInt32 = 0
        for part in store { if let messages = try part.messages(block) { blocks.append(messages) } }
        var counts = [UInt32](repeating: 0, count: Block.rows)
        for messages in blocks { try messages.raise(&counts) }
        for row in 0..<Block.rows {
            starts[row] = total
            total += counts[row]
        }
        rowStarts = starts
        var found = [Range<Int>](repeating: 0..<0, count: Int(total))
        var ids: [UInt8] = []
        for messages in blocks {
            try unsafe append(messages) { row, ordinal, id in
                let index = Int(starts[Int(row)]) + Int(ordinal)
                guard index < found.count else { return }
                found[index] = ids.count..<ids.count + id.count
                unsafe ids.append(contentsOf: id)
            }
        }
        for row in 0..<Block.rows {
            let end = row + 1 < Block.rows ? starts[row + 1] : total
            for range in found[Int(starts[row])..<Int(end)] {
                unsafe ids[range].withUnsafeBytes { unsafe append($0, row: UInt16(row)) }
            }
        }
    }

    /// Goes over the ids of a block, none of which can be longer than ids are.
    private func append(
        _ block: MessageBlock, _ body: (UInt16, UInt32, UnsafeRawBufferPointer) -> Void
    ) throws(WinnowError) {
        var longest = 0
        try unsafe block.forEach(in: nil) { row, ordinal, id in
            longest = max(longest, id.count)
            if longest <= LocalMessages.longest { unsafe body(row, ordinal, id) }
        }
        guard longest <= LocalMessages.longest else {
            throw .damaged(file: block.file, what: "messages: an id of \(longest) bytes")
        }
    }

    /// Adds an id of at most `longest` bytes.
    package mutating func append(_ id: UnsafeRawBufferPointer, row: UInt16) {
        unsafe text.append(contentsOf: id)
        lengths.append(UInt8(truncatingIfNeeded: id.count))
        rows.append(row)
    }

    /// Adds what another has.
    mutating func append(_ other: LocalMessages) {
        if count == 0 { return self = other }
        text += other.text
        lengths += other.lengths
        rows += other.rows
    }

    package var count: Int { rows.count }
    /// About how much memory it takes: arrays that grow have a third to spare.
    package var memory: Int { (text.count + 3 * count) * 4 / 3 }

    /// The index of the id of a row's event, whose message number (plus one) is given.
    func index(row: UInt16, _ message: UInt32) -> Int {
        Int(rowStarts?[Int(row)] ?? 0) + Int(message) - 1
    }
}
