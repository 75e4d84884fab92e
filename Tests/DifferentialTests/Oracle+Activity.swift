import Foundation

extension Oracle {
    /// What an `activity` node says, apart from how its counts are judged.
    private struct Subject {
        var channel: String
        var event: String
        /// `people` or `machines`.
        var actor: String?
        var campaigns: Set<Int>?
        var templates: Set<Int>?
        var links: Set<Int>?
        var window: OracleWindow?
    }

    func rows(activity rule: OracleJSON, at moment: Moment) throws -> [Bool] {
        let operation = try rule.required("operator").word()
        try rule.allowOnly(Self.keys(of: operation))
        let subject = Subject(
            channel: try rule.required("channel").word(), event: try rule.required("event").word(),
            actor: try actor(rule),
            campaigns: try rule["campaigns"].map {
                try objects($0, among: campaigns, \.campaign, rule, moment.asOf)
            },
            templates: try rule["templates"].map {
                try objects($0, among: templates, \.template, rule, moment.asOf)
            },
            links: try rule["links"].map {
                Set(try $0.elements().map { names.number(of: try $0.bytes()) })
            },
            window: try rule["during"].map { try moment.calendar.window($0, asOf: moment.asOf) })
        let targets = counted(subject, asOf: moment.asOf)
        if let preceding = rule["preceded_by"] {
            return try rows(without: targets, of: subject, precededBy: preceding, asOf: moment.asOf)
        }
        let condition = try condition(operation, times: rule["times"])
        if let after = rule["after"] {
            let counting = try rule["counting"]?.word() ?? "total"
            guard counting == "total" else {
                throw OracleFailure(description: "after and counting")
            }
            return try rows(targets, of: subject, after: after, at: moment, holds: condition)
        }
        if let least = try rule["counting"]?["at_least"]?.integer() {
            return try rows(targets, by: subject) { totals in
                totals.isReal ? totals.counts.filter(condition).count >= least : condition(0)
            }
        }
        switch try rule["counting"]?.word() ?? "total" {
        case "total": return ids.indices.map { condition(Self.total(targets[$0] ?? [])) }
        case "any_one":
            return try rows(targets, by: subject) { totals in
                totals.counts.contains(where: condition)
            }
        case "every_one":
            return try rows(targets, by: subject) { totals in totals.counts.allSatisfy(condition) }
        case let mode: throw OracleFailure(description: "unknown counting \(mode)")
        }
    }

    private static func keys(of operation: String) -> [String] {
        let always = ["channel", "event", "operator", "by"]
        let scoped = always + ["campaigns", "templates", "links", "during", "counting", "after"]
        switch operation {
        case "exists", "does_not_exist": return always
        case "not_happened": return scoped + ["preceded_by"]
        default: return scoped + ["times"]
        }
    }

    func condition(_ operation: String, times: OracleJSON?) throws -> (Int64) -> Bool {
        switch operation {
        case "exists": return { $0 >= 1 }
        case "does_not_exist", "not_happened": return { $0 == 0 }
        case "between":
            let bounds = try times?.elements().map { try $0.integer() } ?? []
            guard bounds.count == 2, bounds[0] <= bounds[1] else {
                throw OracleFailure(description: "times \(bounds)")
            }
            return { bounds[0] <= $0 && $0 <= bounds[1] }
        default: break
        }
        guard let times = try times?.integer() else {
            throw OracleFailure(description: "times is missing")
        }
        switch operation {
        case "at_least": return { $0 >= times }
        case "at_most": return { $0 <= times }
        case "exactly": return { $0 == times }
        default: throw OracleFailure(description: "unknown operator \(operation)")
        }
    }

    /// The numbers of the objects a selector selects. A listed id is an object whether it is known
    /// or not.
    ///
    /// `latest` keeps those that were first sent last, up to now, in the channel of the rule.
    private func objects(
        _ selector: OracleJSON, among loaded: [CatalogueObject], _ object: (Activity) -> Int,
        _ rule: OracleJSON, _ asOf: Int64
    ) throws -> Set<Int> {
        guard let latest = try selector["latest"]?.integer() else {
            return try objects(selector, among: loaded)
        }
        let others = try selector.members().filter { !$0.key.elementsEqual("latest".utf8) }
        let selected = others.isEmpty ? nil : try objects(.object(others), among: loaded)
        let sent = Pair(channel: try rule.required("channel").word(), event: "sent")
        var first: [Int: Int64] = [:]
        for event in (activity[sent] ?? [:]).values.joined() where object(event) != Names.none {
            first[object(event)] = min(first[object(event)] ?? .max, event.time)
        }
        let kept = first.filter { $0.value <= asOf && selected?.contains($0.key) != false }
        let order = kept.sorted { a, b in
            a.value != b.value ? a.value > b.value : names.precedes(b.key, a.key)
        }
        return Set(order.prefix(Int(latest)).map(\.key))
    }

