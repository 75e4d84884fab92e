import Dispatch
import Foundation
import Format
import Synchronization
import Testing
import Winnow

/// Numbers by a seed.
struct Dice {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 ^ 0xD1B5_4A32_D192_ED03 }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state ^ state >> 29) &* 0xBF58_476D_1CE4_E5B9 >> 7
    }

    mutating func below(_ n: Int) -> Int { n < 1 ? 0 : Int(next() % UInt64(n)) }
}

/// A store with something of everything, and what it answers.
struct Sample: Sendable {
    let image: SimulatedDisk.Image
    let answers: [[String]]
    /// The store's files, but for the lock.
    let files: [(path: String, node: SimulatedDisk.Node)]

    private static let fields = [
        Field(name: "n", type: .integer), Field(name: "city", type: .string), Field(name: "tags", type: .stringSet),
        Field(name: "born", type: .date), Field(name: "paid", type: .decimal, scale: 2),
    ]

    static let segments: [Segment] = {
        let rules = [
            #"{"field": {"name": "id", "operator": "exists"}}"#,
            #"{"field": {"name": "n", "operator": "between", "value": [3, 70]}}"#,
            #"{"field": {"name": "email", "operator": "contains", "value": "7@"}}"#,
            #"{"field": {"name": "city", "operator": "starts_with", "value": "city 1"}}"#,
            #"{"field": {"name": "tags", "operator": "has_all", "value": ["a", "t3"]}}"#,
            #"{"field": {"name": "born", "operator": "before", "value": "1990-01-05"}}"#,
            #"{"field": {"name": "paid", "operator": "in", "value": [1.25, 2.25, 3.25]}}"#,
            #"{"activity": {"channel": "email", "event": "opened", "operator": "exists"}}"#,
            #"{"activity": {"channel": "email", "event": "opened", "operator": "at_least", "times": 3}}"#,
            #"{"activity": {"channel": "email", "event": "sent", "operator": "not_happened","#
                + #" "during": {"from": "2025-01-03", "to": "2025-01-06"}}}"#,
            #"{"activity": {"channel": "email", "event": "opened", "operator": "at_least", "times": 2,"#
                + #" "campaigns": {"tags": ["x"]}, "during": {"last": 10, "unit": "days"}}}"#,
            #"{"activity": {"channel": "email", "event": "clicked", "operator": "at_least", "times": 1,"#
                + #" "links": ["l1", "l2"]}}"#,
            #"{"activity": {"channel": "email", "event": "unique_clicked", "operator": "at_least", "times": 2}}"#,
            #"{"activity": {"channel": "email", "event": "unique_link_clicked", "operator": "at_least","#
                + #" "times": 2, "links": ["l1", "l3"]}}"#,
            #"{"activity": {"channel": "email", "event": "opened", "operator": "not_happened","#
                + #" "preceded_by": {"event": "sent", "pairing": "message"}}}"#,
            #"{"activity": {"channel": "email", "event": "opened", "operator": "not_happened","#
                + #" "preceded_by": {"event": "sent", "pairing": "object", "at_least": 2}}}"#,
            #"{"sample": {"from": 0, "to": 50}}"#,
        ]
        return rules.compactMap { try? Segment(json: $0) }
    }()

