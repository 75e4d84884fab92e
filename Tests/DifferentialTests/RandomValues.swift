import Winnow

/// Values of the engine's types, made through public initialisers alone: most of them make sense,
/// many do not, and the ends of every integer type are among them.
struct RandomValues {
    private(set) var random: RandomWorld
    private let world: OracleWorld

    init(seed: UInt64, _ world: OracleWorld) {
        random = RandomWorld(seed: seed)
        self.world = world
    }

    mutating func segment() -> Segment {
        Segment(
            name: random.chance(10) ? string() : nil,
            timezone: random.chance(20) ? timezone() : nil,
            rule(levels: random.pick([1, 1, 1, 2, 2, 3, 3, 4, 5, 16, 17, 30])))
    }

    private mutating func timezone() -> String {
        random.chance(80)
            ? random.timezone()
            : random.pick(["", "UTC", "Mars/Olympus", "../../etc/passwd", "UTC\0"])
    }

    private mutating func rule(levels: Int) -> Rule {
        if levels > 1, random.chance(70) {
            if levels > 6 || random.chance(30) { return .not(rule(levels: levels - 1)) }
            var parts: [Rule] = []
            for _ in 0..<random.pick([0, 1, 2, 2, 2, 3]) { parts.append(rule(levels: levels - 1)) }
            if random.chance(1), let part = parts.first {
                parts = Array(repeating: part, count: 600)
            }
            return random.chance(50) ? .all(parts) : .any(parts)
        }
        return switch random.below(10) {
        case 0: .sample(sample())
        case 1...4: .field(field())
        default: .activity(activity())
        }
    }

    // MARK: Numbers, times and texts

    mutating func integer() -> Int {
        random.pick([
            .min, .min + 1, -1 << 40, -1 << 31, -366, -365, -1, 0, 1, 2, 3, 7, 14, 28, 29, 30, 31,
            60, 90, 365, 366,
            10_000, 1 << 31, 10_000_000_000, 10_000_000_001, .max - 1, .max,
        ])
    }

    private mutating func small() -> Int {
        random.pick([0, 1, 2, 3, 7, 14, 30, 60, 90, 180, 365, 400])
    }

    private mutating func count() -> UInt32 {
        random.chance(80)
            ? UInt32(random.below(6)) : random.pick([0, 1, 254, 255, 256, 65_535, .max - 1, .max])
    }

    mutating func instant() -> Instant {
        if random.chance(85), let event = world.events.randomElement(using: &random) {
            return Instant(milliseconds: event.time + Int64(random.pick([-1, 0, 1, 86_400_000])))
        }
        return random.pick([
            Instant(milliseconds: .min), Instant(milliseconds: .max), .first, .last,
            Instant(milliseconds: 0),
            Instant(milliseconds: Instant.first.milliseconds - 1),
            Instant(milliseconds: Instant.last.milliseconds + 1),
        ])
    }

    private mutating func date() -> CivilDate {
        if random.chance(85) { return instant().utcDay }
        return random.pick([
            CivilDate(day: .min), CivilDate(day: .max), .first, .last,
            CivilDate(day: CivilDate.last.day + 1),
            CivilDate(day: 0).adding(months: .max), CivilDate(day: 0).adding(months: .min),
        ])
    }

    private mutating func string() -> String {
        random.pick([
            "", "a", "é", "e\u{301}", "\0", "a\0b", "🙂", "\"\\\n\u{85}", "*", "\\", "a*b",
            String(repeating: "x", count: 300),
            "2026-01-01", "2026-01-01T00:00:00Z", "today", "today-3", "today+007", "today+0",
        ])
    }

    // MARK: Conditions

    private mutating func sample() -> Sample {
        let a = random.chance(90) ? random.below(10_001) : integer()
        let b = random.chance(90) ? random.below(10_001) : integer()
        return Sample(min(a, b)..<max(a, b), salt: random.chance(50) ? "" : string())
    }

