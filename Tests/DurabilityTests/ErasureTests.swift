import Foundation
import WinnowSimulation
import Testing
import Winnow

@Suite("Forgetting")
struct ErasureTests {
    private static let fields = [
        Field(name: "city", type: .string), Field(name: "tags", type: .stringSet),
        Field(name: "score", type: .integer),
        Field(name: "paid", type: .decimal, scale: 2), Field(name: "born", type: .date),
        Field(name: "seen", type: .datetime),
    ]

    /// What only Ivan has, in every place where a store can hold a value.
    private static let ivans = [
        "ivan", "ivan@example.com", "+491701234567", "Ivanograd", "ivan-tag", "987654321",
        "7654.32", "1931-12-05",
        "2019-03-04T05:06:07.000Z", "ivan-campaign", "ivan-template", "ivan-link", "ivan-message",
        "2020-02-03T04:05:06.000Z", "ivan-contact", "ivan-resource", "ivan-provider", "ivan-pixel",
        "ivan-goal", "4321.1234", "2021-03-04T05:06:07.000Z", "2022-03-04T05:06:07.000Z", "7777777",
    ]

    private static let rules = [
        #"{"field": {"name": "id", "operator": "exists"}}"#,
        #"{"field": {"name": "city", "operator": "exists"}}"#,
        #"{"not": {"field": {"name": "score", "operator": "at_least", "value": 50}}}"#,
        #"{"activity": {"channel": "email", "event": "opened", "operator": "exists"}}"#,
        #"{"activity": {"channel": "email", "event": "opened", "operator": "does_not_exist"}}"#,
        #"{"activity": {"channel": "email", "event": "unique_clicked", "operator": "at_least", "times": 1}}"#,
        #"{"activity": {"channel": "email", "event": "opened", "operator": "not_happened","#
            + #" "preceded_by": {"event": "clicked", "pairing": "message"}}}"#,
        #"{"activity": {"channel": "email", "event": "opened", "operator": "at_most", "times": 3,"#
            + #" "during": {"from": "2025-01-05"}}}"#,
        #"{"sample": {"from": 0, "to": 50}}"#,
        #"{"subscription": {"operator": "exists", "resource": "news", "status": "subscribed"}}"#,
        #"{"subscription": {"operator": "reachable", "channel": "email"}}"#,
        #"{"goal": {"goal": "buy", "operator": "at_least", "times": 2, "value": {"sum": {"at_least": 9}}}}"#,
    ]

    private func people(_ inputs: Inputs) throws -> String {
        try inputs.file(
            "people.csv",
            "id,email,phone,city,tags,score,paid,born,seen\n"
                + (0..<200).map {
                    "p\($0),u\($0)@example.com,+49\($0),city \($0 % 7),a|b,\($0),\($0).25,1990-01-0\(1 + $0 % 9),"
                        + "2024-05-05T00:00:00Z\n"
                }.joined())
    }

    private func ivan(_ inputs: Inputs) throws -> String {
        try inputs.file(
            "ivan.csv",
            "id,email,phone,city,tags,score,paid,born,seen\n"
                + "ivan,ivan@example.com,+491701234567,Ivanograd,a|ivan-tag,987654321,7654.32,1931-12-05,"
                + "2019-03-04T05:06:07Z\n")
    }

    private func activity(_ inputs: Inputs) throws -> String {
        var rows = ""
        for i in 0..<1500 {
            rows +=
                "p\(i * 7 % 200),email,\(i % 4 == 0 ? "clicked" : "opened"),\(1_735_689_600 + i * 977),c\(i % 5),"
            rows += "t\(i % 3),\(i % 4 == 0 ? "l\(i % 6)" : ""),m\(i / 2)\n"
        }
        let header = "profile,channel,event,time,campaign,template,link,message\n"
        return try inputs.file("activity.csv", header + rows)
    }

    private func ivansActivity(_ inputs: Inputs) throws -> String {
        let header = "profile,channel,event,time,campaign,template,link,message\n"
        return try inputs.file(
            "ivans.csv",
            header
                + "ivan,email,clicked,2020-02-03T04:05:06Z,ivan-campaign,ivan-template,ivan-link,ivan-message\n"
                + "ivan,email,opened,2025-01-03T00:00:00Z,c1,t1,,m1\n")
    }

    private static let subscriptions =
        "profile,channel,resource,status,contact,provider,priority,time\n"
    private static let goals = "profile,pixel,goal,time,value\n"

