import WinnowBitmaps
import WinnowCKernels
import WinnowFormat
import WinnowModel

/// Gives the messages of new events in one block their ordinals: those of the store where it knows
/// the message, else the profile's next ones.
///
/// Method: ids are sorted by row, so that what must be compared is close together, and each row has
/// a small hash table of its own. Then the store's ids of just those rows, which come by row, too,
/// are passed through the tables once, so nothing is kept of the many messages that no new event
/// mentions. Hashes narrow the search, bytes decide.
struct MessageNumbering {
    /// Those that events may mention, one source's after the other's.
    private var ids = LocalMessages()
    private var isUsed: [Bool] = []
    private var ordinals: [UInt32] = []
    /// Ids that the store does not know, by row, then ordinal.
    private var fresh: [Int] = []
    private var tables = RowTables()

    /// The hash tables of the rows.
    private struct RowTables {
        /// Per id where its bytes end.
        var ends: [Int] = []
        var hashes: [UInt64] = []
        /// Per row, and behind the last, where its table begins in `slots`; as many as a power of two.
        var starts = [Int](repeating: 0, count: Block.rows + 1)
        /// Open addressing; id plus one, 0 for a free slot.
        var slots: [UInt32] = []

        func range(_ id: Int) -> Range<Int> { (id == 0 ? 0 : ends[id - 1])..<ends[id] }

        /// Where the table of a row, which is not empty, has a message, or would have it.
        /// - Parameter text: of all ids.
        func slot(
            of bytes: UnsafeRawBufferPointer, _ hash: UInt64, row: UInt16,
            _ text: UnsafeRawBufferPointer
        ) -> Int {
            let start = starts[Int(row)]
            let mask = starts[Int(row) + 1] - start - 1
            var slot = Int(truncatingIfNeeded: hash) & mask
            while slots[start + slot] != 0 {
                let other = Int(slots[start + slot]) - 1
                if hashes[other] == hash,
                    unsafe bytes.holds(UnsafeRawBufferPointer(rebasing: text[range(other)]))
                {
                    break
                }
                slot = (slot + 1) & mask
            }
            return start + slot
        }
    }

    private static let unknown = UInt32.max

    private(set) var isEmpty = true

    /// Adds the ids of a source; returns what is added to the numbers of its events.
    mutating func add(_ source: LocalMessages) throws(WinnowError) -> Int {
        let base = ids.count
        guard base + source.count < Int(UInt32.max) else {
            throw .usage("more than \(UInt32.max) messages of \(Block.rows) profiles at once")
        }
        ids.append(source)
        isUsed += repeatElement(false, count: source.count)
        return base
    }

    /// Enters the messages of events from `start` on; until they are numbered, events carry ids plus
    /// one.
    /// - Parameter base: of their source, whose ids are given.
    mutating func enter(
        _ events: inout [EventRecord], from start: Int, _ source: LocalMessages, base: Int,
        _ cancellation: Cancellation
    ) throws(WinnowError) {
        for i in start..<events.count where events[i].message > 0 {
            if i % 65_536 == 0 { try cancellation.check() }
            let row = events[i].row.inBlock
            let index = source.index(row: row, events[i].message)
            guard index < source.count, source.rows[index] == row else {
                throw .damaged(file: "activity", what: "an event of a message that is not there")
            }
            isUsed[base + index] = true
            events[i].message = UInt32(truncatingIfNeeded: base + index + 1)
            isEmpty = false
        }
    }

    /// Gives every id its ordinal; `known` are the store's ids of the block. Ordinals run out at 2³² −
    /// 2 messages of one profile.
    mutating func resolve(_ known: [MessageBlock]) throws(WinnowError) {
        let sorted = sortedIDs()
        placeTables(sorted)
        let first = enterTables(sorted)
        ordinals = [UInt32](repeating: MessageNumbering.unknown, count: ids.count)
        var next = [UInt32](repeating: 0, count: Block.rows)
        try find(known, &next)
        for id in sorted {
            if first[id] != id {
                ordinals[id] = ordinals[first[id]]
                continue
            }
            guard ordinals[id] == MessageNumbering.unknown else { continue }
            let row = Int(ids.rows[id])
            guard next[row] < MessageNumbering.unknown - 1 else {
                throw .usage(
                    "a profile cannot have more than \(MessageNumbering.unknown - 1) messages")
            }
            ordinals[id] = next[row]
            fresh.append(id)
            next[row] += 1
        }
    }

    /// The ids that are used, by row, then as they came. Finds their bytes and hashes, too.
    private mutating func sortedIDs() -> [Int] {
        var keys: [UInt64] = []
        keys.reserveCapacity(ids.count)
        var found = RowTables()
        found.ends.reserveCapacity(ids.count)
        found.hashes.reserveCapacity(ids.count)
        let (lengths, rows, isUsed) = (ids.lengths, ids.rows, isUsed)
        unsafe ids.text.withUnsafeBytes { text in
            var start = 0
            for id in lengths.indices {
                let end = start + Int(lengths[id])
                found.ends.append(end)
                unsafe found.hashes.append(
                    stringHash(UnsafeRawBufferPointer(rebasing: text[start..<end])))
                start = end
                if isUsed[id] { keys.append(UInt64(id) << 16 | UInt64(rows[id])) }
            }
        }
        tables = found
        var scratch = keys
        unsafe ck_sort(&keys, &scratch, keys.count, 16)
        return keys.map { Int($0 >> 16) }
    }

