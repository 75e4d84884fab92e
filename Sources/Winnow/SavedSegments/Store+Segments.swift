import WinnowBitmaps
import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowQuery
import WinnowRules
import WinnowStorage

/// How a segment is saved.
public struct SaveOptions: Sendable {
    /// What people say of it; nil for nothing, or for what is said of the one that it replaces.
    public var description: String?
    /// Whether it takes the place of one that has the name. A static one that takes the place of a
    /// static one goes on with its history.
    public var replaces: Bool
    /// When and how the rule is evaluated. A rule without a time zone is saved with the one that is
    /// given here.
    public var evaluation: EvaluationOptions

    /// A new segment without a description, as of now.
    public init(
        description: String? = nil, replaces: Bool = false,
        evaluation: EvaluationOptions = EvaluationOptions()
    ) {
        self.description = description
        self.replaces = replaces
        self.evaluation = evaluation
    }
}

/// What saving a segment came to.
public struct SavedSummary: Sendable {
    /// Who came into a static one, and left it; nil for a dynamic one.
    public var refresh: SegmentRefresh?
    /// Ids that the store does not have, of those that were given; nil where a rule was.
    public var unknown: Int?
    /// What the rule's author should know.
    public var warnings: [RuleWarning] = []
}

/// What refreshing segments came to.
public struct RefreshSummary: Sendable {
    /// For each segment, in the byte order of their names.
    public var refreshes: [SegmentRefresh] = []
    /// Segments that were refreshed as of a later instant already, and so were passed over.
    public var later: [String] = []
    /// Whether this was done before under the same batch id, so that nothing was stored.
    public var isRepeated = false
    /// What the authors of the rules should know.
    public var warnings: [RuleWarning] = []
    /// The version of the store from now on.
    public var version: UInt64
}

extension Store {
    /// Saves a segment that is evaluated whenever it is used: `.saved("vip")`, `in segment "vip"`.
    /// Atomic and durable, as a load is.
    /// - Parameter segment: its rule; its own name plays no part.
    /// - Parameter name: 1 to 255 bytes.
    /// - Parameter options: a description, whether it replaces another, and when the rule is evaluated.
    /// - Throws: `cannotCreate` when there is one of the name that is not to be replaced, `usage`
    ///   when it would use itself, naming by which way, `invalidRule` with the place in the rule,
    ///   `anotherWriter` when the store is being written.
    @discardableResult
    public func save(
        _ segment: Segment, as name: String, _ options: SaveOptions = SaveOptions()
    ) throws(WinnowError) -> SavedSummary {
        try saving(options) { (saving) throws(WinnowError) in
            let segment = saving.zoned(segment)
            var stored = try saving.segment(name, segment)
            let warnings = try saving.bind(segment).warnings
            stored.list = 0
            try saving.refuseHistory(of: name)
            try saving.commit(stored, nil)
            return SavedSummary(warnings: warnings)
        }
    }

    /// Saves the profiles that a segment has now, or as of the instant of the options, as a static
    /// segment: it stays as it is until it is refreshed, and tells who entered and left it, and when.
    /// - Parameter segment: its rule; its own name plays no part.
    /// - Parameter name: 1 to 255 bytes.
    /// - Parameter options: a description, whether it replaces another, and when the rule is evaluated.
    /// - Throws: as `save`; `usage` for an instant before the last refresh of one that is replaced.
    /// - Complexity: as counting the segment.
    @discardableResult
    public func freeze(
        _ segment: Segment, as name: String, _ options: SaveOptions = SaveOptions()
    ) throws(WinnowError) -> SavedSummary {
        try saving(options) { (saving) throws(WinnowError) in
            let segment = saving.zoned(segment)
            let stored = try saving.segment(name, segment)
            let bound = try saving.bind(segment)
            return SavedSummary(
                refresh: try saving.freeze(stored, bound.plan), warnings: bound.warnings)
        }
    }

    /// Saves some profiles as a static segment without a rule, as of now.
    /// - Parameter ids: external ids; those that the store does not have are passed over.
    /// - Parameter name: 1 to 255 bytes.
    /// - Parameter options: a description, whether it replaces another, and when the rule is evaluated.
    /// - Throws: as `save`.
    @discardableResult
    public func freeze(
        profiles ids: [String], as name: String, _ options: SaveOptions = SaveOptions()
    ) throws(WinnowError) -> SavedSummary {
        try freeze(profiles: ids.map { Array($0.utf8) }, as: name, options)
    }

