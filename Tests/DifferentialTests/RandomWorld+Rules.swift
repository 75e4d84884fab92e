import Foundation

/// The parts of the rule language that random rules may use beyond the rest, which they always may.
struct RuleFeatures: OptionSet, Sendable {
    let rawValue: Int

    static let uniqueEvents = RuleFeatures(rawValue: 1)
    /// `preceded_by` paired by object or message.
    static let pairings = RuleFeatures(rawValue: 2)
    static let countingModes = RuleFeatures(rawValue: 4)
    static let sample = RuleFeatures(rawValue: 8)
    static let ignoreCase = RuleFeatures(rawValue: 16)
    static let anniversary = RuleFeatures(rawValue: 32)
    static let ages = RuleFeatures(rawValue: 64)
    static let records = RuleFeatures(rawValue: 128)

    static let all: RuleFeatures = [
        .uniqueEvents, .pairings, .countingModes, .sample, .ignoreCase, .anniversary, .ages,
        .records,
    ]
}

extension RandomWorld {
    /// A valid rule, up to four levels deep, that is likely to match some profiles and to leave out
    /// others.
    ///
    /// Each condition starts from an event or a value that is there, so that something can match
    /// it.
    mutating func rule(for world: OracleWorld, features: RuleFeatures = []) -> String {
        let node = node(depth: pick([1, 1, 2, 2, 2, 3, 3, 4]), world, features)
        if chance(50) { return node }
        var members: [String] = []
        if chance(30) { members.append(member("name", Self.quoted("a rule"))) }
        if chance(80) { members.append(member("timezone", Self.quoted(timezone()))) }
        return Self.object(members + [member("where", node)])
    }

    mutating func node(depth: Int, _ world: OracleWorld, _ features: RuleFeatures) -> String {
        guard depth > 1 else { return leaf(world, features) }
        let key = pick(weighted: [(40, "all"), (37, "any"), (13, "not"), (10, "")])
        if key.isEmpty { return leaf(world, features) }
        if key == "not" {
            return Self.object([member(key, node(depth: depth - 1, world, features))])
        }
        let parts = (0..<(chance(70) ? 2 : 3)).map { _ in node(depth: depth - 1, world, features) }
        return Self.object([member(key, Self.array(parts))])
    }

    private mutating func leaf(_ world: OracleWorld, _ features: RuleFeatures) -> String {
        if features.contains(.sample), chance(8) { return sample() }
        if features.contains(.records), chance(16) {
            return chance(50) ? subscriptionRule(world) : goalRule(world)
        }
        return chance(62) ? activity(world, features) : field(world, features)
    }

    private mutating func sample() -> String {
        let from = below(9_000)
        let to = from + 1 + below(10_000 - from)
        func percent(_ hundredths: Int) -> String {
            let rest = hundredths % 100
            return "\(hundredths / 100)" + (rest == 0 ? "" : rest < 10 ? ".0\(rest)" : ".\(rest)")
        }
        var members = [member("from", percent(from)), member("to", percent(to))]
        if chance(60) { members.append(member("salt", Self.quoted(pick(["a", "", "соль"])))) }
        return Self.object([member("sample", Self.object(members))])
    }
}

// MARK: - JSON

extension RandomWorld {
    private func member(_ key: String, _ value: String) -> String {
        "\"\(key)\": \(value)"
    }

    private static func object(_ members: [String]) -> String {
        "{" + members.joined(separator: ", ") + "}"
    }

    private static func array(_ elements: [String]) -> String {
        "[" + elements.joined(separator: ", ") + "]"
    }

    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    private static func quoted(_ texts: [String]) -> String {
        array(texts.map { quoted($0) })
    }

    /// The texts without repetitions, as bytes.
    private func distinct(_ texts: [String]) -> [String] {
        var seen: Set<[UInt8]> = []
        return texts.filter { seen.insert(Array($0.utf8)).inserted }
    }
}

// MARK: - Activity

