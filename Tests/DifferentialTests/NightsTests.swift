import Foundation
import Testing
import Winnow

/// Night after night activity is loaded, profiles change and are erased, segments are saved,
/// refreshed, replaced and removed; whatever is asked of them is compared with sets that are kept by
/// hand.
@Suite("Saved segments, night after night")
struct NightsTests {
    @Test("300 nights", arguments: 900..<910 as Range<UInt64>)
    func nights(seed: UInt64) throws {
        var nights = try Nights(seed: seed)
        defer { nights.store.remove() }
        for night in 0..<30 { try nights.pass(night) }
        print(
            "seed \(seed): \(nights.refreshed) refreshes, \(nights.changed) changes, \(nights.asked) questions, \(nights.reasons) reasons"
        )
        #expect(nights.refreshed > 30 && nights.changed > 40 && nights.asked > 300)
    }

    @Test("one list, refreshed over and over")
    func often() throws {
        let thorough = ProcessInfo.processInfo.environment["WINNOW_THOROUGH"] != nil
        let count = thorough ? 10_000 : 500
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(
            "winnow-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: path) }
        let store = try Store.create(
            path.path, schema: Schema(fields: [Field(name: "n", type: .integer)]))
        let rows = (0..<300).map { "p\($0),\($0)\n" }.joined()
        try store.load(.profiles, from: .bytes("id,n\n\(rows)".utf8, as: .csv))
        // Twelve profiles after each other, from one instant to the next.
        func rule(_ i: Int) throws -> Segment {
            try Segment("n between \(i % 280) and \(i % 280 + 11)")
        }
        let start: Int64 = 1_735_689_600_000
        for i in 0..<count {
            let options = SaveOptions(
                replaces: true,
                evaluation: EvaluationOptions(
                    asOf: Instant(milliseconds: start + Int64(i) * 60_000)))
            let refresh = try store.freeze(rule(i), as: "moving", options).refresh
            let isFirst = i == 0 || i % 280 == 0
            #expect(refresh?.members == 12)
            if !isFirst { #expect(refresh?.entered == 1 && refresh?.left == 1) }
        }
        let snapshot = try store.snapshot()
        for _ in 0..<3 {
            for i in stride(from: 0, to: count, by: max(1, count / 40)) {
                let asOf = Instant(milliseconds: start + Int64(i) * 60_000)
                let ids = try Array(snapshot.ids(of: .saved("moving"), asOf: asOf))
                #expect(ids == (i % 280..<i % 280 + 12).map { "p\($0)" })
            }
        }
        #expect(try snapshot.refreshes(of: "moving").count == count)
        #expect(try Store.verify(at: path.path).findings == [])
        try store.compact()
        #expect(try Store.verify(at: path.path).findings == [])
        let compacted = try store.snapshot()
        let half = Instant(milliseconds: start + Int64(count / 2) * 60_000)
        #expect(try compacted.count(.saved("moving"), asOf: half).count == 12)
        #expect(
            try compacted.count(.entered("moving", during: .instants(from: nil, to: half))).count
                == snapshot.count(.entered("moving", during: .instants(from: nil, to: half))).count)
    }
}

/// A store, and what it should say.
private struct Nights {
    private let seed: UInt64
    private var random: RandomWorld
    private var world: OracleWorld
    /// Events that are yet to come, in the order of time.
    private var pending: [OracleEvent]
    private var segments: [String: OracleSegment] = [:]
    /// In the order in which they were saved first: rules use earlier ones.
    private var names: [String] = []
    let store: RandomStore
    private(set) var refreshed = 0
    private(set) var changed = 0
    private(set) var asked = 0
    private(set) var reasons = 0

    init(seed: UInt64) throws {
        self.seed = seed
        random = RandomWorld(seed: seed)
        world = random.world(
            WorldShape(profiles: random.pick([60, 200]), events: 2500, campaigns: 10, templates: 6))
        pending = world.events.sorted { $0.time < $1.time }
        world.events = []
        store = try RandomStore(world, seed: seed, fillers: 0)
    }

    private var oracle: Oracle {
        var oracle = Oracle(world: world)
        oracle.segments = segments
        return oracle
    }

    mutating func pass(_ night: Int) throws {
        let day = RandomWorld.days * (night + 1) / 30
        let time =
            RandomWorld.start + Int64(day) * OracleCalendar.day + Int64(random.below(86_400_000))
        try loadEvents(until: time, night)
        if random.chance(40) { try changeProfiles(night) }
        if random.chance(15) { try erase() }
        if random.chance(10) { try drop(time) }
        let zone = random.timezone()
        for _ in 0..<1 + random.below(2) { try save(time, zone) }
        if random.chance(15) { try remove() }
        if random.chance(15) { try store.store.compact() }
        try compareDifferences(time, zone)
        try refresh(time, zone, night)
        if random.chance(15) { try store.store.compact() }
        try ask(time, zone)
        if night % 5 == 4 {
            #expect(try Store.verify(at: store.store.path).findings == [], "seed \(seed), \(night)")
        }
        try compareList()
    }

