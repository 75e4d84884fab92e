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
            func add(
                _ streams: EventStreams, _ range: Range<Int>, _ leaf: LeafID,
                _ rows: UnsafePointer<UInt16>
            ) throws(WinnowError) {
                guard leaf.index < table.count else {
                    throw .damaged(
                        file: part.part.file.path, what: "an event of a leaf that is not there")
                }
                let key = table.key(leaf)
                if let machines = unique.machines, machines != key.machine { return }
                let tag = UInt32(truncatingIfNeeded: offset + leaf.index)
                unsafe candidates(streams, range, rows, wanted, part) { row, link, message, time in
                    earliest.add(
                        UniqueCandidate(
                            row: row, campaign: key.campaign, template: key.template, link: link,
                            message: message,
                            time: time, tag: tag))
                }
            }
            for i in 0..<chunk.headCount {
                let head = try chunk.head(i)
                scratch.look(at: head.events, bytes: head.rowBytes + head.streams.byteCount)
                let rows = unsafe scratch.rows(for: head.events)
                try unsafe head.eventRows(into: rows, distinct: scratch.distinct)
                try unsafe add(head.streams, 0..<head.events, head.leaf, rows)
            }
            scratch.look(
                at: chunk.tail.events, bytes: 2 * chunk.tail.events + chunk.tail.byteCount)
            for i in 0..<chunk.tailRuns {
                let range = try chunk.run(i)
                try unsafe add(
                    chunk.tail, range, chunk.leaf(ofRun: i), chunk.tailRows + range.lowerBound)
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

    /// The events that may be unique: those that their chunk marks, with links those on one of
    /// them, where some are forgotten all others.
    private func candidates(
        _ streams: EventStreams, _ range: Range<Int>, _ rows: UnsafePointer<UInt16>,
        _ wanted: BlockSet?,
        _ part: PartScope, _ body: (UInt16, NameCode, UInt32, Int64) -> Void
    ) {
        var at = range.lowerBound
        let messages = unsafe scratch.messages
        let horizon = part.part.horizon
        while at < range.upperBound {
            let piece = at..<min(at + Scratch.piece, range.upperBound)
            unsafe streams.messages(piece, into: messages)
            let firsts = streams.firsts.values(piece)
            let links = streams.links(piece)
            let times = streams.times(piece)
            for i in 0..<piece.count {
                let row = unsafe rows[at - range.lowerBound + i]
                if let wanted, unsafe wanted.bits[Int(row >> 6)] >> UInt64(row & 63) & 1 == 0 {
                    continue
                }
                if part.forgets || unique.isRestricted {
                    let counts = unique.links?.contains(links[i]) ?? true
                    guard counts, times[i] >= horizon else { continue }
                } else if firsts[i] & UInt64(unique.marks) == 0 {
                    continue
                }
                unsafe body(row, links[i], messages[i], times[i])
            }
            at = piece.upperBound
        }
    }
}
