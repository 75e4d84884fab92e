import WinnowColumns
import WinnowFormat
import WinnowModel

/// Events of one type in memory, on their way into a part.
struct EventList: EventSource {
    var type = EventType(.email, .sent)
    /// Ascending.
    var keys = [LeafKey(campaign: 0, template: 0)]
    var events: [EventRecord] = []
    /// What message numbers stand for: number n is the id before n. Without ids they are ordinals.
    var ids: [String] = []

    var recordTypes: [RecordType] { [.event(type)] }

    func leaves(of type: RecordType) -> [LeafSummary] {
        guard type == .event(self.type) else { return [] }
        return keys.indices.map { leaf in
            let times = events.filter { $0.leaf.index == leaf }.map(\.time)
            return LeafSummary(
                key: keys[leaf], events: Int64(times.count), minimum: times.min() ?? .max,
                maximum: times.max() ?? .min)
        }
    }

    func blocks(of type: RecordType) -> [(block: BlockIndex, events: Int)] {
        guard type == .event(self.type) else { return [] }
        let counts = events.reduce(into: [BlockIndex: Int]()) { $0[$1.row.block, default: 0] += 1 }
        return counts.sorted { $0.key < $1.key }.map { (block: $0.key, events: $0.value) }
    }

    func append(_ type: RecordType, block: BlockIndex, to all: inout [EventRecord]) {
        if type == .event(self.type) { all += events.filter { $0.row.block == block } }
    }

    func localMessages(_ block: BlockIndex) -> LocalMessages? {
        if ids.isEmpty { return nil }
        var messages = LocalMessages()
        for (i, id) in ids.enumerated() {
            let row = events.first { $0.message == i + 1 && $0.row.block == block }?.row.inBlock
            Array(id.utf8).withUnsafeBytes { messages.append($0, row: row ?? 0) }
        }
        return messages
    }

    func messages(_ block: BlockIndex) -> MessageBlock? { nil }
}

extension EventRecord {
    init(_ row: Row, leaf: LeafID = 0, time: Int64 = 0, count: UInt32 = 1, message: UInt32 = 0) {
        self.init(row: row, leaf: leaf, time: time, count: count, link: 0, message: message)
    }
}

extension Parts {
    /// A part of some events and older parts.
    func write(
        _ sources: [any EventSource], knowing store: [ActivityPart] = [], names: NameOrder? = nil
    ) throws -> ActivityPart {
        let file = try write(.activity) { part in
            try ActivityMerge.write(
                sources, knowing: store, names: names, memory: 1 << 30, to: part)
        }
        return try ActivityPart(file)
    }
}

extension NameCode: ExpressibleByIntegerLiteral {
    /// As parts store it: 0 for none.
    @usableFromInline package init(integerLiteral value: UInt32) { self.init(rawValue: value) }
}

extension Row: ExpressibleByIntegerLiteral {
    init(_ number: Int) { self.init(rawValue: UInt32(number)) }

    @usableFromInline package init(integerLiteral value: UInt32) { self.init(rawValue: value) }
}

extension BlockIndex: ExpressibleByIntegerLiteral {
    @usableFromInline package init(integerLiteral value: UInt32) { self.init(rawValue: value) }
}

extension LeafID: ExpressibleByIntegerLiteral {
    @usableFromInline package init(integerLiteral value: UInt32) { self.init(rawValue: value) }
}
