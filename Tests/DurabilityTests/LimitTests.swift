import WinnowColumns
import WinnowDisk
import WinnowFormat
import Foundation
import WinnowModel
import WinnowSimulation
import WinnowStorage
import Testing
import Winnow

@Suite("Limits")
struct LimitTests {
    private func store(_ fields: [Field] = []) throws -> (disk: SimulatedDisk, store: Store) {
        let disk = try Workload.disk()
        return (disk, try Store.create(Workload.path, schema: Schema(fields: fields), on: disk))
    }

    private func count(_ store: Store, _ rule: String) throws -> Int {
        var options = EvaluationOptions()
        options.asOf = Instant(milliseconds: 1_800_000_000_000)
        return try store.snapshot().count(try Segment(json: rule), options).count
    }

    private func activity(_ operation: String, _ times: String) -> String {
        #"{"activity": {"channel": "email", "event": "opened", "operator": "\#(operation)", "times": \#(times)}}"#
    }

    @Test("counts of a profile add up beyond 32 bits, and to the last event")
    func sums() throws {
        let inputs = try Inputs(), (disk, store) = try store()
        try store.load(.profiles, from: .files([try inputs.profiles(0..<3)]), options: ignoring())
        // Three times the greatest count: more than 2³² of p0, one less than 2³² − 1 of p1.
        let most = Int(Int32.max)
        var rows = "profile,channel,event,time,count\n"
        for _ in 0..<3 { rows += "p0,email,opened,1735689600,\(most)\n" }
        for _ in 0..<2 { rows += "p1,email,opened,1735689600,\(most)\n" }
        try store.load(.events, from: .files([try inputs.file("e.csv", rows)]))
        #expect(try count(store, activity("at_least", "4294967295")) == 1)
        #expect(try count(store, activity("at_least", "4294967294")) == 2)
        #expect(try count(store, activity("exactly", "4294967294")) == 1)
        #expect(try count(store, activity("between", "[4294967294, 4294967295]")) == 1)
        #expect(try count(store, activity("at_most", "4294967295")) == 2)
        for beyond in ["4294967296", "-1", "0", "1.5", "1e3"] {
            #expect(throws: WinnowError.self) { try Segment(json: activity("at_least", beyond)) }
        }
        for beyond in ["2147483648", "0", "-1"] {
            let file = try inputs.file(
                "b.csv", "profile,channel,event,time,count\np0,email,opened,1735689600,\(beyond)\n")
            let error = #expect(throws: WinnowError.self) {
                try store.load(.events, from: .files([file]))
            }
            #expect(error?.exitCode == 65)
        }
        #expect(try Store.verify(at: Workload.path, on: disk).findings == [])
    }

    /// A store of so many profiles whose ids are empty, in columns that take no room.
    private func store(rows: UInt32) throws -> (disk: SimulatedDisk, store: Store) {
        let (disk, store) = try store()
        let directory = StoreDirectory(path: Workload.path, disk: disk)
        var manifest = try StoreVersion(directory).manifest
        let keys = try PartWriter(
            disk: disk, directory: directory.parts, id: manifest.nextPart, kind: .keys)
        var table = ByteWriter()
        func column(_ count: UInt32) {
            table.put(count)
            table.put(UInt32(0))
            table.put(Int64(0))
        }
        table.put(UInt64(0))
        for count in [rows, 2, 0] { column(count) }
        // Too long to be merged with what comes.
        table.bytes += Array(repeating: 0x61, count: 1 << 16)
        var head = ByteWriter()
        for word in [1, 0, Namespace.profile.rawValue, 0, rows, 0] { head.put(word) }
        for word in [40, table.bytes.count] { head.put(UInt64(word)) }
        try keys.begin(.strings)
        try keys.append(head.bytes + table.bytes)
        manifest.parts.append(try keys.finish())
        manifest.version += 1
        manifest.nextPart += 1
        manifest.rows = rows
        let file = try disk.create(Workload.path + "/" + manifest.fileName)
        try file.append(manifest.encoded[...])
        return (disk, store)
    }

    @Test("2³² − 2 profiles fit, and not one more")
    func profiles() throws {
        let inputs = try Inputs(), (_, store) = try store(rows: .max - 3)
        try store.load(.profiles, from: .files([try inputs.file("p.csv", "id,email\na,Anna\n")]))
        var options = LoadOptions()
        options.unknownProfiles = .create
        let events = "profile,channel,event,time\nb,email,opened,1735689600\n"
        try store.load(.events, from: .files([try inputs.file("e.csv", events)]), options: options)
        func check() throws {
            #expect(try store.snapshot().profiles == 4_294_967_294)
            #expect(try count(store, activity("exactly", "1")) == 1)
            #expect(try count(store, #"{"not": \#(activity("exactly", "1"))}"#) == 4_294_967_293)
            #expect(
                try count(
                    store, #"{"field": {"name": "email", "operator": "equals", "value": "Anna"}}"#)
                    == 1)
            #expect(
                try count(
                    store, #"{"field": {"name": "id", "operator": "in", "value": ["a", "b", "c"]}}"#
                ) == 2)
        }
        try check()
        for (kind, rows) in [
            (LoadKind.profiles, "id,email\na,Berta\nc,Cora\n"),
            (.events, "profile,channel,event,time\nc,email,opened,1735689600\n"),
        ] {
            let file = try inputs.file("more.csv", rows)
            let error = #expect(throws: WinnowError.self) {
                try store.load(kind, from: .files([file]), options: options)
            }
            #expect(error?.description.contains("no room for more profiles") == true)
        }
        try check()
    }

    private func ignoring() -> LoadOptions {
        var options = LoadOptions()
        options.ignoresUnknownColumns = true
        return options
    }

    @Test("a profile may have hundreds of thousands of events in one leaf, in one load or many")
    func eventsOfOneProfile() throws {
        let inputs = try Inputs(), (disk, store) = try store()
        try store.load(.profiles, from: .files([try inputs.file("p.csv", "id\na\nb\n")]))
        var total = 0
        for load in 0..<3 {
            var rows = "profile,channel,event,time,campaign,message\n"
            for i in 0..<100_000 {
                rows += "a,email,opened,\(1_735_689_600 + i % 50_000),c,m\(load)-\(i % 70_000)\n"
            }
            total += 100_000
            try store.load(
                .events,
                from: .files([try inputs.file("e.csv", rows + "b,email,opened,1735689600,c,\n")]))
            #expect(try count(store, activity("at_least", "\(total)")) == 1)
            #expect(try count(store, activity("at_least", "\(total + 1)")) == 0)
        }
        let unique = activity("exactly", "210000").replacingOccurrences(
            of: "opened", with: "unique_opened")
        #expect(try count(store, unique) == 1)
        try store.compact()
        #expect(try count(store, unique) == 1)
        #expect(try count(store, activity("exactly", "300000")) == 1)
        #expect(try Store.verify(at: Workload.path, on: disk).findings == [])
    }

    @Test(
        "ids have 1 to 255 bytes, fields 1 to 255 bytes of name and 10,000 of them, texts what a line holds"
    )
    func strings() throws {
        let inputs = try Inputs()
        let names = (0..<10_000).map { "f\($0)" }
        let (disk, store) = try store(names.map { Field(name: $0, type: .integer) })
        let long = String(repeating: "я", count: 127) + "x"
        let header = "id,email," + names.joined(separator: ",") + "\n"
        let text = String(repeating: "e", count: 1 << 20)
        let row = "\(long),\(text)," + names.indices.map { "\($0)" }.joined(separator: ",") + "\n"
        try store.load(.profiles, from: .files([try inputs.file("p.csv", header + row)]))
        #expect(
            try count(store, #"{"field": {"name": "f9999", "operator": "equals", "value": 9999}}"#)
                == 1)
        #expect(
            try count(
                store, #"{"field": {"name": "id", "operator": "equals", "value": "\#(long)"}}"#)
                == 1)
        #expect(
            try count(
                store, #"{"field": {"name": "email", "operator": "ends_with", "value": "eee"}}"#)
                == 1)
        let tooLong = try inputs.file("q.csv", "id\n\(long)y\n")
        #expect(throws: WinnowError.self) { try store.load(.profiles, from: .files([tooLong])) }
        #expect(throws: WinnowError.self) { try store.add(Field(name: "one more", type: .integer)) }
        #expect(throws: WinnowError.self) {
            try self.store([Field(name: String(repeating: "n", count: 256), type: .date)])
        }
        #expect(try Store.verify(at: Workload.path, on: disk).findings == [])
    }

    @Test("rules have 16 levels, 512 nodes, 64 MiB and lists of a million values, and no more")
    func rules() throws {
        let inputs = try Inputs(), (_, store) = try store()
        try store.load(.profiles, from: .files([try inputs.file("p.csv", "id\na\nb\n")]))
        let leaf = #"{"field": {"name": "id", "operator": "equals", "value": "a"}}"#
        func nested(_ levels: Int) -> String {
            String(repeating: #"{"not": "#, count: levels - 1) + leaf
                + String(repeating: "}", count: levels - 1)
        }
        #expect(try count(store, nested(16)) == 1)
        #expect(throws: WinnowError.self) { try Segment(json: nested(17)) }
        #expect(throws: WinnowError.self) { try Segment(json: nested(100_000)) }
        func wide(_ nodes: Int) -> String {
            #"{"any": ["# + Array(repeating: leaf, count: nodes - 1).joined(separator: ",") + "]}"
        }
        #expect(try count(store, wide(512)) == 1)
        #expect(throws: WinnowError.self) { try Segment(json: wide(513)) }
        let brackets = String(repeating: "[", count: 500_000)
        #expect(throws: WinnowError.self) { try Segment(json: brackets) }
        func list(_ n: Int) -> String {
            let values = Array(repeating: "1", count: n).joined(separator: ",")
            return #"{"field": {"name": "n", "operator": "in", "value": ["# + values + "]}}"
        }
        let filler = String(repeating: "a", count: RuleLimits.bytes - leaf.utf8.count)
        let longest = leaf.replacingOccurrences(of: #""a""#, with: #""a\#(filler)""#)
        #expect(try longest.utf8.count == RuleLimits.bytes && count(store, longest) == 0)
        #expect(throws: WinnowError.self) {
            try Segment(json: longest.replacingOccurrences(of: #""a"#, with: #""aa"#))
        }
        #expect(throws: WinnowError.self) { try Segment(json: list(1_000_001)) }
    }

    @Test(
        "events are from 2000 to a day from now, fields from year 1 to 9999, windows are cut there")
    func times() throws {
        let inputs = try Inputs(), (disk, store) = try store([Field(name: "d", type: .date)])
        try store.load(
            .profiles,
            from: .files([try inputs.file("p.csv", "id,d\na,0001-01-01\nb,9999-12-31\n")]))
        let now = Int(Date().timeIntervalSince1970)
        func load(_ time: Int) throws {
            let file = try inputs.file(
                "e.csv", "profile,channel,event,time\na,email,opened,\(time)\n")
            try store.load(.events, from: .files([file]))
        }
        for good in [946_684_800, now + 86_000] { try load(good) }
        for bad in [946_684_799, now + 90_000, -1, Int(Int64.max), Int.min] {
            #expect(throws: WinnowError.self) { try load(bad) }
        }
        for bad in ["0000-12-31", "10000-01-01", "2023-02-29"] {
            let file = try inputs.file("q.csv", "id,d\na,\(bad)\n")
            #expect(throws: WinnowError.self) { try store.load(.profiles, from: .files([file])) }
        }
        for window in [
            #"{"last": 4000000}"#, #"{"last": 4294967295, "unit": "months"}"#,
            #"{"from": "0001-01-01", "to": "9999-12-31"}"#,
        ] {
            let rule =
                #"{"activity": {"channel": "email", "event": "opened", "operator": "at_least", "times": 1, "during": \#(window)}}"#
            #expect(try count(store, rule) == 1, "\(window)")
        }
        var options = EvaluationOptions()
        for instant in ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"] {
            options.asOf = Instant(instant)
            #expect(throws: Never.self) {
                try store.snapshot().count(try Segment(json: activity("at_least", "1")), options)
            }
        }
        #expect(try Store.verify(at: Workload.path, on: disk).findings == [])
    }

    @Test("thousands of batches, each with an id, are remembered for ever and cost little")
    func batches() throws {
        let inputs = try Inputs(), (disk, store) = try store()
        let file = try inputs.file("p.csv", "id\na\n")
        var options = LoadOptions()
        for i in 0..<2000 {
            options.batch = "batch \(i)"
            try store.load(.profiles, from: .files([file]), options: options)
        }
        for i in [0, 999, 1999] {
            options.batch = "batch \(i)"
            #expect(try store.load(.profiles, from: .files([file]), options: options).isRepeated)
        }
        #expect(try store.snapshot().info().parts <= 17)
        #expect(try Store.verify(at: Workload.path, on: disk).findings == [])
    }
}
