import Foundation
import Testing
import Winnow
import WinnowQuery

/// What is asked of a segment beyond its count, against reckonings of the raw world that know
/// nothing of the engine.
@Suite("Answers and oracle agree")
struct AnswersTests {
    /// A random world, its store, and rules with who matches them.
    private struct Case {
        let seed: UInt64
        var random: RandomWorld
        let world: OracleWorld
        let oracle: Oracle
        let store: RandomStore
        let snapshot: Snapshot
        let asOf: Int64
        let zone: String

        init(seed: UInt64) throws {
            self.seed = seed
            random = RandomWorld(seed: seed)
            world = random.world(random.shape())
            oracle = Oracle(world: world)
            store = try RandomStore(world, seed: seed, fillers: 0)
            snapshot = try store.store.snapshot()
            asOf = random.asOf(for: world)
            zone = random.timezone()
        }

        var options: EvaluationOptions {
            EvaluationOptions(asOf: Instant(milliseconds: asOf), timezone: zone)
        }

        /// A rule that divides the profiles, if one is met soon.
        mutating func rule() throws -> (rule: String, segment: Segment, ids: Set<String>) {
            var rule = ""
            var ids: Set<String> = []
            for _ in 0..<20 {
                rule = random.rule(for: world, features: .all)
                ids = try oracle.matching(rule: rule, asOf: asOf, timezone: zone)
                if !ids.isEmpty, ids.count < world.profiles.count { break }
            }
            return (rule, try Segment(json: rule), ids)
        }
    }

    private static let seeds: Range<UInt64> = 700..<716

