import Synchronization

/// Which names the events of a part that is being written have, and so which a dictionary must keep.
package final class NamesInUse: Sendable {
    private let used: Mutex<[Namespace: [Bool]]>

    package init(_ counts: [Namespace: Int]) { used = Mutex(counts.mapValues { Array(repeating: false, count: $0) }) }

    package func contains(_ namespace: Namespace, _ code: UInt32) -> Bool {
        used.withLock { used in used[namespace].map { Int(code) < $0.count && $0[Int(code)] } ?? false }
    }

    package func insert(_ namespace: Namespace, _ codes: some Sequence<UInt32>) {
        used.withLock { used in
            for code in codes where Int(code) < used[namespace]?.count ?? 0 { used[namespace]?[Int(code)] = true }
        }
    }

    /// Adds the names of some events of one type, whose leaves have these keys.
    func insert(_ events: [EventRecord], _ keys: [LeafKey]) {
        var leaves = [Bool](repeating: false, count: keys.count), links: Set<UInt32> = []
        for event in events {
            leaves[Int(event.leaf)] = true
            if event.link > 0 { links.insert(event.link - 1) }
        }
        let live = keys.indices.filter { leaves[$0] }.map { keys[$0] }
        insert(.campaign, live.filter { $0.campaign > 0 }.map { $0.campaign - 1 })
        insert(.template, live.filter { $0.template > 0 }.map { $0.template - 1 })
        insert(.link, links)
    }
}
