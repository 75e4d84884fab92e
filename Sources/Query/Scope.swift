import Columns
import Format
import Model
import Store

/// Campaigns, templates and window of an activity, to be turned into leaves of each part.
struct Scope {
    /// Codes plus one, ascending; nil for all.
    let campaigns: [UInt32]?
    let templates: [UInt32]?
    let window: ClosedRange<Int64>
    /// Raised when unique events without a message id are met.
    var approximate = Flag()

    var filter: EventFilter {
        EventFilter(campaigns: campaigns.map(Set.init), templates: templates.map(Set.init), window: window)
    }

    /// The events of a type, stored or derived.
    func supply(_ type: EventType, _ links: [UInt32]?, _ snapshot: Snapshot) throws(WinnowError) -> EventSupply {
        let source = snapshot.storedType(of: type)
        let names = [
            try snapshot.strings(.campaign), try snapshot.strings(.template), try snapshot.strings(.link),
        ]
        return EventSupply(
            type: source, unique: source == type ? nil : type.event, links: links.map(Set.init),
            parts: try snapshot.activity(), names: names, approximate: approximate)
    }

    /// The scope of each selected object: campaigns, or templates when only those are selected.
    var objects: [Scope] {
        if let campaigns {
            return campaigns.map {
                Scope(campaigns: [$0], templates: templates, window: window, approximate: approximate)
            }
        }
        return (templates ?? []).map {
            Scope(campaigns: nil, templates: [$0], window: window, approximate: approximate)
        }
    }

    /// The same; without a selector, each campaign that has events of the type.
    func seenObjects(_ type: EventType, _ snapshot: Snapshot) throws(WinnowError) -> [Scope] {
        if campaigns != nil || templates != nil { return objects }
        var seen: Set<UInt32> = []
        for part in try snapshot.activity() {
            guard let index = part.types[snapshot.storedType(of: type)] else { continue }
            let table = try part.leaves(of: index)
            for leaf in 0..<table.count { seen.insert(UInt32(truncatingIfNeeded: table.campaigns[leaf])) }
        }
        // Zero is "no campaign", which is no object.
        return seen.subtracting([0]).sorted().map {
            Scope(campaigns: [$0], templates: nil, window: window, approximate: approximate)
        }
    }

    /// Makes the plan for counts between two bounds; nil when nothing is in scope.
    func plan(
        _ type: EventType, links: [UInt32]?, _ snapshot: Snapshot
    ) throws(WinnowError) -> ((UInt64, UInt64?) -> Plan)? {
        if links?.isEmpty == true { return nil }
        if snapshot.storedType(of: type) != type {
            let supply = try supply(type, links, snapshot), filter = filter
            return { .messages(MessagePlan(supply: supply, filter: filter, test: .counts(lower: $0, upper: $1))) }
        }
        var scopes: [PartScope] = [], events = 0
        for part in try snapshot.activity() {
            guard let index = part.types[type], let (scope, count) = try partScope(part, index) else { continue }
            scopes.append(scope)
            events += count
        }
        guard !scopes.isEmpty else { return nil }
        return {
            .activity(
                ActivityPlan(
                    type: type, lower: $0, upper: $1, parts: scopes, links: links, window: window, events: events))
        }
    }

    private func partScope(
        _ part: ActivityPart, _ index: ActivityPart.TypeIndex
    ) throws(WinnowError) -> (PartScope, events: Int)? {
        guard index.maximum >= window.lowerBound, index.minimum <= window.upperBound else { return nil }
        let covered = window.lowerBound <= index.minimum && index.maximum <= window.upperBound
        if covered && campaigns == nil && templates == nil {
            return (PartScope(part: part, index: index, places: nil, leaves: []), index.events)
        }
        let table = try part.leaves(of: index)
        var places = [PartScope.Place](repeating: .out, count: table.count)
        var leaves: [Int] = [], events = 0
        for range in campaigns.map({ $0.map(table.leaves(ofCampaign:)) }) ?? [0..<table.count] {
            for leaf in range where contains(template: UInt32(truncatingIfNeeded: table.templates[leaf])) {
                let low = table.minimum[leaf], high = table.maximum[leaf]
                guard table.events[leaf] > 0, high >= window.lowerBound, low <= window.upperBound else { continue }
                places[leaf] = low >= window.lowerBound && high <= window.upperBound ? .inside : .straddles
                leaves.append(leaf)
                events += Int(table.events[leaf])
            }
        }
        guard !leaves.isEmpty else { return nil }
        return (PartScope(part: part, index: index, places: places, leaves: leaves), events)
    }

    private func contains(template: UInt32) -> Bool {
        guard let templates else { return true }
        var low = 0, high = templates.count
        while low < high {
            let middle = (low + high) / 2
            if templates[middle] < template { low = middle + 1 } else { high = middle }
        }
        return low < templates.count && templates[low] == template
    }
}
