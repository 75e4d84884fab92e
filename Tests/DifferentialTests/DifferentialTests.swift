import Foundation
import Testing
import Winnow

/// The engine against the oracle, which knows neither its rules nor its evaluation: the same profiles, exactly, for
/// random rules over random stores.
@Suite("Engine and oracle agree")
struct DifferentialTests {
    @Test("on stores of one block and many parts", arguments: 0..<20 as Range<UInt64>)
    func oneBlock(seed: UInt64) throws {
        try compare(seed: seed, shape: nil, fillers: 0, rules: 30)
    }

    @Test("on stores of several blocks", arguments: 100..<104 as Range<UInt64>)
    func severalBlocks(seed: UInt64) throws {
        let shape = WorldShape(profiles: 400, events: 5_000)
        try compare(seed: seed, shape: shape, fillers: 150_000, rules: 30)
    }

    @Test(
        "where blocks have enough events for stored counts, alone and beside other parts",
        arguments: 200..<206 as Range<UInt64>)
    func storedCounts(seed: UInt64) throws {
        let shape = WorldShape(profiles: 500, events: 60_000, campaigns: 30, templates: 10)
        try compare(seed: seed, shape: shape, fillers: 0, rules: 40)
    }

    /// What the engine knows beyond the rest.
    private let features = RuleFeatures.all

    private func compare(seed: UInt64, shape: WorldShape?, fillers: Int, rules: Int) throws {
        var random = RandomWorld(seed: seed)
        var world = random.world(shape ?? random.shape())
        // One profile that says nothing stands for all fillers.
        let silent = "silent"
        world.profiles.append(OracleProfile(id: silent, fields: [:]))
        let oracle = Oracle(world: world)
        let store = try RandomStore(world, seed: seed, fillers: fillers)
        defer { store.remove() }
        let snapshot = try store.store.snapshot()
        #expect(snapshot.profiles == world.profiles.count + fillers)
        for _ in 0..<rules {
            let rule = random.rule(for: world, features: features)
            let asOf = random.asOf(for: world), zone = random.timezone()
            var options = EvaluationOptions()
            options.asOf = Instant(milliseconds: asOf)
            options.timezone = zone
            options.threads = 1 + random.below(3)
            do {
                let expected = try oracle.matching(rule: rule, asOf: asOf, timezone: zone)
                let segment = try Segment(json: rule)
                let ids = try snapshot.ids(segment, options), count = try snapshot.count(segment, options).count
                #expect(count == ids.count, "seed \(seed), as of \(asOf), \(zone): \(rule)")
                let own = ids.filter { !$0.hasPrefix("filler-") }
                let missing = expected.subtracting(own), extra = Set(own).subtracting(expected)
                #expect(
                    missing.isEmpty && extra.isEmpty && own.count == expected.count,
                    "seed \(seed), as of \(asOf), \(zone): missing \(missing), extra \(extra) in \(rule)")
                if !rule.contains("\"name\": \"id\"") && !rule.contains("sample") {
                    let all = expected.contains(silent) ? fillers : 0
                    #expect(ids.count - own.count == all, "seed \(seed), as of \(asOf), \(zone): fillers in \(rule)")
                }
            } catch {
                Issue.record("seed \(seed), as of \(asOf), \(zone): \(error) in \(rule)")
            }
        }
    }
}
