import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowStorage

extension Scope {
    /// Whether unique events of the type are derived from events of which some, in these campaigns
    /// and templates, on these links and not later than the instant of evaluation, have no message
    /// id. Events of erased profiles are met until they are purged.
    func hasEventsWithoutMessage(
        _ type: EventType, links: [NameCode]?, _ snapshot: StoreVersion
    ) throws(WinnowError) -> Bool {
        let source = snapshot.storedType(of: type)
        guard source != type else { return false }
        let stored = RecordType.event(source)
        for part in try snapshot.activity() {
            guard let index = part.types[stored] else { continue }
            let table = try part.leaves(of: index)
            let leaves = leaves(of: table).filter {
                table.withoutMessage[Int($0.rawValue)] > 0
                    && table.firstWithoutMessage[Int($0.rawValue)] <= asOf
                    && table.maximum[Int($0.rawValue)] >= part.horizon
            }
            if leaves.isEmpty { continue }
            if links == nil,
                leaves.contains(where: {
                    table.firstWithoutMessage[Int($0.rawValue)] >= part.horizon
                })
            {
                return true
            }
            let met = try part.hasEventsWithoutMessage(
                index, leaves: Set(leaves), links: links.map { Set($0) }, until: asOf)
            if met { return true }
        }
        return false
    }
}

extension ActivityPart {
    /// Whether some event of these leaves that is not forgotten, on one of the links (nil: on any),
    /// has no message id; the leaves alone do not tell.
    fileprivate func hasEventsWithoutMessage(
        _ index: TypeIndex, leaves: Set<LeafID>, links: Set<NameCode>?, until last: Int64
    ) throws(WinnowError) -> Bool {
        guard horizon <= last else { return false }
        let times = horizon...last
        func has(_ streams: EventStreams, _ range: Range<Int>) -> Bool {
            var messages = [UInt32](repeating: 0, count: range.count)
            unsafe streams.messages(range, into: &messages)
            let own = streams.links(range)
            let all = streams.times(range)
            return messages.indices.contains {
                messages[$0] == 0 && links?.contains(own[$0]) != false && times.contains(all[$0])
            }
        }
        for i in 0..<index.blockCount {
            let chunk = try chunk(try entry(index, i))
            for i in 0..<chunk.headCount where leaves.contains(chunk.leaf(ofHead: i)) {
                let head = try chunk.head(i)
                if has(head.streams, 0..<head.events) { return true }
            }
            for i in 0..<chunk.tailRuns where leaves.contains(chunk.leaf(ofRun: i)) {
                if has(chunk.tail, try chunk.run(i)) { return true }
            }
        }
        return false
    }
}
