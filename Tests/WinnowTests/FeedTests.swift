import Foundation
import Testing
import Winnow

/// Rows of other programs' files, by mappings.
@Suite("Feeds")
struct FeedTests {
    private let fixture: Fixture
    private let store: Store

    init() throws {
        fixture = try Fixture()
        store = try fixture.create([
            Field(name: "city", type: .string), Field(name: "age", type: .integer),
            Field(name: "paid", type: .decimal, scale: 2), Field(name: "tags", type: .stringSet),
            Field(name: "seen", type: .datetime), Field(name: "card", type: .string),
        ])
    }

    @discardableResult
    private func feed(
        _ mapping: String, _ text: String, as format: InputFormat = .ndjson,
        _ change: (inout LoadOptions) -> Void = { _ in }
    ) throws -> LoadSummary {
        var options = LoadOptions()
        options.mapping = FeedMapping(json: mapping)
        change(&options)
        return try store.load(.feed, from: .bytes(text.utf8, as: format), options: options)
    }

    private func load(_ kind: LoadKind, _ text: String) throws {
        try store.load(kind, from: .bytes(text.utf8, as: .csv))
    }

    private func ids(_ rule: String) throws -> [String] {
        try Array(store.snapshot().ids(of: Segment(rule)))
    }

    private func error(_ body: () throws -> Void) -> WinnowError? {
        #expect(throws: WinnowError.self) { try body() }
    }

    private static let data = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("data/feeds")

    // MARK: What comes with Winnow

    @Test(
        "each mapping that comes with Winnow loads its file by the command that maps prints",
        arguments: FeedMapping.shipped.map(\.name))
    func shipped(name: String) throws {
        let shipped = try #require(FeedMapping.shipped.first { $0.name == name })
        let folder = FeedTests.data
        let path = fixture.folder.appendingPathComponent("feed").path
        let schema = folder.appendingPathComponent("\(name).schema.json").path
        let store = try Store.create(
            path,
            schema: FileManager.default.fileExists(atPath: schema)
                ? try Schema(file: schema) : Schema())
        let profiles = folder.appendingPathComponent("\(name).profiles.csv").path
        if FileManager.default.fileExists(atPath: profiles) {
            try store.load(.profiles, from: .file(profiles))
        }
        let printed = try Binary.run("maps").output
        let command = "winnow load STORE feed \(shipped.example) --map \(name)"
        #expect(printed.contains(command))
        let file = folder.deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent(shipped.example).path
        let run = try Binary.run("load", path, "feed", file, "--map", name)
        #expect(run.status == 0, "\(run.error)")
        let rules = try String(
            contentsOf: folder.appendingPathComponent("\(name).rules.ndjson"), encoding: .utf8)
        let snapshot = try store.snapshot()
        let segments = try rules.split(separator: "\n").map { try Segment(json: String($0)) }
        #expect(segments.count >= 3)
        for segment in segments {
            let right = Int((segment.name ?? "").prefix { $0 != " " })
            #expect(try snapshot.count(segment).count == right, "\(segment.name ?? "")")
        }
        #expect(try Store.verify(at: path).findings == [])
        // The same as a mapping of one's own, printed and given as a file.
        let copy = try fixture.file("copy.json", Binary.run("maps", name).output)
        #expect(try Binary.run("load", path, "feed", file, "--map", copy, "--dry-run").status == 0)
    }

    @Test("a mapping that there is not is refused with those that there are")
    func unknownMapping() throws {
        let run = try Binary.run("maps", "sendgird")
        #expect(run.status == 64 && run.error.contains("did you mean “sendgrid”"))
        _ = try Binary.run("create", fixture.folder.appendingPathComponent("x").path)
        let none = try Binary.run("load", fixture.storePath, "feed", "x.json")
        #expect(none.status == 64 && none.error.contains("--map"))
    }

    // MARK: Rows

    private static let goals = """
        "goals": [{"pixel": {"value": "x"}, "goal": "g", "time": {"path": "t", "as": "seconds"}, "anonymous": true}]
        """

