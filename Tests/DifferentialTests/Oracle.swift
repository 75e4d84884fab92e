import Foundation

struct OracleEvent: Sendable {
    var profile: String
    var channel: String
    var event: String
    /// Milliseconds since 1970 UTC.
    var time: Int64
    var campaign: String?
    var template: String?
    var link: String?
    var message: String?
    var count: Int64
    /// Whether software did it.
    var machine = false
}

enum OracleValue: Sendable {
    case string(String)
    case integer(Int64)
    /// Canonical digits, `-12.5`.
    case decimal(String)
    case boolean(Bool)
    /// `YYYY-MM-DD`
    case date(String)
    /// Milliseconds since 1970 UTC.
    case datetime(Int64)
    case set([String])
}

struct OracleProfile: Sendable {
    var id: String
    /// Also what every schema has: `email`, `phone`, `appmetrica_device_id`, `global_status`.
    var fields: [String: OracleValue]
}

/// A loaded campaign or template.
struct OracleObject: Sendable {
    var id: String
    var tags: [String]
    var attributes: [String: String]
}

struct OracleWorld: Sendable {
    /// The schema, without `id`, `email` and `phone`.
    var fields: [(name: String, type: String, scale: Int)]
    var profiles: [OracleProfile]
    var events: [OracleEvent]
    var campaigns: [OracleObject]
    var templates: [OracleObject]
    var subscriptions: [OracleSubscription] = []
    var goals: [OracleGoal] = []
}

/// Answers rules the slow and obvious way, from the raw events, to check faster answers against.
///
/// Every node of a rule becomes one truth value per profile. Nothing is shared with the engine: it
/// has its own JSON, its own calendar and its own hash. It expects valid rules; one it cannot read
/// is thrown back, but it does not look for every mistake a rule can have. Strings are compared as
/// bytes, because `String` compares by canonical equivalence.
struct Oracle: Sendable {
    let ids: [String]
    let names: Names
    /// The events of each row, by channel and event.
    let activity: [Pair: [Int: [Activity]]]
    let campaigns: [CatalogueObject]
    let templates: [CatalogueObject]
    /// The records and goals of each row.
    let subscriptions: [Int: [OracleSubscription]]
    let goals: [Int: [OracleGoal]]
    /// Of each row.
    let globalStatus: [String]
    /// One value per row, by field name.
    let columns: [[UInt8]: Column]

    /// Saved segments by their names.
    var segments: [String: OracleSegment] = [:]

    /// What was wrong with the world, thrown when a rule is asked.
    private let defect: OracleFailure?

