import Foundation

/// How much of everything a random world has.
struct WorldShape: Sendable {
    var profiles = 200
    var events = 3_000
    var campaigns = 12
    var templates = 8
    var links = 6
    var tags = 5
}

/// Makes worlds, rules and instants to compare two evaluators on. Everything is a function of the
/// seed.
///
/// The worlds are small but awkward: profiles without events and profiles with hundreds, times on
/// both sides of midnight in several zones, ids that were never loaded and loaded ids that were
/// never seen, strings that differ only in their bytes, and values at the ends of their types.
struct RandomWorld {
    private var state: UInt64
    private var messages = 0

    init(seed: UInt64) {
        state = seed
    }

    /// A shape between nothing at all and a few thousand events.
    mutating func shape() -> WorldShape {
        WorldShape(
            profiles: pick([1, 7, 64, 65, 150, 200, 300, 500]),
            events: pick([0, 40, 600, 1_500, 3_000, 3_000, 5_000]),
            campaigns: below(41), templates: below(20), links: below(12), tags: below(9))
    }

    mutating func world(_ shape: WorldShape) -> OracleWorld {
        let fields = Self.schema
        let profiles = (0..<shape.profiles).map { profile(number: $0) }
        let campaigns = Catalogue(prefix: "c", count: shape.campaigns)
        let templates = Catalogue(prefix: "t", count: shape.templates)
        let tags = Array(Self.tags.prefix(shape.tags))
        var world = OracleWorld(
            fields: fields, profiles: profiles,
            events: events(shape, profiles: profiles, campaigns: campaigns, templates: templates),
            campaigns: objects(campaigns, tags: tags), templates: objects(templates, tags: tags))
        world.subscriptions = profiles.flatMap { subscriptions(of: $0) }
        world.goals = goals(shape, profiles)
        return world
    }

    /// An instant at or next to an event, or after all of them.
    mutating func asOf(for world: OracleWorld) -> Int64 {
        guard let last = world.events.map(\.time).max() else {
            return Self.start + Int64(below(400)) * OracleCalendar.day
        }
        if chance(35) {
            return last
                + pick([
                    0, 1, 1_000, OracleCalendar.hour, 3 * OracleCalendar.day,
                    20 * OracleCalendar.day,
                ])
        }
        // The latest of three, for an early instant leaves most rules nothing to find.
        let times = (0..<3).map { _ in pick(world.events).time }
        return (times.max() ?? last) + pick([-1, 0, 1])
    }

    mutating func timezone() -> String {
        pick(Self.zones)
    }
}

// MARK: - Chance

extension RandomWorld {
    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// A whole number from 0 up to but not including the bound; 0 for a bound of 0.
    mutating func below(_ bound: Int) -> Int {
        Int(next() % UInt64(max(1, bound)))
    }

    mutating func chance(_ percent: Int) -> Bool {
        below(100) < percent
    }

    mutating func pick<Choices: RandomAccessCollection>(_ choices: Choices) -> Choices.Element {
        choices[choices.index(choices.startIndex, offsetBy: below(choices.count))]
    }

    /// Picks by weight.
    mutating func pick<Choice>(weighted choices: [(weight: Int, choice: Choice)]) -> Choice {
        var rest = below(choices.reduce(0) { $0 + $1.weight })
        for entry in choices.dropLast() {
            if rest < entry.weight { return entry.choice }
            rest -= entry.weight
        }
        return choices[choices.count - 1].choice
    }
}

// MARK: - Vocabulary

extension RandomWorld {
    /// Which event exists in which channel, without the derived ones.
    static let catalogue: [(event: String, channels: [String])] = [
        ("sent", channels), ("delivered", channels),
        ("opened", ["email", "sms", "push"]),
        ("read", ["email", "whatsapp", "viber", "vk_notify"]),
        (
            "clicked",
            ["email", "sms", "push", "telegram_bot", "max_bot", "whatsapp", "viber", "vk_notify"]
        ),
        ("unsubscribe_clicked", ["email", "sms", "push", "vk_notify"]),
        ("undelivered", channels.filter { $0 != "push" }),
        (
            "policy_violated",
            ["telegram_bot", "telegram_group", "max_bot", "max_group", "whatsapp", "vk_notify"]
        ),
        ("hard_bounced", ["email", "telegram_bot", "max_bot"]),
        ("soft_bounced", ["email"]), ("complained", ["email"]), ("suppressed", ["email"]),
        ("confirm_clicked", ["email"]), ("glanced", ["email"]), ("skimmed", ["email"]),
        ("replied", ["email"]),
        ("subscribed", ["telegram_bot", "max_bot", "whatsapp", "viber", "vk_notify"]),
        ("unsubscribed", ["telegram_bot", "max_bot", "whatsapp", "viber", "vk_notify"]),
        ("subscription_confirmed", ["email", "telegram_bot", "max_bot"]),
    ]

