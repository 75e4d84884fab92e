import WinnowColumns
import WinnowModel

/// Events of a type that are in scope, in all parts.
final class ActivityScope: Sendable {
    /// How the events wanted are derived from those of the type; nil for these themselves.
    let unique: UniqueRule?
    let parts: [PartScope]
    /// The links that count, ascending; nil for any.
    let links: [NameCode]?
    /// The window, cut at the instant of evaluation.
    let window: ClosedRange<Int64>
    /// How many events, before the window is looked at inside leaves.
    let events: Int
    /// What it has in common with others that differ in their windows alone; nil where nobody asks.
    let lineage: ScopeLineage?

    /// How many leaves are in scope.
    var leaves: Int {
        parts.reduce(0) { $0 + ($1.places == nil ? $1.index.leafCount : $1.leaves.count) }
    }

    init(
        unique: UniqueRule?, parts: [PartScope], links: [NameCode]?, window: ClosedRange<Int64>,
        events: Int, lineage: ScopeLineage?
    ) {
        self.unique = unique
        self.parts = parts
        self.links = links
        self.window = window
        self.events = events
        self.lineage = lineage
    }
}

/// How unique events are derived.
struct UniqueRule: Sendable {
    /// The marks of `FirstEvents` of which one says it where a chunk is alone.
    let marks: UInt8
    /// Whether events of a message are unique for each of their links.
    let perLink: Bool
    /// Only clicks on these count, before uniqueness; nil for all.
    let links: Set<NameCode>?
    /// Only these actors' events count, before uniqueness; nil where there are no others.
    let machines: Bool?
    /// Whether the marks tell which events of these actors are unique.
    let tellsActors: Bool
    let names: NameOrder

    /// Whether events are left out before the unique ones are found, so that the marks of chunks do
    /// not tell which they are.
    var isRestricted: Bool { links != nil || machines != nil && !tellsActors }
}

/// The leaves of one part that are in scope.
final class PartScope: Sendable {
    /// How a leaf is related to the scope and its window.
    enum Place: UInt8, Sendable { case out, inside, straddles }

    let part: ActivityPart
    let index: ActivityPart.TypeIndex
    /// Per leaf; nil when every leaf of the type is inside.
    let places: [Place]?
    /// The leaves that are not `out`, ascending; empty when `places` is nil.
    let leaves: [LeafID]
    /// Per leaf what pairs its events with others, zero for nothing; nil when that is their
    /// message, or nothing is paired.
    let keys: [UInt32]?
    /// Per leaf when its events happened; nil where that does not matter.
    let spans: [LeafSpan]?
    /// Whether each row's last event of the part is in scope if any is.
    let tellsLast: Bool
    /// Where every event of the part from here on is in scope, and none before it: the quarter hour
    /// of `Recency`.
    let since: Int64?
    /// The scope's window, less what the part has forgotten.
    let window: ClosedRange<Int64>
    /// Whether the part still holds events that are forgotten.
    let forgets: Bool

    init(
        part: ActivityPart, index: ActivityPart.TypeIndex, places: [Place]?, leaves: [LeafID],
        keys: [UInt32]?, spans: [LeafSpan]?, tellsLast: Bool,
        since: Int64? = nil, window: ClosedRange<Int64>
    ) {
        self.tellsLast = tellsLast
        self.spans = spans
        self.since = since
        self.window = window
        forgets = index.minimum < part.horizon
        self.part = part
        self.index = index
        self.places = places
        self.leaves = leaves
        self.keys = keys
    }

    func contains(_ leaf: LeafID) -> Bool {
        places.map { leaf.index < $0.count && $0[leaf.index] != .out } ?? true
    }
}

/// The times of the first and of the last event of some leaves.
struct LeafSpan: Sendable {
    var first, last: Int64

    /// Neither before nor after any other.
    static let unknown = LeafSpan(first: .min, last: .max)

    /// Whether none is before the end of some times.
    func isAfter(_ times: ClosedRange<Int64>) -> Bool { first >= times.upperBound }

    /// Whether all are before some times.
    func isBefore(_ times: ClosedRange<Int64>) -> Bool { last < times.lowerBound }

    /// Whether some may be among these times.
    func touches(_ times: ClosedRange<Int64>) -> Bool { !isAfter(times) && !isBefore(times) }

    mutating func formUnion(_ other: LeafSpan) {
        first = min(first, other.first)
        last = max(last, other.last)
    }
}
