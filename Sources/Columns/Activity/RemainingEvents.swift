import WinnowFormat
import WinnowModel
import WinnowThreads

/// The events of a part that are not forgotten: not before the part's horizon, and of no erased
/// profile. What a merge leaves out is gone for good.
package struct RemainingEvents: EventSource {
    private let part: ActivityPart
    private let erased: ErasedRows?

    package init(_ part: ActivityPart, without erased: ErasedRows? = nil) {
        self.part = part
        self.erased = erased
    }

    package var recordTypes: [RecordType] { part.recordTypes }

    package func leaves(of type: RecordType) throws(WinnowError) -> [LeafSummary] {
        try part.leaves(of: type).map { leaf in
            var leaf = leaf
            leaf.minimum = max(leaf.minimum, part.horizon)
            if leaf.maximum < part.horizon { leaf.events = 0 }
            return leaf
        }
    }

    /// The leaves of a type that have events left, and when each was first; the last times are not
    /// looked at. Complexity: O(leaves) where nothing is forgotten, else O(events of the type).
    package func firstTimes(of type: RecordType) throws(WinnowError) -> [LeafSummary] {
        guard let index = part.types[type] else { return [] }
        var leaves = try part.leaves(of: type)
        if index.minimum >= part.horizon, erased == nil { return leaves.filter { $0.events > 0 } }
        let blocks = try part.blocks(of: type)
        // Of a block only the leaves that it has.
        let times = try concurrentMap(blocks.count) { (i) throws(WinnowError) in
            var events: [EventRecord] = []
            try append(type, block: blocks[i].block, to: &events)
            return events.reduce(into: [LeafID: Int64]()) { first, event in
                first[event.leaf] = min(first[event.leaf] ?? .max, event.time)
            }
        }
        for i in leaves.indices { leaves[i].minimum = .max }
        for (leaf, time) in times.joined() where leaf.index < leaves.count {
            leaves[leaf.index].minimum = min(leaves[leaf.index].minimum, time)
        }
        return leaves.filter { $0.minimum < .max }
    }

    package func blocks(of type: RecordType) throws(WinnowError) -> [(
        block: BlockIndex, events: Int
    )] {
        try part.blocks(of: type)
    }

    package func append(_ type: RecordType, block: BlockIndex, to events: inout [EventRecord])
        throws(WinnowError)
    {
        let start = events.count
        let horizon = part.horizon
        try part.append(type, block: block, to: &events)
        guard horizon > .min || erased?.block(block) != nil else { return }
        let remaining = events[start...].filter {
            $0.time >= horizon && (!type.isOfProfiles || erased?.contains($0.row) != true)
        }
        events.replaceSubrange(start..., with: remaining)
    }

    package func localMessages(_ block: BlockIndex) -> LocalMessages? { nil }
    package func messages(_ block: BlockIndex) throws(WinnowError) -> MessageBlock? {
        try part.messages(block)
    }
}

extension ActivityPart {
    /// What is left of a type: how many events, and the first and last time (of none: zero).
    package func remaining(
        _ index: TypeIndex, without erased: ErasedRows?
    ) throws(WinnowError) -> (events: Int, minimum: Int64, maximum: Int64) {
        let erased = index.type.isOfProfiles ? erased : nil
        guard index.minimum < horizon || erased != nil else {
            return (index.events, index.minimum, index.maximum)
        }
        let source = RemainingEvents(self, without: erased)
        let blocks = try blocks(of: index.type)
        let parts = try concurrentMap(blocks.count) {
            (i) throws(WinnowError) -> (events: Int, minimum: Int64, maximum: Int64) in
            var events: [EventRecord] = []
            try source.append(index.type, block: blocks[i].block, to: &events)
            return (
                events.count, events.lazy.map(\.time).min() ?? .max,
                events.lazy.map(\.time).max() ?? .min
            )
        }
        let events = parts.reduce(0) { $0 + $1.events }
        guard events > 0 else { return (0, 0, 0) }
        return (events, parts.map(\.minimum).min() ?? 0, parts.map(\.maximum).max() ?? 0)
    }
}
