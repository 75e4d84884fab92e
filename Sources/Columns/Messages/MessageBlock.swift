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
    let file: String

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
    package func raise(_ totals: inout [UInt32]) throws(WinnowError) {
        try forEachRun { (run) throws(WinnowError) in
            guard run.first == totals[Int(run.row)] else {
                throw .damaged(
                    file: file, what: "messages: ordinals do not go on where older ones end")
            }
            totals[Int(run.row)] = run.first + UInt32(run.count)
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
        runs.reserveCapacity(touched.count)
        try forEachRun { runs.append($0) }
        return runs
    }

    @inline(__always)
    private func forEachRun(_ body: (Run) throws(WinnowError) -> Void) throws(WinnowError) {
        var text = 0
        for (i, row) in touched.allRows.enumerated() {
            let (first, count) = (firsts[i], counts[i])
            guard count > 0, first >= 0, first <= Int64(UInt32.max) - count else {
                throw .damaged(file: file, what: "messages: impossible ordinals")
            }
            try body(Run(row: row, first: UInt32(first), count: Int(count), text: text))
            text += Int(count)
        }
        guard text == texts.count else {
            throw .damaged(file: file, what: "messages: rows and ids do not match")
        }
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
