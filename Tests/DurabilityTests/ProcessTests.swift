import Foundation
import Synchronization
import WinnowDisk
import WinnowSimulation
import Testing
import Winnow

/// The release binary as another process.
struct Program {
    private let process = Process()
    private let output = Pipe()
    let input = Pipe()

    static var path: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent(".build/release/winnow").path
    }

    init(_ arguments: [String]) throws {
        process.executableURL = URL(fileURLWithPath: Program.path)
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    @discardableResult static func run(_ arguments: String...) throws -> (
        status: Int32, output: String
    ) {
        try Program(arguments).wait()
    }

    /// Ends it at once, with no chance to tidy up.
    func kill() { _ = Foundation.kill(process.processIdentifier, SIGKILL) }

    var isRunning: Bool { process.isRunning }

    /// The exit status (of one that was killed, 9), and what it printed.
    @discardableResult func wait() -> (status: Int32, output: String) {
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: text, as: UTF8.self))
    }
}

/// What was loaded, told apart from the engine: how often each profile opened.
private struct Ledger {
    var opened: [String: Int] = [:]

    func atLeast(_ n: Int) -> Set<String> { Set(opened.filter { $0.value >= n }.keys) }

    func adding(_ batch: [(profile: String, time: Int)]) -> Ledger {
        var result = self
        for event in batch { result.opened[event.profile, default: 0] += 1 }
        return result
    }
}

@Suite("Processes", .serialized)
struct ProcessTests {
    /// How many processes are killed; `WINNOW_KILLS` asks for more.
    private static let kills =
        ProcessInfo.processInfo.environment["WINNOW_KILLS"].flatMap { Int($0) } ?? 120

    private static func rule(_ n: Int) throws -> Segment {
        try Segment(
            json:
                #"{"activity": {"channel": "email", "event": "opened", "operator": "at_least", "times": \#(n)}}"#
        )
    }

    private func store(_ inputs: Inputs, profiles: Int) throws -> Store {
        let store = try Store.create(
            inputs.folder.appendingPathComponent("store").path,
            schema: Schema(fields: [Field(name: "n", type: .integer)]))
        try store.load(.profiles, from: .files([try inputs.profiles(0..<profiles)]))
        return store
    }

    private func matches(_ store: Store, _ ledger: Ledger) throws -> Bool {
        let snapshot = try store.snapshot()
        for n in [1, 9, 14]
        where try Set(Array(snapshot.ids(of: ProcessTests.rule(n)))) != ledger.atLeast(n) {
            return false
        }
        return try snapshot.info().events == ledger.opened.values.reduce(0, +)
    }

    @Test("a process that is killed at any moment leaves all of its batch or nothing of it")
    func kill() throws {
        let inputs = try Inputs()
        let store = try store(inputs, profiles: 400)
        var ledger = Ledger()
        var dice = Dice(7)
        var died = 0
        var stored = 0
        for i in 0..<ProcessTests.kills {
            let batch = (0..<6000).map {
                (profile: "p\(($0 * 13 + i * 7 + $0 / 500) % 400)", time: 1_735_689_600 + $0)
            }
            let rows = batch.map { "\($0.profile),email,opened,\($0.time),c\($0.time % 7)\n" }
            let file = try inputs.file(
                "batch.csv", "profile,channel,event,time,campaign\n" + rows.joined())
            let load = [
                "load", store.path, "events", file, "--batch", "b\(i)", "--memory", "16MiB",
            ]
            let process = try Program(load)
            usleep(UInt32(dice.below(i % 3 == 0 ? 12_000 : 45_000)))
            process.kill()
            let finished = process.wait().status == 0
            let after = ledger.adding(batch)
            if !finished { died += 1 }
            let isAfter = try matches(store, after)
            let isBefore = try matches(store, ledger)
            #expect(isAfter || (!finished && isBefore), "after kill \(i)")
            if isAfter, !finished { stored += 1 }
            #expect(try Store.verify(at: store.path).findings == [], "after kill \(i)")
            // The same again: nothing is stored twice, nothing is left over.
            #expect(try Program(load).wait().status == 0)
            #expect(try matches(store, after), "retried after kill \(i)")
            ledger = after
            if i % 10 == 9 {
                try store.erase(profiles: ["p\(i)"])
                ledger.opened["p\(i)"] = nil
                let compaction = try Program(["compact", store.path])
                usleep(UInt32(dice.below(40_000)))
                compaction.kill()
                compaction.wait()
                #expect(try matches(store, ledger), "compaction \(i)")
                #expect(try Store.verify(at: store.path).findings == [], "compaction \(i)")
                // The id comes again, so that later batches are about somebody.
                try store.load(
                    .profiles, from: .files([try inputs.file("again.csv", "id\np\(i)\n")]))
            }
        }
        let parts = try FileManager.default.contentsOfDirectory(atPath: store.path + "/parts").count
        #expect(try parts == store.snapshot().info().parts)
        print(
            "\(ProcessTests.kills) loads killed: \(died) died, \(stored) of them after the commit point"
        )
        #expect(died > ProcessTests.kills / 3)
    }

