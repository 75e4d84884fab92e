import WinnowBitmaps
import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowRules
import WinnowStorage

/// What one condition comes to for one profile.
package struct ProfileReckoning: Sendable {
    /// What is counted: of events what their `count`s add up to, of goals and subscriptions records.
    package var count: UInt64?
    /// What the count must be; nil as upper bound for no limit.
    package var needed: (from: UInt64, to: UInt64?)?
    /// The object or message that decides.
    package var object: String?
    /// The latest events that count, and those that they are paired with.
    package var deciding: [ProfileEvent] = []
    /// The event that nearly counts, and what it misses.
    package var nearest: (event: ProfileEvent, misses: [String])?
    /// The value of a field, as JSON.
    package var value: String?

    /// Events of each kind that are listed.
    fileprivate static let listed = 5
}

/// Reckons conditions for one profile from its records, event by event.
package struct ProfileReckoner {
    let snapshot: StoreVersion
    let records: ProfileRecords
    let row: Row

    package init(_ snapshot: StoreVersion, _ row: Row) {
        self.snapshot = snapshot
        self.row = row
        records = ProfileRecords(snapshot, row)
    }

    /// What a condition comes to.
    /// - Throws: `invalidRule` where it cannot be bound.
    package func reckon(
        _ rule: Rule, _ time: EvaluationTime
    ) throws(WinnowError) -> ProfileReckoning {
        var binder = Binder(reckoning: snapshot, time)
        switch rule.node {
        case .activity(let activity): return try reckon(activity, &binder)
        case .goal(let goal): return try reckon(goal, &binder)
        case .subscription(let subscription): return try reckon(subscription, &binder)
        case .segment(let condition): return try reckon(condition, binder)
        case .field, .sample, .all, .any, .not, .tooDeep, .tooLarge:
            return ProfileReckoning()
        }
    }

    /// How often the profile entered or left a static segment; nothing of who is in one.
    private func reckon(
        _ condition: SavedSegmentCondition, _ binder: Binder
    ) throws(WinnowError) -> ProfileReckoning {
        guard let history = condition.history,
            let segment = try snapshot.savedSegments().named(condition.name), segment.isStatic
        else { return ProfileReckoning() }
        let window =
            history.during.map { $0.resolved(binder.time).milliseconds ?? Int64.max...Int64.max }
            ?? Int64.min...Int64.max
        let key = MembershipKey(list: segment.list, block: row.block)
        var count: UInt64 = 0
        for part in try snapshot.memberships() {
            try part.changes(key)?.forEach { (time, entered, left) throws(WinnowError) in
                guard window.contains(time), time >= segment.horizon,
                    time <= binder.time.asOf.milliseconds
                else { return }
                let rows = history.change == .entered ? entered : left
                if rows.rank(of: row.inBlock) != nil { count += 1 }
            }
        }
        return ProfileReckoning(count: count, needed: (UInt64(history.atLeast), nil))
    }

    // MARK: Activity

    private func reckon(
        _ activity: Activity, _ binder: inout Binder
    ) throws(WinnowError) -> ProfileReckoning {
        let scope = try ReckonedScope(activity, snapshot, &binder)
        let asOf = binder.time.asOf
        let own = try events(activity.type, by: activity.by, links: activity.links).filter {
            scope.holds($0) && $0.time <= asOf
        }
        let counting = own.filter { scope.window.contains($0.time.milliseconds) }
        let (lower, upper) = activity.condition.range
        var result = ProfileReckoning()
        result.needed = (lower, upper)
        func meets(_ count: UInt64) -> Bool { count >= lower && count <= upper ?? .max }

        /// Keeps what is to be said of the events that count and of those that they are paired with.
        func tell(_ events: [ProfileEvent], _ others: [ProfileEvent] = []) {
            result.count = ProfileReckoner.count(events)
            result.deciding = ProfileReckoner.newest(events) + ProfileReckoner.newest(others)
            result.deciding.sort(by: ProfileRecords.comes)
        }

        var starts: ((ProfileEvent) -> Bool)?
        if let precededBy = activity.precededBy {
            let other = EventType(activity.type.channel, precededBy.event)
            let before = try events(other, by: precededBy.by, links: nil).filter {
                scope.holds($0) && $0.time <= asOf && scope.window.contains($0.time.milliseconds)
            }
            if precededBy.pairing == .scope {
                tell(counting, before)
            } else {
                let key = scope.key(precededBy.pairing)
                let groups = ProfileReckoner.groups(counting, before, key)
                let reaching = groups.filter {
                    ProfileReckoner.count($0.others) >= UInt64(precededBy.atLeast)
                }
                let candidates = reaching.isEmpty ? groups : reaching
                if let group = ProfileReckoner.decider(candidates, lower, upper) {
                    result.object = group.object
                    tell(group.events, group.others)
                } else {
                    tell(counting, before)
                }
            }
        } else if let after = activity.after {
            let other = EventType(activity.type.channel, after.event)
            let before = try events(other, by: after.by, links: nil).filter {
                scope.holds($0) && $0.time <= asOf
            }
            let span = AfterCondition.Span(
                which: after.which, within: after.within, zone: binder.time.zone)
            func following(_ events: [ProfileEvent], _ others: [ProfileEvent]) -> [ProfileEvent] {
                let times = others.map(\.time.milliseconds)
                guard let start = after.which == .last ? times.max() : times.min() else {
                    return []
                }
                let end = span.end(after: start)
                return events.filter {
                    $0.time.milliseconds > start && $0.time.milliseconds <= end
                }
            }
            if after.pairing == .scope {
                tell(following(counting, before), before)
                starts = { event in !following([event], before).isEmpty }
            } else {
                let key = scope.key(after.pairing)
                let groups = ProfileReckoner.groups(counting, before, key).filter {
                    !$0.others.isEmpty
                }.map { ($0.object, following($0.events, $0.others), $0.others) }
                if let group = ProfileReckoner.decider(groups, lower, upper) {
                    result.object = group.object
                    tell(group.events, group.others)
                } else {
                    tell([], before)
                }
                let all = before
                starts = { event in
                    let own = key(event)
                    return own != nil && !following([event], all.filter { key($0) == own }).isEmpty
                }
            }
        } else if activity.counting != .total {
            let key = scope.key(.object)
            var groups = ProfileReckoner.groups(counting, [], key)
            for id in scope.objects
            where !groups.contains(where: { $0.object.utf8.elementsEqual(id) }) {
                groups.append((String(decoding: id, as: UTF8.self), [], []))
            }
            if let group = ProfileReckoner.decider(groups, lower, upper) {
                result.object = group.object
                tell(group.events)
            } else {
                tell(counting)
            }
        } else {
            tell(counting)
        }
        if result.count ?? 0 < lower {
            result.nearest = try nearest(activity, scope, asOf, starts)
        }
        return result
    }

    /// The latest event of the rule's kind that misses the fewest of what is asked; none that misses
    /// nothing.
    private func nearest(
        _ activity: Activity, _ scope: ReckonedScope, _ asOf: Instant,
        _ follows: ((ProfileEvent) -> Bool)?
    ) throws(WinnowError) -> (event: ProfileEvent, misses: [String])? {
        var best: (event: ProfileEvent, misses: [String])?
        for event in try events(activity.type, by: nil, links: nil) {
            var misses: [String] = []
            if event.time > asOf || !scope.window.contains(event.time.milliseconds) {
                misses.append("window")
            }
            if !scope.holdsCampaign(event) { misses.append("campaigns") }
            if !scope.holdsTemplate(event) { misses.append("templates") }
            if let links = activity.links, !links.contains(where: { event.link.isSame($0) }) {
                misses.append("links")
            }
            if let by = activity.by, event.machine != (by == .machines) { misses.append("by") }
            if let follows, !follows(event) { misses.append("after") }
            guard !misses.isEmpty else { continue }
            // Events come newest first.
            if best == nil || misses.count < best?.misses.count ?? 0 { best = (event, misses) }
        }
        return best
    }

    /// The profile's events of a type, newest first; unique ones are found here where the store
    /// derives them.
    private func events(
        _ type: EventType, by: Activity.Actor?, links: [String]?
    ) throws(WinnowError) -> [ProfileEvent] {
        let stored = snapshot.storedType(of: type)
        let all = try records.events([stored]).filter { event in
            if let by, event.machine != (by == .machines) { return false }
            guard let links else { return true }
            return links.contains { event.link.isSame($0) }
        }
        guard stored != type else { return all }
        // The earliest of each message, or of each link of it.
        struct Key: Hashable {
            @Bytewise var message: String?
            @Bytewise var campaign: String?
            @Bytewise var template: String?
            @Bytewise var link: String?
        }
        var first: [Key: ProfileEvent] = [:]
        for var event in all {
            event.event = type.event
            event.count = 1
            let isPerLink = type.event == .uniqueLinkClicked
            let key = Key(
                message: event.message, campaign: event.message == nil ? event.campaign : nil,
                template: event.message == nil ? event.template : nil,
                link: isPerLink ? event.link : nil)
            guard let known = first[key] else {
                first[key] = event
                continue
            }
            let isEarlier =
                event.time != known.time
                ? event.time < known.time
                : ProfileRecords.precedes(
                    [event.campaign, event.template, event.link],
                    [known.campaign, known.template, known.link])
            if isEarlier { first[key] = event }
        }
        return first.values.sorted(by: ProfileRecords.comes)
    }

    private typealias Group = (object: String, events: [ProfileEvent], others: [ProfileEvent])

    /// Events and others by what they have in common; those that have nothing are left out.
    private static func groups(
        _ events: [ProfileEvent], _ others: [ProfileEvent], _ key: (ProfileEvent) -> String?
    ) -> [Group] {
        var groups: [[UInt8]: Group] = [:]
        for event in events {
            guard let object = key(event) else { continue }
            groups[Array(object.utf8), default: (object, [], [])].events.append(event)
        }
        for event in others {
            guard let object = key(event) else { continue }
            groups[Array(object.utf8), default: (object, [], [])].others.append(event)
        }
        return Array(groups.values)
    }

    /// The first group, by bytes, whose count is between two bounds; else the one whose is nearest.
    private static func decider(_ groups: [Group], _ lower: UInt64, _ upper: UInt64?) -> Group? {
        let ordered = groups.sorted { $0.object.utf8.lexicographicallyPrecedes($1.object.utf8) }
        func distance(_ group: Group) -> UInt64 {
            let count = count(group.events)
            if count < lower { return lower - count }
            if let upper, count > upper { return count - upper }
            return 0
        }
        return ordered.enumerated().min { a, b in
            let (x, y) = (distance(a.element), distance(b.element))
            return x != y ? x < y : a.offset < b.offset
        }?.element
    }

    private static func count(_ events: [ProfileEvent]) -> UInt64 {
        events.reduce(0) { $0.saturatingAdd(UInt64($1.count)) }
    }

    private static func newest(_ events: [ProfileEvent]) -> [ProfileEvent] {
        Array(events.sorted(by: ProfileRecords.comes).prefix(ProfileReckoning.listed))
    }

    // MARK: Goals and subscriptions

    private func reckon(
        _ goal: GoalCondition, _ binder: inout Binder
    ) throws(WinnowError) -> ProfileReckoning {
        let asOf = binder.time.asOf.milliseconds
        let window =
            goal.during.map { $0.resolved(binder.time).milliseconds ?? Int64.max...Int64.max }
            ?? Int64.min...Int64.max
        let counting = try records.goals().filter { own in
            let time = own.time.milliseconds
            return time <= asOf && window.contains(time)
                && goal.goals?.contains { sameBytes($0, own.goal) } ?? true
                && goal.pixels?.contains { sameBytes($0, own.pixel) } ?? true
        }
        let range = goal.condition.range
        return ProfileReckoning(
            count: UInt64(counting.count), needed: (range.lower, range.upper))
    }

    private func reckon(
        _ subscription: SubscriptionCondition, _ binder: inout Binder
    ) throws(WinnowError) -> ProfileReckoning {
        var window: ClosedRange<Int64>?
        if let during = subscription.during {
            let resolved = during.resolved(binder.time)
            let own = during.isRelative ? resolved.ending(at: binder.time.asOf) : resolved
            window = own.milliseconds ?? Int64.max...Int64.max
        }
        let isReachable = subscription.question == .reachable
        let statuses = isReachable ? [.subscribed] : subscription.statuses
        func isAmong(_ list: [String]?, _ value: String?) -> Bool {
            list?.contains { value.isSame($0) } ?? true
        }
        let counting = try records.subscriptions().filter { own in
            subscription.channel.map { $0 == own.channel } ?? true
                && isAmong(subscription.resources, own.resource)
                && statuses?.contains(own.status) ?? true
                && isAmong(subscription.providers, own.provider)
                && isAmong(subscription.contacts, own.contact)
                && window.map { own.time.map { $0.milliseconds }.map($0.contains) ?? false } ?? true
        }
        var result = ProfileReckoning(count: UInt64(counting.count), needed: (1, nil))
        if case .records(let condition) = subscription.question {
            result.needed = (condition.range.lower, condition.range.upper)
        }
        return result
    }
}

