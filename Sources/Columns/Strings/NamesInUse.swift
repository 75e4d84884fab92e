/// Which names the events of a part that is being written have, and so which a dictionary must
/// keep.
package final class NamesInUse {
    private var used: [Namespace: [Bool]]

    package init(_ counts: [Namespace: Int]) {
        used = counts.mapValues { Array(repeating: false, count: $0) }
    }

    package func contains(_ namespace: Namespace, _ code: UInt32) -> Bool {
        used[namespace].map { Int(code) < $0.count && $0[Int(code)] } ?? false
    }

    package func insert(_ namespace: Namespace, _ codes: some Sequence<UInt32>) {
        for code in codes where Int(code) < used[namespace]?.count ?? 0 {
            used[namespace]?[Int(code)] = true
        }
    }

    func insert(_ names: EventNames) {
        insert(.campaign, names.campaigns)
        insert(.template, names.templates)
        insert(.link, names.links)
    }
}

/// The names of some events.
struct EventNames {
    private(set) var campaigns: Set<UInt32> = []
    private(set) var templates: Set<UInt32> = []
    private(set) var links: Set<UInt32> = []

    /// Adds those of events of one type, whose leaves have these keys.
    mutating func insert(_ events: [EventRecord], _ keys: [LeafKey]) {
        var leaves = [Bool](repeating: false, count: keys.count)
        for event in events {
            leaves[event.leaf.index] = true
            if let link = event.link.code { links.insert(link) }
        }
        for (key, isLive) in zip(keys, leaves) where isLive {
            if let campaign = key.campaign.code { campaigns.insert(campaign) }
            if let template = key.template.code { templates.insert(template) }
        }
    }
}
