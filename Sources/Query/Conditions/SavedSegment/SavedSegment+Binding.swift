import WinnowColumns
import WinnowModel
import WinnowRules
import WinnowStorage

extension SavedSegmentCondition: BindableCondition {
    // The rule of a dynamic one may; its binding tells.
    var usesCurrentState: Bool { false }

    func bind(_ binder: inout Binder) throws(WinnowError) -> Plan {
        let saved = try binder.snapshot.savedSegments()
        guard let segment = saved.named(name) else {
            let names = saved.all.map { String(decoding: $0.name, as: UTF8.self) }
            let hint = nearestHint(for: name, among: names)
            let message = "the store has no segment “\(name)”\(hint)"
            throw history == nil
                ? .invalidRule(path: binder.place, message: message)
                : binder.invalid(at: .name, message)
        }
        guard let history else { return try binder.members(of: segment) }
        guard segment.isStatic else {
            throw binder.invalid(
                at: history.change.key,
                "“\(name)” is evaluated when it is used, so nobody enters or leaves it; freeze it for that"
            )
        }
        return try changes(history, of: segment, &binder)
    }

    private func changes(
        _ history: History, of segment: StoredSegment, _ binder: inout Binder
    ) throws(WinnowError) -> Plan {
        let asOf = binder.time.asOf.milliseconds
        var window = Int64.min...Int64.max
        if let during = history.during {
            let resolved = during.resolved(binder.time)
            window = resolved.milliseconds ?? Int64.max...Int64.max
            let ending = resolved.ending(at: binder.time.asOf)
            try binder.at(history.change.key) { $0.report(ending, at: .during) }
        }
        if min(window.lowerBound, asOf) < segment.horizon { binder.noteDropped(segment) }
        guard window.lowerBound <= asOf else { return .empty }
        let parts = try binder.memberships(of: segment)
        func plan(_ atLeast: UInt64, upTo last: Int64) -> Plan {
            if atLeast == 0 { return .universe }
            let start = max(window.lowerBound, segment.horizon)
            guard start <= last else { return .empty }
            return .condition(
                MembershipHistoryCondition(
                    parts, list: segment.list, enters: history.change == .entered,
                    atLeast: atLeast, window: start...last))
        }
        let last = min(window.upperBound, asOf)
        let atLeast = UInt64(history.atLeast)
        let known = plan(atLeast, upTo: last)
        guard last == asOf, let new = try binder.refreshed(segment) else { return known }
        // Who enters or leaves in the refresh that is under way has done so once more.
        let members = Plan.condition(
            MembersCondition(parts, list: segment.list, asOf: .max))
        let changing: Plan =
            history.change == .entered ? .all([new, .not(members)]) : .all([members, .not(new)])
        return .any([known, .all([plan(atLeast - 1, upTo: last), changing])])
    }
}

extension Binder {
    /// Who is in a segment of the store.
    fileprivate mutating func members(of segment: StoredSegment) throws(WinnowError) -> Plan {
        guard segment.isStatic else { return try saved(segment) }
        if let new = try refreshed(segment) { return new }
        let asOf = time.asOf.milliseconds
        if asOf < segment.horizon {
            noteDropped(segment)
            return .empty
        }
        return .condition(
            MembersCondition(try memberships(of: segment), list: segment.list, asOf: asOf))
    }

    /// The parts that speak of a list.
    fileprivate func memberships(
        of segment: StoredSegment
    ) throws(WinnowError) -> [MembershipPart] {
        try snapshot.memberships().filter { $0.speaks(of: segment.list) }
    }

    fileprivate mutating func noteDropped(_ segment: StoredSegment) {
        let name = String(decoding: segment.name, as: UTF8.self)
        note(
            "segment_history_dropped",
            "who was in “\(name)” before \(Instant(milliseconds: segment.horizon)) was dropped")
    }

    /// Of a static segment whose members are being found anew, who they are going to be.
    fileprivate mutating func refreshed(_ segment: StoredSegment) throws(WinnowError) -> Plan? {
        shared.refreshing.contains(segment.list) ? try saved(segment) : nil
    }

    /// The plan of a saved segment's rule, which has days of its own. Windows are not reported;
    /// warnings are, of the segment.
    private mutating func saved(_ stored: StoredSegment) throws(WinnowError) -> Plan {
        let name = String(decoding: stored.name, as: UTF8.self)
        do throws(WinnowError) {
            let bound = try shared.binding(of: stored, self)
            for warning in bound.warnings {
                note(warning.code, "in segment “\(name)”: \(warning.message)")
            }
            return bound.plan
        } catch {
            guard case .invalidRule(_, let message) = error else { throw error }
            throw .invalidRule(path: place, message: "in segment “\(name)”: \(message)")
        }
    }
}

