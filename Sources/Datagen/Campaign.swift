import WinnowJSON
import WinnowModel

/// A campaign of the generated year: a burst that is sent within hours, or one that is always on.
struct Campaign: Sendable {
    let number: Int
    let channel: Channel
    let alwaysOn: Bool
    /// Seconds since the start of the year.
    let start: Int
    /// Relative size.
    let weight: Double
    /// Numbers of its templates.
    let templates: Range<Int>
    private let tags: [String]
    private let season: String

    /// The seconds of the year 2025.
    static let year = 365 * 86_400

    private static let mix: [(Channel, Double)] = [
        (.email, 0.55), (.push, 0.80), (.sms, 0.88), (.whatsapp, 0.93), (.viber, 0.97),
        (.telegramBot, 1),
    ]
    private static let allTags = ["Online store", "Sale", "Welcome", "Loyalty", "News", "Reminder"]

    static func all(_ count: Int, seed: UInt64) -> [Campaign] {
        var template = 1
        return (1...count).map { number in
            // Two a campaign, and a third for every thirtieth.
            let templates = template..<template + (number % 30 == 0 ? 3 : 2)
            template = templates.upperBound
            return Campaign(
                number: number, templates: templates, random: Random(seed, 2, UInt64(number)))
        }
    }

    private init(number: Int, templates: Range<Int>, random: Random) {
        var random = random
        self.number = number
        self.templates = templates
        let u = random.unit()
        channel = Campaign.mix.first { u < $0.1 }?.0 ?? .email
        alwaysOn = random.chance(0.15)
        let day = random.below(363)
        start = day * 86_400 + (9 + random.below(9)) * 3600
        let size = random.unit()
        weight = 0.15 + size * size * size * 4
        tags = Campaign.allTags.filter { _ in random.chance(0.2) }
        season = ["winter", "spring", "summer", "autumn"][(day + 31) / 92 % 4]
    }

    private static func list(_ items: [String]) -> String {
        "[" + items.map { jsonString($0) }.joined(separator: ", ") + "]"
    }

    var json: String {
        "{\"id\": \"c\(number)\", \"name\": \"Campaign \(number)\", \"tags\": \(Campaign.list(tags)), "
            + "\"attributes\": {\"season\": \"\(season)\", \"kind\": \"\(alwaysOn ? "trigger" : "bulk")\"}}\n"
    }

    var templatesJSON: [String] {
        templates.map {
            "{\"id\": \"t\($0)\", \"name\": \"Template \($0)\", \"channel\": \"\(channel.name)\", "
                + "\"tags\": [\"\($0 % 3 == 0 ? "long" : "short")\"]}\n"
        }
    }
}