/// The scope of an activity by names.
private struct ReckonedScope {
    /// nil for no selector.
    private let campaigns, templates: Set<[UInt8]>?
    /// Milliseconds.
    let window: ClosedRange<Int64>
    /// The objects of `counting`.
    let objects: [[UInt8]]

    init(
        _ activity: Activity, _ snapshot: StoreVersion, _ binder: inout Binder
    ) throws(WinnowError) {
        func names(
            _ selector: Selector?, _ namespace: Namespace
        ) throws(WinnowError) -> Set<[UInt8]>? {
            guard let selector else { return nil }
            let strings = try snapshot.strings(namespace)
            let codes = try binder.names(selector, namespace, in: activity.type.channel)
            return Set(
                codes.compactMap { name in
                    guard let code = name.code, let text = unsafe strings.bytes(code) else {
                        return nil
                    }
                    return unsafe Array(text)
                })
        }
        campaigns = try names(activity.campaigns, .campaign)
        templates = try names(activity.templates, .template)
        window =
            activity.during.map { $0.resolved(binder.time).milliseconds ?? Int64.max...Int64.max }
            ?? Int64.min...Int64.max
        let selector = activity.campaigns ?? activity.templates
        // Of the latest every one was sent; else unknown ones are objects, too.
        let listed = selector?.latest == nil ? selector?.ids.map { Array($0.utf8) } ?? [] : []
        objects = Array((campaigns ?? templates ?? []).union(listed))
    }

    func holdsCampaign(_ event: ProfileEvent) -> Bool {
        campaigns.map { names in event.campaign.map { names.contains(Array($0.utf8)) } ?? false }
            ?? true
    }

    func holdsTemplate(_ event: ProfileEvent) -> Bool {
        templates.map { names in event.template.map { names.contains(Array($0.utf8)) } ?? false }
            ?? true
    }

    func holds(_ event: ProfileEvent) -> Bool { holdsCampaign(event) && holdsTemplate(event) }

    /// What pairs events: their message, or their campaign; their template, where only templates are
    /// selected.
    func key(_ pairing: Preceding.Pairing) -> (ProfileEvent) -> String? {
        switch pairing {
        case .message: { $0.message }
        case .object, .scope:
            campaigns == nil && templates != nil ? { $0.template } : { $0.campaign }
        }
    }
}

extension String? {
    /// Whether it is a text of the same bytes.
    fileprivate func isSame(_ other: String) -> Bool { map { sameBytes($0, other) } ?? false }
}