    @Test("of two that make a store in one place one does, and the other is told")
    func creators() throws {
        let inputs = try Inputs()
        let path = inputs.folder.appendingPathComponent("store").path
        let schemas = try ["a", "b"].map {
            try inputs.file(
                "\($0).json", "{\"fields\": [{\"name\": \"\($0)\", \"type\": \"string\"}]}")
        }
        for round in 0..<60 {
            try? FileManager.default.removeItem(atPath: path)
            let programs = try schemas.map { try Program(["create", path, "--schema", $0]) }
            let statuses = programs.map { $0.wait().status }
            #expect(statuses.sorted() == [0, 73], "round \(round)")
            let names = try Store(path).snapshot().schema.fields.map(\.name)
            #expect(names.contains(statuses[0] == 0 ? "a" : "b"), "round \(round)")
        }
    }

    @Test("the second of two writers is told to try again, by any command that writes")
    func writers() throws {
        let inputs = try Inputs()
        let store = try store(inputs, profiles: 10)
        let first = try Program(["load", store.path, "profiles", "-", "--format", "csv"])
        first.input.fileHandleForWriting.write(Data("id\nnew\n".utf8))
        let erased = try inputs.file("erase.txt", "p1\n")
        let lock = store.path + "/LOCK"
        // Until the first holds the lock.
        for _ in 0..<500 {
            let descriptor = open(lock, O_RDONLY)
            let isHeld = flock(descriptor, LOCK_EX | LOCK_NB) != 0
            close(descriptor)
            if isHeld { break }
            usleep(10_000)
        }
        let file = try inputs.profiles(20..<22)
        for arguments in [
            ["load", store.path, "profiles", file], ["compact", store.path],
            ["drop", store.path, "--before", "2030-01-01"],
            ["erase", store.path, "--profiles", erased],
            ["schema", store.path, "add", "x", "integer"],
        ] {
            #expect(try Program(arguments).wait().status == 75, "\(arguments)")
        }
        // Reading goes on meanwhile.
        #expect(try Program(["info", store.path]).wait().status == 0)
        try first.input.fileHandleForWriting.close()
        #expect(first.wait().status == 0)
        #expect(try Program(["load", store.path, "profiles", file]).wait().status == 0)
        #expect(try store.snapshot().profiles == 13)
    }

