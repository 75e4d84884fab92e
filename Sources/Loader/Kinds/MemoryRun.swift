import WinnowColumns
import WinnowModel

/// Events gathered in memory, by type and block, sixteen bytes most of them: the source of a part.
/// When it has grown large the loader writes it as a part of its own and begins anew.
struct MemoryRun: EventSource {
    private var types: [RecordType: TypeEvents] = [:]
    /// Of each block, up to the last that has some.
    private var messages: [LocalMessages] = []
    private(set) var count = 0

    /// Memory of the events.
    private var eventBytes = 0

    /// About how much memory it takes.
    var bytes: Int { eventBytes + messages.reduce(0) { $0 + $1.memory } }

    /// Adds message ids of some rows; returns their numbers (plus one) in the rows' blocks. What has
    /// no row is of no event.
    mutating func add(messages ids: PieceMessages, rows: [Row?]) -> [UInt32] {
        unsafe ids.map { i, id in
            guard let row = rows[i] else { return 0 }
            let block = row.block.number
            while messages.count <= block { messages.append(LocalMessages()) }
            unsafe messages[block].append(id, row: row.inBlock)
            return UInt32(clamping: messages[block].count)
        }
    }

    func localMessages(_ block: BlockIndex) -> LocalMessages? {
        guard block.number < messages.count, messages[block.number].count > 0 else { return nil }
        return messages[block.number]
    }
    func messages(_ block: BlockIndex) -> MessageBlock? { nil }

    private struct TypeEvents: Sendable {
        var leafIndex: [LeafKey: LeafID] = [:]
        var leaves: [LeafSummary] = []
        /// Per block, empty where there are none.
        var blocks: [BlockEvents] = []
    }

    /// The events of a type in a block, in pieces that never move: growing one array would copy all
    /// and leave a third of it empty.
    private struct BlockEvents: Sendable {
        private struct Compact {
            /// Milliseconds since 1970, where they fit, then 16 bits of row.
            let timeAndRow: UInt64
            let leaf: LeafID
            /// The message, or with the highest bit an index into `extras`.
            let extra: UInt32
        }
        private struct Extra {
            let count: UInt32
            let link: NameCode
            let message: UInt32
            let value: Int64?
            let time: Int64
        }

        private var full: [[Compact]] = []
        private var open: [Compact] = []
        private var extras: [Extra] = []
        private(set) var count = 0
        private static let isExtra: UInt32 = 1 << 31
        /// Those that 48 bits hold.
        private static let plainTimes: Range<Int64> = 0..<1 << 48

        /// Appends an event; returns how much memory was taken for that.
        mutating func append(_ event: EventRecord, leaf: LeafID) -> Int {
            var taken = 0
            if open.count == open.capacity {
                let room = min(1024, max(16, 2 * open.count))
                if !open.isEmpty { full.append(open) }
                open = []
                open.reserveCapacity(room)
                taken = open.capacity * MemoryLayout<Compact>.stride
            }
            var extra = event.message
            let fits = BlockEvents.plainTimes.contains(event.time)
            if event.count != 1 || event.link != .none || event.message >= BlockEvents.isExtra
                || event.value != nil || !fits
            {
                extra = BlockEvents.isExtra | UInt32(truncatingIfNeeded: extras.count)
                extras.append(
                    Extra(
                        count: event.count, link: event.link, message: event.message,
                        value: event.value, time: event.time))
                taken += MemoryLayout<Extra>.stride * 4 / 3
            }
            let time = fits ? UInt64(bitPattern: event.time) << 16 : 0
            open.append(
                Compact(timeAndRow: time | UInt64(event.row.inBlock), leaf: leaf, extra: extra))
            count += 1
            return taken
        }

        func append(block: BlockIndex, to events: inout [EventRecord]) {
            events.reserveCapacity(events.count + count)
            for piece in full + [open] {
                for event in piece {
                    let extra =
                        event.extra & BlockEvents.isExtra == 0
                        ? Extra(
                            count: 1, link: .none, message: event.extra, value: nil,
                            time: Int64(event.timeAndRow >> 16))
                        : extras[Int(event.extra & ~BlockEvents.isExtra)]
                    events.append(
                        EventRecord(
                            row: Row(block, UInt16(truncatingIfNeeded: event.timeAndRow)),
                            leaf: event.leaf,
                            time: extra.time, count: extra.count,
                            link: extra.link,
                            message: extra.message, value: extra.value))
                }
            }
        }
    }

    /// Adds events of one type whose `leaf` is an index into `keys`.
    mutating func add(_ type: RecordType, _ keys: [LeafKey], _ events: [EventRecord]) {
        var gathered = types.removeValue(forKey: type) ?? TypeEvents()
        let numbers = keys.map { key -> LeafID in
            if let number = gathered.leafIndex[key] { return number }
            let number = LeafID(gathered.leaves.count)
            gathered.leafIndex[key] = number
            gathered.leaves.append(LeafSummary(key: key, events: 0, minimum: .max, maximum: .min))
            return number
        }
        var taken = 0
        unsafe gathered.leaves.withUnsafeMutableBufferPointer { leaves in
            for event in events {
                let leaf = numbers[event.leaf.index]
                let block = event.row.block.number
                unsafe leaves[leaf.index].events += 1
                unsafe leaves[leaf.index].minimum = unsafe min(
                    leaves[leaf.index].minimum, event.time)
                unsafe leaves[leaf.index].maximum = unsafe max(
                    leaves[leaf.index].maximum, event.time)
                while gathered.blocks.count <= block { gathered.blocks.append(BlockEvents()) }
                taken += gathered.blocks[block].append(event, leaf: leaf)
            }
        }
        count += events.count
        eventBytes += taken
        types[type] = gathered
    }

    var recordTypes: [RecordType] { Array(types.keys) }

    func leaves(of type: RecordType) -> [LeafSummary] { types[type]?.leaves ?? [] }

    func blocks(of type: RecordType) -> [(block: BlockIndex, events: Int)] {
        guard let blocks = types[type]?.blocks else { return [] }
        return blocks.enumerated().filter { $0.element.count > 0 }.map {
            (BlockIndex($0.offset), $0.element.count)
        }
    }

    func append(_ type: RecordType, block: BlockIndex, to events: inout [EventRecord]) {
        guard let blocks = types[type]?.blocks, block.number < blocks.count else { return }
        blocks[block.number].append(block: block, to: &events)
    }
}
