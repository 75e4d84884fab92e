import Foundation

/// A record of a subscription, as it is in the end.
struct OracleSubscription: Sendable {
    var profile: String
    var channel: String
    var resource: String
    var status: String
    var contact: String?
    var provider: String?
    var priority: Int64?
    /// Milliseconds since 1970 UTC.
    var time: Int64?
}

extension Oracle {
    /// The records of each row.
    static func subscriptions(
        of world: OracleWorld, rows: [String: Int]
    ) -> [Int: [OracleSubscription]] {
        var records: [Int: [OracleSubscription]] = [:]
        for record in world.subscriptions {
            if let row = rows[record.profile] { records[row, default: []].append(record) }
        }
        return records
    }

    func rows(subscription rule: OracleJSON, at moment: Moment) throws -> [Bool] {
        let operation = try rule.required("operator").word()
        if operation == "reachable" {
            try rule.allowOnly(["operator", "channel", "resource"])
            let channel = try rule.required("channel").word()
            let resources = try texts(rule["resource"])
            return ids.indices.map { row in
                isSubscribed(row)
                    && (subscriptions[row] ?? []).contains {
                        $0.channel == channel && $0.status == "subscribed"
                            && contains(resources, $0.resource)
                    }
            }
        }
        try rule.allowOnly([
            "operator", "times", "channel", "resource", "status", "provider", "contact", "during",
        ])
        let condition = try condition(operation, times: rule["times"])
        let channel = try rule["channel"]?.word()
        let resources = try texts(rule["resource"])
        let statuses = try texts(rule["status"])
        let providers = try texts(rule["provider"])
        let contacts = try texts(rule["contact"])
        let window = try rule["during"].map {
            try moment.calendar.window($0, asOf: moment.asOf)
        }
        return ids.indices.map { row in
            let matching = (subscriptions[row] ?? []).filter { record in
                (channel.map { record.channel == $0 } ?? true)
                    && contains(resources, record.resource) && contains(statuses, record.status)
                    && contains(providers, record.provider) && contains(contacts, record.contact)
                    && (window.map { window in record.time.map(window.contains) ?? false } ?? true)
            }
            return condition(Int64(matching.count))
        }
    }

    private func isSubscribed(_ row: Int) -> Bool { globalStatus[row] == "subscribed" }

    /// A string, or several, as bytes; nil where nothing is asked.
    func texts(_ value: OracleJSON?) throws -> Set<[UInt8]>? {
        guard let value else { return nil }
        if case .array(let elements) = value { return Set(try elements.map { try $0.bytes() }) }
        return [try value.bytes()]
    }

    /// Whether a text is one of those that are asked for.
    func contains(_ asked: Set<[UInt8]>?, _ text: String?) -> Bool {
        guard let asked else { return true }
        return text.map { asked.contains(Array($0.utf8)) } ?? false
    }
}