    private mutating func window() -> Window {
        let unit = random.pick(Window.Unit.allCases)
        let mode = random.pick([nil, nil, .calendar, .rolling] as [Window.Mode?])
        switch random.below(11) {
        case 8: return .next(random.chance(80) ? small() : integer(), unit, mode)
        case 9: return .period(random.pick(Window.Period.allCases))
        case 10: return .dates(from: day(), to: random.chance(70) ? day() : nil)
        case 0...2: return .last(random.chance(80) ? small() : integer(), unit, mode)
        case 3...4:
            let a = random.chance(85) ? small() : integer()
            let b = random.chance(85) ? small() : integer()
            return random.chance(85) ? .daysAgo(max(a, b), min(a, b)) : .daysAgo(a, b)
        case 5:
            let a = date()
            let b = date()
            return .dates(
                from: random.chance(80) ? .date(min(a, b)) : nil,
                to: random.chance(80) ? .date(max(a, b)) : nil)
        case 6: return .dates(from: .date(date()), to: .date(date()))
        default:
            return .instants(
                from: random.chance(80) ? instant() : nil, to: random.chance(80) ? instant() : nil)
        }
    }

    private mutating func day() -> Window.Day {
        if random.chance(40) { return .date(date()) }
        return .today(random.chance(80) ? small() - 60 : integer())
    }

    private mutating func condition() -> CountCondition {
        switch random.below(16) {
        case 0: .exists
        case 1: .doesNotExist
        case 2...5: .notHappened
        case 6...11: .atLeast(count())
        case 12: .atMost(count())
        case 13: .exactly(count())
        default: .between(count(), count())
        }
    }

    private mutating func selector(_ known: [String], _ objects: [OracleObject]) -> Selector {
        var selector = Selector()
        for _ in 0..<random.pick([0, 1, 1, 2, 3, 8]) {
            selector.ids.append(known.isEmpty || random.chance(10) ? string() : random.pick(known))
        }
        if random.chance(30) {
            selector.tags = [objects.randomElement(using: &random)?.tags.first ?? string()]
        }
        if random.chance(10) {
            selector.allTags = objects.randomElement(using: &random)?.tags ?? []
        }
        if random.chance(15) {
            for _ in 0..<random.pick([1, 1, 2]) {
                selector.attributes.append(
                    .init(
                        key: random.pick(["season", "brand", ""]),
                        values: random.pick([["winter"], ["summer", "x"], []])))
            }
        }
        if random.chance(12) {
            selector.latest = random.chance(80) ? 1 + random.below(9) : integer()
        }
        return selector
    }

    private mutating func actor() -> Activity.Actor? {
        random.chance(80) ? nil : random.pick(Activity.Actor.allCases)
    }

    private mutating func activity() -> Activity {
        var channel = random.pick(Channel.allCases)
        var event = random.pick(Event.allCases)
        if random.chance(85), let known = world.events.randomElement(using: &random),
            let own = Channel(name: known.channel), let what = Event(name: known.event)
        {
            (channel, event) = (own, what)
            if what == .clicked, random.chance(30) {
                event = random.pick([.uniqueClicked, .uniqueLinkClicked])
            }
        }
        var activity = Activity(channel, event, condition())
        let restricts =
            activity.condition != .exists && activity.condition != .doesNotExist
            || random.chance(10)
        activity.by = actor()
        guard restricts else { return activity }
        if random.chance(35) {
            activity.campaigns = selector(world.events.compactMap(\.campaign), world.campaigns)
        }
        if random.chance(15) {
            activity.templates = selector(world.events.compactMap(\.template), world.templates)
        }
        if random.chance(event.takesLinks ? 25 : 3) {
            activity.links = (0..<random.below(4)).map { _ in
                world.events.compactMap(\.link).first ?? "l"
            }
        }
        if random.chance(50) { activity.during = window() }
        if random.chance(activity.condition == .notHappened ? 40 : 3) {
            activity.precededBy = Preceding(
                random.chance(80)
                    ? random.pick([.sent, .delivered, .clicked]) : random.pick(Event.allCases),
                by: actor(), atLeast: random.chance(70) ? 1 : count(),
                pairing: random.pick(Preceding.Pairing.allCases))
        }
        if random.chance(20) {
            activity.counting = random.pick([
                .total, .anyOne, .everyOne,
                .atLeast(random.chance(80) ? 1 + random.below(4) : integer()),
            ])
        }
        if random.chance(15) {
            activity.after = After(
                random.chance(80)
                    ? random.pick([.sent, .delivered, .opened]) : random.pick(Event.allCases),
                which: random.pick(After.Which.allCases), by: actor(),
                within: random.chance(60)
                    ? nil
                    : .init(
                        random.chance(80) ? 1 + small() : integer(),
                        random.pick(Window.Unit.allCases)),
                pairing: random.pick(Preceding.Pairing.allCases))
        }
        return activity
    }