    private func actor(_ rule: OracleJSON) throws -> String? {
        guard let actor = try rule["by"]?.word() else { return nil }
        guard ["people", "machines"].contains(actor) else {
            throw OracleFailure(description: "by \(actor)")
        }
        return actor
    }

    private func objects(_ selector: OracleJSON, among loaded: [CatalogueObject]) throws -> Set<Int>
    {
        if case .array(let listed) = selector {
            guard !listed.isEmpty else { throw OracleFailure(description: "an empty selector") }
            return Set(try listed.map { names.number(of: try $0.bytes()) })
        }
        try selector.allowOnly(["ids", "tags", "all_tags", "attributes"])
        var objects = Set(
            try selector["ids"]?.elements().map { names.number(of: try $0.bytes()) } ?? [])
        let tags = try selector["tags"].map { Set(try $0.elements().map { try $0.bytes() }) }
        let allTags = try selector["all_tags"].map { Set(try $0.elements().map { try $0.bytes() }) }
        let attributes = try selector["attributes"]?.members().map {
            ($0.key, Set(try $0.value.strings()))
        }
        guard tags != nil || allTags != nil || attributes != nil else { return objects }
        for object in loaded {
            let hasTag = tags.map { !$0.isDisjoint(with: object.tags) } ?? true
            let hasAllTags = allTags.map { $0.isSubset(of: object.tags) } ?? true
            let hasAttributes = (attributes ?? []).allSatisfy { key, values in
                object.attributes[key].map { values.contains($0) } ?? false
            }
            if hasTag && hasAllTags && hasAttributes { objects.insert(object.number) }
        }
        return objects
    }

    /// The events of each row that count: those of the subject, not later than "as of".
    private func counted(_ subject: Subject, asOf: Int64) -> [Int: [Activity]] {
        happened(subject).mapValues { events in
            events.filter { event in
                event.time <= asOf && subject.window?.contains(event.time) ?? true
                    && subject.campaigns?.contains(event.campaign) ?? true
                    && subject.templates?.contains(event.template) ?? true
            }
        }
    }

    /// The events of each row, derived ones included. Links come before uniqueness, window and
    /// scope after it.
    private func happened(_ subject: Subject) -> [Int: [Activity]] {
        let sources = [
            "unique_clicked": "clicked", "unique_link_clicked": "clicked",
            "unique_opened": "opened",
        ]
        let pair = Pair(channel: subject.channel, event: sources[subject.event] ?? subject.event)
        var events = activity[pair] ?? [:]
        if let actor = subject.actor {
            events = events.mapValues { $0.filter { $0.machine == (actor == "machines") } }
        }
        if let links = subject.links {
            events = events.mapValues { $0.filter { links.contains($0.link) } }
        }
        guard sources[subject.event] != nil else { return events }
        return events.mapValues { earliest($0, perLink: subject.event == "unique_link_clicked") }
    }

    private static func total(_ events: [Activity]) -> Int64 {
        events.reduce(0) { sum, event in
            let (next, overflow) = sum.addingReportingOverflow(event.count)
            return overflow ? .max : next
        }
    }
}

// MARK: - Counting per object

extension Oracle {
    /// Judges each row by the totals of its objects, one by one. A selector that resolves to
    /// nothing has the total 0.
    private func rows(
        _ targets: [Int: [Activity]], by subject: Subject,
        holds: ((counts: [Int64], isReal: Bool)) -> Bool
    ) throws -> [Bool] {
        guard (subject.campaigns == nil) != (subject.templates == nil) else {
            throw OracleFailure(description: "counting needs exactly one selector")
        }
        let object: (Activity) -> Int = subject.campaigns == nil ? \.template : \.campaign
        let objects = subject.campaigns ?? subject.templates ?? []
        return ids.indices.map { row in
            let groups = Dictionary(grouping: targets[row] ?? [], by: object).mapValues(Self.total)
            let counts = objects.isEmpty ? [0] : objects.map { groups[$0] ?? 0 }
            return holds((counts, !objects.isEmpty))
        }
    }
}