    // MARK: Data

    /// Some events come a night later.
    private mutating func loadEvents(until time: Int64, _ night: Int) throws {
        var now: [OracleEvent] = []
        var later: [OracleEvent] = []
        for event in pending {
            if event.time <= time, !random.chance(8) {
                now.append(event)
            } else {
                later.append(event)
            }
        }
        pending = later
        let live = Set(world.profiles.map(\.id))
        pending.removeAll { !live.contains($0.profile) }
        now.removeAll { !live.contains($0.profile) }
        guard !now.isEmpty else { return }
        try store.load(now, "night-\(night)")
        world.events += now
    }

    private mutating func changeProfiles(_ night: Int) throws {
        let names =
            world.fields.map(\.name) + ["email", "phone", "appmetrica_device_id", "global_status"]
        var text = ""
        for i in world.profiles.indices where random.chance(10) {
            world.profiles[i].fields = random.pick(world.profiles).fields
            text +=
                RandomStore.json(world.profiles[i].id, world.profiles[i].fields, clearing: names)
                + "\n"
        }
        if !text.isEmpty { try store.load(.profiles, "changes-\(night).ndjson", text) }
    }

    private mutating func erase() throws {
        let gone = Set(world.profiles.filter { _ in random.chance(3) }.map(\.id))
        try store.store.erase(profiles: Array(gone))
        world.profiles.removeAll { gone.contains($0.id) }
        world.events.removeAll { gone.contains($0.profile) }
        world.subscriptions.removeAll { gone.contains($0.profile) }
        world.goals.removeAll { $0.profile.map(gone.contains) ?? false }
        for name in segments.keys { segments[name]?.list?.erase(gone) }
    }

    private mutating func drop(_ time: Int64) throws {
        let horizon = time - Int64(random.below(120)) * OracleCalendar.day
        try store.store.drop(before: Instant(milliseconds: horizon))
        world.events.removeAll { $0.time < horizon }
        world.goals.removeAll { $0.time < horizon }
        for name in segments.keys { segments[name]?.list?.drop(before: horizon) }
    }

    // MARK: Segments

    /// A rule that uses saved segments more often than not.
    private mutating func rule(before limit: Int) -> String {
        var own = ""
        // Rules whose members change from night to night say most.
        for _ in 0..<8 {
            own = random.node(depth: random.pick([1, 1, 2, 3]), world, .all)
            if own.contains("\"last\"") || own.contains("\"period\"") { break }
        }
        guard limit > 0, random.chance(70) else { return own }
        let name = names[random.below(limit)]
        let quoted = RandomWorld.quoted(name)
        var used = "{\"segment\": \(quoted)}"
        if segments[name]?.list != nil, random.chance(50) {
            let change = random.pick(["entered", "left"])
            var history: [String] = []
            if random.chance(30) { history.append("\"at_least\": \(1 + random.below(3))") }
            if random.chance(60) {
                history.append(
                    random.pick([
                        "\"during\": {\"last\": 60}",
                        "\"during\": {\"last\": 900, \"unit\": \"hours\"}",
                        "\"during\": {\"from\": \"2025-05-05\", \"to\": \"2025-11-30\"}",
                        "\"during\": {\"period\": \"last_quarter\"}",
                    ]))
            }
            used =
                "{\"segment\": {\"name\": \(quoted), \"\(change)\": {\(history.joined(separator: ", "))}}}"
        }
        switch random.below(5) {
        case 0: return used
        case 1: return "{\"not\": \(used)}"
        case 2: return "{\"all\": [\(used), {\"not\": \(own)}]}"
        case 3: return "{\"all\": [\(own), \(used)]}"
        default: return "{\"any\": [\(used), {\"all\": [\(own), {\"not\": \(used)}]}]}"
        }
    }

    private func options(_ time: Int64, _ zone: String) -> EvaluationOptions {
        EvaluationOptions(asOf: Instant(milliseconds: time), timezone: zone)
    }

