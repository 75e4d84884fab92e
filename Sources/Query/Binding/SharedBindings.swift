import WinnowColumns
import WinnowModel
import WinnowRules

/// What the segments of one call have in common: equal conditions are bound once and become the
/// same plan.
package final class SharedBindings {
    struct Key: Hashable {
        let rule: Rule
        let zone: String
    }

    struct ScopeKey: Hashable {
        let scope: Scope
        let type: RecordType
        let links: [NameCode]?
        let keying: Scope.Keying
    }

    /// Whether there is more than one condition; one alone is bound without a look at others.
    let areSeveral: Bool
    /// Reports have places that begin at the condition.
    var conditions: [Key: BoundSegment] = [:]
    /// Events in scope; rules that differ only in how often share them.
    var scopes: [ScopeKey: ActivityScope?] = [:]

    package init(of segments: [Segment]) {
        areSeveral = segments.count > 1 || segments.contains { $0.rule.nodes > 1 }
    }
}
