import WinnowCountedAllocations
import Foundation
import Testing
import Winnow

/// Evaluation does not allocate per block: what it needs is a matter of the rule, not of the store.
@Suite("Allocations")
struct AllocationTests {
    private static let kinds = [
        #"{"activity": {"channel": "email", "event": "opened", "operator": "at_least", "times": 2}}"#,
        #"{"activity": {"channel": "email", "event": "opened", "operator": "at_least", "times": 1, "campaigns": ["c1", "c3"]}}"#,
        #"{"activity": {"channel": "email", "event": "opened", "operator": "at_least", "times": 2, "campaigns": ["c1", "c3"]}}"#,
        #"{"activity": {"channel": "email", "event": "opened", "operator": "at_least", "times": 1, "during": {"from": "2025-01-05", "to": "2025-01-20"}}}"#,
        #"{"activity": {"channel": "email", "event": "opened", "operator": "at_most", "times": 1, "during": {"from": "2025-01-05", "to": "2025-01-20"}}}"#,
        #"{"activity": {"channel": "email", "event": "clicked", "operator": "at_least", "times": 1, "links": ["l2"]}}"#,
        #"{"activity": {"channel": "email", "event": "unique_clicked", "operator": "at_least", "times": 1}}"#,
        #"{"field": {"name": "age", "operator": "between", "value": [20, 40]}}"#,
        #"{"field": {"name": "country", "operator": "in", "value": ["c1", "c5"]}}"#,
        #"""
        {"all": [{"field": {"name": "age", "operator": "at_least", "value": 30}}, {"any": [
         {"activity": {"channel": "email", "event": "clicked", "operator": "exists"}},
         {"not": {"activity": {"channel": "email", "event": "opened", "operator": "at_least", "times": 2,
          "campaigns": ["c2"]}}}]}]}
        """#,
    ]

    private static func store(blocks: Int, _ name: String) throws -> Store {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "winnow-test-\(UUID())-\(name)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var profiles = "id,age,country\n"
        var events = "profile,channel,event,time,campaign,link\n"
        for i in 0..<blocks * 65_536 {
            profiles += "p\(i),\(i % 83),c\(i % 11)\n"
            // What blocks hold is the same in all of them.
            let k = i % 65_536
            let time = 1_735_689_600 + k % 2_600_000
            if k % 4 == 0 { events += "p\(i),email,opened,\(time),c\(k / 4 % 7),\n" }
            if k % 12 == 0 { events += "p\(i),email,opened,\(time + 60),c\(k / 4 % 7),\n" }
            if k % 20 == 0 {
                events += "p\(i),email,clicked,\(time + 90),c\(k / 4 % 7),l\(k % 3)\n"
            }
        }
        let files = ["profiles": profiles, "events": events]
        for (kind, text) in files {
            try text.write(
                to: folder.appendingPathComponent(kind + ".csv"), atomically: true, encoding: .utf8)
        }
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(
            "winnow-test-\(UUID())-\(name)"
        ).path
        let schema = Schema(fields: [
            Field(name: "age", type: .integer), Field(name: "country", type: .string),
        ])
        let store = try Store.create(path, schema: schema)
        try store.load(
            .profiles, from: .files([folder.appendingPathComponent("profiles.csv").path]))
        try store.load(.events, from: .files([folder.appendingPathComponent("events.csv").path]))
        return store
    }

    private static func allocations(_ body: () throws -> Void) rethrows -> Int {
        let before = allocations_of_thread()
        try body()
        return allocations_of_thread() - before
    }

    @Test("are as many for one block as for twelve", .enabled(if: allocations_are_counted()))
    func constant() throws {
        var probe: [Int] = []
        try #require(
            AllocationTests.allocations { probe = Array(0..<1000) } > 0,
            "allocations are not counted")
        #expect(probe.count == 1000)
        let stores = [
            try AllocationTests.store(blocks: 1, "one"),
            try AllocationTests.store(blocks: 12, "twelve"),
        ]
        defer { for store in stores { try? FileManager.default.removeItem(atPath: store.path) } }
        let snapshots = try stores.map { try $0.snapshot() }
        var options = EvaluationOptions()
        options.threads = 1
        options.asOf = Instant("2026-01-01T00:00:00Z")
        for rule in AllocationTests.kinds {
            let segment = try Segment(json: rule)
            let counts = try snapshots.map { snapshot in
                _ = try snapshot.count(segment, options)
                // The least of some: at times another test has what this thread could use again.
                let tries = try (0..<5).map { _ in
                    try AllocationTests.allocations { _ = try snapshot.count(segment, options) }
                }
                return tries.min() ?? 0
            }
            // How far an array can grow in place depends on the heap, so a few more or less say
            // nothing; one allocation a block would be eleven.
            #expect(abs(counts[0] - counts[1]) < 11, "\(rule): \(counts)")
        }
    }
}
