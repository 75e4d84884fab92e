import WinnowModel

/// A segment bound to a snapshot, as set algebra over conditions. Immutable, and shared by all
/// threads that evaluate it.
package indirect enum Plan: Sendable {
    case empty
    case universe
    case all([Plan])
    case any([Plan])
    case not(Plan)
    case condition(any BoundCondition)
    /// Profiles of a segment that the store keeps.
    case saved(SavedPlan)
}

extension Plan {
    /// What evaluation is likely to cost per block, for ordering; in nanoseconds, roughly.
    var cost: Int {
        switch self {
        case .empty, .universe: 0
        case .all(let plans), .any(let plans): plans.reduce(0) { $0 + $1.cost }
        case .not(let plan): plan.cost
        case .condition(let condition): condition.cost
        case .saved(let saved): saved.cost
        }
    }

    /// Leaves in the scopes of its conditions.
    var leaves: Int {
        switch self {
        case .empty, .universe: 0
        case .all(let plans), .any(let plans): plans.reduce(0) { $0 + $1.leaves }
        case .not(let plan): plan.leaves
        case .condition(let condition): condition.leaves
        case .saved(let saved): saved.leaves
        }
    }

    /// Whether the plan is a complement, so that AND can subtract what it complements.
    var complemented: Plan? { if case .not(let plan) = self { plan } else { nil } }

    private var isEmpty: Bool { if case .empty = self { true } else { false } }
    private var isUniverse: Bool { if case .universe = self { true } else { false } }

    /// Some rows, ascending.
    package static func rows(_ rows: [Row]) -> Plan { .condition(RowsCondition(rows)) }

    /// The same set with constants folded and the cheap terms of each group first.
    func simplified() -> Plan {
        switch self {
        case .all(let plans):
            let terms = plans.map { $0.simplified() }
            if terms.contains(where: \.isEmpty) { return .empty }
            let rest = terms.filter { !$0.isUniverse }
            return rest.count > 1
                ? .all(rest.sorted { $0.cost < $1.cost }) : rest.first ?? .universe
        case .any(let plans):
            let terms = plans.map { $0.simplified() }
            if terms.contains(where: \.isUniverse) { return .universe }
            let rest = terms.filter { !$0.isEmpty }
            return rest.count > 1 ? .any(rest.sorted { $0.cost < $1.cost }) : rest.first ?? .empty
        case .not(let plan):
            switch plan.simplified() {
            case .empty: return .universe
            case .universe: return .empty
            case .not(let inner): return inner
            case let other: return .not(other)
            }
        case .empty, .universe, .condition, .saved: return self
        }
    }
}