    static let channels = [
        "email", "sms", "push", "telegram_bot", "telegram_group", "max_bot", "max_group",
        "whatsapp", "viber",
        "vk_notify",
    ]

    static func events(of channel: String) -> [String] {
        catalogue.filter { $0.channels.contains(channel) }.map(\.event)
    }

    /// Zones with and without summer time, with odd offsets, and with days that do not begin at
    /// midnight.
    static let zones = [
        "UTC", "Europe/Moscow", "Europe/Berlin", "Africa/Cairo", "America/Santiago",
        "America/New_York",
        "Asia/Kathmandu", "Pacific/Kiritimati",
    ]

    /// 2025-01-01
    static let start: Int64 = 1_735_689_600_000
    static let days = 425

    static let schema: [(name: String, type: String, scale: Int)] = [
        ("country", "string", 0), ("city", "string", 0), ("nickname", "string", 0),
        ("age", "integer", 0),
        ("score", "integer", 0), ("ltv", "decimal", 2), ("balance", "decimal", 4),
        ("rate", "decimal", 9),
        ("vip", "boolean", 0), ("beta", "boolean", 0), ("birthday", "date", 0),
        ("joined", "date", 0),
        ("seen", "datetime", 0), ("verified", "datetime", 0), ("interests", "string_set", 0),
        ("labels", "string_set", 0),
    ]

    private static let tags = [
        "Online store", "caf\u{E9}", "cafe\u{301}", "акция", "sale", "Sale", "b2b",
        "weekly, \"news\"", "tag|8",
    ]
    static let statuses = [
        "subscribed", "unsubscribed", "complainer", "hard_bounced", "unconfirmed", "suspended",
        "invalid",
    ]
    private static let countries = ["DE", "FR", "RU", "US", "JP", "BR", "de"]
    private static let cities = [
        "Berlin", "berlin", "Köln", "Ko\u{308}ln", "Москва", "Санкт-Петербург",
        "Saint-Étienne", "東京",
        "İstanbul", "istanbul", "Σίσυφος", "ΣΊΣΥΦΟΣ", "Straße", "STRASSE", "New York", "",
    ]
    private static let nicknames = [
        "", " ", "*", "a*b", "back\\slash", "\"quoted\"", "two\nlines", "bar|bar", "🙂", "👩‍👩‍👧",
        "a", "A",
    ]
    private static let interests = [
        "sport", "music", "книги", "kino", "Music", "a", "a|b", "back\\slash",
    ]
}

// MARK: - Profiles

extension RandomWorld {
    private mutating func profile(number: Int) -> OracleProfile {
        let id =
            chance(95)
            ? "p\(number)" : "profile, \"\(number)\" " + String(repeating: "x", count: below(40))
        var fields: [String: OracleValue] = [:]
        if chance(80) {
            fields["email"] = .string(
                pick(["user\(number)@example.com", "User.\(number)@Mail.example", ""]))
        }
        if chance(50) { fields["phone"] = .string("+7999\(1_000_000 + below(9_000_000))") }
        if chance(10) { fields["appmetrica_device_id"] = .string("\(below(40))") }
        if chance(35) { fields["global_status"] = .string(pick(Self.statuses)) }
        for field in Self.schema where chance(Self.presence(of: field.name)) {
            fields[field.name] = value(of: field.name, scale: field.scale)
        }
        return OracleProfile(id: id, fields: fields)
    }

    /// In percent. Nicknames, rates, verifications, betas and labels are rare.
    private static func presence(of field: String) -> Int {
        [
            "country": 95, "nickname": 6, "rate": 4, "verified": 3, "beta": 5, "labels": 3,
            "vip": 50,
        ][field] ?? 70
    }

