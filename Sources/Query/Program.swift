import Columns
import Model

/// The plans of one call as one graph: what is equal, inside a plan or across plans, is one node and evaluated once per
/// block. Immutable, and shared by all threads.
struct Program: Sendable {
    enum Node: Hashable, Sendable {
        case nobody
        case everybody
        case all([Int])
        case any([Int])
        case not(Int)
        case activity(ActivityPlan)
        case field(FieldPlan)
        case rows([UInt32])
        case sample(SamplePlan)
        case pairs(PairPlan)
        case counting(CountingPlan)
    }

    /// Children stand before their parents.
    private(set) var nodes: [Node] = []
    private(set) var roots: [Int] = []
    /// Where a node that is used several times keeps its set; nil for the others.
    private(set) var slots: [Int?] = []
    private(set) var slotCount = 0
    /// Per node the nodes that ask for other counts of the same events, itself included; they are counted together.
    private(set) var siblings: [[Int]] = []

    init(_ plans: [Plan]) {
        var known: [Node: Int] = [:], uses: [Int] = []
        func intern(_ node: Node) -> Int {
            if let index = known[node] { return index }
            known[node] = nodes.count
            nodes.append(node)
            uses.append(0)
            return nodes.count - 1
        }
        func use(_ plan: Plan) -> Int {
            let index = add(plan)
            uses[index] += 1
            return index
        }
        func add(_ plan: Plan) -> Int {
            switch plan {
            case .nobody: intern(.nobody)
            case .everybody: intern(.everybody)
            case .all(let plans): intern(.all(plans.map(use)))
            case .any(let plans): intern(.any(plans.map(use)))
            case .not(let plan): intern(.not(use(plan)))
            case .activity(let activity): intern(.activity(activity))
            case .field(let field): intern(.field(field))
            case .rows(let rows): intern(.rows(rows))
            case .sample(let sample): intern(.sample(sample))
            case .pairs(let pairs): intern(.pairs(pairs))
            case .counting(let counting): intern(.counting(counting))
            }
        }
        roots = plans.map(use)
        slots = Array(repeating: nil, count: nodes.count)
        siblings = Array(repeating: [], count: nodes.count)
        var families: [ObjectIdentifier: [Int]] = [:]
        for (i, node) in nodes.enumerated() {
            if case .activity(let plan) = node { families[ObjectIdentifier(plan.scope), default: []].append(i) }
        }
        for family in families.values { for i in family { siblings[i] = family } }
        for i in nodes.indices where uses[i] > 1 || siblings[i].count > 1 {
            slots[i] = slotCount
            slotCount += 1
        }
    }
}