    private mutating func save(_ time: Int64, _ zone: String) throws {
        let isNew = names.count < 3 || random.chance(40)
        let place = isNew ? names.count : random.below(names.count)
        let name =
            isNew ? random.pick(["list", "Kunden é", "\"x\""]) + " \(names.count)" : names[place]
        let old = segments[name]
        var options = SaveOptions(replaces: !isNew, evaluation: options(time, zone))
        if random.chance(30) { options.description = "made at \(time)" }
        var rule = rule(before: place)
        // A rule without a zone is saved with that of the call.
        if random.chance(50) {
            rule = "{\"timezone\": \"\(random.timezone())\", \"where\": \(rule)}"
        }
        let zoned =
            rule.contains("\"where\"") ? rule : "{\"timezone\": \"\(zone)\", \"where\": \(rule)}"
        var segment = OracleSegment(rule: zoned, list: nil)
        let kind = random.below(10)
        if kind < 4 || old != nil && old?.list == nil && kind < 8 {
            if old?.list != nil {
                // Somebody may ask who entered or left it.
                guard (try? store.store.save(Segment(json: rule), as: name, options)) != nil else {
                    return
                }
            } else {
                try store.store.save(Segment(json: rule), as: name, options)
            }
        } else {
            var list = old?.list ?? OracleList()
            let members: Set<String>
            let summary: SavedSummary
            if kind == 4 {
                segment.rule = nil
                let ids = world.profiles.filter { _ in random.chance(30) }.map(\.id)
                members = Set(ids)
                // It is as of now, after all nights.
                if old?.list != nil { return }
                let before = Instant.now.milliseconds
                guard before > time else { return }
                return try freezeIDs(name, ids + ["nobody"], members, options)
            } else {
                members = try oracle.matching(rule: rule, asOf: time, timezone: zone)
                if list.refreshed > time { return }
                summary = try store.store.freeze(Segment(json: rule), as: name, options)
            }
            let (entered, left) = list.change(to: members, at: time)
            #expect(summary.refresh?.entered == entered, "seed \(seed): \(name)")
            #expect(summary.refresh?.left == left, "seed \(seed): \(name)")
            #expect(summary.refresh?.members == members.count, "seed \(seed): \(name)")
            segment.list = list
        }
        segments[name] = segment
        if isNew { names.append(name) }
    }

    /// A list of ids is as of now, which is after all nights; so its members are looked at as of then.
    private mutating func freezeIDs(
        _ name: String, _ ids: [String], _ members: Set<String>, _ options: SaveOptions
    ) throws {
        var options = options
        options.evaluation.asOf = nil
        let summary = try store.store.freeze(profiles: ids, as: name, options)
        #expect(summary.unknown == 1 && summary.refresh?.members == members.count)
        var list = OracleList()
        _ = list.change(to: members, at: summary.refresh?.asOf.milliseconds ?? 0)
        segments[name] = OracleSegment(rule: nil, list: list)
        if !names.contains(name) { names.append(name) }
    }

    private mutating func remove() throws {
        guard let name = names.last else { return }
        let users = try store.store.snapshot().savedSegment(name).usedBy
        if users.isEmpty {
            try store.store.removeSegment(name)
            segments[name] = nil
            names.removeLast()
        } else {
            #expect(throws: WinnowError.self) { try store.store.removeSegment(name) }
        }
    }

    /// Refreshes all lists that have a rule: in the order in which they use each other.
    private mutating func refresh(_ time: Int64, _ zone: String, _ night: Int) throws {
        let lists = names.filter { segments[$0]?.list != nil && segments[$0]?.rule != nil }
        guard !lists.isEmpty, random.chance(85) else { return }
        let batch = random.chance(50) ? "night \(night)" : nil
        let summary = try store.store.refresh(batch: batch, options(time, zone))
        if batch != nil {
            let version = try store.store.snapshot().version
            let again = try store.store.refresh(batch: batch, options(time, zone))
            #expect(again.isRepeated && again.version == version)
            #expect(again.refreshes.isEmpty)
        }
        #expect(Set(summary.refreshes.map(\.name)) == Set(lists))
        for name in lists {
            guard let rule = segments[name]?.rule, var list = segments[name]?.list else { continue }
            let members = try oracle.matching(rule: rule, asOf: time, timezone: zone)
            let (entered, left) = list.change(to: members, at: time)
            segments[name]?.list = list
            let own = try #require(summary.refreshes.first { $0.name == name })
            #expect(
                own.entered == entered && own.left == left && own.members == members.count,
                "seed \(seed), night \(night), \(name): \(own), \(entered), \(left), \(members.count): \(rule)"
            )
            refreshed += 1
            changed += entered + left
        }
    }

    // MARK: Questions

