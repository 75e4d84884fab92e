import Foundation
import Testing

@Suite("Saved segments on the command line", .serialized)
struct SegmentCommandTests {
    private static func store(_ fixture: Fixture) throws -> String {
        let store = fixture.storePath
        let profiles = try fixture.file(
            "profiles.csv", "id,email,city\na,a@x.org,Köln\nb,b@x.org,Kiel\nc,c@x.org,Köln\n")
        let events = try fixture.file(
            "events.csv",
            """
            profile,channel,event,time
            a,email,opened,2026-01-05T10:00:00Z
            b,email,opened,2026-01-06T10:00:00Z
            b,push,opened,2026-01-06T10:00:00Z

            """)
        let schema = try fixture.file(
            "schema.json", #"{"fields": [{"name": "city", "type": "string"}]}"#)
        for arguments in [
            ["create", store, "--schema", schema], ["load", store, "profiles", profiles],
            ["load", store, "events", events],
        ] {
            let result = try Binary.run(arguments)
            #expect(result.status == 0, "\(result.error)")
        }
        return store
    }

    @Test("every form of output, key by key")
    func outputs() throws {
        let fixture = try Fixture()
        let store = try SegmentCommandTests.store(fixture)
        func run(_ arguments: String...) throws -> String {
            try SegmentCommandTests.output(["segment", store] + arguments + ["--format", "json"])
        }
        #expect(
            try run("save", "Köln", #"city = "Köln""#, "--description", "am Rhein")
                == """
                {"name": "Köln", "kind": "dynamic", "as_of": null, "entered": null, "left": null, "members": null, "unknown": null}

                """)
        let rule = "email opened at least 1 times in the last 2 days"
        #expect(
            try run(
                "save", "openers", rule, "--freeze", "--as-of", "2026-01-06T00:00:00Z")
                    == """
                    {"name": "openers", "kind": "static", "as_of": "2026-01-06T00:00:00.000Z", "entered": 1, "left": 0, "members": 1, "unknown": null}

                    """)
        try Data("a\nc\nnobody\n".utf8).write(to: fixture.folder.appendingPathComponent("ids"))
        let ids = fixture.folder.appendingPathComponent("ids").path
        let listed = try run("save", "ids", "--profiles", ids)
        #expect(listed.hasPrefix(#"{"name": "ids", "kind": "static", "as_of": "20"#))
        #expect(listed.hasSuffix("\"entered\": 2, \"left\": 0, \"members\": 2, \"unknown\": 1}\n"))
        try _ = run("save", "both", #"in segment "Köln" and entered segment "openers""#)
        #expect(
            try run("diff", "openers", "--as-of", "2026-01-08T00:00:00Z")
                == """
                {"entered": 1, "left": 1, "left_by": [{"path": "where", "text": "\(rule)", "count": 1}], "entered_by": [{"path": "where", "text": "\(rule)", "count": 1}]}

                """)
        #expect(
            try run("diff", "openers", "--as-of", "2026-01-08T00:00:00Z", "--ids")
                == """
                {"id": "a", "change": "left", "path": "where"}
                {"id": "b", "change": "entered", "path": "where"}

                """)
        #expect(
            try run("refresh", "openers", "--as-of", "2026-01-08T00:00:00Z")
                == """
                {"name": "openers", "as_of": "2026-01-08T00:00:00.000Z", "entered": 1, "left": 1, "members": 1}

                """)
        #expect(
            try run("show", "openers", "--history")
                == """
                {"name": "openers", "as_of": "2026-01-06T00:00:00.000Z", "entered": 1, "left": 0, "members": 1}
                {"name": "openers", "as_of": "2026-01-08T00:00:00.000Z", "entered": 1, "left": 1, "members": 1}

                """)
        #expect(
            try run("show", "openers")
                == """
                {"name": "openers", "kind": "static", "description": null, "members": 1, "refreshed": "2026-01-08T00:00:00.000Z", "uses": [], "used_by": ["both"], "rule": {"activity": {"channel": "email", "event": "opened", "operator": "at_least", "times": 1, "during": {"last": 2}}}, "text": "\(rule)"}

                """)
        let list = try run("list").split(separator: "\n")
        #expect(list.count == 4)
        #expect(
            list.first
                == #"{"name": "Köln", "kind": "dynamic", "description": "am Rhein", "members": null, "refreshed": null, "uses": [], "used_by": ["both"]}"#
        )
        #expect(
            list.dropFirst().first
                == #"{"name": "both", "kind": "dynamic", "description": null, "members": null, "refreshed": null, "uses": ["Köln", "openers"], "used_by": []}"#
        )
        for (rule, ids) in [
            (#"in segment "both""#, "a\n"), (#"in segment "openers""#, "b\n"),
            (#"left segment "openers" since 2026-01-07"#, "a\n"),
            (#"entered segment "openers" at least 2 times"#, ""),
            (#"not in segment "ids""#, "b\n"),
        ] {
            #expect(try SegmentCommandTests.output(["export", store, rule]) == ids, "\(rule)")
        }
        let info = try SegmentCommandTests.output(["info", store, "--format", "json"])
        #expect(info.contains(#""segments": 4"#))
        let explained = try SegmentCommandTests.output(
            ["explain", store, #"in segment "both""#, "--format", "json"])
        #expect(explained.contains(#""text": "in segment \"both\"", "count": 1"#))
        let why = try SegmentCommandTests.output([
            "explain", store, #"entered segment "openers" at least 2 times"#, "--profile", "b",
            "--format", "json",
        ])
        #expect(why.contains(#""matches": false, "count": 1, "needed": {"from": 2, "to": null}"#))
    }

    /// What a command prints, which ends well.
    private static func output(_ arguments: [String]) throws -> String {
        let result = try Binary.run(arguments)
        #expect(result.status == 0, "\(arguments): \(result.error)")
        return result.output
    }

    @Test("what people see, and how commands end")
    func people() throws {
        let fixture = try Fixture()
        let store = try SegmentCommandTests.store(fixture)
        let saved = try Binary.run("segment", store, "save", "k", #"city = "Köln""#)
        #expect(
            saved.error == "saved “k”; it is evaluated when it is used\n" && saved.output.isEmpty)
        let frozen = try Binary.run("segment", store, "save", "f", #"in segment "k""#, "--freeze")
        #expect(frozen.error == "saved “f”: 2 profiles, 2 entered, 0 left\n")
        let diff = try Binary.run("segment", store, "diff", "f")
        #expect(diff.output == "0 profiles left\n\n0 profiles entered\n")
        for (arguments, status, words) in [
            (["save", "k", "city exists"], 73, "there is a segment of this name"),
            (["save", "k", #"in segment "f""#, "--replace"], 64, "“k” uses “f” uses “k”"),
            (["remove", "k"], 64, "“k” is used by “f”"), (["show", "x"], 66, "no such segment: x"),
            (["refresh"], 64, "--all"), (["refresh", "f", "--all"], 64, "--all"),
            (["refresh", "k"], 64, "nothing to refresh"),
            (["save", "n", "city exists", "--profiles", "x"], 64, "not both"),
            (["save", "n", "citi exists"], 64, "did you mean “city”"),
            (["save", "n", "--profiles", "/nowhere"], 66, "/nowhere"),
            (["lsit"], 64, "did you mean “list”"), ([], 64, "say what is to be done"),
        ] as [([String], Int32, String)] {
            let result = try Binary.run(["segment", store] + arguments)
            #expect(result.status == status, "\(arguments): \(result.error)")
            #expect(result.error.contains(words), "\(arguments): \(result.error)")
        }
        let error = try Binary.run("segment", store, "show", "x", "--format", "json")
        #expect(error.error.hasPrefix(#"{"error": {"code": "not_found""#))
        let unknown = try Binary.run("count", store, #"in segment "kk""#)
        #expect(unknown.status == 64 && unknown.error.contains("in segment \"kk\"\n           ^"))
        let first = try Binary.run("segment", store, "refresh", "--all", "--batch", "1")
        #expect(first.status == 0)
        let again = try Binary.run("segment", store, "refresh", "--all", "--batch", "1")
        #expect(again.status == 0 && again.output.isEmpty)
        #expect(again.error.contains("was stored before"))
        let erased = try Binary.run(
            "erase", store, "--profiles", try fixture.file("gone", "a\n"))
        #expect(!erased.error.contains("saved segment"))
        _ = try Binary.run("segment", store, "save", "c", #"email = "c@x.org""#)
        let named = try Binary.run("erase", store, "--profiles", try fixture.file("more", "c\n"))
        #expect(named.error.contains("the saved segment “c” has an id or an address of theirs"))
        let found = try Binary.run("verify", store, "--find", "c@x.org")
        #expect(found.output.contains("found in the saved segment “c”"))
        #expect(try Binary.run("segment", store, "remove", "f").status == 0)
        #expect(try Binary.run("segment", store, "remove", "k").status == 0)
        let help = try Binary.run("segment", store, "save", "--help")
        #expect(help.status == 0 && help.output.contains("--freeze"))
    }
}
