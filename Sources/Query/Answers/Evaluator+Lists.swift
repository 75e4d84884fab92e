import Synchronization
import WinnowBitmaps
import WinnowColumns
import WinnowModel

/// A static segment whose members are to be found anew.
package struct RefreshedList: Sendable {
    package var list: UInt32
    /// Who is in it from now on.
    package var plan: Plan

    package init(list: UInt32, _ plan: Plan) {
        self.list = list
        self.plan = plan
    }
}

extension Evaluator {
    /// Finds who enters and leaves static segments, in one pass over the profiles.
    /// - Parameter time: when they do so.
    /// - Returns: for each, what it comes to, and how many members there are.
    /// - Complexity: as counting the plans together.
    package func refresh(
        _ lists: [RefreshedList], _ parts: [MembershipPart], at time: Instant
    ) throws(WinnowError) -> [(update: MembershipUpdate, members: Int)] {
        let found = Mutex(
            lists.map {
                (update: MembershipUpdate(list: $0.list, time: time.milliseconds), members: 0)
            })
        try forEachBlock(lists.map(\.plan)) { (block) throws(WinnowError) in
            for (i, list) in lists.enumerated() {
                let change = try block.change(of: list.list, parts, to: block.sets[i])
                let rows = MembershipUpdate.Rows(entered: change.entered, left: change.left)
                let members = block.sets[i].count
                found.withLock { found in
                    found[i].members += members
                    guard rows.entered + rows.left > 0 else { return }
                    found[i].update.blocks.append((block.block, rows))
                }
            }
        }
        return found.withLock { found in
            for i in found.indices { found[i].update.blocks.sort { $0.block < $1.block } }
            return found
        }
    }

    /// How many members static segments have as of an instant.
    package func members(
        of lists: [UInt32], _ parts: [MembershipPart], asOf: Instant
    ) throws(WinnowError) -> [Int] {
        let own = lists.map { list in
            Plan.condition(
                MembersCondition(
                    parts.filter { $0.speaks(of: list) }, list: list, asOf: asOf.milliseconds))
        }
        return try count(own)
    }
}

extension EvaluatedBlock {
    /// Who enters and leaves a list when its members become others; good until the next call.
    fileprivate func change(
        of list: UInt32, _ parts: [MembershipPart], to members: BlockSet
    ) throws(WinnowError) -> (entered: BlockSet, left: BlockSet) {
        let entered = spare(0)
        let left = spare(1)
        let key = MembershipKey(list: list, block: block)
        try parts.members(of: key, asOf: .max, into: left)
        left.formIntersection(universe)
        entered.copy(from: members)
        entered.subtract(left)
        left.subtract(members)
        return (entered, left)
    }
}

/// A static segment against what its rule says, with the nodes of the rule bound for two instants.
package struct ListDifference: Sendable {
    /// Rows that leave and enter, by the node that decides; none of a row for which none does.
    package fileprivate(set) var left: [Int?: Int] = [:]
    package fileprivate(set) var entered: [Int?: Int] = [:]
    /// The changes of each block, where they are asked for: rows, whether they enter, and the node.
    package fileprivate(set) var rows: [(row: Row, enters: Bool, node: Int?)] = []
}

