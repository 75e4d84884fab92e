import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowStorage

/// Campaigns, templates, window and actors of an activity, to be turned into leaves of each part.
struct Scope: Hashable {
    /// Whether only machines' events count, or only those of people; nil for both.
    var machines: Bool?
    /// Variants of leaves whose records count, see `RecordType`; nil for all.
    var variants: Set<UInt32>?
    /// Ascending; nil for all.
    let campaigns: [NameCode]?
    let templates: [NameCode]?
    var window: ClosedRange<Int64>
    /// The instant of evaluation.
    var asOf: Int64
    /// Whether it matters which leaves have earlier events than others.
    var ordersLeaves = false

    /// How many objects are selected: campaigns, or templates when only those are.
    var objects: Int { (campaigns ?? templates ?? []).count }

    /// What tells objects, or pairs events of two types.
    enum Keying: Hashable { case none, message, campaign, template }

    /// What events of the same object have in common: the campaign, or the template when only those
    /// are selected.
    var objectKeying: Keying { campaigns == nil && templates != nil ? .template : .campaign }

    /// The events of a type that are in scope; nil when there are none.
    func events(
        _ type: RecordType, links: [NameCode]?, keying: Keying = .none,
        lineage: ScopeLineage? = nil, _ snapshot: StoreVersion
    ) throws(WinnowError) -> ActivityScope? {
        guard links?.isEmpty != true else { return nil }
        let parts = try snapshot.parts(of: type)
        guard case .event(let event) = type, case let source = snapshot.storedType(of: event),
            source != event
        else { return try events(type, links: links, keying: keying, lineage: lineage, in: parts) }
        let stored = RecordType.event(source)
        let machines = try toldApart(stored, parts)
        let unique = UniqueRule(
            marks: FirstEvents.marks(of: event.event, byActor: machines != nil),
            perLink: event.event == .uniqueLinkClicked, links: links.map(Set.init),
            machines: machines,
            tellsActors: parts.allSatisfy { $0.types[stored]?.marksActors ?? true },
            names: NameOrder(try snapshot.names()))
        return try events(
            stored, links: links, keying: keying, unique, lineage: lineage, in: parts)
    }

    /// The same of a type that is stored, in some parts.
    func events(
        _ stored: RecordType, links: [NameCode]?, keying: Keying = .none,
        _ unique: UniqueRule? = nil, lineage: ScopeLineage? = nil, in parts: [ActivityPart]
    ) throws(WinnowError) -> ActivityScope? {
        guard links?.isEmpty != true else { return nil }
        var scopes: [PartScope] = []
        var count = 0
        for part in parts {
            guard let index = part.types[stored] else { continue }
            guard let (scope, events) = try partScope(part, index, keying, unique) else { continue }
            scopes.append(scope)
            count += events
        }
        guard count > 0 else { return nil }
        return ActivityScope(
            unique: unique, parts: scopes, links: links, window: window, events: count,
            lineage: lineage)
    }

    /// Whose events of a type must be told from others'; nil where all are of those who count, or
    /// of both.
    private func toldApart(
        _ type: RecordType, _ parts: [ActivityPart]
    ) throws(WinnowError) -> Bool? {
        guard let machines else { return nil }
        for part in parts {
            guard let index = part.types[type] else { continue }
            let actors = try part.leaves(of: index).actors
            if machines ? actors.people : actors.machines { return machines }
        }
        return nil
    }

    /// nil when the part has nothing in scope; with a unique rule the part is still there, since
    /// its events may come before others.
    private func partScope(
        _ part: ActivityPart, _ index: ActivityPart.TypeIndex, _ keying: Keying,
        _ unique: UniqueRule?
    ) throws(WinnowError) -> (PartScope, events: Int)? {
        let window =
            max(window.lowerBound, min(part.horizon, window.upperBound))...window.upperBound
        let touched =
            part.horizon <= window.upperBound && index.maximum >= window.lowerBound
            && index.minimum <= window.upperBound
        guard touched || unique != nil else { return nil }
        let covered = window.lowerBound <= index.minimum && index.maximum <= window.upperBound
        let takesAllActors = try takesAllActors(part, index)
        let takesAll =
            campaigns == nil && templates == nil && variants == nil && takesAllActors
        if covered && takesAll && unique == nil && keying != .campaign && keying != .template {
            let scope = PartScope(
                part: part, index: index, places: nil, leaves: [], keys: nil,
                spans: ordersLeaves ? try part.leaves(of: index).spans : nil,
                tellsLast: true, window: window)
            return (scope, index.events)
        }
        let table = try part.leaves(of: index)
        var spans: [LeafSpan]?
        if ordersLeaves { spans = Array(repeating: .unknown, count: table.count) }
        var places = [PartScope.Place](repeating: .out, count: table.count)
        var leaves: [LeafID] = []
        var events = 0
        for leaf in self.leaves(of: table) {
            let low = table.minimum[Int(leaf.rawValue)]
            let high = table.maximum[Int(leaf.rawValue)]
            guard touched, high >= window.lowerBound, low <= window.upperBound else { continue }
            places[Int(leaf.rawValue)] =
                low >= window.lowerBound && high <= window.upperBound ? .inside : .straddles
            leaves.append(leaf)
            spans?[Int(leaf.rawValue)] = LeafSpan(first: low, last: high)
            events &+= Int(table.events[Int(leaf.rawValue)])
        }
        guard !leaves.isEmpty || unique != nil else { return nil }
        let keys: [UInt32]? =
            switch keying {
            case .none, .message: nil
            case .campaign:
                (0..<table.count).map { table.campaign(LeafID($0)).rawValue }
            case .template:
                (0..<table.count).map { table.template(LeafID($0)).rawValue }
            }
        let tellsLast =
            takesAll && unique == nil && keys == nil && index.maximum <= window.upperBound
        let since = tellsLast ? Recency.quarter(beginningAt: window.lowerBound) : nil
        let scope = PartScope(
            part: part, index: index, places: places, leaves: leaves, keys: keys, spans: spans,
            tellsLast: tellsLast, since: since, window: window)
        return (scope, events)
    }

    /// Whether whoever did something in the part counts.
    private func takesAllActors(
        _ part: ActivityPart, _ index: ActivityPart.TypeIndex
    ) throws(WinnowError) -> Bool {
        guard let machines else { return true }
        let actors = try part.leaves(of: index).actors
        return machines ? !actors.people : !actors.machines
    }

    /// The leaves of the scope's campaigns, templates and actors that have events.
    func leaves(of table: LeafTable) -> [LeafID] {
        var leaves: [LeafID] = []
        func add(_ range: Range<Int>) {
            for i in range
            where contains(table.template(LeafID(i))) && table.events[i] > 0
                && (machines == nil || machines == (table.variants[i] == 1))
                && variants?.contains(UInt32(truncatingIfNeeded: table.variants[i])) ?? true
            {
                leaves.append(LeafID(i))
            }
        }
        guard let campaigns else {
            add(0..<table.count)
            return leaves
        }
        // Both ascend.
        var start = 0
        for campaign in campaigns {
            let places = table.places(ofCampaign: campaign, from: start)
            add(places)
            start = places.upperBound
        }
        return leaves
    }

    private func contains(_ template: NameCode) -> Bool {
        guard let templates else { return true }
        let low = firstNotBelow(templates.indices) { templates[$0] < template }
        return low < templates.count && templates[low] == template
    }
}

extension LeafTable {
    /// When the events of each leaf happened.
    fileprivate var spans: [LeafSpan] {
        (0..<count).map { LeafSpan(first: minimum[$0], last: maximum[$0]) }
    }
}
