import WinnowBitmaps
import WinnowModel
import WinnowThreads

/// The records of subscriptions that some parts hold, oldest first. A part tells all records of each
/// row that it speaks of: what older parts say of the row counts no more.
package struct SubscriptionRecords: Sendable {
    private let parts: [ActivityPart]

    package init(_ parts: [ActivityPart]) { self.parts = parts }

    /// Calls `body` with the records of a block that count, part by part, and the number of the
    /// part.
    /// - Parameter rows: of whom they are wanted; nil for all.
    package func forEach(
        in block: BlockIndex, of rows: BlockSet? = nil,
        _ body: (Int, [EventRecord]) throws(WinnowError) -> Void
    ) throws(WinnowError) {
        let spoken = BlockSet.allocate()
        let own = BlockSet.allocate()
        defer {
            spoken.deallocate()
            own.deallocate()
        }
        spoken.clear()
        for (number, part) in parts.enumerated().reversed() {
            guard let index = part.types[.subscription],
                let entry = try part.find(index, block: block)
            else { continue }
            var records: [EventRecord] = []
            try part.append(.subscription, block: block, to: &records)
            let counting = records.filter { record in
                let row = Int(record.row.inBlock)
                return !spoken.contains(row) && rows?.contains(row) ?? true
            }
            try body(number, counting)
            try part.rows(entry, into: own)
            spoken.formUnion(own)
        }
    }

    /// The leaves that have records which count, of profiles that are not erased. Complexity:
    /// O(leaves) for one part of which nobody is erased, else O(records).
    package func leaves(without erased: ErasedRows?) throws(WinnowError) -> Set<LeafKey> {
        let leaves = try parts.map { (part) throws(WinnowError) in
            try part.leaves(of: .subscription)
        }
        if parts.count < 2, erased == nil {
            return Set(leaves.joined().filter { $0.events > 0 }.map(\.key))
        }
        let blocks = try blocks()
        let used = try concurrentMap(blocks.count) { (i) throws(WinnowError) in
            var used = parts.map { _ in Set<LeafID>() }
            try forEach(in: blocks[i]) { part, records in
                for record in records where erased?.contains(record.row) != true {
                    used[part].insert(record.leaf)
                }
            }
            return used
        }
        var keys: Set<LeafKey> = []
        for used in used {
            for (part, own) in used.enumerated() {
                for leaf in own where leaf.index < leaves[part].count {
                    keys.insert(leaves[part][leaf.index].key)
                }
            }
        }
        return keys
    }

    /// How many records count, of profiles that are not erased. Complexity: as of `leaves`.
    package func count(without erased: ErasedRows?) throws(WinnowError) -> Int {
        if parts.count < 2, erased == nil {
            return parts.reduce(0) { $0 + ($1.types[.subscription]?.events ?? 0) }
        }
        let blocks = try blocks()
        let counts = try concurrentMap(blocks.count) { (i) throws(WinnowError) in
            var count = 0
            try forEach(in: blocks[i]) { _, records in
                count += records.count { erased?.contains($0.row) != true }
            }
            return count
        }
        return counts.reduce(0, +)
    }

    /// The blocks of which some part has records, ascending.
    private func blocks() throws(WinnowError) -> [BlockIndex] {
        var blocks: Set<BlockIndex> = []
        for part in parts {
            blocks.formUnion(try part.blocks(of: .subscription).map(\.block))
        }
        return blocks.sorted()
    }
}
