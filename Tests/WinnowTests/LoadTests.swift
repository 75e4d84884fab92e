import Foundation
import Synchronization
import Testing
import Winnow

@Suite("Loading")
struct LoadTests {
    private static let fields = [
        Field(name: "n", type: .integer), Field(name: "d", type: .decimal, scale: 2),
        Field(name: "b", type: .boolean), Field(name: "day", type: .date),
        Field(name: "at", type: .datetime),
        Field(name: "set", type: .stringSet), Field(name: "s", type: .string),
    ]

    private func count(_ store: Store, _ rule: String) throws -> Int {
        try store.snapshot().count(try Segment(json: rule)).count
    }

    private static let header = "profile,channel,event,time"

    private struct Bad: Decodable {
        var load, file, text, code, says: String
    }

    @Test(
        "every kind of bad row stops the load with its place and reason, and the store stays as it was"
    )
    func badRows() throws {
        let fixture = try Fixture()
        let store = try fixture.create(LoadTests.fields)
        try store.load(.profiles, from: .files([try fixture.file("first.csv", "id,n\nx,7\n")]))
        let before = try fixture.contents()
        var codes: Set<String> = []
        for line in try Fixture.vectors("bad-rows.ndjson") {
            let bad = try JSONDecoder().decode(Bad.self, from: Data(line.utf8))
            let file = try fixture.file(bad.file, bad.text)
            let kind = try #require(LoadKind(rawValue: bad.load))
            let error = #expect(throws: WinnowError.self, "\(line)") {
                try store.load(kind, from: .files([file]))
            }
            let said = error?.description.replacingOccurrences(of: file, with: "").drop {
                ", :".contains($0)
            }
            #expect(String(said ?? "") == bad.says, "\(line)")
            #expect(error?.code.rawValue == bad.code && error?.exitCode == 65, "\(line)")
            #expect(try fixture.contents() == before, "\(line)")
            codes.insert(bad.code)
        }
        // Those that need more than a line have tests of their own.
        codes.formUnion([
            "bad_utf8", "long_line", "too_many_rejects", "batch_conflict", "bad_zstd", "bad_schema",
            "bad_id", "similar_column", "bad_gzip", "missing_match", "missing_rows", "idle_entry",
        ])
        let known = Set(ErrorCode.allCases.filter { $0.exitCode == 65 }.map(\.rawValue))
            .subtracting(["damaged_store", "newer_format", "older_format"])
        #expect(known.symmetricDifference(codes) == [])
    }

    @Test("rejects keep what is wrong and load the rest")
    func rejects() throws {
        let fixture = try Fixture()
        let store = try fixture.create(LoadTests.fields)
        let file = try fixture.file("p.csv", "id,n\na,1\nb,x\nc,3\nd,4,5\n\"e\nf\",6\n")
        var options = LoadOptions()
        options.rejects = fixture.folder.appendingPathComponent("rejects.ndjson").path
        options.maximumRejects = 1
        #expect(throws: WinnowError.self) {
            try store.load(.profiles, from: .files([file]), options: options)
        }
        #expect(try store.snapshot().profiles == 0)
        options.maximumRejects = 2
        let summary = try store.load(.profiles, from: .files([file]), options: options)
        #expect(summary.rows == 5 && summary.new == 3 && summary.rejected == 2)
        let lines = try String(contentsOfFile: options.rejects ?? "", encoding: .utf8).split(
            separator: "\n")
        let objects = try lines.map {
            try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }
        #expect(objects.map { $0?["line"] as? Int } == [3, 5])
        #expect(objects.map { $0?["code"] as? String } == ["bad_value", "wrong_width"])
        #expect(objects.map { $0?["raw"] as? String } == ["b,x", "d,4,5"])
    }

    @Test("every way to write a value means the same as it does in a rule")
    func lexicalForms() throws {
        let fixture = try Fixture()
        let store = try fixture.create(LoadTests.fields)
        for (number, line) in try Fixture.vectors("lexical-forms.txt").enumerated() {
            let cells = line.components(separatedBy: " | ")
            let (field, format, written, value) = (cells[0], cells[1], cells[2], cells[3])
            let text =
                format == "csv"
                ? "id,\(field)\np\(number),\(written)\n"
                : #"{"id": "p\#(number)", "\#(field)": \#(written)}"#
            try store.load(.profiles, from: .files([try fixture.file("p.\(format)", text)]))
            let test = field == "set" ? "has_all" : "equals"
            let rule = #"""
                {"all": [{"field": {"name": "id", "operator": "equals", "value": "p\#(number)"}},
                         {"field": {"name": "\#(field)", "operator": "\#(test)", "value": \#(value)}}]}
                """#
            #expect(try count(store, rule) == 1, "\(line)")
        }
    }

    @Test("CSV as people write it: byte order mark, CRLF, blank lines, quotes")
    func csvForms() throws {
        let fixture = try Fixture()
        let store = try fixture.create(LoadTests.fields)
        let text = "\u{FEFF}id,s,set\r\n\r\na,\"x, \"\"y\"\"\r\nz\",p|q\\|r\r\n\nb,\"\",\"\"\nc,,"
        try store.load(.profiles, from: .files([try fixture.file("p.csv", text)]))
        #expect(try store.snapshot().profiles == 3)
        #expect(
            try count(
                store, #"{"field": {"name": "s", "operator": "equals", "value": "x, \"y\"\r\nz"}}"#)
                == 1)
        #expect(try count(store, #"{"field": {"name": "s", "operator": "is_empty"}}"#) == 1)
        #expect(try count(store, #"{"field": {"name": "s", "operator": "exists"}}"#) == 2)
        #expect(
            try count(
                store, #"{"field": {"name": "set", "operator": "has_all", "value": ["p", "q|r"]}}"#)
                == 1)
        #expect(try count(store, #"{"field": {"name": "set", "operator": "exists"}}"#) == 2)
    }

    @Test("a later load adds, updates and clears; absent cells keep what is stored")
    func upsert() throws {
        let fixture = try Fixture()
        let store = try fixture.create(LoadTests.fields)
        try store.load(
            .profiles, from: .files([try fixture.file("1.csv", "id,n,s\na,1,old\nb,2,old\n")]))
        let second =
            "{\"id\": \"a\", \"s\": null}\n{\"id\": \"c\", \"n\": 3}\n{\"id\": \"b\", \"n\": 5}\n"
        let summary = try store.load(
            .profiles, from: .files([try fixture.file("2.ndjson", second)]))
        #expect(summary.new == 1 && summary.updated == 2)
        #expect(
            try count(store, #"{"field": {"name": "s", "operator": "equals", "value": "old"}}"#)
                == 1)
        #expect(
            try count(store, #"{"field": {"name": "n", "operator": "in", "value": [1, 3, 5]}}"#)
                == 3)
        #expect(
            try count(store, #"{"field": {"name": "n", "operator": "equals", "value": 2}}"#) == 0)
    }

    @Test("insert leaves existing profiles alone, update skips new ones, empty cells can clear")
    func modes() throws {
        let fixture = try Fixture()
        let store = try fixture.create(LoadTests.fields)
        try store.load(
            .profiles, from: .files([try fixture.file("1.csv", "id,n,s\na,1,x\nb,2,y\n")]))
        var options = LoadOptions()
        options.mode = .insert
        let inserted = try store.load(
            .profiles, from: .files([try fixture.file("2.csv", "id,n\na,10\nc,11\nc,12\n")]),
            options: options)
        #expect(inserted.new == 1 && inserted.updated == 0 && inserted.skipped == 2)
        options.mode = .update
        options.emptyClears = true
        let updated = try store.load(
            .profiles, from: .files([try fixture.file("3.csv", "id,n,s\na,20,\nd,21,z\n")]),
            options: options)
        #expect(updated.new == 0 && updated.updated == 1 && updated.skipped == 1)
        #expect(try store.snapshot().profiles == 3)
        #expect(
            try count(store, #"{"field": {"name": "n", "operator": "in", "value": [2, 11, 20]}}"#)
                == 3)
        #expect(try count(store, #"{"field": {"name": "s", "operator": "exists"}}"#) == 1)
    }

    @Test("events of unknown profiles can make them, or be skipped")
    func unknownProfiles() throws {
        let fixture = try Fixture()
        let store = try fixture.create()
        try store.load(.profiles, from: .files([try fixture.file("p.csv", "id\na\n")]))
        let rows = "a,email,sent,1735689600\nnew,email,sent,1735689600\nnew,email,sent,1735689601\n"
        let file = try fixture.file("e.csv", LoadTests.header + "\n" + rows)
        var options = LoadOptions()
        options.unknownProfiles = .skip
        let skipped = try store.load(.events, from: .files([file]), options: options)
        #expect(skipped.new == 1 && skipped.skipped == 2)
        options.unknownProfiles = .create
        #expect(try store.load(.events, from: .files([file]), options: options).new == 3)
        #expect(try store.load(.events, from: .files([file]), options: options).new == 3)
        let four =
            #"{"activity": {"channel": "email", "event": "sent", "operator": "exactly", "times": 4}}"#
        #expect(try Array(store.snapshot().ids(of: try Segment(json: four))) == ["new"])
        #expect(try store.snapshot().profiles == 2)
    }

    @Test(
        "counts beyond what a byte holds: 135,000 events of one profile, weights of two thousand million"
    )
    func largeCounts() throws {
        let fixture = try Fixture()
        let store = try fixture.create()
        try store.load(
            .profiles, from: .files([try fixture.file("p.csv", "id\nbusy\nheavy\nmany\nidle\n")]))
        var text = "profile,channel,event,time,campaign,count\n"
        for i in 0..<135_000 { text += "busy,email,sent,\(1_735_689_600 + i * 60),c1,\n" }
        text +=
            "heavy,email,sent,1735689600,c1,2147483647\nheavy,email,sent,1735689601,c2,2147483647\n"
        for i in 0..<300 { text += "many,email,sent,\(1_735_689_600 + i),c\(i),\n" }
        try store.load(.events, from: .files([try fixture.file("e.csv", text)]))
        func atLeast(_ n: UInt32, _ more: String = "") throws -> Int {
            let head =
                #"{"activity": {"channel": "email", "event": "sent", "operator": "at_least", "times": "#
            return try count(store, head + "\(n)\(more)}}")
        }
        #expect(try atLeast(300) == 3)
        #expect(try atLeast(301) == 2)
        #expect(try atLeast(135_000) == 2)
        #expect(try atLeast(135_001) == 1)
        #expect(try atLeast(.max - 1) == 1)
        #expect(try atLeast(.max) == 0)
        #expect(try atLeast(135_000, #", "campaigns": ["c1"]"#) == 2)
        let window = #", "during": {"from": "2025-01-01T00:00:00Z", "to": "2025-01-01T05:00:00Z"}"#
        #expect(try atLeast(300, window) == 3)
        #expect(try atLeast(301, window) == 1)
    }

    @Test("names that are canonically equivalent are different fields")
    func fieldNamesAreBytes() throws {
        let names = ["\u{E9}", "e\u{301}", "K", "\u{212A}"]
        let fixture = try Fixture()
        let store = try fixture.create(names.map { Field(name: $0, type: .integer) })
        let text = """
            {"id": "a", "\(names[0])": 1, "\(names[1])": 2, "\(names[2])": 3}
            {"id": "b", "\(names[1])": 4, "\(names[3])": 5}
            """
        try store.load(.profiles, from: .files([try fixture.file("p.ndjson", text)]))
        let counts = try names.map {
            try store.snapshot().count(Segment(.field(FieldCondition($0, .exists)))).count
        }
        #expect(counts == [1, 2, 1, 1])
    }

    @Test("a stray quote spoils its own row only, in a file of many pieces")
    func strayQuote() throws {
        let fixture = try Fixture()
        let store = try fixture.create(LoadTests.fields)
        var text = "id,s\n"
        for i in 0..<600_000 {
            text +=
                i == 1000 ? "bad,a\"b\n" : i % 1000 == 7 ? "q\(i),\"x\n,\"\"y\"\n" : "row\(i),z\n"
        }
        var options = LoadOptions()
        options.rejects = fixture.folder.appendingPathComponent("rejects.ndjson").path
        let summary = try store.load(
            .profiles, from: .files([try fixture.file("p.csv", text)]), options: options)
        #expect(summary.new == 599_999 && summary.rejected == 1)
        let line = try String(contentsOfFile: options.rejects ?? "", encoding: .utf8)
        #expect(line.contains("\"line\": 1003,") && line.contains("malformed_csv"))
    }

    @Test("a line of more than 16 MiB is a bad row wherever it lies, and the rest is loaded")
    func longLine() throws {
        let fixture = try Fixture()
        let store = try fixture.create(LoadTests.fields)
        let long = String(repeating: "x", count: 17 << 20)
        var options = LoadOptions()
        options.rejects = fixture.folder.appendingPathComponent("rejects.ndjson").path
        for (name, text) in [
            ("p.csv", "id,s\na,1\nlong,\(long)\nb,2\n"),
            ("p.ndjson", "{\"id\": \"c\"}\n{\"id\": \"d\", \"s\": \"\(long)\"}\n{\"id\": \"e\"}\n"),
        ] {
            let summary = try store.load(
                .profiles, from: .files([try fixture.file(name, text)]), options: options)
            #expect(summary.new == 2 && summary.rejected == 1)
        }
    }

    @Test("a row that is not UTF-8 is a bad row, in the header an error")
    func notUTF8() throws {
        let fixture = try Fixture()
        let store = try fixture.create(LoadTests.fields)
        for (name, bytes, line) in [
            ("a.csv", Data("id,s\na,x\nb,".utf8) + [0xFF, 0x0A], 3),
            ("a.csv", Data("id,".utf8) + [0xC3, 0x0A], 1),
            ("a.ndjson", Data(#"{"id": "a", "s": ""#.utf8) + [0xC0, 0xAF] + Data("\"}\n".utf8), 1),
        ] {
            let file = try fixture.file(name, bytes)
            let error = #expect(throws: WinnowError.self) {
                try store.load(.profiles, from: .files([file]))
            }
            #expect(error?.code.rawValue == "bad_utf8" && error?.path == "\(file):\(line)")
        }
    }

    @Test("compressed files are read like plain ones; a damaged one is bad data")
    func compressed() throws {
        let fixture = try Fixture()
        let store = try fixture.create(LoadTests.fields)
        // Two frames of “id,n\na,1\n” and “b,2\n”, stored as they are.
        func frame(_ text: String) -> Data {
            let size = UInt8(text.utf8.count)
            return Data([0x28, 0xB5, 0x2F, 0xFD, 0x20, size, size << 3 | 1, 0, 0]) + Data(text.utf8)
        }
        let both = frame("id,n\na,1\n") + frame("b,2\n")
        try store.load(.profiles, from: .files([try fixture.file("p.csv.zst", both)]))
        #expect(try store.snapshot().profiles == 2)
        for damaged in [both.dropLast(2), Data("id\nc\n".utf8)] {
            let file = try fixture.file("q.csv.zst", Data(damaged))
            let error = #expect(throws: WinnowError.self) {
                try store.load(.profiles, from: .files([file]))
            }
            #expect(error?.code.rawValue == "bad_zstd" && error?.exitCode == 65)
        }
        #expect(try store.snapshot().profiles == 2)
    }

    @Test("a batch is loaded once, however often it comes; other content under its id is refused")
    func batches() throws {
        let fixture = try Fixture()
        let store = try fixture.create(LoadTests.fields)
        var options = LoadOptions()
        for i in 0..<300 {
            options.batch = "batch \(i)"
            let file = try fixture.file("p\(i).csv", "id,n\np\(i),\(i)\n")
            #expect(try store.load(.profiles, from: .files([file]), options: options).new == 1)
        }
        let version = try store.snapshot().version
        let before = try fixture.contents()
        for i in stride(from: 0, to: 300, by: 37) {
            options.batch = "batch \(i)"
            let file = try fixture.file("again.csv", "id,n\np\(i),\(i)\n")
            #expect(try store.load(.profiles, from: .files([file]), options: options).isRepeated)
            let other = try fixture.file("other.csv", "id,n\np\(i),7\n")
            let error = #expect(throws: WinnowError.self) {
                try store.load(.profiles, from: .files([other]), options: options)
            }
            #expect(error?.code.rawValue == "batch_conflict" && error?.exitCode == 65)
            options.mode = .update
            #expect(throws: WinnowError.self) {
                try store.load(.profiles, from: .files([file]), options: options)
            }
            options.mode = .upsert
        }
        #expect(try store.snapshot().version == version)
        #expect(try fixture.contents() == before)
        try store.compact()
        let file = try fixture.file("again.csv", "id,n\np5,5\n")
        options.batch = "batch 5"
        #expect(try store.load(.profiles, from: .files([file]), options: options).isRepeated)
        // A batch without rows is remembered, too.
        options.batch = "empty"
        let empty = try fixture.file("empty.csv", "id,n\n")
        #expect(try !store.load(.profiles, from: .files([empty]), options: options).isRepeated)
        #expect(try store.load(.profiles, from: .files([empty]), options: options).isRepeated)
        #expect(try store.snapshot().profiles == 300)
    }

    @Test("a load with little memory spills, and stores the same")
    func spilling() throws {
        let small = try Fixture()
        let large = try Fixture()
        let one = try small.create(LoadTests.fields)
        let two = try large.create(LoadTests.fields)
        var profiles = "id,n,s,set\n"
        var events = LoadTests.header + ",campaign,link,message\n"
        for i in 0..<70_000 { profiles += "p\(i),\(i % 977),text \(i),a|\(i % 50)\n" }
        for i in 0..<600_000 {
            let profile = i * 7919 % 90_000
            let event = ["sent", "opened", "clicked"][i % 3]
            events += "p\(profile),email,\(event),\(1_735_689_600 + i * 31),c\(i % 40),"
            events += (i % 3 == 2 ? "l\(i % 5000)" : "") + ",m\(i / 3 % 60_000)\n"
        }
        var options = LoadOptions()
        options.unknownProfiles = .create
        for (fixture, store, memory) in [(small, one, 16 << 20), (large, two, 1 << 30)] {
            options.memory = memory
            try store.load(
                .profiles, from: .files([try fixture.file("p.csv", profiles)]), options: options)
            try store.load(
                .events, from: .files([try fixture.file("e.csv", events)]), options: options)
            #expect(try Store.verify(at: store.path).findings == [])
        }
        for rule in [
            #"{"activity": {"channel": "email", "event": "unique_clicked", "operator": "at_least", "times": 2}}"#,
            #"{"activity": {"channel": "email", "event": "opened", "operator": "not_happened","#
                + #" "preceded_by": {"event": "sent", "pairing": "message"}}}"#,
            #"{"activity": {"channel": "email", "event": "clicked", "operator": "at_least", "times": 1,"#
                + #" "links": ["l7", "l4999"]}}"#,
            #"{"field": {"name": "s", "operator": "contains", "value": "99"}}"#,
            #"{"field": {"name": "set", "operator": "has_all", "value": ["a", "17"]}}"#,
        ] {
            let segment = try Segment(json: rule)
            let ids = try Array(one.snapshot().ids(of: segment))
            #expect(try ids == Array(two.snapshot().ids(of: segment)), "\(rule)")
            #expect(!ids.isEmpty && ids.count < 90_000, "\(rule)")
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: small.storePath + "/parts")
        #expect(try names.count == one.snapshot().info().parts)
    }

    @Test("a load can be ended until it is stored: while it reads, while it merges")
    func cancelledWhileStoring() throws {
        let fixture = try Fixture()
        let store = try fixture.create()
        try store.load(.profiles, from: .bytes("id\na\n".utf8, as: .csv))
        let before = try fixture.contents()
        for storing in [false, true] {
            let isWanted = Mutex(false)
            var options = LoadOptions()
            options.progress = { progress in
                if progress.isStoring == storing { isWanted.withLock { $0 = true } }
            }
            options.isCancelled = { isWanted.withLock { $0 } }
            #expect(throws: WinnowError.cancelled) {
                try store.load(
                    .profiles, from: .bytes("id\nb\nc\n".utf8, as: .csv), options: options)
            }
            // The next writer removes what this one has left, if anything.
            #expect(try fixture.contents() == before)
            #expect(isWanted.withLock { $0 })
        }
    }

    @Test("a load that is interrupted, or fails, leaves nothing")
    func interrupted() throws {
        let fixture = try Fixture()
        let store = try fixture.create()
        try store.load(.profiles, from: .files([try fixture.file("p.csv", "id\na\n")]))
        let before = try fixture.contents()
        var events = LoadTests.header + "\n"
        for i in 0..<800_000 { events += "a,email,sent,\(1_735_689_600 + i)\n" }
        let file = try fixture.file("e.csv", events)
        var options = LoadOptions()
        options.memory = 16 << 20
        let asked = Counter()
        options.isCancelled = { asked.next() > 4 }
        let error = #expect(throws: WinnowError.self) {
            try store.load(.events, from: .files([file]), options: options)
        }
        #expect(error == .cancelled && error?.exitCode == 130, "\(String(describing: error))")
        #expect(try fixture.contents() == before)
        options.isCancelled = { false }
        let broken = try fixture.file("b.csv", events + "a,email,nothing,1\n")
        #expect(throws: WinnowError.self) {
            try store.load(.events, from: .files([broken]), options: options)
        }
        #expect(try fixture.contents() == before)
        let seen = Counter()
        options.progress = { _ in _ = seen.next() }
        try store.load(.events, from: .files([file]), options: options)
        #expect(seen.next() > 3)
    }

    @Test("fifty thousand columns, keys, names, tags and attributes")
    func manyNames() throws {
        let fixture = try Fixture()
        let store = try fixture.create(LoadTests.fields)
        let numbers = Array(0..<50_000)
        var options = LoadOptions()
        options.ignoresUnknownColumns = true
        let columns = numbers.map { "c\($0)" }.joined(separator: ",")
        let cells = String(repeating: ",v", count: 50_000)
        let wide = try fixture.file("w.csv", "id,\(columns),n\na\(cells),5\nb\(cells),6\n")
        #expect(try store.load(.profiles, from: .files([wide]), options: options).new == 2)
        let keys = numbers.map { "\"k\($0)\": \($0)" }.joined(separator: ", ")
        let deep = try fixture.file("w.ndjson", "{\"id\": \"c\", \(keys), \"n\": 7}\n")
        #expect(try store.load(.profiles, from: .files([deep]), options: options).new == 1)
        #expect(throws: WinnowError.self) { try store.load(.profiles, from: .files([wide])) }
        #expect(throws: WinnowError.self) { try store.load(.profiles, from: .files([deep])) }
        let names = "id,s\n" + numbers.map { "p\($0),name \($0)\n" }.joined()
        try store.load(.profiles, from: .files([try fixture.file("n.csv", names)]))
        #expect(
            try count(
                store, #"{"field": {"name": "s", "operator": "equals", "value": "name 49999"}}"#)
                == 1)
        let list = numbers.map { "\"t\($0)\"" }.joined(separator: ", ")
        let pairs = numbers.map { "\"a\($0)\": \"\($0)\"" }.joined(separator: ", ")
        let campaign = "{\"id\": \"c\", \"tags\": [\(list)], \"attributes\": {\(pairs)}}\n"
        try store.load(.campaigns, from: .files([try fixture.file("c.ndjson", campaign)]))
        let set = "{\"id\": \"a\", \"set\": [\(list)]}\n"
        try store.load(.profiles, from: .files([try fixture.file("s.ndjson", set)]))
        let has = #"{"field": {"name": "set", "operator": "has_all", "value": ["t0", "t49999"]}}"#
        #expect(try count(store, has) == 1)
        #expect(
            try count(store, #"{"field": {"name": "n", "operator": "between", "value": [5, 7]}}"#)
                == 3)
    }

    @Test(
        "a row that is not stored makes nothing known, and a skipped one is checked like any other")
    func rejectedNames() throws {
        let fixture = try Fixture()
        let store = try fixture.create()
        try store.load(.profiles, from: .files([try fixture.file("p.csv", "id\na\n")]))
        let long = String(repeating: "x", count: 300)
        let head = LoadTests.header + ",campaign,link\n"
        var options = LoadOptions()
        options.rejects = fixture.folder.appendingPathComponent("rejects.ndjson").path
        options.unknownProfiles = .skip
        let rows =
            "a,email,clicked,1735689600,ghost,\(long)\nnobody,email,clicked,1735689600,shade,\na,email,clicked,1735689600,real,l\n"
        let summary = try store.load(
            .events, from: .files([try fixture.file("e.csv", head + rows)]), options: options)
        #expect(
            summary.rows == 3 && summary.new == 1 && summary.skipped == 1 && summary.rejected == 1)
        for (campaign, warnings) in [("ghost", 2), ("shade", 2), ("real", 0)] {
            let rule =
                #"{"activity": {"channel": "email", "event": "clicked", "operator": "at_least", "times": 1,"#
                + #" "campaigns": ["\#(campaign)"]}}"#
            #expect(
                try store.snapshot().count(try Segment(json: rule)).warnings.count == warnings,
                "\(campaign)")
        }
        options.rejects = nil
        let bad = try fixture.file("b.csv", head + "nobody,email,clicked,1735689600,c,\(long)\n")
        #expect(throws: WinnowError.self) {
            try store.load(.events, from: .files([bad]), options: options)
        }
    }

    @Test("what is passed over is still JSON without repeated keys, however deep")
    func ignoredKeys() throws {
        let fixture = try Fixture()
        let store = try fixture.create()
        var options = LoadOptions()
        options.ignoresUnknownColumns = true
        let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        let fine = #"{"id": "a", "q": {"x": [1, {}, "\u00e9"], "x": 2}, "deep": \#(deep)}"# + "\n"
        #expect(
            try store.load(
                .profiles, from: .files([try fixture.file("p.ndjson", fine)]), options: options
            ).new == 1)
        for (row, code) in [
            (#"{"id": "b", "q": 1, "q": 2}"#, "repeated_key"),
            (#"{"id": "b", "q": "\q"}"#, "malformed_json"),
            (#"{"id": "b", "q": ["\ud800"]}"#, "malformed_json"),
            (#"{"id": "b", "q": {"a" 1}}"#, "malformed_json"),
            (#"{"id": "b", "q": [1 2]}"#, "malformed_json"),
            (#"{"id": "b", "q": [1,]}"#, "malformed_json"),
            (#"{"id": "b", "q": {"a": 1,}}"#, "malformed_json"),
            (#"{"id": "b", "q": [}"#, "malformed_json"),
        ] {
            let file = try fixture.file("q.ndjson", row + "\n")
            let error = #expect(throws: WinnowError.self, "\(row)") {
                try store.load(.profiles, from: .files([file]), options: options)
            }
            #expect(error?.code.rawValue == code, "\(row)")
        }
    }

    @Test("rows are counted once, whatever is wrong with them")
    func rowsOnce() throws {
        let fixture = try Fixture()
        let store = try fixture.create(LoadTests.fields)
        var options = LoadOptions()
        options.rejects = fixture.folder.appendingPathComponent("rejects.ndjson").path
        let campaigns =
            #"{"id": "c", "attributes": {"a": "x", "a": "y"}}"#
            + "\n{\"id\": 1.5}\n{\n{\"id\": \"d\"}\n"
        let first = try store.load(
            .campaigns, from: .files([try fixture.file("c.ndjson", campaigns)]), options: options)
        #expect(first.rows == 4 && first.rejected == 3 && first.new == 1)
        let rows = "id,n\r\na,x\r\n\"b\"c,1\r\nd,1,2\r\ne,5\r\n"
        let second = try store.load(
            .profiles, from: .files([try fixture.file("p.csv", rows)]), options: options)
        #expect(second.rows == 4 && second.rejected == 3 && second.new == 1)
        let text = try String(contentsOfFile: options.rejects ?? "", encoding: .utf8)
        #expect(!text.contains("\\r") && text.contains(#""raw": "\"b\"c,1""#))
    }

    @Test("a named pipe is read like a file")
    func namedPipe() throws {
        let fixture = try Fixture()
        let store = try fixture.create()
        let path = fixture.folder.appendingPathComponent("pipe.csv").path
        #expect(mkfifo(path, 0o600) == 0)
        let writer = Thread {
            let handle = FileHandle(forWritingAtPath: path)
            handle?.write(Data("id\na\nb\n".utf8))
            try? handle?.close()
        }
        writer.start()
        #expect(try store.load(.profiles, from: .files([path])).new == 2)
    }

    @Test("a store that takes unique events as they are loaded derives none")
    func storedUniqueEvents() throws {
        let fixture = try Fixture()
        let store = try Store.create(
            fixture.storePath, schema: Schema(fields: [], uniqueEvents: .stored))
        try store.load(.profiles, from: .files([try fixture.file("p.csv", "id\na\nb\n")]))
        let rows =
            "a,email,clicked,1735689600,m1\na,email,clicked,1735689601,m1\nb,email,unique_clicked,1735689600,\n"
            + "b,email,unique_clicked,1735689601,\n"
        try store.load(
            .events,
            from: .files([try fixture.file("e.csv", LoadTests.header + ",message\n" + rows)]))
        for (event, times, expected) in [
            ("unique_clicked", 1, ["b"]), ("unique_clicked", 2, ["b"]), ("clicked", 2, ["a"]),
            ("unique_link_clicked", 1, []),
        ] {
            let rule =
                #"{"activity": {"channel": "email", "event": "\#(event)", "operator": "at_least","#
                + #" "times": \#(times)}}"#
            let segment = try Segment(json: rule)
            #expect(try Array(store.snapshot().ids(of: segment)) == expected, "\(rule)")
            #expect(try store.snapshot().count(segment).warnings == [], "\(rule)")
        }
        #expect(try Store.verify(at: store.path).findings == [])
    }

    @Test("rejects never overwrite an input")
    func rejectsOverInput() throws {
        let fixture = try Fixture()
        let store = try fixture.create(LoadTests.fields)
        let file = try fixture.file("p.csv", "id\na\n")
        var options = LoadOptions()
        options.rejects = file
        #expect(throws: WinnowError.self) {
            try store.load(.profiles, from: .files([file]), options: options)
        }
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "id\na\n")
    }
}

/// Counts from many threads.
private final class Counter: Sendable {
    private let value = Mutex(0)
    func next() -> Int {
        value.withLock {
            $0 += 1
            return $0
        }
    }
}
