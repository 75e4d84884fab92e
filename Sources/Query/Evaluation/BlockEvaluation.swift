import WinnowBitmaps
import WinnowColumns
import WinnowModel

/// Evaluates a program in one block after the other; each thread has one of its own.
@safe final class BlockEvaluation {
    private let program: Program
    private let rows: Int
    private let erased: ErasedRows?
    let scratch = Scratch.take()
    private var block = BlockIndex(0)
    /// The profiles of the block that are erased.
    private var gone: BlockSet?
    /// Sets of nodes that are used several times, and the block that each was evaluated in last.
    private let kept: [BlockSet]
    private let keptBlock: UnsafeMutablePointer<BlockIndex>
    /// Per family the sets of its members.
    private let familySets: [[BlockSet]]

    /// - Parameter rows: rows of the store, of which some are of erased profiles.
    init(_ program: Program, rows: Int, erased: ErasedRows?) {
        self.program = program
        self.rows = rows
        self.erased = erased
        let kept = (0..<program.slotCount).map { _ in BlockSet.allocate() }
        self.kept = kept
        familySets = program.families.map {
            $0.members.compactMap { program.slots[$0].map { kept[$0] } }
        }
        unsafe keptBlock = .allocate(capacity: program.slotCount + 1)
        unsafe keptBlock.initialize(
            repeating: BlockEvaluation.noBlock, count: program.slotCount + 1)
    }

    /// The sets of the plans, where all are wanted at once.
    private var plans: [BlockSet] = []

    /// No store has it.
    private static let noBlock = BlockIndex(rawValue: .max)

    deinit {
        for set in kept + plans { set.deallocate() }
        unsafe keptBlock.deallocate()
    }

    /// Calls `body` with the number of each plan and its rows in a block; the set is good until the
    /// call returns.
    func evaluate(_ block: BlockIndex, _ body: (Int, BlockSet) -> Void) throws(WinnowError) {
        begin(block)
        for i in program.roots.indices { body(i, try rows(ofPlan: i)) }
    }

    /// Goes on to a block.
    func begin(_ block: BlockIndex) {
        self.block = block
        scratch.universe.fill(first: min(Block.rows, rows - block.number * Block.rows))
        gone = erased?.block(block)
        if let gone {
            scratch.record(.erased)
            scratch.universe.subtract(gone)
        }
    }

    /// The rows of one plan in the block; good until another's are asked for.
    /// - Parameter within: rows outside need not be right.
    func rows(ofPlan i: Int, within: BlockSet? = nil) throws(WinnowError) -> BlockSet {
        let set = try set(of: program.roots[i], or: scratch.set(0), level: 1, within: within)
        // What events and fields say of erased profiles counts nowhere; inside the tree it does no
        // harm.
        if gone != nil { set.formIntersection(scratch.universe) }
        return set
    }

    /// The rows of all plans in a block, in their order; good until the next block.
    func sets(in block: BlockIndex) throws(WinnowError) -> [BlockSet] {
        while plans.count < program.roots.count { plans.append(.allocate()) }
        try evaluate(block) { i, set in plans[i].copy(from: set) }
        return plans
    }

    /// The rows of a node: its own set where it is used several times, else `spare` is made so.
    /// Sets of `level` and above are free. With `within` only the rows in it need be right.
    private func set(
        of node: Int, or spare: BlockSet, level: Int, within: BlockSet?
    ) throws(WinnowError) -> BlockSet {
        guard let slot = program.slots[node] else {
            try evaluate(node, into: spare, level: level, within: within)
            return spare
        }
        guard unsafe keptBlock[slot] != block else {
            scratch.record(.shared)
            return kept[slot]
        }
        if let family = program.family[node] {
            try evaluate(family: family, level: level)
        } else {
            try evaluate(node, into: kept[slot], level: level, within: nil)
            unsafe keptBlock[slot] = block
        }
        return kept[slot]
    }

    private func evaluate(family: Int, level: Int) throws(WinnowError) {
        scratch.record(.countedTogether)
        for member in program.families[family].members {
            if let slot = program.slots[member] { unsafe keptBlock[slot] = block }
        }
        let view = BlockView(block: block, candidates: nil, scratch: scratch, level: level)
        try program.families[family].pass.evaluate(view, into: familySets[family])
    }

    private func evaluate(_ node: Int, into out: BlockSet, level: Int, within: BlockSet?)
        throws(WinnowError)
    {
        switch program.nodes[node] {
        case .empty: out.clear()
        case .universe: out.copy(from: scratch.universe)
        case .condition(let condition):
            let view = BlockView(block: block, candidates: within, scratch: scratch, level: level)
            try condition.evaluate(view, into: out)
        case .not(let inner):
            let set = try set(of: inner, or: out, level: level, within: within)
            scratch.record(.complemented)
            if unsafe set.bits != out.bits { out.copy(from: set) }
            out.complement(in: scratch.universe)
        case .saved(let saved, let inner):
            if saved.rows?.copy(block, into: out) == true { return scratch.record(.savedRows) }
            let set = try set(of: inner, or: out, level: level, within: nil)
            if unsafe set.bits != out.bits { out.copy(from: set) }
            saved.rows?.keep(block, out)
        case .all(let nodes): try all(nodes, into: out, level: level, within: within)
        case .any(let nodes): try any(nodes, into: out, level: level, within: within)
        }
    }

    /// Terms come cheapest first; the rest look only at what is left, and are spared when that is
    /// nobody.
    private func all(_ nodes: [Int], into out: BlockSet, level: Int, within: BlockSet?)
        throws(WinnowError)
    {
        let spare = scratch.set(level)
        for (i, node) in nodes.enumerated() {
            if i == 0 {
                let set = try set(of: node, or: out, level: level + 1, within: within)
                if unsafe set.bits != out.bits { out.copy(from: set) }
                // What is left shall be what matters to the terms that follow.
                if let within { out.formIntersection(within) }
            } else if case .not(let inner) = program.nodes[node], program.slots[node] == nil {
                scratch.record(.subtracted)
                out.subtract(try set(of: inner, or: spare, level: level + 1, within: out))
            } else {
                out.formIntersection(try set(of: node, or: spare, level: level + 1, within: out))
            }
            if out.isEmpty {
                if i < nodes.count - 1 { scratch.record(.spared) }
                return
            }
        }
    }

    private func any(_ nodes: [Int], into out: BlockSet, level: Int, within: BlockSet?)
        throws(WinnowError)
    {
        let spare = scratch.set(level)
        for (i, node) in nodes.enumerated() {
            let set = try set(of: node, or: i == 0 ? out : spare, level: level + 1, within: within)
            if i > 0 {
                out.formUnion(set)
            } else if unsafe set.bits != out.bits {
                out.copy(from: set)
            }
        }
    }
}
