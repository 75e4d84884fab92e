import Bitmaps
import Columns
import Model

/// Evaluates a program in one block after the other; each thread has one of its own.
@safe final class BlockEvaluation {
    private let program: Program
    private let rows: Int
    private let erased: ErasedRows?
    private let scratch = Scratch()
    private var block = 0
    /// Sets of nodes that are used several times, and the block that each was evaluated in last.
    private let kept: [BlockSet]
    private let keptBlock: UnsafeMutablePointer<Int>
    /// What is asked of the activity at hand.
    private var wanted: [ActivityEvaluation.Wanted] = []

    /// - Parameter rows: rows of the store, of which some are of erased profiles.
    init(_ program: Program, rows: Int, erased: ErasedRows?) {
        self.program = program
        self.rows = rows
        self.erased = erased
        kept = (0..<program.slotCount).map { _ in BlockSet.allocate() }
        unsafe keptBlock = .allocate(capacity: program.slotCount + 1)
        unsafe keptBlock.initialize(repeating: -1, count: program.slotCount + 1)
    }

    deinit {
        for set in kept { set.deallocate() }
        unsafe keptBlock.deallocate()
    }

    /// Calls `body` with the number of each plan and its rows in a block; the set is good until the call returns.
    func evaluate(_ block: Int, _ body: (Int, BlockSet) -> Void) throws(WinnowError) {
        self.block = block
        scratch.universe.fill(first: min(Block.rows, rows - block * Block.rows))
        let gone = erased?.block(block)
        if let gone {
            scratch.take(.erased)
            scratch.universe.subtract(gone)
        }
        for (i, root) in program.roots.enumerated() {
            let set = try set(of: root, or: scratch.set(0), level: 1, within: nil)
            // What events and fields say of erased profiles counts nowhere; inside the tree it does no harm.
            if gone != nil { set.formIntersection(scratch.universe) }
            body(i, set)
        }
    }

    /// The rows of a node: its own set where it is used several times, else `spare` is made so. Sets of `level` and
    /// above are free. With `within` only the rows in it need be right.
    private func set(of node: Int, or spare: BlockSet, level: Int, within: BlockSet?) throws(WinnowError) -> BlockSet {
        guard let slot = program.slots[node] else {
            try evaluate(node, into: spare, level: level, within: within)
            return spare
        }
        guard unsafe keptBlock[slot] != block else {
            scratch.take(.shared)
            return kept[slot]
        }
        let siblings = program.siblings[node]
        if siblings.count > 1 {
            try evaluate(siblings: siblings)
        } else {
            try evaluate(node, into: kept[slot], level: level, within: nil)
            unsafe keptBlock[slot] = block
        }
        return kept[slot]
    }

    /// Different counts of the same events.
    private func evaluate(siblings: [Int]) throws(WinnowError) {
        var scope: ActivityScope?
        wanted.removeAll(keepingCapacity: true)
        for node in siblings {
            guard case .activity(let plan) = program.nodes[node], let slot = program.slots[node] else { continue }
            scope = plan.scope
            wanted.append(.init(lower: plan.lower, upper: plan.upper, out: kept[slot]))
            unsafe keptBlock[slot] = block
        }
        guard let scope else { return }
        scratch.take(.countedTogether)
        try ActivityEvaluation(scope, scratch).evaluate(block, wanted)
    }

    private func evaluate(_ node: Int, into out: BlockSet, level: Int, within: BlockSet?) throws(WinnowError) {
        switch program.nodes[node] {
        case .nobody: out.clear()
        case .everybody: out.copy(from: scratch.universe)
        case .activity(let plan):
            wanted.removeAll(keepingCapacity: true)
            wanted.append(.init(lower: plan.lower, upper: plan.upper, out: out))
            try ActivityEvaluation(plan.scope, scratch, within).evaluate(block, wanted)
        case .field(let field):
            try FieldEvaluation(plan: field, scratch: scratch, level: level, within: within).evaluate(block, into: out)
        case .rows(let rows):
            scratch.take(.rows)
            insert(rows, into: out)
        case .pairs(let pairs):
            try PairEvaluation(plan: pairs, scratch: scratch, within: within).evaluate(block, into: out, level: level)
        case .counting(let counting):
            try CountingEvaluation(plan: counting, scratch: scratch, within: within)
                .evaluate(block, into: out, level: level)
        case .sample(let sample):
            scratch.take(.sample)
            // A hash a row: only of those that still matter.
            out.copy(from: within ?? scratch.universe)
            sample.filter(out, block)
        case .not(let inner):
            let set = try set(of: inner, or: out, level: level, within: within)
            scratch.take(.complemented)
            if unsafe set.bits != out.bits { out.copy(from: set) }
            out.complement(in: scratch.universe)
        case .all(let nodes): try all(nodes, into: out, level: level, within: within)
        case .any(let nodes): try any(nodes, into: out, level: level, within: within)
        }
    }

    /// Terms come cheapest first; the rest look only at what is left, and are spared when that is nobody.
    private func all(_ nodes: [Int], into out: BlockSet, level: Int, within: BlockSet?) throws(WinnowError) {
        let spare = scratch.set(level)
        for (i, node) in nodes.enumerated() {
            if i == 0 {
                let set = try set(of: node, or: out, level: level + 1, within: within)
                if unsafe set.bits != out.bits { out.copy(from: set) }
                // What is left shall be what matters to the terms that follow.
                if let within { out.formIntersection(within) }
            } else if case .not(let inner) = program.nodes[node], program.slots[node] == nil {
                scratch.take(.subtracted)
                out.subtract(try set(of: inner, or: spare, level: level + 1, within: out))
            } else {
                out.formIntersection(try set(of: node, or: spare, level: level + 1, within: out))
            }
            if out.isEmpty {
                if i < nodes.count - 1 { scratch.take(.spared) }
                return
            }
        }
    }

    private func any(_ nodes: [Int], into out: BlockSet, level: Int, within: BlockSet?) throws(WinnowError) {
        let spare = scratch.set(level)
        for (i, node) in nodes.enumerated() {
            let set = try set(of: node, or: i == 0 ? out : spare, level: level + 1, within: within)
            if i > 0 { out.formUnion(set) } else if unsafe set.bits != out.bits { out.copy(from: set) }
        }
    }

    private func insert(_ rows: [UInt32], into out: BlockSet) {
        out.clear()
        let first = UInt32(block * Block.rows)
        var low = firstNotBelow(rows.indices) { rows[$0] < first }
        while low < rows.count, rows[low] - first < UInt32(Block.rows) {
            out.insert(Int(rows[low] - first))
            low += 1
        }
    }
}
