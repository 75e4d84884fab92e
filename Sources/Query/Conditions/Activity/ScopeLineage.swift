import WinnowColumns
import WinnowModel
import WinnowStorage

/// What scopes have in common that differ in their windows alone.
final class ScopeLineage: Sendable {
    private let scope: Scope
    private let type: RecordType
    private let links: [NameCode]?
    private let snapshot: StoreVersion

    init(_ scope: Scope, _ type: RecordType, links: [NameCode]?, _ snapshot: StoreVersion) {
        self.scope = scope
        self.type = type
        self.links = links
        self.snapshot = snapshot
    }

    /// The events in such a window; nil when there are none.
    func events(in window: ClosedRange<Int64>) throws(WinnowError) -> ActivityScope? {
        var scope = scope
        scope.window = window
        return try scope.events(type, links: links, snapshot)
    }
}
