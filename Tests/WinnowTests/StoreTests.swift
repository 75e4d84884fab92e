import Foundation
import Testing
import Winnow

@Suite("The store")
struct StoreTests {
    private static let opened =
        #"{"activity": {"channel": "email", "event": "opened", "operator": "at_least", "times": 2}}"#

    private func lines(_ range: Range<Int>) -> String {
        "profile,channel,event,time,campaign,template\n"
            + range.map {
                "p\($0 * 7 % 90),email,opened,\(1_735_689_600 + $0 * 977),c\($0 % 5),t\($0 % 3)\n"
            }.joined()
    }

    private func profiles(_ fixture: Fixture, _ store: Store) throws {
        let text = "id\n" + (0..<100).map { "p\($0)\n" }.joined()
        try store.load(.profiles, from: .files([try fixture.file("p.csv", text)]))
    }

    @Test("many small batches answer like one load, from at most eight parts of a kind")
    func batches() throws {
        let one = try Fixture()
        let many = try Fixture()
        let first = try one.create()
        let second = try many.create()
        try profiles(one, first)
        try profiles(many, second)
        try first.load(.events, from: .files([try one.file("e.csv", lines(0..<3000))]))
        for i in 0..<60 {
            try second.load(
                .events, from: .files([try many.file("e.csv", lines(i * 50..<i * 50 + 50))]))
        }
        let segment = try Segment(json: StoreTests.opened)
        #expect(
            try Array(first.snapshot().ids(of: segment))
                == Array(second.snapshot().ids(of: segment)))
        #expect(try second.snapshot().info().events == 3000)
        let parts = try FileManager.default.contentsOfDirectory(atPath: many.storePath + "/parts")
        #expect(parts.filter { $0.hasPrefix("activity") }.count <= 8)
    }

    @Test(
        "a snapshot stays as it was while batches are loaded and parts merged; its files go when it does"
    )
    func snapshots() throws {
        let fixture = try Fixture()
        let store = try fixture.create()
        try profiles(fixture, store)
        try store.load(.events, from: .files([try fixture.file("e.csv", lines(0..<200))]))
        let segment = try Segment(
            json: StoreTests.opened.replacingOccurrences(of: "2}", with: "6}"))
        var old: Snapshot? = try store.snapshot()
        let before = try old.map { Array(try $0.ids(of: segment)) }
        for i in 1..<9 {
            try store.load(
                .events, from: .files([try fixture.file("e.csv", lines(i * 200..<i * 200 + 200))]))
        }
        #expect(try old.map { Array(try $0.ids(of: segment)) } == before)
        #expect(try Array(store.snapshot().ids(of: segment)) != before)
        old = nil
        try store.load(.events, from: .files([try fixture.file("e.csv", lines(0..<10))]))
        let names = try FileManager.default.contentsOfDirectory(atPath: fixture.storePath)
        #expect(names.filter { $0.hasPrefix("MANIFEST") }.count == 1)
    }

    @Test("what a writer that died left behind is removed by the next one")
    func leftovers() throws {
        let fixture = try Fixture()
        let store = try fixture.create()
        try profiles(fixture, store)
        let stray = fixture.storePath + "/parts/activity-0000ffff.part"
        try Data("half a part".utf8).write(to: URL(fileURLWithPath: stray))
        try Data("half a manifest".utf8).write(
            to: URL(fileURLWithPath: fixture.storePath + "/MANIFEST-00000000000000000009.tmp"))
        #expect(try store.snapshot().profiles == 100)
        try store.load(.events, from: .files([try fixture.file("e.csv", lines(0..<10))]))
        #expect(!FileManager.default.fileExists(atPath: stray))
        let names = try FileManager.default.contentsOfDirectory(atPath: fixture.storePath)
        #expect(!names.contains { $0.hasSuffix(".tmp") })
    }

    private func answers(_ fixture: Fixture, _ segments: [Segment]) -> Result<
        [[String]], WinnowError
    > {
        do throws(WinnowError) {
            let snapshot = try Store(fixture.storePath).snapshot()
            var answers: [[String]] = []
            for segment in segments { answers.append(try Array(snapshot.ids(of: segment))) }
            return .success(answers)
        } catch {
            return .failure(error)
        }
    }

    @Test("a flipped byte is reported, or changes nothing: never a crash, never another answer")
    func damage() throws {
        let fixture = try Fixture()
        let store = try fixture.create([Field(name: "n", type: .integer)])
        let text =
            "id,n,email\n" + (0..<100).map { "p\($0),\($0 * 3),user\($0)@example.com\n" }.joined()
        try store.load(.profiles, from: .files([try fixture.file("p.csv", text)]))
        let campaigns = try fixture.file("c.ndjson", "{\"id\": \"c1\", \"tags\": [\"x\"]}\n")
        try store.load(.campaigns, from: .files([campaigns]))
        try store.load(.events, from: .files([try fixture.file("e.csv", lines(0..<3000))]))
        let rules = [
            StoreTests.opened, #"{"field": {"name": "n", "operator": "less_than", "value": 100}}"#,
            #"{"field": {"name": "email", "operator": "contains", "value": "7@"}}"#,
            #"{"activity": {"channel": "email", "event": "opened", "operator": "not_happened","#
                + #" "campaigns": {"tags": ["x"]}, "during": {"from": "2025-01-05"}}}"#,
        ]
        let segments = try rules.map { try Segment(json: $0) }
        let expected = try segments.map { try Array(store.snapshot().ids(of: $0)) }
        var reported = 0
        var tried = 0
        var state: UInt64 = 42
        for (name, data) in try fixture.contents() where name != "LOCK" {
            let inParts = name.hasSuffix(".part")
            let url = URL(fileURLWithPath: fixture.storePath + (inParts ? "/parts/" : "/") + name)
            for _ in 0..<150 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                var changed = data
                changed[Int(state >> 33) % data.count] ^= UInt8(1 << (state & 7))
                try changed.write(to: url)
                tried += 1
                switch answers(fixture, segments) {
                case .success(let ids): #expect(ids == expected, "\(name)")
                case .failure(let error):
                    #expect(error.exitCode == 65, "\(error)")
                    reported += 1
                }
            }
            try data.write(to: url)
        }
        #expect(tried >= 900 && reported > tried / 2)
    }

    @Test(
        "nightly batches, late events, updated profiles and replaced campaigns answer like one load"
    )
    func nights() throws {
        let one = try Fixture()
        let many = try Fixture()
        let fields = [Field(name: "n", type: .integer), Field(name: "city", type: .string)]
        let first = try one.create(fields)
        let second = try many.create(fields)
        let header = "profile,channel,event,time,campaign,message\n"
        var all = header
        var people: [Int: String] = [:]
        var campaigns: [Int: String] = [:]
        for night in 0..<300 {
            var profiles = "id,n,city\n"
            var events = header
            for i in 0..<4 {
                let person = (night * 3 + i * 17) % 400
                people[person] = "\(night),city \(night % 7)"
                profiles += "p\(person),\(night),city \(night % 7)\n"
            }
            for i in 0..<12 where !people.isEmpty {
                // One in twelve comes late, by up to a hundred nights.
                let day = i == 0 ? max(0, night - 100) : night
                let row =
                    "p\(people.keys.sorted()[(night * 31 + i * 7) % people.count]),email,\(i % 3 == 0 ? "opened" : "sent"),"
                    + "\(1_735_689_600 + day * 86_400 + i * 600),c\((night + i) % 9),m\((night * 12 + i) / 3)\n"
                events += row
                all += row
            }
            try second.load(.profiles, from: .files([try many.file("p.csv", profiles)]))
            try second.load(.events, from: .files([try many.file("e.csv", events)]))
            if night % 3 == 0 {
                campaigns[night % 8] =
                    "{\"id\": \"c\(night % 8)\", \"tags\": [\"t\(night % 5)\"]}\n"
                try second.load(
                    .campaigns,
                    from: .files([try many.file("c.ndjson", campaigns[night % 8] ?? "")]))
            }
        }
        try first.load(
            .campaigns, from: .files([try one.file("c.ndjson", campaigns.values.joined())]))
        let ids = try Array(
            second.snapshot().ids(
                of: try Segment(json: #"{"field": {"name": "id", "operator": "exists"}}"#)))
        #expect(ids.count == people.count)
        // Rows in the order in which the nights brought them, so that ids come out in the same
        // order.
        let table = ids.map { "\($0),\(people[Int($0.dropFirst()) ?? -1] ?? "")\n" }.joined()
        try first.load(.profiles, from: .files([try one.file("p.csv", "id,n,city\n" + table)]))
        try first.load(.events, from: .files([try one.file("e.csv", all)]))
        let rules = [
            StoreTests.opened, #"{"field": {"name": "n", "operator": "at_least", "value": 250}}"#,
            #"{"field": {"name": "city", "operator": "ends_with", "value": "3"}}"#,
            #"{"activity": {"channel": "email", "event": "unique_opened", "operator": "at_least", "times": 3,"#
                + #" "during": {"from": "2025-02-01", "to": "2025-09-15"}}}"#,
            #"{"activity": {"channel": "email", "event": "opened", "operator": "not_happened","#
                + #" "during": {"from": "2025-09-20"}, "preceded_by": {"event": "sent", "pairing": "message"}}}"#,
            #"{"activity": {"channel": "email", "event": "sent", "operator": "exactly", "times": 7,"#
                + #" "campaigns": {"ids": ["c3"], "tags": ["t1", "t4"]}}}"#,
        ]
        for compacts in [false, true] {
            if compacts { try second.compact() }
            for rule in rules {
                let segment = try Segment(json: rule)
                let expected = try Array(first.snapshot().ids(of: segment))
                #expect(try Array(second.snapshot().ids(of: segment)) == expected, "\(rule)")
                #expect(!expected.isEmpty && expected.count < people.count, "\(rule)")
            }
            #expect(try Store.verify(at: second.path).findings == [])
            let names = try FileManager.default.contentsOfDirectory(
                atPath: many.storePath + "/parts")
            for kind in ["activity", "profiles", "keys", "dictionary", "catalogue"] {
                #expect(names.filter { $0.hasPrefix(kind) }.count <= (compacts ? 1 : 8), "\(kind)")
            }
        }
    }

    @Test(
        "of many messages of a profile the one that was not opened is found, wherever it is",
        arguments: [1, 56, 57, 58, 63, 64, 65, 114, 115, 200])
    func manyMessages(count: Int) throws {
        let fixture = try Fixture()
        let store = try fixture.create([])
        // p1 opened all but one, which is the one of its number; p0 and p9 opened all.
        let missing = [1: 1, 2: (count + 1) / 2, 3: count]
        var events = "profile,channel,event,time,message\n"
        for profile in [0, 1, 2, 3, 9] {
            for message in 1...count {
                // The last is sent three times.
                for _ in 0..<(message == count ? 3 : 1) {
                    events += "p\(profile),email,sent,2025-03-01T00:00:00Z,m\(message)\n"
                }
                if missing[profile] == message { continue }
                events += "p\(profile),email,opened,2025-03-02T00:00:00Z,m\(message)\n"
            }
        }
        let file = try fixture.file("e.csv", events)
        var options = LoadOptions()
        options.unknownProfiles = .create
        try store.load(.events, from: .files([file]), options: options)
        func ids(times: Int) throws -> [String] {
            let rule = """
                {"activity": {"channel": "email", "event": "opened", "operator": "not_happened",
                 "preceded_by": {"event": "sent", "at_least": \(times), "pairing": "message"}}}
                """
            return try Array(store.snapshot().ids(of: try Segment(json: rule)))
        }
        #expect(try ids(times: 1) == ["p1", "p2", "p3"])
        #expect(
            try ids(times: 3) == missing.filter { $0.value == count }.map { "p\($0.key)" }.sorted())
        #expect(try ids(times: 4) == [])
    }

    @Test("a field that is added has no values yet, and takes them from then on")
    func addedField() throws {
        let fixture = try Fixture()
        let store = try fixture.create([Field(name: "n", type: .integer)])
        try profiles(fixture, store)
        try store.add(Field(name: "m", type: .decimal, scale: 1))
        #expect(
            try store.snapshot().schema.fields.last == Field(name: "m", type: .decimal, scale: 1))
        let exists = try Segment(json: #"{"field": {"name": "m", "operator": "exists"}}"#)
        #expect(try store.snapshot().count(exists).count == 0)
        try store.load(.profiles, from: .files([try fixture.file("m.csv", "id,m\np7,1.5\n")]))
        #expect(try Array(store.snapshot().ids(of: exists)) == ["p7"])
        for taken in ["n", "m", "id", "email", ""] {
            let error = #expect(throws: WinnowError.self) {
                try store.add(Field(name: taken, type: .string))
            }
            #expect(error?.exitCode == 64)
        }
        #expect(try Store.verify(at: store.path).findings == [])
    }

    @Test("a schema that cannot be one is refused")
    func badSchemas() throws {
        let fixture = try Fixture()
        for text in [
            "", "[]", #"{"fields": {}}"#, #"{"fields": [{"name": "a"}]}"#,
            #"{"fields": [{"type": "string"}]}"#,
            #"{"fields": [{"name": "a", "type": "text"}]}"#,
            #"{"fields": [{"name": "", "type": "string"}]}"#,
            #"{"fields": [{"name": "a", "type": "integer", "scale": 2}]}"#,
            #"{"fields": [{"name": "a", "type": "decimal", "scale": 10}]}"#,
            #"{"fields": [{"name": "a", "type": "string"}, {"name": "a", "type": "date"}]}"#,
            #"{"fields": [{"name": "id", "type": "string"}]}"#, #"{"unique_events": "both"}"#,
            #"{"nope": 1}"#, #"{"text": "small"}"#, #"{"text": true}"#,
        ] {
            let file = try fixture.file("schema.json", text)
            let error = #expect(throws: WinnowError.self, "\(text)") { try Schema(file: file) }
            #expect(error?.code.rawValue == "bad_schema" && error?.exitCode == 65, "\(text)")
        }
    }

    @Test("verify finds every flipped byte")
    func verification() throws {
        let fixture = try Fixture()
        let store = try fixture.create([Field(name: "n", type: .integer)])
        try profiles(fixture, store)
        var options = LoadOptions()
        options.batch = "one"
        let events = try fixture.file("e.csv", lines(0..<3000))
        try store.load(.events, from: .files([events]), options: options)
        #expect(try Store.verify(at: store.path).isSound)
        var state: UInt64 = 7
        for (name, data) in try fixture.contents() where name != "LOCK" {
            let inParts = name.hasSuffix(".part")
            let path = fixture.storePath + (inParts ? "/parts/" : "/") + name
            for _ in 0..<40 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                var changed = data
                changed[Int(state >> 33) % data.count] ^= UInt8(1 << (state & 7))
                try changed.write(to: URL(fileURLWithPath: path))
                let found = try? Store.verify(at: store.path)
                // A format version from the future is refused rather than called damaged.
                #expect(found?.isSound != true, "\(name)")
                if let found { #expect(found.findings.allSatisfy { $0.file == path }, "\(name)") }
            }
            try data.write(to: URL(fileURLWithPath: path))
        }
    }

    @Test("windows over subscriptions end at the instant of evaluation, days ago as well")
    func subscriptionWindows() throws {
        let fixture = try Fixture()
        let store = try fixture.create([])
        try store.load(.profiles, from: .bytes("id\na\nb\n".utf8, as: .csv))
        let rows = """
            profile,channel,resource,status,time
            a,push,app,subscribed,2026-01-03T00:30:00.000Z
            b,push,app,subscribed,2026-01-03T00:30:00.001Z

            """
        try store.load(.subscriptions, from: .bytes(rows.utf8, as: .csv))
        var options = EvaluationOptions()
        options.asOf = Instant("2026-01-03T00:30:00Z")
        for window in [
            "between 0 and 0 days ago", "between 3 and 0 days ago", "in the last 0 days",
        ] {
            let segment = try Segment("subscription exists \(window)")
            #expect(try store.snapshot().count(segment, options).count == 1, "\(window)")
        }
    }

    @Test("a goal of the empty profile is one of nobody, in CSV and in NDJSON")
    func goalsOfNobody() throws {
        let fixture = try Fixture()
        let store = try fixture.create([])
        let json = #"{"profile": "", "pixel": "p", "goal": "g", "time_ms": 1735689600000}"#
        try store.load(.goals, from: .bytes((json + "\n").utf8, as: .ndjson))
        let csv = "profile,pixel,goal,time\n,p,g,1735689600\n\"\",p,g,1735689600\n"
        try store.load(.goals, from: .bytes(csv.utf8, as: .csv))
        #expect(try store.snapshot().info().anonymousGoals == 3)
    }
}
