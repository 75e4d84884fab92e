import WinnowModel

/// Writes the rows of `goals.csv`: what people do in a shop and an app, some of them unknown.
struct GoalGenerator: Sendable {
    let seed: UInt64
    let audience: Audience

    static let header = "profile,pixel,goal,time,value\n"

    private static let goals: [(pixel: String, goal: String, upTo: Double)] = [
        ("store", "view", 0.55), ("store", "add_to_cart", 0.7), ("store", "purchase", 0.78),
        ("app", "launch", 0.96), ("app", "purchase", 0.985), ("app", "sign_up", 1),
    ]

    func rows(_ stretch: Range<Int>) -> [UInt8] {
        var out: [UInt8] = []
        for number in stretch {
            var random = Random(seed, 9, UInt64(number))
            if !random.chance(0.05) { out.append(contentsOf: "u\(profile(&random))".utf8) }
            let u = random.unit()
            let goal = GoalGenerator.goals.first { u < $0.upTo } ?? GoalGenerator.goals[0]
            out.append(contentsOf: ",\(goal.pixel),\(goal.goal),".utf8)
            YearTime.append(random.below(Campaign.year), to: &out)
            out.append(UInt8(ascii: ","))
            if goal.goal == "purchase" {
                let u = random.unit()
                let cents = 99 + Int(u * u * u * 40_000)
                out.append(
                    contentsOf:
                        "\(cents / 100).\(cents % 100 < 10 ? "0" : "")\(cents % 100)".utf8)
            }
            out.append(0x0A)
        }
        return out
    }

    /// The most active of three: a few do most of it.
    private func profile(_ random: inout Random) -> Int {
        var best = random.below(audience.activity.count)
        for _ in 0..<2 {
            let other = random.below(audience.activity.count)
            if audience.activity[other] > audience.activity[best] { best = other }
        }
        return best
    }
}
