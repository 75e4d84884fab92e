import Bitmaps
import Columns
import Format
import Model
import Rules

/// A segment bound to a snapshot: names are ids, selectors are leaves, windows are instants. Immutable, and shared by
/// all threads that evaluate it.
package indirect enum Plan: Sendable {
    case nobody
    case everybody
    case all([Plan])
    case any([Plan])
    case not(Plan)
    case activity(ActivityPlan)
    case field(FieldPlan)
    /// Profiles by their rows, ascending: conditions on the external id.
    case rows([UInt32])
    /// Profiles by a hash of their ids.
    case sample(SamplePlan)
    /// One event and not another of the same message or object.
    case pairs(PairPlan)
    /// Events that are counted object by object.
    case counting(CountingPlan)
}

/// A share of all profiles.
package final class SamplePlan: Sendable {
    private let keys: StringTables
    private let range: Range<Int>
    private let salt: [UInt8]

    init(keys: StringTables, range: Range<Int>, salt: [UInt8]) {
        self.keys = keys
        self.range = range
        self.salt = salt
    }

    /// Keeps the rows of a block whose profiles are in.
    func filter(_ rows: BlockSet, _ block: Int) {
        unsafe withUnsafeTemporaryAllocation(byteCount: 8 + salt.count, alignment: 8) { text in
            for (i, byte) in salt.enumerated() { unsafe text[8 + i] = byte }
            rows.filter { row in
                guard let id = unsafe keys.bytes(UInt32(block * Block.rows + row)) else { return false }
                unsafe text.storeBytes(of: stringHash(id).littleEndian, as: UInt64.self)
                return unsafe range.contains(Int(stringHash(UnsafeRawBufferPointer(text)) % 10_000))
            }
        }
    }
}

/// Profiles whose events in a scope count at least once and between two bounds.
package struct ActivityPlan: Sendable, Hashable {
    let scope: ActivityScope
    /// At least 1; zero counts are expressed as complements.
    let lower: UInt64
    let upper: UInt64?

    /// Whether times of last events tell what matches, mostly.
    fileprivate var isToldByRecency: Bool {
        lower == 1 && upper == nil && scope.parts.allSatisfy { $0.since != nil || $0.places == nil }
    }
}

/// Events of a type that are in scope, in all parts.
package final class ActivityScope: Sendable {
    /// How the events wanted are derived from those of the type; nil for these themselves.
    let unique: UniqueRule?
    let parts: [PartScope]
    /// Dictionary codes plus one of the links that count, ascending; nil for any.
    let links: [UInt32]?
    /// The window, cut at the instant of evaluation.
    let window: ClosedRange<Int64>
    /// How many events, before the window is looked at inside leaves.
    let events: Int

    init(unique: UniqueRule?, parts: [PartScope], links: [UInt32]?, window: ClosedRange<Int64>, events: Int) {
        self.unique = unique
        self.parts = parts
        self.links = links
        self.window = window
        self.events = events
    }
}

/// How unique events are derived.
package struct UniqueRule: Sendable {
    /// The mark of `FirstEvents` that says it where a chunk stands alone.
    let bit: UInt8
    /// Only clicks on these count, before uniqueness; nil for all.
    let links: Set<UInt32>?
    let names: NameOrder
}

/// Profiles that have, within some one message or object, often enough one event and never another.
package final class PairPlan: Sendable {
    /// What must not have happened; nil when nothing can have.
    let target: ActivityPlan?
    let other: ActivityPlan
    let atLeast: UInt64
    let pairing: Pairing

    init(target: ActivityPlan?, other: ActivityPlan, atLeast: UInt64, pairing: Pairing) {
        self.target = target
        self.other = other
        self.atLeast = atLeast
        self.pairing = pairing
    }

    enum Pairing: Sendable {
        /// By the profile's messages; the parts say how many each has.
        case message([ActivityPart])
        /// By campaign or template, as the plans' scopes give keys.
        case object
    }
}

/// Profiles with at least so many objects (campaigns, or templates) whose own events count between two bounds. The
/// scope's leaves give the objects.
package final class CountingPlan: Sendable {
    /// What an object's events must come to; not zero.
    let activity: ActivityPlan
    /// At least 1.
    let objects: Int

    init(activity: ActivityPlan, objects: Int) {
        self.activity = activity
        self.objects = objects
    }
}