    private func records(_ inputs: Inputs) throws -> [(LoadKind, String)] {
        let records = (0..<200).map { i in
            "p\(i),email,news,\(i % 3 == 0 ? "un" : "")subscribed,u\(i)@example.com,smtp,\(i % 4),\n"
        }
        let goals = (0..<600).map { i in
            "\(i % 5 == 0 ? "" : "p\(i * 7 % 200)"),shop,buy,\(1_735_689_600 + i * 977),\(i % 9).5\n"
        }
        return [
            (
                .subscriptions,
                try inputs.file("records.csv", ErasureTests.subscriptions + records.joined())
            ),
            (.goals, try inputs.file("goals.csv", ErasureTests.goals + goals.joined())),
        ]
    }

    private func ivansRecords(_ inputs: Inputs) throws -> [(LoadKind, String)] {
        let records = [
            "ivan,email,ivan-resource,subscribed,ivan-contact,ivan-provider,7777777,2021-03-04T05:06:07Z\n",
            "ivan,email,news,subscribed,,smtp,1,\n",
        ]
        let goal = "ivan,ivan-pixel,ivan-goal,2022-03-04T05:06:07Z,4321.1234\n"
        return [
            (
                .subscriptions,
                try inputs.file("ivans-records.csv", ErasureTests.subscriptions + records.joined())
            ),
            (.goals, try inputs.file("ivans-goals.csv", ErasureTests.goals + goal)),
        ]
    }

    private func found(_ disk: SimulatedDisk) throws -> [String] {
        try ErasureTests.ivans.filter { try !Store.find($0, at: Workload.path, on: disk).isEmpty }
    }

    private func answers(_ store: Store) throws -> [[String]] {
        var options = EvaluationOptions()
        options.asOf = Instant(milliseconds: 1_800_000_000_000)
        let snapshot = try store.snapshot()
        return try ErasureTests.rules.map { rule in
            let segment = try Segment(json: rule)
            let ids = try Array(snapshot.ids(of: segment, options))
            #expect(try snapshot.count(segment, options).count == ids.count, "\(rule)")
            return ids
        }
    }

    private func store(_ disk: SimulatedDisk) throws -> Store {
        try Store.create(Workload.path, schema: Schema(fields: ErasureTests.fields), on: disk)
    }

    @Test("an erased profile is in no answer from then on, and after compaction in no file")
    func erasure() throws {
        let inputs = try Inputs()
        let disk = try Workload.disk()
        let without = try Workload.disk()
        let store = try store(disk)
        let other = try self.store(without)
        for one in [store, other] { try one.load(.profiles, from: .files([try people(inputs)])) }
        try store.load(.profiles, from: .files([try ivan(inputs)]))
        for one in [store, other] { try one.load(.events, from: .files([try activity(inputs)])) }
        try store.load(.events, from: .files([try ivansActivity(inputs)]))
        for (kind, file) in try records(inputs) {
            for one in [store, other] { try one.load(kind, from: .file(file)) }
        }
        for (kind, file) in try ivansRecords(inputs) { try store.load(kind, from: .file(file)) }
        // The search finds every kind of value while it is there.
        #expect(try found(disk) == ErasureTests.ivans)
        #expect(try Store.find("nobody has this", at: Workload.path, on: disk).isEmpty)

        let file = try inputs.file("erase.txt", "ivan\r\nnobody\n\nivan\n")
        let summary = try store.erase(profilesIn: file)
        #expect(summary.ids == 2 && summary.erased == 1)
        let expected = try answers(other)
        #expect(try answers(store) == expected)
        var info = try store.snapshot().info()
        #expect(info.profiles == 200 && info.erased == 1 && info.events == 1500)
        #expect(info.subscriptions == 200 && info.goals == 480 && info.anonymousGoals == 120)
        #expect(info.firstEvent == Instant(milliseconds: 1_735_689_600_000))
        #expect(try Store.verify(at: Workload.path, on: disk).findings == [])
        #expect(try found(disk) == ErasureTests.ivans)

        var reader: Snapshot? = try store.snapshot()
        #expect(try store.compact() == 1)
        #expect(try answers(store) == expected)
        #expect(try Store.verify(at: Workload.path, on: disk).findings == [])
        // A reader still holds the version before; the search says so.
        #expect(try found(disk) == ErasureTests.ivans && reader?.profiles == 200)
        reader = nil
        try store.load(.profiles, from: .files([try inputs.file("new.csv", "id\nnew\n")]))
        #expect(try found(disk) == [])
        info = try store.snapshot().info()
        #expect(info.profiles == 201 && info.erased == 0 && info.events == 1500)
        #expect(info.subscriptions == 200 && info.goals == 480 && info.anonymousGoals == 120)
        #expect(try store.compact() == 0)
        let version = try store.snapshot().version
        try store.compact()
        #expect(try store.snapshot().version == version)
    }

