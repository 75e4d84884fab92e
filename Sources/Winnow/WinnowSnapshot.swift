import Columns
import Disk
import Format
import Model
import Query
import Rules
import Store
import Threads

/// When and how segments are evaluated.
public struct EvaluationOptions: Sendable {
    /// Later activity never matches; nil for now.
    public var asOf: Instant?
    /// For segments that name none; nil for UTC.
    public var timezone: String?
    /// Whether unknown names and empty scopes are errors instead of warnings.
    public var strict = false
    /// nil for all cores.
    public var threads: Int?

    /// Now, in UTC, on all cores.
    public init() {}

    func validate() throws(WinnowError) {
        if let asOf, !(Instant.first...Instant.last).contains(asOf) {
            throw .usage("an evaluation is as of an instant of the years 0001 to 9999, not \(asOf)")
        }
        if let threads, threads < 1 { throw .usage("an evaluation takes at least one thread, not \(threads)") }
        if let timezone { _ = try TimeZoneRules.system(timezone) }
    }
}

/// How many profiles a segment has, and how that was understood.
public struct SegmentCount: Sendable {
    public var name: String?
    public var count: Int
    /// All live profiles.
    public var universe: Int
    public var asOf: Instant
    public var elapsed: Duration
    public var version: UInt64
    /// The windows of the rule in absolute time, in the order of the rule.
    public var windows: [WindowReport]
    public var warnings: [RuleWarning]
    /// How the call's segments were evaluated, together.
    package var paths: EvaluationPaths
}

/// One version of a store, for as long as the value lives.
public struct WinnowSnapshot: Sendable {
    let snapshot: Store.Snapshot

    init(_ snapshot: Store.Snapshot) { self.snapshot = snapshot }

    public var version: UInt64 { snapshot.manifest.version }
    public var schema: Schema { snapshot.schema }
    /// How many profiles there are, erased ones aside.
    public var profiles: Int { snapshot.live }

    /// Counts the profiles of a segment, exactly.
    /// - Throws: `invalidRule` with the place in the rule; `damaged` when the store is.
    /// - Complexity: O(events in the rule's scope and windows + blocks of profiles).
    public func count(
        _ segment: Segment, _ options: EvaluationOptions = EvaluationOptions()
    ) throws(WinnowError) -> SegmentCount {
        try count([segment], options)[0]
    }

    /// Counts several segments, all as of the same instant; all are checked before any is evaluated. They are evaluated
    /// together, in one pass over the profiles: what they have in common is bound and evaluated once. `elapsed` is what
    /// one took to be bound, and an equal share of the pass.
    public func count(
        _ segments: [Segment], _ options: EvaluationOptions = EvaluationOptions()
    ) throws(WinnowError) -> [SegmentCount] {
        try options.validate()
        let asOf = options.asOf ?? systemTime()
        let clock = ContinuousClock(), shared = SharedBindings()
        var bound: [(segment: BoundSegment, elapsed: Duration)] = []
        for segment in segments {
            let start = clock.now
            bound.append((try bind(segment, asOf, options, shared), clock.now - start))
        }
        let start = clock.now
        let evaluator = evaluator(options), counts = try evaluator.count(bound.map(\.segment.plan))
        let share = (clock.now - start) / max(1, segments.count)
        var results: [SegmentCount] = []
        for (i, (bound, elapsed)) in bound.enumerated() {
            results.append(
                SegmentCount(
                    name: segments[i].name, count: counts[i], universe: profiles, asOf: asOf,
                    elapsed: elapsed + share, version: version, windows: bound.windows, warnings: bound.warnings,
                    paths: evaluator.paths))
        }
        return results
    }

    /// The external ids of a segment's profiles, in the order of their rows; as many as `count` says.
    public func ids(
        _ segment: Segment, _ options: EvaluationOptions = EvaluationOptions()
    ) throws(WinnowError) -> [String] {
        try options.validate()
        let bound = try bind(segment, options.asOf ?? systemTime(), options, SharedBindings())
        let keys = try snapshot.keys()
        var ids: [String] = []
        for row in try evaluator(options).rows(bound.plan) {
            guard let bytes = unsafe keys.bytes(row) else {
                throw .damaged(file: "keys", what: "row \(row) has no id")
            }
            unsafe ids.append(String(decoding: bytes, as: UTF8.self))
        }
        return ids
    }

    private func evaluator(_ options: EvaluationOptions) -> Evaluator {
        Evaluator(snapshot, threads: threads(options))
    }

    /// How many threads an evaluation with these options uses at most.
    public func threads(_ options: EvaluationOptions) -> Int { max(1, options.threads ?? availableCores()) }

    private func zone(_ segment: Segment, _ options: EvaluationOptions) throws(WinnowError) -> TimeZoneRules {
        guard let own = segment.timezone else { return try TimeZoneRules.system(options.timezone ?? "UTC") }
        do throws(WinnowError) { return try TimeZoneRules.system(own) } catch {
            throw .invalidRule(path: RulePath.document.key(.timezone), message: error.description)
        }
    }

    private func bind(
        _ segment: Segment, _ asOf: Instant, _ options: EvaluationOptions, _ shared: SharedBindings
    ) throws(WinnowError) -> BoundSegment {
        let zone = try zone(segment, options)
        return try segment.bind(
            to: snapshot, EvaluationTime(asOf: asOf, zone: zone), strict: options.strict,
            asOfGiven: options.asOf != nil, sharing: shared)
    }
}
