import Bitmaps
import Columns
import Format
import Model
import Synchronization

/// Conditions that tell events apart by their message: unique events, and pairs of events of one message.
///
/// Method: the events of a block are gathered one by one and joined in memory. That is exact and simple; it costs tens
/// of nanoseconds an event of the whole type, where counting costs less than one of the events in scope.
package struct MessagePlan: Sendable {
    package enum Test: Sendable {
        /// The row's events number so many.
        case counts(lower: UInt64, upper: UInt64?)
        /// Some message has at least so many of the other events and none of these.
        case absentWith(EventSupply, atLeast: UInt64)
    }

    let supply: EventSupply
    let filter: EventFilter
    let test: Test
}

/// Which of a supply's events are meant.
struct EventFilter: Sendable {
    /// Codes plus one; nil for all.
    let campaigns: Set<UInt32>?
    let templates: Set<UInt32>?
    let window: ClosedRange<Int64>

    func contains(_ event: SuppliedEvent) -> Bool {
        window.contains(event.time) && (campaigns?.contains(event.campaign) ?? true)
            && (templates?.contains(event.template) ?? true)
    }
}

/// An event with the codes plus one of its names, zero for none.
struct SuppliedEvent {
    var row: UInt16
    var campaign, template, link, message: UInt32
    var time: Int64
    var weight: UInt32
}

/// Whether evaluation met something that the rule's author should know.
package final class Flag: Sendable {
    private let raised = Atomic(false)
    package init() {}
    package var isRaised: Bool { raised.load(ordering: .relaxed) }
    func raise() { raised.store(true, ordering: .relaxed) }
}

/// Gathers the events of one type, stored or derived, block by block.
package struct EventSupply: Sendable {
    /// The stored type.
    let type: EventType
    /// The derived event that is wanted; nil for the stored ones themselves.
    let unique: Event?
    let links: Set<UInt32>?
    let parts: [ActivityPart]
    /// To order names by their bytes: campaigns, templates, links.
    let names: [StringTables]
    /// Raised by unique events without a message id.
    let approximate: Flag

    func events(_ block: Int) throws(WinnowError) -> [SuppliedEvent] {
        var result: [SuppliedEvent] = [], records: [EventRecord] = []
        for part in parts {
            guard let index = part.types[type] else { continue }
            let table = try part.leaves(of: index)
            records.removeAll(keepingCapacity: true)
            try part.append(type, block: block, to: &records)
            for record in records where links?.contains(record.link) ?? true {
                let leaf = Int(record.leaf)
                guard leaf < table.count else {
                    throw .damaged(file: part.file.path, what: "an event of a leaf that is not there")
                }
                let key = table.key(leaf)
                result.append(
                    SuppliedEvent(
                        row: UInt16(truncatingIfNeeded: record.row), campaign: key.campaign, template: key.template,
                        link: record.link, message: record.message, time: record.time, weight: record.count))
            }
        }
        return unique.map { derive($0, from: result) } ?? result
    }

    /// What makes two events the same: the message, or campaign and template where there is none.
    private struct Identity: Hashable {
        var row: UInt16
        var message, campaign, template, link: UInt32
    }

    /// The earliest event of each identity, once.
    private func derive(_ unique: Event, from events: [SuppliedEvent]) -> [SuppliedEvent] {
        var earliest: [Identity: SuppliedEvent] = [:]
        for event in events {
            if event.message == 0 { approximate.raise() }
            let identity = Identity(
                row: event.row, message: event.message, campaign: event.message == 0 ? event.campaign : 0,
                template: event.message == 0 ? event.template : 0, link: unique == .uniqueLinkClicked ? event.link : 0)
            if let other = earliest[identity], !comes(event, before: other) { continue }
            earliest[identity] = event
        }
        return earliest.values.map { event in
            var once = event
            once.weight = 1
            return once
        }
    }

    /// By time, then by the bytes of campaign, template and link, none first.
    private func comes(_ a: SuppliedEvent, before b: SuppliedEvent) -> Bool {
        if a.time != b.time { return a.time < b.time }
        let pairs = [(a.campaign, b.campaign), (a.template, b.template), (a.link, b.link)]
        for ((x, y), table) in zip(pairs, names) where x != y {
            guard x > 0, y > 0, let first = table.bytes(x - 1), let second = table.bytes(y - 1) else { return x == 0 }
            return first.lexicographicallyPrecedes(second)
        }
        return false
    }
}

extension MessagePlan {
    /// Makes `out` the rows of the block that match.
    func evaluate(_ block: Int, into out: BlockSet) throws(WinnowError) {
        out.clear()
        switch test {
        case .counts(let lower, let upper):
            var sums: [UInt16: UInt64] = [:]
            for event in try supply.events(block) where filter.contains(event) {
                sums[event.row, default: 0] += UInt64(event.weight)
            }
            for (row, sum) in sums where sum >= lower && sum <= upper ?? .max { out.insert(Int(row)) }
        case .absentWith(let other, let atLeast):
            var present: Set<Message> = [], sums: [Message: UInt64] = [:]
            for event in try supply.events(block) where event.message > 0 && filter.contains(event) {
                present.insert(Message(row: event.row, code: event.message))
            }
            for event in try other.events(block) where event.message > 0 && filter.contains(event) {
                sums[Message(row: event.row, code: event.message), default: 0] += UInt64(event.weight)
            }
            for (message, sum) in sums where sum >= atLeast && !present.contains(message) {
                out.insert(Int(message.row))
            }
        }
    }

    private struct Message: Hashable {
        var row: UInt16
        var code: UInt32
    }
}
