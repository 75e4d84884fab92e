import WinnowModel

/// Which events of a type are unique events: of each (profile, message) the earliest, and of each
/// (profile, message, link); of all events, and of those of people, or machines, alone. Found when
/// a chunk is written, kept as bits of an event, and true of that chunk: where several parts have
/// events of the type in a block, evaluation compares their first events once more.
package struct FirstEvents: Sendable {
    /// Bits of an event: first of its message, first of its message and link.
    package static let ofMessage: UInt8 = 1
    package static let ofLink: UInt8 = 2
    /// How far to the left the bits are that say the same of events that are first of their actor
    /// only: somebody of the other kind came before.
    private static let actorShift: UInt8 = 2
    static let width = 4

    /// The bits that have a meaning for the type; 0 when nothing is derived from it.
    package static func bits(of type: RecordType) -> UInt8 {
        guard case .event(let type) = type else { return 0 }
        return Event.allCases.reduce(0) { bits, event in
            guard event.derivedFrom == type.event, type.channel.has(event) else {
                return bits
            }
            return bits | bit(of: event)
        }
    }

    /// The bit that marks a derived event.
    private static func bit(of event: Event) -> UInt8 {
        event == .uniqueLinkClicked ? ofLink : ofMessage
    }

    /// The bits of which one marks a derived event, of all events or of one actor's.
    package static func marks(of event: Event, byActor: Bool) -> UInt8 {
        byActor ? bit(of: event) | bit(of: event) << actorShift : bit(of: event)
    }

    private let names: NameOrder
    private let bits: UInt8
    private let byActor: Bool

    /// nil when nothing is derived from the type.
    /// - Parameter byActor: whether the first events of each actor are marked; older parts do not
    ///   have these marks.
    init?(_ type: RecordType, _ names: NameOrder, byActor: Bool = true) {
        bits = FirstEvents.bits(of: type)
        if bits == 0 { return nil }
        self.names = names
        self.byActor = byActor
    }

    func mark(_ events: inout [EventRecord], _ keys: [LeafKey]) {
        let hasBoth = keys.contains { $0.machine } && keys.contains { !$0.machine }
        for bit in [FirstEvents.ofMessage, FirstEvents.ofLink] where bits & bit != 0 {
            for i in firsts(events, keys, bit) { events[i].first |= bit }
            guard byActor, hasBoth else { continue }
            for machine in [false, true] {
                for i in firsts(events, keys, bit, by: machine) where events[i].first & bit == 0 {
                    events[i].first |= bit << FirstEvents.actorShift
                }
            }
        }
    }

    /// The numbers of the earliest events.
    private func firsts(
        _ events: [EventRecord], _ keys: [LeafKey], _ bit: UInt8, by machine: Bool? = nil
    ) -> [Int] {
        var firsts = EarliestEvents(
            names, perLink: bit == FirstEvents.ofLink, expecting: events.count)
        for (i, event) in events.enumerated() {
            let key = keys[event.leaf.index]
            if let machine, machine != key.machine { continue }
            firsts.add(
                UniqueCandidate(
                    row: event.row.inBlock, campaign: key.campaign, template: key.template,
                    link: event.link, message: event.message, time: event.time, tag: UInt32(i)))
        }
        return firsts.events.map { Int($0.tag) }
    }
}