    @Test("the search decodes what a writer that died has left, and says what it cannot decode")
    func strays() throws {
        let inputs = try Inputs()
        let disk = try Workload.disk()
        let store = try store(disk)
        try store.load(.profiles, from: .files([try people(inputs), try ivan(inputs)]))
        try store.load(.events, from: .files([try ivansActivity(inputs)]))
        for (kind, file) in try ivansRecords(inputs) { try store.load(kind, from: .file(file)) }
        let before = disk.now
        try store.erase(profiles: ["ivan"])
        try store.compact()
        #expect(try found(disk) == [])
        // The files of before come back, as they do when a crash undoes that they were removed.
        var image = disk.now
        for (path, names) in before.names {
            guard let node = names.last ?? nil, image.node(path) == nil, path.hasSuffix(".part")
            else { continue }
            image.names[path] = [node]
            image.files[node] = before.files[node]
        }
        #expect(try found(SimulatedDisk(image)) == ErasureTests.ivans)
        // With its manifest, too, but without some of its parts: nobody reads that version, and
        // nothing is wrong.
        image = disk.now
        let manifest = Workload.path + "/MANIFEST-00000000000000000005"
        let node = try #require(before.node(manifest))
        image.names[manifest] = [node]
        image.files[node] = before.files[node]
        #expect(try found(SimulatedDisk(image)) == [])
        // Half a part is not passed over in silence.
        image = disk.now
        let half = Workload.path + "/parts/activity-00000063.part"
        image.names[half] = [99]
        image.files[99] = before.files[node]
        image.files[99]?.bytes = Array("ivan, or half of him".utf8)
        let other = SimulatedDisk(image)
        for value in ["ivan", "elsewhere"] {
            #expect(try Store.find(value, at: Workload.path, on: other).map(\.file) == [half])
        }
        try Store(Workload.path, on: other).load(
            .profiles, from: .files([try inputs.file("new.csv", "id\nnew\n")]))
        #expect(try found(other) == [])
        #expect(throws: WinnowError.self) { try Store.find("", at: Workload.path, on: disk) }
    }

