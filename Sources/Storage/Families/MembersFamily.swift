import WinnowBitmaps
import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowThreads

/// Who entered and left static segments.
enum MembersFamily: PartFamily {
    static let kind = PartKind.members
    static let share = StoreShare.other

    static func size(in batch: Batch) -> Int { batch.memberships.reduce(0) { $0 + $1.size } }

    static func write(_ merge: Merge, to part: PartWriter) throws(WinnowError) -> PartReference {
        let parts = try merge.snapshot.memberships()
        var new = MembershipMerge(
            Array(merge.replaced(parts)), isWhole: merge.isWhole(kind), merge.batch.memberships)
        new.erased = merge.purge?.erased
        if merge.purge != nil || merge.batch.droppedBefore != nil {
            new.lists = Set(try merge.snapshot.savedSegments().all.map(\.list))
        }
        new.horizon = merge.batch.droppedBefore ?? .min
        return try new.write(to: part)
    }

    static func verify(_ check: StoreCheck) throws(WinnowError) {
        let parts = try check.snapshot.memberships()
        let saved = try check.snapshot.savedSegments()
        for part in parts {
            check.findings.expect(
                zip(part.keys, part.keys.dropFirst()).allSatisfy { $0 < $1 }, part.file.path,
                "lists are out of order")
        }
        let keys = Set(parts.flatMap(\.keys)).sorted()
        _ = try concurrentMap(keys.count) { (i) throws(WinnowError) in
            check.findings.check(parts[0].file.path) { () throws(WinnowError) in
                try MembershipCheck(keys[i], parts, check, saved).run()
            }
        }
    }

    /// Rows and times alone; times are those of refreshes.
    static func search(
        _ file: PartFile, for value: SoughtValue, _ schema: Schema, _ found: Findings
    ) throws(WinnowError) {}
}

/// Goes through the changes of a list in a block: whoever enters was outside, whoever leaves was
/// inside, and where a part says who is in the list at its end, that is so.
private struct MembershipCheck {
    private let key: MembershipKey
    private let parts: [MembershipPart]
    private let check: StoreCheck
    private let times: Set<Int64>
    private let horizon: Int64

    init(
        _ key: MembershipKey, _ parts: [MembershipPart], _ check: StoreCheck,
        _ saved: SavedSegments
    ) {
        self.key = key
        self.parts = parts
        self.check = check
        times = Set(saved.refreshes[key.list]?.map(\.asOf) ?? [])
        horizon = saved.all.first { $0.list == key.list }?.horizon ?? .min
    }

    func run() throws(WinnowError) {
        let members = BlockSet.allocate()
        let rows = BlockSet.allocate()
        defer {
            members.deallocate()
            rows.deallocate()
        }
        // Who was there before the first change that is left.
        try parts.members(of: key, asOf: .min, into: members)
        var last = Int64.min
        for part in parts {
            func expect(_ condition: Bool, _ what: String) {
                check.findings.expect(
                    condition, part.file.path,
                    "list \(key.list), block \(key.block.number): \(what)")
            }
            guard let changes = try part.changes(key) else { continue }
            try changes.forEach { (time, entered, left) throws(WinnowError) in
                expect(time >= last && Instant.possibleMilliseconds.contains(time), "times go back")
                expect(
                    times.isEmpty || time < horizon || times.contains(time),
                    "a change at a time without a refresh")
                last = time
                for (container, isInside) in [(entered, false), (left, true)] {
                    let all = container.allRows
                    expect(zip(all, all.dropFirst()).allSatisfy { $0 < $1 }, "rows out of order")
                    expect(
                        all.allSatisfy { members.contains(Int($0)) == isInside },
                        isInside ? "one leaves who was not there" : "one enters who was there")
                    container.toggle(in: members)
                    rows.formUnion(members)
                }
            }
            expect(
                changes.count == 0 || changes.last == last, "the time of the last change is wrong")
            guard let stored = changes.members else { continue }
            stored.copy(into: rows)
            let isSame = rows.count == members.count && rows.count(with: members) == rows.count
            expect(isSame, "the members are not what the changes make of them")
        }
        let end = check.snapshot.rows - key.block.number * Block.rows
        var areThere = true
        members.forEach { row in
            let isPurged =
                check.purged?.contains(Row(key.block, UInt16(truncatingIfNeeded: row))) == true
            if row >= end || isPurged { areThere = false }
        }
        check.findings.expect(
            areThere, parts[0].file.path,
            "list \(key.list), block \(key.block.number): a member that the store does not have")
    }
}
