import WinnowDisk
import WinnowModel
import WinnowThreads

/// Writes lifelike loader files: profiles with fields, campaigns with tags and attributes,
/// templates, and a year of activity, skewed as life is. The same seed gives the same bytes.
///
/// Rates follow published marginals of a shop's 1.7 M messages: how many messages a client gets
/// (quartiles 1, 18, 63, a long tail), the chance of an open by the reader's own history (4 %, 20
/// %, 52 %, 87 %; 18 % overall), clicks of 0.8 % of messages.
///
/// Method: everything random about a profile, and about a campaign in a stretch of profiles, is
/// drawn from a generator seeded by what it is about, so stretches are made side by side and
/// written in order. No floating-point library functions are used: their last digits differ between
/// systems.
package struct DataGenerator {
    private let folder: String
    private let profiles: Int
    private let events: Int
    private let campaigns: Int
    private let seed: UInt64
    private let content: Content

    /// What is written beyond profiles, campaigns, templates and the plainest events.
    package struct Content: Sendable {
        /// Events name the message that they are about.
        package var messages: Bool
        /// Proxies open, and scanners click; events have the column `machine`.
        package var machines: Bool
        package var subscriptions: Bool
        package var goals: Int

        package init(messages: Bool, machines: Bool, subscriptions: Bool, goals: Int) {
            self.messages = messages
            self.machines = machines
            self.subscriptions = subscriptions
            self.goals = goals
        }
    }

    static let stretch = 65_536

    package init(
        folder: String, profiles: Int, events: Int, campaigns: Int, seed: UInt64, _ content: Content
    ) {
        self.content = content
        self.folder = folder
        self.profiles = profiles
        self.events = events
        self.campaigns = campaigns
        self.seed = seed
    }

    package func run(progress: (String) -> Void) throws(WinnowError) {
        let disk = PosixDisk()
        if try disk.list(folder) == nil {
            do throws(WinnowError) { try disk.createDirectory(folder) } catch {
                throw .cannotCreate(path: folder, reason: error.description)
            }
        }
        try write("schema.json", ProfileGenerator.schema)
        let campaigns = Campaign.all(campaigns, seed: seed)
        try write("campaigns.ndjson", campaigns.map(\.json).joined())
        try write("templates.ndjson", campaigns.flatMap(\.templatesJSON).joined())
        let seed = seed
        try write(
            "profiles.csv", ProfileGenerator.header, profiles, ProfileGenerator(seed: seed).rows)
        progress("\(profiles) profiles")
        let audience = Audience(profiles: profiles, seed: seed)
        try writeEvents(campaigns, audience)
        progress("\(events) events")
        if content.subscriptions {
            let generator = SubscriptionGenerator(seed: seed, audience: audience)
            try write(
                "subscriptions.csv", SubscriptionGenerator.header, profiles, generator.rows)
            progress("subscriptions")
        }
        if content.goals > 0 {
            let generator = GoalGenerator(seed: seed, audience: audience)
            try write("goals.csv", GoalGenerator.header, content.goals, generator.rows)
            progress("\(content.goals) goals")
        }
    }

    private func write(_ name: String, _ text: String) throws(WinnowError) {
        let output = try OutputStream(path: folder + "/" + name)
        try output.write(text.utf8)
        try output.flush()
    }

    private static func stretches(of count: Int) -> [Range<Int>] {
        stride(from: 0, to: count, by: stretch).map { $0..<min($0 + stretch, count) }
    }

    /// Writes a file of so many things, whose rows are made a stretch at a time.
    private func write(
        _ name: String, _ header: String, _ count: Int,
        _ rows: @Sendable (Range<Int>) -> [UInt8]
    ) throws(WinnowError) {
        let output = try OutputStream(path: folder + "/" + name)
        try output.write(header.utf8)
        let stretches = DataGenerator.stretches(of: count)
        for start in stride(from: 0, to: stretches.count, by: 8) {
            let texts = concurrentMap(min(8, stretches.count - start)) { i in
                rows(stretches[start + i])
            }
            for text in texts { try output.write(text) }
        }
        try output.flush()
    }

    /// Rounds of all campaigns until there are enough events, the last cut where the number is
    /// reached.
    private func writeEvents(
        _ campaigns: [Campaign], _ audience: Audience
    ) throws(WinnowError) {
        let output = try OutputStream(path: folder + "/events.csv")
        let (messages, machines) = (content.messages, content.machines)
        try output.write(EventGenerator.header(messages: messages, machines: machines).utf8)
        guard profiles > 0 else { return try output.flush() }
        let stretches = DataGenerator.stretches(of: profiles)
        var left = events
        var round: UInt64 = 0
        while left > 0 {
            let generator = EventGenerator(
                seed: Random.mix(seed &+ round), audience: audience, campaigns: campaigns,
                events: left, messages: messages, machines: machines)
            let jobs = campaigns.indices.flatMap { campaign in stretches.map { (campaign, $0) } }
            for start in stride(from: 0, to: jobs.count, by: 16) where left > 0 {
                let texts = concurrentMap(min(16, jobs.count - start)) { i in
                    generator.lines(campaigns[jobs[start + i].0], jobs[start + i].1)
                }
                for (text, count) in texts where left > 0 {
                    try output.write(
                        count <= left ? text[...] : DataGenerator.first(left, linesOf: text))
                    left -= min(count, left)
                }
            }
            round += 1
        }
        try output.flush()
    }

    private static func first(_ count: Int, linesOf text: [UInt8]) -> ArraySlice<UInt8> {
        var lines = 0
        let end = text.firstIndex { byte in
            if byte == 0x0A { lines += 1 }
            return lines == count
        }
        return text[...(end ?? text.endIndex - 1)]
    }
}

/// SplitMix64: small, fast, and the same everywhere.
struct Random {
    private var state: UInt64

    init(_ parts: UInt64...) {
        state = parts.reduce(0) { Random.mix($0 &+ $1 &+ 0x9E37_79B9_7F4A_7C15) }
    }

    static func mix(_ value: UInt64) -> UInt64 {
        var x = value
        x = (x ^ (x >> 30)) &* 0xBF58_476D_1CE4_E5B9
        x = (x ^ (x >> 27)) &* 0x94D0_49BB_1331_11EB
        return x ^ (x >> 31)
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Random.mix(state)
    }

    /// Uniform in 0 ..< 1.
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Uniform in 0 ..< n.
    mutating func below(_ n: Int) -> Int { Int(next() % UInt64(max(1, n))) }

    mutating func chance(_ p: Double) -> Bool { unit() < p }
}
