import WinnowModel

/// The plans of one call as one graph: what is equal, inside a plan or across plans, is one node
/// and evaluated once per block. Immutable, and shared by all threads.
struct Program: Sendable {
    enum Node: Sendable {
        case empty
        case universe
        case all([Int])
        case any([Int])
        case not(Int)
        case condition(any BoundCondition)
        case saved(SavedPlan, Int)
    }

    /// Conditions on the same data, evaluated in one pass whenever one of them is wanted.
    struct Family: Sendable {
        let pass: any SharedPass
        let members: [Int]
    }

    /// Children come before their parents.
    private(set) var nodes: [Node] = []
    private(set) var roots: [Int] = []
    /// Where a node that is used several times keeps its set; nil for the others.
    private(set) var slots: [Int?] = []
    private(set) var slotCount = 0
    private(set) var families: [Family] = []
    /// Per node its family; nil for one that has none.
    private(set) var family: [Int?] = []

    /// What makes two nodes the same; conditions are the same when they are one object.
    private enum Key: Hashable {
        case empty
        case universe
        case all([Int])
        case any([Int])
        case not(Int)
        case condition(ObjectIdentifier)
        case saved(ObjectIdentifier)
    }

    /// - Parameter sharing: whether what is equal is evaluated once, and conditions on the same data
    ///   together; else each plan is evaluated for itself.
    init(_ plans: [Plan], sharing: Bool = true) throws(WinnowError) {
        var known: [Key: Int] = [:]
        var uses: [Int] = []
        func intern(_ key: Key, _ node: Node) -> Int {
            if sharing, let index = known[key] { return index }
            known[key] = nodes.count
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
            case .empty: return intern(.empty, .empty)
            case .universe: return intern(.universe, .universe)
            case .all(let plans):
                let terms = plans.map(use)
                return intern(.all(terms), .all(terms))
            case .any(let plans):
                let terms = plans.map(use)
                return intern(.any(terms), .any(terms))
            case .not(let plan):
                let inner = use(plan)
                return intern(.not(inner), .not(inner))
            case .condition(let condition):
                return intern(.condition(ObjectIdentifier(condition)), .condition(condition))
            case .saved(let saved):
                // Segments use each other, and some many others.
                let key = Key.saved(ObjectIdentifier(saved))
                if let index = known[key] { return index }
                return intern(key, .saved(saved, use(saved.plan)))
            }
        }
        roots = plans.map(use)
        slots = Array(repeating: nil, count: nodes.count)
        family = slots
        if sharing { try joinFamilies() }
        for i in nodes.indices where uses[i] > 1 || family[i] != nil {
            slots[i] = slotCount
            slotCount += 1
        }
    }

    private mutating func joinFamilies() throws(WinnowError) {
        var sources: [ObjectIdentifier: [(node: Int, condition: any BoundCondition)]] = [:]
        for (i, node) in nodes.enumerated() {
            if case .condition(let condition) = node, let source = condition.source {
                sources[source, default: []].append((i, condition))
            }
        }
        for members in sources.values where members.count > 1 {
            let others = members.dropFirst().map(\.condition)
            for (pass, places) in try members[0].condition.passes(with: others) {
                let nodes = places.map { members[$0].node }
                for node in nodes { family[node] = families.count }
                families.append(Family(pass: pass, members: nodes))
            }
        }
    }
}
