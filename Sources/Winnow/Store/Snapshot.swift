import WinnowDisk
import WinnowFormat
import WinnowModel
import WinnowQuery
import WinnowRules
import WinnowStorage
import WinnowThreads

/// One version of a store, for as long as the value lives.
///
/// Counts and ids end with `cancelled` soon after the calling task is cancelled.
public struct Snapshot: Sendable {
    let snapshot: StoreVersion

    init(_ snapshot: StoreVersion) { self.snapshot = snapshot }

    /// The number of the version; each commit makes the next.
    public var version: UInt64 { snapshot.manifest.version }
    /// The fields of profiles.
    public var schema: Schema { snapshot.schema }
    /// How many profiles there are, erased ones aside.
    public var profiles: Int { snapshot.live }

    // MARK: Counting

    /// Counts the profiles of a segment, exactly.
    /// - Parameter segment: who is counted.
    /// - Parameter asOf: later activity never matches; nil for now.
    /// - Parameter timezone: the zone of days, for a segment that names none; nil for UTC.
    /// - Throws: `invalidRule` with the place in the rule; `damaged` when the store is.
    /// - Complexity: O(events in the rule's scope and windows + blocks of profiles).
    public func count(
        _ segment: Segment, asOf: Instant? = nil, in timezone: String? = nil
    ) throws(WinnowError) -> SegmentCount {
        try count(segment, EvaluationOptions(asOf: asOf, timezone: timezone))
    }

    /// Counts the profiles of a segment, exactly.
    public func count(_ segment: Segment, _ options: EvaluationOptions) throws(WinnowError)
        -> SegmentCount
    {
        try count([segment], options)[0]
    }

    /// Counts several segments, all as of the same instant; all are checked before any is
    /// evaluated. They are evaluated together, in one pass over the profiles: what they have in
    /// common is bound and evaluated once. `elapsed` is what one took to be bound, and an equal
    /// share of the pass.
    public func count(
        _ segments: [Segment], _ options: EvaluationOptions = EvaluationOptions()
    ) throws(WinnowError) -> [SegmentCount] {
        try evaluate(segments, options, Cancellation()).counts
    }

    /// The counts, and the ways in which they were evaluated, together.
    package func evaluate(
        _ segments: [Segment], _ options: EvaluationOptions,
        _ cancellation: Cancellation = Cancellation()
    ) throws(WinnowError) -> (counts: [SegmentCount], paths: EvaluationPaths) {
        let clock = ContinuousClock()
        let binding = try Binding(self, options, of: segments)
        var bound: [(segment: BoundSegment, elapsed: Duration)] = []
        for segment in segments {
            let start = clock.now
            bound.append((try binding.bind(segment), clock.now - start))
            try cancellation.check()
        }
        let start = clock.now
        let evaluator = evaluator(options, cancellation)
        let counts = try evaluator.count(bound.map(\.segment.plan))
        let share = (clock.now - start) / max(1, segments.count)
        var results: [SegmentCount] = []
        for (i, (bound, elapsed)) in bound.enumerated() {
            results.append(
                SegmentCount(
                    name: segments[i].name, count: counts[i], universe: profiles,
                    asOf: binding.asOf,
                    elapsed: elapsed + share, version: version, windows: bound.windows,
                    warnings: bound.warnings))
        }
        return (results, evaluator.paths)
    }

    // MARK: Ids

    /// The external ids of a segment's profiles, in the order of their rows; as many as `count`
    /// says. Who is in is found before this returns, and whatever ids are read from is verified, so
    /// iterating cannot fail.
    /// - Complexity: as `count`; a bit of memory per row of the store.
    public func ids(
        of segment: Segment, asOf: Instant? = nil, in timezone: String? = nil
    ) throws(WinnowError) -> ProfileIDs {
        try ids(of: segment, EvaluationOptions(asOf: asOf, timezone: timezone))
    }

    /// The external ids of a segment's profiles, in the order of their rows.
    public func ids(of segment: Segment, _ options: EvaluationOptions) throws(WinnowError)
        -> ProfileIDs
    {
        try ids(of: segment, options, Cancellation())
    }

    func ids(
        of segment: Segment, _ options: EvaluationOptions, _ cancellation: Cancellation
    ) throws(WinnowError) -> ProfileIDs {
        let plan = try Binding(self, options, of: [segment]).bind(segment).plan
        return ProfileIDs(try evaluator(options, cancellation).rows(plan), try snapshot.keys())
    }

    // MARK: Preparing

    /// Binds a segment once, to be counted many times as of the same instant.
    /// - Throws: `invalidRule` with the place in the rule.
    public func prepare(
        _ segment: Segment, asOf: Instant? = nil, in timezone: String? = nil
    ) throws(WinnowError) -> PreparedSegment {
        try prepare(segment, EvaluationOptions(asOf: asOf, timezone: timezone))
    }

    /// Binds a segment once, to be counted many times as of the same instant.
    public func prepare(_ segment: Segment, _ options: EvaluationOptions) throws(WinnowError)
        -> PreparedSegment
    {
        let binding = try Binding(self, options, of: [segment])
        return PreparedSegment(
            snapshot: self, name: segment.name, bound: try binding.bind(segment),
            asOf: binding.asOf, options: options)
    }

    func evaluator(_ options: EvaluationOptions, _ cancellation: Cancellation) -> Evaluator {
        Evaluator(snapshot, threads: threads(options), cancellation)
    }

    /// How many threads an evaluation with these options uses at most. While it waits for files that
    /// are not in memory, up to sixteen times as many, but no more than 32, wait beside it.
    public func threads(_ options: EvaluationOptions) -> Int {
        max(1, options.threads ?? availableCores())
    }
}

/// Binds the segments of one call.
struct Binding {
    let asOf: Instant
    private let snapshot: Snapshot
    private let options: EvaluationOptions
    private let shared: SharedBindings

    /// - Parameter shared: what other bindings to the same snapshot, as of other instants, are to
    ///   have in common with these.
    init(
        _ snapshot: Snapshot, _ options: EvaluationOptions, of segments: [Segment],
        sharing shared: SharedBindings? = nil
    ) throws(WinnowError) {
        self.shared = shared ?? SharedBindings(of: segments)
        try options.validate()
        self.snapshot = snapshot
        self.options = options
        asOf = options.asOf ?? systemTime()
    }

    func bind(_ segment: Segment) throws(WinnowError) -> BoundSegment {
        try segment.bind(
            to: snapshot.snapshot, try time(segment), strict: options.strict, sharing: shared)
    }

    /// When a segment is evaluated.
    func time(_ segment: Segment) throws(WinnowError) -> EvaluationTime {
        EvaluationTime(
            asOf: asOf, zone: try zone(segment),
            usualZone: try TimeZoneRules.system(options.timezone ?? "UTC"),
            isChosen: options.asOf != nil
        ) { (name) throws(WinnowError) in try TimeZoneRules.system(name) }
    }

    /// The zone in which a segment's days are.
    func zone(_ segment: Segment) throws(WinnowError) -> TimeZoneRules {
        guard let own = segment.timezone else {
            return try TimeZoneRules.system(options.timezone ?? "UTC")
        }
        do throws(WinnowError) { return try TimeZoneRules.system(own) } catch {
            throw .invalidRule(path: RulePath.document.key(.timezone), message: error.description)
        }
    }
}

extension Instant {
    /// The system's time of day.
    public static var now: Instant { systemTime() }
}
