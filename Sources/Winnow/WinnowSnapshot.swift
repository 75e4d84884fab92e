import Columns
import Disk
import Format
import Model
import Query
import Rules
import Store

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

    public init() {}
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
}

/// One version of a store, for as long as the value lives.
public struct WinnowSnapshot: Sendable {
    private let snapshot: Store.Snapshot

    init(_ snapshot: Store.Snapshot) { self.snapshot = snapshot }

    public var version: UInt64 { snapshot.manifest.version }
    public var schema: Schema { snapshot.schema }
    /// How many profiles there are.
    public var profiles: Int { snapshot.rows }

    /// Counts the profiles of a segment, exactly.
    /// - Throws: `invalidRule` with the place in the rule; `damaged` when the store is.
    /// - Complexity: O(events in the rule's scope and windows + blocks of profiles).
    public func count(
        _ segment: Segment, _ options: EvaluationOptions = EvaluationOptions()
    ) throws(WinnowError) -> SegmentCount {
        try count([segment], options)[0]
    }

    /// Counts several segments, all as of the same instant; all are checked before any is evaluated.
    public func count(
        _ segments: [Segment], _ options: EvaluationOptions = EvaluationOptions()
    ) throws(WinnowError) -> [SegmentCount] {
        let asOf = options.asOf ?? systemTime()
        var bound: [BoundSegment] = []
        for segment in segments { bound.append(try bind(segment, asOf, options)) }
        let evaluator = evaluator(options)
        var results: [SegmentCount] = []
        for (segment, bound) in zip(segments, bound) {
            let clock = ContinuousClock(), start = clock.now
            let count = try evaluator.count(bound.plan)
            results.append(
                SegmentCount(
                    name: segment.name, count: count, universe: profiles, asOf: asOf,
                    elapsed: clock.now - start, version: version, windows: bound.windows, warnings: bound.warnings))
        }
        return results
    }

    /// The external ids of a segment's profiles, in the order of their rows; as many as `count` says.
    public func ids(
        _ segment: Segment, _ options: EvaluationOptions = EvaluationOptions()
    ) throws(WinnowError) -> [String] {
        let bound = try bind(segment, options.asOf ?? systemTime(), options)
        let keys = try snapshot.keys()
        var ids: [String] = []
        for row in try evaluator(options).rows(bound.plan) {
            guard let bytes = keys.bytes(row) else {
                throw .damaged(file: "keys", what: "row \(row) has no id")
            }
            ids.append(String(decoding: bytes, as: UTF8.self))
        }
        return ids
    }

    private func evaluator(_ options: EvaluationOptions) -> Evaluator {
        Evaluator(snapshot, threads: options.threads ?? availableCores())
    }

    private func bind(
        _ segment: Segment, _ asOf: Instant, _ options: EvaluationOptions
    ) throws(WinnowError) -> BoundSegment {
        let zone = try TimeZoneRules.system(segment.timezone ?? options.timezone ?? "UTC")
        return try Binder.bind(
            segment, to: snapshot, EvaluationTime(asOf: asOf, zone: zone), strict: options.strict,
            asOfGiven: options.asOf != nil)
    }
}

/// What a store holds.
public struct StoreInfo: Sendable {
    public var version: UInt64
    public var profiles: Int
    public var events: Int
    public var erased: Int
    public var parts: Int
    public var activityBytes, profileBytes, catalogueBytes, indexBytes, otherBytes: Int
    public var firstEvent, lastEvent: Instant?
    public var format: UInt32
}

extension WinnowSnapshot {
    /// Totals of the store; every part is opened, so a missing or shortened one is reported. Complexity: O(parts).
    public func info() throws(WinnowError) -> StoreInfo {
        let manifest = snapshot.manifest
        func bytes(_ kinds: PartKind...) -> Int {
            manifest.parts.filter { kinds.contains($0.kind) }.reduce(0) { $0 + Int(clamping: $1.length) }
        }
        for kind in PartKind.allCases { _ = try snapshot.files(kind) }
        let types = try snapshot.activity().flatMap { $0.types.values }.filter { $0.events > 0 }
        return StoreInfo(
            version: manifest.version, profiles: snapshot.rows, events: types.reduce(0) { $0 + $1.events }, erased: 0,
            parts: manifest.parts.count, activityBytes: bytes(.activity), profileBytes: bytes(.profiles),
            catalogueBytes: bytes(.catalogue), indexBytes: bytes(.keys, .dictionary),
            otherBytes: manifest.encoded.count,
            firstEvent: types.map(\.minimum).min().map(Instant.init(milliseconds:)),
            lastEvent: types.map(\.maximum).max().map(Instant.init(milliseconds:)), format: PartFormat.version)
    }
}
