import Foundation
import Testing

@Suite("Random rules")
struct RandomRulesTests {
    /// Rules that match nobody or everybody compare little.
    @Test("most rules divide the profiles", arguments: [RuleFeatures(), .all])
    func selectivity(features: RuleFeatures) throws {
        let start = ContinuousClock.now
        var (rules, empty, full) = (0, 0, 0)
        for seed in 0..<40 {
            var random = RandomWorld(seed: UInt64(seed))
            let world = random.world(WorldShape())
            let oracle = Oracle(world: world)
            for _ in 0..<25 {
                let rule = random.rule(for: world, features: features)
                let asOf = random.asOf(for: world)
                let zone = random.timezone()
                do {
                    let matching = try oracle.matching(rule: rule, asOf: asOf, timezone: zone)
                    rules += 1
                    empty += matching.isEmpty ? 1 : 0
                    full += matching.count == world.profiles.count ? 1 : 0
                } catch {
                    Issue.record("seed \(seed): \(error) in \(rule)")
                }
            }
        }
        let share = (rules - empty - full) * 100 / max(1, rules)
        print(
            "\(rules) rules: \(share) % divide the profiles, \(empty) match nobody, \(full) everybody;",
            "\(ContinuousClock.now - start)")
        #expect(share >= 65)
    }

    @Test("worlds of any shape can be asked", arguments: 0..<12)
    func shapes(seed: UInt64) throws {
        var random = RandomWorld(seed: seed &+ 1_000)
        let world = random.world(random.shape())
        let oracle = Oracle(world: world)
        for _ in 0..<10 {
            let rule = random.rule(for: world, features: .all)
            let asOf = random.asOf(for: world)
            let matching = try oracle.matching(rule: rule, asOf: asOf, timezone: random.timezone())
            #expect(matching.count <= world.profiles.count)
        }
    }

    @Test("the same seed gives the same world and rules")
    func seeds() {
        func rules() -> [String] {
            var random = RandomWorld(seed: 7)
            let world = random.world(WorldShape())
            return (0..<20).map { _ in random.rule(for: world, features: .all) } + [
                "\(world)".count.description
            ]
        }
        #expect(rules() == rules())
    }
}
