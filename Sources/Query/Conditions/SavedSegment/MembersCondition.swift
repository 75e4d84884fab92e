import WinnowBitmaps
import WinnowCKernels
import WinnowColumns
import WinnowModel

/// Profiles that were in a static segment at an instant.
final class MembersCondition: BoundCondition {
    private let parts: [MembershipPart]
    private let list: UInt32
    private let asOf: Int64

    init(_ parts: [MembershipPart], list: UInt32, asOf: Int64) {
        self.parts = parts
        self.list = list
        self.asOf = asOf
    }

    var cost: Int { 500 }

    func evaluate(_ view: BlockView, into out: BlockSet) throws(WinnowError) {
        view.scratch.record(.members)
        try parts.members(
            of: MembershipKey(list: list, block: view.block), asOf: asOf, into: out)
    }
}

/// Profiles that entered, or left, a static segment so often within some times.
final class MembershipHistoryCondition: BoundCondition {
    private let parts: [MembershipPart]
    private let list: UInt32
    private let enters: Bool
    private let atLeast: UInt64
    private let window: ClosedRange<Int64>

    init(
        _ parts: [MembershipPart], list: UInt32, enters: Bool, atLeast: UInt64,
        window: ClosedRange<Int64>
    ) {
        self.parts = parts
        self.list = list
        self.enters = enters
        self.atLeast = atLeast
        self.window = window
    }

    var cost: Int { 2000 }

    func evaluate(_ view: BlockView, into out: BlockSet) throws(WinnowError) {
        let scratch = view.scratch
        scratch.record(.membershipChanges)
        out.clear()
        if atLeast == 1 { return try forEach(view.block) { $0.union(into: out) } }
        let counters = unsafe scratch.wideCounters.base
        unsafe counters.update(repeating: 0, count: Block.rows)
        try forEach(view.block) { rows in
            unsafe rows.rows(into: scratch.distinct)
            unsafe kernels.count_rows_wide(counters, scratch.distinct, nil, rows.count)
        }
        unsafe kernels.counters_between_wide(counters, atLeast, .max, out.bits, Block.rows)
    }

    /// Calls `body` with who entered, or left, at each time that counts.
    private func forEach(
        _ block: BlockIndex, _ body: (Container) -> Void
    ) throws(WinnowError) {
        let key = MembershipKey(list: list, block: block)
        for part in parts {
            guard let changes = try part.changes(key), changes.last >= window.lowerBound else {
                continue
            }
            try changes.forEach { (time, entered, left) throws(WinnowError) in
                if window.contains(time) { body(enters ? entered : left) }
            }
        }
    }
}
