import Testing
import Winnow

/// Rules as text against rules as values: what is printed reads back, and what is read never harms.
@Suite("Rules as text, of any kind")
struct RandomTextTests {
    private static func values(_ seed: UInt64) -> RandomValues {
        var worlds = RandomWorld(seed: 9_000 + seed)
        return RandomValues(
            seed: seed,
            worlds.world(WorldShape(profiles: 20, events: 300, campaigns: 8, templates: 5)))
    }

    /// What text says of a rule: a group of one is its child, and that case matters is said by
    /// nothing.
    private static func said(_ rule: Rule) -> Rule {
        switch rule.node {
        case .all(let parts): parts.count == 1 ? said(parts[0]) : .all(parts.map(said))
        case .any(let parts): parts.count == 1 ? said(parts[0]) : .any(parts.map(said))
        case .not(let part): .not(said(part))
        case .field(var condition):
            {
                if condition.ignoresCase == false { condition.ignoresCase = nil }
                return .field(condition)
            }()
        default: rule
        }
    }

    @Test("segments that make sense print as text, and reading it gives the same JSON")
    func segments() throws {
        var printed = 0
        var unsayable = 0
        for seed in 0..<10 as Range<UInt64> {
            var values = RandomTextTests.values(seed)
            for number in 0..<1_000 {
                let segment = values.segment()
                let place: Comment = "seed \(seed), \(number)"
                guard (try? segment.json()) != nil else {
                    #expect(throws: WinnowError.self, place) { try segment.text() }
                    continue
                }
                let text: String
                do throws(WinnowError) { text = try segment.text() } catch {
                    // No field of any type could be compared so.
                    #expect(error.description.contains("never compares with"), "\(place): \(error)")
                    unsayable += 1
                    continue
                }
                printed += 1
                let again = try Segment(text)
                let expected = Segment(
                    name: segment.name, timezone: segment.timezone,
                    RandomTextTests.said(segment.rule))
                #expect(try again.json() == expected.json(), "\(place): \(text)")
                #expect(try again.text() == text, "\(place)")
                #expect(try Segment(json: try again.json()).text() == text, "\(place)")
            }
        }
        print("\(printed) texts, \(unsayable) without a text")
        #expect(printed > 3_000 && unsayable < printed / 20)
    }

    @Test("texts with mistakes are refused with a place, or mean something")
    func mistakes() throws {
        var random = RandomWorld(seed: 77)
        var read = 0
        var refused = 0
        for seed in 0..<10 as Range<UInt64> {
            var values = RandomTextTests.values(100 + seed)
            for number in 0..<1_000 {
                guard var text = try? values.segment().text() else { continue }
                for _ in 0..<random.pick([1, 1, 1, 2, 5]) { RandomTextTests.damage(&text, &random) }
                do throws(WinnowError) {
                    let segment = try Segment(text)
                    read += 1
                    let printed = try segment.text()
                    #expect(try Segment(printed).text() == printed, "\(seed), \(number): \(text)")
                } catch {
                    refused += 1
                    #expect(error.exitCode == 64, "\(text)")
                    let place = error.place
                    let lines = text.utf8.count { $0 == 0x0A } + 1
                    #expect(
                        place != nil && (1...lines).contains(place?.line ?? 0)
                            && place?.column ?? 0 > 0, "\(text)")
                }
            }
        }
        print("\(read) damaged texts read, \(refused) refused")
        #expect(read > 100 && refused > 1_000)
    }

    private static func damage(_ text: inout String, _ random: inout RandomWorld) {
        if random.chance(40) {
            var letters = Array(text.unicodeScalars)
            guard !letters.isEmpty else { return }
            let at = random.below(letters.count)
            switch random.below(3) {
            case 0: letters.remove(at: at)
            case 1:
                letters.insert(
                    random.pick(["(", ")", "\"", "`", "\\", "#", "\n", "-", "é", "\u{301}", "\0"]),
                    at: at)
            default: letters.swapAt(at, random.below(letters.count))
            }
            text = String(String.UnicodeScalarView(letters))
        } else {
            var words = text.split(separator: " ", omittingEmptySubsequences: false).map(
                String.init)
            let at = random.below(words.count)
            let other = random.below(words.count)
            switch random.below(4) {
            case 0: words.remove(at: at)
            case 1: words.insert(words[other], at: at)
            case 2: words.swapAt(at, other)
            default:
                words[at] = random.pick([
                    "and", "or", "not", "(", ")", "in", "between", "5", "2026-01-01", "\"x\"",
                    "today", "by", "true", "",
                    "segment", "having", "email", "days", ",",
                ])
            }
            text = words.joined(separator: " ")
        }
    }
}