    /// - Parameter profiles: from 5,000 on blocks have bitsets.
    init(profiles: Int) throws {
        let inputs = try Inputs(), disk = try Workload.disk()
        let store = try WinnowStore.create(at: Workload.path, schema: Schema(fields: Sample.fields), on: disk)
        let people = (0..<profiles).map {
            "p\($0),u\($0)@example.com,\($0 % 97),city \($0 % 23),a|t\($0 % 7),1990-01-0\(1 + $0 % 9),\($0 % 9).25\n"
        }
        let header = "id,email,n,city,tags,born,paid\n"
        try store.load(.profiles, files: [try inputs.file("p.csv", header + people.joined())])
        try store.load(
            .profiles, files: [try inputs.file("q.csv", "id,n\n" + (0..<9).map { "p\($0 * 3),70\n" }.joined())])
        try store.load(.campaigns, files: [try inputs.campaigns()])
        for batch in 0..<2 {
            var rows = "profile,channel,event,time,campaign,template,link,message,count\n"
            for i in 0..<profiles * 3 where i % 2 == batch || i % 9 == 0 {
                let event = ["sent", "opened", "clicked"][i % 3]
                rows +=
                    "p\(i * 7 % profiles),email,\(event),\(1_735_689_600 + i * 331 % 900_000),c\(i % 11 % 5),t\(i % 3),"
                rows += "\(event == "clicked" ? "l\(i % 4)" : ""),m\(i / 4),\(i % 50 == 0 ? "3" : "")\n"
            }
            var options = LoadOptions()
            options.batch = "batch \(batch)"
            try store.load(.events, files: [try inputs.file("e\(batch).csv", rows)], options: options)
        }
        try store.erase(profiles: ["p4", "p9"])
        try store.drop(before: Instant(milliseconds: 1_735_776_000_000))
        image = disk.now
        answers = try Sample.answers(disk)
        var files: [(path: String, node: SimulatedDisk.Node)] = []
        for name in try disk.list(Workload.path) ?? [] where name.hasPrefix("MANIFEST") {
            files.append((Workload.path + "/" + name, 0))
        }
        for name in try disk.list(Workload.path + "/parts") ?? [] {
            files.append((Workload.path + "/parts/" + name, 0))
        }
        let state = image
        self.files = files.sorted { $0.path < $1.path }.compactMap { file in
            state.node(file.path).map { (file.path, $0) }
        }
    }

    static func answers(_ disk: SimulatedDisk) throws -> [[String]] {
        let snapshot = try WinnowStore(at: Workload.path, on: disk).snapshot()
        var options = EvaluationOptions()
        options.asOf = Instant(milliseconds: 1_736_500_000_000)
        options.threads = 1
        var answers: [[String]] = []
        for segment in segments { answers.append(try snapshot.ids(segment, options)) }
        let info = try snapshot.info()
        return answers + [["\(info.events) \(info.profiles) \(info.firstEvent?.description ?? "")"]]
    }

    func bytes(_ file: Int) -> [UInt8] { image.files[files[file].node]?.bytes ?? [] }

    /// The disk with other bytes in some files.
    func disk(_ changed: [Int: [UInt8]]) -> SimulatedDisk {
        var image = image
        for (file, bytes) in changed {
            image.files[files[file].node] = SimulatedDisk.File(durable: bytes, bytes: bytes)
        }
        return SimulatedDisk(image)
    }

    /// Makes every checksum right again after a part was changed: its own, and what the manifest says of it.
    func sealed(_ part: [UInt8], _ file: Int) -> [Int: [UInt8]] {
        guard let manifest = files.firstIndex(where: { $0.path.contains("MANIFEST") }) else { return [:] }
        var part = part, head = bytes(manifest)
        func number(_ bytes: [UInt8], _ at: Int, _ width: Int) -> Int {
            bytes[at..<at + width].reversed().reduce(0) { $0 << 8 | Int($1) & 0xFF }
        }
        func put(_ value: UInt32, _ at: Int, _ bytes: inout [UInt8]) {
            for i in 0..<4 { bytes[at + i] = UInt8(truncatingIfNeeded: value >> UInt32(8 * i)) }
        }
        if file != manifest, part.count >= 64 {
            let trailer = part.count - 64
            let directory = number(part, trailer + 32, 6), sections = number(part, trailer + 40, 4)
            let chunks = number(part, trailer + 44, 4), table = directory + sections * 24
            if directory <= trailer, table + chunks * 4 == trailer, chunks == (directory + 65_535) / 65_536 {
                for i in 0..<chunks {
                    put(crc32c(part[i * 65_536..<min(directory, (i + 1) * 65_536)]), table + i * 4, &part)
                }
                put(crc32c(part[directory..<trailer]), trailer + 48, &part)
            }
            put(crc32c(part[trailer..<trailer + 60]), trailer + 60, &part)
            let id = bytes(file)[(bytes(file).count - 48)..<(bytes(file).count - 40)]
            var entry = head.count - 4 - 32
            while entry > 0, head[entry..<entry + 8] != id { entry -= 32 }
            if entry > 0 { head.replaceSubrange(entry + 20..<entry + 24, with: part[(trailer + 60)...]) }
        } else {
            head = part
        }
        if head.count > 4 { put(crc32c(head[..<(head.count - 4)]), head.count - 4, &head) }
        return file == manifest ? [manifest: head] : [manifest: head, file: part]
    }
}

