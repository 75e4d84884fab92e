import Foundation
import Testing
import Winnow

@Suite("Tables loaded as they are in memory")
struct TableLoadTests {
    private static let texts: [TableLayout] = [
        .texts(offsetWidth: 4), .texts(offsetWidth: 8), .textViews,
        .codes(width: 1, isSigned: true, of: .texts(offsetWidth: 4)),
        .codes(width: 2, isSigned: false, of: .textViews),
        .codes(width: 4, isSigned: true, of: .texts(offsetWidth: 8)),
        .codes(width: 8, isSigned: true, of: .texts(offsetWidth: 4)),
    ]

    /// A column of a random table, and how CSV has its values.
    private struct Column {
        var name: String
        var layout: TableLayout
        var values: [(table: TestValue?, csv: String)]
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\"", with: "\"\"") + "\""
    }

    private static func csv(_ columns: [Column], _ rows: Range<Int>) -> String {
        var text = columns.map(\.name).joined(separator: ",") + "\n"
        for row in rows { text += columns.map { $0.values[row].csv }.joined(separator: ",") + "\n" }
        return text
    }

    /// The columns cut into batches, some of them empty.
    private static func source(
        _ columns: [Column], _ random: inout some RandomNumberGenerator
    ) -> LoadSource {
        let rows = columns[0].values.count
        var batches: [[[TestValue?]]] = []
        var start = 0
        while start < rows {
            let end = min(rows, start + Int.random(in: 0...90, using: &random))
            batches.append(columns.map { $0.values[start..<end].map(\.table) })
            start = end
        }
        return TestTable.source(
            columns.map { ($0.name, $0.layout) }, batches,
            before: Int.random(in: 0...9, using: &random),
            isShifted: Int.random(in: 0..<4, using: &random) == 0)
    }

    /// What a load says, and what a store has then.
    private struct Outcome: Equatable {
        var summary: String
        var rejects: [[String]]
        var profiles: String
        var shown: [String]
    }

    private func outcome(
        _ kind: LoadKind, _ source: LoadSource, into fixture: Fixture, _ store: Store,
        _ options: LoadOptions, firstLine: Int
    ) throws -> Outcome {
        var options = options
        let file = fixture.folder.path + "/rejects.ndjson"
        options.rejects = file
        var summary = try store.load(kind, from: source, options: options)
        summary.version = nil
        let rejects = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map {
            line -> [String] in
            let row = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            let place = row?["line"] as? Int ?? row?["row"] as? Int ?? 0
            return [
                "\(place - firstLine)", "\(row?["column"] ?? "")", "\(row?["code"] ?? "")",
                "\(row?["reason"] ?? "")",
            ]
        }
        let snapshot = try store.snapshot()
        let all = !Segment.field("id", .equals, "")
        var bytes: [UInt8] = []
        try snapshot.export(all, as: ExportOptions(.ndjson)) { bytes += $0 }
        var shown: [String] = []
        for id in try snapshot.ids(of: all) {
            for profile in try snapshot.show("id:" + id).profiles { shown.append("\(profile)") }
        }
        return Outcome(
            summary: "\(summary)", rejects: rejects,
            profiles: String(decoding: bytes, as: UTF8.self),
            shown: shown)
    }

    @Test(
        "events are those of the same rows as CSV, and so are the rows that are refused",
        arguments: 0..<40)
    func events(_ seed: Int) throws {
        var random = SystemRandomNumberGenerator()
        _ = seed
        let rows = 400
        let campaigns = ["c1", "c2", "лето", "a campaign with a long name", ""]
        func pick<T>(_ values: [T], _ random: inout some RandomNumberGenerator) -> T {
            values[Int.random(in: 0..<values.count, using: &random)]
        }
        // Most seeds have bad rows; some have none, and read all column by column.
        let badness = pick([0.0, 0.002, 0.05], &random)
        func text(
            _ name: String, _ values: [String?], _ bad: [String?] = []
        ) -> Column {
            let layout = pick(TableLoadTests.texts, &random)
            let own = (0..<rows).map { _ -> (TestValue?, String) in
                let isBad = !bad.isEmpty && Double.random(in: 0..<1, using: &random) < badness
                let value = pick(isBad ? bad : values, &random)
                return (value.map { .text($0) }, value.map(TableLoadTests.quoted) ?? "")
            }
            return Column(name: name, layout: layout, values: own)
        }
        let ids = (0..<60).map { "p\($0)" }
        let long = String(repeating: "x", count: 256)
        var columns = [
            text("profile", ids, [nil, "", long, " p1", "nobody", "nobody else"]),
            text("channel", ["email"], ["fax", nil]),
            text("event", ["sent", "opened", "clicked"], ["licked", "unique_opened", ""]),
        ]
        let times: [Int64] = [1_760_000_000, 1_765_432_100, 1_700_000_000]
        let perSecond = pick([1, 1000, 1_000_000, 1_000_000_000] as [Int64], &random)
        let hasZone = Bool.random(using: &random)
        let own = (0..<rows).map { _ -> (TestValue?, String) in
            let isBad = Double.random(in: 0..<1, using: &random) < badness
            let seconds = isBad ? pick([0, 9_000_000_000], &random) : pick(times, &random)
            let written = Instant(milliseconds: seconds * 1000).description
            return (.time(seconds * perSecond), hasZone ? written : String(written.dropLast()))
        }
        columns.append(
            Column(
                name: "time", layout: .times(perSecond: perSecond, hasZone: hasZone), values: own))
        for name in ["campaign", "template", "link", "message"] where Bool.random(using: &random) {
            columns.append(text(name, campaigns + [nil], [long, " blanks "]))
        }
        if Bool.random(using: &random) {
            let width = pick([1, 2, 4, 8], &random)
            let values = (0..<rows).map { _ -> (TestValue?, String) in
                let count = pick([nil, 1, 2, 100, 0] as [Int64?], &random)
                return (count.map { .integer($0) }, count.map { "\($0)" } ?? "")
            }
            columns.append(
                Column(
                    name: "count",
                    layout: .integers(width: width, isSigned: Bool.random(using: &random)),
                    values: values))
        }
        columns.shuffle(using: &random)

        var options = LoadOptions()
        options.unknownProfiles = pick([.reject, .create, .skip], &random)
        options.timezone = "Europe/Berlin"
        options.trims = Int.random(in: 0..<4, using: &random) == 0
        options.pieceSize = pick([2000, 10_000, 4 << 20], &random)
        var outcomes: [Outcome] = []
        for source in [
            LoadSource.bytes(TableLoadTests.csv(columns, 0..<rows).utf8, as: .csv),
            TableLoadTests.source(columns, &random),
        ] {
            let fixture = try Fixture()
            let store = try fixture.create()
            let profiles = "id\n" + ids.joined(separator: "\n") + "\n"
            try store.load(.profiles, from: .bytes(profiles.utf8, as: .csv))
            outcomes.append(
                try outcome(
                    .events, source, into: fixture, store, options,
                    firstLine: outcomes.isEmpty ? 2 : 1))
        }
        #expect(outcomes[0] == outcomes[1], "\(columns.map { ($0.name, $0.layout) })")
        if badness == 0 { #expect(outcomes[1].rejects.allSatisfy { $0[1] == "count" }) }
    }

    @Test("profiles are those of the same rows as CSV", arguments: [EmptyChoice.keep, .clear])
    func profiles(_ choice: EmptyChoice) throws {
        let fields = [
            Field(name: "name", type: .string), Field(name: "visits", type: .integer),
            Field(name: "spent", type: .decimal, scale: 2),
            Field(name: "rate", type: .decimal, scale: 4),
            Field(name: "vip", type: .boolean), Field(name: "born", type: .date),
            Field(name: "since", type: .datetime), Field(name: "likes", type: .stringSet),
        ]
        func column(
            _ name: String, _ layout: TableLayout, _ values: [(TestValue?, String)]
        ) -> Column { Column(name: name, layout: layout, values: values) }
        let ids: [(TestValue?, String)] = [
            (.integer(7), "7"), (.integer(8), "8"), (.integer(9), "9"), (.integer(10), "10"),
            (.integer(7), "7"),
        ]
        let none: (TestValue?, String) = (nil, "")
        let days: [(TestValue?, String)] = [
            (.date(0), "1970-01-01"), (.date(-1), "1969-12-31"), none,
            (.date(20_000), "2024-10-04"),
            none,
        ]
        let midnights: [(TestValue?, String)] = [
            (.time(0), "1970-01-01"), (.time(-86_400), "1969-12-31"), none,
            (.time(86_400 * 20_000), "2024-10-04"), none,
        ]
        let born: [(TableLayout, [(TestValue?, String)])] = [
            (.dates, days), (.times(perSecond: 1, hasZone: false), midnights),
        ]
        for (bornLayout, bornValues) in born {
            let columns = [
                column("id", .integers(width: 8, isSigned: true), ids),
                column(
                    "name", .texts(offsetWidth: 8),
                    [
                        (.text("Ада \"L\""), "\"Ада \"\"L\"\"\""), (.text(""), "\"\""), none,
                        (.text("a,b\nc"), "\"a,b\nc\""), none,
                    ]),
                column(
                    "visits", .floats(width: 8),
                    [
                        (.float(3), "3"), (.float(.nan), ""), none,
                        (.float(-9_007_199_254_740_991), "-9007199254740991"),
                        (.float(1e15), "1000000000000000"),
                    ]),
                column(
                    "spent", .decimals(width: 16, scale: 3),
                    [
                        (.decimal(1230), "1.23"), (.decimal(-5_000), "-5"), (.decimal(0), "0"),
                        (.decimal(-50), "-0.05"), none,
                    ]),
                column(
                    "rate", .floats(width: 4),
                    [
                        (.float(0.1), "0.1"), (.float(2.5e-4), "0.0002"), none,
                        (.float(16_777_216), "16777216"),
                        (.float(-0.5), "-0.5"),
                    ].enumerated().map { $0.offset == 1 ? (.float(2e-4), "0.0002") : $0.element }),
                column(
                    "vip", .booleans,
                    [(.boolean(true), "true"), (.boolean(false), "false"), none, none, none]),
                column("born", bornLayout, bornValues),
                column(
                    "since", .times(perSecond: 1_000_000, hasZone: true),
                    [
                        (.time(1_700_000_000_123_999), "2023-11-14T22:13:20.123Z"),
                        (.time(-1), "1969-12-31T23:59:59.999Z"), none, none, none,
                    ]),
                column(
                    "likes", .lists(offsetWidth: 8, of: .textViews),
                    [
                        (
                            .list([
                                .text("garden"), .text("a|b"), .text("long enough to be elsewhere"),
                            ]),
                            "\"garden|a\\|b|long enough to be elsewhere\""
                        ),
                        (.list([]), "\"\""), none, (.list([.text("garden")]), "garden"), none,
                    ]),
            ]
            var options = LoadOptions()
            options.emptyClears = choice == .clear
            var outcomes: [Outcome] = []
            var random = SystemRandomNumberGenerator()
            for source in [
                LoadSource.bytes(TableLoadTests.csv(columns, 0..<5).utf8, as: .csv),
                TableLoadTests.source(columns, &random),
            ] {
                let fixture = try Fixture()
                let store = try fixture.create(fields)
                outcomes.append(
                    try outcome(
                        .profiles, source, into: fixture, store, options,
                        firstLine: outcomes.isEmpty ? 2 : 1))
            }
            #expect(outcomes[0] == outcomes[1])
            #expect(outcomes[1].rejects.isEmpty)
            #expect(outcomes[1].profiles.contains(#""spent": -0.05"#), "\(outcomes[1].profiles)")
        }
    }

    enum EmptyChoice: Sendable { case keep, clear }

    private typealias Values = [(name: String, layout: TableLayout, value: TestValue?)]

    /// What becomes of one row of profiles.
    private func refusal(_ values: Values, _ fields: [Field]) throws -> WinnowError? {
        let fixture = try Fixture()
        let store = try fixture.create(fields)
        let before = try fixture.contents()
        let source = TestTable.source(
            values.map { ($0.name, $0.layout) }, [values.map { [$0.value] }])
        do throws(WinnowError) {
            try store.load(.profiles, from: source)
            return nil
        } catch {
            #expect(try fixture.contents() == before)
            return error
        }
    }

    @Test("what no field can have is refused, with the row and the column")
    func refused() throws {
        let text = TableLayout.texts(offsetWidth: 4)
        let fields = [
            Field(name: "name", type: .string), Field(name: "n", type: .integer),
            Field(name: "d", type: .decimal, scale: 2), Field(name: "day", type: .date),
            Field(name: "at", type: .datetime), Field(name: "set", type: .stringSet),
        ]
        let cases: [(String, TableLayout, TestValue, ErrorCode, String)] = [
            ("d", .floats(width: 8), .float(.infinity), .badValue, "found “inf”"),
            ("d", .floats(width: 8), .float(0.125), .badValue, "at most 2 digits"),
            ("n", .floats(width: 8), .float(1.5), .badValue, "a whole number"),
            (
                "n", .integers(width: 8, isSigned: false), .integer(-1), .badValue,
                "18446744073709551615"
            ),
            ("n", .booleans, .boolean(true), .badValue, "found true"),
            ("name", .integers(width: 4, isSigned: true), .integer(5), .badValue, "a string"),
            ("name", text, .bytes([0xFF, 0x41]), .badUTF8, "not UTF-8"),
            ("name", .textViews, .bytes([0xC3]), .badUTF8, "not UTF-8"),
            (
                "day", .times(perSecond: 1, hasZone: false), .time(5), .badValue,
                "1970-01-01T00:00:05.000"
            ),
            ("day", .times(perSecond: 1, hasZone: true), .time(0), .badValue, "a date"),
            (
                "at", .times(perSecond: 1, hasZone: true), .time(.max), .badValue,
                "9223372036854775807"
            ),
            ("at", .times(perSecond: 1000, hasZone: true), .time(.max), .badValue, "a time"),
            ("at", .dates, .date(3), .badValue, "1970-01-04"),
            ("set", .lists(offsetWidth: 4, of: text), .list([nil]), .badValue, "array of strings"),
            ("set", .lists(offsetWidth: 4, of: text), .list([.text("")]), .badValue, "not empty"),
            (
                "set", .lists(offsetWidth: 4, of: .integers(width: 4, isSigned: true)),
                .list([.integer(1)]),
                .badValue, "array of strings"
            ),
            (
                "set", .lists(offsetWidth: 4, of: text), .list([.bytes([0xFF])]), .badUTF8,
                "not UTF-8"
            ),
        ]
        for (name, layout, value, code, reason) in cases {
            let error = try refusal([("id", text, .text("a")), (name, layout, value)], fields)
            guard case .badData(let file, let line, let column, let own, let said) = error else {
                Issue.record("\(name) \(layout) \(value): \(String(describing: error))")
                continue
            }
            #expect(file == "the test's table, row 1")
            #expect(line == nil && column == name && own == code, "\(String(describing: error))")
            #expect(said.contains(reason), "\(said)")
        }
        let missing = try refusal([("name", text, .text("a"))], fields)
        #expect("\(String(describing: missing))".contains("missing"))
        let unknown = try refusal([("id", text, .text("a")), ("nam", text, .text("a"))], fields)
        #expect("\(String(describing: unknown))".contains("nam"))
        let other = try refusal([("id", text, .text("a")), ("name", .other("z"), nil)], fields)
        #expect("\(String(describing: other))".contains("“z”"))
    }

    @Test("a table that leads outside of itself is refused")
    func broken() throws {
        let fixture = try Fixture()
        let store = try fixture.create([Field(name: "set", type: .stringSet)])
        let memory = TestTable()
        func column(
            _ ends: [Int32], _ inner: [TableColumn] = [], texts: [UInt8] = [0x61, 0x62],
            sizes: [Int64] = []
        ) -> TableColumn {
            let pointers = unsafe memory.buffer([Optional(memory.buffer(texts))])
            return unsafe TableColumn(
                count: 1, offset: 0, validity: nil, values: memory.buffer(ends),
                texts: UnsafeBufferPointer(
                    start: pointers.assumingMemoryBound(to: UnsafeRawPointer?.self), count: 1),
                textSizes: memory.buffer(sizes).assumingMemoryBound(to: Int64.self), inner: inner)
        }
        let text = TableLayout.texts(offsetWidth: 4)
        let whole = column([0, 1])
        let cases: [(TableLayout, TableColumn)] = [
            (text, column([1, 0])), (text, column([-1, 0])),
            (.textViews, column([13, 0, 0, 1], sizes: [13])),
            (.textViews, column([13, 0, 1, 0], sizes: [13])),
            (.textViews, column([13, 0, 0, -1], sizes: [13])),
            (.textViews, column([-1, 0, 0, 0], sizes: [13])),
            (.codes(width: 4, isSigned: true, of: text), column([1], [whole])),
            (.codes(width: 4, isSigned: true, of: text), column([-1], [whole])),
            (.lists(offsetWidth: 4, of: text), column([0, 2], [whole])),
            (.lists(offsetWidth: 4, of: text), column([2, 1], [whole])),
        ]
        for (layout, column) in cases {
            var isID = true
            if case .lists = layout { isID = false }
            let names = isID ? ["id"] : ["id", "set"]
            let batch = TableBatch(
                rows: 1, columns: isID ? [column] : [whole, column], owner: memory)
            var rest: [TableBatch] = [batch]
            nonisolated(unsafe) let next = { rest.popLast() }
            let table = Table(
                name: "a table",
                columns: zip(names, isID ? [layout] : [text, layout]).map {
                    .init(name: $0, layout: $1)
                }
            ) { next() }
            let error = #expect(throws: WinnowError.self) {
                try store.load(.profiles, from: .table(table))
            }
            #expect(
                "\(String(describing: error))".contains("outside"),
                "\(layout): \(String(describing: error))")
        }
    }

    @Test("a refused row is shown as JSON, its times as they are written everywhere")
    func shown() throws {
        let fixture = try Fixture()
        let store = try fixture.create([Field(name: "at", type: .datetime)])
        let times: [Int64] = [
            -1, 0, 1_767_225_599_007, 253_402_300_799_999, -62_135_596_800_000, .max,
        ]
        var options = LoadOptions()
        options.rejects = fixture.folder.path + "/rejects.ndjson"
        options.ignoresUnknownColumns = true
        try store.load(
            .profiles,
            from: TestTable.source(
                [
                    ("id", .texts(offsetWidth: 4)),
                    ("at", .times(perSecond: 1000, hasZone: true)),
                    ("name", .textViews),
                ],
                [
                    [
                        times.map { _ in nil }, times.map { .time($0) },
                        times.map { _ in .text("a\"\u{7F}") },
                    ]
                ]),
            options: options)
        let lines = try String(contentsOfFile: options.rejects ?? "", encoding: .utf8)
            .split(separator: "\n")
        #expect(lines.count == times.count)
        for (line, time) in zip(lines, times) {
            let row = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            let raw = Data((row?["raw"] as? String ?? "").utf8)
            let values = try JSONSerialization.jsonObject(with: raw) as? [String: Any]
            #expect(values?["at"] as? String == Instant(milliseconds: time).description)
            #expect(values?["name"] as? String == "a\"\u{7F}" && values?["id"] is NSNull)
        }
    }

    @Test("a batch of a table is known again, however it is cut and laid out")
    func batches() throws {
        let fixture = try Fixture()
        let store = try fixture.create([Field(name: "n", type: .integer)])
        func load(
            _ layout: TableLayout, _ rows: [[(String, Int64?)]], renaming: Bool = false
        ) throws -> LoadSummary {
            var options = LoadOptions()
            options.batch = "night 1"
            options.ignoresUnknownColumns = true
            let batches = rows.map { batch -> [[TestValue?]] in
                [
                    batch.map { .text($0.0) }, batch.map { $0.1.map { .integer($0) } },
                    batch.map { _ in .text("x") },
                ]
            }
            return try store.load(
                .profiles,
                from: TestTable.source(
                    [
                        ("id", layout), ("n", .integers(width: 4, isSigned: true)),
                        ("other", .texts(offsetWidth: 4)),
                    ], batches), options: options)
        }
        let first = try load(.texts(offsetWidth: 4), [[("a", 1), ("b\"", nil)], [("c", 3)]])
        #expect(first.new == 3 && !first.isRepeated && first.ignoredColumns == ["other"])
        for layout in TableLoadTests.texts {
            #expect(try load(layout, [[("a", 1)], [("b\"", nil), ("c", 3)]]).isRepeated)
            #expect(throws: WinnowError.self) {
                _ = try load(layout, [[("a", 1), ("b\"", 2)], [("c", 3)]])
            }
        }
    }

    @Test("feeds take tables, their times as text, and refuse where rows are looked for in JSON")
    func feeds() throws {
        let fixture = try Fixture()
        let store = try fixture.create([Field(name: "n", type: .integer)])
        let mapping = #"""
            {"profile": {"match": "id", "value": "who", "mode": "upsert", "columns": {"n": "n"}},
             "events": [{"channel": {"value": "email"}, "event": {"value": "opened"}, "time": "at"}]}
            """#
        var options = LoadOptions()
        options.mapping = FeedMapping(json: mapping)
        let source = TestTable.source(
            [
                ("who", .textViews), ("n", .integers(width: 2, isSigned: true)),
                ("at", .times(perSecond: 1_000_000_000, hasZone: true)), ("more", .booleans),
            ],
            [
                [
                    [.text("a"), .text("b")], [.integer(4), nil],
                    [.time(1_700_000_000_000_000_000), .time(1_700_000_001_000_000_000)],
                    [.boolean(true), nil],
                ]
            ])
        let summary = try store.load(.feed, from: source, options: options)
        #expect(summary.kinds == ["profiles": 2, "events": 2])
        let shown = try store.snapshot().show("id:a").profiles.map { "\($0)" }
        #expect(
            shown[0].contains("2023-11-14T22:13:20.000Z") && shown[0].contains("\"4\""),
            "\(shown)")
        options.mapping = FeedMapping(
            json: mapping.replacing(
                #"{"profile""#, with: #"{"source": {"format": "json", "rows": "x"}, "profile""#))
        #expect(throws: WinnowError.self) {
            try store.load(
                .feed, from: TestTable.source([("who", .textViews)], [[[.text("a")]]]),
                options: options)
        }
        #expect(throws: WinnowError.self) {
            try Schema.inferred(from: TestTable.source([("who", .textViews)], [[[.text("a")]]]))
        }
    }
}