// MARK: - Preceding events

extension Oracle {
    private func rows(
        without targets: [Int: [Activity]], of subject: Subject, precededBy rule: OracleJSON,
        asOf: Int64
    ) throws -> [Bool] {
        try rule.allowOnly(["event", "at_least", "pairing", "by"])
        var preceding = subject
        preceding.actor = try actor(rule)
        preceding.event = try rule.required("event").word()
        preceding.links = nil
        let threshold = try rule["at_least"]?.integer() ?? 1
        let before = counted(preceding, asOf: asOf)
        let pairing = try rule["pairing"]?.word() ?? "scope"
        guard pairing != "scope" else {
            return ids.indices.map {
                (targets[$0] ?? []).isEmpty && Self.total(before[$0] ?? []) >= threshold
            }
        }
        let object: (Activity) -> Int
        switch pairing {
        case "message": object = \.message
        case "object":
            object = subject.campaigns == nil && subject.templates != nil ? \.template : \.campaign
        default: throw OracleFailure(description: "unknown pairing \(pairing)")
        }
        return ids.indices.map { row in
            let reached = Set((targets[row] ?? []).map(object))
            return Dictionary(grouping: before[row] ?? [], by: object).contains { number, events in
                number != Names.none && !reached.contains(number) && Self.total(events) >= threshold
            }
        }
    }
}

// MARK: - What comes after

extension Oracle {
    private func rows(
        _ targets: [Int: [Activity]], of subject: Subject, after rule: OracleJSON,
        at moment: Moment, holds: (Int64) -> Bool
    ) throws -> [Bool] {
        try rule.allowOnly(["event", "which", "within", "pairing", "by"])
        var other = subject
        other.event = try rule.required("event").word()
        other.actor = try actor(rule)
        other.links = nil
        other.window = nil
        let before = counted(other, asOf: moment.asOf)
        let which = try rule["which"]?.word() ?? "last"
        let object: (Activity) -> Int
        switch try rule["pairing"]?.word() ?? "scope" {
        case "scope": object = { _ in 0 }
        case "message": object = \.message
        case "object":
            object = subject.campaigns == nil && subject.templates != nil ? \.template : \.campaign
        case let pairing: throw OracleFailure(description: "unknown pairing \(pairing)")
        }
        return try ids.indices.map { row in
            let groups = Dictionary(grouping: before[row] ?? [], by: object)
            return try groups.contains { number, events in
                guard number != Names.none else { return false }
                let times = events.map(\.time)
                guard let start = which == "last" ? times.max() : times.min() else { return false }
                let end = try rule["within"].map {
                    try moment.calendar.instant(after: start, $0)
                }
                let counting = (targets[row] ?? []).filter {
                    object($0) == number && $0.time > start && $0.time <= end ?? .max
                }
                return holds(Self.total(counting))
            }
        }
    }
}

// MARK: - Unique events

extension Oracle {
    /// What a click or an open belongs to: its message, or without one its campaign and template;
    /// and perhaps its link.
    private struct UniqueKey: Hashable {
        var message: Int
        var campaign = Names.none
        var template = Names.none
        var link = Names.none

        init(_ event: Activity, perLink: Bool) {
            message = event.message
            if message == Names.none {
                campaign = event.campaign
                template = event.template
            }
            if perLink { link = event.link }
        }
    }

    /// The earliest event of each message, or of each message and link. It happens once.
    private func earliest(_ events: [Activity], perLink: Bool) -> [Activity] {
        Dictionary(grouping: events) { UniqueKey($0, perLink: perLink) }.values.compactMap {
            group in
            var first = group.min(by: precedes)
            first?.count = 1
            return first
        }
    }

    private func precedes(_ left: Activity, _ right: Activity) -> Bool {
        if left.time != right.time { return left.time < right.time }
        if left.campaign != right.campaign { return names.precedes(left.campaign, right.campaign) }
        if left.template != right.template { return names.precedes(left.template, right.template) }
        return left.link != right.link && names.precedes(left.link, right.link)
    }
}
