import WinnowBitmaps
import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowStorage

/// Profiles whose events in a scope count at least once and between two bounds.
final class EventCondition: BoundCondition {
    let scope: ActivityScope
    /// At least 1; zero counts are expressed as complements.
    let lower: UInt64
    let upper: UInt64?

    init(_ scope: ActivityScope, _ lower: UInt64, _ upper: UInt64? = nil) {
        self.scope = scope
        self.lower = lower
        self.upper = upper
    }

    var cost: Int {
        // Times of last events tell what matches, mostly.
        let isToldByRecency =
            lower == 1 && upper == nil
            && scope.parts.allSatisfy { $0.since != nil || $0.places == nil }
        return isToldByRecency ? 1000 : 1000 + scope.events / 1000
    }

    func storedCount(_ snapshot: StoreVersion) throws(WinnowError) -> Int? {
        // Tables count erased profiles until these are purged.
        guard lower == 1, upper == nil, scope.links == nil, scope.unique == nil,
            scope.parts.count == 1,
            snapshot.erased?.isPurged != false
        else { return nil }
        let part = scope.parts[0]
        guard let places = part.places else { return part.index.rows }
        guard part.leaves.count == 1, places[part.leaves[0].index] == .inside else { return nil }
        return Int(clamping: try part.part.leaves(of: part.index).distinct[part.leaves[0].index])
    }

    func evaluate(_ view: BlockView, into out: BlockSet) throws(WinnowError) {
        let wanted = view.scratch.wanted
        wanted.replace(by: .init(lower: lower, upper: upper, out: out))
        try ActivityEvaluation(scope, view.scratch, view.candidates).evaluate(
            view.block, wanted.all)
    }

    var leaves: Int { scope.leaves }

    var source: ObjectIdentifier? { scope.lineage.map { .init($0) } ?? ObjectIdentifier(scope) }

    func passes(
        with others: [any BoundCondition]
    ) throws(WinnowError) -> [(pass: any SharedPass, members: [Int])] {
        let all = [self] + others.compactMap { $0 as? EventCondition }
        if let sweep = try WindowSweep(all) { return [(sweep, Array(all.indices))] }
        let sameScope = Dictionary(grouping: all.indices) { ObjectIdentifier(all[$0].scope) }
        return sameScope.values.filter { $0.count > 1 }.map { members in
            (SharedCount(conditions: members.map { all[$0] }), members)
        }
    }
}

/// Different counts of the same events: the events are looked at once.
private struct SharedCount: SharedPass {
    /// All of one scope.
    let conditions: [EventCondition]

    func evaluate(_ view: BlockView, into sets: [BlockSet]) throws(WinnowError) {
        let wanted = view.scratch.wanted
        wanted.clear()
        for (condition, set) in zip(conditions, sets) {
            wanted.append(.init(lower: condition.lower, upper: condition.upper, out: set))
        }
        try ActivityEvaluation(conditions[0].scope, view.scratch).evaluate(view.block, wanted.all)
    }
}
