import WinnowColumns
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

    fileprivate func id(_ column: EventColumn) throws(BadRow) -> UnsafeRawBufferPointer? {
        try unsafe self[column].optionalID(column.name)
    }
}

/// Rows of events.
struct EventRows: RecordRows {
    static let parts = PartKind.activity
    static let namespaces: (campaign: Namespace, template: Namespace, link: Namespace?) =
        (.campaign, .template, .link)
    /// The last time that can be.
    let latest: Int64
    /// Whether unique events are loaded themselves.
    let loadsUnique: Bool

    var columns: [InputColumn] { EventColumn.allCases.map(\.column) }
    var alternatives: [String] { RowTime.names }

    func row(_ cells: borrowing [InputCell], _ rules: ValueRules) throws(BadRow) -> RecordRow {
        let type = try type(cells)
        var row = unsafe RecordRow(
            .event(type), profile: try cells[.profile].id(EventColumn.profile.name))
        row.time = try RowTime.past(cells[.time], cells[.timeMs], rules, latest: latest)
        row.count = try count(cells[.count])
        let machine = cells[.machine]
        // People did it where nothing is said.
        if machine.isPresent, try machine.boolean(EventColumn.machine.name) { row.variant = 1 }
        unsafe row.campaign = try cells.id(.campaign)
        unsafe row.template = try cells.id(.template)
        unsafe row.link = try cells.id(.link)
        unsafe row.message = try cells.id(.message)
        return row
    }

    static let channels = NameTable(Channel.allCases.map { ($0.name, $0) })
    static let events = NameTable(Event.allCases.map { ($0.name, $0) })

    /// Whether an event of a channel can be loaded.
    func loads(_ event: Event, of channel: Channel) -> Bool {
        channel.has(event) && (event.derivedFrom == nil || loadsUnique)
    }

    private func type(_ cells: borrowing [InputCell]) throws(BadRow) -> EventType {
        let channelName = try unsafe cells[.channel].text(EventColumn.channel.name)
        let eventName = try unsafe cells[.event].text(EventColumn.event.name)
        guard let channel = unsafe EventRows.channels.value(of: channelName) else {
            throw unsafe .unknownChannel(channelName)
        }
        guard let event = unsafe EventRows.events.value(of: eventName), channel.has(event) else {
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

    private func count(_ cell: InputCell) throws(BadRow) -> UInt32 {
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
