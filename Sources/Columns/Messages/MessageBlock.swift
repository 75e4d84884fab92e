import WinnowBitmaps
import WinnowFormat
import WinnowModel

/// The message ids that a part brings to one block. An event names its message by an ordinal of the
/// profile's own, which takes a few bits where an id takes tens of bytes; the ids are here once,
/// for the loader to recognise them. A profile's ordinals are given in the order in which its
/// messages are first seen and never change, so the parts of a store, oldest first, hold
/// consecutive ranges of them.
///
///     messages = touched firsts:packed column counts:packed column texts
///     touched  = container of the rows that the part brings messages of, as in `FieldBlock`
///     firsts   = per row: the ordinal of its first message here
///     counts   = per row: how many messages
///     texts    = the ids by row, then ordinal, as in `TextFrames`
package struct MessageBlock {
    package let touched: Container
    private let firsts, counts: PackedColumn
    private let texts: TextFrames
    private let file: String

    /// Verifies what it reads; the texts are verified when they are decompressed.
    package init(_ bytes: UnsafeRawBufferPointer, in part: PartFile) throws(WinnowError) {
        var reader = unsafe ByteReader(bytes, of: part.path, "messages")
        file = part.path
        touched = try FieldBlock.container(&reader)
        firsts = try PackedColumn(&reader)
        counts = try PackedColumn(&reader)
        try unsafe part.verify(UnsafeRawBufferPointer(rebasing: bytes.dropLast(reader.rest.count)))
        texts = try TextFrames(&reader, in: part)
        guard firsts.count == touched.count, counts.count == touched.count else {
            throw reader.damage("rows and ordinals do not match")
        }
    }

    package var count: Int { texts.count }

    /// Raises each row's number of messages to what is known here; the block goes on where older
    /// ones end.
    package func raise(_ totals: inout [Int]) throws(WinnowError) {
        for run in try runs() {
            guard Int(run.first) == totals[Int(run.row)] else {
                throw .damaged(
                    file: file, what: "messages: ordinals do not go on where older ones end")
            }
            totals[Int(run.row)] += run.count
        }
    }

    /// One row's messages: ordinals `first ..< first + count`, texts from `text` on.
    struct Run {
        var row: UInt16
        var first: UInt32
        var count: Int
        var text: Int
    }

    /// The rows' messages, ascending by row.
    func runs() throws(WinnowError) -> [Run] {
        var runs: [Run] = []
        var text = 0
        runs.reserveCapacity(touched.count)
        for (i, row) in touched.allRows.enumerated() {
            guard counts[i] > 0, firsts[i] >= 0, firsts[i] <= Int64(UInt32.max) - counts[i] else {
                throw .damaged(file: file, what: "messages: impossible ordinals")
            }
            runs.append(Run(row: row, first: UInt32(firsts[i]), count: Int(counts[i]), text: text))
            text += Int(counts[i])
        }
        guard text == texts.count else {
            throw .damaged(file: file, what: "messages: rows and ids do not match")
        }
        return runs
    }

    /// Calls `body` with the row, ordinal and id of every message of the rows that `wanted` holds
    /// (nil: of all).
    package func forEach(
        in wanted: BlockSet?, _ body: (UInt16, UInt32, UnsafeRawBufferPointer) -> Void
    ) throws(WinnowError) {
        let runs = try runs()
        var at = 0
        try unsafe texts.forEach(
            wanted: { numbers in
                guard let wanted else { return true }
                while at < runs.count, runs[at].text + runs[at].count <= numbers.lowerBound {
                    at += 1
                }
                var i = at
                while i < runs.count, runs[i].text < numbers.upperBound {
                    if wanted.contains(Int(runs[i].row)) { return true }
                    i += 1
                }
                return false
            },
            { number, text in
                while runs[at].text + runs[at].count <= number { at += 1 }
                guard wanted?.contains(Int(runs[at].row)) ?? true else { return }
                unsafe body(runs[at].row, runs[at].first + UInt32(number - runs[at].text), text)
            })
    }
}

/// Message ids that some events refer to by numbers which are not the store's ordinals yet.
package struct LocalMessages: Sendable {
    package private(set) var text: [UInt8] = []
    package private(set) var ends: [Int] = []
    package private(set) var hashes: [UInt64] = []
    /// Per row of the block: where its ids begin, when an event's number counts within its row; nil
    /// when it counts within all ids.
    var rowStarts: [UInt32]?

    package init() {}

    /// All ids of a block of a part that has ordinals of its own.
    init(_ block: MessageBlock) throws(WinnowError) {
        var starts = [UInt32](repeating: 0, count: Block.rows)
        for run in try block.runs() { starts[Int(run.row)] = UInt32(run.text) }
        rowStarts = starts
        try unsafe block.forEach(in: nil) { _, _, id in unsafe append(id, hash: stringHash(id)) }
    }

    /// All ids of a block of the store, by row, then ordinal.
    init(_ store: [ActivityPart], _ block: BlockIndex) throws(WinnowError) {
        var blocks: [MessageBlock] = []
        var starts = [UInt32](repeating: 0, count: Block.rows)
        var total: UInt32 = 0
        for part in store { if let messages = try part.messages(block) { blocks.append(messages) } }
        var counts = [Int](repeating: 0, count: Block.rows)
        for messages in blocks { try messages.raise(&counts) }
        for row in 0..<Block.rows {
            starts[row] = total
            total += UInt32(clamping: counts[row])
        }
        rowStarts = starts
        var found = [Range<Int>](repeating: 0..<0, count: Int(total))
        var ids: [UInt8] = []
        for messages in blocks {
            try unsafe messages.forEach(in: nil) { row, ordinal, id in
                let index = Int(starts[Int(row)]) + Int(ordinal)
                guard index < found.count else { return }
                found[index] = ids.count..<ids.count + id.count
                unsafe ids.append(contentsOf: id)
            }
        }
        for range in found {
            let id = ids[range]
            unsafe append(id, hash: id.withUnsafeBytes { unsafe stringHash($0) })
        }
    }

    package mutating func append(_ id: some Collection<UInt8>, hash: UInt64) {
        text.append(contentsOf: id)
        ends.append(text.count)
        hashes.append(hash)
    }

    /// The index of the id of a row's event, whose message number (plus one) is given.
    func index(row: UInt16, _ message: UInt32) -> Int {
        Int(rowStarts?[Int(row)] ?? 0) + Int(message) - 1
    }
    func bytes(_ index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }
}
