import Foundation
import WinnowFormat
import Winnow

/// Numbers by a seed.
package struct Dice {
    private var state: UInt64

    package init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 ^ 0xD1B5_4A32_D192_ED03 }

    package mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state ^ state >> 29) &* 0xBF58_476D_1CE4_E5B9 >> 7
    }

    package mutating func below(_ n: Int) -> Int { n < 1 ? 0 : Int(next() % UInt64(n)) }
}

/// A store with something of everything, and what it answers.
package struct SampleStore: Sendable {
    package let image: SimulatedDisk.Image
    package let answers: [[String]]
    /// The store's files, but for the lock.
    package let files: [(path: String, node: SimulatedDisk.Node)]

    private static let fields = [
        Field(name: "n", type: .integer), Field(name: "city", type: .string),
        Field(name: "tags", type: .stringSet),
        Field(name: "born", type: .date), Field(name: "paid", type: .decimal, scale: 2),
    ]

    package static let segments: [Segment] = {
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
            #"{"subscription": {"operator": "exists", "channel": "email", "status": "subscribed","#
                + #" "resource": "r1"}}"#,
            #"{"subscription": {"operator": "at_least", "times": 2, "during": {"from": "2025-01-02"}}}"#,
            #"{"subscription": {"operator": "reachable", "channel": "push"}}"#,
            #"{"subscription": {"operator": "exists", "contact": ["contact 3", "contact 7"]}}"#,
            #"{"goal": {"goal": "g1", "operator": "at_least", "times": 2,"#
                + #" "value": {"average": {"at_least": 3.5}}}}"#,
            #"{"goal": {"pixel": ["x1", "x2"], "operator": "not_happened", "during": {"last": 9}}}"#,
            #"{"segment": "fans"}"#, #"{"not": {"segment": "frozen"}}"#, #"{"segment": "listed"}"#,
            #"{"segment": {"name": "frozen", "entered": {"at_least": 2}}}"#,
            #"{"segment": {"name": "frozen", "left": {"during": {"from": "2025-01-03"}}}}"#,
        ]
        return rules.compactMap { try? Segment(json: $0) }
    }()

    /// - Parameter profiles: from 5,000 on blocks have bitsets.
    package init(profiles: Int) throws {
        let inputs = try Inputs()
        let disk = try Workload.disk()
        let store = try Store.create(
            Workload.path, schema: Schema(fields: SampleStore.fields), on: disk)
        let people = (0..<profiles).map {
            "p\($0),u\($0)@example.com,\($0 % 97),city \($0 % 23),a|t\($0 % 7),1990-01-0\(1 + $0 % 9),\($0 % 9).25\n"
        }
        let header = "id,email,n,city,tags,born,paid\n"
        try store.load(
            .profiles, from: .files([try inputs.file("p.csv", header + people.joined())]))
        try store.load(
            .profiles,
            from: .files([
                try inputs.file("q.csv", "id,n\n" + (0..<9).map { "p\($0 * 3),70\n" }.joined())
            ]))
        try store.load(.campaigns, from: .files([try inputs.campaigns()]))
        for batch in 0..<2 {
            var rows = "profile,channel,event,time,campaign,template,link,message,count\n"
            for i in 0..<profiles * 3 where i % 2 == batch || i % 9 == 0 {
                let event = ["sent", "opened", "clicked"][i % 3]
                rows +=
                    "p\(i * 7 % profiles),email,\(event),\(1_735_689_600 + i * 331 % 900_000),c\(i % 11 % 5),t\(i % 3),"
                rows +=
                    "\(event == "clicked" ? "l\(i % 4)" : ""),m\(i / 4),\(i % 50 == 0 ? "3" : "")\n"
            }
            var options = LoadOptions()
            options.batch = "batch \(batch)"
            try store.load(
                .events, from: .files([try inputs.file("e\(batch).csv", rows)]), options: options)
        }
        for batch in 0..<2 {
            try store.load(
                .subscriptions, from: .file(try inputs.subscriptions(profiles, batch: batch)))
            try store.load(.goals, from: .file(try inputs.goals(profiles, batch: batch)))
        }
        try store.save(.email(.opened, .atLeast(3)), as: "fans", SaveOptions(description: "often"))
        for hour in [10, 60, 90, 170, 200] as [Int64] {
            let asOf = Instant(milliseconds: 1_735_689_600_000 + hour * 3_600_000)
            let options = SaveOptions(
                replaces: true, evaluation: EvaluationOptions(asOf: asOf, threads: 1))
            // Some come, and some leave and come again.
            let who: Segment =
                hour % 100 == 0
                ? .saved("fans") : .email(.clicked, .atLeast(1), during: .last(1, .days))
            try store.freeze(who, as: "frozen", options)
        }
        try store.freeze(
            .field("n", .atMost, 40), as: "listed",
            SaveOptions(
                evaluation: EvaluationOptions(asOf: Instant(milliseconds: 1_735_700_000_000))))
        try store.erase(profiles: ["p4", "p9"])
        try store.drop(before: Instant(milliseconds: 1_735_776_000_000))
        image = disk.now
        answers = try SampleStore.answers(disk)
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

    package static func answers(_ disk: SimulatedDisk) throws -> [[String]] {
        let snapshot = try Store(Workload.path, on: disk).snapshot()
        var options = EvaluationOptions()
        options.asOf = Instant(milliseconds: 1_736_500_000_000)
        options.threads = 1
        var answers: [[String]] = []
        for segment in segments { answers.append(try Array(snapshot.ids(of: segment, options))) }
        let info = try snapshot.info()
        return answers + [
            ["\(info.events) \(info.profiles) \(info.firstEvent?.description ?? "")"],
            ["\(info.subscriptions) \(info.goals) \(info.anonymousGoals)"],
        ]
    }

    package func bytes(_ file: Int) -> [UInt8] { image.files[files[file].node]?.bytes ?? [] }

    /// The disk with other bytes in some files.
    package func disk(_ changed: [Int: [UInt8]]) -> SimulatedDisk {
        var image = image
        for (file, bytes) in changed {
            image.files[files[file].node] = SimulatedDisk.File(durable: bytes, bytes: bytes)
        }
        return SimulatedDisk(image)
    }

    /// Makes every checksum right again after a part was changed: its own, and what the manifest
    /// says of it.
    package func sealed(_ part: [UInt8], _ file: Int) -> [Int: [UInt8]] {
        guard let manifest = files.firstIndex(where: { $0.path.contains("MANIFEST") }) else {
            return [:]
        }
        var part = part
        var head = bytes(manifest)
        func number(_ bytes: [UInt8], _ at: Int, _ width: Int) -> Int {
            bytes[at..<at + width].reversed().reduce(0) { $0 << 8 | Int($1) & 0xFF }
        }
        func put(_ value: UInt32, _ at: Int, _ bytes: inout [UInt8]) {
            for i in 0..<4 { bytes[at + i] = UInt8(truncatingIfNeeded: value >> UInt32(8 * i)) }
        }
        if file != manifest, part.count >= 64 {
            let trailer = part.count - 64
            let directory = number(part, trailer + 32, 6)
            let sections = number(part, trailer + 40, 4)
            let chunks = number(part, trailer + 44, 4)
            let table = directory + sections * 24
            if directory <= trailer, table + chunks * 4 == trailer,
                chunks == (directory + 65_535) / 65_536
            {
                for i in 0..<chunks {
                    put(
                        crc32c(part[i * 65_536..<min(directory, (i + 1) * 65_536)]), table + i * 4,
                        &part)
                }
                put(crc32c(part[directory..<trailer]), trailer + 48, &part)
            }
            put(crc32c(part[trailer..<trailer + 60]), trailer + 60, &part)
            let id = bytes(file)[(bytes(file).count - 48)..<(bytes(file).count - 40)]
            var entry = head.count - 4 - 32
            while entry > 0, head[entry..<entry + 8] != id { entry -= 32 }
            if entry > 0 {
                head.replaceSubrange(entry + 20..<entry + 24, with: part[(trailer + 60)...])
            }
        } else {
            head = part
        }
        if head.count > 4 { put(crc32c(head[..<(head.count - 4)]), head.count - 4, &head) }
        return file == manifest ? [manifest: head] : [manifest: head, file: part]
    }
}
