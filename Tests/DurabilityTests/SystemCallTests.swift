import WinnowDisk
import WinnowFailingCalls
import Foundation
import WinnowSimulation
import Testing
import Winnow

/// The real disk, whose system calls fail, are interrupted or do half of what they should.
@Suite("System calls", .serialized)
struct SystemCallTests {
    /// A step on the store at a path.
    private typealias Step = (String, any Disk) throws -> Void

    private func steps(_ inputs: Inputs) throws -> [(name: String, step: Step)] {
        func load(_ kind: LoadKind, _ file: String) -> Step {
            { path, disk in try Store(path, on: disk).load(kind, from: .files([file])) }
        }
        let fields = [Field(name: "n", type: .integer)]
        return [
            ("create", { _ = try Store.create($0, schema: Schema(fields: fields), on: $1) }),
            ("profiles", load(.profiles, try inputs.profiles(0..<30))),
            ("campaigns", load(.campaigns, try inputs.campaigns())),
            ("events", load(.events, try inputs.events(0..<300, profiles: 30))),
            ("more events", load(.events, try inputs.events(300..<340, profiles: 30))),
            ("erase", { try Store($0, on: $1).erase(profiles: ["p3"]) }),
            ("compact", { try Store($0, on: $1).compact() }),
        ]
    }

    /// What the store's parts hold, by name.
    private func parts(_ store: String) throws -> [String: Data] {
        var result: [String: Data] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: store + "/parts") {
            result[name] = try Data(contentsOf: URL(fileURLWithPath: store + "/parts/" + name))
        }
        return result
    }

    /// Runs all steps in a folder of its own.
    private func parts(
        _ name: String, _ inputs: Inputs, _ disk: any Disk,
        during run: (() throws -> Void) throws -> Void = { try $0() }
    ) throws -> [[String: Data]] {
        let store = inputs.folder.appendingPathComponent(name).path
        return try steps(inputs).map { step in
            try run { try step.step(store, disk) }
            #expect(try Store.verify(at: store).findings == [], "\(name), \(step.name)")
            return try parts(store)
        }
    }

    @Test("io_uring, plain calls, and a system that forbids io_uring write the same files")
    func ring() throws {
        let inputs = try Inputs()
        let plain = try parts("plain", inputs, PosixDisk(syncsInParallel: false))
        #expect(try parts("ring", inputs, PosixDisk()) == plain)
        var forbidden: Result<[[String: Data]], any Error>?
        let done = DispatchSemaphore(value: 0)
        nonisolated(unsafe) let run = {
            #expect(forbid_io_uring() == 1)
            forbidden = Result { try parts("forbidden", inputs, PosixDisk()) }
        }
        // The filter is for the thread, and goes with it.
        let thread = Thread {
            run()
            done.signal()
        }
        thread.start()
        done.wait()
        #expect(try forbidden?.get() == plain)
    }

    private func descriptor(of path: String) throws -> Int32? {
        let open = "/proc/self/fd"
        return try FileManager.default.contentsOfDirectory(atPath: open).first {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: open + "/" + $0)) == path
        }.flatMap { Int32($0) }
    }

    @Test("a sync that fails is told by both ways, with its file")
    func failedSync() throws {
        let inputs = try Inputs()
        for parallel in [false, true] {
            let disk = PosixDisk(syncsInParallel: parallel)
            let good = try disk.create(
                inputs.folder.appendingPathComponent("good \(parallel)").path)
            let bad = try disk.create(inputs.folder.appendingPathComponent("bad \(parallel)").path)
            // A pipe in its place cannot be synced.
            let descriptor = try #require(
                try descriptor(of: inputs.folder.appendingPathComponent("bad \(parallel)").path))
            let pipe = Pipe()
            #expect(dup2(pipe.fileHandleForWriting.fileDescriptor, descriptor) == descriptor)
            let error = #expect(throws: WinnowError.self) {
                try disk.sync([good, bad], directory: nil)
            }
            #expect(error?.exitCode == 74 && error?.path.hasSuffix("bad \(parallel)") == true)
        }
    }

    @Test(
        "interrupted calls are tried again, and short writes and reads go on where they stopped",
        .enabled(if: calls_can_fail()))
    func interrupted() throws {
        let inputs = try Inputs()
        let plain = try parts("plain", inputs, PosixDisk(syncsInParallel: false))
        for (name, mode) in [("interrupted", failing_interrupted), ("short", failing_short)] {
            for parallel in [false, true] {
                var calls: Int32 = 0
                let disk = PosixDisk(syncsInParallel: parallel)
                let result = try parts("\(name) \(parallel)", inputs, disk) { step in
                    failing_calls_begin(inputs.folder.path, mode, 0, 0, 0)
                    defer { calls += failing_calls_end() }
                    try step()
                }
                #expect(result == plain, "\(name)")
                #expect(calls > 200)
            }
        }
    }

    @Test(
        "whichever system call fails, the store is as before or as after, and a full disk is told as one",
        .enabled(if: calls_can_fail()))
    func everyCall() throws {
        let inputs = try Inputs()
        let disk = PosixDisk(syncsInParallel: false)
        let store = inputs.folder.appendingPathComponent("store").path
        let copy = inputs.folder.appendingPathComponent("copy").path
        let files = FileManager.default
        let rule = try Segment(
            json:
                #"{"activity": {"channel": "email", "event": "opened", "operator": "at_least", "times": 3}}"#
        )
        func state() throws -> [String] { try Array(Store(store).snapshot().ids(of: rule)) }
        var failures = 0
        for (name, step) in try steps(inputs) {
            let isFirst = !files.fileExists(atPath: store)
            let before = isFirst ? nil : try state()
            if !isFirst { try files.copyItem(atPath: store, toPath: copy) }
            func restore() throws {
                try? files.removeItem(atPath: store)
                if !isFirst { try files.copyItem(atPath: copy, toPath: store) }
            }
            try step(store, disk)
            let after = try state()
            for (code, times) in [(EIO, 1), (ENOSPC, Int32.max), (EMFILE, 1)] as [(Int32, Int32)] {
                for call in Int32(1)... {
                    try restore()
                    failing_calls_begin(inputs.folder.path, failing_with_code, call, times, code)
                    let result = Result { try step(store, disk) }
                    let calls = failing_calls_end()
                    if case .failure(let error) = result {
                        failures += 1
                        let status = (error as? WinnowError)?.exitCode
                        #expect(
                            status == 74 || (isFirst && status == 73),
                            "\(name), call \(call): \(error)")
                    }
                    let left = try? state()
                    let isStored = left == after
                    if case .success = result { #expect(isStored, "\(name), call \(call)") }
                    #expect(isStored || left == before, "\(name), call \(call)")
                    if left != nil {
                        #expect(try Store.verify(at: store).findings == [], "\(name), call \(call)")
                    }
                    if calls < call { break }
                }
            }
            try restore()
            try step(store, disk)
            try? files.removeItem(atPath: copy)
        }
        print("\(failures) failed system calls")
        #expect(failures > 300)
    }
}
