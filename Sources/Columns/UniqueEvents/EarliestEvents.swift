/// An event that may be the first of its message.
package struct UniqueCandidate: Sendable {
    package var row: UInt16
    package var campaign, template, link: NameCode
    package var message: UInt32
    package var time: Int64
    /// The caller's own.
    package var tag: UInt32

    package init(
        row: UInt16, campaign: NameCode, template: NameCode, link: NameCode, message: UInt32,
        time: Int64, tag: UInt32
    ) {
        self.row = row
        self.campaign = campaign
        self.template = template
        self.link = link
        self.message = message
        self.time = time
        self.tag = tag
    }
}

/// The earliest event of each message, in a hash table. An event without a message id belongs to
/// the message (campaign, template).
package struct EarliestEvents {
    package private(set) var events: [UniqueCandidate] = []
    private var slots: [UInt32]
    private let names: NameOrder
    private let perLink: Bool

    /// `perLink`: of each message and link.
    package init(_ names: NameOrder, perLink: Bool, expecting: Int = 0) {
        self.names = names
        self.perLink = perLink
        var size = 64
        while size < expecting * 2 { size *= 2 }
        slots = Array(repeating: 0, count: size)
    }

    package mutating func add(_ event: UniqueCandidate) {
        var slot = hash(event)
        while slots[slot] != 0 {
            let other = Int(slots[slot]) - 1
            if isSame(events[other], event) {
                if names.comes(event, before: events[other]) { events[other] = event }
                return
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        events.append(event)
        slots[slot] = UInt32(events.count)
        if events.count * 2 > slots.count { grow() }
    }

    private mutating func grow() {
        slots = Array(repeating: 0, count: slots.count * 4)
        for (i, event) in events.enumerated() {
            var slot = hash(event)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = UInt32(i + 1)
        }
    }

    private func hash(_ event: UniqueCandidate) -> Int {
        var h = UInt64(event.row) << 32 | UInt64(event.message)
        if event.message == 0 {
            let names = UInt64(event.campaign.rawValue) << 32 | UInt64(event.template.rawValue)
            h ^= names &* 0x9E37_79B9_7F4A_7C15
        }
        if perLink { h ^= UInt64(event.link.rawValue) &* 0xC2B2_AE3D_27D4_EB4F }
        h = (h ^ h >> 29) &* 0xD6E8_FEB8_6659_FD93
        return Int(truncatingIfNeeded: h >> 20) & (slots.count - 1)
    }

    private func isSame(_ a: UniqueCandidate, _ b: UniqueCandidate) -> Bool {
        a.row == b.row && a.message == b.message && (!perLink || a.link == b.link)
            && (a.message != 0 || (a.campaign == b.campaign && a.template == b.template))
    }
}
