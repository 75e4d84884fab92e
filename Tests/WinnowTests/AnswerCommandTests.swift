import Foundation
import Testing

@Suite("Answers on the command line", .serialized)
struct AnswerCommandTests {
    private static let schema = #"""
        {"fields": [{"name": "country", "type": "string"}, {"name": "age", "type": "integer"},
         {"name": "spent", "type": "decimal", "scale": 2}, {"name": "since", "type": "date"},
         {"name": "likes", "type": "string_set"}]}
        """#
    private static let profiles = #"""
        {"id": "a", "country": "DE", "age": 20, "spent": 12.50, "since": "2026-01-31", "likes": ["x|y", "back\\slash", "q\"uote"]}
        {"id": "b, \"two\"", "country": "", "age": 30, "since": "2026-02-01", "likes": []}
        {"id": " c ", "country": "line\nbreak, too", "spent": -0.07}
        {"id": "d", "email": "D@Example.com", "phone": "+491", "country": " blanks ", "global_status": "unsubscribed"}
        {"id": "e"}

        """#
    private static let events = """
        profile,channel,event,time,count
        a,email,opened,2026-01-05T10:00:00Z,2
        a,email,opened,2026-01-12T10:00:00Z,
        d,email,opened,2026-01-12T11:00:00Z,
        d,email,clicked,2026-01-12T11:01:00Z,
        e,push,delivered,2026-01-12T23:30:00Z,
        """

    private func store(_ fixture: Fixture) throws -> String {
        let store = fixture.storePath
        let schema = try fixture.file("schema.json", AnswerCommandTests.schema)
        let profiles = try fixture.file("profiles.ndjson", AnswerCommandTests.profiles)
        let events = try fixture.file("events.csv", AnswerCommandTests.events)
        for arguments in [
            ["create", store, "--schema", schema], ["load", store, "profiles", profiles],
            ["load", store, "events", events],
        ] {
            let result = try Binary.run(arguments)
            #expect(result.status == 0, "\(result.error)")
        }
        return store
    }

    private func object(_ line: some StringProtocol) throws -> [String: Any] {
        try #require(
            try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    @Test("overlap: the keys of the contract, names, and both forms of rules")
    func overlap() throws {
        let fixture = try Fixture()
        let store = try store(fixture)
        let file = try fixture.file(
            "rule.json", #"{"name": "Germans", "text": "country = \"DE\""}"#)
        let result = try Binary.run(
            "overlap", store, "email opened exists", "-f", file, "--format", "json", "--as-of",
            "2026-02-01T00:00:00Z")
        #expect(result.status == 0, "\(result.error)")
        let found = try object(result.output)
        #expect(
            Set(found.keys) == [
                "names", "counts", "matrix", "union", "intersection", "only", "universe", "as_of",
                "version", "warnings",
            ])
        #expect(found["names"] as? [String] == ["email opened exists", "Germans"])
        #expect(found["counts"] as? [Int] == [2, 1])
        #expect(found["matrix"] as? [[Int]] == [[2, 1], [1, 1]])
        #expect(found["only"] as? [Int] == [1, 0])
        let warnings = try #require(found["warnings"] as? [[String: Any]])
        #expect(warnings.map { $0["code"] as? String } == ["fields_are_current"])
        #expect(try Binary.run("overlap", store, "email opened exists").status == 64)
        let wrong = try Binary.run("overlap", store, "email opened exists", "email opend exists")
        #expect(
            wrong.status == 64 && wrong.error.contains("did you mean “opened”"), "\(wrong.error)")
        let unknown = try Binary.run("overlap", store, "email opened exists", "contry = 1")
        #expect(unknown.status == 64 && unknown.error.contains("rule 2 of 2"), "\(unknown.error)")
        let text = try Binary.run("overlap", store, "email opened exists", "push delivered exists")
        #expect(
            text.output.contains("in no other") && text.output.contains("40.0 %"), "\(text.output)")
    }

    @Test("series: days stand for their ends, steps are the calendar's")
    func series() throws {
        let fixture = try Fixture()
        let store = try store(fixture)
        func lines(_ arguments: String...) throws -> [String] {
            let result = try Binary.run(
                ["count", store, "email opened at least 2", "--format", "json"] + arguments)
            #expect(result.status == 0, "\(result.error)")
            return try result.output.split(separator: "\n").map { line in
                let point = try object(line)
                #expect(Set(point.keys) == ["as_of", "count", "universe"])
                #expect(point["universe"] as? Int == 5)
                return "\(point["as_of"] ?? "") \(point["count"] ?? "")"
            }
        }
        #expect(
            try lines("--since", "2026-01-04", "--until", "2026-01-06") == [
                "2026-01-05T00:00:00.000Z 0", "2026-01-06T00:00:00.000Z 1",
                "2026-01-07T00:00:00.000Z 1",
            ])
        #expect(
            try lines(
                "--since", "2025-12-31T09:30:00Z", "--until", "2026-04-01T00:00:00Z", "--every",
                "1mo") == [
                    "2025-12-31T09:30:00.000Z 0", "2026-01-31T09:30:00.000Z 1",
                    "2026-02-28T09:30:00.000Z 1", "2026-03-31T09:30:00.000Z 1",
                ])
        // From day to day, each standing for its end.
        #expect(
            try lines("--since", "2025-11-30", "--until", "2026-02-28", "--every", "1mo") == [
                "2025-12-01T00:00:00.000Z 0", "2025-12-31T00:00:00.000Z 0",
                "2026-01-31T00:00:00.000Z 1", "2026-03-01T00:00:00.000Z 1",
            ])
        // Samoa had no 30 December 2011.
        #expect(
            try lines(
                "--since", "2011-12-28", "--until", "2011-12-31", "--timezone", "Pacific/Apia")
                == [
                    "2011-12-29T10:00:00.000Z 0", "2011-12-30T10:00:00.000Z 0",
                    "2011-12-31T10:00:00.000Z 0",
                ])
        // A day on which the clocks go forward has 23 hours.
        #expect(
            try lines(
                "--since", "2026-03-28", "--until", "2026-03-29", "--timezone", "Europe/Berlin")
                == ["2026-03-28T23:00:00.000Z 1", "2026-03-29T22:00:00.000Z 1"])
        for wrong in [
            ["--since", "yesterday"], ["--since", "2026-01-01", "--every", "1m"],
            ["--since", "2026-01-01", "--every", "0d"],
            ["--since", "2026-01-02", "--until", "2026-01-01"],
            ["--since", "2020-01-01", "--every", "1h"],
            ["--since", "2026-01-01", "--as-of", "2026-01-01T00:00:00Z"],
            ["--until", "2026-01-01"], ["--since", "2026-01-01", "email opened exists"],
        ] {
            let result = try Binary.run(["count", store, "email opened exists"] + wrong)
            #expect(result.status == 64, "\(wrong): \(result.output) \(result.error)")
        }
    }

    @Test("breakdown: shares, none, other, ranges and dates as the contract says")
    func breakdown() throws {
        let fixture = try Fixture()
        let store = try store(fixture)
        func lines(_ arguments: String...) throws -> [String] {
            let result = try Binary.run(
                ["breakdown", store, "sample 0 to 100", "--format", "json"] + arguments)
            #expect(result.status == 0, "\(result.error)")
            return result.output.split(separator: "\n").map(String.init)
        }
        #expect(
            try lines("--by", "age")
                == [
                    #"{"by": {"age": 20}, "count": 1, "share": 0.200000, "universe": 1, "universe_share": 0.200000, "index": 100.0}"#,
                    #"{"by": {"age": 30}, "count": 1, "share": 0.200000, "universe": 1, "universe_share": 0.200000, "index": 100.0}"#,
                    #"{"by": {"age": null}, "count": 3, "share": 0.600000, "universe": 3, "universe_share": 0.600000, "index": 100.0}"#,
                ].sorted { $0.contains("null") && !$1.contains("null") })
        func by(_ lines: [String]) throws -> [String] {
            try lines.map { line in
                let own = try object(line)
                #expect(
                    Set(own.keys) == [
                        "by", "count", "share", "universe", "universe_share", "index",
                    ])
                let end = try #require(line.range(of: ", \"count\""))
                return line[..<end.lowerBound].dropFirst("{\"by\": ".count)
                    + " \(own["count"] ?? "")"
            }
        }
        #expect(
            try by(lines("--by", "age", "--bins", "18,25,35")) == [
                #"{"age": {"from": null, "to": 18}} 0"#, #"{"age": {"from": 18, "to": 25}} 1"#,
                #"{"age": {"from": 25, "to": 35}} 1"#, #"{"age": {"from": 35, "to": null}} 0"#,
                #"{"age": null} 3"#,
            ])
        #expect(
            try by(lines("--by", "since,age", "--bin", "day")) == [
                #"{"since": null, "age": null} 3"#, #"{"since": "2026-01-31", "age": 20} 1"#,
                #"{"since": "2026-02-01", "age": 30} 1"#,
            ])
        #expect(
            try by(lines("--by", "likes", "--top", "1")) == [
                #"{"likes": null} 4"#, #""other" 1"#,
            ])
        #expect(
            try by(lines("--by", "spent")) == [
                #"{"spent": null} 3"#, #"{"spent": -0.07} 1"#, #"{"spent": 12.5} 1"#,
            ])
        #expect(
            try by(lines("--by", "global_status")) == [
                #"{"global_status": "subscribed"} 4"#, #"{"global_status": "unsubscribed"} 1"#,
            ])
        #expect(try by(lines("--by", "@reachable")) == [#"{"@reachable": "none"} 5"#])
        let nobody = try Binary.run(
            "breakdown", store, "country = \"XX\"", "--by", "age", "--bins", "18", "--format",
            "json")
        #expect(
            nobody.output.hasPrefix(
                #"{"by": {"age": {"from": null, "to": 18}}, "count": 0, "share": null, "universe": 0, "universe_share": 0.000000, "index": null}"#
            ), "\(nobody.output)")
        for wrong in [
            ["--by", "contry"], ["--by", "id"], ["--by", "age,age"], ["--by", "age,since,spent"],
            ["--by", "age", "--bins", "25,18"], ["--by", "age", "--bins", "x"],
            ["--by", "country", "--bins", "18"], ["--by", "age", "--top", "-1"], [],
            ["--by", "age", "--activity", "3d"], ["--activity", "3"],
            ["--activity", "3d", "--top", "3"], ["--by", "age", "--unit", "day"],
            ["--by", "country", "--bin", "day"],
        ] {
            let result = try Binary.run(["breakdown", store, "email opened exists"] + wrong)
            #expect(result.status == 64, "\(wrong): \(result.output) \(result.error)")
        }
    }

    @Test("breakdown by activity: local days, weeks from Monday, sums of counts")
    func activity() throws {
        let fixture = try Fixture()
        let store = try store(fixture)
        func lines(_ arguments: String...) throws -> [String] {
            let result = try Binary.run(
                [
                    "breakdown", store, "sample 0 to 100", "--format", "json", "--as-of",
                    "2026-01-15T00:00:00Z",
                ] + arguments)
            #expect(result.status == 0, "\(result.error)")
            return result.output.split(separator: "\n").map(String.init)
        }
        #expect(
            try lines("--activity", "14d", "--unit", "week") == [
                #"{"from": "2026-01-05", "channel": "email", "event": "opened", "count": 2, "profiles": 1}"#,
                #"{"from": "2026-01-12", "channel": "email", "event": "opened", "count": 2, "profiles": 2}"#,
                #"{"from": "2026-01-12", "channel": "email", "event": "clicked", "count": 1, "profiles": 1}"#,
                #"{"from": "2026-01-12", "channel": "push", "event": "delivered", "count": 1, "profiles": 1}"#,
            ])
        // Half past eleven at night is the next day in Berlin.
        #expect(
            try lines("--activity", "5d", "--timezone", "Europe/Berlin").last
                == #"{"from": "2026-01-13", "channel": "push", "event": "delivered", "count": 1, "profiles": 1}"#
        )
    }

    @Test("export: all kinds of values come back, files are whole or not there")
    func export() throws {
        let fixture = try Fixture()
        let store = try store(fixture)
        let everybody = "sample 0 to 100"
        let csv = try Binary.run("export", store, everybody, "--format", "csv")
        #expect(
            csv.output
                == #"""
                id,email,phone,global_status,appmetrica_device_id,country,age,spent,since,likes
                a,,,subscribed,,DE,20,12.5,2026-01-31,"back\\slash|q""uote|x\|y"
                "b, ""two""",,,subscribed,,"",30,,2026-02-01,""
                " c ",,,subscribed,,"line
                break, too",,-0.07,,
                d,D@Example.com,+491,unsubscribed,," blanks ",,,,
                e,,,subscribed,,,,,,

