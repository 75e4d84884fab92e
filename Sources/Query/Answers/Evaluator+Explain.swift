import Synchronization
import WinnowBitmaps
import WinnowModel

/// How one node of a segment was evaluated for itself.
package struct NodeFigures: Sendable {
    /// Profiles of the node alone.
    package fileprivate(set) var count = 0
    /// In a child of `all` those who are in it and all elder siblings, in a child of `any` those who
    /// are in it or an elder sibling, else `count`.
    package fileprivate(set) var after = 0
    package fileprivate(set) var paths = EvaluationPaths()
    /// Leaves in scope.
    package fileprivate(set) var leaves = 0
    /// Events that were looked at.
    package fileprivate(set) var postings = 0
    /// Bytes of the runs, tables and columns that were looked at, each as a whole.
    package fileprivate(set) var bytes = 0
    /// What tables alone tell of the count.
    package fileprivate(set) var estimate: Int?

    fileprivate mutating func add(_ other: NodeFigures) {
        count += other.count
        after += other.after
        paths.add(other.paths)
        postings += other.postings
        bytes += other.bytes
    }
}

extension Evaluator {
    /// Evaluates each node of a segment for itself.
    ///
    /// Method: block by block, every condition is evaluated once, alone, and groups are made of what
    /// came of it. What a condition takes is told by how far the counters of its thread went on.
    /// Memory is two sets for each level of the rule and thread.
    /// - Complexity: as counting each condition alone, and O(nodes) for each block.
    package func explain(_ nodes: [BoundNode]) throws(WinnowError) -> [NodeFigures] {
        let (plans, numbers) = nodes.conditions
        let total = Mutex([NodeFigures](repeating: NodeFigures(), count: nodes.count))
        try forEachBlock(Program(plans, sharing: false)) { evaluation, block throws(WinnowError) in
            let explanation = BlockExplanation(nodes, numbers, evaluation)
            defer { explanation.deallocate() }
            try explanation.evaluate(block)
            total.withLock { total in
                for (i, figures) in explanation.figures.enumerated() { total[i].add(figures) }
            }
        }
        var figures = total.withLock { $0 }
        for i in nodes.indices.reversed() {
            switch nodes[i].kind {
            case .condition(let plan):
                figures[i].leaves = plan.leaves
                let (inner, complements) = plan.complemented.map { ($0, true) } ?? (plan, false)
                if let known = try storedCount(inner) {
                    // Alone it would not look at any block.
                    figures[i].estimate = complements ? live - known : known
                    figures[i].paths = EvaluationPaths()
                    figures[i].paths.record(.storedCountAlone)
                    (figures[i].postings, figures[i].bytes) = (0, 0)
                }
            case .all(let children), .any(let children): sum(children, into: &figures[i], figures)
            case .not(let child):
                sum([child], into: &figures[i], figures)
                figures[i].paths.record(.complemented)
            }
        }
        return figures
    }

    /// Whether one profile is in each node of a segment.
    package func matches(_ nodes: [BoundNode], _ row: Row) throws(WinnowError) -> [Bool] {
        let plans = nodes.conditions.plans
        var answers: [Bool] = []
        try inBlock(row.block, Program(plans, sharing: false)) { (evaluation) throws(WinnowError) in
            for i in plans.indices {
                answers.append(try evaluation.rows(ofPlan: i).contains(Int(row.inBlock)))
            }
        }
        var result = [Bool](repeating: false, count: nodes.count)
        for i in nodes.indices.reversed() {
            switch nodes[i].kind {
            case .condition: result[i] = answers.popLast() ?? false
            case .all(let children): result[i] = children.allSatisfy { result[$0] }
            case .any(let children): result[i] = children.contains { result[$0] }
            case .not(let child): result[i] = !result[child]
            }
        }
        return result
    }

    /// What a group takes is what its children take.
    private func sum(_ children: [Int], into group: inout NodeFigures, _ all: [NodeFigures]) {
        for child in children {
            group.paths.add(all[child].paths)
            group.leaves += all[child].leaves
            group.postings += all[child].postings
            group.bytes += all[child].bytes
        }
    }
}

extension [BoundNode] {
    /// The plans of the conditions, and for each node the place of its plan; nil for groups.
    var conditions: (plans: [Plan], places: [Int?]) {
        var plans: [Plan] = []
        var places: [Int?] = []
        for node in self {
            if case .condition(let plan) = node.kind {
                places.append(plans.count)
                plans.append(plan)
            } else {
                places.append(nil)
            }
        }
        return (plans, places)
    }
}

/// The nodes of a segment in one block.
private final class BlockExplanation {
    private let nodes: [BoundNode]
    /// Per node the number of its plan; nil for groups.
    private let plans: [Int?]
    private let evaluation: BlockEvaluation
    private(set) var figures: [NodeFigures]
    private var sets: [BlockSet] = []

    init(_ nodes: [BoundNode], _ plans: [Int?], _ evaluation: BlockEvaluation) {
        self.nodes = nodes
        self.plans = plans
        self.evaluation = evaluation
        figures = Array(repeating: NodeFigures(), count: nodes.count)
    }

    func deallocate() { for set in sets { set.deallocate() } }

    private func set(_ level: Int) -> BlockSet {
        while sets.count <= level { sets.append(.allocate()) }
        return sets[level]
    }

    func evaluate(_ block: BlockIndex) throws(WinnowError) {
        evaluation.begin(block)
        try evaluate(0, into: set(0), level: 1)
        figures[0].after = figures[0].count
    }

    /// Makes `out` the rows of a node; sets of `level` and above are free.
    private func evaluate(_ node: Int, into out: BlockSet, level: Int) throws(WinnowError) {
        switch nodes[node].kind {
        case .condition: try evaluateCondition(node, into: out)
        case .not(let child):
            try evaluate(child, into: out, level: level)
            figures[child].after = figures[child].count
            out.complement(in: evaluation.scratch.universe)
        case .all(let children):
            out.copy(from: evaluation.scratch.universe)
            for child in children {
                try evaluate(child, into: set(level), level: level + 1)
                out.formIntersection(set(level))
                figures[child].after = out.count
            }
        case .any(let children):
            out.clear()
            for child in children {
                try evaluate(child, into: set(level), level: level + 1)
                out.formUnion(set(level))
                figures[child].after = out.count
            }
        }
        figures[node].count = out.count
    }

    private func evaluateCondition(_ node: Int, into out: BlockSet) throws(WinnowError) {
        guard let plan = plans[node] else { return }
        let scratch = evaluation.scratch
        let (postings, bytes) = (scratch.postings, scratch.bytes)
        var before = EvaluationPaths()
        unsafe before.add(scratch.paths)
        out.copy(from: try evaluation.rows(ofPlan: plan))
        unsafe figures[node].paths.add(scratch.paths)
        figures[node].paths.subtract(before)
        figures[node].postings = scratch.postings - postings
        figures[node].bytes = scratch.bytes - bytes
    }
}