extension RandomWorld {
    private mutating func activity(_ world: OracleWorld, _ features: RuleFeatures) -> String {
        let model = model(world)
        let name = eventName(like: model, features)
        let operation = pick(weighted: [
            (8, "exists"), (7, "does_not_exist"), (40, "at_least"), (24, "not_happened"),
            (7, "at_most"),
            (7, "exactly"),
            (7, "between"),
        ])
        var members = [
            member("channel", Self.quoted(model.channel)), member("event", Self.quoted(name)),
            member("operator", Self.quoted(operation)),
        ]
        if chance(18) { members.append(by()) }
        if operation != "exists" && operation != "does_not_exist" {
            members += times(operation, like: model, world)
            members += restrictions(
                of: name, isNegative: operation == "not_happened", like: model, world, features)
        }
        return Self.object([member("activity", Self.object(members))])
    }

    /// An event of the world, or one that may not be in it.
    private mutating func model(_ world: OracleWorld) -> OracleEvent {
        if !world.events.isEmpty, chance(95) { return pick(world.events) }
        let channel = pick(Self.channels)
        return OracleEvent(
            profile: "", channel: channel, event: pick(Self.events(of: channel)),
            time: Self.start + Int64(below(Self.days)) * OracleCalendar.day, count: 1)
    }

    private mutating func eventName(like model: OracleEvent, _ features: RuleFeatures) -> String {
        guard features.contains(.uniqueEvents), chance(50) else { return model.event }
        if model.event == "clicked" { return pick(["unique_clicked", "unique_link_clicked"]) }
        if model.event == "opened", model.channel != "sms" { return "unique_opened" }
        return model.event
    }

    private mutating func times(_ operation: String, like model: OracleEvent, _ world: OracleWorld)
        -> [String]
    {
        guard operation != "not_happened" else { return [] }
        let reached = world.events.lazy
            .filter {
                $0.profile == model.profile && $0.channel == model.channel
                    && $0.event == model.event
            }
            .reduce(Int64(0)) { $0 + $1.count }
        let most = Int64(UInt32.max)
        let typical = min(most - 1, max(1, reached))
        let value: String
        switch operation {
        case "at_least":
            value = String(
                pick(weighted: [
                    (40, 1), (20, 2), (15, 3), (10, typical), (10, typical / 2 + 1),
                    (5, typical + 1),
                ]))
        case "at_most": value = String(pick([0, 1, 2, 3, typical]))
        case "exactly": value = String(pick([0, 1, 1, 2, 3, typical]))
        default:
            let low = pick([0, 1, 1, 2, typical / 2, typical])
            value = "[\(low), \(min(most, low + pick([0, 1, 3, 10, typical])))]"
        }
        return [member("times", value)]
    }

    private mutating func restrictions(
        of name: String, isNegative: Bool, like model: OracleEvent, _ world: OracleWorld,
        _ features: RuleFeatures
    ) -> [String] {
        var members: [String] = []
        let hasCampaigns = chance(40)
        let hasTemplates = chance(hasCampaigns ? 15 : 20)
        if hasCampaigns {
            let pool = world.campaigns.map(\.id) + idsInEvents(world, \.campaign)
            members.append(
                member("campaigns", selector(near: model.campaign, pool, world.campaigns)))
        }
        if hasTemplates {
            let pool = world.templates.map(\.id) + idsInEvents(world, \.template)
            members.append(
                member("templates", selector(near: model.template, pool, world.templates)))
        }
        if name.hasSuffix("clicked"), !["unsubscribe_clicked", "confirm_clicked"].contains(name),
            chance(35)
        {
            let links =
                [model.link].compactMap(\.self) + idsInEvents(world, \.link).prefix(below(4))
            members.append(
                member(
                    "links",
                    Self.quoted(distinct(links + (links.isEmpty || chance(6) ? ["nowhere"] : [])))))
        }
        if chance(55) { members.append(member("during", window(around: model.time))) }
        if chance(20) {
            members.append(after(name, like: model, world, features))
        } else if isNegative, chance(55) {
            members.append(precedence(of: name, in: model.channel, world, features))
        } else if features.contains(.countingModes), hasCampaigns != hasTemplates, chance(50) {
            let least = Self.object([member("at_least", "\(pick([1, 2, 2, 2, 3, 4]))")])
            members.append(
                member(
                    "counting",
                    chance(45)
                        ? least : Self.quoted(pick(["any_one", "any_one", "every_one", "total"]))))
        }
        return members
    }

    private mutating func by() -> String {
        member("by", Self.quoted(pick(["people", "people", "machines"])))
    }