    @Test("ids that no line can hold are erased by a file of JSON objects")
    func lineBreaks() throws {
        let inputs = try Inputs()
        let disk = try Workload.disk()
        let store = try store(disk)
        let ids = "{\"id\": \"a\\nb\"}\n\n{\"city\": \"x\", \"id\": \"\\u044f\\r\"}\r\n"
        try store.load(
            .profiles, from: .files([try people(inputs), try inputs.file("odd.ndjson", ids)]))
        #expect(try store.snapshot().profiles == 202)
        let summary = try store.erase(
            profilesIn: try inputs.file("erase.ndjson", ids), format: .ndjson)
        #expect(summary.ids == 2 && summary.erased == 2)
        #expect(try store.snapshot().profiles == 200)
        for bad in ["p1", "{\"id\": 1}", "{\"name\": \"p1\"}", "[\"p1\"]", "{\"id\": \"\"}"] {
            let file = try inputs.file("bad.ndjson", "{\"id\": \"p1\"}\n\(bad)\n")
            let error = #expect(throws: WinnowError.self) {
                try store.erase(profilesIn: file, format: .ndjson)
            }
            #expect(
                error?.code.rawValue == "bad_id" && error?.path.hasSuffix(":2") == true, "\(bad)")
        }
        #expect(try store.snapshot().profiles == 200)
    }

    @Test("an id that was erased may come again as another profile, before and after compaction")
    func again() throws {
        for compacts in [false, true] {
            let inputs = try Inputs()
            let disk = try Workload.disk()
            let store = try store(disk)
            try store.load(.profiles, from: .files([try ivan(inputs), try people(inputs)]))
            try store.load(.events, from: .files([try ivansActivity(inputs)]))
            try store.erase(profiles: ["ivan", "p5"])
            if compacts { try store.compact() }
            let unknown = #expect(throws: WinnowError.self) {
                try store.load(.events, from: .files([try ivansActivity(inputs)]))
            }
            #expect(unknown?.code.rawValue == "unknown_profile")
            let summary = try store.load(
                .profiles, from: .files([try inputs.file("again.csv", "id,score\nivan,3\n")]))
            #expect(summary.new == 1)
            let rule = try Segment(
                json: #"{"field": {"name": "id", "operator": "in", "value": ["ivan", "p5", "p6"]}}"#
            )
            #expect(try Array(store.snapshot().ids(of: rule)) == ["p6", "ivan"])
            let old = try Segment(
                json: #"{"field": {"name": "city", "operator": "equals", "value": "Ivanograd"}}"#)
            #expect(try store.snapshot().count(old).count == 0)
            let opened = try Segment(json: ErasureTests.rules[3])
            #expect(try store.snapshot().count(opened).count == 0)
            try store.load(.events, from: .files([try ivansActivity(inputs)]))
            #expect(try Array(store.snapshot().ids(of: opened)) == ["ivan"])
            #expect(try Store.verify(at: Workload.path, on: disk).findings == [])
            try store.erase(profiles: ["ivan"])
            try store.compact()
            #expect(try store.snapshot().profiles == 199)
            #expect(try Store.verify(at: Workload.path, on: disk).findings == [])
            #expect(try found(disk) == [])
        }
    }

    @Test(
        "dropped activity counts no more, and after compaction is in no file; older activity may come later"
    )
    func retention() throws {
        let inputs = try Inputs()
        let disk = try Workload.disk()
        let store = try store(disk)
        try store.load(.profiles, from: .files([try people(inputs), try ivan(inputs)]))
        try store.load(.events, from: .files([try ivansActivity(inputs)]))
        for (kind, file) in try ivansRecords(inputs) + records(inputs) {
            try store.load(kind, from: .file(file))
        }
        try store.load(.events, from: .files([try activity(inputs)]))
        let gone = [
            "ivan-campaign", "ivan-template", "ivan-link", "ivan-message",
            "2020-02-03T04:05:06.000Z", "ivan-pixel", "ivan-goal", "4321.1234",
            "2022-03-04T05:06:07.000Z",
        ]
        #expect(try found(disk) == ErasureTests.ivans)
        try store.drop(before: Instant(milliseconds: 1_735_689_600_000))
        var info = try store.snapshot().info()
        #expect(info.events == 1501 && info.firstEvent == Instant(milliseconds: 1_735_689_600_000))
        let clicked = try Segment(
            json: #"{"activity": {"channel": "email", "event": "clicked", "operator": "exists"}}"#)
        #expect(try !Array(store.snapshot().ids(of: clicked)).contains("ivan"))
        #expect(info.goals == 480 && info.anonymousGoals == 120 && info.subscriptions == 202)
        let unknown = try store.snapshot().count(.goal(["ivan-goal"]))
        #expect(unknown.count == 0 && unknown.warnings.map(\.code) == ["unknown_goal"])
        let before = try answers(store)
        try store.compact()
        #expect(try answers(store) == before)
        #expect(try found(disk) == ErasureTests.ivans.filter { !gone.contains($0) })
        #expect(try Store.verify(at: Workload.path, on: disk).findings == [])
        // Nothing is left to drop: no version is made.
        let version = try store.snapshot().version
        try store.drop(before: Instant(milliseconds: 1_735_689_600_000))
        #expect(try store.snapshot().version == version)
        // What comes late is not forgotten.
        try store.load(.events, from: .files([try ivansActivity(inputs)]))
        #expect(try Array(store.snapshot().ids(of: clicked)).contains("ivan"))
        info = try store.snapshot().info()
        #expect(info.events == 1503)
    }

    @Test("erasing everybody leaves a store that works")
    func everybody() throws {
        let inputs = try Inputs()
        let disk = try Workload.disk()
        let store = try store(disk)
        try store.load(.profiles, from: .files([try people(inputs)]))
        try store.load(.events, from: .files([try activity(inputs)]))
        try store.erase(profiles: (0..<200).map { "p\($0)" })
        #expect(try answers(store).allSatisfy(\.isEmpty))
        try store.compact()
        #expect(try answers(store).allSatisfy(\.isEmpty))
        #expect(try Store.verify(at: Workload.path, on: disk).findings == [])
        let info = try store.snapshot().info()
        #expect(info.profiles == 0 && info.events == 0 && info.firstEvent == nil)
        try store.load(.profiles, from: .files([try people(inputs)]))
        try store.load(.events, from: .files([try activity(inputs)]))
        #expect(try answers(store)[0].count == 200)
        #expect(try Store.verify(at: Workload.path, on: disk).findings == [])
    }
}
