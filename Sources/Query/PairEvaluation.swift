import Bitmaps
import Columns
import Format
import Model

/// Profiles that have, within some one message or object, often enough one event and never another.
package struct PairPlan: Sendable {
    /// What must not have happened; nil when nothing can have.
    let target: ActivityPlan?
    let other: ActivityPlan
    let atLeast: UInt64
    let pairing: Pairing

    enum Pairing: Sendable {
        /// By the profile's messages; the parts say how many each has.
        case message([ActivityPart])
        /// By campaign or template, as the plans' scopes give keys.
        case object
    }
}

/// Evaluates pairs in one block.
///
/// Method, for messages: every message of a row has a slot, a bit in a set of some hundred KiB; the other events set
/// bits, the target's clear them. For objects: runs are sorted by object, and each object's runs are evaluated like a
/// rule of its own, container by container. Only where unique events of several parts must be told apart are events
/// taken one by one for objects, too.
struct PairEvaluation {
    let plan: PairPlan
    let scratch: Scratch

    func evaluate(_ block: Int, into out: BlockSet, level: Int) throws(WinnowError) {
        out.clear()
        let other = ActivityEvaluation(plan: plan.other, scratch: scratch)
        let target = plan.target.map { ActivityEvaluation(plan: $0, scratch: scratch) }
        switch plan.pairing {
        case .message(let parts):
            scratch.take(plan.atLeast > 1 ? .messageSums : .messageBits)
            let slots = try MessageSlots(parts, block, counting: plan.atLeast > 1)
            try other.forEachKey(block) { slots.add($0, $1, $2, $3) }
            try target?.forEachKey(block) { rows, keys, _, n in slots.strike(rows, keys, n) }
            try slots.insertRows(atLeast: plan.atLeast, into: out)
        case .object:
            let runs = try other.runsByKey(block), struck = try target?.runsByKey(block)
            guard let runs, target == nil || struck != nil else {
                scratch.take(.objectsOneByOne)
                return try objectsOneByOne(block, other, target, into: out)
            }
            scratch.take(.objectRuns)
            let set = scratch.set(level), strike = scratch.set(level + 1)
            for (key, group) in runs.groups where key > 0 {
                try other.evaluate(group, runs.chunks, into: set)
                if let target, let struck, let group = struck.groups[key] {
                    try target.evaluate(group, struck.chunks, into: strike)
                    set.subtract(strike)
                }
                out.formUnion(set)
            }
        }
    }

    private func objectsOneByOne(
        _ block: Int, _ other: ActivityEvaluation, _ target: ActivityEvaluation?, into out: BlockSet
    ) throws(WinnowError) {
        var sums: [UInt64: UInt64] = [:]
        try other.forEachKey(block) { rows, keys, by, n in
            for i in 0..<n where keys[i] > 0 {
                sums[UInt64(keys[i]) << 16 | UInt64(rows[i]), default: 0] += UInt64(by[i])
            }
        }
        try target?.forEachKey(block) { rows, keys, _, n in
            for i in 0..<n { sums[UInt64(keys[i]) << 16 | UInt64(rows[i])] = nil }
        }
        for (key, sum) in sums where sum >= plan.atLeast { out.insert(Int(key & 0xFFFF)) }
    }
}

/// A bit, or a sum, for every message of every row of a block.
private final class MessageSlots {
    /// Per row the first slot; one more for the end.
    private var offsets = [Int](repeating: 0, count: Block.rows + 1)
    private let bits: UnsafeMutablePointer<UInt64>
    private let sums: UnsafeMutablePointer<UInt64>?
    private var outside = false
    private let file: String

    init(_ parts: [ActivityPart], _ block: Int, counting: Bool) throws(WinnowError) {
        for part in parts { try part.messages(block)?.raise(&offsets) }
        var total = 0
        for row in 0...Block.rows { (offsets[row], total) = (total, total + offsets[row]) }
        bits = .allocate(capacity: total / 64 + 1)
        bits.initialize(repeating: 0, count: total / 64 + 1)
        sums = counting ? .allocate(capacity: total + 1) : nil
        sums?.initialize(repeating: 0, count: total + 1)
        file = parts.first?.file.path ?? ""
    }

    deinit {
        bits.deallocate()
        sums?.deallocate()
    }

    func add(_ rows: UnsafePointer<UInt16>, _ keys: UnsafePointer<UInt32>, _ by: UnsafePointer<UInt32>, _ n: Int) {
        offsets.withUnsafeBufferPointer { offsets in
            for i in 0..<n where keys[i] > 0 {
                let slot = offsets[Int(rows[i])] + Int(keys[i]) - 1
                guard slot < offsets[Int(rows[i]) + 1] else {
                    outside = true
                    continue
                }
                bits[slot >> 6] |= 1 << UInt64(slot & 63)
                if let sums { sums[slot] += UInt64(by[i]) }
            }
        }
    }

    func strike(_ rows: UnsafePointer<UInt16>, _ keys: UnsafePointer<UInt32>, _ n: Int) {
        offsets.withUnsafeBufferPointer { offsets in
            for i in 0..<n where keys[i] > 0 {
                let slot = offsets[Int(rows[i])] + Int(keys[i]) - 1
                guard slot < offsets[Int(rows[i]) + 1] else {
                    outside = true
                    continue
                }
                bits[slot >> 6] &= ~(1 << UInt64(slot & 63))
            }
        }
    }

    /// Inserts the rows that have a message left whose sum suffices.
    func insertRows(atLeast: UInt64, into out: BlockSet) throws(WinnowError) {
        if outside { throw .damaged(file: file, what: "an event of a message that is not there") }
        var row = 0
        for word in 0...offsets[Block.rows] / 64 {
            var rest = bits[word]
            while rest != 0 {
                let slot = word << 6 + rest.trailingZeroBitCount
                rest &= rest - 1
                if let sums, sums[slot] < atLeast { continue }
                while offsets[row + 1] <= slot { row += 1 }
                out.insert(row)
            }
        }
    }
}