    /// Another event, after which others count; mostly one of a profile that has the model.
    private mutating func after(
        _ target: String, like model: OracleEvent, _ world: OracleWorld, _ features: RuleFeatures
    ) -> String {
        let own = world.events.filter {
            $0.profile == model.profile && $0.channel == model.channel
        }
        var name = target == "sent" ? "delivered" : "sent"
        if !own.isEmpty { name = eventName(like: pick(own), features) }
        // The rule's own event is there with “first” alone.
        let which = name == target ? "first" : pick(["last", "first", ""])
        var members = [member("event", Self.quoted(name))]
        if !which.isEmpty { members.append(member("which", Self.quoted(which))) }
        if chance(15) { members.append(by()) }
        if chance(45) {
            let unit = pick(["minutes", "hours", "days", "weeks", "months", "years", ""])
            let number = unit == "minutes" ? 600 : unit == "hours" ? 40 : 1 + below(20)
            var within = [member("next", "\(number)")]
            if !unit.isEmpty { within.append(member("unit", Self.quoted(unit))) }
            members.append(member("within", Self.object(within)))
        }
        if features.contains(.pairings), chance(45) {
            members.append(member("pairing", Self.quoted(pick(["object", "message", "scope"]))))
        }
        return member("after", Self.object(members))
    }

    /// Up to five ids that events carry.
    private mutating func idsInEvents(_ world: OracleWorld, _ id: (OracleEvent) -> String?)
        -> [String]
    {
        guard !world.events.isEmpty else { return [] }
        return (0..<5).compactMap { _ in id(pick(world.events)) }
    }

    private mutating func selector(near id: String?, _ pool: [String], _ objects: [OracleObject])
        -> String
    {
        var ids = [id].compactMap(\.self)
        if !pool.isEmpty { ids += (0..<below(6)).map { _ in pick(pool) } }
        if ids.isEmpty || chance(6) { ids.append("nowhere") }
        let list = Self.quoted(distinct(ids))
        if chance(15) {
            let latest = member("latest", "\(1 + below(8))")
            return Self.object(chance(70) ? [latest] : [member("ids", list), latest])
        }
        if chance(45) || objects.isEmpty { return list }
        // The object itself, if it was loaded, so that its tags select it.
        let model =
            objects.first { Array($0.id.utf8) == id.map { Array($0.utf8) } } ?? pick(objects)
        let tags = model.tags.isEmpty ? ["no such tag"] : model.tags
        var members: [String] = []
        if chance(25) { members.append(member("ids", list)) }
        if chance(50) {
            members.append(
                member(
                    "tags", Self.quoted(distinct([pick(tags), pick(pick(objects).tags + tags)]))))
        }
        if chance(20) {
            members.append(member("all_tags", Self.quoted(Array(tags.prefix(1 + below(2))))))
        }
        if chance(35) || members.isEmpty {
            members.append(member("attributes", attributes(like: model)))
        }
        if chance(10) { members.append(member("latest", "\(1 + below(6))")) }
        return Self.object(members)
    }

    private mutating func attributes(like model: OracleObject) -> String {
        let season = model.attributes["season"] ?? "winter"
        var members = [
            member(
                "season",
                chance(50) ? Self.quoted(season) : Self.quoted(distinct([season, "summer"])))
        ]
        if let brand = model.attributes["brand"], chance(40) {
            members.append(member("brand", Self.quoted(brand)))
        }
        return Self.object(members)
    }

    /// Another event of the channel, more often one that happens.
    private mutating func precedence(
        of target: String, in channel: String, _ world: OracleWorld, _ features: RuleFeatures
    ) -> String {
        let candidates = world.events.isEmpty ? [] : (0..<6).map { _ in pick(world.events) }
        var name = target == "sent" ? "delivered" : "sent"
        if let model = candidates.first(where: { $0.channel == channel }) {
            let other = eventName(like: model, features)
            if other != target { name = other }
        }
        var members = [member("event", Self.quoted(name))]
        if chance(15) { members.append(by()) }
        if chance(30) { members.append(member("at_least", String(1 + below(4)))) }
        let pairings =
            features.contains(.pairings)
            ? ["scope", "object", "object", "message", "message"] : ["scope"]
        if chance(features.contains(.pairings) ? 80 : 30) {
            members.append(member("pairing", Self.quoted(pick(pairings))))
        }
        return member("preceded_by", Self.object(members))
    }
}

