import WinnowFormat
import WinnowModel

/// The columns of events.
enum EventColumn: Int, CaseIterable {
    case profile, channel, event, time, timeMs, campaign, template, link, message, count, machine

    private static let names = [
        "profile", "channel", "event", "time", "time_ms", "campaign", "template", "link",
        "message", "count", "machine",
    ]
    var name: String { EventColumn.names[rawValue] }

    var column: InputColumn {
        switch self {
        case .profile: InputColumn(name, .id, isRequired: true)
        case .channel, .event: InputColumn(name, .other, isRequired: true)
        case .campaign, .template, .link, .message: InputColumn(name, .id)
        case .time, .timeMs, .count, .machine: InputColumn(name, .other)
        }
    }
}

extension [InputCell] {
    fileprivate subscript(column: EventColumn) -> InputCell { self[column.rawValue] }

    /// An optional id.
    fileprivate func id(_ column: EventColumn) throws(BadRow) -> UnsafeRawBufferPointer? {
        let cell = self[column]
        return unsafe cell.isPresent ? try cell.id(column.name) : nil
    }
}

/// One row of events, read and checked; ids are still in the input's bytes.
@safe struct EventRow {
    let type: EventType
    let profile: UnsafeRawBufferPointer
    let time: Int64
    let count: UInt32
    /// Whether software did it; people did where nothing is said.
    let machine: Bool
    let campaign, template, link, message: UnsafeRawBufferPointer?

    /// - Parameter latest: the last time that can be.
    /// - Parameter loadsUnique: whether unique events are loaded themselves.
    init(
        _ cells: borrowing [InputCell], _ rules: ValueRules, latest: Int64, loadsUnique: Bool
    ) throws(BadRow) {
        type = try EventRow.type(cells, loadsUnique: loadsUnique)
        unsafe profile = try cells[.profile].id(EventColumn.profile.name)
        time = try EventRow.time(cells, rules, latest: latest)
        count = try EventRow.count(cells[.count])
        let machine = cells[.machine]
        self.machine = machine.isPresent ? try machine.boolean(EventColumn.machine.name) : false
        unsafe campaign = try cells.id(.campaign)
        unsafe template = try cells.id(.template)
        unsafe link = try cells.id(.link)
        unsafe message = try cells.id(.message)
    }

    private static let channels = NameTable(Channel.allCases.map { ($0.name, $0) })
    private static let events = NameTable(Event.allCases.map { ($0.name, $0) })

    private static func type(
        _ cells: borrowing [InputCell], loadsUnique: Bool
    ) throws(BadRow) -> EventType {
        let channelName = try unsafe cells[.channel].text(EventColumn.channel.name)
        let eventName = try unsafe cells[.event].text(EventColumn.event.name)
        guard let channel = unsafe channels.value(of: channelName) else {
            throw unsafe .unknownChannel(channelName)
        }
        guard let event = unsafe events.value(of: eventName), channel.has(event) else {
            let name = unsafe String(decoding: eventName.prefix(60), as: UTF8.self)
            let legal = channel.events.filter { loadsUnique || $0.derivedFrom == nil }
                .map(\.name).joined(separator: ", ")
            throw BadRow(
                column: "event", code: .unknownEvent,
                reason: "\(channel.name) has no event “\(name)”; its events are \(legal)")
        }
        guard event.derivedFrom == nil || loadsUnique else {
            throw BadRow(
                column: "event", code: .derivedEvent,
                reason: "“\(event.name)” is derived in this store and cannot be loaded")
        }
        return EventType(channel, event)
    }

    private static func time(
        _ cells: borrowing [InputCell], _ rules: ValueRules, latest: Int64
    ) throws(BadRow) -> Int64 {
        let time = cells[.time]
        let milliseconds = cells[.timeMs]
        guard time.isPresent != milliseconds.isPresent else {
            throw BadRow(
                column: "time", code: time.isPresent ? .twoTimes : .missingTime,
                reason: "exactly one of time and time_ms is needed")
        }
        let column: EventColumn = time.isPresent ? .time : .timeMs
        let value =
            time.isPresent
            ? try time.time(column.name, rules) : try milliseconds.integer(column.name)
        guard value >= LoadLimits.firstEvent else {
            throw BadRow(
                column: column.name, code: .timeRange, reason: "the time is before 2000")
        }
        guard value <= latest else {
            let isMilliseconds =
                column == .time && (LoadLimits.firstEvent...latest).contains(value / 1000)
            throw BadRow(
                column: column.name, code: .timeRange,
                reason: isMilliseconds
                    ? "the time is more than a day ahead; milliseconds are in a column time_ms"
                    : "the time is more than a day ahead")
        }
        return value
    }

    private static func count(_ cell: InputCell) throws(BadRow) -> UInt32 {
        guard cell.isPresent else { return 1 }
        let value = try cell.integer(EventColumn.count.name)
        guard (1...Int64(Int32.max)).contains(value) else {
            throw BadRow(
                column: "count", code: .badValue, reason: "count is between 1 and 2147483647")
        }
        return UInt32(value)
    }
}

extension BadRow {
    static func unknownChannel(_ name: UnsafeRawBufferPointer) -> BadRow {
        let shown = unsafe String(decoding: name.prefix(60), as: UTF8.self)
        return BadRow(
            column: "channel", code: .unknownChannel,
            reason: "unknown channel “\(shown)”; the channels are "
                + Channel.allCases.map(\.name).joined(separator: ", "))
    }
}

/// A few names, looked up by their bytes.
struct NameTable<Value: Sendable>: Sendable {
    private let entries: [(name: [UInt8], value: Value)]

    init(_ entries: [(String, Value)]) { self.entries = entries.map { (Array($0.0.utf8), $0.1) } }

    func value(of name: UnsafeRawBufferPointer) -> Value? {
        for entry in entries where entry.name.count == name.count {
            if unsafe name.elementsEqual(entry.name) { return entry.value }
        }
        return nil
    }
}
