import WinnowBitmaps
import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowSimulation
import Testing

/// Who entered and left lists, over many parts that are merged.
@Suite("Memberships")
struct MembershipTests {
    private let parts = Parts()

    /// A change of one list in one block, as sets.
    private struct Change {
        var list: UInt32
        var block: Int
        var time: Int64
        var entered: Set<UInt16>
        var left: Set<UInt16>
    }

    private static func set(_ rows: Set<UInt16>) -> BlockSet {
        let set = BlockSet.allocate()
        set.clear()
        for row in rows { set.insert(Int(row)) }
        return set
    }

    private static func update(_ changes: [Change]) -> [MembershipUpdate] {
        changes.map { change in
            var update = MembershipUpdate(list: change.list, time: change.time)
            let entered = set(change.entered)
            let left = set(change.left)
            update.blocks = [
                (BlockIndex(change.block), MembershipUpdate.Rows(entered: entered, left: left))
            ]
            entered.deallocate()
            left.deallocate()
            return update
        }
    }

    private func merge(
        _ older: [MembershipPart], isWhole: Bool, _ changes: [Change],
        _ set: (inout MembershipMerge) -> Void = { _ in }
    ) throws -> MembershipPart {
        var merge = MembershipMerge(older, isWhole: isWhole, MembershipTests.update(changes))
        set(&merge)
        let made = merge
        return try MembershipPart(parts.write(.members) { try made.write(to: $0) })
    }

    private func members(
        _ parts: [MembershipPart], _ list: UInt32, _ block: Int, asOf: Int64
    ) throws -> Set<UInt16> {
        let set = BlockSet.allocate()
        defer { set.deallocate() }
        let key = MembershipKey(list: list, block: BlockIndex(block))
        try parts.members(of: key, asOf: asOf, into: set)
        var rows: Set<UInt16> = []
        set.forEach { rows.insert(UInt16($0)) }
        return rows
    }

