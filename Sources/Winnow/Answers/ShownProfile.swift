import WinnowBitmaps
import WinnowColumns
import WinnowFormat
import WinnowJSON
import WinnowModel
import WinnowQuery
import WinnowRules
import WinnowStorage

/// Which records of profiles are shown.
public struct ShowOptions: Sendable {
    /// Where somebody is looked for; nil for everywhere, one place after the other.
    public var place: ProfileSearchPlace?
    /// The most profiles, those with the first rows.
    public var limit = 20
    /// The most of each list, the newest; nil for all.
    public var events: Int? = 20
    /// Only events of this channel; nil for all.
    public var channel: Channel?
    /// Only this event; nil for all.
    public var event: Event?
    /// Only events and goals from this instant on; nil for no beginning.
    public var since: Instant?
    /// Only events and goals before this instant; nil for no end.
    public var until: Instant?

    /// Twenty profiles with the newest twenty of each list.
    public init() {}
}

/// A field of a profile that has a value.
public struct ShownField: Sendable {
    /// The field's name.
    public var name: String
    /// The value as JSON.
    public var json: String
    /// The value for people.
    public var text: String
}

/// All that a store has of a profile.
public struct ShownProfile: Sendable {
    /// The external id.
    public var id: String
    /// The profile's number in the store.
    public var row: UInt32
    /// The fields that have a value, in the order of the schema; the built-in status aside.
    public var fields: [ShownField]
    /// The status of all subscriptions together.
    public var globalStatus: String
    /// By channel, resource and contact.
    public var subscriptions: [ProfileSubscription]
    /// Newest first.
    public var goals: [ProfileGoal]
    /// How many goals there are that were asked for.
    public var goalsTotal: Int
    /// Newest first; unique events that the store derives are left out.
    public var activity: [ProfileEvent]
    /// How many events there are that were asked for.
    public var activityTotal: Int
}

/// Profiles that were found.
public struct ShownProfiles: Sendable {
    /// The first of them, by row.
    public var profiles: [ShownProfile]
    /// How many there are.
    public var count: Int
}

extension Snapshot {
    /// Shows the profiles that somebody may mean: by an id; else by `FIELD:VALUE`; else by an e-mail
    /// address or phone number of profiles, compared as feeds do; else by a contact of
    /// subscriptions. `VALUE*` finds texts that begin so.
    /// - Throws: `notFound` when there is nobody; `usage` for a value that the field cannot have.
    /// - Complexity: O(1) for an id, O(profiles) else; and O(runs of each profile's block).
    public func show(
        _ what: String, _ show: ShowOptions = ShowOptions(),
        _ options: EvaluationOptions = EvaluationOptions()
    ) throws(WinnowError) -> ShownProfiles {
        guard show.limit >= 0, show.events ?? 0 >= 0 else {
            throw .usage("what is shown is at least 0")
        }
        let rows = try search(what, in: show.place, options)
        guard rows.count > 0 else { throw .notFound(what: "profile", path: what) }
        var shown: [ShownProfile] = []
        for row in rows.first(show.limit) { shown.append(try profile(row, show)) }
        return ShownProfiles(profiles: shown, count: rows.count)
    }

    private func profile(_ row: Row, _ show: ShowOptions) throws(WinnowError) -> ShownProfile {
        let rows = BlockSet.allocate()
        defer { rows.deallocate() }
        rows.clear()
        rows.insert(Int(row.inBlock))
        var fields: [ShownField] = []
        var status = Schema.usualStatus
        for (i, field) in schema.fields.enumerated() {
            let column = try FieldColumn(try snapshot.profiles(), field)
            guard let value = try column.value(of: row, rows) else { continue }
            if i == schema.globalStatus {
                if case .text(let text) = value { status = String(decoding: text, as: UTF8.self) }
            } else {
                fields.append(
                    ShownField(name: field.name, json: field.json(value), text: field.text(value)))
            }
        }
        func isAsked(_ time: Instant) -> Bool {
            show.since.map { time >= $0 } ?? true && show.until.map { time < $0 } ?? true
        }
        let records = ProfileRecords(snapshot, row)
        let types = Channel.allCases.flatMap { channel in
            channel.events.filter {
                show.channel ?? channel == channel && show.event ?? $0 == $0
                    && (schema.uniqueEvents == .stored || $0.derivedFrom == nil)
            }.map { EventType(channel, $0) }
        }
        let events = try records.events(types).filter { isAsked($0.time) }
        let goals = try records.goals().filter { isAsked($0.time) }
        return ShownProfile(
            id: try snapshot.fewKeys().text(row.rawValue), row: row.rawValue, fields: fields,
            globalStatus: status,
            subscriptions: try records.subscriptions(),
            goals: Array(goals.prefix(show.events ?? .max)), goalsTotal: goals.count,
            activity: Array(events.prefix(show.events ?? .max)), activityTotal: events.count)
    }
}

extension FieldColumn {
    /// The value of one row; nil when it has none.
    /// - Parameter rows: that row alone.
    func value(of row: Row, _ rows: BlockSet) throws(WinnowError) -> FieldValue? {
        var found: FieldValue?
        let nature = field.type.nature
        try forEachPart(in: row.block, of: rows) { (values, own) throws(WinnowError) in
            switch nature {
            case .quantity, .truth, .time: values.forEachNumber(of: own) { found = .number($1) }
            case .text:
                try unsafe values.forEachText(of: own) { found = unsafe .text(Array($1)[...]) }
            case .set:
                var members: [ArraySlice<UInt8>] = []
                try unsafe values.forEachMember { text, rows in
                    if rows.rank(of: row.inBlock) != nil { unsafe members.append(Array(text)[...]) }
                }
                found = .set(members)
            }
        }
        return found
    }
}

extension ShownProfile: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("id", id)
            json.member("row", row)
            json.member("fields") { json in
                json.object { json in
                    for field in fields { json.member(field.name) { $0.literal(field.json) } }
                }
            }
            json.member("global_status", globalStatus)
            json.member("subscriptions") { $0.array(subscriptions) { $1.write(to: &$0) } }
            json.member("goals") { $0.array(goals) { $1.write(to: &$0) } }
            json.member("goals_total", goalsTotal)
            json.member("activity") { $0.array(activity) { $1.write(to: &$0) } }
            json.member("activity_total", activityTotal)
        }
    }
}

extension ProfileSubscription: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object {
            $0.member("channel", channel.name)
            $0.member("resource", resource)
            $0.member("status", status.name)
            $0.member("contact", contact)
            $0.member("provider", provider)
            $0.member("priority", priority)
            $0.member("time", time?.description)
        }
    }
}

extension ProfileGoal: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("time", time.description)
            json.member("pixel", pixel)
            json.member("goal", goal)
            json.member("value") { $0.literal(value ?? "null") }
        }
    }
}

extension ProfileEvent: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object {
            $0.member("time", time.description)
            $0.member("channel", channel.name)
            $0.member("event", event.name)
            $0.member("campaign", campaign)
            $0.member("template", template)
            $0.member("link", link)
            $0.member("message", message)
            $0.member("count", count)
            $0.member("machine", machine)
        }
    }
}
