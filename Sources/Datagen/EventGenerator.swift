import WinnowModel

/// What is drawn once per profile: how many messages it gets, how likely it opens them, where it
/// can be reached.
struct Audience: Sendable {
    let activity: [Float]
    let openness: [Float]
    let channels: [UInt16]

    static let reach: [(Channel, Double)] = [
        (.email, 0.75), (.push, 0.4), (.sms, 0.3), (.whatsapp, 0.1), (.viber, 0.1),
        (.telegramBot, 0.08),
    ]

    /// Messages per client: share of clients, messages.
    private static let quantiles: [(Double, Double)] = [
        (0, 0), (0.25, 1), (0.5, 18), (0.75, 63), (0.9, 115), (0.97, 190), (0.995, 330), (1, 900),
    ]
    private static let meanMessages = 44.0

    init(profiles: Int, seed: UInt64) {
        var activity: [Float] = []
        var openness: [Float] = []
        var channels: [UInt16] = []
        activity.reserveCapacity(profiles)
        openness.reserveCapacity(profiles)
        channels.reserveCapacity(profiles)
        for profile in 0..<profiles {
            var random = Random(seed, 3, UInt64(profile))
            activity.append(Float(Audience.messages(random.unit()) / Audience.meanMessages))
            let u = random.unit()
            openness.append(u < 0.62 ? 0.035 : u < 0.83 ? 0.2 : u < 0.96 ? 0.515 : 0.867)
            var mask: UInt16 = 0
            for (channel, share) in Audience.reach where random.chance(share) {
                mask |= 1 << UInt16(channel.rawValue)
            }
            channels.append(mask)
        }
        self.activity = activity
        self.openness = openness
        self.channels = channels
    }

    private static func messages(_ u: Double) -> Double {
        for (low, high) in zip(quantiles, quantiles.dropFirst()) where u <= high.0 {
            return low.1 + (high.1 - low.1) * (u - low.0) / (high.0 - low.0)
        }
        return quantiles[quantiles.count - 1].1
    }
}

/// Writes the lines of `events.csv`, a campaign and a stretch of profiles at a time.
struct EventGenerator: Sendable {
    static func header(messages: Bool, machines: Bool) -> String {
        "profile,channel,event,time,campaign,template,link" + (messages ? ",message" : "")
            + (machines ? ",machine\n" : "\n")
    }

    private let seed: UInt64
    private let audience: Audience
    /// Messages per unit of a campaign's weight and a profile's activity.
    private let rate: Double
    private let messages: Bool
    private let machines: Bool

    /// Events that one message of a channel leads to, on average; only to size the year.
    private static func eventsPerMessage(_ channel: Channel, machines: Bool) -> Double {
        switch channel {
        case .email: machines ? 2.67 : 2.27
        case .push: 2.1
        default: 2.5
        }
    }

    init(
        seed: UInt64, audience: Audience, campaigns: [Campaign], events: Int, messages: Bool,
        machines: Bool
    ) {
        self.messages = messages
        self.machines = machines
        self.seed = seed
        self.audience = audience
        var expected = 0.0
        for campaign in campaigns {
            let reach = Audience.reach.first { $0.0 == campaign.channel }?.1 ?? 0
            expected +=
                campaign.weight * reach
                * EventGenerator.eventsPerMessage(campaign.channel, machines: machines)
        }
        // A little more than needed: cutting is cheaper than another round.
        rate = 1.04 * Double(events) / (expected * Double(max(1, audience.activity.count)))
    }

    func lines(_ campaign: Campaign, _ stretch: Range<Int>) -> (text: [UInt8], count: Int) {
        var random = Random(seed, 4, UInt64(campaign.number), UInt64(stretch.lowerBound))
        var writer = LineWriter(campaign, machines: machines)
        let bit: UInt16 = 1 << UInt16(campaign.channel.rawValue)
        for profile in stretch where audience.channels[profile] & bit != 0 {
            let expected = rate * campaign.weight * Double(audience.activity[profile])
            var messages = Int(expected)
            if random.chance(expected - Double(messages)) { messages += 1 }
            for _ in 0..<messages {
                message(campaign, profile, Double(audience.openness[profile]), &random, &writer)
            }
        }
        return (writer.text, writer.count)
    }