    @Test(
        "members as of any time, however parts were merged, and after changes were forgotten",
        arguments: 1...30 as ClosedRange<UInt64>)
    func merges(seed: UInt64) throws {
        var dice = Dice(seed)
        let lists: [UInt32] = [1, 2, 7]
        var current: [MembershipKey: Set<UInt16>] = [:]
        var all: [Change] = []
        var stored: [MembershipPart] = []
        var horizon = Int64.min
        var base: [MembershipKey: Set<UInt16>] = [:]
        func expected(_ key: MembershipKey, asOf: Int64) -> Set<UInt16> {
            all.filter {
                $0.list == key.list && $0.block == key.block.number && $0.time <= asOf
            }.reduce(base[key] ?? []) { $0.subtracting($1.left).union($1.entered) }
        }
        for round in 0..<40 {
            let time = Int64(round * 10)
            var changes: [Change] = []
            for list in lists {
                for block in 0..<2 where dice.below(3) > 0 {
                    let key = MembershipKey(list: list, block: BlockIndex(block))
                    let old = current[key] ?? []
                    // Arrays, bitsets and full containers.
                    var new = old
                    switch dice.below(8) {
                    case 0: new = Set((0..<UInt16(dice.below(9000) + 1)))
                    case 1: new = []
                    case 2: new = Set((0..<6000).map { UInt16($0 * 7) })
                    default:
                        for _ in 0..<dice.below(40) {
                            let row = UInt16(dice.below(65_536))
                            if new.remove(row) == nil { new.insert(row) }
                        }
                    }
                    let change = Change(
                        list: list, block: block, time: time, entered: new.subtracting(old),
                        left: old.subtracting(new))
                    if change.entered.isEmpty, change.left.isEmpty { continue }
                    changes.append(change)
                    current[key] = new
                }
            }
            let count = dice.below(stored.count + 1)
            let merged = try merge(
                Array(stored.suffix(count)), isWhole: count == stored.count, changes)
            stored.removeLast(count)
            stored.append(merged)
            all += changes
            if dice.below(12) == 0 {
                horizon = time - Int64(dice.below(60))
                let forgotten = horizon
                stored = [try merge(stored, isWhole: true, []) { $0.horizon = forgotten }]
                for key in current.keys { base[key] = expected(key, asOf: horizon - 1) }
                all.removeAll { $0.time < horizon }
            }
            for list in lists {
                for block in 0..<2 {
                    let key = MembershipKey(list: list, block: BlockIndex(block))
                    #expect(try members(stored, list, block, asOf: .max) == current[key] ?? [])
                    for _ in 0..<2 {
                        let asOf = max(horizon, Int64(dice.below(round * 10 + 12)) - 1)
                        #expect(
                            try members(stored, list, block, asOf: asOf)
                                == expected(key, asOf: asOf), "seed \(seed), as of \(asOf)")
                    }
                }
            }
        }
        // Lists that are gone leave.
        let some = try merge(stored, isWhole: true, []) { $0.lists = [2] }
        #expect(some.keys.allSatisfy { $0.list == 2 } && !some.keys.isEmpty)
        #expect(!some.speaks(of: 1) && some.speaks(of: 2) && !some.speaks(of: 3))
    }

    @Test("what damage makes of a part is read as something, or is damage")
    func damage() throws {
        let changes = [
            Change(list: 1, block: 0, time: 5, entered: [1, 2, 9], left: []),
            Change(list: 1, block: 0, time: 6, entered: [3], left: [1]),
            Change(list: 4, block: 1, time: 6, entered: [0, 1, 2], left: []),
        ]
        let merged = try merge([], isWhole: true, changes) { _ in }
        let whole = try merge([merged], isWhole: true, []) { $0.horizon = 6 }
        for tag in [SectionTag.lists, .members] {
            try parts.flipping(tag, of: whole.file) { file in
                let part = try MembershipPart(file)
                for key in part.keys.prefix(4) {
                    let set = BlockSet.allocate()
                    defer { set.deallocate() }
                    try [part].members(of: key, asOf: 5, into: set)
                    try [part].members(of: key, asOf: .max, into: set)
                }
            }
        }
    }

    @Test("saved segments come back, newest first by name; removed ones go with a whole merge")
    func segments() throws {
        var first = SegmentsPart()
        var fans = StoredSegment(name: Array("fans".utf8))
        fans.list = 3
        fans.horizon = -5
        fans.description = Array("é".utf8)
        fans.rule = Array(#"{"sample": {"from": 0, "to": 1}}"#.utf8)
        var ids = StoredSegment(name: Array("ids".utf8))
        ids.list = 4
        first.segments = [fans, ids]
        for i in 0..<100 as Range<Int64> {
            first.refreshes.append(
                StoredRefresh(
                    list: i % 2 == 0 ? 3 : 4, asOf: i * 1000 - 50_000, entered: i, left: i / 2,
                    members: 4_000_000_000))
        }
        first.nextList = 5
        var all = try SegmentsPart(parts.write(.segments) { try first.write(to: $0) })
        #expect(all.segments == first.segments && all.refreshes == first.refreshes)
        #expect(all.nextList == 5)
        ids.isRemoved = true
        ids.list = 0
        var second = SegmentsPart()
        second.segments = [ids]
        second.nextList = 5
        all.add(try SegmentsPart(parts.write(.segments) { try second.write(to: $0) }))
        #expect(all.segments.map(\.isRemoved) == [false, true])
        all.forget(before: 0)
        #expect(all.refreshes.allSatisfy { $0.asOf >= 0 })
        all.forgetRemoved()
        #expect(all.segments == [fans] && all.refreshes.allSatisfy { $0.list == 3 })
        // A number that was given is never given again.
        #expect(all.nextList == 5)
        let file = try parts.write(.segments) { try first.write(to: $0) }
        for tag in [SectionTag.definitions, .refreshes] {
            try parts.flipping(tag, of: file) { _ = try SegmentsPart($0) }
        }
    }
}
