import WinnowModel

/// Writes the rows of `profiles.csv`.
struct ProfileGenerator {
    let seed: UInt64

    static let schema = """
        {"fields": [
          {"name": "country", "type": "string"}, {"name": "city", "type": "string"},
          {"name": "age", "type": "integer"}, {"name": "ltv", "type": "decimal", "scale": 2},
          {"name": "vip", "type": "boolean"}, {"name": "birthday", "type": "date"},
          {"name": "registered", "type": "datetime"}, {"name": "interests", "type": "string_set"}
        ]}

        """

    static let header = "id,email,phone,country,city,age,ltv,vip,birthday,registered,interests\n"

    private static let countries: [(code: String, cities: [String])] = [
        ("DE", ["Berlin", "Hamburg", "München", "Köln", "Leipzig"]),
        ("FR", ["Paris", "Lyon", "Marseille", "Lille"]),
        ("US", ["New York", "Chicago", "Austin", "Seattle", "Boston"]),
        ("GB", ["London", "Leeds", "Bristol"]),
        ("ES", ["Madrid", "Sevilla", "Valencia"]), ("IT", ["Roma", "Milano", "Torino"]),
        ("PL", ["Warszawa", "Łódź"]),
        ("NL", ["Amsterdam", "Utrecht"]), ("BR", ["São Paulo", "Recife"]),
        ("IN", ["Mumbai", "Pune", "Delhi"]),
        ("JP", ["Tokyo", "Osaka"]), ("SE", ["Stockholm", "Malmö"]), ("PT", ["Lisboa", "Porto"]),
        ("AT", ["Wien", "Graz"]), ("CH", ["Zürich", "Genève"]), ("CA", ["Toronto", "Montréal"]),
    ]
    private static let interests = [
        "sports", "travel", "music", "books", "garden", "cooking", "games", "fashion", "cars",
        "photo",
    ]
    private static let providers = [
        "example.com", "mail.example", "post.example.org", "inbox.example.net",
    ]

    func rows(_ range: Range<Int>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(range.count * 110)
        for profile in range { row(profile, &out) }
        return out
    }

    private func row(_ profile: Int, _ out: inout [UInt8]) {
        var random = Random(seed, 1, UInt64(profile))
        func put(_ text: String) { out.append(contentsOf: text.utf8) }
        func comma() { out.append(UInt8(ascii: ",")) }
        put("u\(profile)")
        comma()
        if let email = email(profile, &random) { put(email) }
        comma()
        if random.chance(0.45) { put("+49151\(10_000_000 + random.below(89_999_999))") }
        comma()
        let country = ProfileGenerator.countries[skewed(&random, ProfileGenerator.countries.count)]
        if random.chance(0.93) {
            put(country.code)
            comma()
            if random.chance(0.85) { put(country.cities[skewed(&random, country.cities.count)]) }
        } else {
            comma()
        }
        comma()
        let age = 16 + (random.below(40) + random.below(40))
        let hasBirthday = random.chance(0.6)
        if hasBirthday || random.chance(0.3) { put("\(age)") }
        comma()
        if random.chance(0.7) {
            let u = random.unit()
            let cents = Int(u * u * u * u * 500_000)
            put("\(cents / 100).\(cents % 100 < 10 ? "0" : "")\(cents % 100)")
        }
        comma()
        put(random.chance(0.04) ? "true" : "false")
        comma()
        if hasBirthday {
            put(CivilDate(day: 20_454 - age * 365 - age / 4 - random.below(365)).description)
        }
        comma()
        let u = random.unit()
        put(
            Instant(milliseconds: 1_766_000_000_000 - Int64(u * u * 300_000_000) * 1000).description
        )
        comma()
        var any = false
        for interest in ProfileGenerator.interests where random.chance(0.13) {
            if any { put("|") }
            any = true
            put(interest)
        }
        out.append(0x0A)
    }

    /// The address of a profile, which is the first that is drawn.
    func email(_ profile: Int) -> String? {
        var random = Random(seed, 1, UInt64(profile))
        return email(profile, &random)
    }

    private func email(_ profile: Int, _ random: inout Random) -> String? {
        guard random.chance(0.8) else { return nil }
        return "user\(profile)@\(ProfileGenerator.providers[skewed(&random, 4)])"
    }

    /// 0 ..< n, the first far more often than the last.
    private func skewed(_ random: inout Random, _ n: Int) -> Int {
        let u = random.unit()
        return Int(u * u * Double(n))
    }
}