    private func manifests(_ store: Store) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: store.path).filter {
            $0.hasPrefix("MANIFEST")
        }.count
    }

    @Test(
        "readers hold their version, in many processes and twice in one; one that was killed holds nothing"
    )
    func readers() throws {
        let inputs = try Inputs()
        let store = try store(inputs, profiles: 50)
        try store.load(.events, from: .files([try inputs.events(0..<300, profiles: 50)]))
        let rule = #"{"activity": {"channel": "email", "event": "opened", "operator": "exists"}}"#
        let rules = try inputs.file("rules.ndjson", rule + "\n")
        let segment = try Segment(json: rule)
        let before = try Array(store.snapshot().ids(of: segment))
        var first: Snapshot? = try store.snapshot()
        var second: Snapshot? = try store.snapshot()
        // Processes that read the whole time.
        let others = try (0..<3).map { _ in
            try Program([
                "bench", store.path, "--rules", rules, "--repeat", "100000000", "--format", "json",
            ])
        }
        usleep(300_000)
        for i in 0..<12 {
            try store.load(
                .events, from: .files([try inputs.events(i * 40..<i * 40 + 40, profiles: 50)]))
        }
        try store.load(.profiles, from: .files([try inputs.profiles(50..<60)]))
        #expect(first?.profiles == 50 && second?.profiles == 50)
        first = nil
        // One of two snapshots of a process is gone; the other is as before.
        try store.compact()
        #expect(try second.map { Array(try $0.ids(of: segment)) } == before)
        #expect(try second?.info().events == 300)
        #expect(try manifests(store) == 2)
        second = nil
        try store.load(.profiles, from: .files([try inputs.profiles(60..<61)]))
        // The other processes still hold it.
        #expect(try manifests(store) == 2)
        for other in others { other.kill() }
        for other in others { other.wait() }
        try store.load(.profiles, from: .files([try inputs.profiles(61..<62)]))
        #expect(try manifests(store) == 1)
        let parts = try FileManager.default.contentsOfDirectory(atPath: store.path + "/parts").count
        #expect(try parts == store.snapshot().info().parts)
    }

    @Test("readers that open the store while it is written always get a whole version")
    func openingWhileWriting() throws {
        let inputs = try Inputs()
        let store = try store(inputs, profiles: 20)
        let isDone = Atomic(false)
        let opened = Atomic(0)
        let wrong = Mutex<[String]>([]),
            all = try Segment(json: #"{"field": {"name": "id", "operator": "exists"}}"#)
        let threads = (0..<3).map { _ in
            Thread {
                while !isDone.load(ordering: .relaxed) {
                    do {
                        let snapshot = try store.snapshot()
                        let count = try Array(snapshot.ids(of: all)).count
                        if count != snapshot.profiles || (count - 20) % 10 != 0 {
                            wrong.withLock { $0.append("\(count)") }
                        }
                        _ = try snapshot.info()
                        opened.wrappingAdd(1, ordering: .relaxed)
                    } catch {
                        wrong.withLock { $0.append("\(error)") }
                    }
                }
            }
        }
        for thread in threads { thread.start() }
        for i in 0..<60 {
            try store.load(
                .profiles, from: .files([try inputs.profiles(20 + i * 10..<30 + i * 10)]))
            if i % 20 == 19 { try store.compact() }
        }
        isDone.store(true, ordering: .relaxed)
        usleep(200_000)
        #expect(wrong.withLock { $0 } == [])
        #expect(opened.load(ordering: .relaxed) > 60)
    }

    @Test("a version that is replaced between choosing and locking it is not read")
    func race() throws {
        let inputs = try Inputs()
        let disk = try Workload.disk()
        try CrashTests.create(disk)
        for before in [true, false] {
            let profiles = try Store(Workload.path, on: disk).snapshot().profiles
            let load = CrashTests.load(.profiles, try inputs.profiles(profiles..<profiles + 5))
            var raced = 0
            disk.race = (
                before ? .beforeOpening : .beforeLocking,
                {
                    raced += 1
                    if raced == 1 { try? load(disk) }
                }
            )
            let snapshot = try Store(Workload.path, on: disk).snapshot()
            disk.race = nil
            #expect(raced >= 1 && snapshot.profiles == profiles + 5)
            #expect(
                try Array(
                    snapshot.ids(
                        of: try Segment(json: #"{"field": {"name": "id", "operator": "exists"}}"#))
                )
                .count
                    == profiles + 5)
        }
    }

    @Test("a version that is about to be removed cannot be locked")
    func removal() throws {
        let inputs = try Inputs()
        let disk = try Workload.disk()
        try CrashTests.create(disk)
        let old = try #require(
            try disk.list(Workload.path)?.filter { $0.hasPrefix("MANIFEST-") }.max())
        var locked: [Bool] = []
        disk.race = (
            .beforeRemoving,
            {
                // A reader that chose this version while it was the newest.
                let lock = try? disk.lock(Workload.path + "/" + old, .shared)
                locked.append(lock != nil)
            }
        )
        try CrashTests.load(.profiles, try inputs.profiles(0..<5))(disk)
        #expect(locked == [false])
    }
}
