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
        for (namespace, codes) in names.codes { insert(namespace, codes) }
    }
}

/// The names of some events.
struct EventNames {
    private(set) var codes: [Namespace: Set<UInt32>] = [:]

    /// Adds those of events of one type, whose leaves have these keys.
    mutating func insert(_ events: [EventRecord], _ keys: [LeafKey], of type: RecordType) {
        var leaves = [Bool](repeating: false, count: keys.count)
        var links: Set<UInt32> = []
        for event in events {
            leaves[event.leaf.index] = true
            if let link = event.link.code { links.insert(link) }
        }
        let (campaign, template, link) = type.namespaces
        if let link { codes[link, default: []].formUnion(links) }
        for (key, isLive) in zip(keys, leaves) where isLive {
            if let code = key.campaign.code { codes[campaign, default: []].insert(code) }
            if let code = key.template.code { codes[template, default: []].insert(code) }
        }
    }
}
