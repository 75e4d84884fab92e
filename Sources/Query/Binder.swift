import Columns
import Format
import Model
import Rules
import Store

/// A segment ready to be evaluated on one snapshot.
package struct BoundSegment: Sendable {
    package var plan: Plan
    package var windows: [WindowReport]
    package var warnings: [RuleWarning]
}

/// What the segments of one call have in common: equal conditions become the same plan, and are bound once.
package final class BoundConditions {
    fileprivate struct Key: Hashable {
        let rule: Rule
        let zone: String
    }

    /// Reports with paths that begin at the condition.
    fileprivate struct Entry {
        let plan: Plan
        let windows: [WindowReport]
        let warnings: [RuleWarning]
    }

    fileprivate struct ScopeKey: Hashable {
        let scope: Scope
        let type: EventType
        let links: [UInt32]?
    }

    fileprivate var conditions: [Key: Entry] = [:]
    fileprivate var scopes: [ScopeKey: ActivityScope?] = [:]

    package init() {}
}

/// Binds a segment to a snapshot: resolves names, selectors and windows, checks fields against the schema, and collects
/// warnings.
package struct Binder {
    private let snapshot: Snapshot
    private let known: BoundConditions
    private let time: EvaluationTime
    /// Whether unknown names and empty scopes are errors.
    private let strict: Bool
    private var windows: [WindowReport] = []
    private var warnings: [RuleWarning] = []

    package static func bind(
        _ segment: Segment, to snapshot: Snapshot, _ time: EvaluationTime, strict: Bool, asOfGiven: Bool,
        sharing known: BoundConditions
    ) throws(WinnowError) -> BoundSegment {
        try segment.validate()
        var binder = Binder(snapshot: snapshot, time: time, strict: strict, sharing: known)
        let place = RulePath.document.key(.where)
        let plan = try binder.bind(segment.rule, place).simplified()
        if asOfGiven, time.asOf < snapshot.manifest.time, segment.rule.usesCurrentState {
            binder.warnings.append(
                RuleWarning(
                    code: "fields_are_current", path: place,
                    message: "fields, catalogue and profiles are those of the newest batch, not of \(time.asOf)"))
        }
        return BoundSegment(plan: plan, windows: binder.windows, warnings: binder.warnings)
    }

    private init(snapshot: Snapshot, time: EvaluationTime, strict: Bool, sharing known: BoundConditions) {
        self.snapshot = snapshot
        self.known = known
        self.time = time
        self.strict = strict
    }

    private mutating func bind(_ rule: Rule, _ path: RulePath) throws(WinnowError) -> Plan {
        switch rule.node {
        case .all(let rules): return .all(try bind(rules, path.key(.all)))
        case .any(let rules): return .any(try bind(rules, path.key(.any)))
        case .not(let rule): return .not(try bind(rule, path.key(.not)))
        case .tooDeep, .tooLarge: throw .invalidRule(path: path, message: "the rule passes a limit")
        case .activity(let activity):
            return try bindOnce(rule, path) { (binder) throws(WinnowError) in
                try binder.bind(activity, path.key(.activity))
            }
        case .field(let condition):
            return try bindOnce(rule, path) { (binder) throws(WinnowError) in
                try binder.bind(condition, path.key(.field))
            }
        case .sample(let sample):
            return try bindOnce(rule, path) { (binder) throws(WinnowError) in
                let keys = try binder.snapshot.keys()
                return .sample(SamplePlan(keys: keys, range: sample.range, salt: Array(sample.salt.utf8)))
            }
        }
    }

    /// Binds a condition, or takes what an equal one was bound to; windows and warnings are reported at each place.
    private mutating func bindOnce(
        _ rule: Rule, _ path: RulePath, _ bind: (inout Binder) throws(WinnowError) -> Plan
    ) throws(WinnowError) -> Plan {
        let key = BoundConditions.Key(rule: rule, zone: time.zone.name)
        if let entry = known.conditions[key] {
            windows += entry.windows.map { WindowReport(path: path.appending($0.path), window: $0.window) }
            warnings += entry.warnings.map {
                RuleWarning(code: $0.code, path: path.appending($0.path), message: $0.message)
            }
            return entry.plan
        }
        let firstWindow = windows.count, firstWarning = warnings.count
        let plan = try bind(&self)
        known.conditions[key] = BoundConditions.Entry(
            plan: plan,
            windows: windows[firstWindow...].map { WindowReport(path: $0.path.dropping(path), window: $0.window) },
            warnings: warnings[firstWarning...].map {
                RuleWarning(code: $0.code, path: $0.path.dropping(path), message: $0.message)
            })
        return plan
    }

    /// The events of a type that are in scope; rules that differ only in how often share them.
    private func events(
        _ scope: Scope, _ type: EventType, _ links: [UInt32]?
    ) throws(WinnowError) -> ActivityScope? {
        let key = BoundConditions.ScopeKey(scope: scope, type: type, links: links)
        if let known = known.scopes[key] { return known }
        let events = try scope.events(type, links: links, snapshot)
        known.scopes[key] = .some(events)
        return events
    }

    private mutating func bind(_ rules: [Rule], _ path: RulePath) throws(WinnowError) -> [Plan] {
        var plans: [Plan] = []
        for (i, rule) in rules.enumerated() { plans.append(try bind(rule, path.index(i))) }
        return plans
    }

    private mutating func warn(_ code: String, _ path: RulePath, _ message: String) throws(WinnowError) {
        if strict { throw .invalidRule(path: path, message: message) }
        warnings.append(RuleWarning(code: code, path: path, message: message))
    }

    // MARK: Activity

    private mutating func bind(_ activity: Activity, _ path: RulePath) throws(WinnowError) -> Plan {
        let campaigns = try activity.campaigns.map { (selector) throws(WinnowError) in
            try codes(selector, .campaign, path.key(.campaigns))
        }
        let templates = try activity.templates.map { (selector) throws(WinnowError) in
            try codes(selector, .template, path.key(.templates))
        }
        let links = try activity.links.map { (ids) throws(WinnowError) in
            try codes(ids, .link, "unknown_link", path.key(.links))
        }
        var window = Int64.min...Int64.max
        if let during = activity.during {
            let resolved = during.resolved(time)
            // Activity without an end of its own ends at the instant of evaluation; a field's window does not.
            let reported = ResolvedWindow(
                from: resolved.from, to: resolved.to ?? time.asOf,
                toInclusive: resolved.to == nil || resolved.toInclusive)
            windows.append(WindowReport(path: path.key(.during), window: reported))
            // No millisecond lies in an empty window; the greatest one lies behind every instant of evaluation.
            window = resolved.milliseconds ?? Int64.max...Int64.max
        }
        let asOf = time.asOf.milliseconds
        let scope = Scope(
            campaigns: campaigns, templates: templates,
            window: min(window.lowerBound, asOf)...min(window.upperBound, asOf), asOf: asOf)
        let types = [activity.type] + (activity.precededBy.map { [EventType(activity.type.channel, $0.event)] } ?? [])
        for (i, type) in types.enumerated() {
            guard try scope.meetsUnnamed(type, links: i == 0 ? links : nil, snapshot) else { continue }
            warnings.append(
                RuleWarning(
                    code: "approximate_unique", path: path,
                    message: "some events have no message id; those of one campaign and template count as one message"))
            break
        }
        guard window.lowerBound <= asOf else {
            return activity.precededBy == nil ? plan(activity.condition, of: nil) : .nobody
        }
        if activity.counting != .total { return try counted(activity, scope, links) }
        if let preceding = activity.precededBy { return try paired(activity, preceding, scope, links) }
        return plan(activity.condition, of: try events(scope, activity.type, links))
    }

    /// Counting object by object: each listed one, known or not, and each that the conditions choose.
    ///
    /// All modes are one question: do at least so many objects meet the condition? Where an object without events meets
    /// it, the other way round: do at least so many fail, that too few are left?
    private func counted(_ activity: Activity, _ scope: Scope, _ links: [UInt32]?) throws(WinnowError) -> Plan {
        let known = (scope.campaigns ?? scope.templates ?? []).count
        let listed = Set((activity.campaigns ?? activity.templates)?.ids.map { Array($0.utf8) } ?? [])
        let strings = try snapshot.strings(activity.campaigns == nil ? .template : .campaign)
        let objects = known + listed.filter { strings.code(of: $0) == nil }.count
        guard objects > 0 else { return plan(activity.condition, of: nil) }
        let wanted = activity.counting == .anyOne ? 1 : objects
        let (lower, upper) = activity.condition.range
        if lower > 0 { return try counted(activity, scope, links, objects: wanted, lower, upper) }
        guard let upper else { return .everybody }
        return .not(try counted(activity, scope, links, objects: objects - wanted + 1, upper + 1, nil))
    }

    /// Profiles with at least so many objects whose events count between two bounds, the lower above zero.
    private func counted(
        _ activity: Activity, _ scope: Scope, _ links: [UInt32]?, objects: Int, _ lower: UInt64, _ upper: UInt64?
    ) throws(WinnowError) -> Plan {
        if objects == 1, lower == 1, upper == nil {
            return plan(.atLeast(1), of: try events(scope, activity.type, links))
        }
        // Only objects that have events can be among them.
        guard objects <= (scope.campaigns ?? scope.templates ?? []).count,
            let events = try scope.events(activity.type, links: links, keying: scope.objectKeying, snapshot)
        else { return .nobody }
        return .counting(
            CountingPlan(activity: ActivityPlan(scope: events, lower: lower, upper: upper), objects: objects))
    }

    /// `preceded_by`: the target never, the other event often enough; in the whole scope, or in some one object.
    private func paired(
        _ activity: Activity, _ preceding: Preceding, _ scope: Scope, _ links: [UInt32]?
    ) throws(WinnowError) -> Plan {
        let type = EventType(activity.type.channel, preceding.event)
        let atLeast = UInt64(preceding.atLeast)
        if preceding.pairing == .scope {
            let target = plan(activity.condition, of: try events(scope, activity.type, links))
            return .all([target, plan(.atLeast(preceding.atLeast), of: try events(scope, type, nil))])
        }
        let keying = preceding.pairing == .message ? .message : scope.objectKeying
        guard let other = try scope.events(type, links: nil, keying: keying, snapshot) else { return .nobody }
        let target = try scope.events(activity.type, links: links, keying: keying, snapshot)
        return .pairs(
            PairPlan(
                target: target.map { ActivityPlan(scope: $0, lower: 1, upper: nil) },
                other: ActivityPlan(scope: other, lower: atLeast, upper: nil), atLeast: atLeast,
                pairing: preceding.pairing == .message ? .message(try snapshot.activity()) : .object))
    }

    /// The plan for a condition on events; nil when there are none.
    private func plan(_ condition: CountCondition, of events: ActivityScope?) -> Plan {
        let (lower, upper) = condition.range
        guard let events else { return lower > 0 ? .nobody : .everybody }
        if lower > 0 { return .activity(ActivityPlan(scope: events, lower: lower, upper: upper)) }
        // Counts from zero up are what is left without the greater ones.
        guard let upper else { return .everybody }
        return .not(.activity(ActivityPlan(scope: events, lower: upper + 1, upper: nil)))
    }

    /// The dictionary codes plus one that a selector chooses, ascending.
    private mutating func codes(
        _ selector: Selector, _ namespace: Namespace, _ path: RulePath
    ) throws(WinnowError) -> [UInt32] {
        var result = Set(
            try codes(
                selector.ids, namespace, namespace == .campaign ? "unknown_campaign" : "unknown_template", path))
        if selector.hasConditions {
            let index = try snapshot.catalogueIndex(namespace)
            try warnOfUnknownTags(selector.tags + selector.allTags, index, path)
            result.formUnion(selector.codes(in: index).map { $0 + 1 })
        }
        if result.isEmpty { try warn("empty_scope", path, "the selector matches nothing in the store") }
        return result.sorted()
    }

    private mutating func warnOfUnknownTags(
        _ tags: [String], _ index: CatalogueIndex, _ path: RulePath
    ) throws(WinnowError) {
        var told: Set<[UInt8]> = []
        for tag in tags where index.withTag(tag) == nil && told.insert(Array(tag.utf8)).inserted {
            try warn("unknown_tag", path, "nothing in the store has the tag “\(tag)”")
        }
    }

    private mutating func codes(
        _ ids: [String], _ namespace: Namespace, _ warning: String, _ path: RulePath
    ) throws(WinnowError) -> [UInt32] {
        guard !ids.isEmpty else { return [] }
        let strings = try snapshot.strings(namespace)
        var result: Set<UInt32> = []
        for id in ids {
            if let code = strings.code(of: id) {
                result.insert(code + 1)
            } else {
                let what = warning.dropFirst("unknown_".count)
                try warn(warning, path, "the \(what) “\(id)” was neither loaded nor seen in an event")
            }
        }
        return result.sorted()
    }

    // MARK: Fields

    private mutating func bind(_ condition: FieldCondition, _ path: RulePath) throws(WinnowError) -> Plan {
        let schema = snapshot.schema
        let isID = sameBytes(condition.name, Schema.idName)
        let known =
            isID
            ? Field(name: Schema.idName, type: .string) : schema.index(of: condition.name).map { schema.fields[$0] }
        guard let field = known else {
            let names = ([Schema.idName] + schema.fields.map(\.name)).joined(separator: ", ")
            throw .invalidRule(
                path: path.key(.name), message: "the store has no field “\(condition.name)”; its fields are \(names)")
        }
        let test = try condition.test(for: field, time, path: path)
        if let window = test.window { windows.append(WindowReport(path: path.key(.value), window: window)) }
        let plan = isID ? try idPlan(test.test) : try fieldPlan(field, test.test)
        return test.negated ? .not(plan) : plan
    }

    private func idPlan(_ test: FieldTest.Test) throws(WinnowError) -> Plan {
        guard case .text(let text) = test else { return .everybody }
        let keys = try snapshot.keys()
        if case .isOneOf(let ids) = text.comparison, !text.ignoresCase {
            return .rows(Set(ids.compactMap { keys.code(of: $0) }).sorted())
        }
        var rows: [UInt32] = []
        for table in keys.tables {
            for i in 0..<table.count where unsafe text.passes(table.bytes(i)) {
                let row = table.first + UInt32(i)
                if snapshot.erased?.contains(row) != true { rows.append(row) }
            }
        }
        return .rows(rows)
    }

    private func fieldPlan(_ field: Field, _ test: FieldTest.Test) throws(WinnowError) -> Plan {
        var parts: [FieldPlan.PartTest] = []
        for part in try snapshot.profiles().reversed() {
            guard let index = part.field(field.name) else { continue }
            parts.append(.init(part: part, index: index, test: try columnTest(test, part, index)))
        }
        return parts.isEmpty ? .nobody : .field(FieldPlan(parts: parts))
    }

    /// The test in terms of a part's own dictionary: predicates run once per distinct value, not once per profile.
    private func columnTest(
        _ test: FieldTest.Test, _ part: ProfilePart, _ index: ProfilePart.FieldIndex
    ) throws(WinnowError) -> FieldPlan.ColumnTest {
        switch (test, index.form) {
        case (.exists, _): return .present
        case (.numbers(let ranges), .numbers): return ranges.isEmpty ? .never : .ranges(merged(ranges))
        case (.daysOfYear(let days), .numbers): return .daysOfYear(days)
        case (.text(let text), .texts): return .texts(text)
        case (.text(let text), .codes):
            let dictionary = try part.dictionary(index)
            let codes = (0..<dictionary.count).filter { unsafe text.passes(dictionary[$0]) }
            return codes.isEmpty ? .never : .ranges(merged(codes.map { Int64($0)...Int64($0) }))
        case (.hasAny(let values), .sets):
            let codes = try codes(values, part.dictionary(index)).compactMap { $0 }
            return codes.isEmpty ? .never : .anyOf(codes)
        case (.hasAll(let values), .sets):
            let codes = try codes(values, part.dictionary(index))
            return codes.contains(nil) ? .never : .allOf(codes.compactMap { $0 })
        default:
            throw .damaged(file: part.file.path, what: "a field is stored in a form that its type does not have")
        }
    }

    /// The dictionary's code of each distinct value, nil where it has none.
    private func codes(_ values: [[UInt8]], _ dictionary: FieldDictionary) -> [Int?] {
        Set(values).map { value in
            let low = firstNotBelow(0..<dictionary.count) { unsafe dictionary[$0].lexicographicallyPrecedes(value) }
            return unsafe low < dictionary.count && dictionary[low].elementsEqual(value) ? low : nil
        }
    }

    /// Ascending, disjoint, and joined where they touch.
    private func merged(_ ranges: [ClosedRange<Int64>]) -> [ClosedRange<Int64>] {
        var result: [ClosedRange<Int64>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = result.last, last.upperBound == .max || range.lowerBound <= last.upperBound + 1 {
                result[result.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                result.append(range)
            }
        }
        return result
    }
}

extension Selector {
    /// The codes of the objects that satisfy every condition that is given; there is at least one.
    fileprivate func codes(in index: CatalogueIndex) -> Set<UInt32> {
        var conditions: [Set<UInt32>] = []
        if !tags.isEmpty { conditions.append(Set(tags.flatMap { index.withTag($0) ?? [] })) }
        for tag in allTags { conditions.append(Set(index.withTag(tag) ?? [])) }
        for condition in attributes {
            conditions.append(Set(condition.values.flatMap { index.with(attribute: condition.key, $0) }))
        }
        return conditions.dropFirst().reduce(conditions.first ?? []) { $0.intersection($1) }
    }
}

extension Rule {
    /// Whether the answer depends on what is known only as it is now: fields, catalogue, or who there is.
    fileprivate var usesCurrentState: Bool {
        switch node {
        case .all(let rules), .any(let rules): rules.contains(where: \.usesCurrentState)
        case .not, .field, .sample, .tooDeep, .tooLarge: true
        case .activity(let activity):
            activity.condition.range.lower == 0 || activity.campaigns?.hasConditions == true
                || activity.templates?.hasConditions == true
        }
    }
}
