import Synchronization
import WinnowFormat
import WinnowModel

/// Passes over events of a batch that equal, in all that is known of them, one that the store has
/// or an earlier one of the batch.
///
/// Method: a hash table of the batch's events of one type and block. Of the store only leaves are
/// read that have the campaign, template and actor of such an event, and its time; so the cost is
/// that of what a batch touches, and of a nightly batch that of a night or a month.
package final class DistinctEvents: Sendable {
    private let dropped = Atomic<Int>(0)

    package init() {}

    /// How many events were passed over so far.
    package var duplicates: Int { dropped.load(ordering: .relaxed) }

    /// Takes events off that have been there before.
    /// - Parameter events: of one type and block, messages numbered as in the store; those from
    ///   `start` on are the batch's, the others are merged with it.
    /// - Parameter keys: of the events' leaves.
    /// - Parameter parts: those of the store that are not merged.
    func keepNew(
        _ events: inout [EventRecord], from start: Int, _ type: RecordType, _ block: BlockIndex,
        _ keys: [LeafKey], _ parts: ArraySlice<ActivityPart>
    ) throws(WinnowError) {
        guard start < events.count else { return }
        var table = EventTable(keys, events.count - start)
        for i in start..<events.count { table.insert(events[i], at: i - start) }
        for event in events[..<start] { table.drop(event) }
        for part in parts {
            guard let index = part.types[type] else { continue }
            let leaves = try part.leaves(of: index)
            let numbers = (0..<leaves.count).map { i in
                leaves.events[i] == 0
                    ? nil
                    : table.number(
                        of: leaves.key(LeafID(i)), between: leaves.minimum[i],
                        and: leaves.maximum[i])
            }
            guard numbers.contains(where: { $0 != nil }) else { continue }
            func number(of leaf: LeafID) -> Int? {
                leaf.index < numbers.count ? numbers[leaf.index] : nil
            }
            var stored: [EventRecord] = []
            try part.append(type, block: block, to: &stored) { number(of: $0) != nil }
            for event in stored where event.time >= part.horizon {
                if let number = number(of: event.leaf) { table.drop(event, key: number) }
            }
        }
        let isDropped = table.isDropped
        let count = isDropped.count(where: \.self)
        guard count > 0 else { return }
        dropped.add(count, ordering: .relaxed)
        var left = start
        for i in start..<events.count where !isDropped[i - start] {
            events[left] = events[i]
            left += 1
        }
        events.removeLast(events.count - left)
    }
}

/// The events of a batch, of one type and block, by all that is known of them.
private struct EventTable {
    private struct Entry {
        let event: EventRecord
        let key: Int
        var isDropped = false
    }

    private var entries: [Entry] = []
    /// One more than the place of an entry; 0 for a free slot.
    private var slots: [UInt32]
    private var places: [Int] = []
    /// What leaves have but for their months, by numbers of the table's own.
    private var numbers: [LeafKey: Int] = [:]
    private var ofLeaf: [Int] = []
    /// Per number between which times the batch has events.
    private var times: [ClosedRange<Int64>?] = []
    private(set) var isDropped: [Bool]

    init(_ keys: [LeafKey], _ count: Int) {
        var size = 64
        while size < 2 * count { size *= 2 }
        slots = Array(repeating: 0, count: size)
        isDropped = Array(repeating: false, count: count)
        for key in keys {
            let number = numbers[key.unsplit] ?? numbers.count
            numbers[key.unsplit] = number
            ofLeaf.append(number)
        }
        times = Array(repeating: nil, count: numbers.count)
    }

    /// The number of a leaf of the store whose events may equal one of the batch.
    func number(of key: LeafKey, between first: Int64, and last: Int64) -> Int? {
        guard let number = numbers[key.unsplit], let times = times[number],
            first <= times.upperBound, last >= times.lowerBound
        else { return nil }
        return number
    }

    mutating func insert(_ event: EventRecord, at place: Int) {
        let key = ofLeaf[event.leaf.index]
        let time = event.time...event.time
        times[key] =
            times[key].map {
                min($0.lowerBound, event.time)...max($0.upperBound, event.time)
            } ?? time
        let slot = slot(event, key)
        if slots[slot] > 0 {
            isDropped[place] = true
            return
        }
        entries.append(Entry(event: event, key: key))
        places.append(place)
        slots[slot] = UInt32(entries.count)
    }

    /// Drops the event of the batch that equals one with leaves as the batch has them.
    mutating func drop(_ event: EventRecord) { drop(event, key: ofLeaf[event.leaf.index]) }

    mutating func drop(_ event: EventRecord, key: Int) {
        let slot = slots[slot(event, key)]
        if slot > 0 { isDropped[places[Int(slot) - 1]] = true }
    }

    private func slot(_ event: EventRecord, _ key: Int) -> Int {
        var hash = UInt64(event.row.inBlock) << 48 ^ UInt64(event.message) << 16 ^ UInt64(key)
        hash = (hash ^ UInt64(bitPattern: event.time)) &* 0x9E37_79B9_7F4A_7C15
        hash = (hash ^ hash >> 29) &* 0xC2B2_AE3D_27D4_EB4F
        var slot = Int(truncatingIfNeeded: hash >> 20) & (slots.count - 1)
        while slots[slot] > 0 {
            let entry = entries[Int(slots[slot]) - 1]
            if entry.key == key, entry.event.row == event.row, entry.event.time == event.time,
                entry.event.count == event.count, entry.event.link == event.link,
                entry.event.message == event.message, entry.event.value == event.value
            {
                break
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }
}
