import Foundation
import Testing
import Winnow

@Suite("Loading")
struct LoadTests {
    private static let fields = [
        Field(name: "n", type: .integer), Field(name: "d", type: .decimal, scale: 2),
        Field(name: "b", type: .boolean), Field(name: "day", type: .date), Field(name: "at", type: .datetime),
        Field(name: "set", type: .stringSet), Field(name: "s", type: .string),
    ]

    private func count(_ store: WinnowStore, _ rule: String) throws -> Int {
        try store.snapshot().count(try Segment(json: rule)).count
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        var kind: LoadKind
        var file: String
        var text: String
        var line: Int
        var column: String?
        var code: String
        var testDescription: String { "\(code): \(text.suffix(60))" }
    }

    private static let header = "profile,channel,event,time"

    static let bad: [Bad] = [
        Bad(kind: .profiles, file: "a.csv", text: "id,n\nx,1\ny,1.5\n", line: 3, column: "n", code: "bad_value"),
        Bad(kind: .profiles, file: "a.csv", text: "id,n\nx,+1\n", line: 2, column: "n", code: "bad_value"),
        Bad(
            kind: .profiles, file: "a.csv", text: "id,n\nx,9223372036854775808\n", line: 2, column: "n",
            code: "bad_value"),
        Bad(kind: .profiles, file: "a.csv", text: "id,d\nx,1.005\n", line: 2, column: "d", code: "bad_value"),
        Bad(kind: .profiles, file: "a.csv", text: "id,d\nx,1e2\n", line: 2, column: "d", code: "bad_value"),
        Bad(kind: .profiles, file: "a.csv", text: "id,b\nx,TRUE\n", line: 2, column: "b", code: "bad_value"),
        Bad(kind: .profiles, file: "a.csv", text: "id,day\nx,2025-02-29\n", line: 2, column: "day", code: "bad_value"),
        Bad(
            kind: .profiles, file: "a.csv", text: "id,at\nx,2025-01-01T00:00:60Z\n", line: 2, column: "at",
            code: "bad_value"),
        Bad(kind: .profiles, file: "a.csv", text: "id,set\nx,a\\b\n", line: 2, column: "set", code: "bad_value"),
        Bad(kind: .profiles, file: "a.csv", text: "id,n\n,1\n", line: 2, column: "id", code: "missing_id"),
        Bad(kind: .profiles, file: "a.csv", text: "id\n\"\"\n", line: 2, column: "id", code: "missing_id"),
        Bad(kind: .profiles, file: "a.csv", text: "id,n\nx,1,2\n", line: 2, column: nil, code: "wrong_width"),
        Bad(
            kind: .profiles, file: "a.csv", text: "id,s\nx,\"a\nb\"\ny,\"open\n", line: 4, column: nil,
            code: "malformed_csv"),
        Bad(kind: .profiles, file: "a.csv", text: "id,s\nx,a\"b\n", line: 2, column: nil, code: "malformed_csv"),
        Bad(kind: .profiles, file: "a.csv", text: "id,nope\nx,1\n", line: 1, column: "nope", code: "unknown_column"),
        Bad(kind: .profiles, file: "a.csv", text: "id,n,n\nx,1,2\n", line: 1, column: "n", code: "repeated_column"),
        Bad(kind: .profiles, file: "a.csv", text: "", line: 1, column: nil, code: "missing_header"),
        Bad(
            kind: .profiles, file: "a.ndjson", text: "{\"id\": \"x\"}\n{\"id\": \"y\", \"n\": \"1\"}\n", line: 2,
            column: "n", code: "bad_value"),
        Bad(
            kind: .profiles, file: "a.ndjson", text: "{\"id\": \"y\", \"n\": 1.0}\n", line: 1, column: "n",
            code: "bad_value"),
        Bad(
            kind: .profiles, file: "a.ndjson", text: "\n{\"id\": \"x\", \"id\": \"y\"}\n", line: 2, column: "id",
            code: "repeated_key"),
        Bad(
            kind: .profiles, file: "a.ndjson", text: "{\"id\": \"x\", \"zz\": 1}\n", line: 1, column: "zz",
            code: "unknown_key"),
        Bad(
            kind: .profiles, file: "a.ndjson", text: "{\"id\": \"\\ud800\"}\n", line: 1, column: nil,
            code: "malformed_json"),
        Bad(kind: .profiles, file: "a.ndjson", text: "{\"id\": \"x\"\n", line: 1, column: nil, code: "malformed_json"),
        Bad(kind: .profiles, file: "a.ndjson", text: "{\"n\": 1}\n", line: 1, column: "id", code: "missing_id"),
        Bad(
            kind: .events, file: "e.csv", text: header + "\nx,email,read_it,2025-01-01T00:00:00Z\n", line: 2,
            column: "event", code: "unknown_event"),
        Bad(
            kind: .events, file: "e.csv", text: header + "\nx,viber,opened,2025-01-01T00:00:00Z\n", line: 2,
            column: "event", code: "unknown_event"),
        Bad(
            kind: .events, file: "e.csv", text: header + "\nx,mail,opened,2025-01-01T00:00:00Z\n", line: 2,
            column: "channel", code: "unknown_channel"),
        Bad(
            kind: .events, file: "e.csv", text: header + "\nx,email,unique_opened,1735689600\n", line: 2,
            column: "event", code: "derived_event"),
        Bad(
            kind: .events, file: "e.csv", text: header + "\nstranger,email,opened,1735689600\n", line: 2,
            column: "profile", code: "unknown_profile"),
        Bad(
            kind: .events, file: "e.csv", text: header + "\nx,email,opened,\n", line: 2, column: "time",
            code: "missing_time"),
        Bad(
            kind: .events, file: "e.csv", text: header + ",time_ms\nx,email,opened,1,1\n", line: 2, column: "time",
            code: "two_times"),
        Bad(
            kind: .events, file: "e.csv", text: header + "\nx,email,opened,1999-12-31T23:59:59Z\n", line: 2,
            column: "time", code: "time_range"),
        Bad(
            kind: .events, file: "e.csv", text: header + "\nx,email,opened,2999-01-01T00:00:00Z\n", line: 2,
            column: "time", code: "time_range"),
        Bad(
            kind: .events, file: "e.csv", text: header + ",count\nx,email,opened,1735689600,0\n", line: 2,
            column: "count", code: "bad_value"),
        Bad(
            kind: .events, file: "e.csv", text: header + ",count\nx,email,opened,1735689600,2147483648\n", line: 2,
            column: "count", code: "bad_value"),
        Bad(
            kind: .campaigns, file: "c.ndjson", text: "{\"id\": \"c\", \"tags\": \"t\"}\n", line: 1, column: "tags",
            code: "bad_value"),
        Bad(
            kind: .campaigns, file: "c.ndjson", text: "{\"id\": \"c\", \"attributes\": {\"a\": 1}}\n", line: 1,
            column: "attributes", code: "bad_value"),
        Bad(
            kind: .templates, file: "t.ndjson", text: "{\"id\": \"t\", \"channel\": \"fax\"}\n", line: 1,
            column: "channel", code: "unknown_channel"),
    ]

