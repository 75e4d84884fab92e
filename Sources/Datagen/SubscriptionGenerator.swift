import WinnowModel

/// Writes the rows of `subscriptions.csv`: where each profile can be reached, and whether it wants
/// to be.
struct SubscriptionGenerator: Sendable {
    let seed: UInt64
    let audience: Audience

    static let header = "profile,channel,resource,status,contact,provider,priority,time\n"

    private static let statuses: [(status: SubscriptionStatus, upTo: Double)] = [
        (.subscribed, 0.84), (.unsubscribed, 0.94), (.hardBounced, 0.97), (.unconfirmed, 0.985),
        (.suspended, 0.993), (.complainer, 0.997), (.invalid, 1),
    ]

    func rows(_ stretch: Range<Int>) -> [UInt8] {
        var out: [UInt8] = []
        let profiles = ProfileGenerator(seed: seed)
        for profile in stretch {
            var random = Random(seed, 8, UInt64(profile))
            for (channel, _) in Audience.reach
            where audience.channels[profile] & 1 << UInt16(channel.rawValue) != 0 {
                switch channel {
                case .email:
                    let email = profiles.email(profile) ?? ""
                    row(profile, channel, "newsletter", email, "", &random, &out)
                    if random.chance(0.3) {
                        row(profile, channel, "sale", email, "", &random, &out)
                    }
                case .push:
                    // A token per device.
                    repeat {
                        let token = String(random.next(), radix: 16)
                        let provider = random.chance(0.7) ? "android_fcm" : "ios_apns"
                        row(profile, channel, "app", token, provider, &random, &out)
                    } while random.chance(0.15)
                default: row(profile, channel, "notices", "", "", &random, &out)
                }
            }
        }
        return out
    }

    private func row(
        _ profile: Int, _ channel: Channel, _ resource: String, _ contact: String,
        _ provider: String, _ random: inout Random, _ out: inout [UInt8]
    ) {
        let u = random.unit()
        let status = SubscriptionGenerator.statuses.first { u < $0.upTo }?.status ?? .subscribed
        let priority = random.chance(0.2) ? "1" : ""
        out.append(
            contentsOf:
                "u\(profile),\(channel.name),\(resource),\(status.name),\(contact),\(provider),\(priority),"
                .utf8)
        YearTime.append(random.below(Campaign.year), to: &out)
        out.append(0x0A)
    }
}
