import WinnowColumns
import WinnowFormat
import WinnowModel

/// Rows of subscriptions.
struct SubscriptionRows: RecordRows {
    static let parts = PartKind.subscriptions
    static let namespaces: (campaign: Namespace, template: Namespace, link: Namespace?) =
        (.resource, .provider, .contact)
    /// What becomes of records that are there.
    let choice: SubscriptionChanges.Choice

    private enum Column: Int {
        case profile, channel, resource, status, contact, provider, priority, time, timeMs
    }

    var columns: [InputColumn] {
        [
            InputColumn("profile", .id, isRequired: true),
            InputColumn("channel", .other, isRequired: true),
            InputColumn("resource", .id, isRequired: true),
            InputColumn("status", .other, isRequired: true), InputColumn("contact", .id),
            InputColumn("provider", .id), InputColumn("priority", .other),
            InputColumn("time", .other), InputColumn("time_ms", .other),
        ]
    }
    var alternatives: [String] { [] }

    private static let channels = NameTable(Channel.allCases.map { ($0.name, $0) })
    private static let statuses = NameTable(SubscriptionStatus.allCases.map { ($0.name, $0) })
    private static let longestContact = 4096

    func row(_ cells: borrowing [InputCell], _ rules: ValueRules) throws(BadRow) -> RecordRow {
        func cell(_ column: Column) -> InputCell { cells[column.rawValue] }
        var row = unsafe RecordRow(.subscription, profile: try cell(.profile).id("profile"))
        let channelName = try unsafe cell(.channel).text("channel")
        guard let channel = unsafe SubscriptionRows.channels.value(of: channelName) else {
            throw unsafe .unknownChannel(channelName)
        }
        unsafe row.campaign = try cell(.resource).id("resource")
        let statusName = try unsafe cell(.status).text("status")
        guard let status = unsafe SubscriptionRows.statuses.value(of: statusName) else {
            throw cell(.status).bad("status", Schema.statuses.joined(separator: ", "))
        }
        unsafe row.link = try cell(.contact).contact(upTo: SubscriptionRows.longestContact)
        unsafe row.template = try cell(.provider).optionalID("provider")
        if cell(.priority).isPresent { row.value = try cell(.priority).integer("priority") }
        let time = try RowTime(cell(.time), cell(.timeMs), rules)
        if let time, !Instant.possibleMilliseconds.contains(time.value) {
            throw BadRow(
                column: time.column, code: .timeRange,
                reason: "the time is not in the years 0001 to 9999")
        }
        row.time = time?.value ?? 0
        row.variant =
            LeafKey(
                resource: .none, provider: .none, channel, status, isTimed: time != nil
            ).variant
        row.count = choice.rawValue
        return row
    }
}

extension InputCell {
    /// An address or token; the empty one is none.
    fileprivate func contact(upTo longest: Int) throws(BadRow) -> UnsafeRawBufferPointer? {
        guard isPresent, unsafe !bytes.isEmpty else { return nil }
        return try unsafe id("contact", upTo: longest)
    }
}