    init(world: OracleWorld) {
        var names = Names()
        ids = world.profiles.map(\.id)
        let rows = Dictionary(
            ids.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        activity = Self.activity(of: world.events, rows: rows, names: &names)
        subscriptions = Self.subscriptions(of: world, rows: rows)
        goals = Self.goals(of: world, rows: rows)
        globalStatus = world.profiles.map { profile in
            if case .string(let status)? = profile.fields["global_status"] { return status }
            return "subscribed"
        }
        campaigns = world.campaigns.map { CatalogueObject($0, names: &names) }
        templates = world.templates.map { CatalogueObject($0, names: &names) }
        self.names = names
        do {
            columns = try Self.columns(of: world)
            defect = nil
        } catch {
            columns = [:]
            defect = error
        }
    }

    /// The ids of the profiles that match a rule.
    func matching(rule: String, asOf: Int64, timezone: String) throws -> Set<String> {
        if let defect { throw defect }
        var node = try OracleJSON(parsing: rule)
        var zone = timezone
        if let inner = node["where"] {
            try node.allowOnly(["name", "timezone", "where"])
            zone = try node["timezone"]?.word() ?? timezone
            node = inner
        }
        return try matching(node, asOf: asOf, zone: zone, usualZone: timezone)
    }

    /// The same of a node, in its own zone.
    func matching(
        _ node: OracleJSON, asOf: Int64, zone: String, usualZone: String
    ) throws -> Set<String> {
        let moment = Moment(
            asOf: asOf, calendar: try OracleCalendar(zone: zone), usualZone: usualZone)
        return Set(zip(ids, try evaluate(node, at: moment)).filter(\.1).map(\.0))
    }

    private func evaluate(_ node: OracleJSON, at moment: Moment) throws -> [Bool] {
        guard let only = try node.members().first, try node.members().count == 1 else {
            throw OracleFailure(description: "a node has one key: \(node)")
        }
        switch String(decoding: only.key, as: UTF8.self) {
        case "all":
            let parts = try only.value.elements().map { try evaluate($0, at: moment) }
            return ids.indices.map { row in parts.allSatisfy { $0[row] } }
        case "any":
            let parts = try only.value.elements().map { try evaluate($0, at: moment) }
            return ids.indices.map { row in parts.contains { $0[row] } }
        case "not": return try evaluate(only.value, at: moment).map { !$0 }
        case "activity": return try rows(activity: only.value, at: moment)
        case "field": return try rows(field: only.value, at: moment)
        case "sample": return try rows(sample: only.value)
        case "subscription": return try rows(subscription: only.value, at: moment)
        case "goal": return try rows(goal: only.value, at: moment)
        case "segment": return try rows(segment: only.value, at: moment)
        default: throw OracleFailure(description: "an unknown node: \(node)")
        }
    }
}

extension Oracle {
    /// When and where a rule is evaluated.
    struct Moment {
        var asOf: Int64
        var calendar: OracleCalendar
        /// Of saved segments that name none.
        var usualZone: String
    }

    /// Numbers for the ids of campaigns, templates, links and messages: equal numbers mean equal
    /// bytes.
    struct Names: Sendable {
        /// The number of "no campaign", "no template", "no link" and "no message".
        static let none = -1
        /// The number of every id that is neither loaded nor seen in an event.
        static let unknown = -2

        private var numbers: [[UInt8]: Int] = [:]
        private var bytes: [[UInt8]] = []

        mutating func add(_ name: String?) -> Int {
            guard let name = name.map({ Array($0.utf8) }) else { return Self.none }
            if let number = numbers[name] { return number }
            numbers[name] = bytes.count
            bytes.append(name)
            return bytes.count - 1
        }

        func number(of name: [UInt8]) -> Int {
            numbers[name] ?? Self.unknown
        }

        /// Bytewise order, none first.
        func precedes(_ left: Int, _ right: Int) -> Bool {
            if left == Self.none || right == Self.none {
                return left == Self.none && right != Self.none
            }
            return bytes[left].lexicographicallyPrecedes(bytes[right])
        }
    }

    struct Pair: Hashable, Sendable {
        var channel: String
        var event: String
    }

    /// An event with numbers in place of its ids.
    struct Activity: Sendable {
        var time: Int64
        var campaign: Int
        var template: Int
        var link: Int
        var message: Int
        var count: Int64
        var machine: Bool
    }

    struct CatalogueObject: Sendable {
        var number: Int
        var tags: Set<[UInt8]>
        var attributes: [[UInt8]: [UInt8]]

        init(_ object: OracleObject, names: inout Names) {
            number = names.add(object.id)
            tags = Set(object.tags.map { Array($0.utf8) })
            attributes = [:]
            for (key, value) in object.attributes {
                attributes[Array(key.utf8)] = Array(value.utf8)
            }
        }
    }

    private static func activity(
        of events: [OracleEvent], rows: [String: Int], names: inout Names
    ) -> [Pair: [Int: [Activity]]] {
        var activity: [Pair: [Int: [Activity]]] = [:]
        for event in events {
            guard let row = rows[event.profile] else { continue }
            let entry = Activity(
                time: event.time, campaign: names.add(event.campaign),
                template: names.add(event.template),
                link: names.add(event.link), message: names.add(event.message), count: event.count,
                machine: event.machine)
            let pair = Pair(channel: event.channel, event: event.event)
            activity[pair, default: [:]][row, default: []].append(entry)
        }
        return activity
    }
}
