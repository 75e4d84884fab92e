import Foundation
import Testing
import Winnow
import WinnowCommands

@Suite("Commands called by programs", .serialized)
struct CommandCallTests {
    /// A store with the bookshop's files.
    private func bookshop(_ fixture: Fixture) throws -> Store {
        let data = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("data/bookshop").path
        let schema = try String(contentsOfFile: data + "/schema.json", encoding: .utf8)
        #expect(
            try CommandCall().run(
                "create", #"{"store": "\#(fixture.storePath)", "schema": \#(schema)}"#) == "[]")
        let store = try Store(fixture.storePath)
        for name in ["profiles.csv", "campaigns.ndjson", "templates.ndjson", "events.csv"] {
            let kind = name.prefix { $0 != "." }
            let answer = try CommandCall(of: store).run(
                "load", #"{"kind": "\#(kind)", "files": ["\#(data)/\#(name)"]}"#)
            #expect(answer.contains(#""rejected": 0"#), "\(answer)")
        }
        return store
    }

    /// Without what differs from run to run.
    private func timeless(_ json: String) -> String {
        json.replacing(#/"(elapsed_ms|p50_ms|p95_ms|min_ms)": [0-9.]+/#) { "\"\($0.1)\": 0" }
    }

    @Test("answers are the lines that a shell gets", arguments: calls)
    func sameAsInAShell(_ name: String, _ arguments: String, _ words: [String]) throws {
        let fixture = try Fixture()
        let store = try bookshop(fixture)
        let answer = try CommandCall(of: store, try store.snapshot()).run(name, arguments)
        var shell = name.split(separator: " ").map(String.init)
        if !["rule", "maps", "catalog"].contains(name) {
            shell.insert(store.path, at: 1)
        }
        let result = try Binary.run(shell + words)
        #expect(result.status == 0, "\(result.error)")
        let lines = result.output.split(separator: "\n").map(String.init)
        #expect(!lines.isEmpty)
        #expect(timeless(answer) == timeless("[" + lines.joined(separator: ", ") + "]"))
    }

    private static let asOf = #""as_of": "2025-10-15T00:00:00Z""#
    private static let shellAsOf = ["--as-of", "2025-10-15T00:00:00Z"]
    private static let json = ["--format", "json"]
    static let calls: [(String, String, [String])] = [
        (
            "count", #"{"rule": "email opened exists", \#(asOf), "timezone": "Europe/Berlin"}"#,
            ["email opened exists", "--timezone", "Europe/Berlin"] + shellAsOf + json
        ),
        (
            "count",
            #"{"rules": ["email opened exists", {"name": "n", "where": {"not": {"sample": {"from": 0, "to": 5}}}}], \#(asOf)}"#,
            [
                "email opened exists",
                #"{"name": "n", "where": {"not": {"sample": {"from": 0, "to": 5}}}}"#,
            ] + shellAsOf + json
        ),
        (
            "count",
            #"{"text": "email opened exists", "since": "2025-10-01", "until": "2025-10-03"}"#,
            ["email opened exists", "--since", "2025-10-01", "--until", "2025-10-03"] + json
        ),
        (
            "explain",
            #"{"rule": "email opened exists and country = \"DE\"", \#(asOf), "threads": 1}"#,
            ["email opened exists and country = \"DE\"", "--threads", "1"] + shellAsOf + json
        ),
        (
            "overlap",
            #"{"rules": ["email opened exists", "email clicked exists"], \#(asOf), "strict": true}"#,
            ["email opened exists", "email clicked exists", "--strict"] + shellAsOf + json
        ),
        (
            "breakdown",
            #"{"rule": "email opened exists", "by": ["country", "@reachable"], \#(asOf)}"#,
            ["email opened exists", "--by", "country,@reachable"] + shellAsOf + json
        ),
        (
            "breakdown",
            #"{"rule": "email opened exists", "activity": "1y", \#(asOf), "strict": false}"#,
            ["email opened exists", "--activity", "1y"] + shellAsOf + json
        ),
        ("show", #"{"what": "ada", "events": 2, "limit": null}"#, ["ada", "--events", "2"] + json),
        (
            "export",
            #"{"rule": "email opened exists", "format": "ndjson", "fields": ["country"]}"#,
            ["email opened exists", "--format", "ndjson", "--fields", "country"]
        ),
        ("info", #"{"detail": true}"#, ["--detail"] + json),
        ("catalog", "{}", json),
        ("verify", "{}", json),
        (
            "rule", #"{"rule": "email opened exists", "to": "json"}"#,
            ["email opened exists", "--to", "json"]
        ),
    ]

    @Test("what is written is there, and ids may be given as they are")
    func writing() throws {
        let fixture = try Fixture()
        let store = try bookshop(fixture)
        let call = { (name: String, arguments: String) in
            try CommandCall(of: store).run(name, arguments)
        }
        let before = try store.snapshot().profiles
        let id = try #require(
            try store.snapshot().ids(of: Segment("id is not blank")).first { _ in true })
        let saved = try call(
            "segment save",
            #"{"name": "-one", "profiles": ["\#(id)", "no\nbody"], "replace": true}"#)
        #expect(saved.contains(#""members": 1"#) && saved.contains(#""unknown": 1"#), "\(saved)")
        #expect(try call("segment list", "{}").contains(#""name": "-one""#))
        #expect(try call("segment remove", #"{"name": "-one"}"#) == "[]")
        #expect(
            try call("erase", #"{"profiles": ["\#(id)", "\#(id)", "nobody"]}"#)
                == #"[{"ids": 2, "erased": 1, "segments": []}]"#)
        #expect(try store.snapshot().profiles == before - 1)
        #expect(try call("compact", "{}") == #"[{"versions_held": 0}]"#)
        #expect(try call("schema", #"{"change": ["add", "points", "integer"]}"#) == "[]")
        #expect(try store.snapshot().schema.index(of: "points") != nil)
        #expect(
            try call("export", #"{"rule": "id = \"\#(id)\" or id is not blank", "limit": 1}"#)
                .hasPrefix("[\""))
    }

    @Test("rows come from the caller, and a rename is an object")
    func loading() throws {
        let fixture = try Fixture()
        let store = try fixture.create([Field(name: "n", type: .integer)])
        let chunks = Chunks([#"{"id": "a", "Number""#, #": 7}"# + "\n"])
        let answer = try CommandCall(of: store, input: .text(nil, chunks.next)).run(
            "load",
            #"{"kind": "profiles", "files": ["-"], "format": "ndjson", "rename": {"Number": "n"}}"#)
        #expect(answer.contains(#""rows": 1"#), "\(answer)")
        #expect(try store.snapshot().count(Segment("n = 7")).count == 1)
        let mapped = try CommandCall(of: store).run("maps", #"{"name": "sendgrid"}"#)
        #expect(mapped.hasPrefix("[{"))
    }

    @Test("an id with a line break is no line, and a value of JSON")
    func idsWithReturns() throws {
        let fixture = try Fixture()
        let store = try fixture.create()
        let rows = Chunks([#"{"id": "a\r"}"# + "\n", #"{"id": "b"}"# + "\n"])
        _ = try CommandCall(of: store, input: .text(nil, rows.next)).load(
            "profiles", #"{"format": "ndjson"}"#)
        let error = #expect(throws: WinnowError.self) {
            try CommandCall(of: store).run("export", #"{"rule": "id is not blank"}"#)
        }
        #expect(error?.exitCode == 65)
        let rest = try CommandCall(of: store).run(
            "export", #"{"rule": "id is not blank", "format": "ndjson", "fields": []}"#)
        #expect(rest == #"[{"id": "a\r"}, {"id": "b"}]"#)
    }

    /// Text that comes in pieces.
    private final class Chunks: @unchecked Sendable {
        private var rest: ArraySlice<String>
        init(_ texts: [String]) { rest = texts[...] }
        @Sendable func next() throws(WinnowError) -> [UInt8]? {
            rest.popFirst().map { Array($0.utf8) }
        }
    }

    @Test(
        "what makes no sense is said with the key",
        arguments: [
            ("nothing", "{}", "unknown command “nothing”"),
            ("explian", "{}", "did you mean “explain”"),
            ("explain", "[]", "an object, not an array"), ("explain", "{", "not JSON at byte"),
            ("explain", #"{"rool": "x"}"#, "unknown key “rool”"),
            ("explain", #"{"rule": "x", "rule": "y"}"#, "“rule” is repeated"),
            ("explain", #"{"rule": true}"#, "“rule” cannot be a boolean"),
            ("explain", #"{"strict": 1}"#, "“strict” is true or false, not a number"),
            ("explain", "{}", "one rule is needed"),
            ("explain", #"{"rule": "vip = true", "threads": "many"}"#, "explain: The value 'many'"),
            ("explain", #"{"rule": "vip = true", "help": true}"#, "unknown key “help”"),
            ("breakdown", #"{"rule": "vip = true", "by": ["a,b"]}"#, "has a comma in it"),
            ("info", #"{"store": "elsewhere"}"#, "the store is open already"),
            ("export", #"{"rule": "id is not blank", "format": "roaring"}"#, "name a file"),
            ("load", #"{"kind": "profiles", "files": []}"#, "load: “files” is missing"),
            ("load", #"{"files": ["profiles", "q.ndjson"]}"#, "“kind” is missing"),
            ("load", #"{"kind": "profiles", "files": ["-"]}"#, "“files” names a file"),
            (
                "load", #"{"kind": "profiles", "files": ["x.csv"], "rename": {"a": "b=c"}}"#,
                "cannot have names with ="
            ),
            ("segment save", #"{"rule": "vip = true", "profiles": ["a"]}"#, "“name” is missing"),
            ("explain", #"{"rule": ["vip = true", "vip = false"]}"#, "takes one “rule”, not 2"),
            ("erase", #"{"profiles": [7]}"#, "an id is a string, not a number"),
            ("load", #"{"kind": "profiles", "files": ["x.csv"], "batch": ""}"#, "1 to 255 bytes"),
        ])
    func errors(_ name: String, _ arguments: String, _ message: String) throws {
        let fixture = try Fixture()
        let store = try bookshop(fixture)
        let error = #expect(throws: WinnowError.self) {
            try CommandCall(of: store).run(name, arguments)
        }
        #expect(error?.exitCode == 64 && error?.description.contains(message) == true, "\(error!)")
    }

    @Test("what a shell says beside the answer is kept, empty values are values, ids are looked at")
    func besides() throws {
        let fixture = try Fixture()
        let store = try bookshop(fixture)
        let call = CommandCall(of: store)
        let tag = #"email clicked at least 1 in campaigns tagged \"nosuch\""#
        let list = try call.run(
            "segment save", #"{"name": "n", "rule": "\#(tag)", "description": "", "freeze": true}"#)
        #expect(list.contains(#""members": 0"#))
        #expect(call.notes.contains { $0.contains("nosuch") }, "\(call.notes)")
        let ids = try CommandCall(of: store).run(
            "export", #"{"rule": "id is not blank", "format": "ndjson", "fields": [], "limit": 1}"#)
        #expect(ids == #"[{"id": "ada"}]"#)
        for id in ["", String(repeating: "x", count: 256)] {
            let error = #expect(throws: WinnowError.self) {
                try CommandCall(of: store).run("erase", #"{"profiles": ["\#(id)"]}"#)
            }
            #expect(error?.exitCode == 65)
        }
        _ = try CommandCall(of: store).run(
            "segment save", #"{"name": "all", "rule": "country is not blank", "freeze": true}"#)
        let row = fixture.folder.path + "/new.ndjson"
        try #"{"id": "-new", "country": "DE"}"#.write(
            toFile: row, atomically: true, encoding: .utf8)
        _ = try CommandCall(of: store).run("load", #"{"kind": "profiles", "files": ["\#(row)"]}"#)
        let change = try CommandCall(of: store).run(
            "segment diff", #"{"name": "all", "ids": true}"#)
        #expect(change.hasPrefix(#"[{"id": "-new", "change": "entered""#), "\(change)")
    }

    @Test("a store that is damaged is said to be, with what was found")
    func damage() throws {
        let fixture = try Fixture()
        let store = try bookshop(fixture)
        let folder = store.path + "/parts"
        let part = try #require(
            try FileManager.default.contentsOfDirectory(atPath: folder).first {
                $0.hasPrefix("activity")
            })
        var bytes = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + part))
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: URL(fileURLWithPath: folder + "/" + part))
        let call = CommandCall()
        let answer = try call.run("verify", #"{"store": "\#(store.path)"}"#)
        #expect(answer.hasPrefix(#"[{"ok": false"#) && call.foundDamage)
    }

    @Test("an error of a rule says where it is")
    func ruleErrors() throws {
        let fixture = try Fixture()
        let store = try bookshop(fixture)
        let error = #expect(throws: WinnowError.self) {
            try CommandCall(of: store).run("count", #"{"rule": "email opned exists"}"#)
        }
        #expect(error?.line == 1 && error?.column == 7)
    }

    @Test("every command is known with all it takes, each under a name of its own")
    func tables() {
        let names = CommandTable.all.map(\.name)
        #expect(Set(names).isSuperset(of: ["count", "segment diff", "load", "datagen"]))
        #expect(Set(names).count == names.count && names.count >= 26)
        for table in CommandTable.all {
            let keys = table.parameters.map(\.key)
            #expect(Set(keys).count == keys.count, "\(table.name)")
        }
        #expect(
            CommandTable.all.first { $0.name == "explain" }?.parameters.map(\.key) == [
                "store", "rule", "file", "profile", "format", "as_of", "timezone", "strict",
                "threads",
            ])
    }
}