    private mutating func value(of field: String, scale: Int) -> OracleValue {
        switch field {
        case "country": .string(pick(Self.countries))
        case "city": .string(pick(Self.cities))
        case "nickname": .string(pick(Self.nicknames))
        case "age": .integer(Int64(14 + below(80)))
        case "score":
            .integer(
                pick(
                    [.min, .min + 1, -1, 0, 1, .max - 1, .max]
                        + [Int64](repeating: smallNumber(), count: 14)))
        case "ltv":
            .decimal(Self.decimal(chance(80) ? Int64(below(500_000)) : smallNumber(), scale: scale))
        case "balance", "rate":
            .decimal(
                Self.decimal(
                    pick([.min, -1, 0, 1, .max, smallNumber(), smallNumber(), smallNumber()]),
                    scale: scale))
        case "vip", "beta": .boolean(chance(40))
        case "birthday", "joined": .date(date(of: field))
        case "seen", "verified":
            .datetime(
                chance(3) ? pick([-62_135_596_800_000, 253_402_300_799_999, 0, -1]) : instant())
        default: .set(Self.interests.filter { _ in chance(25) })
        }
    }

    mutating func smallNumber() -> Int64 {
        Int64(below(2_000)) - 1_000
    }

    /// The canonical digits of a number of units, each ten to the power of minus the scale.
    static func decimal(_ units: Int64, scale: Int) -> String {
        var digits = String(units.magnitude)
        digits = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
        var fraction = digits.suffix(scale)
        while fraction.last == "0" { fraction.removeLast() }
        return (units < 0 ? "-" : "") + digits.dropLast(scale)
            + (fraction.isEmpty ? "" : "." + fraction)
    }

    private mutating func date(of field: String) -> String {
        if chance(3) { return pick(["0001-01-01", "9999-12-31", "1969-12-31", "1970-01-01"]) }
        if field == "joined" {
            return Self.text(ofDay: Self.start / OracleCalendar.day + Int64(below(Self.days)))
        }
        if chance(8) { return pick(["1996-02-29", "2000-02-29", "2001-02-28", "1999-03-01"]) }
        return Self.text(ofDay: Int64(below(25_000)) - 11_000)
    }

    static func text(ofDay number: Int64) -> String {
        let date = OracleDate(number: number)
        func padded(_ number: Int64, _ width: Int) -> String {
            String(repeating: "0", count: width - String(number).count) + String(number)
        }
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
    }
}

// MARK: - Campaigns and templates

extension RandomWorld {
    /// The ids of one kind of object, some of which only occur in events and some only as objects.
    private struct Catalogue {
        var seen: [String]
        var loaded: [String]

        init(prefix: String, count: Int) {
            var ids = (0..<count).map { "\(prefix)\($0)" }
            // Equal as text, different as bytes.
            if count > 4 {
                ids.replaceSubrange(3...4, with: ["\(prefix)-\u{E9}", "\(prefix)-e\u{301}"])
            }
            seen = ids.enumerated().filter { $0.offset % 7 != 6 }.map(\.element)
            loaded = ids.enumerated().filter { $0.offset % 5 != 2 }.map(\.element)
        }
    }

    private mutating func objects(_ catalogue: Catalogue, tags: [String]) -> [OracleObject] {
        catalogue.loaded.map { id in
            var attributes: [String: String] = [:]
            if chance(70) { attributes["season"] = pick(["winter", "spring", "summer", "autumn"]) }
            if chance(40) { attributes["brand"] = pick(["north", "SOUTH", ""]) }
            return OracleObject(
                id: id, tags: tags.filter { _ in chance(35) }, attributes: attributes)
        }
    }
}

// MARK: - Events

extension RandomWorld {
    /// What the messages of one world have in common.
    private struct Traffic {
        var channels: [String]
        var campaigns: [String]
        var templates: [String]
        var links: [String]
    }

