import Foundation
import WinnowQuery
import Testing
import Winnow

/// The engine against the oracle, which knows neither its rules nor its evaluation: the same
/// profiles, exactly, for random rules over random stores, as loaded and after compaction; and
/// every store verifies.
@Suite("Engine and oracle agree")
struct DifferentialTests {
    /// A family of stores.
    private struct Family: Sendable {
        var seeds: Range<UInt64>
        /// nil for random ones.
        var shape: WorldShape?
        /// Profiles that say next to nothing, for stores of several blocks.
        var fillers = 0
        var rules: Int
    }

    private static let families = [
        // One block, many parts.
        Family(seeds: 0..<20, rules: 340),
        // Several blocks.
        Family(
            seeds: 100..<104, shape: WorldShape(profiles: 400, events: 5_000), fillers: 150_000,
            rules: 100),
        // Blocks with enough events for stored counts, alone and beside other parts.
        Family(
            seeds: 200..<208,
            shape: WorldShape(profiles: 500, events: 60_000, campaigns: 30, templates: 10),
            rules: 460),
    ]

    /// What a run came to.
    private struct Tally: Sendable {
        var rules = 0
        var empty = 0
        var full = 0
        var paths = EvaluationPaths()
        /// Per construct the rules that have it, and those of them that divide the profiles.
        var constructs: [String: (rules: Int, dividing: Int)] = [:]

        mutating func add(_ rule: String, divides: Bool) {
            for construct in DifferentialTests.constructs where rule.contains(construct) {
                constructs[construct, default: (0, 0)].rules += 1
                if divides { constructs[construct]?.dividing += 1 }
            }
        }
    }

    /// What rules may have, as it stands in JSON.
    private static let constructs = [
        "\"after\": {", "\"by\": \"people\"", "\"by\": \"machines\"", "\"counting\": {", "any_one",
        "every_one", "\"latest\"", "\"pairing\": \"object\"", "\"pairing\": \"message\"",
        "\"pairing\": \"scope\"", "preceded_by", "unique_", "\"period\": \"this",
        "\"period\": \"last",
        "\"period\": \"next", "\"next\"", "years", "\"today", "\"age\", \"value\"", "is_blank",
        "is_not_blank",
        "\"is_empty\"", "is_not_empty", "anniversary", "matches", "global_status", "sample",
        "links",
        "ignore_case", "\"not\"", "\"any\"", "\"all\"", "\"subscription\"", "reachable",
        "\"resource\"", "\"status\"", "\"provider\"", "\"contact\"", "\"goal\": {", "\"pixel\"",
        "\"sum\"", "\"average\"", "\"min\"", "\"max\"",
    ]

