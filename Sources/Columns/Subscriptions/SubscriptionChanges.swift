import Synchronization
import WinnowBitmaps
import WinnowModel

/// What a batch says of subscriptions, laid over the records that the store has: the source of a
/// part that takes the place of the store's newest ones. Of every row that the batch speaks of it
/// gives all records, so that older parts need not be looked at any more.
package final class SubscriptionChanges: EventSource {
    /// What becomes of a record that is there already.
    package enum Choice: UInt32, Sendable {
        /// The row takes its place.
        case replace = 1
        /// It stays.
        case keep
        /// The row takes its place when its time is later; one without a time is older than all.
        case newer
    }

    /// How many records a batch added and replaced, and how many rows changed nothing.
    package struct Tally: Sendable {
        package var new = 0
        package var updated = 0
        package var skipped = 0

        package init() {}
    }

    /// The batch's rows in their order, as events: `count` is the choice, `message` the row's
    /// number.
    private let runs: [any EventSource]
    private let parts: [ActivityPart]
    private let merged: Int
    private let erased: ErasedRows?
    private let leaves: Leaves
    private let counted = Mutex(Tally())

    /// - Parameter parts: all of the store, oldest first.
    /// - Parameter merged: how many of the newest ones the new part stands for.
    /// - Parameter erased: profiles that are left out; nil keeps all.
    package init(
        _ runs: [any EventSource], onto parts: [ActivityPart], merging merged: Int,
        without erased: ErasedRows?
    ) throws(WinnowError) {
        self.runs = runs
        self.parts = parts
        self.merged = merged
        self.erased = erased
        var leaves = Leaves()
        for run in runs { leaves.ofRuns.append(leaves.enter(try run.leaves(of: .subscription))) }
        for part in parts {
            leaves.ofParts.append(leaves.enter(try part.leaves(of: .subscription)))
        }
        self.leaves = leaves
    }

    /// The leaves of the batch and of the store, by numbers of their own.
    private struct Leaves {
        private(set) var summaries: [LeafSummary] = []
        private var numbers: [LeafKey: LeafID] = [:]
        /// Per run, and per part, what its leaves are here.
        var ofRuns: [[LeafID]] = []
        var ofParts: [[LeafID]] = []

        mutating func enter(_ leaves: [LeafSummary]) -> [LeafID] {
            leaves.map { leaf in
                guard let number = numbers[leaf.key] else {
                    let number = LeafID(summaries.count)
                    numbers[leaf.key] = number
                    summaries.append(leaf)
                    return number
                }
                var summary = summaries[number.index]
                summary.events += leaf.events
                summary.minimum = min(summary.minimum, leaf.minimum)
                summary.maximum = max(summary.maximum, leaf.maximum)
                summaries[number.index] = summary
                return number
            }
        }
    }

    /// What the batch came to, once all blocks were asked for.
    package var tally: Tally { counted.withLock { $0 } }

    package var recordTypes: [RecordType] { leaves.summaries.isEmpty ? [] : [.subscription] }

    package func leaves(of type: RecordType) -> [LeafSummary] { leaves.summaries }

    package func blocks(
        of type: RecordType
    ) throws(WinnowError) -> [(block: BlockIndex, events: Int)] {
        var events: [BlockIndex: Int] = [:]
        var all: [[(block: BlockIndex, events: Int)]] = []
        for run in runs { all.append(try run.blocks(of: .subscription)) }
        for part in parts.suffix(merged) { all.append(try part.blocks(of: .subscription)) }
        for (block, count) in all.joined() { events[block, default: 0] += count }
        return events.map { ($0.key, $0.value) }
    }

    package func append(
        _ type: RecordType, block: BlockIndex, to records: inout [EventRecord]
    ) throws(WinnowError) {
        let changes = try changes(of: block)
        let changed = BlockSet.allocate()
        defer { changed.deallocate() }
        changed.clear()
        for change in changes { changed.insert(Int(change.row.inBlock)) }
        var stored: [EventRecord] = []
        try read(block, changed, &stored, others: &records)
        settle(stored, changes, into: &records)
    }

    /// The rows of the batch, those of a profile together, in their order.
    private func changes(of block: BlockIndex) throws(WinnowError) -> [EventRecord] {
        var changes: [EventRecord] = []
        for (number, run) in runs.enumerated() {
            let start = changes.count
            try run.append(.subscription, block: block, to: &changes)
            for i in start..<changes.count {
                changes[i].leaf = try leaf(changes[i].leaf, leaves.ofRuns[number])
            }
            changes[start...].sort { ($0.row, $0.message) < ($1.row, $1.message) }
        }
        // Later runs have later rows, and their numbers begin anew.
        return changes.enumerated().sorted {
            ($0.element.row, $0.offset) < ($1.element.row, $1.offset)
        }.map(\.element)
    }

    /// Reads the records of the profiles that the batch speaks of, and of all others those that the
    /// new part is to have.
    private func read(
        _ block: BlockIndex, _ changed: BlockSet, _ stored: inout [EventRecord],
        others: inout [EventRecord]
    ) throws(WinnowError) {
        let isAlone = changed.isEmpty
        let firstMerged = parts.count - merged
        try SubscriptionRecords(isAlone ? Array(parts.suffix(merged)) : parts).forEach(in: block) {
            (number, records) throws(WinnowError) in
            let number = isAlone ? number + firstMerged : number
            for var record in records where erased?.contains(record.row) != true {
                let isChanged = changed.contains(Int(record.row.inBlock))
                guard isChanged || number >= firstMerged else { continue }
                record.leaf = try leaf(record.leaf, leaves.ofParts[number])
                if isChanged { stored.append(record) } else { others.append(record) }
            }
        }
        stored.sort { $0.row < $1.row }
    }

    private func leaf(_ leaf: LeafID, _ numbers: [LeafID]) throws(WinnowError) -> LeafID {
        guard leaf.index < numbers.count else {
            throw .damaged(file: "subscriptions", what: "a record of a leaf that is not there")
        }
        return numbers[leaf.index]
    }

    /// What tells records of a profile apart.
    private struct Identity: Hashable {
        let channel: UInt32
        let resource: NameCode
        let contact: NameCode
    }

    private func identity(_ record: EventRecord) -> Identity {
        let key = leaves.summaries[record.leaf.index].key
        return Identity(channel: key.variant >> 8, resource: key.resource, contact: record.link)
    }

    /// Lays changes over the records of the same profiles; both ascend by row.
    private func settle(
        _ stored: [EventRecord], _ changes: [EventRecord], into records: inout [EventRecord]
    ) {
        var tally = Tally()
        var next = 0
        var first = 0
        while first < changes.count {
            let row = changes[first].row
            var end = first + 1
            while end < changes.count, changes[end].row == row { end += 1 }
            while next < stored.count, stored[next].row < row { next += 1 }
            let start = next
            while next < stored.count, stored[next].row == row { next += 1 }
            records += settle(Array(stored[start..<next]), changes[first..<end], &tally)
            first = end
        }
        counted.withLock {
            $0.new += tally.new
            $0.updated += tally.updated
            $0.skipped += tally.skipped
        }
    }

    /// The same for one profile.
    private func settle(
        _ stored: [EventRecord], _ changes: ArraySlice<EventRecord>, _ tally: inout Tally
    ) -> [EventRecord] {
        var records = stored
        var places: [Identity: Int] = [:]
        for (place, record) in records.enumerated() { places[identity(record)] = place }
        var replaced: Set<Int> = []
        for change in changes {
            let choice = Choice(rawValue: change.count) ?? .replace
            var record = change
            record.count = 1
            record.message = 0
            let identity = identity(record)
            guard let place = places[identity] else {
                places[identity] = records.count
                records.append(record)
                tally.new += 1
                continue
            }
            guard takes(choice, record, over: records[place]) else {
                tally.skipped += 1
                continue
            }
            records[place] = record
            if place < stored.count { replaced.insert(place) }
        }
        tally.updated += replaced.count
        return records
    }

    private func takes(_ choice: Choice, _ record: EventRecord, over other: EventRecord) -> Bool {
        func time(_ record: EventRecord) -> Int64? {
            leaves.summaries[record.leaf.index].key.isTimed ? record.time : nil
        }
        switch choice {
        case .replace: return true
        case .keep: return false
        case .newer: return time(record).map { $0 > time(other) ?? .min } ?? false
        }
    }

    package func localMessages(_ block: BlockIndex) -> LocalMessages? { nil }
    package func messages(_ block: BlockIndex) -> MessageBlock? { nil }
}
