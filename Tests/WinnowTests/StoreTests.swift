import Foundation
import Testing
import Winnow

@Suite("The store")
struct StoreTests {
    private static let opened =
        #"{"activity": {"channel": "email", "event": "opened", "operator": "at_least", "times": 2}}"#

    private func lines(_ range: Range<Int>) -> String {
        "profile,channel,event,time,campaign,template\n"
            + range.map { "p\($0 * 7 % 90),email,opened,\(1_735_689_600 + $0 * 977),c\($0 % 5),t\($0 % 3)\n" }.joined()
    }

    private func profiles(_ fixture: Fixture, _ store: WinnowStore) throws {
        let text = "id\n" + (0..<100).map { "p\($0)\n" }.joined()
        try store.load(.profiles, files: [try fixture.file("p.csv", text)])
    }

    @Test("many small batches answer like one load, from at most eight parts of a kind")
    func batches() throws {
        let one = try Fixture(), many = try Fixture()
        let first = try one.create(), second = try many.create()
        try profiles(one, first)
        try profiles(many, second)
        try first.load(.events, files: [try one.file("e.csv", lines(0..<3000))])
        for i in 0..<60 { try second.load(.events, files: [try many.file("e.csv", lines(i * 50..<i * 50 + 50))]) }
        let segment = try Segment(json: StoreTests.opened)
        #expect(try first.snapshot().ids(segment) == second.snapshot().ids(segment))
        #expect(try second.snapshot().info().events == 3000)
        let parts = try FileManager.default.contentsOfDirectory(atPath: many.storePath + "/parts")
        #expect(parts.filter { $0.hasPrefix("activity") }.count <= 8)
    }

    @Test("a snapshot stays as it was while batches are loaded and parts merged; its files go when it does")
    func snapshots() throws {
        let fixture = try Fixture(), store = try fixture.create()
        try profiles(fixture, store)
        try store.load(.events, files: [try fixture.file("e.csv", lines(0..<200))])
        let segment = try Segment(json: StoreTests.opened.replacingOccurrences(of: "2}", with: "6}"))
        var old: WinnowSnapshot? = try store.snapshot()
        let before = try old?.ids(segment)
        for i in 1..<9 { try store.load(.events, files: [try fixture.file("e.csv", lines(i * 200..<i * 200 + 200))]) }
        #expect(try old?.ids(segment) == before)
        #expect(try store.snapshot().ids(segment) != before)
        old = nil
        try store.load(.events, files: [try fixture.file("e.csv", lines(0..<10))])
        let names = try FileManager.default.contentsOfDirectory(atPath: fixture.storePath)
        #expect(names.filter { $0.hasPrefix("MANIFEST") }.count == 1)
    }

    @Test("what a writer that died left behind is removed by the next one")
    func leftovers() throws {
        let fixture = try Fixture(), store = try fixture.create()
        try profiles(fixture, store)
        let stray = fixture.storePath + "/parts/activity-0000ffff.part"
        try Data("half a part".utf8).write(to: URL(fileURLWithPath: stray))
        try Data("half a manifest".utf8).write(
            to: URL(fileURLWithPath: fixture.storePath + "/MANIFEST-00000000000000000009.tmp"))
        #expect(try store.snapshot().profiles == 100)
        try store.load(.events, files: [try fixture.file("e.csv", lines(0..<10))])
        #expect(!FileManager.default.fileExists(atPath: stray))
        let names = try FileManager.default.contentsOfDirectory(atPath: fixture.storePath)
        #expect(!names.contains { $0.hasSuffix(".tmp") })
    }

    private func answers(_ fixture: Fixture, _ segments: [Segment]) -> Result<[[String]], WinnowError> {
        do throws(WinnowError) {
            let snapshot = try WinnowStore(at: fixture.storePath).snapshot()
            var answers: [[String]] = []
            for segment in segments { answers.append(try snapshot.ids(segment)) }
            return .success(answers)
        } catch {
            return .failure(error)
        }
    }

    @Test("a flipped byte is reported, or changes nothing: never a crash, never another answer")
    func damage() throws {
        let fixture = try Fixture(), store = try fixture.create([Field(name: "n", type: .integer)])
        let text = "id,n,email\n" + (0..<100).map { "p\($0),\($0 * 3),user\($0)@example.com\n" }.joined()
        try store.load(.profiles, files: [try fixture.file("p.csv", text)])
        let campaigns = try fixture.file("c.ndjson", "{\"id\": \"c1\", \"tags\": [\"x\"]}\n")
        try store.load(.campaigns, files: [campaigns])
        try store.load(.events, files: [try fixture.file("e.csv", lines(0..<3000))])
        let rules = [
            StoreTests.opened, #"{"field": {"name": "n", "operator": "less_than", "value": 100}}"#,
            #"{"field": {"name": "email", "operator": "contains", "value": "7@"}}"#,
            #"{"activity": {"channel": "email", "event": "opened", "operator": "not_happened","#
                + #" "campaigns": {"tags": ["x"]}, "during": {"from": "2025-01-05"}}}"#,
        ]
        let segments = try rules.map { try Segment(json: $0) }
        let expected = try segments.map { try store.snapshot().ids($0) }
        var reported = 0, tried = 0, state: UInt64 = 42
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
}
