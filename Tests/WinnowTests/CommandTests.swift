import Foundation
import Testing

@Suite("The command line", .serialized)
struct CommandTests {
    private static let rule = #"{"activity": {"channel": "email", "event": "opened", "operator": "exists"}}"#

    private func bookshop(_ fixture: Fixture) throws -> String {
        let data = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("data/bookshop").path
        let store = fixture.storePath
        #expect(try Binary.run("create", store, "--schema", data + "/schema.json").status == 0)
        for name in ["profiles.csv", "campaigns.ndjson", "templates.ndjson", "events.csv"] {
            let kind = String(name.prefix { $0 != "." })
            let result = try Binary.run("load", store, kind, data + "/" + name)
            #expect(result.status == 0, "\(result.error)")
        }
        return data
    }

    @Test("counts the bookshop's rules in order")
    func bookshop() throws {
        let fixture = try Fixture(), data = try bookshop(fixture)
        let result = try Binary.run(
            "count", fixture.storePath, CommandTests.rule, "--rules", data + "/rules.ndjson",
            "--as-of", "2025-10-15T00:00:00Z")
        #expect(result.output == "2\n2\n1\n1\n1\n1\n5\n4\n4\n2\n")
        #expect(result.status == 0)
    }

    @Test("JSON has the keys that the contract names")
    func json() throws {
        let fixture = try Fixture()
        _ = try bookshop(fixture)
        let rule =
            #"{"name": "n", "where": {"activity": {"channel": "email", "event": "opened","#
            + #" "operator": "at_least", "times": 1, "campaigns": ["gone"], "during": {"last": 2}}}}"#
        let result = try Binary.run(
            "count", fixture.storePath, rule, "--format", "json", "--as-of", "2025-10-15T00:00:00Z", "--timezone",
            "Europe/Berlin")
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        #expect(
            Set(object.keys) == ["name", "count", "universe", "as_of", "elapsed_ms", "version", "windows", "warnings"])
        #expect(object["universe"] as? Int == 6 && object["count"] as? Int == 0 && object["name"] as? String == "n")
        let windows = object["windows"] as? [[String: Any]]
        #expect(windows?.first?["from"] as? String == "2025-10-12T22:00:00.000Z")
        #expect(windows?.first?["path"] as? String == "where.activity.during")
        let warnings = object["warnings"] as? [[String: Any]]
        #expect(warnings?.map { $0["code"] as? String ?? "" }.contains("empty_scope") == true)
        let info = try Binary.run("info", fixture.storePath, "--format", "json")
        let totals = try JSONSerialization.jsonObject(with: Data(info.output.utf8)) as? [String: Any]
        #expect(totals?["events"] as? Int == 14 && totals?["profiles"] as? Int == 6)
    }

    @Test("errors are one line and have their exit codes")
    func exitCodes() throws {
        let fixture = try Fixture()
        _ = try bookshop(fixture)
        let store = fixture.storePath
        func check(_ expected: Int32, _ arguments: String...) throws {
            let result =
                switch arguments.count {
                case 1: try Binary.run(arguments[0])
                case 2: try Binary.run(arguments[0], arguments[1])
                case 3: try Binary.run(arguments[0], arguments[1], arguments[2])
                default: try Binary.run(arguments[0], arguments[1], arguments[2], arguments[3])
                }
            #expect(result.status == expected, "\(arguments): \(result.error)")
            if expected != 0 {
                #expect(result.error.hasPrefix("winnow: ") && result.error.split(separator: "\n").count == 1)
            }
        }
        try check(64, "count", store)
        try check(64, "nonsense")
        try check(64, "count", store, "{}")
        try check(64, "count", store, CommandTests.rule, "--timezone=Mars/Olympus")
        try check(66, "count", store + "-none", CommandTests.rule)
        try check(66, "load", store, "events", store + "/none.csv")
        try check(73, "create", store)
        try check(65, "load", store, "profiles", try fixture.file("bad.csv", "id,age\nx,old\n"))
        try check(0, "catalog")
        try check(0, "count", store, CommandTests.rule)
        let strict = try Binary.run(
            "count", store, "--strict",
            #"{"activity": {"channel": "email", "event": "opened", "operator": "at_least", "times": 1,"#
                + #" "campaigns": ["gone", "autumn"]}}"#)
        #expect(strict.status == 64)
        let json = try Binary.run("count", store, "{}", "--format", "json")
        let error = try JSONSerialization.jsonObject(with: Data(json.error.utf8)) as? [String: [String: String]]
        #expect(error?["error"]?["path"] == "where")
    }

    @Test("standard input is a file named -")
    func standardInput() throws {
        let fixture = try Fixture()
        #expect(try Binary.run("create", fixture.storePath).status == 0)
        let result = try Binary.run(
            "load", fixture.storePath, "profiles", "-", "--format", "csv", input: "id\na\nb\n")
        #expect(result.status == 0 && result.error.contains("2 new"))
    }

    @Test("a second writer is told to try again")
    func secondWriter() throws {
        let fixture = try Fixture()
        #expect(try Binary.run("create", fixture.storePath).status == 0)
        let descriptor = open(fixture.storePath + "/LOCK", O_RDWR | O_CREAT, 0o666)
        defer { close(descriptor) }
        #expect(flock(descriptor, LOCK_EX) == 0)
        let result = try Binary.run(
            "load", fixture.storePath, "profiles", try fixture.file("p.csv", "id\na\n"))
        #expect(result.status == 75)
    }

    @Test("generated data is the same for the same seed, and as much as was asked for")
    func datagen() throws {
        let fixture = try Fixture(), one = fixture.folder.path + "/1", two = fixture.folder.path + "/2"
        for folder in [one, two] {
            #expect(
                try Binary.run("datagen", folder, "--profiles=3000", "--events=20000", "--seed=5").status == 0)
        }
        for name in ["profiles.csv", "events.csv", "campaigns.ndjson", "templates.ndjson", "schema.json"] {
            let first = try Data(contentsOf: URL(fileURLWithPath: one + "/" + name))
            #expect(try first == Data(contentsOf: URL(fileURLWithPath: two + "/" + name)))
            if name == "events.csv" { #expect(first.count { $0 == 0x0A } == 20_001) }
        }
    }

    @Test("output that cannot be written is an error")
    func fullOutput() throws {
        let fixture = try Fixture()
        #expect(try Binary.run("create", fixture.storePath).status == 0)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Binary.path)
        process.arguments = ["info", fixture.storePath]
        process.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
        process.standardError = FileHandle(forWritingAtPath: "/dev/null")
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 74)
    }

    @Test("errors as JSON are JSON, whatever characters they carry")
    func errorsAsJSON() throws {
        let fixture = try Fixture()
        #expect(try Binary.run("create", fixture.storePath).status == 0)
        let rule = "{\"field\": {\"name\": \"\\u0085\\u0001\", \"operator\": \"exists\"}}"
        let result = try Binary.run("count", fixture.storePath, rule, "--format", "json")
        let object = try JSONSerialization.jsonObject(with: Data(result.error.utf8)) as? [String: [String: String]]
        #expect(object?["error"]?["code"] == "invalid_rule" && result.status == 64)
    }

    @Test("a store whose manifest is gone is damaged, not absent")
    func missingManifest() throws {
        let fixture = try Fixture()
        #expect(try Binary.run("create", fixture.storePath).status == 0)
        try FileManager.default.removeItem(atPath: fixture.storePath + "/MANIFEST-00000000000000000001")
        #expect(try Binary.run("info", fixture.storePath).status == 65)
    }
}
