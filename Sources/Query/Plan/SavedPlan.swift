import Synchronization
import WinnowBitmaps
import WinnowFormat
import WinnowModel
import WinnowStorage

/// The plan of a saved segment. Rules that use the segment share it, and may take who is in it from
/// an earlier evaluation.
package final class SavedPlan: Sendable {
    let plan: Plan
    let cost: Int
    let leaves: Int
    /// nil where nothing is kept.
    let rows: SavedRows?

    private static let most = 1 << 40

    init(_ plan: Plan, rows: SavedRows?) {
        self.plan = plan
        self.rows = rows
        // Segments that use each other twice, and so on, add up to any number.
        cost = min(plan.cost, SavedPlan.most)
        leaves = min(plan.leaves, SavedPlan.most)
    }
}

/// Who is in a segment, block by block, as far as it was evaluated.
final class SavedRows: Sendable {
    private let key: SegmentCache.Key

    init(_ key: SegmentCache.Key) { self.key = key }

    /// Makes a set the rows of a block; false where they are not known.
    func copy(_ block: BlockIndex, into set: BlockSet) -> Bool {
        SegmentCache.shared.copy(key, block, into: set)
    }

    /// Keeps the rows of a block, where there is room.
    func keep(_ block: BlockIndex, _ set: BlockSet) { SegmentCache.shared.keep(key, block, set) }
}

/// Who is in segments that rules of this process used. An entry is of one version of a store and of
/// one instant, or of all instants that give the same; when the memory is full, the one goes that
/// was not used for longest.
package final class SegmentCache: Sendable {
    /// Bytes that all entries together may take.
    package static let bytes = 64 << 20
    fileprivate static let shared = SegmentCache()

    struct Key: Hashable, Sendable {
        let path: String
        /// With the checksums of all parts: of another store at the path there is another.
        let version: Manifest
        @Bytewise var name: String
        let zone: String
        let usualZone: String
        /// The instant of evaluation, or where later ones give the same, the first of them.
        let asOf: Int64
        /// The local day, where that matters.
        let day: Int?
    }

    private struct Entry {
        var blocks: [BlockIndex: [UInt64]] = [:]
        var used: UInt64 = 0
    }

    private struct Entries {
        var all: [Key: Entry] = [:]
        var blocks = 0
        var clock: UInt64 = 0
    }

    private let entries = Mutex(Entries())

    fileprivate func copy(_ key: Key, _ block: BlockIndex, into set: BlockSet) -> Bool {
        let words = entries.withLock { entries -> [UInt64]? in
            entries.clock += 1
            entries.all[key]?.used = entries.clock
            return entries.all[key]?.blocks[block]
        }
        guard let words else { return false }
        for (i, word) in words.enumerated() { unsafe set.bits[i] = word }
        return true
    }

    fileprivate func keep(_ key: Key, _ block: BlockIndex, _ set: BlockSet) {
        let words = unsafe Array(UnsafeBufferPointer(start: set.bits, count: Block.words))
        let most = SegmentCache.bytes / (8 * Block.words)
        entries.withLock { entries in
            while entries.blocks >= most {
                let oldest = entries.all.filter { $0.key != key }.min {
                    $0.value.used < $1.value.used
                }
                guard let oldest else { return }
                entries.blocks -= oldest.value.blocks.count
                entries.all[oldest.key] = nil
            }
            entries.clock += 1
            var entry = entries.all.removeValue(forKey: key) ?? Entry()
            entry.used = entries.clock
            if entry.blocks.updateValue(words, forKey: block) == nil { entries.blocks += 1 }
            entries.all[key] = entry
        }
    }
}