    package func freeze(
        _ list: ProfileIDList, as name: String, _ options: SaveOptions
    ) throws(WinnowError) -> SavedSummary {
        try freeze(profiles: list.ids, as: name, options)
    }

    private func freeze(
        profiles ids: [[UInt8]], as name: String, _ options: SaveOptions
    ) throws(WinnowError) -> SavedSummary {
        try saving(options) { (saving) throws(WinnowError) in
            let stored = try saving.segment(name, nil)
            let keys = try saving.snapshot.snapshot.keys()
            let different = Set(ids)
            let rows = different.compactMap { keys.code(of: $0).map(Row.init(rawValue:)) }
            let refresh = try saving.freeze(stored, .rows(rows.sorted()))
            return SavedSummary(refresh: refresh, unknown: different.count - rows.count)
        }
    }

    /// Finds the members of static segments anew, all in one pass over the profiles and as one
    /// version: either all are refreshed, or none. A segment whose rule uses another one that is
    /// refreshed with it means its new members.
    /// - Parameter names: nil for all that have a rule; of these the ones that were refreshed as of a
    ///   later instant already are passed over, unless all were.
    /// - Parameter batch: an id under which this is done once: tried again, it does nothing.
    /// - Parameter options: the instant of evaluation is not before the last refresh of those that are
    ///   named.
    /// - Throws: `notFound` for a name that the store does not have, `usage` for one without a rule
    ///   and for an instant that is too early, `badData` with `batchConflict` when something else was
    ///   done under the id, `anotherWriter` when the store is being written.
    /// - Complexity: as counting the rules together.
    @discardableResult
    public func refresh(
        _ names: [String]? = nil, batch: String? = nil,
        _ options: EvaluationOptions = EvaluationOptions()
    ) throws(WinnowError) -> RefreshSummary {
        try saving(SaveOptions(evaluation: options), isSaving: false) {
            (saving) throws(WinnowError) in try saving.refresh(names, batch: batch)
        }
    }

    /// Removes a saved segment with its members and its history; they leave the files when the store
    /// is compacted.
    /// - Throws: `notFound` for a name that the store does not have, `usage` while another segment
    ///   uses it, naming that.
    public func removeSegment(_ name: String) throws(WinnowError) {
        try saving(SaveOptions()) { (saving) throws(WinnowError) in
            let saved = try saving.snapshot.savedSegment(name)
            guard saved.usedBy.isEmpty else {
                let names = saved.usedBy.map { "“\($0)”" }.joined(separator: ", ")
                throw .usage("“\(name)” is used by \(names); change or remove that first")
            }
            var stored = try saving.snapshot.storedSegment(name)
            stored.isRemoved = true
            stored.list = 0
            stored.description = nil
            stored.rule = nil
            try saving.commit(stored, nil)
        }
    }

    /// Calls `body` with the store's lock. What it looks at holds the version that it began with; once
    /// that is let go, the files that only this version needs are removed.
    private func saving<T>(
        _ options: SaveOptions, isSaving: Bool = true,
        _ body: (Saving) throws(WinnowError) -> T
    ) throws(WinnowError) -> T {
        let writer = try Writer(directory)
        let result = try body(try Saving(writer, options, isSaving: isSaving))
        writer.removeUnused()
        return result
    }
}

/// Saving and refreshing segments, with the store's lock.
private struct Saving {
    private let writer: Writer
    let snapshot: Snapshot
    private let options: SaveOptions
    private let binding: Binding
    private let shared: SharedBindings

    /// - Parameter isSaving: whether the options are those of one rule.
    init(_ writer: Writer, _ options: SaveOptions, isSaving: Bool) throws(WinnowError) {
        self.writer = writer
        snapshot = Snapshot(writer.snapshot)
        self.options = options
        shared = SharedBindings(of: [], often: true)
        // A zone that is given with a rule is the rule's own, not that of segments that it uses.
        var evaluation = options.evaluation
        if isSaving { evaluation.timezone = nil }
        binding = try Binding(snapshot, evaluation, of: [], sharing: shared)
    }

    private var saved: SavedSegments {
        get throws(WinnowError) { try writer.snapshot.savedSegments() }
    }