    @Test("overlaps of random segments", arguments: seeds)
    func overlap(seed: UInt64) throws {
        var own = try Case(seed: seed)
        defer { own.store.remove() }
        for count in [2, 3, 7] {
            let rules = try (0..<count).map { _ in try own.rule() }
            let found = try own.snapshot.overlap(of: rules.map(\.segment), own.options)
            let sets = rules.map(\.ids)
            #expect(found.counts == sets.map(\.count))
            #expect(found.matrix == sets.map { a in sets.map { a.intersection($0).count } })
            #expect(found.union == sets.reduce(Set()) { $0.union($1) }.count)
            #expect(
                found.intersection == sets.dropFirst().reduce(sets[0]) { $0.intersection($1) }.count
            )
            for i in sets.indices {
                let others = sets.indices.filter { $0 != i }.reduce(Set()) { $0.union(sets[$1]) }
                #expect(found.only[i] == sets[i].subtracting(others).count)
            }
            #expect(found.universe == own.world.profiles.count)
        }
    }

    @Test("series are the counts as of each instant", arguments: seeds)
    func series(seed: UInt64) throws {
        var own = try Case(seed: seed)
        defer { own.store.remove() }
        for (step, back) in [("1d", 5), ("12h", 2), ("1w", 20), ("1mo", 100)] {
            let (rule, segment, _) = try own.rule()
            var options = own.options
            options.asOf = nil
            let start = own.asOf - Int64(back) * OracleCalendar.day
            let series = try own.snapshot.series(
                of: segment, since: .instant(Instant(milliseconds: start)),
                until: .instant(Instant(milliseconds: own.asOf)), every: #require(SeriesStep(step)),
                options)
            #expect(series.points.first?.asOf == Instant(milliseconds: start))
            #expect(series.points.count >= 2)
            for point in series.points {
                let expected = try own.oracle.matching(
                    rule: rule, asOf: point.asOf.milliseconds, timezone: own.zone)
                #expect(
                    point.count == expected.count,
                    "seed \(seed), \(point.asOf), \(own.zone): \(rule)")
            }
        }
    }

    @Test("breakdowns by each field, by pairs, and what is beyond the top", arguments: seeds)
    func breakdown(seed: UInt64) throws {
        var own = try Case(seed: seed)
        defer { own.store.remove() }
        let fields = [
            "country", "city", "age", "score", "ltv", "rate", "vip", "birthday", "seen",
            "interests", "labels", "email", "global_status",
        ]
        let known = fields.filter { own.snapshot.schema.index(of: $0) != nil }
        for field in known {
            let (_, segment, ids) = try own.rule()
            try check([field], top: own.random.pick([2, 5, 100]), segment, ids, own)
            let other = own.random.pick(known.filter { $0 != field })
            try check([field, other], top: own.random.pick([3, 1000]), segment, ids, own)
        }
    }

    /// The values of a profile as lines show them; of numbers and dates `label` makes more.
    private func labels(
        _ profile: OracleProfile, _ field: String, _ number: (OracleValue) -> SegmentBreakdown.Value
    ) -> [SegmentBreakdown.Value] {
        guard let value = profile.fields[field] else {
            return [field == "global_status" ? .text("subscribed") : .none]
        }
        switch value {
        case .string(let text): return [.text(text)]
        case .boolean(let flag): return [.boolean(flag)]
        case .set(let members):
            return members.isEmpty ? [.none] : Set(members).map { .text($0) }
        case .integer, .decimal, .date, .datetime: return [number(value)]
        }
    }

    /// The day of the years 0001 to 9999 that is nearest.
    private func cut(_ day: Int64) -> OracleDate {
        OracleDate(number: min(max(day, OracleCalendar.firstDay), OracleCalendar.afterLastDay - 1))
    }

    /// How numbers of a field are cut: none, or the least step with at most twenty ranges.
    private func cutting(
        _ field: String, _ own: Case
    ) throws -> (OracleValue) -> SegmentBreakdown.Value {
        let calendar = try OracleCalendar(zone: own.zone)
        let scale = own.world.fields.first { $0.name == field }?.scale ?? 0
        func units(_ value: OracleValue) -> Int128? {
            switch value {
            case .integer(let number): return Int128(number)
            case .decimal(let text):
                let parts = text.split(separator: ".", omittingEmptySubsequences: false)
                let fraction = parts.count > 1 ? String(parts[1]) : ""
                let zeros = String(repeating: "0", count: scale - fraction.count)
                return Int128(parts[0] + fraction + zeros)
            default: return nil
            }
        }
        func text(_ units: Int128) -> String {
            var digits = String(units.magnitude)
            digits = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
            var fraction = digits.suffix(scale)
            while fraction.last == "0" { fraction.removeLast() }
            return (units < 0 ? "-" : "") + digits.dropLast(scale)
                + (fraction.isEmpty ? "" : "." + fraction)
        }
        func floored(_ a: Int128, _ b: Int128) -> Int128 { a >= 0 ? a / b : -((-a + b - 1) / b) }
        let all = Set(own.world.profiles.compactMap { $0.fields[field].flatMap(units) })
        var step: Int128?
        if all.count > 50, let least = all.min(), let most = all.max() {
            step = (0..<20).flatMap { power in
                [1, 2, 5].map { digit in (0..<power).reduce(Int128(digit)) { n, _ in n * 10 } }
            }.sorted().first { floored(most, $0) - floored(least, $0) < 20 }
        }
        return { value in
            if let units = units(value) {
                guard let step else { return .number(text(units)) }
                let place = floored(units, step)
                return .range(from: text(place * step), to: text((place + 1) * step))
            }
            switch value {
            case .date(let text): return .text(String(text.prefix(7)))
            case .datetime(let instant):
                let day = cut(calendar.day(at: instant))
                return .text(String(format: "%04d-%02d", Int(day.year), Int(day.month)))
            default: return .none
            }
        }
    }

    private func check(
        _ fields: [String], top: Int, _ segment: Segment, _ ids: Set<String>, _ own: Case
    ) throws {
        var wanted = BreakdownOptions(by: fields.map { .field($0) })
        wanted.top = top
        let found = try own.snapshot.breakdown(of: segment, wanted, own.options)
        let zone = segment.timezone ?? own.zone
        let cuts = try fields.map { field in
            let numbers = try cutting(field, own)
            guard segment.timezone != nil, field == "seen" else { return numbers }
            let calendar = try OracleCalendar(zone: zone)
            return { value in
                guard case .datetime(let instant) = value else { return numbers(value) }
                let day = cut(calendar.day(at: instant))
                return .text(String(format: "%04d-%02d", Int(day.year), Int(day.month)))
            }
        }
        /// The profiles that have each combination.
        func having(_ profiles: [OracleProfile]) -> [[SegmentBreakdown.Value]: Set<String>] {
            var result: [[SegmentBreakdown.Value]: Set<String>] = [:]
            for profile in profiles {
                let lists = zip(fields, cuts).map { labels(profile, $0, $1) }
                for first in lists[0] {
                    for second in lists.count > 1 ? lists[1].map({ [$0] }) : [[]] {
                        result[[first] + second, default: []].insert(profile.id)
                    }
                }
            }
            return result
        }
        let all = having(own.world.profiles)
        let inside = having(own.world.profiles.filter { ids.contains($0.id) })
        let what = "seed \(own.seed), by \(fields), top \(top)"
        #expect(found.count == ids.count, "\(what)")
        var shown: Set<[SegmentBreakdown.Value]> = []
        for line in found.lines {
            guard let values = line.values else { continue }
            #expect(shown.insert(values).inserted, "\(what): \(values) twice")
            #expect(line.count == inside[values]?.count, "\(what): \(values)")
            #expect(line.universe == all[values]?.count, "\(what): \(values)")
        }
        #expect(shown.count == min(top, inside.count), "\(what)")
        let others = inside.keys.filter { !shown.contains($0) }
        let last = found.lines.last
        if others.isEmpty {
            #expect(last?.values != nil || found.lines.isEmpty, "\(what)")
        } else {
            let counted = others.reduce(Set()) { $0.union(inside[$1] ?? []) }
            let universe = all.filter { !shown.contains($0.key) }.values.reduce(Set()) {
                $0.union($1)
            }
            #expect(last?.values == nil, "\(what)")
            #expect(last?.count == counted.count, "\(what)")
            #expect(last?.universe == universe.count, "\(what)")
        }
        let ranged = found.lines.contains {
            if case .range? = $0.values?.first { true } else { false }
        }
        let counts = found.lines.filter { $0.values != nil }.map(\.count)
        if fields.count > 1 || !ranged {
            #expect(counts == counts.sorted(by: >), "\(what)")
        }
    }

    @Test("what they did, by day, week and month", arguments: seeds)
    func activity(seed: UInt64) throws {
        var own = try Case(seed: seed)
        defer { own.store.remove() }
        for (unit, days) in [(ActivityBreakdown.Unit.day, 12), (.week, 60), (.month, 200)] {
            let (_, segment, ids) = try own.rule()
            let calendar = try OracleCalendar(zone: segment.timezone ?? own.zone)
            let found = try own.snapshot.activity(
                of: segment, last: days, .days, by: unit, own.options)
            let first = calendar.start(ofDay: calendar.day(at: own.asOf) - Int64(days))
            var expected: [String: (count: Int64, profiles: Set<String>)] = [:]
            for event in own.world.events
            where ids.contains(event.profile) && (first...own.asOf).contains(event.time) {
                let day = calendar.day(at: event.time)
                let from: OracleDate
                switch unit {
                case .day: from = OracleDate(number: day)
                case .week:
                    from = OracleDate(number: day - (day + 3 - (day + 3).flooredQuotient(7) * 7))
                case .month:
                    let date = OracleDate(number: day)
                    from = OracleDate(year: date.year, month: date.month, day: 1)
                }
                let start = String(
                    format: "%04d-%02d-%02d", Int(from.year), Int(from.month), Int(from.day))
                let key = "\(start) \(event.channel) \(event.event)"
                expected[key, default: (0, [])].count += event.count
                expected[key]?.profiles.insert(event.profile)
            }
            #expect(found.lines.count == expected.count, "seed \(seed), \(unit)")
            for line in found.lines {
                let key = "\(line.from) \(line.channel.name) \(line.event.name)"
                #expect(Int64(line.count) == expected[key]?.count, "seed \(seed), \(key)")
                #expect(line.profiles == expected[key]?.profiles.count, "seed \(seed), \(key)")
            }
            let order = found.lines.map { line in
                let events = Channel.allCases.flatMap { c in c.events.map { "\(c.name) \($0.name)" }
                }
                return (
                    line.from, events.firstIndex(of: "\(line.channel.name) \(line.event.name)") ?? 0
                )
            }
            #expect(zip(order, order.dropFirst()).allSatisfy { $0 < $1 })
        }
    }

    @Test("all that there is of a profile", arguments: seeds)
    func show(seed: UInt64) throws {
        var own = try Case(seed: seed)
        defer { own.store.remove() }
        var everything = ShowOptions()
        everything.events = nil
        func line(_ parts: [String?]) -> String { parts.map { $0 ?? "·" }.joined(separator: "|") }
        for profile in own.world.profiles where own.random.chance(25) {
            let found = try own.snapshot.show(profile.id, everything)
            #expect(found.count == 1)
            let shown = try #require(found.profiles.first)
            #expect(shown.id == profile.id)
            let events = own.world.events.filter { $0.profile == profile.id }.map {
                line([
                    "\($0.time)", $0.channel, $0.event, $0.campaign, $0.template, $0.link,
                    $0.message, "\($0.count)", "\($0.machine)",
                ])
            }
            let got = shown.activity.map {
                line([
                    "\($0.time.milliseconds)", $0.channel.name, $0.event.name, $0.campaign,
                    $0.template, $0.link, $0.message, "\($0.count)", "\($0.machine)",
                ])
            }
            #expect(got.sorted() == events.sorted(), "seed \(seed), \(profile.id)")
            #expect(shown.activityTotal == events.count)
            let order = shown.activity.map { event in
                [
                    String(9_000_000_000_000_000 - event.time.milliseconds), event.channel.name,
                    event.event.name,
                ]
                    + [event.campaign, event.template, event.link, event.message].map {
                        $0.map { "1" + $0 } ?? "0"
                    }
            }
            #expect(
                zip(order, order.dropFirst()).allSatisfy { a, b in
                    !b.map { Array($0.utf8) }.lexicographicallyPrecedes(a.map { Array($0.utf8) }) {
                        $0.lexicographicallyPrecedes($1)
                    }
                }, "seed \(seed), \(profile.id)")
            let goals = own.world.goals.filter { $0.profile == profile.id }.map {
                line(["\($0.time)", $0.pixel, $0.goal, $0.value])
            }
            #expect(
                shown.goals.map { line(["\($0.time.milliseconds)", $0.pixel, $0.goal, $0.value]) }
                    .sorted() == goals.sorted(), "seed \(seed), \(profile.id)")
            #expect(
                zip(shown.goals, shown.goals.dropFirst()).allSatisfy { $0.time >= $1.time })
            let subscriptions = own.world.subscriptions.filter { $0.profile == profile.id }.map {
                line([
                    $0.channel, $0.resource, $0.contact, $0.status, $0.provider,
                    $0.priority.map { "\($0)" }, $0.time.map { "\($0)" },
                ])
            }
            #expect(
                shown.subscriptions.map {
                    line([
                        $0.channel.name, $0.resource, $0.contact, $0.status.name, $0.provider,
                        $0.priority.map { "\($0)" }, $0.time.map { "\($0.milliseconds)" },
                    ])
                }.sorted() == subscriptions.sorted(), "seed \(seed), \(profile.id)")
            for (name, value) in profile.fields where name != "global_status" {
                let field = shown.fields.first { $0.name == name }
                let expected: String
                switch value {
                case .string(let text): expected = text
                case .integer(let number): expected = "\(number)"
                case .decimal(let digits): expected = digits
                case .boolean(let flag): expected = "\(flag)"
                case .date(let text): expected = text
                case .datetime(let time): expected = Instant(milliseconds: time).description
                case .set(let members):
                    expected = Set(members).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
                        .joined(separator: ", ")
                }
                let text = field?.text ?? "none"
                #expect(
                    text.utf8.elementsEqual(expected.utf8), "seed \(seed), \(profile.id), \(name)")
            }
            #expect(
                shown.fields.count == profile.fields.keys.filter { $0 != "global_status" }.count)
            var some = ShowOptions()
            some.events = 2
            some.channel = .email
            if let middle = shown.activity.randomElement()?.time { some.since = middle }
            let part = try #require(try own.snapshot.show(profile.id, some).profiles.first)
            let wanted = shown.activity.filter { event in
                event.channel == .email && some.since.map { event.time >= $0 } ?? true
            }
            #expect(part.activityTotal == wanted.count)
            #expect(part.activity == Array(wanted.prefix(2)))
        }
        // By a value: those whose field has it.
        for country in Set(
            own.world.profiles.compactMap { profile -> String? in
                if case .string(let text)? = profile.fields["country"] { text } else { nil }
            })
        {
            let having = own.world.profiles.filter {
                if case .string(let text)? = $0.fields["country"] {
                    text.utf8.elementsEqual(country.utf8)
                } else {
                    false
                }
            }
            #expect(try own.snapshot.show("country:\(country)").count == having.count)
        }
    }

    @Test("explanations: who is in each node, and who is left after it", arguments: seeds)
    func explain(seed: UInt64) throws {
        var own = try Case(seed: seed)
        defer { own.store.remove() }
        var groups = 0
        for _ in 0..<12 {
            let parts = try (0..<3).map { _ in try own.rule().segment.rule }
            let rule: Rule = own.random.pick([
                .all(parts), .any(parts), .all([parts[0], .not(.any([parts[1], parts[2]]))]),
                .not(.all(parts)), parts[0],
            ])
            let found = try own.snapshot.explain(Segment(rule), own.options)
            var expected: [(path: String, count: Int, after: Int)] = []
            func walk(_ rule: Rule, _ path: String, _ after: (Set<String>) -> Int) throws {
                let ids = try own.oracle.matching(
                    rule: Segment(rule).json(), asOf: own.asOf, timezone: own.zone)
                expected.append((path, ids.count, after(ids)))
                var left: Set<String>?
                switch rule.node {
                case .all(let rules):
                    groups += 1
                    for (i, rule) in rules.enumerated() {
                        try walk(rule, "\(path).all[\(i)]") { ids in
                            left = left?.intersection(ids) ?? ids
                            return left?.count ?? 0
                        }
                    }
                case .any(let rules):
                    groups += 1
                    for (i, rule) in rules.enumerated() {
                        try walk(rule, "\(path).any[\(i)]") { ids in
                            left = left?.union(ids) ?? ids
                            return left?.count ?? 0
                        }
                    }
                case .not(let rule): try walk(rule, "\(path).not") { $0.count }
                default: break
                }
            }
            try walk(rule, "where") { $0.count }
            #expect(found.nodes.map(\.path.description) == expected.map(\.path))
            #expect(found.nodes.map(\.count) == expected.map(\.count), "seed \(seed): \(rule)")
            #expect(found.nodes.map(\.after) == expected.map(\.after), "seed \(seed): \(rule)")
            #expect(found.count == expected.first?.count)
            for node in found.nodes {
                if let estimate = node.estimate { #expect(estimate == node.count) }
                let names = Set(EvaluationPath.allCases.map { "\($0)" })
                #expect(node.ways.allSatisfy(names.contains))
                #expect(node.postings >= 0 && node.bytes >= 0 && node.leaves >= 0)
            }
        }
        #expect(groups > 5)
    }

    @Test("why a profile is in or out: nodes, counts, deciding objects", arguments: seeds)
    func explainProfile(seed: UInt64) throws {
        var own = try Case(seed: seed)
        defer { own.store.remove() }
        var counted = 0
        for _ in 0..<25 {
            let parts = try (0..<2).map { _ in
                var rule = try own.rule().segment.rule
                while rule.nodes > 1 { rule = try own.rule().segment.rule }
                return rule
            }
            let rule: Rule = own.random.pick([.all(parts), .any([parts[0], .not(parts[1])])])
            func ids(_ rule: Rule) throws -> Set<String> {
                try own.oracle.matching(
                    rule: Segment(rule).json(), asOf: own.asOf, timezone: own.zone)
            }
            let whole = try ids(rule)
            let sets = try parts.map(ids)
            for _ in 0..<8 {
                let id = own.random.pick(own.world.profiles).id
                let found = try own.snapshot.explain(Segment(rule), profile: id, own.options)
                #expect(found.matches == whole.contains(id), "seed \(seed), \(id): \(rule)")
                let leaves = found.nodes.filter { !["all of", "any of", "not"].contains($0.text) }
                #expect(
                    leaves.map(\.matches) == sets.map { $0.contains(id) }, "seed \(seed), \(id)")
                for (node, part) in zip(leaves, parts) {
                    let what = "seed \(seed), \(id), \(try Segment(part).json())"
                    guard case .activity(var activity) = part.node, let count = node.count else {
                        continue
                    }
                    let (lower, upper) = activity.condition.range
                    #expect(node.neededFrom == lower && node.neededTo == upper)
                    let isMet = count >= lower && count <= upper ?? .max
                    let events = try #require(node.deciding)
                    #expect(events.count <= 10)
                    #expect(zip(events, events.dropFirst()).allSatisfy { $0.time >= $1.time })
                    let isPaired = activity.precededBy != nil || activity.after != nil
                    if !isPaired, events.count < 5 {
                        #expect(events.reduce(0) { $0 + UInt64($1.count) } == count, "\(what)")
                    }
                    switch (
                        activity.counting, activity.precededBy?.pairing, activity.after?.pairing
                    ) {
                    case (_, .object?, _), (_, .message?, _):
                        // Where no object has enough of the other event, one is shown all the same.
                        if node.matches { #expect(isMet && node.object != nil, "\(what)") }
                    case (.anyOne, _, _), (_, _, .object?), (_, _, .message?):
                        // With an empty scope a count of zero decides.
                        if node.object != nil { #expect(node.matches == isMet, "\(what)") }
                    case (.total, nil, nil): #expect(node.matches == isMet, "\(what)")
                    case (.total, _, _): if node.matches { #expect(isMet, "\(what)") }
                    default: break
                    }
                    if count < lower, let nearest = node.nearest {
                        #expect(!node.misses.isEmpty && nearest.channel == activity.type.channel)
                        #expect(nearest.event == activity.type.event)
                    }
                    // The oracle says of the very count that it is so.
                    let exists =
                        activity.condition == .exists || activity.condition == .doesNotExist
                    guard activity.counting == .total, activity.precededBy == nil, !exists,
                        activity.after == nil || activity.after?.pairing == .scope && count > 0
                    else { continue }
                    counted += 1
                    activity.condition = .exactly(UInt32(clamping: count))
                    let exactly = Rule.activity(activity)
                    #expect(try ids(exactly).contains(id), "\(what): \(count)")
                }
            }
        }
        #expect(counted > 20 || own.world.events.count < 500)
    }

    @Test("an export is the segment, and loads as the same profiles", arguments: seeds)
    func export(seed: UInt64) throws {
        var own = try Case(seed: seed)
        defer { own.store.remove() }
        func text(
            _ snapshot: Snapshot, _ segment: Segment, _ format: ExportFormat, limit: Int? = nil
        ) throws -> [UInt8] {
            var bytes: [UInt8] = []
            try snapshot.export(
                segment, as: ExportOptions(format, limit: limit), own.options
            ) { (some) throws(WinnowError) in bytes += some }
            return bytes
        }
        let (_, segment, ids) = try own.rule()
        let lines = try String(decoding: text(own.snapshot, segment, .ids), as: UTF8.self)
            .split(separator: "\n").map(String.init)
        #expect(lines == (try Array(own.snapshot.ids(of: segment, own.options))))
        #expect(Set(lines) == ids)
        let some = try String(
            decoding: text(own.snapshot, segment, .ids, limit: 3), as: UTF8.self)
        #expect(some.split(separator: "\n").map(String.init) == Array(lines.prefix(3)))

        let everybody = Segment.sample(0, to: 100)
        let before = try text(own.snapshot, everybody, .ndjson)
        for (format, kind) in [(ExportFormat.csv, "csv"), (.ndjson, "ndjson")] {
            let file = own.store.folder.appendingPathComponent("export.\(kind)")
            try Data(text(own.snapshot, everybody, format)).write(to: file)
            let copy = try Store.create(
                own.store.folder.appendingPathComponent("copy-\(kind)").path,
                schema: own.snapshot.schema)
            try copy.load(.profiles, from: .files([file.path]))
            #expect(
                try text(copy.snapshot(), everybody, .ndjson) == before, "seed \(seed), \(kind)")
        }
    }
}