    @Test("a bad row stops the load with its place, and the store stays as it was", arguments: bad)
    func badRow(bad: Bad) throws {
        let fixture = try Fixture(), store = try fixture.create(LoadTests.fields)
        try store.load(.profiles, files: [try fixture.file("first.csv", "id,n\nx,7\n")])
        let before = try fixture.contents(), file = try fixture.file(bad.file, bad.text)
        let error = #expect(throws: WinnowError.self) { try store.load(bad.kind, files: [file]) }
        guard case .badData(let path, let line, let column, let code, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(path == file && line == bad.line && column == bad.column && code == bad.code)
        #expect(error?.exitCode == 65)
        #expect(try fixture.contents() == before)
    }

    @Test("rejects keep what is wrong and load the rest")
    func rejects() throws {
        let fixture = try Fixture(), store = try fixture.create(LoadTests.fields)
        let file = try fixture.file("p.csv", "id,n\na,1\nb,x\nc,3\nd,4,5\n\"e\nf\",6\n")
        var options = LoadOptions()
        options.rejects = fixture.folder.appendingPathComponent("rejects.ndjson").path
        options.maximumRejects = 1
        #expect(throws: WinnowError.self) { try store.load(.profiles, files: [file], options: options) }
        #expect(try store.snapshot().profiles == 0)
        options.maximumRejects = 2
        let summary = try store.load(.profiles, files: [file], options: options)
        #expect(summary.rows == 5 && summary.new == 3 && summary.rejected == 2)
        let lines = try String(contentsOfFile: options.rejects ?? "", encoding: .utf8).split(separator: "\n")
        let objects = try lines.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
        #expect(objects.map { $0?["line"] as? Int } == [3, 5])
        #expect(objects.map { $0?["code"] as? String } == ["bad_value", "wrong_width"])
        #expect(objects.map { $0?["raw"] as? String } == ["b,x", "d,4,5"])
    }

    @Test("CSV as people write it: byte order mark, CRLF, blank lines, quotes")
    func csvForms() throws {
        let fixture = try Fixture(), store = try fixture.create(LoadTests.fields)
        let text = "\u{FEFF}id,s,set\r\n\r\na,\"x, \"\"y\"\"\r\nz\",p|q\\|r\r\n\nb,\"\",\"\"\nc,,"
        try store.load(.profiles, files: [try fixture.file("p.csv", text)])
        #expect(try store.snapshot().profiles == 3)
        #expect(try count(store, #"{"field": {"name": "s", "operator": "equals", "value": "x, \"y\"\r\nz"}}"#) == 1)
        #expect(try count(store, #"{"field": {"name": "s", "operator": "is_empty"}}"#) == 1)
        #expect(try count(store, #"{"field": {"name": "s", "operator": "exists"}}"#) == 2)
        #expect(try count(store, #"{"field": {"name": "set", "operator": "has_all", "value": ["p", "q|r"]}}"#) == 1)
        #expect(try count(store, #"{"field": {"name": "set", "operator": "exists"}}"#) == 2)
    }

    @Test("a later load adds, updates and clears; absent cells keep what is stored")
    func upsert() throws {
        let fixture = try Fixture(), store = try fixture.create(LoadTests.fields)
        try store.load(.profiles, files: [try fixture.file("1.csv", "id,n,s\na,1,old\nb,2,old\n")])
        let second = "{\"id\": \"a\", \"s\": null}\n{\"id\": \"c\", \"n\": 3}\n{\"id\": \"b\", \"n\": 5}\n"
        let summary = try store.load(.profiles, files: [try fixture.file("2.ndjson", second)])
        #expect(summary.new == 1 && summary.updated == 2)
        #expect(try count(store, #"{"field": {"name": "s", "operator": "equals", "value": "old"}}"#) == 1)
        #expect(try count(store, #"{"field": {"name": "n", "operator": "in", "value": [1, 3, 5]}}"#) == 3)
        #expect(try count(store, #"{"field": {"name": "n", "operator": "equals", "value": 2}}"#) == 0)
    }

    @Test("insert leaves existing profiles alone, update skips new ones, empty cells can clear")
    func modes() throws {
        let fixture = try Fixture(), store = try fixture.create(LoadTests.fields)
        try store.load(.profiles, files: [try fixture.file("1.csv", "id,n,s\na,1,x\nb,2,y\n")])
        var options = LoadOptions()
        options.mode = .insert
        let inserted = try store.load(
            .profiles, files: [try fixture.file("2.csv", "id,n\na,10\nc,11\nc,12\n")], options: options)
        #expect(inserted.new == 1 && inserted.updated == 0 && inserted.skipped == 2)
        options.mode = .update
        options.emptyClears = true
        let updated = try store.load(
            .profiles, files: [try fixture.file("3.csv", "id,n,s\na,20,\nd,21,z\n")], options: options)
        #expect(updated.new == 0 && updated.updated == 1 && updated.skipped == 1)
        #expect(try store.snapshot().profiles == 3)
        #expect(try count(store, #"{"field": {"name": "n", "operator": "in", "value": [2, 11, 20]}}"#) == 3)
        #expect(try count(store, #"{"field": {"name": "s", "operator": "exists"}}"#) == 1)
    }

    @Test("events of unknown profiles can make them, or be skipped")
    func unknownProfiles() throws {
        let fixture = try Fixture(), store = try fixture.create()
        try store.load(.profiles, files: [try fixture.file("p.csv", "id\na\n")])
        let rows = "a,email,sent,1735689600\nnew,email,sent,1735689600\nnew,email,sent,1735689601\n"
        let file = try fixture.file("e.csv", LoadTests.header + "\n" + rows)
        var options = LoadOptions()
        options.unknownProfiles = .skip
        let skipped = try store.load(.events, files: [file], options: options)
        #expect(skipped.new == 1 && skipped.skipped == 2)
        options.unknownProfiles = .create
        #expect(try store.load(.events, files: [file], options: options).new == 3)
        #expect(try store.load(.events, files: [file], options: options).new == 3)
        let four = #"{"activity": {"channel": "email", "event": "sent", "operator": "exactly", "times": 4}}"#
        #expect(try store.snapshot().ids(try Segment(json: four)) == ["new"])
        #expect(try store.snapshot().profiles == 2)
    }

    @Test("counts beyond what a byte holds: 135,000 events of one profile, weights of two thousand million")
    func largeCounts() throws {
        let fixture = try Fixture(), store = try fixture.create()
        try store.load(.profiles, files: [try fixture.file("p.csv", "id\nbusy\nheavy\nmany\nidle\n")])
        var text = "profile,channel,event,time,campaign,count\n"
        for i in 0..<135_000 { text += "busy,email,sent,\(1_735_689_600 + i * 60),c1,\n" }
        text += "heavy,email,sent,1735689600,c1,2147483647\nheavy,email,sent,1735689601,c2,2147483647\n"
        for i in 0..<300 { text += "many,email,sent,\(1_735_689_600 + i),c\(i),\n" }
        try store.load(.events, files: [try fixture.file("e.csv", text)])
        func atLeast(_ n: UInt32, _ more: String = "") throws -> Int {
            let head = #"{"activity": {"channel": "email", "event": "sent", "operator": "at_least", "times": "#
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
        let fixture = try Fixture(), store = try fixture.create(names.map { Field(name: $0, type: .integer) })
        let text = """
            {"id": "a", "\(names[0])": 1, "\(names[1])": 2, "\(names[2])": 3}
            {"id": "b", "\(names[1])": 4, "\(names[3])": 5}
            """
        try store.load(.profiles, files: [try fixture.file("p.ndjson", text)])
        let counts = try names.map { try store.snapshot().count(Segment(.field(FieldCondition($0, .exists)))).count }
        #expect(counts == [1, 2, 1, 1])
    }

    @Test("a stray quote spoils its own row only, in a file of many pieces")
    func strayQuote() throws {
        let fixture = try Fixture(), store = try fixture.create(LoadTests.fields)
        var text = "id,s\n"
        for i in 0..<600_000 {
            text += i == 1000 ? "bad,a\"b\n" : i % 1000 == 7 ? "q\(i),\"x\n,\"\"y\"\n" : "row\(i),z\n"
        }
        var options = LoadOptions()
        options.rejects = fixture.folder.appendingPathComponent("rejects.ndjson").path
        let summary = try store.load(.profiles, files: [try fixture.file("p.csv", text)], options: options)
        #expect(summary.new == 599_999 && summary.rejected == 1)
        let line = try String(contentsOfFile: options.rejects ?? "", encoding: .utf8)
        #expect(line.contains("\"line\": 1003,") && line.contains("malformed_csv"))
    }

    @Test("a line of more than 16 MiB is a bad row wherever it lies, and the rest is loaded")
    func longLine() throws {
        let fixture = try Fixture(), store = try fixture.create(LoadTests.fields)
        let long = String(repeating: "x", count: 17 << 20)
        var options = LoadOptions()
        options.rejects = fixture.folder.appendingPathComponent("rejects.ndjson").path
        for (name, text) in [
            ("p.csv", "id,s\na,1\nlong,\(long)\nb,2\n"),
            ("p.ndjson", "{\"id\": \"c\"}\n{\"id\": \"d\", \"s\": \"\(long)\"}\n{\"id\": \"e\"}\n"),
        ] {
            let summary = try store.load(.profiles, files: [try fixture.file(name, text)], options: options)
            #expect(summary.new == 2 && summary.rejected == 1)
        }
    }

    @Test("rejects never overwrite an input")
    func rejectsOverInput() throws {
        let fixture = try Fixture(), store = try fixture.create(LoadTests.fields)
        let file = try fixture.file("p.csv", "id\na\n")
        var options = LoadOptions()
        options.rejects = file
        #expect(throws: WinnowError.self) { try store.load(.profiles, files: [file], options: options) }
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "id\na\n")
    }
}
