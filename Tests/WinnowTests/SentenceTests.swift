import Foundation
import Testing
import Winnow

/// What the contract says of rules, sentence by sentence, on data small enough to be read:
/// `Vectors/sentences.txt` has stores, and rules as text with the ids that they find.
@Suite("Sentences about rules")
struct SentenceTests {
    /// A store that is filled line by line, and when its rules are evaluated.
    private struct World {
        let fixture: Fixture
        let store: Store
        var options = EvaluationOptions()

        init() throws {
            fixture = try Fixture()
            store = try fixture.create()
        }
    }

    @Test("find whom they say, before and after compaction")
    func sentences() throws {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Vectors/sentences.txt")
        let text = try String(contentsOf: url, encoding: .utf8)
        var world = try World()
        var rules: [(rule: String, ids: [String], options: EvaluationOptions)] = []
        var checked = 0
        func check() throws {
            for compacts in [false, true] {
                if compacts { try world.store.compact() }
                let snapshot = try world.store.snapshot()
                for (rule, ids, options) in rules {
                    let segment = try Segment(rule)
                    #expect(try Array(snapshot.ids(of: segment, options)) == ids, "\(rule)")
                    #expect(try snapshot.count(segment, options).count == ids.count, "\(rule)")
                    checked += 1
                }
            }
            rules = []
        }
        for block in text.split(separator: "\n\n") {
            let lines = block.split(separator: "\n").map(String.init).filter {
                !$0.hasPrefix("#")
            }
            guard let first = lines.first else { continue }
            let words = first.split(separator: " ").map(String.init)
            switch words[0] {
            case "store":
                try check()
                world = try World()
                for field in words.dropFirst() {
                    let parts = field.split(separator: ":").map(String.init)
                    try world.store.add(
                        Field(name: parts[0], type: try #require(FieldType(rawValue: parts[1]))))
                }
            case "load":
                if !rules.isEmpty { try check() }
                let kind = try #require(LoadKind(rawValue: words[1]))
                let rows = lines.dropFirst().joined(separator: "\n")
                try world.store.load(
                    kind,
                    from: .bytes(
                        Array((rows + "\n").utf8), as: rows.hasPrefix("{") ? .ndjson : .csv))
            case "erase":
                try check()
                try world.store.erase(profiles: Array(words.dropFirst()))
            case "at":
                let instant: Instant = try #require(Instant(words[1]))
                world.options.asOf = instant
                world.options.timezone = words.count > 2 ? words[2] : nil
            default:
                let arrow = try #require(lines.firstIndex { $0.hasPrefix("=>") }, "\(first)")
                let ids = lines[arrow].dropFirst(2).split(separator: " ").map(String.init)
                rules.append((lines[..<arrow].joined(separator: "\n"), ids, world.options))
            }
        }
        try check()
        #expect(checked >= 310)
    }

    @Test(
        "a rule that always, or nearly always, says the same is warned of, by itself alone",
        arguments: [
            ("a = 1 and not a = 1", "always_nobody where"),
            ("a = 1 and b = 2 and a != 1", "always_nobody where"),
            ("a = 1 or not not not a = 1", "always_everyone where"),
            ("tags is blank or tags is not blank", "always_everyone where"),
            ("email opened exists and email opened does not exist", "always_nobody where"),
            ("email opened at least 1 and email opened not happened", "always_nobody where"),
            ("email opened at most 4294967295", "always_everyone where.activity.times"),
            (
                "x = 1 and (push sent exists or not push sent exists)",
                "always_everyone where.all[1]"
            ),
            ("not (a = 1 and not a = 1)", "always_nobody where.not"),
            (
                "email opened not happened or email clicked not happened",
                "negations_in_any where"
            ),
            ("not a = 1 or b != 2 or c = 3", "negations_in_any where"),
            ("a = 1 and b != 1", ""),
            ("a = 1 or b != 2 or c = 3", ""),
            ("a is blank or b is blank", ""),
            ("a != 1 and b != 1", ""),
            ("email opened at most 4294967294", ""),
            // With another event before it, not all are in it.
            ("email opened at most 4294967295 after sent", ""),
            (
                "email opened at least 1 in campaign \"c\" after sent"
                    + " and email opened not happened in campaign \"c\" after sent", ""
            ),
        ])
    func warnings(rule: String, expected: String) throws {
        let segment = try Segment(rule)
        let found = segment.warnings.map { "\($0.code) \($0.path)" }.joined(separator: ", ")
        #expect(found == expected)
        // By the rule alone: the JSON says the same, and a strict evaluation answers.
        #expect(try Segment(json: segment.json()).warnings == segment.warnings)
    }

    @Test("of one kind and condition there are twenty warnings, and the last says how many more")
    func warningsOfAKind() throws {
        let world = try World()
        let ids = (0..<25).map { "\"c\($0)\"" }.joined(separator: ", ")
        let segment = try Segment(
            "email opened at least 1 in campaigns (\(ids)) or sms sent at least 1 in campaign \"x\""
        )
        let warnings = try world.store.snapshot().count(segment).warnings
        let unknown = warnings.filter { $0.code == "unknown_campaign" }
        #expect(unknown.count == 21)
        #expect(unknown.count { $0.path.description == "where.any[0].activity.campaigns" } == 20)
        #expect(unknown[18].message.hasSuffix("in an event"))
        #expect(unknown[19].message.hasSuffix("in an event; 5 more like this"))
        var options = EvaluationOptions()
        options.strict = true
        let certain = try Segment("id = \"a\" or not id = \"a\"")
        let warned = try world.store.snapshot().count(certain, options).warnings
        #expect(warned.map(\.code) == ["always_everyone"])
    }
}
