import WinnowBitmaps
import WinnowColumns
import WinnowModel

/// Profiles that have, within some one message or object, often enough one event and never another.
///
/// Method, for messages: every message of a row has a slot, a bit in a set of some hundred KiB; the
/// wanted events set bits, the excluded ones clear them. For objects: runs are sorted by object,
/// and each object's runs are evaluated like a rule of its own, container by container. Only where
/// unique events of several parts must be told apart are events taken one by one for objects, too.
final class PairCondition: BoundCondition {
    private let wanted: ActivityScope
    private let atLeast: UInt64
    /// What must not have happened; nil when nothing can have.
    private let excluded: ActivityScope?
    private let pairing: Pairing

    enum Pairing: Sendable {
        /// By the profile's messages; the parts say how many each has.
        case message([ActivityPart])
        /// By campaign or template, as the scopes give keys.
        case object
    }

    init(wanted: ActivityScope, atLeast: UInt64, excluded: ActivityScope?, pairing: Pairing) {
        self.wanted = wanted
        self.atLeast = atLeast
        self.excluded = excluded
        self.pairing = pairing
    }

    var cost: Int { 10_000 + wanted.events / 50 }

    var leaves: Int { wanted.leaves + (excluded?.leaves ?? 0) }

    func evaluate(_ view: BlockView, into out: BlockSet) throws(WinnowError) {
        out.clear()
        let scratch = view.scratch
        let wanted = ActivityEvaluation(self.wanted, scratch, view.candidates)
        let excluded = self.excluded.map { ActivityEvaluation($0, scratch, view.candidates) }
        switch pairing {
        case .message(let parts):
            scratch.record(atLeast > 1 ? .messageSums : .messageBits)
            let slots = scratch.messageSlots
            try slots.reset(parts, view.block, counting: atLeast > 1)
            try unsafe wanted.forEachKey(view.block) { unsafe slots.add($0, $1, $2, $3) }
            try unsafe excluded?.forEachKey(view.block) { rows, keys, _, n in
                unsafe slots.exclude(rows, keys, n)
            }
            try slots.insertRows(atLeast: atLeast, into: out)
        case .object:
            let runs = scratch.keyed
            let others = scratch.excluded
            var told = try wanted.gatherByKey(view.block, runs)
            if told, let excluded { told = try excluded.gatherByKey(view.block, others) }
            guard told else {
                scratch.record(.objectsOneByOne)
                return try objectsOneByOne(view.block, wanted, excluded, into: out)
            }
            scratch.record(.objectRuns)
            try objects(view, wanted, excluded, into: out)
        }
    }

    /// Object by object, the runs of both events in the same order.
    private func objects(
        _ view: BlockView, _ wanted: ActivityEvaluation, _ excluded: ActivityEvaluation?,
        into out: BlockSet
    ) throws(WinnowError) {
        let runs = view.scratch.keyed
        let others = view.scratch.excluded
        let set = view.spare(0)
        let strike = view.spare(1)
        var start = 0
        var from = 0
        while start < runs.runs.count {
            let end = runs.runs.endOfObject(from: start)
            let key = runs.runs[start].key ?? 0
            defer { start = end }
            if key == 0 { continue }
            try wanted.evaluate(
                runs.runs[start..<end], runs, .init(lower: atLeast, upper: nil, out: set))
            if let excluded {
                while from < others.runs.count, others.runs[from].key ?? 0 < key { from += 1 }
                if from < others.runs.count, others.runs[from].key == key {
                    let group = others.runs[from..<others.runs.endOfObject(from: from)]
                    try excluded.evaluate(group, others, .init(lower: 1, upper: nil, out: strike))
                    set.subtract(strike)
                }
            }
            out.formUnion(set)
        }
    }

    private func objectsOneByOne(
        _ block: BlockIndex, _ wanted: ActivityEvaluation, _ excluded: ActivityEvaluation?,
        into out: BlockSet
    ) throws(WinnowError) {
        var sums: [UInt64: UInt64] = [:]
        try unsafe wanted.forEachKey(block) { rows, keys, by, n in
            for i in 0..<n where unsafe keys[i] > 0 {
                unsafe sums[UInt64(keys[i]) << 16 | UInt64(rows[i]), default: 0] += UInt64(by[i])
            }
        }
        try unsafe excluded?.forEachKey(block) { rows, keys, _, n in
            for i in 0..<n { unsafe sums[UInt64(keys[i]) << 16 | UInt64(rows[i])] = nil }
        }
        for (key, sum) in sums where sum >= atLeast { out.insert(Int(key & 0xFFFF)) }
    }
}
