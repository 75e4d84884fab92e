import WinnowBitmaps
import WinnowColumns
import WinnowFormat
import WinnowModel

/// The unique events of one block where the marks of its chunks do not say which they are: several
/// parts have events of the type, or only clicks on some links count. Candidates of all parts are
/// compared, whatever their campaign; scope and window are looked at afterwards.
struct UniqueJoin {
    let scope: ActivityScope
    let unique: UniqueRule
    let scratch: Scratch

    /// The rows that more than one chunk has events of, or one that has forgotten some; in a store
    /// of nightly batches few, since the older parts hold nearly everything.
    func contestedRows(_ block: BlockIndex) throws(WinnowError) -> BlockSet {
        let contested = scratch.contested
        let seen = scratch.seen
        let own = scratch.sliced.spare
        contested.clear()
        seen.clear()
        for part in scope.parts {
            guard let entry = try part.part.find(part.index, block: block) else { continue }
            try part.part.rows(entry, into: own)
            if part.forgets {
                // Its marks may be on events that are forgotten.
                scratch.record(.forgotten)
                contested.formUnion(own)
            } else {
                for word in 0..<Block.words {
                    unsafe contested.bits[word] |= seen.bits[word] & own.bits[word]
                }
            }
            seen.formUnion(own)
        }
        return contested
    }

    /// Calls `body` with each unique event in scope and window of some rows (nil: of all), its part
    /// and its leaf.
    func forEach(
        _ block: BlockIndex, in wanted: BlockSet?,
        _ body: (UniqueCandidate, PartScope, LeafID) -> Void
    ) throws(WinnowError) {
        var earliest = EarliestEvents(unique.names, perLink: unique.perLink)
        // Leaves of candidates, by tag; parts have theirs one after the other.
        var offsets: [Int] = []
        var total = 0
        for part in scope.parts {
            offsets.append(total)
            total += part.index.leafCount
            guard total < UInt32.max else {
                throw .damaged(file: part.part.file.path, what: "too many leaves")
            }
        }
        for (part, offset) in zip(scope.parts, offsets) {
            guard let entry = try part.part.find(part.index, block: block) else { continue }
            let table = try part.part.leaves(of: part.index)
            let chunk = try part.part.chunk(entry)
            var last: (leaf: LeafID, key: LeafKey)?
            func add(
                _ leaf: LeafID, _ row: UInt16, _ link: NameCode, _ message: UInt32, _ time: Int64
            ) throws(WinnowError) {
                guard leaf.index < table.count else {
                    throw .damaged(
                        file: part.part.file.path, what: "an event of a leaf that is not there")
                }
                let key: LeafKey
                if let last, last.leaf == leaf { key = last.key } else { key = table.key(leaf) }
                last = (leaf, key)
                if let machines = unique.machines, machines != key.machine { return }
                earliest.add(
                    UniqueCandidate(
                        row: row, campaign: key.campaign, template: key.template, link: link,
                        message: message, time: time,
                        tag: UInt32(truncatingIfNeeded: offset + leaf.index)))
            }
            for i in 0..<chunk.headCount {
                let head = try chunk.head(i)
                scratch.look(at: head.events, bytes: head.rowBytes + head.streams.byteCount)
                let rows = unsafe scratch.rows(for: head.events)
                try unsafe head.eventRows(into: rows, distinct: scratch.distinct)
                try unsafe candidates(head.streams, rows, wanted, part) {
                    (_, row, link, message, time) throws(WinnowError) in
                    try add(head.leaf, row, link, message, time)
                }
            }
            scratch.look(
                at: chunk.tail.events, bytes: 2 * chunk.tail.events + chunk.tail.byteCount)
            var run = 0
            var end = 0
            try unsafe candidates(chunk.tail, chunk.tailRows, wanted, part) {
                (event, row, link, message, time) throws(WinnowError) in
                while run < chunk.tailRuns, event >= end {
                    end = try chunk.run(run).upperBound
                    run += 1
                }
                if event < end { try add(chunk.leaf(ofRun: run - 1), row, link, message, time) }
            }
        }
        for (part, offset) in zip(scope.parts, offsets) {
            let own = UInt32(offset)..<UInt32(offset + part.index.leafCount)
            for event in earliest.events
            where own.contains(event.tag) && part.window.contains(event.time) {
                let leaf = LeafID(Int(event.tag) - offset)
                if part.contains(leaf) { body(event, part, leaf) }
            }
        }
    }

    /// Calls `body` with the number, row, link, message and time of the events that may be unique:
    /// those that their chunk marks, with links those on one of them, where some are forgotten all
    /// others.
    private func candidates(
        _ streams: EventStreams, _ rows: UnsafePointer<UInt16>, _ wanted: BlockSet?,
        _ part: PartScope,
        _ body: (Int, UInt16, NameCode, UInt32, Int64) throws(WinnowError) -> Void
    ) throws(WinnowError) {
        let messages = unsafe scratch.messages
        let mask = unsafe scratch.mask
        let horizon = part.part.horizon
        let looksAtAll = part.forgets || unique.isRestricted
        for at in stride(from: 0, to: streams.events, by: Scratch.piece) {
            let piece = at..<min(at + Scratch.piece, streams.events)
            let words = (piece.count + 63) / 64
            unsafe mask.update(repeating: 0, count: words)
            for i in 0..<piece.count {
                let row = unsafe Int(rows[at + i])
                let bit =
                    wanted.map { unsafe $0.bits[row >> 6] >> UInt64(row & 63) & 1 } ?? 1
                unsafe mask[i >> 6] |= bit << UInt64(i & 63)
            }
            if !looksAtAll {
                unsafe streams.narrow(
                    mask, toMarks: unique.marks, from: at, first: piece.count,
                    spare: scratch.spareMask, result: scratch.unitedMask)
            }
            guard (0..<words).contains(where: { unsafe mask[$0] != 0 }) else { continue }
            unsafe streams.times(at, piece.count, of: mask, into: scratch.times)
            unsafe streams.messages(piece, into: messages)
            let links = streams.links(piece)
            var chosen = 0
            for word in 0..<words {
                var bits = unsafe mask[word]
                while bits != 0 {
                    let i = word * 64 + bits.trailingZeroBitCount
                    bits &= bits - 1
                    let time = unsafe scratch.times[chosen]
                    chosen += 1
                    if looksAtAll {
                        let counts = unique.links?.contains(links[i]) ?? true
                        guard counts, time >= horizon else { continue }
                    }
                    try unsafe body(at + i, rows[at + i], links[i], messages[i], time)
                }
            }
        }
    }
}