    @Test("on thousands of rules, by every path of evaluation")
    func agreement() async throws {
        var (rules, empty, full) = (0, 0, 0), paths = EvaluationPaths()
        var constructs: [String: (rules: Int, dividing: Int)] = [:]
        try await withThrowingTaskGroup(of: Tally.self) { group in
            for family in DifferentialTests.families {
                for seed in family.seeds {
                    group.addTask { try DifferentialTests.compare(family, seed: seed) }
                }
            }
            for try await tally in group {
                rules += tally.rules
                empty += tally.empty
                full += tally.full
                paths.add(tally.paths)
                constructs.merge(tally.constructs) {
                    ($0.rules + $1.rules, $0.dividing + $1.dividing)
                }
            }
        }
        let share = (rules - empty - full) * 100 / max(1, rules)
        print(
            "\(rules) rules compared: \(share) % divide the profiles, \(empty) match nobody, \(full) everybody"
        )
        #expect(rules >= 10_000)
        #expect(share >= 75)
        for construct in DifferentialTests.constructs {
            let (having, dividing) = constructs[construct] ?? (0, 0)
            #expect(
                having >= 30 && dividing * 100 > having * 50,
                "\(dividing) of \(having) rules with \(construct) divide the profiles")
        }
        for path in EvaluationPath.allCases {
            #expect(paths.count(path) > 0, "no rule was evaluated by way of \(path)")
        }
    }

    private static func compare(_ family: Family, seed: UInt64) throws -> Tally {
        var tally = Tally()
        var random = RandomWorld(seed: seed)
        var world = random.world(family.shape ?? random.shape())
        // One profile that says nothing stands for all fillers.
        let silent = "silent"
        world.profiles.append(OracleProfile(id: silent, fields: [:]))
        let oracle = Oracle(world: world)
        let store = try RandomStore(world, seed: seed, fillers: family.fillers)
        defer { store.remove() }
        let snapshot = try store.store.snapshot()
        #expect(snapshot.profiles == world.profiles.count + family.fillers)
        var sample: [(segment: Segment, options: EvaluationOptions, ids: [String])] = []
        for number in 0..<family.rules {
            var rule = random.rule(for: world, features: .all)
            let asOf = random.asOf(for: world)
            let zone = random.timezone()
            // What everybody or nobody matches has a second chance: such rules say little.
            let first = try? oracle.matching(rule: rule, asOf: asOf, timezone: zone)
            if let first, first.isEmpty || first.count == world.profiles.count {
                rule = random.rule(for: world, features: .all)
            }
            var options = EvaluationOptions()
            options.asOf = Instant(milliseconds: asOf)
            options.timezone = zone
            options.threads = 1 + random.below(3)
            do {
                let expected = try oracle.matching(rule: rule, asOf: asOf, timezone: zone)
                let segment = try Segment(json: rule)
                let ids = try Array(snapshot.ids(of: segment, options)),
                    (counts, paths) = try snapshot.evaluate([segment], options)
                tally.paths.add(paths)
                #expect(
                    counts[0].count == ids.count, "seed \(seed), as of \(asOf), \(zone): \(rule)")
                let own = ids.filter { !$0.hasPrefix("filler-") }
                let missing = expected.subtracting(own)
                let extra = Set(own).subtracting(expected)
                #expect(
                    missing.isEmpty && extra.isEmpty && own.count == expected.count,
                    "seed \(seed), as of \(asOf), \(zone): missing \(missing), extra \(extra) in \(rule)"
                )
                if !RandomStore.fillersDiffer(in: rule) {
                    let all = expected.contains(silent) ? family.fillers : 0
                    #expect(
                        ids.count - own.count == all,
                        "seed \(seed), as of \(asOf), \(zone): fillers in \(rule)")
                }
                tally.rules += 1
                tally.empty += expected.isEmpty ? 1 : 0
                tally.full += expected.count == world.profiles.count ? 1 : 0
                tally.add(
                    rule, divides: !expected.isEmpty && expected.count < world.profiles.count)
                if number % 10 == 0 { sample.append((segment, options, ids)) }
            } catch {
                Issue.record("seed \(seed), as of \(asOf), \(zone): \(error) in \(rule)")
            }
        }
        tally.paths.add(try compareTogether(sample.map(\.segment.rule), snapshot, &random, seed))
        #expect(try Store.verify(at: store.store.path).findings == [], "seed \(seed)")
        try store.store.compact()
        let compacted = try store.store.snapshot()
        for (segment, options, ids) in sample {
            #expect(
                try Array(compacted.ids(of: segment, options)) == ids,
                "seed \(seed), compacted: \(segment)")
            let (counts, paths) = try compacted.evaluate([segment], options)
            tally.paths.add(paths)
            #expect(counts[0].count == ids.count, "seed \(seed), compacted: \(segment)")
        }
        tally.paths.add(try compareSaved(sample, store.store, seed))
        #expect(try Store.verify(at: store.store.path).findings == [], "seed \(seed), compacted")
        return tally
    }

    /// Rules that are saved, used as they are and used once more.
    private static func compareSaved(
        _ sample: [(segment: Segment, options: EvaluationOptions, ids: [String])], _ store: Store,
        _ seed: UInt64
    ) throws -> EvaluationPaths {
        var paths = EvaluationPaths()
        for (i, (segment, options, ids)) in sample.prefix(6).enumerated() {
            try store.save(segment, as: "rule \(i)", SaveOptions(evaluation: options))
            try store.freeze(segment, as: "list \(i)", SaveOptions(evaluation: options))
            let snapshot = try store.snapshot()
            for used in [
                .saved("rule \(i)"), .saved("rule \(i)"), .saved("list \(i)"),
                .entered("list \(i)"),
            ] as [Segment] {
                let (counts, own) = try snapshot.evaluate([used], options)
                paths.add(own)
                #expect(counts[0].count == ids.count, "seed \(seed), saved: \(segment)")
            }
        }
        return paths
    }

    /// Rules that have much in common, counted in one call, against the same rules one by one and
    /// set algebra.
    private static func compareTogether(
        _ rules: [Rule], _ snapshot: Snapshot, _ random: inout RandomWorld, _ seed: UInt64
    ) throws -> EvaluationPaths {
        var options = EvaluationOptions()
        // Some days before the last events.
        options.asOf = Instant(milliseconds: RandomWorld.start + 420 * OracleCalendar.day)
        var segments: [Segment] = []
        var expected: [Int] = []
        let sets = try rules.map { Set(try Array(snapshot.ids(of: Segment($0), options))) }
        func add(_ rule: Rule, _ count: Int) {
            segments.append(Segment(rule))
            expected.append(count)
        }
        for (i, rule) in rules.enumerated() {
            let j = random.below(rules.count)
            let k = random.below(rules.count)
            add(rule, sets[i].count)
            add(.all([rule, .not(rules[j])]), sets[i].subtracting(sets[j]).count)
            add(
                .any([.all([rules[k], rule]), .all([rules[j], rule])]),
                sets[k].union(sets[j]).intersection(sets[i]).count)
            add(
                .not(.any([rule, .all([rules[k], rules[j]])])),
                snapshot.profiles - sets[i].union(sets[k].intersection(sets[j])).count)
            guard case .activity(var activity) = rule.node, activity.precededBy == nil else {
                continue
            }
            // Windows that go forward in time, as those of a series do.
            var moving = activity
            let days = random.pick([1, 30, 365])
            for step in 0..<6 {
                let last = step - 6 - random.below(2)
                moving.during = .dates(from: .today(last - days), to: .today(last))
                moving.condition = random.pick([
                    .atLeast(1), .atLeast(3), .between(1, 2), .exactly(0),
                ])
                add(
                    .activity(moving), try snapshot.count(Segment(.activity(moving)), options).count
                )
            }
            if activity.type.event == .sent { continue }
            for times in [1, 2, 300] as [UInt32] {
                activity.condition = .atLeast(times)
                add(
                    .activity(activity),
                    try snapshot.count(Segment(.activity(activity)), options).count)
            }
        }
        let (counts, paths) = try snapshot.evaluate(segments, options),
            together = counts.map(\.count)
        for i in segments.indices {
            #expect(
                together[i] == expected[i],
                "seed \(seed), together with others: \(segments[i].rule)")
        }
        return paths
    }
}
