import Dispatch
import Foundation
import Synchronization
import WinnowSimulation
import Testing
import Winnow

/// What a store holds, as far as a few questions tell.
struct Contents: Hashable {
    var version: UInt64
    var answers: [[String]]
    var events: Int
    var fields: [String]

    private static let rules = [
        #"{"field": {"name": "id", "operator": "exists"}}"#,
        #"{"field": {"name": "n", "operator": "at_least", "value": 5}}"#,
        #"{"field": {"name": "email", "operator": "contains", "value": "1"}}"#,
        #"{"activity": {"channel": "email", "event": "opened", "operator": "at_least", "times": 2}}"#,
        #"{"activity": {"channel": "email", "event": "clicked", "operator": "not_happened", "links": ["l1"]}}"#,
        #"{"activity": {"channel": "email", "event": "unique_opened", "operator": "at_least", "times": 1,"#
            + #" "campaigns": {"tags": ["x"]}}}"#,
        #"{"subscription": {"operator": "exists", "status": "subscribed"}}"#,
        #"{"goal": {"goal": "g1", "operator": "at_least", "times": 1, "value": {"sum": {"at_least": 3}}}}"#,
    ]

    init(_ path: String, on disk: SimulatedDisk) throws {
        let snapshot = try Store(path, on: disk).snapshot()
        version = snapshot.version
        var options = EvaluationOptions()
        options.threads = 1
        options.asOf = Instant(milliseconds: 1_800_000_000_000)
        answers = []
        for rule in Contents.rules {
            answers.append(try Array(snapshot.ids(of: try Segment(json: rule), options)))
        }
        for segment in try snapshot.savedSegments() {
            answers.append(try Array(snapshot.ids(of: .saved(segment.name), options)))
            answers.append(["\(segment)"])
            guard segment.kind == .static else { continue }
            answers.append(try Array(snapshot.ids(of: .left(segment.name), options)))
            answers.append(try snapshot.refreshes(of: segment.name).map { "\($0)" })
        }
        events = try snapshot.info().events
        fields = snapshot.schema.ownFields.map(\.name)
    }
}

@Suite("Crashes")
struct CrashTests {
    private static let fields = [Field(name: "n", type: .integer)]

    static func create(_ disk: SimulatedDisk) throws {
        _ = try Store.create(Workload.path, schema: Schema(fields: fields), on: disk)
    }

    static func load(
        _ kind: LoadKind, _ file: String, _ options: LoadOptions = LoadOptions()
    ) -> Workload.Step {
        { disk in
            try Store(Workload.path, on: disk).load(kind, from: .files([file]), options: options)
        }
    }

    static let compact: Workload.Step = { try Store(Workload.path, on: $0).compact() }
    static let erase: Workload.Step = {
        try Store(Workload.path, on: $0).erase(profiles: ["p1", "p7", "nobody"])
    }
    static let drop: Workload.Step = {
        try Store(Workload.path, on: $0).drop(before: Instant(milliseconds: 1_735_700_000_000))
    }

    private static func asOf(_ hour: Int64) -> EvaluationOptions {
        EvaluationOptions(
            asOf: Instant(milliseconds: 1_735_689_600_000 + hour * 3_600_000), threads: 1)
    }
    static let save: Workload.Step = {
        try Store(Workload.path, on: $0).save(
            .email(.opened, .atLeast(1)) || .field("n", .atLeast, 15), as: "some")
    }
    static let freeze: Workload.Step = {
        try Store(Workload.path, on: $0).freeze(
            .saved("some"), as: "frozen", SaveOptions(evaluation: asOf(0)))
    }
    static func refresh(_ hour: Int64) -> Workload.Step {
        {
            try Store(Workload.path, on: $0).refresh(batch: "hour \(hour)", asOf(hour))
        }
    }
    static let remove: Workload.Step = {
        try Store(Workload.path, on: $0).removeSegment("frozen")
    }