    private mutating func events(
        _ shape: WorldShape, profiles: [OracleProfile], campaigns: Catalogue, templates: Catalogue
    ) -> [OracleEvent] {
        let traffic = Traffic(
            channels: (0..<3).map { _ in pick(Self.channels) } + ["email"],
            campaigns: campaigns.seen,
            templates: templates.seen, links: (0..<shape.links).map { "L\($0)" })
        var events: [OracleEvent] = []
        // A profile is drawn as often as it occurs here: some never, most a little, a few a lot.
        let draws = profiles.flatMap { profile in
            let times = pick(weighted: [(25, 0), (50, 2), (20, 8), (5, 60)])
            return [String](repeating: profile.id, count: times)
        }
        guard !draws.isEmpty else { return [] }
        if shape.events >= 1_500 { events += crowd(of: pick(draws), traffic) }
        while events.count < shape.events { events += message(to: pick(draws), traffic) }
        events.removeLast(events.count - shape.events)
        for index in events.indices { events.swapAt(index, index + below(events.count - index)) }
        return events
    }

    /// More than 300 events of one profile in one leaf.
    private mutating func crowd(of profile: String, _ traffic: Traffic) -> [OracleEvent] {
        let channel = pick(traffic.channels)
        let event = pick(
            ["sent", "delivered"]
                + (Self.events(of: channel).contains("clicked") ? ["clicked"] : []))
        return (0..<310 + below(300)).map { _ in
            happening(event, message(to: profile, channel, traffic), traffic)
        }
    }

    /// A message and what became of it.
    private mutating func message(to profile: String, _ traffic: Traffic) -> [OracleEvent] {
        let channel = chance(85) ? pick(traffic.channels) : pick(Self.channels)
        let legal = Self.events(of: channel)
        let template = message(to: profile, channel, traffic)
        var happenings: [String] = []
        if chance(90) { happenings.append("sent") }
        if chance(80) { happenings.append("delivered") }
        if chance(45) { happenings += ["opened", "read"].filter { legal.contains($0) } }
        if chance(15) { happenings += ["opened", "glanced"].filter { legal.contains($0) } }
        if chance(40), legal.contains("clicked") {
            happenings += [String](repeating: "clicked", count: 1 + below(4))
        }
        if chance(20) { happenings.append(pick(legal)) }
        var events = happenings.map { happening($0, template, traffic) }
        // Two equal rows are two events.
        if chance(4), let event = events.last { events.append(event) }
        return events
    }

    /// The event that the others of a message are made from.
    private mutating func message(to profile: String, _ channel: String, _ traffic: Traffic)
        -> OracleEvent
    {
        // Seldom an id that another message had as well.
        if !chance(4) { messages += 1 }
        let hasCampaign = chance(88) && !traffic.campaigns.isEmpty
        let hasTemplate = chance(80) && !traffic.templates.isEmpty
        // Low numbers are drawn more often.
        let campaign =
            hasCampaign
            ? traffic.campaigns[min(below(traffic.campaigns.count), below(traffic.campaigns.count))]
            : nil
        return OracleEvent(
            profile: profile, channel: channel, event: "sent", time: instant(), campaign: campaign,
            template: hasTemplate ? pick(traffic.templates) : nil, link: nil,
            message: chance(88) ? "m\(messages)" : nil, count: 1)
    }

    private mutating func happening(_ name: String, _ message: OracleEvent, _ traffic: Traffic)
        -> OracleEvent
    {
        var event = message
        event.event = name
        event.time = pick(weighted: [
            (30, event.time), (50, event.time + Int64(below(90_000)) * 1000), (20, instant()),
        ])
        if chance(3), !traffic.campaigns.isEmpty { event.campaign = pick(traffic.campaigns) }
        if chance(3) { event.template = nil }
        if name == "clicked", chance(85), !traffic.links.isEmpty {
            event.link = pick(traffic.links)
        }
        event.machine = chance(name == "opened" || name == "clicked" ? 30 : 2)
        event.count = pick(weighted: [
            (900, 1), (60, 2), (38, Int64(3 + below(298))), (2, Int64(Int32.max)),
        ])
        return event
    }

    /// On or next to a midnight somewhere, on a whole second, or anywhere.
    mutating func instant() -> Int64 {
        let day =
            Self.start + Int64(chance(70) ? below(Self.days) : Self.days - 60 + below(60))
            * OracleCalendar.day
        switch below(10) {
        case 0...2:
            // Local midnights of the zones above.
            let midnight = pick([0, -3, -2, -1, 4, 5, -14]) * OracleCalendar.hour
            return day + (chance(10) ? -20_700_000 : midnight) + pick([0, 0, 0, -1, 1])
        case 3...6: return day + Int64(below(86_400)) * 1000
        default: return day + Int64(below(86_400_000))
        }
    }
}