                """#)
        let first = try Binary.run("export", store, everybody, "--format", "ndjson", "--limit", "1")
        #expect(
            first.output
                == #"{"id": "a", "email": null, "phone": null, "global_status": "subscribed", "appmetrica_device_id": null, "country": "DE", "age": 20, "spent": 12.5, "since": "2026-01-31", "likes": ["back\\slash", "q\"uote", "x|y"]}"#
                + "\n")
        let some = try Binary.run(
            "export", store, everybody, "--format", "csv", "--fields", "age,country", "--limit", "1"
        )
        #expect(some.output == "id,age,country\na,20,DE\n")
        #expect(try Binary.run("export", store, everybody).output == "a\nb, \"two\"\n c \nd\ne\n")
        let broken = fixture.folder.appendingPathComponent("broken").path
        let odd = try fixture.file("odd.ndjson", #"{"id": "two\nlines"}"# + "\n")
        #expect(try Binary.run("load", store, "profiles", odd).status == 0)
        let ids = try Binary.run("export", store, everybody, "-o", broken, "--errors", "json")
        #expect(ids.status == 65 && ids.error.contains("csv"), "\(ids.error)")
        #expect(try object(ids.error.split(separator: "\n").last ?? "")["error"] != nil)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: fixture.folder.path).allSatisfy {
                !$0.hasPrefix("broken")
            })
        let whole = fixture.folder.appendingPathComponent("whole.csv").path
        #expect(
            try Binary.run("export", store, everybody, "--format", "csv", "-o", whole).status == 0)
        #expect(try String(contentsOfFile: whole, encoding: .utf8).hasPrefix("id,email"))
        let parquet = try Binary.run("export", store, everybody, "--format", "parquet")
        #expect(parquet.status == 64 && parquet.error.contains("Python"), "\(parquet.error)")
        for wrong in [
            ["--fields", "age"], ["--format", "csv", "--fields", "aeg"],
            ["--format", "csv", "--fields", "age,age"], ["--limit", "-1"], ["--format", "xml"],
        ] {
            let result = try Binary.run(["export", store, everybody] + wrong)
            #expect(result.status == 64, "\(wrong): \(result.output) \(result.error)")
        }
        let inside = try Binary.run("export", store, everybody, "-o", store + "/ids")
        #expect(inside.status == 73, "\(inside.error)")
        #expect(try Binary.run("export", store, everybody, "-o", "/dev/null").status == 73)
    }

    @Test("explain: a node each, parents first, with the keys of the contract")
    func explain() throws {
        let fixture = try Fixture()
        let store = try store(fixture)
        let result = try Binary.run(
            "explain", store,
            "email opened at least 1 in campaigns tagged \"no\" in the last 30 days or "
                + "not country in (\("abcdefghijkl".map { "\"\($0)\"" }.joined(separator: ", ")))",
            "--format", "json", "--as-of", "2026-01-15T00:00:00Z", "--timezone", "Europe/Berlin")
        #expect(result.status == 0, "\(result.error)")
        let found = try object(result.output)
        #expect(
            Set(found.keys) == ["count", "universe", "as_of", "version", "elapsed_ms", "nodes"])
        let nodes = try #require(found["nodes"] as? [[String: Any]])
        for node in nodes {
            #expect(
                Set(node.keys) == [
                    "path", "text", "count", "after", "estimate", "ways", "leaves", "postings",
                    "bytes", "windows", "scope", "warnings",
                ])
        }
        #expect(
            nodes.map { $0["path"] as? String } == [
                "where", "where.any[0]", "where.any[1]", "where.any[1].not",
            ])
        #expect(nodes[0]["text"] as? String == "any of" && nodes[2]["text"] as? String == "not")
        let listed = try #require(nodes[3]["text"] as? String)
        #expect(listed.hasSuffix(#""j", … 2 more)"#), "\(listed)")
        #expect(nodes.map { $0["count"] as? Int } == [5, 0, 5, 0])
        #expect(nodes.map { $0["after"] as? Int } == [5, 0, 5, 0])
        let windows = try #require(nodes[1]["windows"] as? [[String: Any]])
        #expect(windows.first?["from"] as? String == "2025-12-15T23:00:00.000Z")
        #expect(nodes[1]["scope"] as? [String: Any?] != nil && nodes[3]["scope"] is NSNull)
        let warnings = try #require(nodes[1]["warnings"] as? [[String: Any]])
        #expect(warnings.contains { $0["code"] as? String == "empty_scope" }, "\(warnings)")
        let text = try Binary.run("explain", store, "email opened exists and country = \"DE\"")
        #expect(text.output.contains("├ email opened exists"), "\(text.output)")
        #expect(text.output.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(text.output)")
    }

    @Test("explain --profile: the keys of the contract, the nearest miss, values")
    func explainProfile() throws {
        let fixture = try Fixture()
        let store = try store(fixture)
        let rule =
            "email opened at least 3 in the last 5 days and country = \"DE\" and "
            + "email clicked not happened after last opened"
        let result = try Binary.run(
            "explain", store, rule, "--profile", "a", "--format", "json", "--as-of",
            "2026-01-13T00:00:00Z")
        #expect(result.status == 0, "\(result.error)")
        let found = try object(result.output)
        #expect(Set(found.keys) == ["id", "matches", "nodes"])
        #expect(found["id"] as? String == "a" && found["matches"] as? Bool == false)
        let nodes = try #require(found["nodes"] as? [[String: Any]])
        for node in nodes {
            #expect(
                Set(node.keys) == [
                    "path", "text", "matches", "count", "needed", "object", "deciding", "nearest",
                    "value",
                ])
        }
        #expect(nodes.map { $0["matches"] as? Bool } == [false, false, true, true])
        #expect(nodes[1]["count"] as? Int == 1)
        #expect((nodes[1]["deciding"] as? [[String: Any]])?.count == 1)
        let nearest = try #require(nodes[1]["nearest"] as? [String: Any])
        #expect(nearest["misses"] as? [String] == ["window"])
        #expect((nearest["event"] as? [String: Any])?["count"] as? Int == 2)
        #expect(nodes[2]["value"] as? String == "DE" && nodes[2]["count"] is NSNull)
        #expect(nodes[0]["needed"] is NSNull && nodes[0]["deciding"] is NSNull)
        #expect(try Binary.run("explain", store, rule, "--profile", "nobody").status == 66)
        let text = try Binary.run("explain", store, rule, "--profile", "a")
        #expect(text.output.hasPrefix("a is not in the segment"), "\(text.output)")
    }

    @Test("show: by id, field, address and contact; the newest first")
    func show() throws {
        let fixture = try Fixture()
        let store = try store(fixture)
        let subscriptions = try fixture.file(
            "subscriptions.csv",
            """
            profile,channel,resource,status,contact
            e,email,news,subscribed,E@Example.com
            e,push,app,subscribed,token-1
            a,email,news,unsubscribed,d@example.com
            """)
        #expect(try Binary.run("load", store, "subscriptions", subscriptions).status == 0)
        let goals = try fixture.file(
            "goals.csv",
            "profile,pixel,goal,time,value\na,shop,buy,2026-01-05T10:00:00Z,12.50\n")
        #expect(try Binary.run("load", store, "goals", goals).status == 0)
        let shown = try Binary.run("show", store, "a", "--format", "json")
        #expect(
            shown.output
                == #"{"id": "a", "row": 0, "fields": {"country": "DE", "age": 20, "spent": 12.5, "#
                + #""since": "2026-01-31", "likes": ["back\\slash", "q\"uote", "x|y"]}, "#
                + #""global_status": "subscribed", "subscriptions": [{"channel": "email", "#
                + #""resource": "news", "status": "unsubscribed", "contact": "d@example.com", "#
                + #""provider": null, "priority": null, "time": null}], "goals": [{"time": "#
                + #""2026-01-05T10:00:00.000Z", "pixel": "shop", "goal": "buy", "value": 12.5}], "#
                + #""goals_total": 1, "activity": [{"time": "2026-01-12T10:00:00.000Z", "channel": "#
                + #""email", "event": "opened", "campaign": null, "template": null, "link": null, "#
                + #""message": null, "count": 1, "machine": false}, {"time": "#
                + #""2026-01-05T10:00:00.000Z", "channel": "email", "event": "opened", "campaign": "#
                + #"null, "template": null, "link": null, "message": null, "count": 2, "machine": "#
                + #"false}], "activity_total": 2}"# + "\n")
        func ids(_ arguments: String...) throws -> [String] {
            let result = try Binary.run(["show", store, "--format", "json"] + arguments)
            #expect([0, 66].contains(result.status), "\(result.error)")
            return try result.output.split(separator: "\n").map {
                try object($0)["id"] as? String ?? ""
            }
        }
        #expect(try ids(" d@EXAMPLE.com") == ["d"])
        #expect(try ids("d@example.com", "--in", "subscriptions") == ["a"])
        #expect(try ids("e@example.com") == ["e"])
        #expect(try ids("e@example.com", "--in", "profile") == [])
        #expect(try ids("token-1") == ["e"])
        #expect(try ids("token*") == ["e"])
        #expect(try ids("+49-1") == ["d"])
        #expect(try ids("likes:x|y") == ["a"])
        #expect(try ids("age:30") == ["b, \"two\""])
        #expect(try ids("age:030") == ["b, \"two\""])
        #expect(try ids("id:a") == ["a"] && ids("id:b*") == ["b, \"two\""])
        #expect(try ids("since:2026-01-31") == ["a"])
        #expect(try ids("country:line*") == [" c "])
        #expect(try ids("country:") == ["b, \"two\""])
        #expect(try ids("country:*", "--limit", "2").count == 2)
        #expect(try Binary.run("show", store, "nobody").status == 66)
        #expect(try Binary.run("show", store, "age:old").status == 64)
        #expect(try Binary.run("show", store, "spent:1").status == 64)
        #expect(try Binary.run("show", store, "a", "--channel", "post").status == 64)
        let some = try object(
            Binary.run(
                "show", store, "a", "--format", "json", "--since", "2026-01-05T10:00:00Z",
                "--until", "2026-01-12", "--events", "1"
            ).output)
        #expect(some["activity_total"] as? Int == 1 && some["goals_total"] as? Int == 1)
        let more = try Binary.run("show", store, "country:*", "--limit", "1")
        #expect(more.error.contains("3 profiles more"), "\(more.error)")
    }

    @Test("manners: help, quiet, verbose, completions")
    func manners() throws {
        let fixture = try Fixture()
        let store = try store(fixture)
        let alone = try Binary.run([])
        #expect(alone.status == 64 && alone.output.isEmpty && alone.error.contains("SUBCOMMANDS"))
        let help = try Binary.run("--help")
        #expect(help.status == 0 && help.error.isEmpty)
        let commands = help.output.split(separator: "\n").compactMap { line in
            line.hasPrefix("  ") && !line.hasPrefix("   ") && !line.hasPrefix("  -")
                ? line.split(separator: " ").first.map(String.init) : nil
        }.filter { $0 != "See" }
        #expect(commands.count > 18, "\(commands)")
        for command in commands {
            let own = try Binary.run("help", command)
            // An example on a line of its own, not broken at the margin.
            let example = own.output.split(separator: "\n").first { line in
                line.hasPrefix("    ") && line.contains("winnow \(command)")
            }
            #expect(example != nil && example?.count ?? 100 < 80, "\(command): \(own.output)")
        }
        let rule = "email opened at least 1 in campaigns \"nope\""
        #expect(try Binary.run("count", store, rule).error.contains("empty_scope") == false)
        #expect(try Binary.run("count", store, rule).error.contains("warning"))
        for quiet in ["-q", "--quiet"] {
            let result = try Binary.run("count", store, rule, quiet)
            #expect(result.error.isEmpty && result.output == "0\n", "\(result.error)")
        }
        #expect(try Binary.run("count", store, "-q", "email opend exists").error.contains("opened"))
        let verbose = try Binary.run("count", store, "email opened exists", "--verbose")
        #expect(verbose.error.contains("opening part") && verbose.error.contains("done in"))
        #expect(verbose.output == "2\n")
        let load = try Binary.run(
            "load", store, "events", fixture.file("more.csv", AnswerCommandTests.events),
            "--verbose")
        #expect(load.error.contains("merged with"), "\(load.error)")
        for shell in ["bash", "zsh", "fish"] {
            let script = try Binary.run("completions", shell)
            #expect(script.status == 0)
            for word in ["breakdown", "telegram_bot", "unique_opened", "subscriptions"] {
                #expect(script.output.contains(word), "\(shell): \(word)")
            }
        }
        #expect(try Binary.run("completions", "csh").status == 64)
    }

    @Test("breakdown: few profiles by a field that has too many values among all")
    func manyValues() throws {
        let fixture = try Fixture()
        let store = fixture.storePath
        #expect(try Binary.run("create", store).status == 0)
        let rows = 2 * 65_536
        let ids = "id,email\n" + (0..<rows).map { "p\($0),\($0)@x.yz\n" }.joined()
        #expect(try Binary.run("load", store, "profiles", fixture.file("ids.csv", ids)).status == 0)
        let few = try Binary.run(
            "breakdown", store, "id in (\"p1\", \"p2\")", "--by", "email", "--format", "json")
        #expect(few.status == 0, "\(few.error)")
        #expect(
            try few.output.split(separator: "\n").map { line in
                let own = try object(line)
                return
                    "\(own["by"] as? [String: String] ?? [:]) \(own["count"] ?? "") \(own["universe"] ?? "")"
            } == [#"["email": "1@x.yz"] 1 1"#, #"["email": "2@x.yz"] 1 1"#])
        let all = try Binary.run("breakdown", store, "id exists", "--by", "email")
        #expect(all.status == 64 && all.error.contains("100000"), "\(all.error)")
    }

    @Test("roaring: containers of both kinds, in the portable format")
    func roaring() throws {
        let fixture = try Fixture()
        let store = fixture.storePath
        #expect(try Binary.run("create", store).status == 0)
        // Of two blocks, one with many rows and one with three.
        let rows = 65_536 + 10
        let ids =
            "id,email\n" + (0..<rows).map { "p\($0),\($0 % 2 == 0 ? "even" : "odd")\n" }.joined()
        #expect(try Binary.run("load", store, "profiles", fixture.file("ids.csv", ids)).status == 0)
        let path = fixture.folder.appendingPathComponent("rows").path
        let result = try Binary.run(
            "export", store, "email = \"even\"", "--format", "roaring", "-o", path)
        #expect(result.status == 0, "\(result.error)")
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        func number(_ at: Int, _ count: Int) -> Int {
            bytes[at..<at + count].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        #expect(number(0, 4) == 12346 && number(4, 4) == 2)
        #expect(number(8, 2) == 0 && number(10, 2) == 32_767)
        #expect(number(12, 2) == 1 && number(14, 2) == 4)
        #expect(number(16, 4) == 24 && number(20, 4) == 24 + 8192)
        #expect(bytes[24..<24 + 8192].allSatisfy { $0 == 0x55 })
        #expect((0..<5).map { number(24 + 8192 + 2 * $0, 2) } == [0, 2, 4, 6, 8])
        #expect(bytes.count == 24 + 8192 + 10)
    }
}
