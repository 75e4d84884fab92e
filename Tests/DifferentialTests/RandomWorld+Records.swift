import Foundation

// MARK: - Subscriptions

extension RandomWorld {
    static let resources = ["news", "promo", "caf\u{E9}", "cafe\u{301}", "app"]
    private static let providers = ["smtp", "fcm", "apns"]

    /// The records of a profile, no two of which are of one channel, resource and contact.
    mutating func subscriptions(of profile: OracleProfile) -> [OracleSubscription] {
        var seen: Set<[[UInt8]]> = []
        return (0..<pick([0, 0, 1, 1, 2, 3, 6])).compactMap { _ in
            let record = subscription(of: profile.id)
            let identity = [record.channel, record.resource, record.contact ?? ""]
            return seen.insert(identity.map { Array($0.utf8) }).inserted ? record : nil
        }
    }

    mutating func subscription(of profile: String) -> OracleSubscription {
        OracleSubscription(
            profile: profile, channel: pick(["email", "email", "push", "push", "sms", "viber"]),
            resource: pick(Self.resources),
            status: chance(50) ? "subscribed" : pick(Self.statuses),
            contact: chance(70) ? "contact-\(below(60))" : nil,
            provider: chance(60) ? pick(Self.providers) : nil,
            priority: chance(30) ? smallNumber() : nil,
            time: chance(4)
                ? pick([-62_135_596_800_000, 253_402_300_799_999, 0, -1])
                : chance(70) ? instant() + (chance(20) ? 400 * OracleCalendar.day : 0) : nil)
    }

    mutating func subscriptionRule(_ world: OracleWorld) -> String {
        let model =
            world.subscriptions.isEmpty
            ? subscription(of: "nobody") : pick(world.subscriptions)
        if chance(15) {
            var members = [
                ("operator", Self.quoted("reachable")), ("channel", Self.quoted(model.channel)),
            ]
            if chance(50) { members.append(("resource", list(model.resource, Self.resources))) }
            return Self.object("subscription", members)
        }
        let operation = pick([
            "exists", "exists", "does_not_exist", "not_happened", "at_least", "at_least",
            "at_most", "exactly", "between",
        ])
        var members = [("operator", Self.quoted(operation))]
        members += recordTimes(operation)
        if chance(45) { members.append(("channel", Self.quoted(model.channel))) }
        if chance(35) {
            members.append(("resource", list(model.resource, Self.resources + ["nowhere"])))
        }
        if chance(45) { members.append(("status", list(model.status, Self.statuses))) }
        if chance(25), let provider = model.provider {
            members.append(("provider", list(provider, Self.providers + ["nobody"])))
        }
        if chance(20), let contact = model.contact {
            members.append(
                ("contact", list(contact, (0..<6).map { _ in "contact-\(below(70))" })))
        }
        if chance(30), let time = model.time {
            members.append(("during", window(around: time)))
        }
        return Self.object("subscription", members)
    }

    /// How many records or goals, in small numbers.
    private mutating func recordTimes(_ operation: String) -> [(String, String)] {
        switch operation {
        case "at_least": [("times", String(pick([1, 1, 2, 3])))]
        case "at_most", "exactly": [("times", String(pick([0, 1, 1, 2])))]
        case "between": [("times", pick(["[0, 1]", "[1, 2]", "[2, 5]", "[1, 1]"]))]
        default: []
        }
    }

    /// One value as it is, or several.
    private mutating func list(_ value: String, _ others: [String]) -> String {
        if chance(40) { return Self.quoted(value) }
        let more = (0..<below(3)).map { _ in pick(others) }
        return "[" + ([value] + more).map { Self.quoted($0) }.joined(separator: ", ") + "]"
    }

    private static func object(_ key: String, _ members: [(String, String)]) -> String {
        let inner = members.map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ")
        return "{\"\(key)\": {\(inner)}}"
    }
}

// MARK: - Goals

extension RandomWorld {
    private static let pixels = ["shop", "app", "site"]
    private static let goalNames = ["purchase", "view", "sign_up", "caf\u{E9}", "cafe\u{301}"]

    /// About a third as many as events.
    mutating func goals(_ shape: WorldShape, _ profiles: [OracleProfile]) -> [OracleGoal] {
        let some = profiles.filter { _ in chance(60) }
        guard !some.isEmpty else { return [] }
        return (0..<shape.events / 3).map { _ in
            OracleGoal(
                profile: chance(90) ? pick(some).id : nil, pixel: pick(Self.pixels),
                goal: pick(Self.goalNames), time: instant(),
                value: chance(65) ? Self.decimal(goalValue(), scale: 4) : nil)
        }
    }

    private mutating func goalValue() -> Int64 {
        chance(3) ? pick([.min, .max, .max - 1, 0]) : Int64(below(3_000_000)) - 200_000
    }

    mutating func goalRule(_ world: OracleWorld) -> String {
        let model =
            world.goals.isEmpty
            ? OracleGoal(pixel: "shop", goal: "purchase", time: Self.start) : pick(world.goals)
        var members: [(String, String)] = []
        let both = chance(30)
        if both || chance(60) {
            members.append(("goal", list(model.goal, Self.goalNames + ["no"])))
        }
        if both || members.isEmpty {
            members.append(("pixel", list(model.pixel, Self.pixels + ["none"])))
        }
        let operation = pick([
            "exists", "does_not_exist", "not_happened", "at_least", "at_least", "at_least",
            "at_least", "at_most", "exactly", "between",
        ])
        members.append(("operator", Self.quoted(operation)))
        let times = recordTimes(operation)
        members += times
        if ["exists", "does_not_exist"].contains(operation) {
            return Self.object("goal", members)
        }
        if chance(45) { members.append(("during", window(around: model.time))) }
        let isNever = operation == "not_happened" || times.first?.1 == "0"
        if !isNever, chance(55) { members.append(("value", value(near: model.value))) }
        return Self.object("goal", members)
    }

    private mutating func value(near digits: String?) -> String {
        let aggregate = pick(["sum", "sum", "average", "average", "min", "max"])
        let comparison = pick(["at_least", "at_most", "greater_than", "less_than"])
        let bound =
            chance(40)
            ? digits ?? "0"
            : pick([
                "0", "100", "33.3333333333333", "-0.00005", "140", "250.5", "1e2",
                "133.33333333333333333333", Self.decimal(goalValue(), scale: 4),
            ])
        return "{\"\(aggregate)\": {\"\(comparison)\": \(bound)}}"
    }
}
