import WinnowColumns
import WinnowModel
import WinnowRules

/// What the segments of one call have in common: equal conditions are bound once and become the
/// same plan.
package final class SharedBindings {
    struct Key: Hashable {
        let rule: Rule
        let zone: String
        /// nil for what does not depend on it.
        let asOf: Instant?
    }

    struct FieldKey: Hashable {
        let name: String
        let test: FieldTest.Test
    }

    struct ScopeKey: Hashable {
        var scope: Scope
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
    /// The same whatever their windows are.
    var lineages: [ScopeKey: ScopeLineage] = [:]
    /// Fields that are tested for the same, whatever words say so.
    var fields: [FieldKey: Plan] = [:]

    /// Segments that the store keeps, and those of them that are being bound.
    var saved: [SavedKey: SavedBinding] = [:]
    /// Static segments whose members are being found anew: rules mean who they are going to be.
    package var refreshing: Set<UInt32> = []
    /// Whether who is in a saved segment is kept for other calls.
    let keepsRows: Bool

    /// - Parameter often: whether segments are bound as of several instants.
    package init(of segments: [Segment], often: Bool = false) {
        keepsRows = !often
        areSeveral = often || segments.count > 1 || segments.contains { $0.rule.nodes > 1 }
    }

    /// Forgets what depends on the instant of evaluation.
    package func forgetTimes() {
        saved = [:]
        conditions = conditions.filter { $0.key.asOf == nil }
        scopes = [:]
    }
}