    /// What is to be stored of a segment under a name; nil for a list of ids.
    func segment(_ name: String, _ segment: Segment?) throws(WinnowError) -> StoredSegment {
        guard (1...255).contains(name.utf8.count) else {
            throw .usage("the name of a segment has 1 to 255 bytes")
        }
        if let description = options.description, description.utf8.count > 65_535 {
            throw .usage("a description has at most 65,535 bytes")
        }
        let old = try saved.named(name)
        guard old == nil || options.replaces else {
            throw .cannotCreate(
                path: name, reason: "there is a segment of this name; replace it, or take another")
        }
        var stored = StoredSegment(name: Array(name.utf8))
        stored.list = old?.list ?? 0
        stored.horizon = old?.horizon ?? .min
        stored.description = options.description.map { Array($0.utf8) } ?? old?.description
        if let segment {
            stored.rule = Array(try segment.json().utf8)
            try refuseCycle(name, segment)
        }
        return stored
    }

    /// Refuses a rule that uses the segment itself, whatever is between.
    private func refuseCycle(_ name: String, _ segment: Segment) throws(WinnowError) {
        let saved = try saved
        // By whom each segment was reached.
        var reached: [[UInt8]: [UInt8]?] = [:]
        var waiting: [(name: [UInt8], rule: Rule)] = [(Array(name.utf8), segment.rule)]
        while let (user, rule) = waiting.popLast() {
            for used in rule.segmentsUsed {
                if sameBytes(used, name) {
                    var way = [used]
                    var step: [UInt8]? = user
                    while let next = step, next != Array(name.utf8) {
                        way.append(String(decoding: next, as: UTF8.self))
                        step = reached[next] ?? nil
                    }
                    let names = (way + [name]).reversed().map { "“\($0)”" }
                    throw .usage(
                        "“\(name)” would use itself: \(names.joined(separator: " uses "))")
                }
                let key = Array(used.utf8)
                guard reached[key] == nil, let stored = saved.named(used), stored.rule != nil else {
                    continue
                }
                reached[key] = user
                waiting.append((key, try stored.segment().rule))
            }
        }
    }

    /// Refuses to make a static segment dynamic while rules ask who entered or left it.
    func refuseHistory(of name: String) throws(WinnowError) {
        guard try saved.named(name)?.isStatic == true else { return }
        for stored in try saved.all where stored.rule != nil {
            guard try stored.segment().rule.asksWhoChanged(name) else { continue }
            throw .usage(
                "“\(stored.text)” asks who entered or left “\(name)”, which a rule "
                    + "alone cannot say; change that first"
            )
        }
    }

    /// A segment in the zone that it is to have.
    func zoned(_ segment: Segment) -> Segment {
        var segment = segment
        segment.timezone = segment.timezone ?? options.evaluation.timezone
        return segment
    }

    func bind(_ segment: Segment) throws(WinnowError) -> BoundSegment { try binding.bind(segment) }

    /// Stores a static segment, whose members become those of a plan.
    func freeze(_ stored: StoredSegment, _ plan: Plan) throws(WinnowError) -> SegmentRefresh {
        var stored = stored
        if !stored.isStatic {
            stored.list = try saved.nextList
            stored.horizon = .min
        }
        try refuseEarlier(stored)
        let result = try evaluate([(stored, plan)])
        try commit(stored, result)
        return SegmentRefresh(name: stored.text, result.refreshes[0])
    }

    private func refuseEarlier(_ stored: StoredSegment) throws(WinnowError) {
        guard let last = try saved.lastRefresh(stored), binding.asOf.milliseconds < last.asOf
        else { return }
        throw .usage(
            "“\(stored.text)” was refreshed as of \(Instant(milliseconds: last.asOf)); "
                + "it cannot be as of \(binding.asOf), before that")
    }

    fileprivate typealias Changes = (updates: [MembershipUpdate], refreshes: [StoredRefresh])

    private func evaluate(
        _ segments: [(stored: StoredSegment, plan: Plan)]
    ) throws(WinnowError) -> Changes {
        let evaluator = snapshot.evaluator(options.evaluation, writer.cancellation)
        let found = try evaluator.refresh(
            segments.map { RefreshedList(list: $0.stored.list, $0.plan) },
            try writer.snapshot.memberships(), at: binding.asOf)
        return (
            found.map(\.update).filter { !$0.blocks.isEmpty },
            found.map { update, members in
                StoredRefresh(
                    list: update.list, asOf: update.time, entered: Int64(update.entered),
                    left: Int64(update.left), members: Int64(members))
            }
        )
    }

    fileprivate func commit(_ stored: StoredSegment, _ changes: Changes?) throws(WinnowError) {
        try commit([stored], changes, nil)
    }