    private func message(
        _ campaign: Campaign, _ profile: Int, _ openness: Double, _ random: inout Random,
        _ out: inout LineWriter
    ) {
        let u = random.unit()
        let sent =
            campaign.alwaysOn
            ? Int(u * Double(Campaign.year)) : campaign.start + Int(u * u * 21_600)
        let template = campaign.templates.lowerBound + random.below(campaign.templates.count)
        let mixed = Random.mix(UInt64(profile) << 32 ^ UInt64(campaign.number) << 52 ^ UInt64(sent))
        out.begin(profile, template, message: messages ? UInt64(sent) << 26 | mixed >> 38 : nil)
        out.put(.sent, sent)
        let delivered = sent + 1 + random.below(30)
        guard random.chance(campaign.channel == .push ? 0.9 : 0.97) else {
            if campaign.channel == .email {
                out.put(random.chance(0.3) ? .hardBounced : .softBounced, delivered)
            } else if campaign.channel != .push {
                out.put(.undelivered, delivered)
            }
            return
        }
        out.put(.delivered, delivered)
        switch campaign.channel {
        case .email:
            if machines { software(profile, delivered, &out) }
            email(delivered, openness, &random, &out)
        case .push: if random.chance(openness * 0.4) { opened(delivered, 0.04, &random, &out) }
        case .sms: clicked(delivered, openness * 0.06, &random, &out)
        case .whatsapp, .viber:
            guard random.chance(0.3 + openness * 0.6) else { return }
            let read = delay(delivered, &random)
            out.put(.read, read)
            if random.chance(openness * 0.12) {
                out.put(.clicked, read + 5 + random.below(60), link: random.link())
            }
        default: clicked(delivered, openness * 0.08, &random, &out)
        }
    }

    private func clicked(
        _ delivered: Int, _ chance: Double, _ random: inout Random, _ out: inout LineWriter
    ) {
        if random.chance(chance) {
            out.put(.clicked, delay(delivered, &random), link: random.link())
        }
    }

    private func email(
        _ delivered: Int, _ openness: Double, _ random: inout Random, _ out: inout LineWriter
    ) {
        if random.chance(0.0002) { out.put(.complained, delay(delivered, &random)) }
        guard random.chance(openness) else { return }
        opened(delivered, 0.045, &random, &out)
    }

    /// What software does with a message, drawn apart so that people do the same with and without
    /// it: the mail of two in five goes through a proxy that fetches its images, and scanners follow
    /// the links of three in a hundred.
    private func software(_ profile: Int, _ delivered: Int, _ out: inout LineWriter) {
        var reader = Random(seed, 6, UInt64(profile))
        let hasProxy = reader.chance(0.4)
        let hasScanner = reader.chance(0.03)
        var random = Random(seed, 7, UInt64(profile), UInt64(delivered))
        if hasScanner {
            for link in 1...3 {
                out.put(.clicked, delivered + 1 + link, link: link, isMachine: true)
            }
        }
        if hasProxy, random.chance(0.9) {
            out.put(.opened, delivered + 5 + random.below(1800), isMachine: true)
        }
    }

    private func opened(
        _ delivered: Int, _ click: Double, _ random: inout Random, _ out: inout LineWriter
    ) {
        var time = delay(delivered, &random)
        out.put(.opened, time)
        while random.chance(0.2) {
            time += 60 + random.below(172_800)
            out.put(.opened, time)
        }
        guard random.chance(click) else { return }
        time += 5 + random.below(120)
        out.put(.clicked, time, link: random.link())
        while random.chance(0.25) {
            time += 5 + random.below(300)
            out.put(.clicked, time, link: random.link())
        }
        if random.chance(0.06) { out.put(.unsubscribeClicked, time + 20) }
    }

    /// Hours mostly, two weeks at the most.
    private func delay(_ from: Int, _ random: inout Random) -> Int {
        let u = random.unit()
        let square = u * u
        return from + 20 + Int(square * square * square * 1_200_000)
    }
}

extension Random {
    /// The number of a link, 1 to 20, the first far more often than the last.
    fileprivate mutating func link() -> Int {
        let u = unit()
        return 1 + Int(u * u * 20)
    }
}

/// Formats event lines.
private struct LineWriter {
    private(set) var text: [UInt8] = []
    private(set) var count = 0
    private let channel: [UInt8]
    private let campaign: [UInt8]
    private var profile: [UInt8] = []
    private var template: [UInt8] = []
    private var message: [UInt8] = []
    private let machines: Bool
    private static let names: [[UInt8]] = Event.allCases.map { Array($0.name.utf8) }

    init(_ campaign: Campaign, machines: Bool) {
        self.machines = machines
        channel = Array(",\(campaign.channel.name),".utf8)
        self.campaign = Array(",c\(campaign.number),t".utf8)
        text.reserveCapacity(1 << 16)
    }

    /// What the events that follow are about. Message ids are of the kind that begins with the
    /// time.
    mutating func begin(_ profile: Int, _ template: Int, message: UInt64?) {
        self.profile = Array("u\(profile)".utf8)
        self.template = Array("\(template),".utf8)
        self.message = message.map { Array(",\(String($0, radix: 36))".utf8) } ?? []
    }

    mutating func put(_ event: Event, _ time: Int, link: Int? = nil, isMachine: Bool = false) {
        guard time < Campaign.year else { return }
        text.append(contentsOf: profile)
        text.append(contentsOf: channel)
        text.append(contentsOf: LineWriter.names[Int(event.rawValue)])
        text.append(UInt8(ascii: ","))
        YearTime.append(time, to: &text)
        text.append(contentsOf: campaign)
        text.append(contentsOf: template)
        if let link { text.append(contentsOf: "l\(link)".utf8) }
        text.append(contentsOf: message)
        if machines { text.append(contentsOf: (isMachine ? ",true" : ",false").utf8) }
        text.append(0x0A)
        count += 1
    }
}
