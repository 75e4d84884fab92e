import Format
import Model

/// Which events of a type are unique events: of each (profile, message) the earliest, and of each (profile, message,
/// link). Found when a chunk is written, kept as two bits an event, and true of that chunk: where several parts have
/// events of the type in a block, evaluation compares their first events once more.
package struct FirstEvents: Sendable {
    /// Bits of an event: first of its message, first of its message and link.
    package static let ofMessage: UInt8 = 1, ofLink: UInt8 = 2
    static let width = 2

    /// The bits that have a meaning for the type; 0 when nothing is derived from it.
    package static func bits(of type: EventType) -> UInt8 {
        Event.allCases.reduce(0) { bits, event in
            guard event.derivedFrom == type.event, Catalogue.contains(type.channel, event) else { return bits }
            return bits | bit(of: event)
        }
    }

    /// The bit that marks a derived event.
    package static func bit(of event: Event) -> UInt8 { event == .uniqueLinkClicked ? ofLink : ofMessage }

    private let names: NameOrder
    private let bits: UInt8

    /// nil when nothing is derived from the type.
    init?(_ type: EventType, _ names: NameOrder) {
        bits = FirstEvents.bits(of: type)
        if bits == 0 { return nil }
        self.names = names
    }

    func mark(_ events: inout [EventRecord], _ keys: [LeafKey]) {
        for bit in [FirstEvents.ofMessage, FirstEvents.ofLink] where bits & bit != 0 {
            var firsts = EarliestEvents(names, perLink: bit == FirstEvents.ofLink, expecting: events.count)
            for (i, event) in events.enumerated() {
                let key = keys[Int(event.leaf)]
                firsts.add(
                    UniqueCandidate(
                        row: UInt16(truncatingIfNeeded: event.row), campaign: key.campaign, template: key.template,
                        link: event.link, message: event.message, time: event.time, tag: UInt32(i)))
            }
            for first in firsts.events { events[Int(first.tag)].first |= bit }
        }
    }
}

/// An event that may be the first of its message. Names are codes plus one, zero for none.
package struct UniqueCandidate: Sendable {
    package var row: UInt16
    package var campaign, template, link, message: UInt32
    package var time: Int64
    /// The caller's own.
    package var tag: UInt32

    package init(
        row: UInt16, campaign: UInt32, template: UInt32, link: UInt32, message: UInt32, time: Int64, tag: UInt32
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

/// The earliest event of each message, in a hash table. An event without a message id belongs to the message (campaign,
/// template).
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
        if event.message == 0 { h ^= (UInt64(event.campaign) << 32 | UInt64(event.template)) &* 0x9E37_79B9_7F4A_7C15 }
        if perLink { h ^= UInt64(event.link) &* 0xC2B2_AE3D_27D4_EB4F }
        h = (h ^ h >> 29) &* 0xD6E8_FEB8_6659_FD93
        return Int(truncatingIfNeeded: h >> 20) & (slots.count - 1)
    }

    private func isSame(_ a: UniqueCandidate, _ b: UniqueCandidate) -> Bool {
        a.row == b.row && a.message == b.message && (!perLink || a.link == b.link)
            && (a.message != 0 || (a.campaign == b.campaign && a.template == b.template))
    }
}

/// Names by their bytes, given their codes plus one; none comes first.
package struct NameOrder: Sendable {
    private let names: [Namespace: (tables: StringTables, new: StringInterner?)]

    package init(_ names: [Namespace: GrowingStrings]) { self.names = names.mapValues { ($0.tables, $0.new) } }

    package init(_ names: [Namespace: StringTables]) { self.names = names.mapValues { ($0, nil) } }

    /// By time, then campaign, template and link.
    func comes(_ a: UniqueCandidate, before b: UniqueCandidate) -> Bool {
        if a.time != b.time { return a.time < b.time }
        if a.campaign != b.campaign { return precedes(.campaign, a.campaign, b.campaign) }
        if a.template != b.template { return precedes(.template, a.template, b.template) }
        return a.link != b.link && precedes(.link, a.link, b.link)
    }

    private func precedes(_ namespace: Namespace, _ a: UInt32, _ b: UInt32) -> Bool {
        guard a > 0, b > 0 else { return a == 0 }
        return bytes(namespace, a - 1).lexicographicallyPrecedes(bytes(namespace, b - 1))
    }

    private func bytes(_ namespace: Namespace, _ code: UInt32) -> [UInt8] {
        guard let (tables, new) = names[namespace] else { return [] }
        if let known = tables.bytes(code) { return Array(known) }
        guard let new, code >= new.first, Int(code - new.first) < new.count else { return [] }
        return Array(new.bytes(Int(code - new.first)))
    }
}
