import Bitmaps
import Columns
import Model

/// Profiles that have, of some one key, often enough one event and never another: pairing by message or by object.
///
/// Method: the other events of a block are summed by (row, key) in a hash table, and the target's events strike keys
/// out; whoever has a key left matches. Both sides come from the same walk through runs that counting takes, so only
/// runs in scope are read.
package struct PairPlan: Sendable {
    /// What must not have happened; nil when nothing can have.
    let target: ActivityPlan?
    let other: ActivityPlan
    let atLeast: UInt64
}

struct PairEvaluation {
    let plan: PairPlan
    let scratch: Scratch

    func evaluate(_ block: Int, into out: BlockSet) throws(WinnowError) {
        out.clear()
        let table = scratch.pairs
        table.reset()
        try ActivityEvaluation(plan: plan.other, scratch: scratch).forEachKey(block) { table.add($0, $1, $2) }
        guard !table.isEmpty else { return }
        if let target = plan.target {
            try ActivityEvaluation(plan: target, scratch: scratch).forEachKey(block) { row, key, _ in
                table.strike(row, key)
            }
        }
        table.forEach(atLeast: plan.atLeast) { out.insert($0) }
    }
}

/// Sums by (row, key), open addressing; kept from block to block for its memory.
final class PairTable {
    private var keys: [UInt64] = []
    private var sums: [UInt64] = []
    private var used = 0

    private static let smallest = 1 << 12

    var isEmpty: Bool { used == 0 }

    func reset() {
        used = 0
        // A table that one block made large is not cleared for every block behind it.
        if keys.isEmpty || keys.count > PairTable.smallest << 8 {
            keys = Array(repeating: 0, count: PairTable.smallest)
            sums = Array(repeating: 0, count: PairTable.smallest)
        } else {
            keys.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
        }
    }

    /// Keys are not zero, so neither is what stands for them.
    private func word(_ row: UInt16, _ key: UInt32) -> UInt64 { UInt64(key) << 16 | UInt64(row) }

    private func slot(_ word: UInt64) -> Int {
        var slot = Int(truncatingIfNeeded: (word &* 0x9E37_79B9_7F4A_7C15) >> 24) & (keys.count - 1)
        while keys[slot] != 0, keys[slot] != word { slot = (slot + 1) & (keys.count - 1) }
        return slot
    }

    func add(_ row: UInt16, _ key: UInt32, _ weight: UInt32) {
        let word = word(row, key), slot = slot(word)
        if keys[slot] == 0 {
            keys[slot] = word
            sums[slot] = UInt64(weight)
            used += 1
            if used * 2 > keys.count { grow() }
        } else {
            sums[slot] += UInt64(weight)
        }
    }

    func strike(_ row: UInt16, _ key: UInt32) {
        let slot = slot(word(row, key))
        if keys[slot] != 0 { sums[slot] = 0 }
    }

    private func grow() {
        let oldKeys = keys, oldSums = sums
        keys = Array(repeating: 0, count: oldKeys.count * 4)
        sums = Array(repeating: 0, count: oldKeys.count * 4)
        for (key, sum) in zip(oldKeys, oldSums) where key != 0 {
            let slot = slot(key)
            keys[slot] = key
            sums[slot] = sum
        }
    }

    func forEach(atLeast: UInt64, _ body: (Int) -> Void) {
        for (key, sum) in zip(keys, sums) where key != 0 && sum >= atLeast { body(Int(key & 0xFFFF)) }
    }
}