    /// Runs the steps, then crashes after every call of every step into every state, of the
    /// combinations of names at most `limit`.
    /// - Returns: how many states were tried.
    private func crash(_ workload: Workload, limit: Int, thorough: Bool, _ name: String) throws
        -> Int
    {
        let disk = try Workload.disk(keepsImages: true)
        var expected: [Contents?] = [nil]
        for (i, step) in workload.steps.enumerated() {
            try step(disk)
            disk.acknowledge(i + 1)
            expected.append(try Contents(Workload.path, on: disk))
        }
        let images = disk.images
        let tried = Atomic(0)
        let wanted = expected
        let wrong = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: images.count) { i in
            do {
                try CrashStates(images[i], thorough: thorough).forEach(
                    limit: limit, seed: UInt64(i)
                ) {
                    let number = tried.wrappingAdd(1, ordering: .relaxed).newValue
                    let found = try CrashTests.examine($0, wanted, goesOn: number % 16 == 0)
                    if let found { wrong.withLock { $0.append("crash after call \(i): \(found)") } }
                }
            } catch {
                wrong.withLock { $0.append("crash after call \(i): \(error)") }
            }
        }
        let count = tried.load(ordering: .relaxed)
        print("\(name): \(images.count) calls, \(count) states after crashes")
        let problems = wrong.withLock { $0 }
        #expect(problems.isEmpty, "\(name): \(problems.count) of \(count): \(problems.prefix(5))")
        return count
    }

    /// What is wrong with a state; nil when it is a version that was committed, and the last that
    /// was acknowledged or a later one.
    private static func examine(
        _ image: SimulatedDisk.Image, _ expected: [Contents?], goesOn: Bool
    ) throws -> String? {
        let disk = SimulatedDisk(image)
        let allowed = expected[image.acknowledged...min(image.acknowledged + 1, expected.count - 1)]
        let found: Contents?
        do { found = try Contents(Workload.path, on: disk) } catch let error as WinnowError {
            guard case .notFound = error else { return "\(error)" }
            found = nil
        }
        guard allowed.contains(found) else {
            return
                "found version \(found?.version ?? 0) after \(image.acknowledged) steps, or other contents"
        }
        guard found != nil else {
            // What creating has left does not stand in the way of creating.
            if image.acknowledged == 0, goesOn { try create(disk) }
            return nil
        }
        let findings = try Store.verify(at: Workload.path, on: disk).findings
        if !findings.isEmpty { return "\(findings)" }
        guard goesOn else { return nil }
        // Life goes on: the next writer removes what was left, and nothing else.
        let inputs = try Inputs()
        try load(.profiles, try inputs.profiles(900..<903))(disk)
        let after = try Contents(Workload.path, on: disk)
        if after.version != (found?.version ?? 0) + 1 {
            return "the next load made version \(after.version)"
        }
        if after.answers[0] != (found?.answers[0] ?? []) + ["p900", "p901", "p902"] {
            return "the next load lost ids"
        }
        let names = try disk.list(Workload.path) ?? []
        if names.contains(where: { $0.hasSuffix(".tmp") }) { return "left over: \(names)" }
        let parts = try disk.list(Workload.path + "/parts")?.count ?? 0
        let named = try Store(Workload.path, on: disk).snapshot().info().parts
        return parts == named ? nil : "\(parts) part files, \(named) in the manifest"
    }

    /// With `WINNOW_THOROUGH` in the environment every combination of names is tried, which takes
    /// minutes.
    @Test(
        "creating, loading, forgetting and compacting a store may be cut short anywhere: a committed version is left"
    )
    func short() throws {
        let inputs = try Inputs()
        var rejecting = LoadOptions()
        rejecting.rejects = inputs.folder.appendingPathComponent("rejects").path
        rejecting.batch = "b1"
        let bad = try inputs.file(
            "bad.csv",
            "profile,channel,event,time\np1,email,opened,1735689600\np1,email,opend,1735689600\n")
        let workload = Workload(steps: [
            CrashTests.create, CrashTests.load(.profiles, try inputs.profiles(0..<20)),
            CrashTests.load(.campaigns, try inputs.campaigns()),
            CrashTests.load(.events, try inputs.events(0..<60, profiles: 20)),
            CrashTests.load(.events, bad, rejecting),
            CrashTests.load(.events, try inputs.events(60..<90, profiles: 20)),
            CrashTests.load(.subscriptions, try inputs.subscriptions(20, batch: 0)),
            CrashTests.load(.goals, try inputs.goals(20, batch: 0)),
            CrashTests.load(.subscriptions, try inputs.subscriptions(20, batch: 1)),
            CrashTests.erase, CrashTests.drop, CrashTests.compact,
        ])
        let thorough = ProcessInfo.processInfo.environment["WINNOW_THOROUGH"] != nil
        let count = try crash(
            workload, limit: thorough ? .max : 24, thorough: true, "short workload")
        #expect(count > 8000)
    }

    @Test("a long history of small batches may be cut short anywhere")
    func long() throws {
        let inputs = try Inputs()
        var steps: [Workload.Step] = [
            CrashTests.create, CrashTests.load(.profiles, try inputs.profiles(0..<40)),
        ]
        for night in 0..<24 {
            steps.append(CrashTests.load(.profiles, try inputs.profiles(night..<night + 3)))
            steps.append(
                CrashTests.load(
                    .events, try inputs.events(night * 20..<night * 20 + 20, profiles: 40)))
            guard night % 3 == 0 else { continue }
            steps.append(
                CrashTests.load(.subscriptions, try inputs.subscriptions(40, batch: night)))
            steps.append(CrashTests.load(.goals, try inputs.goals(40, batch: night)))
        }
        let count = try crash(Workload(steps: steps), limit: 8, thorough: false, "long workload")
        #expect(count > 10_000)
    }

    @Test("saving, refreshing and removing segments may be cut short anywhere")
    func segments() throws {
        let inputs = try Inputs()
        var steps: [Workload.Step] = [
            CrashTests.create, CrashTests.load(.profiles, try inputs.profiles(0..<20)),
            CrashTests.save, CrashTests.freeze,
        ]
        for night in 1..<7 {
            steps.append(
                CrashTests.load(
                    .events, try inputs.events(night * 20..<night * 20 + 20, profiles: 20)))
            steps.append(CrashTests.refresh(Int64(night) * 20))
        }
        steps += [
            CrashTests.erase, CrashTests.drop, CrashTests.refresh(200), CrashTests.compact,
            CrashTests.remove, CrashTests.compact,
        ]
        let count = try crash(Workload(steps: steps), limit: 6, thorough: false, "segments")
        #expect(count > 4000)
    }
}
