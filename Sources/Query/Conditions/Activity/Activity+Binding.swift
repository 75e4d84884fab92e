import WinnowColumns
import WinnowModel
import WinnowRules
import WinnowStorage

extension Activity: BindableCondition {
    var usesCurrentState: Bool {
        condition.range.lower == 0 || campaigns?.hasConditions == true
            || templates?.hasConditions == true
    }

    func bind(_ binder: inout Binder) throws(WinnowError) -> Plan {
        var selected: [[NameCode]?] = []
        for (key, selector, namespace) in [
            (RuleKey.campaigns, campaigns, Namespace.campaign), (.templates, templates, .template),
        ] {
            selected.append(
                try selector.map { (selector) throws(WinnowError) in
                    try binder.at(key) { (binder) throws(WinnowError) in
                        try binder.names(selector, namespace, in: type.channel)
                    }
                })
        }
        binder.report(campaigns: selected[0]?.count, templates: selected[1]?.count)
        let links = try self.links.map { (ids) throws(WinnowError) in
            try binder.at(.links) { (binder) throws(WinnowError) in try binder.names(ids, .link) }
        }
        let asOf = binder.time.asOf.milliseconds
        let window = window(&binder)
        let scope = Scope(
            machines: by.map { $0 == .machines }, campaigns: selected[0], templates: selected[1],
            window: min(window.lowerBound, asOf)...min(window.upperBound, asOf), asOf: asOf)
        try noteEventsWithoutMessage(scope, links, &binder)
        // Whether there is a time at which events could count.
        let isOpen = window.lowerBound <= asOf
        if counting != .total { return try counted(scope, links, isOpen: isOpen, binder) }
        if let after { return try following(after, scope, links, isOpen: isOpen, binder) }
        guard isOpen else { return precededBy == nil ? plan(condition, of: nil) : .empty }
        if let precededBy { return try paired(precededBy, scope, links, binder) }
        return plan(condition, of: try binder.events(scope, .event(type), links))
    }

    /// The milliseconds in the rule's window.
    private func window(_ binder: inout Binder) -> ClosedRange<Int64> {
        guard let resolved = during?.resolved(binder.time) else { return Int64.min...Int64.max }
        // What lies ahead has not happened; a field's window may hold it.
        binder.report(resolved.ending(at: binder.time.asOf), at: .during)
        // No millisecond is in an empty window; the greatest one comes after every instant of
        // evaluation.
        return resolved.milliseconds ?? Int64.max...Int64.max
    }

    /// Tells when unique events are derived from events without a message.
    private func noteEventsWithoutMessage(
        _ scope: Scope, _ links: [NameCode]?, _ binder: inout Binder
    ) throws(WinnowError) {
        var withoutMessage = try scope.hasEventsWithoutMessage(type, links: links, binder.snapshot)
        for (event, by) in [
            precededBy.map { ($0.event, $0.by) }, after.map { ($0.event, $0.by) },
        ].compactMap(\.self) where !withoutMessage {
            var other = scope
            other.machines = by.map { $0 == .machines }
            withoutMessage = try other.hasEventsWithoutMessage(
                EventType(type.channel, event), links: nil, binder.snapshot)
        }
        if withoutMessage {
            binder.note(
                "approximate_unique",
                "some events have no message id; those of one campaign and template count as one message"
            )
        }
    }

    /// Counting object by object: each listed one, known or not, and each that the conditions
    /// choose.
    ///
    /// All modes are one question: do at least so many objects meet the condition? Where an object
    /// without events meets it, the other way round: do at least so many fail, that too few are
    /// left?
    private func counted(
        _ scope: Scope, _ links: [NameCode]?, isOpen: Bool, _ binder: Binder
    ) throws(WinnowError) -> Plan {
        let selector = campaigns ?? templates
        // Of the latest every one was sent.
        let listed = Set(selector?.latest == nil ? selector?.ids.map { Array($0.utf8) } ?? [] : [])
        let strings = try binder.snapshot.strings(campaigns == nil ? .template : .campaign)
        let objects = scope.objects + listed.filter { strings.code(of: $0) == nil }.count
        guard objects > 0 else { return plan(condition, of: nil) }
        let wanted: Int
        switch counting {
        case .total, .anyOne: wanted = 1
        case .everyOne: wanted = objects
        case .atLeast(let least): wanted = least
        }
        guard wanted <= objects else { return .empty }
        guard isOpen else { return plan(condition, of: nil) }
        let (lower, upper) = condition.range
        if lower > 0 { return try counted(scope, links, objects: wanted, lower, upper, binder) }
        guard let upper else { return .universe }
        return .not(
            try counted(scope, links, objects: objects - wanted + 1, upper + 1, nil, binder))
    }

