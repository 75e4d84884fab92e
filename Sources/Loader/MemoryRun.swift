import Columns
import Model

/// Events gathered in memory, by type and block: the source of a part. When it has grown large the loader writes it as
/// a part of its own and begins anew.
struct MemoryRun: EventSource {
    private var types: [EventType: TypeEvents] = [:]
    private var messages = LocalMessages()
    private(set) var count = 0

    /// About how much memory it takes: arrays that grow have a third to spare.
    var bytes: Int { count * 48 + messages.text.count * 4 / 3 + messages.ends.count * 24 }

    /// Adds message ids, and returns what is to be added to their numbers.
    mutating func add(messages ids: StringInterner) -> UInt32 {
        let base = UInt32(messages.ends.count)
        for i in 0..<ids.count { messages.append(ids.bytes(i), hash: ids.hash(i)) }
        return base
    }

    func localMessages(_ block: Int) -> LocalMessages? { messages.ends.isEmpty ? nil : messages }
    func messages(_ block: Int) -> MessageBlock? { nil }

    private struct TypeEvents: Sendable {
        var leafIndex: [LeafKey: UInt32] = [:]
        var leaves: [LeafSummary] = []
        /// Per block, empty where there are none.
        var blocks: [[EventRecord]] = []
    }

    /// Adds events of one type whose `leaf` is an index into `keys`.
    mutating func add(_ type: EventType, _ keys: [LeafKey], _ events: [EventRecord]) {
        var gathered = types.removeValue(forKey: type) ?? TypeEvents()
        let numbers = keys.map { key -> UInt32 in
            if let number = gathered.leafIndex[key] { return number }
            let number = UInt32(gathered.leaves.count)
            gathered.leafIndex[key] = number
            gathered.leaves.append(LeafSummary(key: key, events: 0, minimum: .max, maximum: .min))
            return number
        }
        gathered.leaves.withUnsafeMutableBufferPointer { leaves in
            for event in events {
                let leaf = numbers[Int(event.leaf)], block = Int(event.row >> 16)
                leaves[Int(leaf)].events += 1
                leaves[Int(leaf)].minimum = min(leaves[Int(leaf)].minimum, event.time)
                leaves[Int(leaf)].maximum = max(leaves[Int(leaf)].maximum, event.time)
                while gathered.blocks.count <= block { gathered.blocks.append([]) }
                var record = event
                record.leaf = leaf
                gathered.blocks[block].append(record)
            }
        }
        count += events.count
        types[type] = gathered
    }

    var eventTypes: [EventType] { Array(types.keys) }

    func leaves(of type: EventType) -> [LeafSummary] { types[type]?.leaves ?? [] }

    func blocks(of type: EventType) -> [(block: Int, events: Int)] {
        guard let blocks = types[type]?.blocks else { return [] }
        return blocks.enumerated().filter { !$0.element.isEmpty }.map { ($0.offset, $0.element.count) }
    }

    func append(_ type: EventType, block: Int, to events: inout [EventRecord]) {
        guard let blocks = types[type]?.blocks, block < blocks.count else { return }
        events.append(contentsOf: blocks[block])
    }
}