    private mutating func literal(_ type: String) -> FieldCondition.Literal {
        guard random.chance(90) else {
            return random.pick([
                .string(string()), .number("1"), .number(""), .number("+1"), .number("0x10"),
                .number("1e999999999999"),
                .number("NaN"), .boolean(true), 1.5, FieldCondition.Literal(floatLiteral: .nan),
                FieldCondition.Literal(floatLiteral: -.infinity),
                FieldCondition.Literal(floatLiteral: 1e-300),
                FieldCondition.Literal(integerLiteral: .min), .number("-00"), .number("1e"),
                .number("1 "),
            ])
        }
        switch type {
        case "integer": return .number("\(integer())")
        case "decimal":
            return .number(
                random.pick(["0", "-1.5", "12.3456", "1e3", "99999999999999999999", "0.00001"]))
        case "boolean": return .boolean(random.chance(50))
        case "date" where random.chance(30): return .string(day().description)
        case "date": return .date(date())
        case "datetime": return random.chance(50) ? .instant(instant()) : .date(date())
        default: return .string(string())
        }
    }

    private mutating func field() -> FieldCondition {
        let others = ["id", "email", "nope"].map { ($0, "string") }
        let (name, type) = random.pick(world.fields.map { ($0.name, $0.type) } + others)
        let legal = FieldType(rawValue: type).map { FieldOperator.operators(of: $0) } ?? []
        let op =
            random.chance(90) && !legal.isEmpty
            ? random.pick(legal) : random.pick(FieldOperator.allCases)
        let kind =
            random.chance(92)
            ? op.operand : random.pick([.none, .value, .list, .range, .window, .anniversary, .age])
        let operand: FieldCondition.Operand
        switch kind {
        case .none: operand = .none
        case .value: operand = .value(literal(type))
        case .list: operand = .list((0..<random.pick([0, 1, 2, 3])).map { _ in literal(type) })
        case .range: operand = .list((0..<random.pick([2, 2, 2, 1, 3])).map { _ in literal(type) })
        case .window: operand = .window(window())
        case .age:
            func years() -> Int? {
                random.chance(20) ? nil : random.chance(90) ? random.below(90) : integer()
            }
            let a = years()
            let b = years()
            operand = .age(
                .init(
                    from: a, to: random.chance(90) ? b.map { max($0, a ?? $0) } : b,
                    leapDay: random.pick(FieldCondition.Age.LeapDay.allCases)))
        case .anniversary:
            let a = random.chance(85) ? small() - 90 : integer()
            let b = random.chance(85) ? small() - 30 : integer()
            operand = .anniversary(
                .init(
                    min(a, b)...max(a, b),
                    leapDay: random.pick(FieldCondition.Anniversary.LeapDay.allCases)))
        }
        return FieldCondition(
            name, op, operand, ignoresCase: random.chance(10) ? random.chance(50) : nil)
    }

    mutating func options() -> EvaluationOptions {
        var options = EvaluationOptions()
        options.asOf =
            random.chance(95) ? Instant(milliseconds: random.asOf(for: world)) : instant()
        options.timezone = random.chance(90) ? random.timezone() : timezone()
        options.threads = random.chance(95) ? 1 : integer()
        options.strict = random.chance(5)
        return options
    }

    // MARK: Schemas

    mutating func schema() -> Schema {
        var fields: [Field] = []
        for _ in 0..<random.pick([0, 1, 2, 3, 5]) {
            fields.append(field(named: string() + "\(random.below(9))"))
        }
        return Schema(
            fields: fields, uniqueEvents: random.chance(50) ? .derived : .stored,
            text: random.chance(50) ? .plain : .compressed)
    }

    mutating func field(named name: String) -> Field {
        var field = Field(
            name: random.chance(95) ? name : random.pick(["", "id", "email", "é", "e\u{301}"]),
            type: random.pick(FieldType.allCases),
            scale: random.pick([nil, 0, 4, 9, 10, -1, .max, .min]))
        if random.chance(5) { field.scale = integer() }
        return field
    }
}

extension RandomWorld: RandomNumberGenerator {}
