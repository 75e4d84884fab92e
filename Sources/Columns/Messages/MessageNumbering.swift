import WinnowBitmaps
import WinnowFormat
import WinnowModel

/// Gives the messages of new events in one block their ordinals: those of the store where it knows
/// the message, else the profile's next ones.
///
/// Method: distinct (row, id) pairs of the new events go into a hash table first. Then the store's
/// ids of just those rows are passed through it once, so nothing is kept of the many messages that
/// no new event mentions. Hashes narrow the search, bytes decide.
struct MessageNumbering {
    private var rows: [UInt16] = []
    private var hashes: [UInt64] = []
    private var text: [UInt8] = []
    private var ends: [Int] = []
    private var ordinals: [UInt32] = []
    /// Entries that the store did not know, in the order of their ordinals within each row.
    private var fresh: [Int] = []
    /// Open addressing; entry plus one, 0 for a free slot.
    private var slots = [UInt32](repeating: 0, count: 64)

    private static let unknown = UInt32.max

    var isEmpty: Bool { rows.isEmpty }

    /// The number of a (row, id) pair within this block, new if need be.
    mutating func entry(_ row: UInt16, _ id: UnsafeRawBufferPointer, hash: UInt64) -> UInt32 {
        let mixed = MessageNumbering.mixed(row, hash)
        if let found = unsafe find(row, id, mixed) { return found }
        rows.append(row)
        hashes.append(mixed)
        unsafe text.append(contentsOf: id)
        ends.append(text.count)
        ordinals.append(MessageNumbering.unknown)
        if rows.count * 2 > slots.count {
            slots = [UInt32](repeating: 0, count: slots.count * 4)
            for entry in rows.indices { place(entry) }
        } else {
            place(rows.count - 1)
        }
        return UInt32(rows.count - 1)
    }

    private static func mixed(_ row: UInt16, _ hash: UInt64) -> UInt64 {
        (hash ^ UInt64(row) &* 0x9E37_79B9_7F4A_7C15) &* 0xD6E8_FEB8_6659_FD93
    }

    private func find(_ row: UInt16, _ id: UnsafeRawBufferPointer, _ mixed: UInt64) -> UInt32? {
        var slot = Int(truncatingIfNeeded: mixed >> 20) & (slots.count - 1)
        while slots[slot] != 0 {
            let entry = Int(slots[slot]) - 1
            if hashes[entry] == mixed, rows[entry] == row, unsafe isEqual(entry, id) {
                return UInt32(entry)
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private mutating func place(_ entry: Int) {
        var slot = Int(truncatingIfNeeded: hashes[entry] >> 20) & (slots.count - 1)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = UInt32(entry + 1)
    }

    private func range(_ entry: Int) -> Range<Int> {
        (entry == 0 ? 0 : ends[entry - 1])..<ends[entry]
    }

    private func isEqual(_ entry: Int, _ id: UnsafeRawBufferPointer) -> Bool {
        let range = range(entry)
        return unsafe range.count == id.count && text[range].elementsEqual(id)
    }

    /// Gives every entry its ordinal; `known` are the store's ids of the block. Ordinals run out at
    /// 2³² − 2 messages of one profile.
    mutating func resolve(_ known: [MessageBlock]) throws(WinnowError) {
        let wanted = BlockSet.allocate()
        defer { wanted.deallocate() }
        wanted.clear()
        for row in rows { wanted.insert(Int(row)) }
        var next = [UInt32](repeating: 0, count: Block.rows)
        for block in known {
            for run in try block.runs() {
                next[Int(run.row)] = max(next[Int(run.row)], run.first + UInt32(run.count))
            }
            try unsafe block.forEach(in: wanted) { row, ordinal, id in
                if let entry = unsafe find(row, id, MessageNumbering.mixed(row, stringHash(id))) {
                    ordinals[Int(entry)] = ordinal
                }
            }
        }
        for entry in rows.indices where ordinals[entry] == MessageNumbering.unknown {
            let row = Int(rows[entry])
            guard next[row] < MessageNumbering.unknown - 1 else {
                throw .usage(
                    "a profile cannot have more than \(MessageNumbering.unknown - 1) messages")
            }
            ordinals[entry] = next[row]
            fresh.append(entry)
            next[row] += 1
        }
    }

    /// Enters the messages of events from `start` on; until they are numbered, events carry entries
    /// plus one.
    mutating func enter(
        _ events: inout [EventRecord], from start: Int, _ ids: LocalMessages,
        _ cancellation: Cancellation
    ) throws(WinnowError) {
        let known = unsafe ids.text.withUnsafeBytes { text in
            for i in start..<events.count where events[i].message > 0 {
                if i % 65_536 == 0, cancellation.isRequested { return true }
                let row = events[i].row.inBlock
                let index = ids.index(row: row, events[i].message)
                guard index < ids.ends.count else { return false }
                let id = unsafe UnsafeRawBufferPointer(rebasing: text[ids.bytes(index)])
                events[i].message = unsafe entry(row, id, hash: ids.hashes[index]) + 1
            }
            return true
        }
        try cancellation.check()
        guard known else {
            throw .damaged(file: "activity", what: "an event of a message that is not there")
        }
    }

    /// Replaces the entries that events carry by the ordinals plus one.
    func number(_ events: inout [EventRecord], _ range: Range<Int>) {
        for i in range where events[i].message > 0 {
            events[i].message = ordinals[Int(events[i].message) - 1] + 1
        }
    }

    /// The block's messages for a new part: what the merged parts brought, and what is new. Empty
    /// when there is none.
    func encoded(
        merging carried: [MessageBlock], _ cancellation: Cancellation
    ) throws(WinnowError) -> [UInt8] {
        var ids = text
        var bounds: [Range<Int>] = []
        var runs: [MessageBlock.Run] = []
        for block in carried {
            let start = bounds.count
            runs += try block.runs().map {
                .init(row: $0.row, first: $0.first, count: $0.count, text: start + $0.text)
            }
            try unsafe block.forEach(in: nil) { _, _, id in
                bounds.append(ids.count..<ids.count + id.count)
                unsafe ids.append(contentsOf: id)
            }
        }
        let start = bounds.count
        let added = fresh.sorted { (rows[$0], ordinals[$0]) < (rows[$1], ordinals[$1]) }
        for (i, entry) in added.enumerated() {
            bounds.append(range(entry))
            if i > 0, rows[added[i - 1]] == rows[entry] {
                runs[runs.count - 1].count += 1
            } else {
                runs.append(
                    .init(row: rows[entry], first: ordinals[entry], count: 1, text: start + i))
            }
        }
        guard !runs.isEmpty else { return [] }
        runs.sort { ($0.row, $0.first) < ($1.row, $1.first) }
        var touched: [UInt16] = []
        var firsts: [Int64] = []
        var counts: [Int64] = []
        var texts = TextFrames.Writer(compresses: true)
        for (number, run) in runs.enumerated() {
            if number % 1024 == 0 { try cancellation.check() }
            if touched.last == run.row {
                counts[counts.count - 1] += Int64(run.count)
            } else {
                touched.append(run.row)
                firsts.append(Int64(run.first))
                counts.append(Int64(run.count))
            }
            for i in run.text..<run.text + run.count { try texts.add(ids[bounds[i]]) }
        }
        var out = ByteWriter()
        FieldBlock.append(container: touched, to: &out)
        PackedColumn.append(firsts, to: &out)
        PackedColumn.append(counts, to: &out)
        try texts.finish(to: &out)
        return out.bytes
    }
}