/// A saved segment bound for one call.
struct SavedBinding {
    let plan: Plan
    let warnings: [RuleWarning]
    /// Levels of its rule and of the segments that it uses.
    let depth: Int
    /// How these depend on the instant of evaluation, and the zones of the days by which they do.
    let use: TimeUse
    let zones: Set<String>
}

extension SavedSegmentCondition {
    /// Levels of a saved rule and of the segments that it uses, altogether.
    static let levels = 1024
}

extension SharedBindings {
    struct SavedKey: Hashable {
        let name: [UInt8]
        let asOf: Instant
    }

    /// Binds a saved segment, and before it all that it uses.
    ///
    /// Method: what is yet to be bound is kept in a list, not in calls within calls, so that no
    /// chain of segments overflows the stack.
    fileprivate func binding(
        of stored: StoredSegment, _ binder: Binder
    ) throws(WinnowError) -> SavedBinding {
        func key(_ segment: StoredSegment) -> SavedKey {
            SavedKey(name: segment.name, asOf: binder.time.asOf)
        }
        if let known = saved[key(stored)] { return known }
        let all = try binder.snapshot.savedSegments()
        var waiting: [(stored: StoredSegment, segment: Segment, isOpen: Bool)] = [
            (stored, try stored.segment(), false)
        ]
        var open: Set<[UInt8]> = []
        while let (next, segment, isOpen) = waiting.last {
            if saved[key(next)] != nil {
                waiting.removeLast()
                continue
            }
            if isOpen {
                waiting.removeLast()
                open.remove(next.name)
                saved[key(next)] = try bind(next, segment, all, binder)
                continue
            }
            waiting[waiting.count - 1].isOpen = true
            open.insert(next.name)
            for name in segment.rule.segmentsUsed {
                guard let used = all.named(name), !used.isStatic || refreshing.contains(used.list),
                    saved[key(used)] == nil
                else { continue }
                guard !open.contains(used.name) else {
                    throw .damaged(
                        file: binder.snapshot.path, what: "the segment “\(name)” uses itself")
                }
                waiting.append((used, try used.segment(), false))
            }
        }
        guard let bound = saved[key(stored)] else { throw .usage("a segment was not bound") }
        return bound
    }

    /// Binds a segment; those that it uses are bound.
    private func bind(
        _ stored: StoredSegment, _ segment: Segment, _ all: SavedSegments, _ binder: Binder
    ) throws(WinnowError) -> SavedBinding {
        let time = try binder.time.inZone(segment.timezone)
        var depth = 0
        var use = segment.rule.timeUse
        var zones: Set<String> = use == .day ? [time.zone.name] : []
        for name in segment.rule.segmentsUsed {
            let key = SavedKey(name: Array(name.utf8), asOf: time.asOf)
            guard let used = saved[key] else { continue }
            depth = max(depth, used.depth)
            use = max(use, used.use)
            zones.formUnion(used.zones)
        }
        depth += segment.rule.depth
        guard depth <= SavedSegmentCondition.levels else {
            throw .invalidRule(
                path: .document,
                message:
                    "it nests more than \(SavedSegmentCondition.levels) levels deep with the segments that it uses"
            )
        }
        let bound = try segment.bind(
            to: binder.snapshot, time, strict: binder.strict, sharing: self)
        let isLasting = use < .instant && zones.count <= 1
        let day = try zones.first.map { (name) throws(WinnowError) in
            try time.inZone(name).zone.date(of: time.asOf).day
        }
        let rows: SavedRows? =
            keepsRows && refreshing.isEmpty
            ? SavedRows(
                SegmentCache.Key(
                    path: binder.snapshot.path, version: binder.snapshot.manifest,
                    name: String(decoding: stored.name, as: UTF8.self), zone: time.zone.name,
                    usualZone: time.usualZone.name,
                    asOf: isLasting
                        ? min(time.asOf.milliseconds, try binder.snapshot.lastMillisecond())
                        : time.asOf.milliseconds,
                    day: day)) : nil
        let plan: Plan =
            switch bound.plan {
            case .empty, .universe: bound.plan
            default: .saved(SavedPlan(bound.plan, rows: rows))
            }
        return SavedBinding(
            plan: plan, warnings: bound.warnings, depth: depth, use: use, zones: zones)
    }
}

extension StoredSegment {
    /// The segment that its rule says.
    package func segment() throws(WinnowError) -> Segment {
        let name = String(decoding: name, as: UTF8.self)
        guard let rule else { throw .usage("“\(name)” is a list of ids; it has no rule") }
        return try Segment(json: String(decoding: rule, as: UTF8.self))
    }
}
