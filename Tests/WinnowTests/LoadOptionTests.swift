import Foundation
import Testing
import Winnow

/// Files that other programs wrote, and the options that read them.
@Suite("Options of loading")
struct LoadOptionTests {
    private let fixture: Fixture
    private let store: Store

    init() throws {
        fixture = try Fixture()
        store = try fixture.create([
            Field(name: "age", type: .integer), Field(name: "seen", type: .datetime),
            Field(name: "tags", type: .stringSet), Field(name: "note", type: .string),
        ])
    }

    @discardableResult
    private func load(
        _ kind: LoadKind, _ text: String, as format: InputFormat = .csv,
        _ change: (inout LoadOptions) -> Void = { _ in }
    ) throws -> LoadSummary {
        var options = LoadOptions()
        change(&options)
        return try store.load(kind, from: .bytes(text.utf8, as: format), options: options)
    }

    private func ids(_ rule: String, in zone: String = "UTC") throws -> [String] {
        var options = EvaluationOptions()
        options.timezone = zone
        return try Array(store.snapshot().ids(of: Segment(rule), options))
    }

    private func error(_ body: () throws -> Void) -> WinnowError? {
        #expect(throws: WinnowError.self) { try body() }
    }

    @Test("cells may be between other delimiters", arguments: [";", "\t", "|", ",", "x"])
    func delimiters(delimiter: Character) throws {
        let text = "id,age,note\na,30,\"1,2\n3\"\n".replacingOccurrences(
            of: ",", with: String(delimiter))
        try load(.profiles, text) { $0.delimiter = delimiter }
        let between = delimiter == "\t" ? "\\t" : String(delimiter)
        #expect(try ids("age = 30 and note contains \"\(between)\"") == ["a"])
    }

    @Test(
        "what cannot stand between cells, or values of a set, is refused",
        arguments: ["\"", "\n", "é", "\0"])
    func marks(mark: Character) throws {
        for change in [
            { $0.delimiter = mark }, { $0.setSeparator = mark },
        ] as [(inout LoadOptions) -> Void] {
            #expect(error { try load(.profiles, "id\na\n", change) }?.code == .usage)
        }
        #expect(error { try load(.profiles, "id\na\n") { $0.setSeparator = "\\" } }?.code == .usage)
    }

    @Test("times have an offset in any of its forms, or none")
    func times() throws {
        let text = """
            id,seen
            utc,2024-01-19T11:00:00Z
            space,2024-01-19 11:00:00 Z
            none,2024-01-19 11:00:00
            hours,2024-01-19T14:00:00+03
            digits,2024-01-19 14:00:00 +0300
            colon,2024-01-19 14:00:00.000999+03:00
            letters,2024-01-19 11:00:00.000456 +0000 UTC
            west,2024-01-19T07:30:00-0330 NST

            """
        try load(.profiles, text)
        #expect(try ids("seen = 2024-01-19T11:00:00Z").count == 8)
        try load(.profiles, "id,seen\nnone,2024-01-19 14:00:00\nutc,2024-01-19 11:00:00Z\n") {
            $0.timezone = "Europe/Moscow"
        }
        #expect(try ids("seen = 2024-01-19T11:00:00Z").count == 8)
        // Clocks skip 02:30 and show 02:15 twice.
        try load(.profiles, "id,seen\ngap,2024-03-31 02:30:00\ntwice,2024-10-27 02:15:00\n") {
            $0.timezone = "Europe/Berlin"
        }
        #expect(try ids("seen = 2024-03-31T01:30:00Z") == ["gap"])
        #expect(try ids("seen = 2024-10-27T00:15:00Z") == ["twice"])
        #expect(error { try load(.profiles, "id\na\n") { $0.timezone = "Mars/One" } } != nil)
    }

