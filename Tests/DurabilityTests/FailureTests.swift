import Foundation
import WinnowSimulation
import Testing
import Winnow

@Suite("Failing calls")
struct FailureTests {
    private static func reads(_ disk: SimulatedDisk) -> Contents? {
        try? Contents(Workload.path, on: disk)
    }

    /// Runs a step on copies of a disk, each with another call failing; nil for a step that makes
    /// the store.
    /// - Returns: how many runs failed.
    private func fail(
        _ step: Workload.Step, from image: SimulatedDisk.Image, times: Int, code: Int32,
        only: String? = nil,
        _ name: Comment
    ) throws -> Int {
        let before = FailureTests.reads(SimulatedDisk(image))
        let whole = SimulatedDisk(image)
        try step(whole)
        let after = try Contents(Workload.path, on: whole)
        var failures = 0
        for call in 1... {
            let disk = SimulatedDisk(image)
            disk.fault = SimulatedDisk.Fault(call: call, times: times, code: code, only: only)
            var failure: WinnowError?
            do { try step(disk) } catch { failure = error as? WinnowError }
            let reached = disk.calls >= call
            disk.fault = nil
            let left = FailureTests.reads(disk)
            if let failure {
                failures += 1
                #expect(
                    failure.exitCode == (before == nil ? failure.exitCode : 74),
                    "\(name), call \(call): \(failure)")
                if case .outcomeUnknown = failure {
                    #expect(left == before || left == after, "\(name), call \(call)")
                } else {
                    #expect(left == before, "\(name), call \(call): \(failure)")
                }
            } else {
                // What could not be tidied up does not make a commit fail.
                #expect(left == after, "\(name), call \(call)")
            }
            // A crash now leaves a version that was committed.
            CrashStates(disk.now, thorough: false).forEach(limit: 4, seed: UInt64(call)) {
                let found = FailureTests.reads(SimulatedDisk($0))
                #expect(
                    found == after || (failure != nil && found == before),
                    "\(name), crash after failed call \(call)")
            }
            // The same once more, now that the disk is well again.
            if left == before {
                try step(disk)
                #expect(
                    try Contents(Workload.path, on: disk) == after,
                    "\(name), again after call \(call)")
            }
            if left != nil || before != nil {
                #expect(
                    try Store.verify(at: Workload.path, on: disk).findings == [],
                    "\(name), call \(call)")
            }
            if !reached { break }
        }
        return failures
    }

    @Test(
        "whichever call fails, the store is as before or as after, says so, and works again later")
    func everyCall() throws {
        let inputs = try Inputs()
        let disk = try Workload.disk()
        let events = try inputs.events(0..<400, profiles: 20)
        let steps: [(Comment, Workload.Step)] = [
            ("create", CrashTests.create),
            ("profiles", CrashTests.load(.profiles, try inputs.profiles(0..<20))),
            ("campaigns", CrashTests.load(.campaigns, try inputs.campaigns())),
            ("events", CrashTests.load(.events, events)),
            ("more events", CrashTests.load(.events, try inputs.events(400..<460, profiles: 20))),
            ("field", { try Store(Workload.path, on: $0).add(Field(name: "m", type: .date)) }),
            ("erase", CrashTests.erase), ("drop", CrashTests.drop), ("compact", CrashTests.compact),
        ]
        var failures = 0
        for (name, step) in steps {
            for (times, code) in [(1, EIO), (.max, EIO), (1, ENOSPC), (.max, ENOSPC)] {
                failures += try fail(step, from: disk.now, times: times, code: code, name)
            }
            try step(disk)
        }
        print("\(failures) failed calls")
        #expect(failures > 400)
    }

    @Test(
        "when the commit point itself is not known to be durable the outcome is said to be unknown")
    func unknownOutcome() throws {
        let inputs = try Inputs()
        let disk = try Workload.disk()
        try CrashTests.create(disk)
        var options = LoadOptions()
        options.batch = "night 1"
        let step = CrashTests.load(.profiles, try inputs.profiles(0..<5), options)
        // The second directory that a commit syncs is the one that the new manifest stands in.
        disk.fault = SimulatedDisk.Fault(call: 2, code: EIO, only: "sync directory")
        let error = #expect(throws: WinnowError.self) { try step(disk) }
        guard case .outcomeUnknown = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        disk.fault = nil
        try step(disk)
        #expect(try Contents(Workload.path, on: disk).answers[0].count == 5)
    }
}
