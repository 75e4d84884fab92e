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
        #expect(checked >= 140)
    }
}