// MARK: - Windows

extension RandomWorld {
    /// A window that holds the instant, or one of any length that ends at "as of".
    mutating func window(around instant: Int64) -> String {
        switch below(13) {
        case 10: return period(["this", "last"])
        case 11: return relativeDates(around: instant)
        case 12:
            return Self.object([
                member("last", String(pick([0, 1, 1, 2]))), member("unit", Self.quoted("years")),
                member("mode", Self.quoted(pick(["rolling", "calendar"]))),
            ])
        case 0...4: return lastWindow()
        case 5:
            let recent = pick([0, 0, 1, 3, 7, 30])
            let earlier = recent + pick([0, 1, 7, 30, 60, 120, 200, 300, 400])
            return Self.object([member("days_ago", "[\(earlier), \(recent)]")])
        case 6...7: return absoluteDates(around: instant)
        default: return absoluteInstants(around: instant)
        }
    }

    private mutating func lastWindow() -> String {
        let unit = pick(["days", "days", "days", "weeks", "months", "hours", "minutes"])
        let number: Int
        switch unit {
        case "days":
            number = pick([0, 1, 3, 7, 14, 30, 45, 60, 90, 120, 150, 180, 270, 365, 400, 430])
        case "weeks": number = pick([0, 1, 2, 6, 9, 13, 20, 26, 40, 52, 60])
        case "months": number = pick([0, 1, 2, 3, 4, 6, 9, 10, 12, 14])
        case "hours": number = pick([0, 1, 24, 100, 1_000, 2_000, 3_000, 4_000, 6_000])
        default: number = pick([0, 60, 10_000, 100_000, 200_000, 300_000])
        }
        var members = [member("last", String(number))]
        let isShort = unit == "hours" || unit == "minutes"
        if unit != "days" || chance(50) { members.append(member("unit", Self.quoted(unit))) }
        if chance(40) {
            members.append(
                member("mode", Self.quoted(isShort ? "rolling" : pick(["rolling", "calendar"]))))
        }
        return Self.object(members)
    }

    private mutating func period(_ which: [String]) -> String {
        let length = pick(["day", "week", "month", "month", "quarter", "quarter", "year", "year"])
        return Self.object([member("period", Self.quoted("\(pick(which))_\(length)"))])
    }

    /// Days counted from today, on one end or both.
    private mutating func relativeDates(around instant: Int64) -> String {
        let back = below(300)
        let to = back - below(400)
        func text(_ days: Int) -> String {
            days == 0 ? "today" : "today\(days < 0 ? "" : "+")\(days)"
        }
        if chance(60) { return ends(text(-back), text(-min(back, to))) }
        let date = Self.text(
            ofDay: min(
                max(instant.flooredQuotient(OracleCalendar.day), OracleCalendar.firstDay),
                OracleCalendar.afterLastDay - 1))
        let both = chance(50) ? (text(-back), date) : (date, text(-back))
        return Self.object([
            member("from", Self.quoted(both.0)), member("to", Self.quoted(both.1)),
        ])
    }

    /// What lies ahead; hours only where there are instants.
    private mutating func nextWindow(ofDates: Bool) -> String {
        if chance(40) { return period(["next", "next", "this"]) }
        let isRolling = !ofDates && chance(50)
        let unit = pick(
            ["days", "weeks", "months", "years"] + (isRolling ? ["hours", "minutes"] : []))
        var members = [
            member("next", String(pick([0, 1, 3, 10, 30, 200]))),
            member("unit", Self.quoted(unit)),
        ]
        if isRolling || chance(30) {
            members.append(member("mode", Self.quoted(isRolling ? "rolling" : "calendar")))
        }
        return Self.object(members)
    }

    /// `from`, `to` or both.
    private mutating func ends(_ from: String, _ to: String) -> String {
        let both = [member("from", Self.quoted(from)), member("to", Self.quoted(to))]
        return Self.object(pick(weighted: [(60, both), (20, [both[0]]), (20, [both[1]])]))
    }

    private mutating func absoluteDates(around instant: Int64) -> String {
        let day = instant.flooredQuotient(OracleCalendar.day)
        return ends(
            Self.text(
                ofDay: max(OracleCalendar.firstDay, day - Int64(pick([0, 1, 7, 30, 90, 200])))),
            Self.text(
                ofDay: min(
                    OracleCalendar.afterLastDay - 1, day + Int64(pick([0, 1, 7, 30, 90, 200])))))
    }