    @Test("times of events have an offset, or are Unix seconds with a fraction")
    func eventTimes() throws {
        try load(.profiles, "id\na\n")
        try load(
            .events,
            """
            profile,channel,event,time
            a,email,opened,2026-07-01 23:30:00
            a,email,clicked,1764000000.0015
            a,email,clicked,1764000000
            """
        ) { $0.timezone = "Europe/Moscow" }
        #expect(
            try ids("email opened at least 1 from 2026-07-01 to 2026-07-01", in: "Europe/Moscow")
                == ["a"])
        #expect(try ids("email clicked exactly 2 since 2025-11-24T16:00:00Z") == ["a"])
        #expect(try ids("email clicked exactly 1 since 2025-11-24T16:00:00.001Z") == ["a"])
        #expect(try ids("email clicked not happened since 2025-11-24T16:00:00.002Z") == ["a"])
    }

    @Test("sets are separated as asked, with blanks and quotes around their values")
    func sets() throws {
        let text = #"""
            id,tags
            quoted,"""VIP"",""Blog"" "
            blanks," VIP , Blog"
            escaped,"VI\,P"
            bar,VIP|Blog
            empty,""
            """#
        try load(.profiles, text) { $0.setSeparator = "," }
        #expect(try ids("tags has all (\"VIP\", \"Blog\")") == ["quoted", "blanks"])
        #expect(try ids("tags has any (\"VI,P\")") == ["escaped"])
        #expect(try ids("tags has any (\"VIP|Blog\")") == ["bar"])
        #expect(try ids("tags is empty") == ["empty"])
        for cell in [#""""VIP""x""#, #""""VIP""#, "\"VIP,,Blog\"", "\\x"] {
            #expect(
                error { try load(.profiles, "id,tags\na,\(cell)\n") { $0.setSeparator = "," } }?
                    .code
                    == .badValue, "\(cell)")
        }
    }

    @Test("a quoted empty cell is no value where a type has no empty one, and where that is asked")
    func quotedEmpty() throws {
        let text = "id,age,seen,note,tags\n\"a\",\"\",\"\",\"\",\"\"\n"
        try load(.profiles, text)
        #expect(try ids("age exists or seen exists") == [])
        #expect(try ids("note = \"\" and tags is empty") == ["a"])
        try load(.profiles, text.replacingOccurrences(of: "a\"", with: "b\"")) {
            $0.quotedEmptyIsAbsent = true
        }
        #expect(try ids("note exists or tags exists") == ["a"])
        // No value clears, however it is written.
        try load(.profiles, "id,age,note\nb,7,x\n")
        try load(.profiles, "id,age,note\nb,\"\",\"\"\n") {
            $0.quotedEmptyIsAbsent = true
            $0.emptyClears = true
        }
        #expect(try ids("age exists or note exists") == ["a"])
        try load(.events, "profile,channel,event,time,campaign\na,email,sent,1764000000,\"\"\n")
        #expect(try ids("email sent at least 1") == ["a"])
    }

    @Test("columns and keys have other names")
    func renames() throws {
        let renames = ["E-Mail": "email", "external": "id", "id": "note"]
        try load(.profiles, "external,E-Mail,id\na,a@x,17\n") { $0.renames = renames }
        #expect(try ids("email = \"a@x\" and note = \"17\"") == ["a"])
        try load(.profiles, #"{"external": "b", "E-Mail": "b@x"}"#, as: .ndjson) {
            $0.renames = renames
        }
        #expect(try ids("email = \"b@x\"") == ["b"])
        #expect(
            error {
                try load(.profiles, "id,x,y\na,1,2\n") { $0.renames = ["x": "age", "y": "age"] }
            }?
            .code == .repeatedColumn)
    }

    @Test("what is passed over is said, and what is only written in another way is not passed over")
    func ignored() throws {
        func ignoring(_ options: inout LoadOptions) { options.ignoresUnknownColumns = true }
        let summary = try load(.profiles, "zip,id,Ünder\n1,a,2\n", ignoring)
        #expect(summary.ignoredColumns == ["zip", "Ünder"])
        let keys = try load(
            .profiles, #"{"id": "b", "zip": 1}"# + "\n" + #"{"id": "c", "city": null}"#,
            as: .ndjson, ignoring)
        #expect(keys.ignoredColumns == ["city", "zip"])
        for name in ["Age", "a g e", "A.G.E", " age"] {
            let similar = error { try load(.profiles, "id,\(name)\na,1\n", ignoring) }
            #expect(similar?.code == .similarColumn, "\(name)")
            #expect(
                error {
                    try load(.profiles, "{\"id\": \"a\", \"\(name)\": 1}", as: .ndjson, ignoring)
                }?
                .code == .similarColumn, "\(name)")
            let passed = try load(.profiles, "id,\(name)\na,1\n") {
                ignoring(&$0)
                $0.ignoresSimilarColumns = true
            }
            #expect(passed.ignoredColumns == [name])
        }
    }

    @Test("blanks around ids and strings are counted, or go")
    func blanks() throws {
        let text = "id,note,age\n a, x ,1\nb ,y,2\nc,z,3\n"
        #expect(try load(.profiles, text).blankIDs == 2)
        #expect(try ids("note = \" x \"") == [" a"])
        #expect(try load(.profiles, text) { $0.trims = true }.blankIDs == 0)
        #expect(try ids("note = \"x\" or note = \"y\"") == ["b ", "a", "b"])
        try load(.profiles, #"{"id": "\td ", "note": " n"}"#, as: .ndjson) { $0.trims = true }
        #expect(try ids("note = \"n\"") == ["d"])
        let events = try load(
            .events, "profile,channel,event,time,campaign\nc,email,sent,1764000000, c1\n")
        #expect(events.blankIDs == 1)
    }

    @Test("an id may be a whole number of JSON")
    func numbers() throws {
        try load(.profiles, #"{"id": 9007199254740993}"#, as: .ndjson)
        try load(
            .events,
            #"{"profile": 9007199254740993, "channel": "email", "event": "sent", "time": 1764000000.25, "message": 7}"#,
            as: .ndjson)
        #expect(try ids("email sent at least 1") == ["9007199254740993"])
        #expect(error { try load(.profiles, #"{"id": 1e3}"#, as: .ndjson) }?.code == .badValue)
    }

    @Test("events that were there before are passed over, whatever part they are in")
    func distinct() throws {
        let ids = (0..<4).map { "p\($0)" }
        try load(.profiles, "id\n" + ids.map { $0 + "\n" }.joined())
        let header = "profile,channel,event,time,campaign,template,link,message,count,machine\n"
        var random = SystemRandomNumberGenerator()
        func pick(_ cells: String...) -> String { cells.randomElement(using: &random) ?? "" }
        func row() -> String {
            let event = pick("opened", "clicked")
            // Over two months; few enough that rows meet.
            let time = "2025-0\(pick("1", "2"))-01T0\(pick("0", "1")):00:00Z"
            let cells = [
                pick("p0", "p1", "p2", "p3"), "email", event, time, pick("", "c1"), pick("", "t1"),
                event == "clicked" ? pick("", "l1") : "", pick("", "m1", "m2"), pick("1", "2"),
                pick("true", "false"),
            ]
            return cells.joined(separator: ",")
        }
        var expected: [String] = []
        var known: Set<String> = []
        for night in 0..<25 {
            let rows = (0..<Int.random(in: 1...40)).map { _ in row() }
            let isDistinct = night % 4 > 0
            let summary = try load(.events, header + rows.joined(separator: "\n") + "\n") {
                $0.distinct = isDistinct
            }
            var new = 0
            for row in rows where known.insert(row).inserted || !isDistinct {
                expected.append(row)
                new += 1
            }
            #expect(summary.new == new && summary.duplicates == rows.count - new, "night \(night)")
            if night % 9 == 8 { try store.compact() }
        }
        #expect(try store.snapshot().info().events == expected.count)
        #expect(try Store.verify(at: fixture.storePath).findings == [])
        for id in ids {
            for (event, cell) in [("opened", ",opened,"), ("clicked", ",clicked,")] {
                let own = expected.filter { $0.hasPrefix(id + ",") && $0.contains(cell) }
                let count = own.reduce(0) {
                    $0 + ($1.contains(",2,true") || $1.contains(",2,false") ? 2 : 1)
                }
                #expect(
                    try self.ids("email \(event) exactly \(count)").contains(id), "\(id) \(event)")
            }
        }
        // What is forgotten is not there, and all that is the same again makes no difference.
        try store.drop(before: #require(Instant("2025-02-01T00:00:00Z")))
        let all = header + known.sorted().joined(separator: "\n") + "\n"
        let january = known.count { $0.contains("2025-01") }
        #expect(try load(.events, all) { $0.distinct = true }.new == january)
        #expect(try load(.events, all) { $0.distinct = true }.new == 0)
        #expect(error { try load(.profiles, "id\na\n") { $0.distinct = true } }?.code == .usage)
    }

    @Test("a dry run reads and checks everything, says what a load would do, and stores nothing")
    func dryRun() throws {
        try load(.profiles, "id,age\na,1\n")
        let before = try fixture.contents()
        func dry(_ kind: LoadKind, _ text: String, _ change: (inout LoadOptions) -> Void = { _ in })
            throws -> LoadSummary
        {
            let summary = try load(kind, text) {
                $0.dryRun = true
                change(&$0)
            }
            #expect(try fixture.contents() == before)
            return summary
        }
        let good = try dry(
            .profiles,
            "id,age,seen,tags,note\na,,2024-01-01 10:00:00,x|y,\"\"\nb,2,,,\"q\"\"\"\n")
        #expect(good.new == 1 && good.updated == 1 && good.preview?.failure == nil)
        #expect(
            good.preview?.rows == [
                #"{"id": "a", "seen": "2024-01-01 10:00:00", "tags": ["x", "y"], "note": ""}"#,
                #"{"id": "b", "age": 2, "note": "q\""}"#,
            ])
        let bad =
            "id,age\n" + (0..<30).map { "p\($0),\($0 % 10 == 3 ? "x" : "1")\n" }.joined() + ",1\n"
        func rejecting(_ options: inout LoadOptions) {
            options.rejects = fixture.folder.appendingPathComponent("rejects.ndjson").path
        }
        let collected = try dry(.profiles, bad, rejecting)
        #expect(collected.rows == 31 && collected.rejected == 4 && collected.new == 27)
        #expect(collected.preview?.rows.count == 10 && collected.preview?.failure == nil)
        let rejects = try #require(collected.preview?.rejects)
        #expect(rejects.map(\.code) == [.badValue, .missingID] && rejects.map(\.count) == [3, 1])
        #expect(rejects[0].example.hasPrefix("memory, line 5, column age: expected a whole number"))
        #expect(!FileManager.default.fileExists(atPath: fixture.folder.path + "/rejects.ndjson"))
        // Without a file for them the first bad row would end the load; so would too many.
        #expect(try dry(.profiles, bad).preview?.failure?.code == .badValue)
        let few = try dry(.profiles, bad) {
            rejecting(&$0)
            $0.maximumRejects = 3
        }
        #expect(few.preview?.failure?.code == .tooManyRejects)
        // Duplicates are counted, and no batch is remembered.
        let events =
            "profile,channel,event,time\na,email,sent,1764000000\na,email,sent,1764000000\n"
        let twice = try dry(.events, events) {
            $0.distinct = true
            $0.batch = "n"
        }
        #expect(twice.new == 1 && twice.duplicates == 1 && !twice.isRepeated)
        #expect(try !load(.events, events) { $0.batch = "n" }.isRepeated)
        #expect(
            error { _ = try load(.profiles, "age\n1\n") { $0.dryRun = true } }?.code
                == .missingColumn)
    }

    @Test("files may be gzip, of several members")
    func gzip() throws {
        let members = try [
            "H4sIAAAAAAAAA8tM0UlMT+VK1DHkAgCkWUsoCwAAAA==", "H4sIAAAAAAAAA0vSMeICAH/imYwEAAAA",
        ].map { try #require(Data(base64Encoded: $0)) }
        let whole = members[0] + members[1]
        let summary = try store.load(
            .profiles, from: .file(try fixture.file("both.csv.gz", whole)))
        #expect(summary.rows == 2)
        #expect(try ids("age exists") == ["a", "b"])
        var damaged = whole
        damaged[members[0].count + 12] ^= 1
        for (name, bytes) in [
            ("cut", whole.dropLast()), ("start", whole.prefix(5)), ("plain", Data("id\n".utf8)),
            ("damaged", damaged), ("more", whole + Data("x".utf8)),
        ] {
            let file = try fixture.file("\(name).csv.gz", Data(bytes))
            #expect(
                error { try store.load(.profiles, from: .file(file)) }?.code == .badGzip, "\(name)")
        }
        // A batch is what it says, however it is packed.
        var options = LoadOptions()
        options.batch = "packed"
        try store.load(
            .profiles, from: .file(try fixture.file("plain.csv", "id,age\na,1\nb,2\n")),
            options: options)
        let again = try store.load(
            .profiles, from: .file(try fixture.file("packed.csv.gz", whole)), options: options)
        #expect(again.isRepeated)
    }

    @Test("campaigns and templates are replaced, or patched by what rows say")
    func patches() throws {
        func patch(_ kind: LoadKind, _ text: String, as format: InputFormat = .csv) throws
            -> LoadSummary
        {
            try load(kind, text, as: format) { $0.mode = .patch }
        }
        func has(_ selector: String) throws -> Bool {
            try ids("email sent at least 1 in campaigns \(selector)") == ["a"]
        }
        try load(.profiles, "id\na\n")
        try load(.events, "profile,channel,event,time,campaign\na,email,sent,1764000000,c\n")
        let whole =
            #"{"id": "c", "name": "C", "tags": ["x", "y"], "attributes": {"season": "winter"}}"#
        try load(.campaigns, whole, as: .ndjson)
        let summary = try patch(.campaigns, "id,tags\nc,z\nnew,n\nc,\n")
        #expect(summary.updated == 1 && summary.new == 1)
        #expect(try has("tagged \"z\"") && has("with season = \"winter\"") && !has("tagged \"x\""))
        // Two rows of one batch add up; null takes away.
        _ = try patch(
            .campaigns,
            #"{"id": "c", "attributes": {"season": "spring"}}"# + "\n"
                + #"{"id": "c", "tags": null}"#,
            as: .ndjson)
        #expect(try has("with season = \"spring\"") && !has("tagged \"z\""))
        try load(.campaigns, "id,tags\nc,w\n")
        #expect(try has("tagged \"w\"") && !has("with season = \"spring\""))
        for (kind, mode) in [
            (.profiles, .patch), (.events, .patch), (.campaigns, .insert), (.templates, .update),
            (.events, .insert),
        ] as [(LoadKind, LoadMode)] {
            #expect(error { try load(kind, "id\na\n") { $0.mode = mode } }?.code == .usage)
        }
    }

    @Test("the id of a batch stands for the options, too, where they are not the usual ones")
    func batches() throws {
        func load(_ change: (inout LoadOptions) -> Void) throws -> Bool {
            try self.load(.profiles, "id,seen\na,2024-01-19 11:00:00\n") {
                $0.batch = "night"
                change(&$0)
            }.isRepeated
        }
        #expect(try !load { _ in })
        #expect(try load { $0.delimiter = "," })
        #expect(try load { $0.timezone = "UTC" })
        for change in [
            { $0.timezone = "Europe/Moscow" }, { $0.trims = true }, { $0.setSeparator = "|" },
            { $0.renames = ["x": "y"] }, { $0.quotedEmptyIsAbsent = true },
            { $0.ignoresUnknownColumns = true }, { $0.emptyClears = true },
        ] as [(inout LoadOptions) -> Void] {
            #expect(error { _ = try load(change) }?.code == .batchConflict)
        }
    }
}