    /// Profiles with at least so many objects whose events count between two bounds, the lower
    /// above zero.
    private func counted(
        _ scope: Scope, _ links: [NameCode]?, objects: Int, _ lower: UInt64, _ upper: UInt64?,
        _ binder: Binder
    ) throws(WinnowError) -> Plan {
        if objects == 1, lower == 1, upper == nil {
            return plan(.atLeast(1), of: try binder.events(scope, .event(type), links))
        }
        // Only objects that have events can be among them.
        guard objects <= scope.objects,
            let events = try binder.events(scope, .event(type), links, keying: scope.objectKeying)
        else { return .empty }
        return .condition(CountingCondition(EventCondition(events, lower, upper), objects: objects))
    }

    /// `preceded_by`: the target never, the other event often enough; in the whole scope, or in
    /// some one object.
    private func paired(
        _ preceding: Preceding, _ scope: Scope, _ links: [NameCode]?, _ binder: Binder
    ) throws(WinnowError) -> Plan {
        let other = EventType(type.channel, preceding.event)
        let atLeast = UInt64(preceding.atLeast)
        var before = scope
        before.machines = preceding.by.map { $0 == .machines }
        if preceding.pairing == .scope {
            let target = plan(condition, of: try binder.events(scope, .event(type), links))
            return .all([
                target,
                plan(
                    .atLeast(preceding.atLeast), of: try binder.events(before, .event(other), nil)),
            ])
        }
        let keying = preceding.pairing == .message ? .message : scope.objectKeying
        guard let wanted = try binder.events(before, .event(other), nil, keying: keying) else {
            return .empty
        }
        let excluded = try binder.events(scope, .event(type), links, keying: keying)
        return .condition(
            PairCondition(
                wanted: wanted, atLeast: atLeast, excluded: excluded,
                pairing: preceding.pairing == .message
                    ? .message(try binder.snapshot.activity()) : .object))
    }

    /// `after`: of those who have the other event, whose events after it satisfy the condition.
    private func following(
        _ after: After, _ scope: Scope, _ links: [NameCode]?, isOpen: Bool, _ binder: Binder
    ) throws(WinnowError) -> Plan {
        var scope = scope
        scope.ordersLeaves = after.pairing != .message
        var before = scope
        before.machines = after.by.map { $0 == .machines }
        before.window = Int64.min...scope.asOf
        let (pairing, keying): (AfterCondition.Pairing, Scope.Keying) =
            switch after.pairing {
            case .scope: (.scope, .none)
            case .object: (.object, scope.objectKeying)
            case .message: (.message, .message)
            }
        let other = EventType(type.channel, after.event)
        guard let first = try binder.events(before, .event(other), nil, keying: keying) else {
            return .empty
        }
        let (lower, upper) = condition.range
        let events =
            isOpen
            ? try binder.events(scope, .event(type), links, keying: keying) : nil
        return .condition(
            AfterCondition(
                first, events, lower: lower, upper: upper,
                span: AfterCondition.Span(
                    which: after.which, within: after.within, zone: binder.time.zone),
                pairing: pairing))
    }

    /// The plan for a condition on events; nil when there are none.
    private func plan(_ condition: CountCondition, of events: ActivityScope?) -> Plan {
        condition.plan { lower, upper in
            events.map { .condition(EventCondition($0, lower, upper)) } ?? .empty
        }
    }
}

extension Binder {
    /// The events of a type that are in scope, nil when there are none; rules that differ only in
    /// how often share them.
    func events(
        _ scope: Scope, _ type: RecordType, _ links: [NameCode]?, keying: Scope.Keying = .none
    ) throws(WinnowError) -> ActivityScope? {
        guard shared.areSeveral else {
            return try scope.events(type, links: links, keying: keying, snapshot)
        }
        var key = SharedBindings.ScopeKey(scope: scope, type: type, links: links, keying: keying)
        // What is in a window does not depend on when it is looked at.
        key.scope.asOf = 0
        if let known = shared.scopes[key] { return known }
        let events = try scope.events(
            type, links: links, keying: keying, lineage: lineage(key), snapshot)
        shared.scopes[key] = .some(events)
        return events
    }

    /// What the scope has in common with those that differ in their windows alone.
    private func lineage(_ key: SharedBindings.ScopeKey) -> ScopeLineage? {
        guard key.keying == .none else { return nil }
        var key = key
        key.scope.window = 0...0
        if let known = shared.lineages[key] { return known }
        let lineage = ScopeLineage(key.scope, key.type, links: key.links, snapshot)
        shared.lineages[key] = lineage
        return lineage
    }
}