@Suite("Damage")
struct DamageTests {
    private enum Outcome { case same, other, refused }

    private static func outcome(_ sample: Sample, _ disk: SimulatedDisk) throws -> Outcome {
        do { return try Sample.answers(disk) == sample.answers ? .same : .other } catch let error as WinnowError {
            // A manifest that is gone leaves no store; in another one fields may have other names.
            guard [64, 65, 66].contains(error.exitCode) else { throw error }
            return .refused
        }
    }

    /// Runs `body` with numbers from many threads.
    private func each(_ count: Int, _ body: @Sendable (Int) throws -> String?) {
        let wrong = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: count) { i in
            do { if let problem = try body(i) { wrong.withLock { $0.append("\(i): \(problem)") } } } catch {
                wrong.withLock { $0.append("\(i): \(error)") }
            }
        }
        let problems = wrong.withLock { $0 }
        #expect(problems.isEmpty, "\(problems.count) of \(count): \(problems.prefix(5))")
    }

    /// A file with something wrong in it.
    private static func mutated(_ bytes: [UInt8], _ dice: inout Dice) -> [UInt8] {
        var bytes = bytes
        let at = dice.below(bytes.count), length = min(bytes.count - at, 1 + dice.below(80))
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

    @Test("whatever is flipped, cut, extended or swapped in any file is reported, or changes no answer")
    func mutations() throws {
        let sample = try Sample(profiles: 60), refused = Atomic(0), verified = Atomic(0)
        let count = 52_000
        each(count) { number in
            var dice = Dice(UInt64(number))
            let file = number % sample.files.count, bytes = sample.bytes(file)
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
            let findings = try WinnowStore.verify(at: Workload.path, on: disk).findings
            return findings.contains { $0.file.contains(sample.files[file].path) && !$0.what.isEmpty }
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
        let sample = try Sample(profiles: 60)
        for file in sample.files.indices {
            #expect(try DamageTests.outcome(sample, sample.disk([file: []])) == .refused)
            let gone = sample.disk([:])
            try gone.unlink(sample.files[file].path)
            #expect(try DamageTests.outcome(sample, gone) == .refused)
            for other in sample.files.indices where other != file {
                let outcome = try DamageTests.outcome(sample, sample.disk([file: sample.bytes(other)]))
                #expect(outcome != .other, "\(sample.files[file].path) is \(sample.files[other].path)")
            }
        }
    }

    /// What verifying, searching or compacting has against a store.
    private static func goThrough(_ disk: SimulatedDisk) -> WinnowError? {
        do {
            let findings = try WinnowStore.verify(at: Workload.path, on: disk).findings
            _ = try WinnowStore.find("2025-01-03T00:00:00Z", at: Workload.path, on: disk)
            try WinnowStore(at: Workload.path, on: disk).compact()
            _ = try WinnowStore(at: Workload.path, on: disk).snapshot().info()
            return findings.first.map { .damaged(file: $0.file, what: $0.what) }
        } catch {
            return error
        }
    }

    /// A number that somebody would try.
    private static func hostile(_ dice: inout Dice) -> UInt64 {
        let numbers: [UInt64] = [
            0, 1, 2, 7, 63, 64, 65, 255, 4096, 4097, 65_535, 65_536, 1 << 31, 1 << 32 - 1, 1 << 32, 1 << 62,
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
            let sample = try Sample(profiles: profiles), refused = Atomic(0), found = Atomic(0)
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
                    let at = min(start + dice.below(area), bytes.count - width), value = DamageTests.hostile(&dice)
                    for i in 0..<width { bytes[at + i] = UInt8(truncatingIfNeeded: value >> UInt64(8 * i)) }
                }
                if let trace {
                    try Data("\(profiles) \(number) \(sample.files[file].path)\n".utf8).write(
                        to: URL(fileURLWithPath: trace))
                }
                let disk = sample.disk(sample.sealed(bytes, file))
                if try DamageTests.outcome(sample, disk) == .refused { refused.wrappingAdd(1, ordering: .relaxed) }
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