    private mutating func absoluteInstants(around instant: Int64) -> String {
        let before = pick([
            0, 0, 1, OracleCalendar.hour, 9 * OracleCalendar.day, 100 * OracleCalendar.day,
        ])
        let after = pick([
            0, 1, 1, OracleCalendar.hour, 9 * OracleCalendar.day, 100 * OracleCalendar.day,
        ])
        return ends(text(ofInstant: instant - before), text(ofInstant: instant + after))
    }

    /// RFC 3339 with any offset.
    private mutating func text(ofInstant instant: Int64) -> String {
        let first = OracleCalendar.firstDay * OracleCalendar.day
        let last = OracleCalendar.afterLastDay * OracleCalendar.day - 1
        let instant = min(max(instant, first), last)
        // At the ends of time another offset would need another year.
        let isInside = first + OracleCalendar.day < instant && instant < last - OracleCalendar.day
        let (shift, zone) =
            isInside ? pick([(0, "Z"), (0, "Z"), (180, "+03:00"), (-570, "-09:30")]) : (0, "Z")
        let wall = instant + Int64(shift) * 60_000
        let day = wall.flooredQuotient(OracleCalendar.day)
        let time = Int(wall - day * OracleCalendar.day)
        func padded(_ number: Int, _ width: Int) -> String {
            String(repeating: "0", count: width - String(number).count) + String(number)
        }
        let clock = [time / 3_600_000, time / 60_000 % 60, time / 1000 % 60].map { padded($0, 2) }
            .joined(
                separator: ":")
        let fraction = time % 1000 == 0 && chance(50) ? "" : "." + padded(time % 1000, 3)
        return "\(Self.text(ofDay: day))T\(clock)\(fraction)\(zone)"
    }
}

// MARK: - Fields

extension RandomWorld {
    private mutating func field(_ world: OracleWorld, _ features: RuleFeatures) -> String {
        let schema =
            world.fields + [
                ("email", "string", 0), ("phone", "string", 0), ("id", "string", 0),
                ("appmetrica_device_id", "string", 0),
            ]
        if chance(5) { return Self.object([member("field", status())]) }
        let (name, type, _) = pick(schema)
        var members = [member("name", Self.quoted(name))]
        let value = value(of: name, in: world)
        if value == nil || chance(10) {
            members.append(member("operator", Self.quoted(pick(["exists", "does_not_exist"]))))
        } else if let value {
            members += comparison(with: value, type, features)
        }
        return Self.object([member("field", Self.object(members))])
    }

    private mutating func status() -> String {
        let operation = pick([
            "equals", "not_equals", "in", "not_in", "contains", "not_matches", "ends_with",
            "exists", "does_not_exist", "is_blank", "is_not_empty",
        ])
        var members = [
            member("name", Self.quoted("global_status")),
            member("operator", Self.quoted(operation)),
        ]
        switch operation {
        case "equals", "not_equals":
            members.append(member("value", Self.quoted(pick(Self.statuses))))
        case "in", "not_in":
            members.append(
                member(
                    "value", Self.quoted(distinct([pick(Self.statuses), pick(Self.statuses)]))))
        case "contains", "not_matches", "ends_with":
            members.append(
                member("value", Self.quoted(pick(["subscribed", "*subscribed", "*ed", "un", "x"]))))
        default: break
        }
        return Self.object(members)
    }

    /// A value that some profile has, unless only few have any.
    private mutating func value(of name: String, in world: OracleWorld) -> OracleValue? {
        guard !world.profiles.isEmpty else { return nil }
        for _ in 0..<60 {
            let profile = pick(world.profiles)
            if name == "id" { return .string(profile.id) }
            if let value = profile.fields[name] { return value }
        }
        return nil
    }

