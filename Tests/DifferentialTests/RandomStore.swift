import Foundation
import Winnow

/// A store on disk that says what a world says, loaded in random batches, formats and orders:
/// events in up to a dozen batches, fields first wrong and then put right, catalogue objects
/// replaced. What the world does not know was there, too, and is forgotten: profiles that were
/// erased, some of whose ids came again, and activity that was dropped, some of which was loaded
/// again.
struct RandomStore {
    let folder: URL
    let store: Store
    /// Profiles that say nothing, between the world's own, so that rows spread over several blocks.
    let fillers: Int

    init(_ world: OracleWorld, seed: UInt64, fillers: Int) throws {
        self.fillers = fillers
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "winnow-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let fields = world.fields.map { field in
            Field(
                name: field.name, type: FieldType(rawValue: field.type) ?? .string,
                scale: field.scale)
        }
        store = try Store.create(
            folder.appendingPathComponent("store").path, schema: Schema(fields: fields))
        var random = RandomWorld(seed: seed ^ 0x5707_E5EE_D000_0001)
        let reborn = world.profiles.filter { _ in random.chance(10) }.map(\.id)
        try loadGhosts(reborn, world, &random)
        try store.erase(profiles: reborn)
        try loadProfiles(world, &random)
        let ghosts = (0..<random.below(5)).map { "ghost-\($0)" }
        try loadGhosts(ghosts, world, &random)
        try loadObjects(world.campaigns, .campaigns, &random)
        try loadObjects(world.templates, .templates, &random)
        let times = world.events.map(\.time)
        if !times.isEmpty, case let some = random.pick(times), random.chance(30) {
            // Dropped, and then loaded again.
            try load(world.events.filter { $0.time < some + RandomStore.day }, "dropped")
            let last = RandomStore.startOfDay(times.max() ?? some)
            try load(goals: world.goals.filter { $0.time < last }, "dropped-goals")
            try store.drop(before: Instant(milliseconds: RandomStore.startOfDay(some)))
            try store.drop(
                before: Instant(
                    milliseconds: RandomStore.startOfDay(times.max() ?? some) + RandomStore.day))
        }
        if random.chance(30) { try store.compact() }
        try loadEvents(world.events, before: times.min() ?? 0, &random)
        try loadSubscriptions(world, &random)
        try loadGoals(world.goals, &random)
        try store.erase(profiles: ghosts)
    }

    private static let day: Int64 = 86_400_000
    private static func startOfDay(_ time: Int64) -> Int64 { time - (time % day + day) % day }

    /// Profiles that will be erased, with fields and activity like others.
    private func loadGhosts(_ ids: [String], _ world: OracleWorld, _ random: inout RandomWorld)
        throws
    {
        guard !ids.isEmpty, !world.profiles.isEmpty else { return }
        var profiles = ""
        var events: [OracleEvent] = []
        for id in ids {
            profiles += RandomStore.json(id, random.pick(world.profiles).fields) + "\n"
            for _ in 0..<random.below(20) where !world.events.isEmpty {
                var event = random.pick(world.events)
                event.profile = id
                if random.chance(20) { event.campaign = "campaign of \(id)" }
                if event.link != nil, random.chance(50) { event.link = "link of \(id)" }
                events.append(event)
            }
        }
        try load(.profiles, "ghosts.ndjson", profiles)
        try load(events, "ghosts")
    }

    func load(_ events: [OracleEvent], _ name: String) throws {
        let header = "profile,channel,event,time_ms,campaign,template,link,message,count,machine\n"
        try load(.events, "\(name).csv", header + events.map(RandomStore.line).joined())
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }

    static func fillerID(_ number: Int) -> String { "filler-\(number)" }

    /// Whether a rule asks for what tells fillers apart: the id, a share of all ids, or the e-mail.
    static func fillersDiffer(in rule: String) -> Bool {
        ["\"name\": \"id\"", "\"name\": \"email\"", "sample"].contains { rule.contains($0) }
    }

    /// A filler's e-mail is its own, so that there are more than a dictionary would hold.
    private static func filler(_ number: Int) -> String {
        "\(fillerID(number)),\(number)@filler.example\n"
    }

    func load(_ kind: LoadKind, _ name: String, _ text: String) throws {
        let file = folder.appendingPathComponent(name)
        try Data(text.utf8).write(to: file)
        try store.load(kind, from: .files([file.path]))
    }

    // MARK: Profiles

    private func loadProfiles(_ world: OracleWorld, _ random: inout RandomWorld) throws {
        var ids = "id,email\n"
        let step = fillers / max(1, world.profiles.count)
        var filler = 0
        for profile in world.profiles {
            ids += RandomStore.csv(profile.id) + ",\n"
            for _ in 0..<step {
                ids += RandomStore.filler(filler)
                filler += 1
            }
        }
        while filler < fillers {
            ids += RandomStore.filler(filler)
            filler += 1
        }
        try load(.profiles, "ids.csv", ids)
        // What is said first of some profiles is wrong: it is of another, and gone in the end.
        var wrong = ""
        for profile in world.profiles where random.chance(40) {
            wrong += RandomStore.json(profile.id, random.pick(world.profiles).fields) + "\n"
        }
        try load(.profiles, "wrong.ndjson", wrong)
        let names =
            world.fields.map(\.name) + ["email", "phone", "appmetrica_device_id", "global_status"]
        var parts = ["", "", ""]
        for profile in world.profiles {
            parts[random.below(3)] +=
                RandomStore.json(profile.id, profile.fields, clearing: names) + "\n"
        }
        for (i, part) in parts.enumerated() { try load(.profiles, "right-\(i).ndjson", part) }
    }

    static func json(_ id: String, _ fields: [String: OracleValue], clearing: [String] = [])
        -> String
    {
        var members = ["\"id\": \(RandomWorld.quoted(id))"]
        for (name, value) in fields {
            members.append("\(RandomWorld.quoted(name)): \(json(value))")
        }
        for name in clearing where fields[name] == nil {
            members.append("\(RandomWorld.quoted(name)): null")
        }
        return "{" + members.joined(separator: ", ") + "}"
    }

    private static func json(_ value: OracleValue) -> String {
        switch value {
        case .string(let text), .date(let text): RandomWorld.quoted(text)
        case .integer(let number): "\(number)"
        case .decimal(let digits): digits
        case .boolean(let flag): "\(flag)"
        case .datetime(let milliseconds): "\"\(Instant(milliseconds: milliseconds))\""
        case .set(let values): "[" + values.map(RandomWorld.quoted).joined(separator: ", ") + "]"
        }
    }

    // MARK: Subscriptions, goals

    /// In batches. Some records are first of another status, which is replaced; others are told again
    /// by rows that may not replace them; ghosts had some, too.
    private func loadSubscriptions(_ world: OracleWorld, _ random: inout RandomWorld) throws {
        var ghosts: [OracleSubscription] = []
        for number in 0..<4 { ghosts.append(random.subscription(of: "ghost-\(number)")) }
        try load(ghosts, "ghost-subscriptions", creating: true)
        let wrong = world.subscriptions.filter { _ in random.chance(40) }.map { record in
            var other = random.subscription(of: record.profile)
            (other.channel, other.resource) = (record.channel, record.resource)
            other.contact = record.contact
            return other
        }
        try load(wrong, "wrong-subscriptions")
        var batches = [[OracleSubscription]](repeating: [], count: 1 + random.below(5))
        for record in world.subscriptions { batches[random.below(batches.count)].append(record) }
        for (number, batch) in batches.enumerated() {
            // What is said last in a batch counts.
            let first = wrong.filter { other in
                random.chance(20) && batch.contains { $0.isSame(as: other) }
            }
            try load(first + batch, "subscriptions-\(number)")
        }
        try load(wrong, "kept-subscriptions", ifExists: .keep)
        let older = world.subscriptions.filter { _ in random.chance(30) }.map { record in
            var other = record
            other.status = random.pick(RandomWorld.statuses)
            other.time = random.chance(30) ? nil : record.time.map { $0 - Int64(random.below(2)) }
            if (other.time ?? .min) < -62_135_596_800_000 { other.time = nil }
            return other
        }
        try load(older, "older-subscriptions", ifExists: .newer)
    }

    private func load(
        _ records: [OracleSubscription], _ name: String, ifExists: ExistingRecords = .replace,
        creating: Bool = false
    ) throws {
        var text = "profile,channel,resource,status,contact,provider,priority,time_ms\n"
        for record in records {
            let cells = [
                RandomStore.csv(record.profile), record.channel, RandomStore.csv(record.resource),
                record.status, RandomStore.csv(record.contact), RandomStore.csv(record.provider),
                record.priority.map(String.init) ?? "", record.time.map(String.init) ?? "",
            ]
            text += cells.joined(separator: ",") + "\n"
        }
        let file = folder.appendingPathComponent("\(name).csv")
        try Data(text.utf8).write(to: file)
        var options = LoadOptions()
        options.ifExists = ifExists
        if creating { options.unknownProfiles = .skip }
        try store.load(.subscriptions, from: .file(file.path), options: options)
    }

    private func loadGoals(_ goals: [OracleGoal], _ random: inout RandomWorld) throws {
        var batches = [[OracleGoal]](repeating: [], count: 1 + random.below(6))
        for goal in goals { batches[random.below(batches.count)].append(goal) }
        for (number, batch) in batches.enumerated() {
            try load(goals: batch, "goals-\(number)")
        }
    }

    private func load(goals: [OracleGoal], _ name: String) throws {
        var text = "profile,pixel,goal,time_ms,value\n"
        for goal in goals {
            let cells = [
                RandomStore.csv(goal.profile), RandomStore.csv(goal.pixel),
                RandomStore.csv(goal.goal), String(goal.time), goal.value ?? "",
            ]
            text += cells.joined(separator: ",") + "\n"
        }
        try load(.goals, "\(name).csv", text)
    }

    // MARK: Campaigns, templates, events

    private func loadObjects(
        _ objects: [OracleObject], _ kind: LoadKind, _ random: inout RandomWorld
    ) throws {
        guard !objects.isEmpty else { return }
        var first = ""
        var second = ""
        for object in objects {
            let attributes = object.attributes.map {
                "\(RandomWorld.quoted($0)): \(RandomWorld.quoted($1))"
            }
            let line =
                "{\"id\": \(RandomWorld.quoted(object.id)), \"tags\": ["
                + object.tags.map(RandomWorld.quoted).joined(separator: ", ")
                + "], \"attributes\": {"
                + attributes.joined(separator: ", ") + "}}\n"
            if random.chance(30) {
                let other = random.pick(objects).tags.map(RandomWorld.quoted).joined(
                    separator: ", ")
                first += "{\"id\": \(RandomWorld.quoted(object.id)), \"tags\": [\(other)]}\n"
                second += line
            } else {
                first += line
            }
        }
        try load(kind, "\(kind.rawValue)-1.ndjson", first)
        try load(kind, "\(kind.rawValue)-2.ndjson", second)
    }

    /// - Parameter first: activity before the day of this instant is loaded, too, and dropped in
    ///   the end.
    private func loadEvents(
        _ events: [OracleEvent], before first: Int64, _ random: inout RandomWorld
    ) throws {
        let start = RandomStore.startOfDay(first)
        let drops = random.chance(40) && start > 950_000_000_000
        let batches = 1 + random.below(12)
        var lines = [[String]](repeating: [], count: batches)
        // Nightly batches are about a time each; a few events always come late.
        let ordered = events.sorted { $0.time < $1.time }
        for (i, event) in ordered.enumerated() {
            let batch =
                random.chance(10) ? random.below(batches) : i * batches / max(1, ordered.count)
            lines[batch].append(RandomStore.line(event))
        }
        if drops {
            for event in events where random.chance(20) {
                var old = event
                old.time = start - 1 - Int64(random.below(4_000_000_000 / 1000)) * 1000
                let batch = random.below(batches)
                if old.time > 946_684_800_000 { lines[batch].append(RandomStore.line(old)) }
            }
        }
        let header = "profile,channel,event,time_ms,campaign,template,link,message,count,machine\n"
        for (i, batch) in lines.enumerated() {
            try load(.events, "events-\(i).csv", header + batch.joined())
        }
        if drops { try store.drop(before: Instant(milliseconds: start)) }
    }

    private static func line(_ event: OracleEvent) -> String {
        let cells = [
            csv(event.profile), event.channel, event.event, "\(event.time)", csv(event.campaign),
            csv(event.template),
            csv(event.link), csv(event.message), event.count == 1 ? "" : "\(event.count)",
            event.machine ? "true" : ["", "false"][Int(event.time / 1000 % 2)],
        ]
        return cells.joined(separator: ",") + "\n"
    }

    private static func csv(_ text: String?) -> String {
        guard let text else { return "" }
        return "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }
}

extension OracleSubscription {
    /// Whether both are the same record, whatever they say.
    fileprivate func isSame(as other: OracleSubscription) -> Bool {
        sameBytes(profile, other.profile) && channel == other.channel
            && sameBytes(resource, other.resource) && contact == other.contact
    }
}
