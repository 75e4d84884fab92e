import Foundation

struct OracleGoal: Sendable {
    /// nil for a goal of nobody.
    var profile: String?
    var pixel: String
    var goal: String
    /// Milliseconds since 1970 UTC.
    var time: Int64
    /// Canonical digits, at most four after the point.
    var value: String?
}

extension Oracle {
    /// The goals of each row.
    static func goals(of world: OracleWorld, rows: [String: Int]) -> [Int: [OracleGoal]] {
        var goals: [Int: [OracleGoal]] = [:]
        for goal in world.goals {
            if let row = goal.profile.flatMap({ rows[$0] }) { goals[row, default: []].append(goal) }
        }
        return goals
    }

    func rows(goal rule: OracleJSON, at moment: Moment) throws -> [Bool] {
        let operation = try rule.required("operator").word()
        let always = ["goal", "pixel", "operator"]
        try rule.allowOnly(
            ["exists", "does_not_exist"].contains(operation)
                ? always : always + ["times", "during", "value"])
        let goals = try texts(rule["goal"])
        let pixels = try texts(rule["pixel"])
        guard goals != nil || pixels != nil else {
            throw OracleFailure(description: "a goal of nothing")
        }
        let condition = try condition(operation, times: rule["times"])
        let window = try rule["during"].map {
            try moment.calendar.window($0, asOf: moment.asOf)
        }
        let value = try rule["value"].map(test)
        return ids.indices.map { row in
            let counting = (self.goals[row] ?? []).filter { goal in
                goal.time <= moment.asOf && window?.contains(goal.time) ?? true
                    && contains(goals, goal.goal) && contains(pixels, goal.pixel)
            }
            guard condition(Int64(counting.count)) else { return false }
            guard let value else { return true }
            let values = counting.compactMap { $0.value.map(Oracle.number) }
            return !values.isEmpty && value(values)
        }
    }

    /// In decimal arithmetic of 38 digits, which holds all that random worlds can add up to.
    private static func number(_ digits: String) -> Decimal {
        Decimal(string: digits, locale: Locale(identifier: "en_US_POSIX")) ?? .nan
    }

    /// What values must come to.
    private func test(_ rule: OracleJSON) throws -> ([Decimal]) -> Bool {
        guard let outer = try rule.members().first, let inner = try outer.value.members().first,
            case .number(let digits) = inner.value
        else { throw OracleFailure(description: "a value of nothing") }
        let limit = Oracle.number(digits)
        let left: ([Decimal]) -> Decimal
        var perValue = false
        switch String(decoding: outer.key, as: UTF8.self) {
        case "sum": left = { $0.reduce(0, +) }
        case "average":
            left = { $0.reduce(0, +) }
            perValue = true
        case "min": left = { $0.min() ?? 0 }
        case "max": left = { $0.max() ?? 0 }
        default: throw OracleFailure(description: "an unknown aggregate")
        }
        let holds: (Decimal, Decimal) -> Bool
        switch String(decoding: inner.key, as: UTF8.self) {
        case "at_least": holds = { $0 >= $1 }
        case "at_most": holds = { $0 <= $1 }
        case "greater_than": holds = { $0 > $1 }
        case "less_than": holds = { $0 < $1 }
        default: throw OracleFailure(description: "an unknown comparison")
        }
        return { values in
            holds(left(values), perValue ? limit * Decimal(values.count) : limit)
        }
    }
}