    /// Members and rules that use them, as of now and of earlier instants.
    private mutating func ask(_ time: Int64, _ zone: String) throws {
        let snapshot = try store.store.snapshot()
        let oracle = oracle
        var rules: [(rule: String, asOf: Int64)] = []
        for name in names {
            rules.append(("{\"segment\": \(RandomWorld.quoted(name))}", time))
            let back = Int64(random.below(200)) * OracleCalendar.day
            rules.append(("{\"segment\": \(RandomWorld.quoted(name))}", time - back))
            if let list = segments[name]?.list, let change = list.changes.last {
                rules.append(
                    (
                        "{\"segment\": {\"name\": \(RandomWorld.quoted(name)), \"left\": {}}}",
                        change.time + Int64(random.below(3)) - 1
                    ))
            }
        }
        for _ in 0..<6 {
            let back = random.chance(50) ? 0 : Int64(random.below(300)) * OracleCalendar.day
            rules.append((rule(before: names.count), time - back))
        }
        for (rule, asOf) in rules {
            let expected = try oracle.matching(rule: rule, asOf: asOf, timezone: zone)
            let segment = try Segment(json: rule)
            // The second time it may come from what was kept.
            for _ in 0..<2 {
                let ids = try Set(snapshot.ids(of: segment, options(asOf, zone)))
                #expect(ids == expected, "seed \(seed), as of \(asOf), \(zone): \(rule)")
            }
            let text = try Segment(segment.text())
            #expect(try snapshot.count(text, options(asOf, zone)).count == expected.count)
            asked += 1
        }
    }

    /// What would change, and why.
    private mutating func compareDifferences(_ time: Int64, _ zone: String) throws {
        let snapshot = try store.store.snapshot()
        let oracle = oracle
        for name in names {
            guard let segment = segments[name], let list = segment.list, let rule = segment.rule
            else { continue }
            let found = try snapshot.difference(
                of: name, listsProfiles: true, options(time, zone))
            let now = try oracle.matching(rule: rule, asOf: time, timezone: zone)
            let members = list.members.intersection(world.profiles.map(\.id))
            #expect(found.entered == now.subtracting(members).count, "seed \(seed): \(name)")
            #expect(found.left == members.subtracting(now).count, "seed \(seed): \(name)")
            let document = try OracleJSON(parsing: rule)
            let node = try document.required("where")
            let own = try document.required("timezone").word()
            var known: [String: Set<String>] = [:]
            for change in found.changes {
                #expect(change.enters ? now.contains(change.id) : members.contains(change.id))
                let expected = try NightsTests.reason(
                    node, "where", change.id, oracle, change.enters ? list.refreshed : time, own,
                    zone, &known)
                #expect(
                    change.path?.description == expected,
                    "seed \(seed), \(name), \(change): expected \(expected ?? "none") in \(rule)")
                reasons += 1
            }
            let sums = Dictionary(grouping: found.changes.filter { !$0.enters }) {
                $0.path?.description
            }
            for reason in found.leftBy {
                #expect(sums[reason.path?.description]?.count == reason.count)
            }
        }
    }

    /// The list of segments.
    private func compareList() throws {
        let live = Set(world.profiles.map(\.id))
        let saved = try store.store.snapshot().savedSegments()
        #expect(
            saved.map(\.name)
                == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        for segment in saved {
            let list = segments[segment.name]?.list
            #expect((segment.kind == .static) == (list != nil))
            #expect(segment.members == list.map { $0.members.intersection(live).count })
            #expect(segment.refreshed?.milliseconds == list?.refreshed)
        }
    }
}

extension NightsTests {
    /// The node that one who is not in a rule fails: from the root down. nil for one who is in it.
    fileprivate static func reason(
        _ node: OracleJSON, _ path: String, _ id: String, _ oracle: Oracle, _ asOf: Int64,
        _ zone: String, _ usual: String, _ known: inout [String: Set<String>]
    ) throws -> String? {
        func holds(_ node: OracleJSON, _ path: String) throws -> Bool {
            let key = "\(path) \(asOf)"
            if let known = known[key] { return known.contains(id) }
            let ids = try oracle.matching(node, asOf: asOf, zone: zone, usualZone: usual)
            known[key] = ids
            return ids.contains(id)
        }
        if try holds(node, path) { return nil }
        guard let only = try node.members().first else { return path }
        switch String(decoding: only.key, as: UTF8.self) {
        case "all":
            for (i, child) in try only.value.elements().enumerated() {
                let own = "\(path).all[\(i)]"
                guard try !holds(child, own) else { continue }
                return try reason(child, own, id, oracle, asOf, zone, usual, &known)
            }
            return nil
        case "any":
            guard let first = try only.value.elements().first else { return path }
            return try reason(first, "\(path).any[0]", id, oracle, asOf, zone, usual, &known)
        case "not":
            let inner = try only.value.members().first.map {
                String(decoding: $0.key, as: UTF8.self)
            }
            return ["all", "any", "not"].contains(inner) ? path : "\(path).not"
        default: return path
        }
    }
}