    /// Makes room for a table of each row, half of it free at least.
    private mutating func placeTables(_ sorted: [Int]) {
        for id in sorted { tables.starts[Int(ids.rows[id])] += 1 }
        var start = 0
        for row in 0..<Block.rows {
            let count = tables.starts[row]
            tables.starts[row] = start
            if count > 0 { start += 1 << Packing.width(of: UInt64(2 * count - 1)) }
        }
        tables.starts[Block.rows] = start
        tables.slots = [UInt32](repeating: 0, count: start)
    }

    /// Enters the ids into the tables; returns for each the first that is the same message.
    private mutating func enterTables(_ sorted: [Int]) -> [Int] {
        var first = [Int](repeating: 0, count: ids.count)
        let rows = ids.rows
        // Taken out: what a closure has of the whole is copied at every look.
        var tables = RowTables()
        swap(&tables, &self.tables)
        unsafe ids.text.withUnsafeBytes { text in
            for id in sorted {
                let bytes = unsafe UnsafeRawBufferPointer(rebasing: text[tables.range(id)])
                let slot = unsafe tables.slot(of: bytes, tables.hashes[id], row: rows[id], text)
                if tables.slots[slot] == 0 {
                    tables.slots[slot] = UInt32(truncatingIfNeeded: id + 1)
                }
                first[id] = Int(tables.slots[slot]) - 1
            }
        }
        swap(&tables, &self.tables)
        return first
    }

    /// Takes over the ordinals of the messages that the store knows; `next` becomes the first
    /// ordinal that each row has not given.
    private mutating func find(
        _ known: [MessageBlock], _ next: inout [UInt32]
    ) throws(WinnowError) {
        if known.isEmpty { return }
        let wanted = BlockSet.allocate()
        defer { wanted.deallocate() }
        wanted.clear()
        let tables = tables
        for row in 0..<Block.rows where tables.starts[row] < tables.starts[row + 1] {
            wanted.insert(row)
        }
        var found = ordinals
        for block in known {
            for run in try block.runs() {
                next[Int(run.row)] = max(next[Int(run.row)], run.first + UInt32(run.count))
            }
            try unsafe ids.text.withUnsafeBytesThrowing { (text) throws(WinnowError) in
                try unsafe block.forEach(in: wanted) { row, ordinal, bytes in
                    let slot = unsafe tables.slot(of: bytes, stringHash(bytes), row: row, text)
                    if tables.slots[slot] > 0 { found[Int(tables.slots[slot]) - 1] = ordinal }
                }
            }
        }
        ordinals = found
    }

    /// Replaces the ids that events carry by the ordinals plus one.
    func number(_ events: inout [EventRecord], _ range: Range<Int>) {
        let ordinals = ordinals
        for i in range where events[i].message > 0 {
            events[i].message = ordinals[Int(events[i].message) - 1] + 1
        }
    }

    /// The block's messages for a new part: what the merged parts brought, and what is new. Empty
    /// when there is none.
    func encoded(
        merging carried: [MessageBlock], _ cancellation: Cancellation
    ) throws(WinnowError) -> [UInt8] {
        var text: [UInt8] = []
        var bounds: [Range<Int>] = []
        var runs: [MessageBlock.Run] = []
        for block in carried {
            let start = bounds.count
            runs += try block.runs().map {
                .init(row: $0.row, first: $0.first, count: $0.count, text: start + $0.text)
            }
            try unsafe block.forEach(in: nil) { _, _, id in
                bounds.append(text.count..<text.count + id.count)
                unsafe text.append(contentsOf: id)
            }
        }
        let start = bounds.count
        let (fresh, rows, ordinals) = (fresh, ids.rows, ordinals)
        for (i, id) in fresh.enumerated() {
            if i > 0, rows[fresh[i - 1]] == rows[id] {
                runs[runs.count - 1].count += 1
            } else {
                runs.append(.init(row: rows[id], first: ordinals[id], count: 1, text: start + i))
            }
        }
        guard !runs.isEmpty else { return [] }
        if start > 0 { runs.sort { ($0.row, $0.first) < ($1.row, $1.first) } }
        var touched: [UInt16] = []
        var firsts: [Int64] = []
        var counts: [Int64] = []
        var texts = TextFrames.Writer(compresses: true)
        let own = ids.text
        let tables = tables
        for (number, run) in runs.enumerated() {
            if number % 1024 == 0 { try cancellation.check() }
            if touched.last == run.row {
                counts[counts.count - 1] += Int64(run.count)
            } else {
                touched.append(run.row)
                firsts.append(Int64(run.first))
                counts.append(Int64(run.count))
            }
            for i in run.text..<run.text + run.count {
                if i < start {
                    try texts.add(text[bounds[i]])
                } else {
                    try texts.add(own[tables.range(fresh[i - start])])
                }
            }
        }
        var out = ByteWriter()
        FieldBlock.append(container: touched, to: &out)
        PackedColumn.append(firsts, to: &out)
        PackedColumn.append(counts, to: &out)
        try texts.finish(to: &out)
        return out.bytes
    }
}
