import WinnowDisk
import Foundation
import WinnowSimulation
import Testing
import Winnow

/// Nothing that Swift code can write with public initialisers traps, hangs or harms a store: a
/// value that can be made can be evaluated or committed, or gives a typed error.
@Suite("Values of any kind")
struct RandomValuesTests {
    @Test(
        "segments are answered as the oracle does, or refused with a typed error; and so is their JSON"
    )
    func segments() async throws {
        var tally = Tally()
        try await withThrowingTaskGroup(of: Tally.self) { group in
            for seed in 0..<20 {
                group.addTask { try RandomValuesTests.evaluate(UInt64(seed), segments: 5_000) }
            }
            for try await part in group { tally.add(part) }
        }
        print(
            "\(tally.made) segments: \(tally.answered) answered, \(tally.refused) refused, \(tally.compared) compared"
        )
        #expect(tally.made >= 100_000)
        #expect(tally.answered > tally.made / 4)
        #expect(tally.refused > tally.made / 10)
    }

    private struct Tally: Sendable {
        var made = 0
        var answered = 0
        var refused = 0
        var compared = 0

        mutating func add(_ other: Tally) {
            made += other.made
            answered += other.answered
            refused += other.refused
            compared += other.compared
        }
    }

    private enum Answer: Equatable {
        case ids([String])
        case invalid(String)
        case usage(String)
    }

    private static func answer(
        _ segment: Segment, _ options: EvaluationOptions, _ snapshot: Snapshot
    ) throws -> Answer {
        do throws(WinnowError) {
            let ids = try Array(snapshot.ids(of: segment, options))
            let count = try snapshot.count(segment, options).count
            #expect(ids.count == count)
            return .ids(ids)
        } catch {
            switch error {
            case .invalidRule: return .invalid(error.description)
            case .usage: return .usage(error.description)
            default: throw error
            }
        }
    }

    private static func evaluate(_ seed: UInt64, segments: Int) throws -> Tally {
        var worlds = RandomWorld(seed: 7_000 + seed)
        let world = worlds.world(WorldShape(profiles: 60, events: 600, campaigns: 8, templates: 5))
        let oracle = Oracle(world: world)
        let store = try RandomStore(world, seed: 7_000 + seed, fillers: 0)
        defer { store.remove() }
        let snapshot = try store.store.snapshot()
        var values = RandomValues(seed: seed, world)
        var tally = Tally()
        for number in 0..<segments {
            let segment = values.segment()
            let options = values.options()
            let place: Comment = "seed \(seed), \(number)"
            let json = try? segment.json()
            let answer = try answer(segment, options, snapshot)
            tally.made += 1
            guard let json else {
                // What cannot be printed cannot be evaluated.
                if case .ids = answer { Issue.record("\(place): \(segment)") }
                tally.refused += 1
                continue
            }
            let again = try Segment(json: json)
            #expect(try again.json() == json, "\(place): \(json)")
            #expect(try Self.answer(again, options, snapshot) == answer, "\(place): \(json)")
            guard case .ids(let ids) = answer, let asOf = options.asOf, let zone = options.timezone
            else {
                tally.refused += 1
                continue
            }
            tally.answered += 1
            // The oracle writes a number's digits out.
            if json.contains("1e999999999999") { continue }
            let expected = try oracle.matching(rule: json, asOf: asOf.milliseconds, timezone: zone)
            #expect(Set(ids) == expected, "\(place), as of \(asOf), \(zone): \(json)")
            tally.compared += 1
        }
        return tally
    }

    @Test("schemas and fields are stored as they are, or refused; a store opens after either")
    func schemas() throws {
        var random = RandomWorld(seed: 3)
        var values = RandomValues(seed: 11, random.world(WorldShape(profiles: 1, events: 1)))
        var stored = 0
        var refused = 0
        for number in 0..<4_000 {
            let disk = SimulatedDisk()
            let schema = values.schema()
            do throws(WinnowError) {
                let store = try Store.create("store", schema: schema, on: disk)
                #expect(try store.snapshot().schema == schema, "\(number)")
                stored += 1
                let field = values.field(named: "more")
                let before = try store.snapshot().version
                do throws(WinnowError) {
                    try store.add(field)
                    #expect(try store.snapshot().schema.ownFields.last == field, "\(number)")
                } catch {
                    guard case .usage = error else { throw error }
                    #expect(try store.snapshot().version == before, "\(number)")
                }
                #expect(try Store.verify(at: "store", on: disk).findings == [], "\(number)")
            } catch {
                guard case .usage = error else { throw error }
                refused += 1
                #expect(throws: WinnowError.self) { try Store("store", on: disk) }
            }
        }
        #expect(stored > 500 && refused > 500)
    }

    @Test("dates, instants and windows at the ends of their types print")
    func descriptions() {
        for day in [Int.min, -1, 0, Int.max] { #expect(!CivilDate(day: day).description.isEmpty) }
        for time in [Int64.min, -1, 0, .max] {
            #expect(Instant(milliseconds: time).description.hasSuffix("Z"))
        }
        #expect(Instant(milliseconds: -1).description == "1969-12-31T23:59:59.999Z")
        #expect(
            CivilDate(day: 0).adding(months: .max).day > 0
                && CivilDate(day: 0).adding(months: .min).day < 0)
    }

    @Test("a rule of any depth can be made, compared and released, and is refused")
    func depth() throws {
        var rule = Rule.activity(Activity(.email, .opened, .exists))
        for _ in 0..<200_000 { rule = .not(rule) }
        #expect(rule.depth <= RuleLimits.depth)
        #expect(throws: WinnowError.self) { try Segment(rule).validate() }
        var wide = rule
        for _ in 0..<20 { wide = .any(Array(repeating: wide, count: 1000)) }
        #expect(wide == wide && wide.nodes <= RuleLimits.nodes)
        #expect(throws: WinnowError.self) { try Segment(wide).json() }
    }
}