    private mutating func comparison(
        with value: OracleValue, _ type: String, _ features: RuleFeatures
    ) -> [String] {
        switch value {
        case .string(let text): return stringComparison(with: text, features)
        case .integer(let number):
            let neighbour =
                chance(50) ? number : number.addingReportingOverflow(pick([-1, 1])).partialValue
            return numberComparison([String(number), String(neighbour), String(below(100))]) {
                (Int64($0) ?? 0) < (Int64($1) ?? 0)
            }
        case .decimal(let digits):
            return numberComparison(
                [decimalLiteral(digits), digits, String(below(1_000))], Self.isLessDecimal)
        case .boolean(let truth):
            return [
                member("operator", Self.quoted(pick(["equals", "not_equals"]))),
                member("value", "\(truth)"),
            ]
        case .date(let date): return dateComparison(with: date, features)
        case .datetime(let instant): return datetimeComparison(with: instant, features)
        case .set(let members): return setComparison(with: members)
        }
    }

    private static func isLessDecimal(_ left: String, _ right: String) -> Bool {
        guard let left = try? OracleDecimal(left), let right = try? OracleDecimal(right) else {
            return false
        }
        return left < right
    }

    /// The same number, or one next to it beyond any scale.
    private mutating func decimalLiteral(_ digits: String) -> String {
        let pointed = digits.contains(".") ? digits : digits + ".0"
        return pick([
            digits, digits, pointed, pointed + "00", pointed + "0000000001", digits + "e0",
        ])
    }

    private mutating func numberComparison(_ near: [String], _ isLess: (String, String) -> Bool)
        -> [String]
    {
        let operation = pick(weighted: [
            (6, "equals"), (6, "not_equals"), (6, "in"), (6, "not_in"), (14, "less_than"),
            (14, "at_most"),
            (14, "greater_than"), (14, "at_least"), (12, "between"), (8, "not_between"),
        ])
        let value: String
        switch operation {
        case "in", "not_in":
            // Now and then more ranges than are worth comparing one by one.
            let long = chance(25) ? (0..<40).map { "\(10 + 2 * $0)" } : []
            value = Self.array(near.prefix(1 + below(3)) + long)
        case "between", "not_between":
            value = Self.array([pick(near), pick(near)].sorted(by: isLess))
        default: value = chance(80) ? near[below(2)] : near[2]
        }
        return [member("operator", Self.quoted(operation)), member("value", value)]
    }

    private mutating func setComparison(with present: [String]) -> [String] {
        let wanted = present.isEmpty ? ["sport"] : Array(present.prefix(1 + below(2)))
        let values = distinct(wanted + (chance(40) ? [pick(["music", "nothing", "книги"])] : []))
        if chance(35) {
            let operation = pick(["is_empty", "is_not_empty", "is_blank", "is_not_blank"])
            return [member("operator", Self.quoted(operation))]
        }
        let operation = pick(["has_any", "has_all", "has_none"])
        return [member("operator", Self.quoted(operation)), member("value", Self.quoted(values))]
    }

    private mutating func dateComparison(with date: String, _ features: RuleFeatures) -> [String] {
        // Every date here was written by this generator.
        let day = (try? OracleDate(date).number) ?? 0
        if features.contains(.anniversary), chance(35) { return anniversary() }
        if features.contains(.ages), chance(25) { return age() }
        if chance(15) {
            return [
                member("operator", Self.quoted("during")),
                member("value", nextWindow(ofDates: true)),
            ]
        }
        if chance(25) {
            // Neither hours nor instants: what they would mean for a date is nobody's business
            // here.
            let noon = day * OracleCalendar.day + OracleCalendar.day / 2
            let recent = [
                member("last", String(below(430))),
                member("unit", Self.quoted(pick(["days", "weeks"]))),
            ]
            let window = pick([
                Self.object(recent), "{\"days_ago\": [\(90 + below(300)), \(below(90))]}",
                absoluteDates(around: noon), relativeDates(around: noon),
                period(["this", "last"]),
            ])
            return [member("operator", Self.quoted("during")), member("value", window)]
        }
        let later = min(OracleCalendar.afterLastDay - 1, day + Int64(pick([0, 1, 30, 3_000])))
        return orderComparison(Self.quoted(date), Self.quoted(Self.text(ofDay: later)))
    }

