import WinnowBitmaps
import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowStorage

/// Everything that a store has of one profile beside its fields.
package struct ProfileRecords {
    private let snapshot: StoreVersion
    private let row: Row

    package init(_ snapshot: StoreVersion, _ row: Row) {
        self.snapshot = snapshot
        self.row = row
    }

    private func name(_ code: NameCode, _ names: StringTables) -> String? {
        guard let code = code.code, let text = unsafe names.bytes(code) else { return nil }
        return unsafe String(decoding: text, as: UTF8.self)
    }

    /// The profile's events of a type that are loaded, newest first; of equal times by what else
    /// they are, none before some.
    /// - Complexity: O(runs of the type in the profile's block).
    package func events(_ types: [EventType]) throws(WinnowError) -> [ProfileEvent] {
        let campaigns = try snapshot.strings(.campaign)
        let templates = try snapshot.strings(.template)
        let links = try snapshot.strings(.link)
        var events: [(event: ProfileEvent, message: UInt32)] = []
        for part in try snapshot.activity() {
            for type in types {
                var records: [EventRecord] = []
                try part.append(.event(type), of: row, to: &records)
                guard !records.isEmpty, let index = part.types[.event(type)] else { continue }
                let leaves = try part.leaves(of: index)
                for record in records where record.leaf.index < leaves.count {
                    let key = leaves.key(record.leaf)
                    let event = ProfileEvent(
                        time: Instant(milliseconds: record.time), channel: type.channel,
                        event: type.event, campaign: name(key.campaign, campaigns),
                        template: name(key.template, templates), link: name(record.link, links),
                        message: nil, count: record.count, machine: key.machine)
                    events.append((event, record.message))
                }
            }
        }
        let messages = try self.messages(events.contains { $0.message > 0 })
        return events.map { event, message in
            var event = event
            if message > 0, Int(message) <= messages.count {
                event.message = messages[Int(message) - 1]
            }
            return event
        }.sorted(by: ProfileRecords.comes)
    }

    /// The ids of the profile's messages, by their ordinals.
    private func messages(_ areWanted: Bool) throws(WinnowError) -> [String] {
        guard areWanted else { return [] }
        let rows = BlockSet.allocate()
        defer { rows.deallocate() }
        rows.clear()
        rows.insert(Int(row.inBlock))
        var found: [(ordinal: UInt32, id: String)] = []
        for part in try snapshot.activity() {
            guard let messages = try part.messages(row.block) else { continue }
            try unsafe messages.forEach(in: rows) { _, ordinal, id in
                found.append((ordinal, unsafe String(decoding: id, as: UTF8.self)))
            }
        }
        return found.sorted { $0.ordinal < $1.ordinal }.map(\.id)
    }

    static func comes(_ a: ProfileEvent, before b: ProfileEvent) -> Bool {
        if a.time != b.time { return a.time > b.time }
        func key(_ event: ProfileEvent) -> [String?] {
            [
                event.channel.name, event.event.name, event.campaign, event.template,
                event.link, event.message,
            ]
        }
        return precedes(key(a), key(b))
    }

    /// Whether texts come before others, bytewise, none first.
    static func precedes(_ a: [String?], _ b: [String?]) -> Bool {
        for (x, y) in zip(a, b) {
            guard let x, let y else {
                if x == nil, y == nil { continue }
                return x == nil
            }
            if sameBytes(x, y) { continue }
            return x.utf8.lexicographicallyPrecedes(y.utf8)
        }
        return false
    }

    /// The profile's goals, newest first; of equal times by pixel, goal and value.
    package func goals() throws(WinnowError) -> [ProfileGoal] {
        let pixels = try snapshot.strings(.pixel)
        let names = try snapshot.strings(.goal)
        var goals: [ProfileGoal] = []
        for part in try snapshot.goals() {
            var records: [EventRecord] = []
            try part.append(.goal, of: row, to: &records)
            guard !records.isEmpty, let index = part.types[.goal] else { continue }
            let leaves = try part.leaves(of: index)
            for record in records where record.leaf.index < leaves.count {
                let key = leaves.key(record.leaf)
                goals.append(
                    ProfileGoal(
                        time: Instant(milliseconds: record.time),
                        pixel: name(key.pixel, pixels) ?? "",
                        goal: name(key.goal, names) ?? "",
                        value: record.value.map { Field.goalValue.text($0) }))
            }
        }
        return goals.sorted { a, b in
            if a.time != b.time { return a.time > b.time }
            let (x, y) = ([a.pixel, a.goal], [b.pixel, b.goal])
            if ProfileRecords.precedes(x, y) { return true }
            return !ProfileRecords.precedes(y, x) && ProfileRecords.precedes([a.value], [b.value])
        }
    }

    /// The profile's subscriptions by channel, resource and contact, none first.
    package func subscriptions() throws(WinnowError) -> [ProfileSubscription] {
        let resources = try snapshot.strings(.resource)
        let providers = try snapshot.strings(.provider)
        let contacts = try snapshot.strings(.contact)
        var found: [ProfileSubscription] = []
        // A part tells all records of each row that it speaks of.
        for part in try snapshot.subscriptions().reversed() {
            var records: [EventRecord] = []
            try part.append(.subscription, of: row, to: &records)
            guard !records.isEmpty, let index = part.types[.subscription] else { continue }
            let leaves = try part.leaves(of: index)
            for record in records where record.leaf.index < leaves.count {
                let key = leaves.key(record.leaf)
                guard let channel = key.channel, let status = key.status else { continue }
                found.append(
                    ProfileSubscription(
                        channel: channel, resource: name(key.resource, resources) ?? "",
                        status: status, contact: name(record.link, contacts),
                        provider: name(key.provider, providers), priority: record.value,
                        time: key.isTimed ? Instant(milliseconds: record.time) : nil))
            }
            break
        }
        return found.sorted {
            ProfileRecords.precedes(
                [$0.channel.name, $0.resource, $0.contact],
                [$1.channel.name, $1.resource, $1.contact])
        }
    }
}
