import Foundation
import Testing

@Suite("The command line", .serialized)
struct CommandTests {
    private static let rule =
        #"{"activity": {"channel": "email", "event": "opened", "operator": "exists"}}"#

    private func bookshop(_ fixture: Fixture) throws -> String {
        let data = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent()
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
        let fixture = try Fixture()
        let data = try bookshop(fixture)
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
            "count", fixture.storePath, rule, "--format", "json", "--as-of", "2025-10-15T00:00:00Z",
            "--timezone",
            "Europe/Berlin")
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        #expect(
            Set(object.keys) == [
                "name", "count", "universe", "as_of", "elapsed_ms", "version", "windows",
                "warnings",
            ])
        #expect(
            object["universe"] as? Int == 6 && object["count"] as? Int == 0
                && object["name"] as? String == "n")
        let windows = object["windows"] as? [[String: Any]]
        #expect(windows?.first?["from"] as? String == "2025-10-12T22:00:00.000Z")
        #expect(windows?.first?["path"] as? String == "where.activity.during")
        let warnings = object["warnings"] as? [[String: Any]]
        #expect(warnings?.map { $0["code"] as? String ?? "" }.contains("empty_scope") == true)
        let info = try Binary.run("info", fixture.storePath, "--format", "json")
        let totals =
            try JSONSerialization.jsonObject(with: Data(info.output.utf8)) as? [String: Any]
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
                #expect(
                    result.error.hasPrefix("winnow: ")
                        && result.error.split(separator: "\n").count == 1)
            }
        }
        try check(64, "count", store)
        try check(64, "nonsense")
        try check(64, "rule", "{}", "--to=json")
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
        let error =
            try JSONSerialization.jsonObject(with: Data(json.error.utf8))
            as? [String: [String: Any]]
        #expect(error?["error"]?["path"] as? String == "where")
        #expect(
            error.map { Set($0["error"]?.keys ?? [:].keys) } == [
                "code", "path", "message", "line", "column",
            ])
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
        let fixture = try Fixture()
        let one = fixture.folder.path + "/1"
        let two = fixture.folder.path + "/2"
        for folder in [one, two] {
            #expect(
                try Binary.run(
                    "datagen", folder, "--profiles=3000", "--events=20000", "--seed=5",
                    "--machines", "--subscriptions", "--goals=7000"
                ).status == 0)
        }
        for name in [
            "profiles.csv", "events.csv", "campaigns.ndjson", "templates.ndjson", "schema.json",
            "subscriptions.csv", "goals.csv",
        ] {
            let first = try Data(contentsOf: URL(fileURLWithPath: one + "/" + name))
            #expect(try first == Data(contentsOf: URL(fileURLWithPath: two + "/" + name)))
            if name == "events.csv" { #expect(first.count { $0 == 0x0A } == 20_001) }
            if name == "goals.csv" { #expect(first.count { $0 == 0x0A } == 7001) }
        }
        let store = fixture.storePath
        #expect(try Binary.run("create", store, "--schema", one + "/schema.json").status == 0)
        for name in ["profiles", "events", "subscriptions", "goals"] {
            #expect(try Binary.run("load", store, name, "\(one)/\(name).csv").status == 0)
        }
        // Machines open the mail of two in five.
        func count(_ rule: String) throws -> Int {
            try #require(
                Int(
                    Binary.run("count", store, rule).output.trimmingCharacters(
                        in: .whitespacesAndNewlines)))
        }
        let mailed = try count("email delivered exists")
        let machines = try count("email opened exists by machines")
        #expect(machines > mailed / 4 && machines < mailed / 2)
        #expect(try count("email opened exists by people") > 0)
        #expect(try count("reachable by email") > 0)
        #expect(try count("goal \"purchase\" at least 1 times value sum at least 1") > 0)
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
        let object =
            try JSONSerialization.jsonObject(with: Data(result.error.utf8))
            as? [String: [String: Any]]
        #expect(object?["error"]?["code"] as? String == "invalid_rule" && result.status == 64)
    }

    @Test("rules as text are counted and printed, and errors show the place")
    func text() throws {
        let fixture = try Fixture()
        let data = try bookshop(fixture)
        let store = fixture.storePath
        let text = """
            # German or Swedish readers who did not open
            email opened not happened in campaigns tagged "Online store" having delivered
            and country in ("DE", "SE")

            """
        #expect(try Binary.run("count", store, text).output == "1\n")
        let file = try fixture.file("rule.txt", "\u{FEFF}" + text)
        let json = try Binary.run("rule", "-f", file, "--to", "json")
        #expect(try Binary.run("count", store, json.output, "-f", file).output == "1\n1\n")
        #expect(try Binary.run("count", store, "-f", "-", input: json.output).output == "1\n")
        let rules = try fixture.file(
            "rules.ndjson", #"{"name": "n", "text": "country = \"DE\" or vip = true"}"#)
        #expect(
            try Binary.run("rule", "-f", rules, "--to", "text").output
                == "segment \"n\":\ncountry = \"DE\" or vip = true\n")
        for rule in try String(contentsOfFile: data + "/rules.ndjson", encoding: .utf8).split(
            separator: "\n")
        {
            let printed = try Binary.run("rule", String(rule), "--to", "text").output
            let counts = try Binary.run(
                "count", store, String(rule), "-f", try fixture.file("r.txt", printed)
            ).output
            let lines = counts.split(separator: "\n")
            #expect(lines.count == 2 && lines.first == lines.last, "\(printed)")
        }
        let wrong = try Binary.run("count", store, "\tcountry = \"DE\"\n\tand emial opened exists")
        #expect(wrong.status == 64 && wrong.output.isEmpty)
        #expect(
            wrong.error.hasPrefix(
                "winnow: line 2, column 6: unknown channel “emial” (did you mean “email”?); "))
        #expect(wrong.error.hasSuffix("\n and emial opened exists\n     ^\n"))
        // What only the store can tell is said of the text, too.
        let unknown = try Binary.run(
            "count", store, "country exists and contry = 5", "--format", "json")
        let error =
            try JSONSerialization.jsonObject(with: Data(unknown.error.utf8))
            as? [String: [String: Any]]
        #expect(
            unknown.status == 64 && error?["error"]?["line"] as? Int == 1
                && error?["error"]?["column"] as? Int == 20)
        #expect(error?["error"]?["path"] as? String == "where.all[1].field.name")
        #expect(
            (error?["error"]?["message"] as? String)?.contains("did you mean “country”?") == true)
        // Of several rules it is said which one, and of which place a warning is.
        let second = try Binary.run(
            "count", store, "country exists", "-f", try fixture.file("w.txt", "contry = 5"))
        #expect(second.status == 64 && second.output.isEmpty)
        #expect(
            second.error.hasPrefix("winnow: line 1, column 1: ")
                && second.error.contains("(rule 2 of 2)\ncontry = 5\n^\n"))
        let warned = try Binary.run(
            "count", store, "country exists and\nemail opened exactly 1 in campaign \"none\"")
        #expect(
            warned.error.contains(
                "winnow: warning: line 2, column 24: the campaign “none” was neither"))
        let twice = try Binary.run("count", store, "-f", "-", "--rules", "-", input: text)
        #expect(twice.status == 64 && twice.error.contains("only once"))
        #expect(try Binary.run("rule", "--to", "text").status == 64)
        #expect(try Binary.run("rule", "a = 1", "-f", file, "--to", "text").status == 64)
        #expect(try Binary.run("rule", "-f", file + "-none", "--to", "text").status == 66)
        #expect(
            try Binary.run("count", store, "{\"text\": \"a =\"}").error.contains(
                "line 1, column 4: the text ends"))
    }

    @Test("a store whose manifest is gone is damaged, not absent")
    func missingManifest() throws {
        let fixture = try Fixture()
        #expect(try Binary.run("create", fixture.storePath).status == 0)
        try FileManager.default.removeItem(
            atPath: fixture.storePath + "/MANIFEST-00000000000000000001")
        #expect(try Binary.run("info", fixture.storePath).status == 65)
    }

    @Test("windows resolve in the binary as the vectors say")
    func windows() throws {
        let fixture = try Fixture()
        #expect(try Binary.run("create", fixture.storePath).status == 0)
        #expect(
            try Binary.run("schema", fixture.storePath, "add", "x", "datetime").status == 0)
        for line in try Fixture.vectors("windows.txt") {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            let result = try Binary.run(
                "count", fixture.storePath, "x \(cells[2])", "--as-of", cells[1], "--timezone",
                cells[0],
                "--format", "json")
            let object =
                try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
            let resolved = (object?["windows"] as? [[String: Any]])?.first
            #expect(resolved?["from"] as? String == cells[3], "\(line): \(result.error)")
            let end = resolved?["to"] as? String
            if cells.count > 4 {
                #expect(end == cells[4], "\(line)")
            } else {
                // What has no end is open.
                #expect(end == (cells[2].hasPrefix("since") ? nil : cells[1]), "\(line)")
                #expect(resolved?["to_inclusive"] as? Bool == (end != nil), "\(line)")
            }
        }
    }

    @Test("verify, compact, schema add, bench and info --detail say what the contract says")
    func maintenance() throws {
        let fixture = try Fixture()
        let data = try bookshop(fixture)
        let store = fixture.storePath
        let sound = try Binary.run("verify", store, "--format", "json")
        let verdict =
            try JSONSerialization.jsonObject(with: Data(sound.output.utf8)) as? [String: Any]
        #expect(verdict.map { Set($0.keys) } == ["ok", "files", "bytes", "findings"])
        #expect(sound.status == 0 && verdict?["ok"] as? Bool == true)
        #expect(try Binary.run("verify", store).output.hasSuffix(": ok\n"))

        #expect(
            try Binary.run("schema", store, "add", "points", "decimal", "--scale", "2").status == 0)
        #expect(
            try Binary.run("schema", store).output.contains(
                #"{"name": "points", "type": "decimal", "scale": 2}"#))
        for wrong in [
            ["add", "points", "string"], ["add", "x", "number"], ["drop", "points", "string"],
        ] {
            #expect(try Binary.run("schema", store, wrong[0], wrong[1], wrong[2]).status == 64)
        }
        let before = try Binary.run("count", store, "--rules", data + "/rules.ndjson").output
        #expect(try Binary.run("compact", store).status == 0)
        #expect(try Binary.run("count", store, "--rules", data + "/rules.ndjson").output == before)

        let bench = try Binary.run(
            "bench", store, "--rules", data + "/rules.ndjson", "--repeat=3", "--format=json")
        let lines = bench.output.split(separator: "\n")
        let first =
            try JSONSerialization.jsonObject(with: Data((lines.first ?? "").utf8)) as? [String: Any]
        #expect(
            first.map { Set($0.keys) } == [
                "name", "count", "p50_ms", "p95_ms", "min_ms", "threads",
            ])
        #expect(lines.count == before.split(separator: "\n").count)
        #expect(first?["count"] as? Int == before.split(separator: "\n").first.flatMap { Int($0) })

        let info = try Binary.run("info", store, "--detail", "--format", "json")
        let object =
            try JSONSerialization.jsonObject(with: Data(info.output.utf8)) as? [String: Any]
        let detail = object?["detail"] as? [String: [[String: Any]]]
        let events = detail?["event_types"]?.reduce(0) { $0 + ($1["events"] as? Int ?? 0) }
        #expect(events == object?["events"] as? Int && events ?? 0 > 0)
        #expect(detail?["sections"]?.contains { $0["section"] as? String == "chunks" } == true)

        let parts = store + "/parts"
        let name = try #require(FileManager.default.contentsOfDirectory(atPath: parts).first)
        let file = URL(fileURLWithPath: parts + "/" + name)
        var bytes = try Data(contentsOf: file)
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: file)
        let damaged = try Binary.run("verify", store, "--format", "json")
        let report =
            try JSONSerialization.jsonObject(with: Data(damaged.output.utf8)) as? [String: Any]
        #expect(damaged.status == 65 && report?["ok"] as? Bool == false, "\(damaged)")
        let findings = report?["findings"] as? [[String: String]]
        #expect(
            findings?.first?["file"]?.hasSuffix(name) == true
                && findings?.first?["what"]?.isEmpty == false)
        #expect(try Binary.run("verify", store + "-none").status == 66)
    }

    @Test("erase, drop and verify --find on the command line")
    func forgetting() throws {
        let fixture = try Fixture()
        let store = fixture.storePath
        #expect(try Binary.run("create", store).status == 0)
        let profiles = try fixture.file("p.csv", "id,email\na,a@example.com\nb,b@example.com\n")
        let events = try fixture.file(
            "e.csv",
            "profile,channel,event,time\na,sms,sent,2024-01-01 00:00:00\nb,sms,sent,2025-01-01 00:00:00\n"
        )
        #expect(try Binary.run("load", store, "profiles", profiles).status == 0)
        #expect(try Binary.run("load", store, "events", events).status == 0)
        #expect(
            try Binary.run("verify", store, "--find", "b@example.com").output.contains(
                "field “email”"))
        let erased = try Binary.run("erase", store, "--profiles", "-", input: "b\nc\n")
        #expect(erased.status == 0 && erased.error == "2 ids, 1 erased, 1 unknown\n")
        let all = #"{"activity": {"channel": "sms", "event": "sent", "operator": "exists"}}"#
        #expect(try Binary.run("count", store, all).output == "1\n")
        #expect(try Binary.run("drop", store, "--before", "2024-01-02").status == 0)
        #expect(try Binary.run("count", store, all).output == "0\n")
        #expect(
            try Binary.run("info", store, "--format", "json").output.contains(
                #""profiles": 1, "events": 0, "subscriptions": 0, "goals": 0, "anonymous_goals": 0, "segments": 0, "erased": 1"#
            ))
        #expect(try Binary.run("compact", store).status == 0)
        let gone = try Binary.run("verify", store, "--find", "b@example.com", "--format", "json")
        #expect(gone.status == 0 && gone.output.contains(#""findings": []"#))
        #expect(
            try Binary.run("verify", store, "--find", "a@example.com").output.contains("1 places"))
        #expect(try Binary.run("drop", store, "--before", "yesterday").status == 64)
        let long = try fixture.file("long.txt", "a\n" + String(repeating: "x", count: 256) + "\n")
        let bad = try Binary.run("erase", store, "--profiles", long)
        #expect(bad.status == 65 && bad.error.contains("long.txt, line 2"))
        #expect(try Binary.run("erase", store, "--profiles", long + "-none").status == 66)
        #expect(
            try Binary.run("count", store, #"{"field": {"name": "id", "operator": "exists"}}"#)
                .output == "1\n")
    }

    @Test("batches, memory and interruption on the command line")
    func loading() throws {
        let fixture = try Fixture()
        let store = fixture.storePath
        #expect(try Binary.run("create", store).status == 0)
        let file = try fixture.file("p.csv", "id\na\nb\n")
        #expect(
            try Binary.run("load", store, "profiles", file, "--batch", "n1", "--memory=64MiB")
                .status == 0)
        let again = try Binary.run(
            "load", store, "profiles", "-", "--format=csv", "--batch=n1", input: "id\na\nb\n")
        #expect(again.status == 0 && again.error.contains("loaded before"))
        let other = try Binary.run(
            "load", store, "profiles", "-", "--format=csv", "--batch=n1", input: "id\na\n")
        #expect(other.status == 65 && other.error.hasPrefix("winnow: "))
        for memory in ["1MiB", "lots", "-5", "99999999999GiB"] {
            #expect(
                try Binary.run("load", store, "profiles", file, "--memory=\(memory)").status == 64)
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: store + "/parts").sorted()
        // A load that waits for more input ends when it is told to.
        let process = Process()
        let input = Pipe()
        process.executableURL = URL(fileURLWithPath: Binary.path)
        process.arguments = ["load", store, "profiles", "-", "--format", "csv"]
        process.standardInput = input
        process.standardError = FileHandle.nullDevice
        try process.run()
        input.fileHandleForWriting.write(
            Data(("id\n" + String(repeating: "more\n", count: 10_000)).utf8))
        usleep(200_000)
        process.terminate()
        process.waitUntilExit()
        try input.fileHandleForWriting.close()
        #expect(process.terminationStatus == 130)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: store + "/parts").sorted() == names)
    }

    @Test("a load says in the end what it passed over, as text and as JSON")
    func loadSummary() throws {
        let fixture = try Fixture()
        let store = fixture.storePath
        #expect(try Binary.run("create", store).status == 0)
        let file = try fixture.file("p.csv", "Kennung;E-Mail;zip\na ;a@x;1\n;b@x;2\n")
        let rejects = fixture.folder.appendingPathComponent("rejects.ndjson").path
        let options = [
            "load", store, "profiles", file, "--delimiter", ";", "--rename", "Kennung=id",
            "--rename", "E-Mail=email", "--ignore-columns", "--rejects", rejects,
        ]
        let text = try Binary.run(options)
        #expect(text.status == 0 && text.output == "")
        let last = try #require(text.error.split(separator: "\n").last)
        #expect(last.hasPrefix("2 rows, 1 new, 0 updated, 0 skipped, 1 rejected, "))
        #expect(last.hasSuffix(" rows/s; passed over: zip; 1 ids have blanks around them"))

        let json = try Binary.run(options + ["--summary", "json", "--batch", "b"])
        #expect(json.status == 0 && json.error == "")
        let keys = [
            "rows", "new", "updated", "skipped", "rejected", "duplicates", "ambiguous", "kinds",
            "yielded_nothing", "ignored_columns", "blank_ids", "seconds", "version", "repeated",
        ]
        let places = keys.map { json.output.range(of: "\"\($0)\": ")?.lowerBound }
        #expect(
            !places.contains(nil) && places.compactMap(\.self) == places.compactMap(\.self).sorted()
        )
        let said = try #require(
            try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        #expect(said["rows"] as? Int == 2 && said["updated"] as? Int == 1)
        #expect(said["kinds"] as? [String: Int] == ["profiles": 1])
        #expect(said["ignored_columns"] as? [String] == ["zip"] && said["blank_ids"] as? Int == 1)
        #expect(said["version"] as? Int == 3 && said["repeated"] as? Bool == false)
        let again = try Binary.run(options + ["--summary", "json", "--batch", "b"])
        #expect(again.output.contains("\"version\": 3, \"repeated\": true"))

        let wrong = try Binary.run("load", store, "profiles", file, "--summary", "json")
        #expect(wrong.status == 65 && wrong.output == "")
        #expect(wrong.error.contains("\"code\": \"other_delimiter\""))
        #expect(try Binary.run("load", store, "profiles", file).error.hasSuffix("(--delimiter)\n"))
        for option in [["--rename", "=x"], ["--rename", "x"], ["--delimiter", "ab"]] {
            #expect(try Binary.run(["load", store, "profiles", file] + option).status == 64)
        }
    }

    @Test("small things: line ends of rules, zones that nobody uses, no rules, closed pipes")
    func smallThings() throws {
        let fixture = try Fixture()
        let store = fixture.storePath
        #expect(try Binary.run("create", store).status == 0)
        let file = try fixture.file("p.csv", "id\na\n")
        #expect(try Binary.run("load", store, "profiles", file).status == 0)
        let all = #"{"sample": {"from": 0, "to": 100}}"#
        let rules = try fixture.file("r.ndjson", "\(all)\r\n\r\n\(all)\r\n")
        #expect(try Binary.run("count", store, "--rules", rules).output == "1\n1\n")
        let own = #"{"timezone": "UTC", "where": \#(all)}"#
        #expect(try Binary.run("count", store, own, "--timezone", "Mars/X").status == 64)
        #expect(
            try Binary.run("count", store, "--rules", try fixture.file("none.ndjson", "\n")).status
                == 64)
        let open = #"{"field": {"name": "email", "operator": "exists"}}"#
        #expect(
            try Binary.run("count", store, open, "--format", "json").output.contains(
                #""windows": []"#))

        // The reader is gone before there is anything to read.
        let shell = Process()
        let said = fixture.folder.appendingPathComponent("said").path
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = [
            "-c",
            "trap '' PIPE; { sleep 0.2; '\(Binary.path)' catalog 2>'\(said)'; } | true; sleep 0.5",
        ]
        try shell.run()
        shell.waitUntilExit()
        #expect(try String(contentsOfFile: said, encoding: .utf8).isEmpty)
    }
}