    private mutating func datetimeComparison(with instant: Int64, _ features: RuleFeatures)
        -> [String]
    {
        if features.contains(.anniversary), chance(20) { return anniversary() }
        if features.contains(.ages), chance(10) { return age() }
        if chance(15) {
            return [
                member("operator", Self.quoted("during")),
                member("value", nextWindow(ofDates: false)),
            ]
        }
        if chance(35) {
            return [
                member("operator", Self.quoted("during")), member("value", window(around: instant)),
            ]
        }
        if chance(40) {
            let day = instant.flooredQuotient(OracleCalendar.day)
            let later = min(OracleCalendar.afterLastDay - 1, day + Int64(pick([0, 1, 30])))
            return orderComparison(
                Self.quoted(Self.text(ofDay: day)), Self.quoted(Self.text(ofDay: later)))
        }
        let later = instant + pick([0, 1, OracleCalendar.hour, 60 * OracleCalendar.day])
        return orderComparison(
            Self.quoted(text(ofInstant: instant)), Self.quoted(text(ofInstant: later)))
    }

    private mutating func orderComparison(_ literal: String, _ later: String) -> [String] {
        let operation = pick([
            "equals", "not_equals", "before", "on_or_before", "after", "on_or_after", "between",
            "between",
            "not_between",
        ])
        var literal = literal
        var later = later
        if chance(12) { literal = Self.quoted(pick(["today", "today-90", "today-9999999"])) }
        if chance(12) { later = Self.quoted(pick(["today", "today+90", "today+9999999"])) }
        let value = operation.hasSuffix("between") ? Self.array([literal, later]) : literal
        return [member("operator", Self.quoted(operation)), member("value", value)]
    }

    private mutating func age() -> [String] {
        let from = below(60)
        var members = pick([
            [member("from", "\(from)")], [member("to", "\(from)")],
            [member("from", "\(from)"), member("to", "\(from + below(30))")],
        ])
        if chance(60) { members.append(member("feb29", Self.quoted(pick(["feb28", "mar1"])))) }
        return [member("operator", Self.quoted("age")), member("value", Self.object(members))]
    }

    private mutating func anniversary() -> [String] {
        let from = pick([-365, -90, -30, -3, 0, 0, 1])
        var members = [
            member("from", String(from)),
            member("to", String(min(365, from + pick([0, 7, 30, 120, 365])))),
        ]
        if chance(60) {
            members.append(member("feb29", Self.quoted(pick(["feb28", "mar1", "skip"]))))
        }
        return [
            member("operator", Self.quoted("anniversary")), member("value", Self.object(members)),
        ]
    }

    private mutating func stringComparison(with text: String, _ features: RuleFeatures) -> [String]
    {
        let operation = pick([
            "equals", "not_equals", "in", "not_in", "contains", "not_contains", "starts_with",
            "ends_with", "matches",
            "not_matches", "is_empty", "is_not_empty", "is_blank", "is_not_blank",
        ])
        var members = [member("operator", Self.quoted(operation))]
        if operation.hasPrefix("is_") { return members }
        var text = text
        if features.contains(.ignoreCase), chance(40) {
            members.append(member("ignore_case", chance(85) ? "true" : "false"))
            text = pick([text, text.uppercased(), text.lowercased()])
        }
        let scalars = Array(text.unicodeScalars)
        let start = below(scalars.count)
        let part = Self.string(scalars[start..<min(scalars.count, start + 1 + below(4))])
        let value: String
        switch operation {
        case "in", "not_in":
            value = Self.quoted(distinct([text] + [[], ["DE", "Москва"], ["x", "RU"]][below(3)]))
        case "contains", "not_contains": value = Self.quoted(part)
        case "starts_with": value = Self.quoted(Self.string(scalars.prefix(1 + below(4))))
        case "ends_with": value = Self.quoted(Self.string(scalars.suffix(1 + below(4))))
        case "matches", "not_matches": value = Self.quoted(pattern(text, part))
        default: value = Self.quoted(text)
        }
        return members + [member("value", value)]
    }

    private mutating func pattern(_ text: String, _ part: String) -> String {
        func escaped(_ text: String) -> String {
            Self.string(
                text.unicodeScalars.flatMap {
                    "*\\".unicodeScalars.contains($0) ? ["\\", $0] : [$0]
                })
        }
        let half = text.unicodeScalars.count / 2
        let (head, tail) = (
            Self.string(text.unicodeScalars.prefix(half)),
            Self.string(text.unicodeScalars.suffix(1))
        )
        return pick([
            escaped(text), escaped(head) + "*", "*" + escaped(tail), "*" + escaped(part) + "*",
            escaped(head) + "*" + escaped(tail), "*",
        ])
    }

    private static func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        return String(text)
    }
}