    @Test("rows of JSON are found wherever they are, in one value or several")
    func rows() throws {
        let row = { (goal: String) in "{\"g\": \"\(goal)\",\n \"t\": 1764000000}" }
        func count(_ source: String, _ text: String) throws -> Int {
            let before = try store.snapshot().info().anonymousGoals
            try feed("{\(source)\(FeedTests.goals)}", text, as: .json)
            return try store.snapshot().info().anonymousGoals - before
        }
        #expect(try count("", row("a")) == 1)
        #expect(try count("", "[\(row("a")), \(row("b"))]") == 2)
        #expect(try count("", "[\(row("a"))]\n [\(row("b"))]\(row("c"))[]") == 3)
        #expect(try count("", "\u{FEFF}[\(row("{[\\\"]}"))]") == 1)
        let nested = "\"source\": {\"rows\": \"data.list\"}, "
        #expect(
            try count(nested, "{\"n\": [1], \"data\": {\"list\": [\(row("a")), \(row("b"))]}}") == 2
        )
        #expect(try count(nested, "{\"data\": {\"list\": \(row("a"))}, \"data2\": {}}") == 1)
        #expect(
            try count(
                "\"source\": {\"rows\": \"0.rows\"}, ",
                "[{\"rows\": [\(row("a"))]}, {\"rows\": [1]}]")
                == 1)
        for (text, code) in [
            ("{\"data\": {}}", ErrorCode.missingRows), ("[\(row("a"))", .malformedJSON),
            ("{\"data\": {\"list\": [\(row("a"))]", .malformedJSON), ("[}", .malformedJSON),
        ] {
            let source = text.hasPrefix("{\"data\"") ? nested : ""
            #expect(
                error { try feed("{\(source)\(FeedTests.goals)}", text, as: .json) }?.code == code,
                "\(text)")
        }
        let bad = error { try feed("{\(FeedTests.goals)}", "[\(row("a")), 7]", as: .json) }
        #expect(bad?.description.contains("row 2") == true, "\(bad?.description ?? "")")
    }

    @Test("an array in a row gives a row for each of its elements")
    func elements() throws {
        let mapping = """
            {"source": {"each": "to"}, "profile": {"match": "email", "value": "item.address", "columns": {"email": "item.address"}},
             "events": [{"channel": {"value": "email"}, "event": {"value": "sent"}, "time": "at", "message": "id"}]}
            """
        let summary = try feed(
            mapping,
            """
            {"id": "m1", "at": "2025-01-01T00:00:00Z", "to": [{"address": "a@x"}, {"address": "b@x"}]}
            {"id": "m2", "at": "2025-01-01T00:00:00Z", "to": []}
            {"id": "m3", "at": "2025-01-01T00:00:00Z"}

            """)
        #expect(summary.rows == 3 && summary.skipped == 2 && summary.kinds["events"] == 2)
        #expect(try ids("email sent exists").count == 2)
    }

    @Test("paths go into objects, arrays and strings that hold JSON, ten levels below the first")
    func paths() throws {
        let deep = (0..<10).reduce("\"deep\"") { inner, _ in "{\"k\": \(inner)}" }
        let path = (["root"] + Array(repeating: "k", count: 10)).joined(separator: ".")
        let mapping = """
            {"profile": {"match": "id", "value": "id", "columns": {"id": "id", "city": "\(path)",
              "card": "dotted\\\\.key", "age": "list.1.n", "tags": "tags"}}}
            """
        try feed(
            mapping,
            """
            {"id": 1, "root": \(deep), "dotted.key": 12345678901234567890, "list": "[{}, {\\"n\\": 7}]", "tags": ["a", 1, true]}
            {"id": 2, "root": {"k": "no JSON"}, "list": [[], {"n": {}}], "tags": [{}]}

            """)
        #expect(try ids("city = \"deep\" and age = 7 and card = \"12345678901234567890\"") == ["1"])
        #expect(try ids("tags has all (\"a\", \"1\", \"true\")") == ["1"])
        #expect(try ids("city is blank and age does not exist and tags does not exist") == ["2"])
        let long = path + ".k"
        #expect(
            error { try feed(mapping.replacingOccurrences(of: path, with: long), "{}") }?
                .description
                .contains("at most 10 levels") == true)
    }

    @Test("values are put together, trimmed, lowered, split, mapped, rounded and read as times")
    func values() throws {
        let mapping = """
            {"source": {"timezone": "Europe/Moscow", "nulls": ["NULL"]},
             "profile": {"match": "id", "value": "id", "columns": {
              "id": "id", "card": {"first": ["a", "b", {"value": "none"}]},
              "city": {"path": "city", "trim": true, "lower": true, "map": {"bonn": "Bonn"}, "otherwise": "elsewhere"},
              "phone": {"join": ["cc", "nr"], "with": "-"}, "tags": {"path": "tags", "split": ","},
              "paid": {"path": "paid", "as": {"decimal": 2}}, "seen": {"path": "seen", "as": "dd.MM.yyyy HH:mm"}}}}
            """
        try feed(
            mapping,
            """
            {"id": "p", "a": "NULL", "b": "B", "city": "  BONN ", "cc": "49", "nr": 1, "tags": " x , \\"y, z\\",", "paid": "1.005", "seen": "01.07.2025 02:00"}
            {"id": "q", "city": "Berlin", "cc": "49", "paid": -2.675, "seen": ""}
            {"id": "r", "paid": 3}

            """)
        #expect(try ids("card = \"B\" and city = \"Bonn\" and phone = \"49-1\"") == ["p"])
        #expect(try ids("tags has all (\"x\", \"y, z\")") == ["p"])
        #expect(try ids("paid = 1.01 and seen = 2025-06-30T23:00:00Z") == ["p"])
        #expect(try ids("card = \"none\" and city = \"elsewhere\" and paid = -2.68") == ["q"])
        #expect(try ids("phone does not exist and seen does not exist") == ["q", "r"])
        #expect(try ids("paid = 3") == ["r"])
        for (row, says) in [
            ("\"seen\": \"2025-07-01\"", "seen"), ("\"paid\": \"much\"", "expected a number"),
        ] {
            let bad = error { try feed(mapping, "{\"id\": \"s\", \(row)}\n") }
            #expect(bad?.exitCode == 65 && bad?.description.contains(says) == true)
        }
    }

    @Test("conditions choose rows and records; a star is any run")
    func conditions() throws {
        let mapping = """
            {"where": [{"path": "kind", "matches": ["buy*", "a\\\\*b"]}, {"path": "who", "matches": ["*@x.org"]}],
             "goals": [{"where": [{"path": "n", "matches": ["1"]}], "pixel": {"value": "x"}, "goal": "kind", "time_ms": "t", "anonymous": true}]}
            """
        let rows = [
            ("buy", "a@x.org", "1", 1), ("buyer", "b@x.org", "1", 1), ("a*b", "@x.org", "1", 1),
            ("axb", "a@x.org", "1", 0), ("Buy", "a@x.org", "1", 0), ("buy", "a@x.orgs", "1", 0),
            ("buy", "a@x.org", "2", 0),
        ]
        for (kind, who, n, goals) in rows {
            let before = try store.snapshot().info().anonymousGoals
            try feed(
                mapping,
                "{\"kind\": \"\(kind)\", \"who\": \"\(who)\", \"n\": \(n), \"t\": 1764000000000}\n"
            ) { $0.allowsEmptyEntries = true }
            #expect(try store.snapshot().info().anonymousGoals - before == goals, "\(kind) \(who)")
        }
    }

    // MARK: Profiles

    private static func profile(_ match: String, _ more: String = "") -> String {
        """
        {"profile": {"match": "\(match)", "columns": {"email": "email", "phone": "phone", "city": "city", "id": "id", "card": "card"}\(more)}}
        """
    }

    @Test(
        "profiles are found by e-mail, subscription, device or field, whatever the case and blanks")
    func matching() throws {
        try load(
            .profiles,
            "id,email,phone,appmetrica_device_id,card\na,Ada@X.org,+49 (1) 2,7,c1\nb,b@x.org,,,\n")
        try load(
            .subscriptions,
            "profile,channel,resource,status,contact\nb,email,news,subscribed,other@x.org\n"
                + "b,sms,news,subscribed,sms@x.org\n")
        for (match, value, city, found) in [
            ("email", " ADA@x.ORG ", "1", "a"), ("email_or_subscription", "Other@x.org", "2", "b"),
            ("email_or_subscription", "b@X.org", "3", "b"), ("field:phone", "4912", "4", "a"),
            ("appmetrica_device_id", "7", "5", "a"), ("field:card", "c1", "6", "a"),
            ("id", "b", "7", "b"),
        ] {
            let mapping = """
                {"profile": {"match": "\(match)", "value": "v", "columns": {"city": "city"}}}
                """
            let summary = try feed(mapping, "{\"v\": \"\(value)\", \"city\": \"\(city)\"}\n")
            #expect(summary.updated == 1 && summary.new == 0, "\(match)")
            #expect(try ids("city = \"\(city)\"") == [found], "\(match)")
        }
        // The number of a text message is no e-mail address; cards are compared as they are.
        for (match, value) in [("email_or_subscription", "sms@x.org"), ("field:card", "C1")] {
            let mapping = """
                {"profile": {"match": "\(match)", "value": "v", "columns": {"city": "city"}}}
                """
            #expect(try feed(mapping, "{\"v\": \"\(value)\", \"city\": \"new\"}\n").new == 1)
        }
    }

    @Test("of several profiles the one with the least row is taken, and that is said")
    func ambiguity() throws {
        try load(.profiles, "id,email\na,x@x.org\nb,X@x.org\nc,y@x.org\n")
        let summary = try feed(
            FeedTests.profile("email"), "{\"email\": \"x@x.org\", \"city\": \"here\"}\n")
        #expect(summary.ambiguous == 1 && summary.updated == 1)
        #expect(try ids("city = \"here\"") == ["a"])
        try store.erase(profiles: ["a"])
        try feed(FeedTests.profile("email"), "{\"email\": \"x@x.org\", \"city\": \"there\"}\n")
        #expect(try ids("city = \"there\"") == ["b"])
    }

    @Test("a mode says whether profiles are added, updated or only found")
    func modes() throws {
        try load(.profiles, "id,email,city\na,a@x.org,old\n")
        let rows =
            "{\"email\": \"a@x.org\", \"city\": \"now\"}\n{\"email\": \"new@x.org\", \"city\": \"now\"}\n"
        for (mode, old, new) in [
            ("find", 0, 0), ("update", 1, 0), ("insert", 0, 1), ("upsert", 1, 0),
        ] {
            let summary = try feed(FeedTests.profile("email", ", \"mode\": \"\(mode)\""), rows)
            #expect(summary.new == new && summary.updated >= old, "\(mode)")
            if mode == "find" || mode == "update" { #expect(summary.skipped == 1) }
        }
        let created = try feed(
            FeedTests.profile("email", ", \"mode\": \"find\""),
            "{\"email\": \"third@x.org\", \"city\": \"third\"}\n"
        ) { $0.unknownProfiles = .create }
        #expect(created.new == 1)
        #expect(try ids("city = \"third\" and email = \"third@x.org\"").count == 1)
        #expect(
            error { try feed(FeedTests.profile("email"), rows) { $0.unknownProfiles = .reject } }?
                .code == .usage)
    }

    @Test("a new profile has the id that the columns say, else one that does not tell the value")
    func newIDs() throws {
        try load(.profiles, "id\nu1\n")
        try feed(
            FeedTests.profile("email"),
            """
            {"email": " Ada@x.org", "city": "hashed"}
            {"email": "b@x.org", "id": "u1", "city": "taken"}
            {"email": "c@x.org", "id": "u1", "city": "taken twice"}
            {"email": "d@x.org", "id": "u2", "city": "own"}

            """)
        // The first 32 digits of SHA-256 of ada@x.org.
        #expect(try ids("city = \"hashed\"") == ["email-210e59f6e61aa3a35ab77472ad49610a"])
        #expect(try ids("city = \"taken\"") == ["u1-2"])
        #expect(try ids("city = \"taken twice\"") == ["u1-3"])
        #expect(try ids("city = \"own\"") == ["u2"])
        #expect(try ids("email = \" Ada@x.org\"").count == 1)
    }

    @Test("what is empty keeps what is stored, or clears it; what is not there keeps it")
    func emptyValues() throws {
        try load(.profiles, "id,email,city,card\na,a@x.org,c1,k1\nb,b@x.org,c2,k2\n")
        let rows =
            "{\"email\": \"a@x.org\", \"city\": null, \"card\": \"\"}\n{\"email\": \"b@x.org\"}\n"
        try feed(FeedTests.profile("email"), rows)
        #expect(try ids("city exists and card exists") == ["a", "b"])
        try feed(FeedTests.profile("email", ", \"ignore_empty\": false"), rows)
        #expect(try ids("city exists and card exists") == ["b"])
        let cells = "email,city\nb@x.org,\n"
        try feed(FeedTests.profile("email"), cells, as: .csv)
        #expect(try ids("city exists") == ["b"])
        try feed(FeedTests.profile("email", ", \"ignore_empty\": false"), cells, as: .csv)
        #expect(try ids("city exists") == [])
        #expect(try ids("card exists") == ["b"])
        let bad = error {
            try feed(FeedTests.profile("email", ", \"ignore_empty\": false"), "{\"email\": \"\"}\n")
        }
        #expect(bad?.code == .missingMatch)
    }

    @Test("without the value a row is found by its id, then by its device, else it has no profile")
    func fallback() throws {
        try load(.profiles, "id,appmetrica_device_id\na,\nb,77\n")
        let summary = try feed(
            FeedTests.profile("email"),
            """
            {"email": "", "id": "a", "city": "by id"}
            {"appmetrica_device_id": 77, "city": "by device"}
            {"appmetrica_device_id": 78, "city": "new device"}
            {"city": "nobody"}

            """)
        #expect(summary.skipped == 1 && summary.new == 1 && summary.updated == 2)
        #expect(try ids("city = \"by id\"") == ["a"])
        #expect(try ids("city = \"by device\"") == ["b"])
        #expect(try ids("city = \"new device\" and appmetrica_device_id = \"78\"").count == 1)
        #expect(try ids("city = \"nobody\"") == [])
    }

    @Test("later rows see what earlier ones of the batch have changed", arguments: [1 << 22, 1])
    func laterRows(pieceSize: Int) throws {
        try load(.profiles, "id,email\na,old@x.org\n")
        let rename = """
            {"profile": {"match": "id", "value": "id", "columns": {"email": "email"}}}
            """
        try feed(rename, "{\"id\": \"a\", \"email\": \"older@x.org\"}\n")
        let mapping = """
            {"profile": {"match": "email", "value": "key", "columns": {"email": "email", "city": "city"}}}
            """
        let summary = try feed(
            mapping,
            """
            {"key": "older@x.org", "email": "new@x.org", "city": "1"}
            {"key": "new@x.org", "city": "2"}
            {"key": "older@x.org", "city": "3"}
            {"key": "older@x.org", "city": "4"}

            """
        ) { $0.pieceSize = pieceSize }
        #expect(summary.new == 1)
        #expect(try ids("city = \"2\"") == ["a"])
        #expect(try ids("city = \"4\" and email = \"older@x.org\"").count == 1)
        #expect(try store.snapshot().profiles == 2)
    }

    @Test("keys of an object with a prefix are fields; others are refused, or passed over")
    func columnsFrom() throws {
        let mapping = { (unknown: String) in
            """
            {"profile": {"match": "id", "value": "id", "columns_from": {"path": "a", "prefix": "update-"\(unknown)}}}
            """
        }
        let row =
            "{\"id\": \"p\", \"a\": {\"update-city\": \"Bonn\", \"other\": 1, \"update-nope\": 2}}\n"
        #expect(error { try feed(mapping(""), row) }?.code == .unknownColumn)
        try feed(mapping(", \"unknown\": \"skip\""), row)
        #expect(try ids("city = \"Bonn\"") == ["p"])
        let optional = """
            {"profile": {"match": "id", "value": "id", "optional_columns": {"city": "c", "nope": "n"}}}
            """
        try feed(optional, "{\"id\": \"p\", \"c\": \"Ulm\", \"n\": 1}\n")
        #expect(try ids("city = \"Ulm\"") == ["p"])
    }

    // MARK: Records

    @Test(
        "an opt-out is never undone by a feed, unless it says so; some are for new profiles alone")
    func subscriptions() throws {
        try load(.profiles, "id,email\na,a@x.org\n")
        try load(
            .subscriptions,
            "profile,channel,resource,status,contact,time\na,email,news,unsubscribed,a@x.org,2025-06-01T00:00:00Z\n"
        )
        func mapping(_ more: String) -> String {
            """
            {"profile": {"match": "email", "value": "email", "columns": {"email": "email"}},
             "subscriptions": [{"channel": {"value": "email"}, "resource": {"value": "news"}, "contact": "email",
              "status": {"value": "subscribed"}, "time": "t"\(more)}]}
            """
        }
        let row = "{\"email\": \"a@x.org\", \"t\": \"2025-05-01T00:00:00Z\"}\n"
        let out = "subscription exists status \"unsubscribed\""
        #expect(try feed(mapping(""), row).skipped == 1)
        #expect(try ids(out) == ["a"])
        try feed(mapping(", \"if_exists\": \"newer\""), row)
        #expect(try ids(out) == ["a"])
        try feed(mapping(", \"if_exists\": \"replace\", \"for\": \"new\""), row)
        #expect(try ids(out) == ["a"])
        try feed(mapping(", \"if_exists\": \"replace\", \"for\": \"existing\""), row)
        #expect(try ids(out) == [])
        // What is for existing profiles is not for one that the same row makes.
        try feed(mapping(", \"for\": \"existing\""), "{\"email\": \"new@x.org\"}\n")
        #expect(try store.snapshot().info().subscriptions == 1)
        try feed(mapping(", \"for\": \"new\""), "{\"email\": \"newer@x.org\"}\n")
        #expect(try store.snapshot().info().subscriptions == 2)
    }

    @Test("goals of nobody are kept where that is said; wide rows yield what they have")
    func wideRows() throws {
        let mapping = """
            {"source": {"format": "csv"}, "profile": {"match": "id", "value": "id"},
             "events": [{"channel": {"value": "email"}, "event": {"value": "sent"}, "time": "sent"},
              {"channel": {"value": "email"}, "event": {"value": "opened"}, "time": "opened"}],
             "goals": [{"pixel": {"value": "x"}, "goal": "goal", "time": "sent", "anonymous": true}]}
            """
        try load(.profiles, "id\na\n")
        let summary = try feed(
            mapping,
            """
            id,sent,opened,goal
            a,2025-01-01 00:00:00,2025-01-02 00:00:00,buy
            a,2025-01-03 00:00:00,,
            b,2025-01-04 00:00:00,,buy

            """, as: .csv)
        #expect(summary.kinds == ["events": 3, "goals": 2])
        #expect(summary.yieldedNothing.map(\.rows) == [0, 2, 1])
        let info = try store.snapshot().info()
        #expect(info.events == 3 && info.goals == 1 && info.anonymousGoals == 1)
        let idle = error {
            try feed(mapping, "id,sent,opened,goal\na,2025-01-01 00:00:00,,\n", as: .csv)
        }
        #expect(idle?.code == .idleEntry && idle?.description.contains("events[1]") == true)
        try feed(mapping, "id,sent,opened,goal\na,2025-01-01 00:00:00,,\n", as: .csv) {
            $0.allowsEmptyEntries = true
        }
    }

    @Test("what one row yields is all stored, or all rejected")
    func wholeRows() throws {
        let mapping = """
            {"profile": {"match": "id", "value": "id", "columns": {"id": "id", "age": "age"}},
             "events": [{"channel": "channel", "event": {"value": "sent"}, "time": "t"}]}
            """
        let rows = """
            {"id": "a", "age": 1, "channel": "email", "t": "2025-01-01T00:00:00Z"}
            {"id": "b", "age": 2, "channel": "mail", "t": "2025-01-01T00:00:00Z"}
            {"id": "c", "age": "old", "channel": "email", "t": "2025-01-01T00:00:00Z"}
            {"id": "d", "age": 4, "t": "2025-01-01T00:00:00Z"}

            """
        #expect(error { try feed(mapping, rows) }?.description.contains("line 2") == true)
        #expect(try store.snapshot().profiles == 0)
        let rejects = fixture.folder.appendingPathComponent("rejects").path
        let summary = try feed(mapping, rows) { $0.rejects = rejects }
        #expect(summary.rejected == 3 && summary.kinds == ["profiles": 1, "events": 1])
        #expect(try store.snapshot().profiles == 1)
        let lines = try String(contentsOfFile: rejects, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 3 && lines[0].contains("unknown_channel"))
        var options = LoadOptions()
        options.mapping = FeedMapping(json: mapping)
        options.rejects = rejects
        try store.load(
            .feed,
            from: .bytes(
                "[{\"id\": \"e\", \"channel\": 1, \"t\": \"2025-01-01T00:00:00Z\"}]".utf8, as: .json
            ),
            options: {
                var options = options
                options.allowsEmptyEntries = true
                return options
            }())
        #expect(try String(contentsOfFile: rejects, encoding: .utf8).contains("\"row\": 1"))
    }

    @Test("arrays and objects with too many levels are rejected, not passed over")
    func depth() throws {
        let deep = String(repeating: "[", count: 600) + String(repeating: "]", count: 600)
        let mapping = """
            {"source": {"format": "ndjson"}, "profile": {"match": "email", "value": "e", "mode": "insert"},
             "events": [{"channel": {"value": "email"}, "event": {"value": "opened"},
                         "time": {"path": "t.at", "as": "seconds"}}]}
            """
        let rejects = fixture.folder.appendingPathComponent("rejects").path
        let summary = try feed(
            mapping,
            """
            {"e": "a@example.com", "t": {"at": 1700000000, "deep": \(deep)}}
            {"e": "b@example.com", "t": {"at": 1700000000, "deep": []}}

            """
        ) { $0.rejects = rejects }
        #expect(summary.rejected == 1)
        let lines = try String(contentsOfFile: rejects, encoding: .utf8)
        #expect(lines.contains("\"malformed_json\""))
        #expect(try ids("email opened exists").count == 1)
    }

    @Test(
        "JSON that is none is refused, between rows and in them",
        arguments: [
            "[{\"id\": \"a\"},]", "[{\"id\": \"a\"} {\"id\": \"b\"}]", "[,]", ",",
            "{\"id\": \"a\"},{\"id\": \"b\"}",
            "[{\"id\": \"a\"}: {\"id\": \"b\"}]", "[{\"id\": \"a\nb\"}]", "{\"id\": \"a\",}",
            "[{\"id\": \"a\"}}",
        ])
    func malformed(text: String) throws {
        let mapping = """
            {"profile": {"match": "id", "value": "id", "mode": "upsert", "columns": {"city": "city"}}}
            """
        #expect(error { _ = try feed(mapping, text, as: .json) }?.code == .malformedJSON)
        #expect(try ids("not city exists").isEmpty)
    }

    @Test("dates have patterns, decimals exponents, members of sets are trimmed and lowered")
    func forms() throws {
        let store = try Store.create(
            fixture.folder.appendingPathComponent("forms").path,
            schema: Schema(fields: [
                Field(name: "born", type: .date), Field(name: "paid", type: .decimal, scale: 2),
                Field(name: "tags", type: .stringSet),
            ]))
        var options = LoadOptions()
        options.mapping = FeedMapping(
            json: """
                {"profile": {"match": "id", "value": "id", "mode": "upsert", "columns": {
                    "born": {"path": "born", "as": "dd.MM.yyyy at HH:mm"}, "paid": "paid",
                    "tags": {"path": "tags", "trim": true, "lower": true}}}}
                """)
        let rejects = fixture.folder.appendingPathComponent("rejects").path
        options.rejects = rejects
        let rows = """
            {"id": "a", "born": "03.02.1990 at 23:59", "paid": 1.5e3, "tags": [" Red", "BLUE"]}
            {"id": "b", "tags": ["red", null]}
            {"id": "c", "tags": ["red", ""]}

            """
        let summary = try store.load(.feed, from: .bytes(rows.utf8, as: .ndjson), options: options)
        #expect(summary.rejected == 2)
        let rule = """
            born = "1990-02-03" and paid = 1500 and tags has all ("red", "blue")
            """
        #expect(try store.snapshot().count(Segment(rule)).count == 1)
    }

    @Test("Unix seconds are an instant in every column, and values of goals have exponents")
    func seconds() throws {
        let mapping = """
            {"profile": {"match": "id", "value": "id", "mode": "insert"},
             "events": [{"channel": {"value": "email"}, "event": {"value": "clicked"},
                         "time": {"path": "at", "as": "seconds"}, "link": {"path": "at", "as": "seconds"}}],
             "goals": [{"pixel": {"value": "p"}, "goal": {"value": "g"}, "value": "paid",
                        "time": {"path": "at", "as": "seconds"}}]}
            """
        try feed(mapping, "{\"id\": \"a\", \"at\": 1735689600, \"paid\": 2.5e2}\n")
        #expect(
            try ids("email clicked at least 1 times on link \"2025-01-01T00:00:00.000Z\"") == ["a"])
        #expect(try ids("goal \"g\" at least 1 times value sum at least 250") == ["a"])
        let wrong = mapping.replacingOccurrences(
            of: "\"time\": {\"path\": \"at\", \"as\": \"seconds\"}}]}",
            with: "\"time_ms\": {\"path\": \"at\", \"as\": \"seconds\"}}]}")
        #expect(error { try feed(wrong, "{\"id\": \"b\", \"at\": 1735689600}\n") } != nil)
    }

    @Test("a batch covers its mapping; --distinct passes over what was loaded before")
    func batches() throws {
        let mapping = "{\"source\": {\"format\": \"json\"}, \(FeedTests.goals)}"
        let text = "[{\"g\": \"a\", \"t\": 1764000000}, {\"g\": \"a\", \"t\": 1764000000}]"
        let load = { (mapping: String) in
            try feed(mapping, text, as: .json) { $0.batch = "1" }
        }
        #expect(try load(mapping).kinds == ["goals": 2])
        #expect(try load(mapping.replacingOccurrences(of: ": ", with: ":")).isRepeated)
        let other = mapping.replacingOccurrences(of: "\"x\"", with: "\"y\"")
        #expect(error { _ = try load(other) }?.code == .batchConflict)
        #expect(try feed(mapping, text, as: .json) { $0.distinct = true }.duplicates == 2)
        #expect(try feed(other, text, as: .json) { $0.distinct = true }.duplicates == 1)
        let dry = try feed(mapping, text, as: .json) { $0.dryRun = true }
        #expect(dry.preview?.rows.count == 2 && dry.kinds == ["goals": 2])
        #expect(try store.snapshot().info().anonymousGoals == 3)
    }

    @Test("a mapping that makes no sense is refused with the path")
    func mistakes() throws {
        let profile = "\"profile\": {\"match\": \"id\", \"value\": \"id\"}"
        let event = "\"channel\": {\"value\": \"email\"}, \"event\": {\"value\": \"sent\"}"
        for (mapping, says) in [
            ("{", "no JSON at byte"), ("[]", "expected an object"),
            ("{\"sorce\": {}}", "sorce: unknown key (did you mean “source”?)"),
            ("{\(profile)}", "it says nothing"),
            ("{\"events\": [{\(event), \"time\": \"t\"}]}", "“profile” is missing"),
            (
                "{\(profile), \"events\": [{\(event)}]}",
                "events[0]: exactly one of time and time_ms"
            ),
            ("{\(profile), \"events\": [{\"time\": \"t\"}]}", "“channel” is missing"),
            (
                "{\(profile), \"events\": [{\(event), \"time\": {\"path\": \"t\", \"as\": \"yy\"}}]}",
                "events[0].time.as: “yy” is neither"
            ),
            ("{\(profile), \"events\": [{\(event), \"time\": \"a..b\"}]}", "no empty key"),
            (
                "{\(profile), \"events\": [{\(event), \"time\": {\"path\": \"t\", \"value\": 1}}]}",
                "exactly one of path, value, first and join"
            ),
            ("{\"profile\": {\"match\": \"name\"}}", "profile.match: “name” is not one of"),
            ("{\"profile\": {\"match\": \"email\"}}", "“value” is missing"),
            (
                "{\"profile\": {\"match\": \"field:age\", \"value\": \"x\"}}",
                "fields that are strings"
            ),
            (
                "{\"profile\": {\"match\": \"id\", \"value\": \"x\", \"columns\": {\"citty\": \"c\"}}}",
                "profile.columns.citty: the store has no field “citty” (did you mean “city”?)"
            ),
            (
                "{\"profile\": {\"match\": \"id\", \"value\": \"x\", \"mode\": \"add\"}}",
                "profile.mode: “add” is not one of upsert, insert, update, find"
            ),
            ("{\"where\": [{\"path\": \"a\", \"matches\": []}], \(FeedTests.goals)}", "empty"),
            ("{\"source\": {\"delimiter\": \"ab\"}, \(FeedTests.goals)}", "one ASCII character"),
            ("{\"source\": {}, \"source\": {}, \(FeedTests.goals)}", "the key is repeated"),
        ] {
            let found = error { try feed(mapping, "{}") }
            #expect(
                found?.code == .usage && found?.description.contains(says) == true,
                "\(mapping): \(found?.description ?? "")")
        }
        var options = LoadOptions()
        options.mapping = FeedMapping(json: "{}")
        #expect(
            error { try store.load(.events, from: .bytes([], as: .csv), options: options) }?.code
                == .usage)
        #expect(error { try store.load(.feed, from: .bytes([], as: .csv)) }?.code == .usage)
    }
}