    private func commit(
        _ segments: [StoredSegment], _ changes: Changes?,
        _ identity: (id: [UInt8], digest: [UInt8])?
    ) throws(WinnowError) {
        var batch = try Batch(writer.snapshot)
        batch.segments = segments
        batch.memberships = changes?.updates ?? []
        batch.refreshes = changes?.refreshes ?? []
        batch.identity = identity
        try writer.commit(batch, at: nil, memory: LoadOptions.smallestMemory)
    }

    // MARK: Refreshing

    func refresh(_ names: [String]?, batch: String?) throws(WinnowError) -> RefreshSummary {
        let version = writer.snapshot.manifest.version
        let identity = try identity(batch, names)
        if let identity, let digest = try writer.snapshot.digest(ofBatch: identity.id) {
            guard digest == identity.digest else {
                throw .badData(
                    file: "batch “\(batch ?? "")”", line: nil, column: nil, code: .batchConflict,
                    reason: "something else was done before under this id; nothing was stored")
            }
            return RefreshSummary(isRepeated: true, version: version)
        }
        let (chosen, later) = if let names { try named(names) } else { try all() }
        shared.refreshing = Set(chosen.map(\.list))
        var plans: [(stored: StoredSegment, plan: Plan)] = []
        var warnings: [RuleWarning] = []
        for stored in chosen {
            let segment = Segment.saved(stored.text)
            let bound: BoundSegment
            do throws(WinnowError) { bound = try binding.bind(segment) } catch {
                guard case .invalidRule(_, let message) = error else { throw error }
                throw .invalidRule(path: .document, message: message)
            }
            plans.append((stored, bound.plan))
            warnings += bound.warnings
        }
        let changes = try evaluate(plans)
        try commit([], changes, identity)
        return RefreshSummary(
            refreshes: zip(chosen, changes.refreshes).map { SegmentRefresh(name: $0.text, $1) },
            later: later, warnings: warnings, version: writer.snapshot.manifest.version)
    }

    /// The segments of some names, which can be refreshed.
    private func named(
        _ names: [String]
    ) throws(WinnowError) -> (chosen: [StoredSegment], later: [String]) {
        var chosen: [StoredSegment] = []
        var known: Set<[UInt8]> = []
        for name in names where known.insert(Array(name.utf8)).inserted {
            let stored = try snapshot.storedSegment(name)
            guard stored.isStatic, stored.rule != nil else {
                throw .usage(
                    stored.isStatic
                        ? "“\(name)” is a list of ids without a rule; save it again to change it"
                        : "“\(name)” is evaluated when it is used; there is nothing to refresh")
            }
            try refuseEarlier(stored)
            chosen.append(stored)
        }
        return (chosen.sorted { $0.name.lexicographicallyPrecedes($1.name) }, [])
    }

    /// All segments that can be refreshed: one that is later already does not keep the others from it.
    private func all() throws(WinnowError) -> (chosen: [StoredSegment], later: [String]) {
        let saved = try saved
        let ruled = saved.all.filter { $0.isStatic && $0.rule != nil }
        let chosen = ruled.filter { stored in
            saved.lastRefresh(stored).map { $0.asOf <= binding.asOf.milliseconds } ?? true
        }
        if chosen.isEmpty, let first = ruled.first { try refuseEarlier(first) }
        let lists = Set(chosen.map(\.list))
        return (chosen, ruled.filter { !lists.contains($0.list) }.map(\.text))
    }

    /// The id of a refresh that is to be done once, and what it consists of.
    private func identity(
        _ batch: String?, _ names: [String]?
    ) throws(WinnowError) -> (id: [UInt8], digest: [UInt8])? {
        guard let batch else { return nil }
        guard (1...255).contains(batch.utf8.count) else {
            throw .usage("the id of a batch has 1 to 255 bytes")
        }
        // Now is another instant each time.
        let asOf = options.evaluation.asOf?.description ?? "now"
        let what = names?.map { "\($0.utf8.count):\($0)" }.joined() ?? "all"
        var digest = SHA256()
        unsafe Array("refresh\n\(asOf)\n\(what)".utf8).withUnsafeBytes { unsafe digest.update($0) }
        return (Array(batch.utf8), digest.finish())
    }
}

extension Rule {
    /// Whether it asks who entered or left a saved segment.
    fileprivate func asksWhoChanged(_ name: String) -> Bool {
        switch node {
        case .segment(let condition): condition.history != nil && sameBytes(condition.name, name)
        case .all(let parts), .any(let parts): parts.contains { $0.asksWhoChanged(name) }
        case .not(let part): part.asksWhoChanged(name)
        default: false
        }
    }
}
