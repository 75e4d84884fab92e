import Dispatch
import Foundation
import WinnowSimulation
import Synchronization
import Testing
import Winnow

@Suite("Damage")
struct DamageTests {
    private enum Outcome { case same, other, refused }

    private static func outcome(_ sample: SampleStore, _ disk: SimulatedDisk) throws -> Outcome {
        do { return try SampleStore.answers(disk) == sample.answers ? .same : .other } catch let
            error as WinnowError
        {
            // A manifest that is gone leaves no store; in another one fields may have other names.
            guard [64, 65, 66].contains(error.exitCode) else { throw error }
            return .refused
        }
    }

    /// Runs `body` with numbers from many threads.
    private func each(_ count: Int, _ body: @Sendable (Int) throws -> String?) {
        let wrong = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: count) { i in
            do {
                if let problem = try body(i) { wrong.withLock { $0.append("\(i): \(problem)") } }
            } catch {
                wrong.withLock { $0.append("\(i): \(error)") }
            }
        }
        let problems = wrong.withLock { $0 }
        #expect(problems.isEmpty, "\(problems.count) of \(count): \(problems.prefix(5))")
    }

    /// A file with something wrong in it.
    private static func mutated(_ bytes: [UInt8], _ dice: inout Dice) -> [UInt8] {
        var bytes = bytes
        let at = dice.below(bytes.count)
        let length = min(bytes.count - at, 1 + dice.below(80))
        switch dice.below(8) {
        case 0, 1, 2: bytes[at] ^= 1 << UInt8(dice.below(8))
        case 3: bytes[at] = UInt8(truncatingIfNeeded: dice.next())
        case 4: bytes.removeSubrange(at...)
        case 5: bytes += (0..<length).map { _ in UInt8(truncatingIfNeeded: dice.next()) }
        case 6: bytes.swapAt(at, dice.below(bytes.count))
        default: for i in at..<at + length { bytes[i] = 0 }
        }
        return bytes
    }

    @Test(
        "whatever is flipped, cut, extended or swapped in any file is reported, or changes no answer"
    )
    func mutations() throws {
        let sample = try SampleStore(profiles: 60)
        let refused = Atomic(0)
        let verified = Atomic(0)
        let count = 52_000
        each(count) { number in
            var dice = Dice(UInt64(number))
            let file = number % sample.files.count
            let bytes = sample.bytes(file)
            let mutated = DamageTests.mutated(bytes, &dice)
            if mutated == bytes { return nil }
            let disk = sample.disk([file: mutated])
            switch try DamageTests.outcome(sample, disk) {
            case .other: return "another answer after \(sample.files[file].path) was changed"
            case .refused: refused.wrappingAdd(1, ordering: .relaxed)
            case .same: break
            }
            guard number % 20 == 0 else { return nil }
            // Every byte is under a checksum.
            verified.wrappingAdd(1, ordering: .relaxed)
            let findings = try Store.verify(at: Workload.path, on: disk).findings
            return findings.contains {
                $0.file.contains(sample.files[file].path) && !$0.what.isEmpty
            }
                ? nil : "verify finds nothing in \(sample.files[file].path), but \(findings)"
        }
        let reported = refused.load(ordering: .relaxed)
        print(
            "\(count) damaged files: \(reported) reported by answers, verify reports all of \(verified.load(ordering: .relaxed))"
        )
        #expect(reported > count / 2)
    }

    @Test("files that are gone, empty or exchanged are reported")
    func exchanged() throws {
        let sample = try SampleStore(profiles: 60)
        for file in sample.files.indices {
            #expect(try DamageTests.outcome(sample, sample.disk([file: []])) == .refused)
            let gone = sample.disk([:])
            try gone.unlink(sample.files[file].path)
            #expect(try DamageTests.outcome(sample, gone) == .refused)
            for other in sample.files.indices where other != file {
                let outcome = try DamageTests.outcome(
                    sample, sample.disk([file: sample.bytes(other)]))
                #expect(
                    outcome != .other, "\(sample.files[file].path) is \(sample.files[other].path)")
            }
        }
    }

    /// What verifying, searching or compacting has against a store.
    private static func goThrough(_ disk: SimulatedDisk) -> WinnowError? {
        do {
            let findings = try Store.verify(at: Workload.path, on: disk).findings
            _ = try Store.find("2025-01-03T00:00:00Z", at: Workload.path, on: disk)
            try Store(Workload.path, on: disk).compact()
            _ = try Store(Workload.path, on: disk).snapshot().info()
            return findings.first.map { .damaged(file: $0.file, what: $0.what) }
        } catch {
            return error
        }
    }

    @Test("a damaged version is reported, though an older one that is whole is still there")
    func olderVersion() throws {
        let inputs = try Inputs()
        let disk = try Workload.disk()
        try CrashTests.create(disk)
        try CrashTests.load(.profiles, try inputs.profiles(0..<20))(disk)
        let reader = try Store(Workload.path, on: disk).snapshot()
        try CrashTests.load(.profiles, try inputs.profiles(20..<30))(disk)
        let manifests = try (disk.list(Workload.path) ?? []).filter { $0.hasPrefix("MANIFEST") }
            .sorted()
        #expect(manifests.count == 2 && reader.profiles == 20)
        var image = disk.now
        let node = try #require(image.node(Workload.path + "/" + manifests[1]))
        let names = image.names
        image.files[node]?.bytes[20] ^= 1
        let damaged = SimulatedDisk(image)
        let error = #expect(throws: WinnowError.self) { try Store(Workload.path, on: damaged) }
        #expect(error?.exitCode == 65)
        #expect(try Store.verify(at: Workload.path, on: damaged).findings.count == 1)
        // A writer changes nothing about it, and removes nothing.
        let write = #expect(throws: WinnowError.self) {
            try CrashTests.load(.profiles, try inputs.profiles(30..<40))(damaged)
        }
        #expect(write?.exitCode == 65 && damaged.now.names == names)
    }

    /// A number that somebody would try.
    private static func hostile(_ dice: inout Dice) -> UInt64 {
        let numbers: [UInt64] = [
            0, 1, 2, 7, 63, 64, 65, 255, 4096, 4097, 65_535, 65_536, 1 << 31, 1 << 32 - 1, 1 << 32,
            1 << 62,
            1 << 63 - 1,
            1 << 63, .max, .max - 1,
        ]
        return dice.below(3) == 0 ? dice.next() : numbers[dice.below(numbers.count)]
    }

    @Test(
        "with checksums made right again hostile structures are refused, or read as what they say: nothing else happens"
    )
    func hostileStructures() throws {
        for (profiles, count) in [(60, 24_000), (5000, 800)] {
            let sample = try SampleStore(profiles: profiles)
            let refused = Atomic(0)
            let found = Atomic(0)
            let trace = ProcessInfo.processInfo.environment["WINNOW_TRACE"]
            each(count) { number in
                var dice = Dice(UInt64(number) ^ 0xBAD)
                let file = number % sample.files.count
                var bytes = sample.bytes(file)
                for _ in 0...dice.below(2) {
                    let width = [1, 1, 2, 4, 8][dice.below(5)]
                    // Directories, tables and heads are where structure is.
                    let area = dice.below(3) == 0 ? min(bytes.count, 200) : bytes.count
                    let start = dice.below(2) == 0 ? 0 : bytes.count - area
                    let at = min(start + dice.below(area), bytes.count - width)
                    let value = DamageTests.hostile(&dice)
                    for i in 0..<width {
                        bytes[at + i] = UInt8(truncatingIfNeeded: value >> UInt64(8 * i))
                    }
                }
                if let trace {
                    try Data("\(profiles) \(number) \(sample.files[file].path)\n".utf8).write(
                        to: URL(fileURLWithPath: trace))
                }
                let disk = sample.disk(sample.sealed(bytes, file))
                if try DamageTests.outcome(sample, disk) == .refused {
                    refused.wrappingAdd(1, ordering: .relaxed)
                }
                guard number % 4 == 0 else { return nil }
                // Checking, searching and merging read everything, too.
                let error = DamageTests.goThrough(disk)
                if error != nil { found.wrappingAdd(1, ordering: .relaxed) }
                if let error, error.exitCode != 65, error.exitCode != 66 { return "\(error)" }
                return nil
            }
            print(
                "\(count) hostile structures of \(profiles) profiles: \(refused.load(ordering: .relaxed)) refused by answers,",
                "verify refuses \(found.load(ordering: .relaxed)) of \(count / 4)")
        }
    }
}