extension Evaluator {
    /// Who would enter and leave a static segment, and which node of its rule decides that: for one
    /// who leaves the node that fails now, for one who enters the one that failed as of the last
    /// refresh.
    ///
    /// Method: the rule and the members are compared block by block. Only where somebody changes
    /// are nodes looked at, and only of those rows.
    /// - Parameter now: the rule's nodes as of the instant that is asked for.
    /// - Parameter before: the same nodes as of the last refresh.
    /// - Parameter listsRows: whether each row is wanted.
    /// - Complexity: as counting the rule, and where somebody changes its conditions once more for
    ///   each of the instants.
    package func difference(
        of list: RefreshedList, _ parts: [MembershipPart], now: [BoundNode], before: [BoundNode],
        listsRows: Bool
    ) throws(WinnowError) -> ListDifference {
        let nodes = now.count
        let (conditions, numbers) = (now + before).conditions
        let result = Mutex(ListDifference())
        try forEachBlock(Program([list.plan] + conditions)) {
            (evaluation, block) throws(WinnowError) in
            evaluation.begin(block)
            let reasons = Reasons()
            defer { reasons.deallocate() }
            reasons.members.copy(from: try evaluation.rows(ofPlan: 0))
            let found = EvaluatedBlock(
                block: block, sets: [reasons.members], scratch: evaluation.scratch)
            let change = try found.change(of: list.list, parts, to: reasons.members)
            reasons.entered.copy(from: change.entered)
            reasons.left.copy(from: change.left)
            var own = ListDifference()
            for (rows, enters) in [(reasons.left, false), (reasons.entered, true)]
            where !rows.isEmpty {
                let tree = enters ? before : now
                let offset = enters ? nodes : 0
                func note(_ rows: BlockSet, _ node: Int?) {
                    let count = rows.count
                    if count == 0 { return }
                    if enters {
                        own.entered[node, default: 0] += count
                    } else {
                        own.left[node, default: 0] += count
                    }
                    guard listsRows else { return }
                    rows.forEach {
                        own.rows.append((Row(block, UInt16(truncatingIfNeeded: $0)), enters, node))
                    }
                }
                // Who is in a node by its own.
                func evaluate(_ node: Int, into out: BlockSet, level: Int) throws(WinnowError) {
                    switch tree[node].kind {
                    case .condition:
                        guard let plan = numbers[offset + node] else { return }
                        out.copy(from: try evaluation.rows(ofPlan: plan + 1, within: rows))
                    case .not(let child):
                        try evaluate(child, into: out, level: level)
                        out.complement(in: evaluation.scratch.universe)
                    case .all(let children):
                        out.copy(from: evaluation.scratch.universe)
                        let spare = reasons.set(level)
                        for child in children {
                            try evaluate(child, into: spare, level: level + 1)
                            out.formIntersection(spare)
                        }
                    case .any(let children):
                        out.clear()
                        let spare = reasons.set(level)
                        for child in children {
                            try evaluate(child, into: spare, level: level + 1)
                            out.formUnion(spare)
                        }
                    }
                }
                // Rows that are not in a node, by what decides that.
                func explain(_ node: Int, _ failing: BlockSet, level: Int) throws(WinnowError) {
                    switch tree[node].kind {
                    case .condition: note(failing, node)
                    case .not(let child):
                        var isGroup = true
                        if case .condition = tree[child].kind { isGroup = false }
                        note(failing, isGroup ? node : child)
                    case .any(let children):
                        try explain(children[0], failing, level: level)
                    case .all(let children):
                        let rest = reasons.set(level)
                        let own = reasons.set(level + 1)
                        rest.copy(from: failing)
                        for child in children where !rest.isEmpty {
                            try evaluate(child, into: own, level: level + 2)
                            let failed = reasons.set(level + 2)
                            failed.copy(from: rest)
                            failed.subtract(own)
                            rest.formIntersection(own)
                            try explain(child, failed, level: level + 3)
                        }
                    }
                }
                // Late data may have made somebody a member as of the last refresh.
                let failing = reasons.set(0)
                failing.copy(from: rows)
                let matching = reasons.set(1)
                try evaluate(0, into: matching, level: 2)
                failing.subtract(matching)
                try explain(0, failing, level: 2)
                matching.formIntersection(rows)
                note(matching, nil)
            }
            let block = own
            result.withLock { result in
                result.left.merge(block.left, uniquingKeysWith: +)
                result.entered.merge(block.entered, uniquingKeysWith: +)
                result.rows += block.rows
            }
        }
        return result.withLock { result in
            result.rows.sort { $0.row < $1.row }
            return result
        }
    }
}

/// Sets for finding the reasons of one block.
private final class Reasons {
    let members = BlockSet.allocate()
    let entered = BlockSet.allocate()
    let left = BlockSet.allocate()
    private var sets: [BlockSet] = []

    func set(_ level: Int) -> BlockSet {
        while sets.count <= level { sets.append(.allocate()) }
        return sets[level]
    }

    func deallocate() { for set in sets + [members, entered, left] { set.deallocate() } }
}
