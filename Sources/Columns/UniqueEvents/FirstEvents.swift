import WinnowModel

/// Which events of a type are unique events: of each (profile, message) the earliest, and of each
/// (profile, message, link). Found when a chunk is written, kept as two bits an event, and true of
/// that chunk: where several parts have events of the type in a block, evaluation compares their
/// first events once more.
package struct FirstEvents: Sendable {
    /// Bits of an event: first of its message, first of its message and link.
    package static let ofMessage: UInt8 = 1
    package static let ofLink: UInt8 = 2
    static let width = 2

    /// The bits that have a meaning for the type; 0 when nothing is derived from it.
    package static func bits(of type: EventType) -> UInt8 {
        Event.allCases.reduce(0) { bits, event in
            guard event.derivedFrom == type.event, type.channel.has(event) else {
                return bits
            }
            return bits | bit(of: event)
        }
    }

    /// The bit that marks a derived event.
    package static func bit(of event: Event) -> UInt8 {
        event == .uniqueLinkClicked ? ofLink : ofMessage
    }

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
            var firsts = EarliestEvents(
                names, perLink: bit == FirstEvents.ofLink, expecting: events.count)
            for (i, event) in events.enumerated() {
                let key = keys[event.leaf.index]
                firsts.add(
                    UniqueCandidate(
                        row: event.row.inBlock, campaign: key.campaign,
                        template: key.template,
                        link: event.link, message: event.message, time: event.time, tag: UInt32(i)))
            }
            for first in firsts.events { events[Int(first.tag)].first |= bit }
        }
    }
}