/// The leaves of one part that are in scope.
package final class PartScope: Sendable {
    /// How a leaf lies to the scope and its window.
    package enum Place: UInt8, Sendable { case out, inside, straddles }

    package let part: ActivityPart
    package let index: ActivityPart.TypeIndex
    /// Per leaf; nil when every leaf of the type is inside.
    package let places: [Place]?
    /// The leaves that are not `out`, ascending; empty when `places` is nil.
    package let leaves: [Int]
    /// Per leaf what pairs its events with others, zero for nothing; nil when that is their message, or nothing is
    /// paired.
    package let keys: [UInt32]?
    /// Where every event of the part from here on is in scope, and none before it: the quarter hour of `Recency`.
    let since: Int64?
    /// The scope's window, less what the part has forgotten.
    let window: ClosedRange<Int64>
    /// Whether the part still holds events that are forgotten.
    let forgets: Bool

    init(
        part: ActivityPart, index: ActivityPart.TypeIndex, places: [Place]?, leaves: [Int], keys: [UInt32]?,
        since: Int64? = nil, window: ClosedRange<Int64>
    ) {
        self.since = since
        self.window = window
        forgets = index.minimum < part.horizon
        self.part = part
        self.index = index
        self.places = places
        self.leaves = leaves
        self.keys = keys
    }

    func contains(leaf: Int) -> Bool { places.map { leaf < $0.count && $0[leaf] != .out } ?? true }
}

/// Profiles whose field passes a test.
package final class FieldPlan: Sendable {
    /// Newest part first.
    let parts: [PartTest]

    init(parts: [PartTest]) { self.parts = parts }

    package struct PartTest: Sendable {
        package let part: ProfilePart
        package let index: ProfilePart.FieldIndex
        package let test: ColumnTest
    }

    /// A test in terms of one part's column.
    package enum ColumnTest: Sendable {
        case present
        /// Values, or dictionary codes, in one of the ascending, disjoint ranges.
        case ranges([ClosedRange<Int64>])
        case daysOfYear(DaysOfYear)
        case texts(TextTest)
        /// Rows with one of the dictionary codes, or with all.
        case anyOf([Int])
        case allOf([Int])
        case never
    }
}

/// Plans made for the same node of a rule are one object; what is not the same object is not the same.
protocol ComparedByIdentity: AnyObject, Hashable {}

extension ComparedByIdentity {
    package static func == (a: Self, b: Self) -> Bool { a === b }
    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

extension ActivityScope: ComparedByIdentity {}
extension FieldPlan: ComparedByIdentity {}
extension SamplePlan: ComparedByIdentity {}
extension PairPlan: ComparedByIdentity {}
extension CountingPlan: ComparedByIdentity {}

extension Plan {
    /// What evaluation is likely to cost per block, for ordering; in nanoseconds, roughly.
    var cost: Int {
        switch self {
        case .nobody, .everybody, .rows: 0
        case .all(let plans), .any(let plans): plans.reduce(0) { $0 + $1.cost }
        case .not(let plan): plan.cost
        case .sample: 5_000_000
        case .pairs(let plan): 10_000 + plan.other.scope.events / 50
        case .counting(let plan): 10_000 + plan.activity.scope.events / 100
        case .activity(let plan): plan.isToldByRecency ? 1000 : 1000 + plan.scope.events / 1000
        case .field(let plan):
            plan.parts.reduce(0) { sum, part in
                if case .texts = part.test { sum + 1_000_000 } else { sum + 500 }
            }
        }
    }

    /// Whether the plan is a complement, so that AND can subtract what it complements.
    var complemented: Plan? { if case .not(let plan) = self { plan } else { nil } }

    /// The same set with constants folded and the cheap terms of each group first.
    func simplified() -> Plan {
        switch self {
        case .all(let plans):
            let terms = plans.map { $0.simplified() }
            if terms.contains(where: { if case .nobody = $0 { true } else { false } }) { return .nobody }
            let rest = terms.filter { if case .everybody = $0 { false } else { true } }
            return rest.count > 1 ? .all(rest.sorted { $0.cost < $1.cost }) : rest.first ?? .everybody
        case .any(let plans):
            let terms = plans.map { $0.simplified() }
            if terms.contains(where: { if case .everybody = $0 { true } else { false } }) { return .everybody }
            let rest = terms.filter { if case .nobody = $0 { false } else { true } }
            return rest.count > 1 ? .any(rest.sorted { $0.cost < $1.cost }) : rest.first ?? .nobody
        case .not(let plan):
            switch plan.simplified() {
            case .nobody: return .everybody
            case .everybody: return .nobody
            case .not(let inner): return inner
            case let other: return .not(other)
            }
        default: return self
        }
    }
}
