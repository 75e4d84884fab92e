/// A (channel, event) pair: what one index of the store covers.
public struct EventType: Hashable, Sendable, Comparable {
    /// Where it happens.
    public var channel: Channel
    /// What happens.
    public var event: Event

    /// A pair; whether the event exists in the channel, `Channel.has` says.
    public init(_ channel: Channel, _ event: Event) {
        self.channel = channel
        self.event = event
    }

    /// The pair as one number, as part files store it.
    public var code: UInt16 { UInt16(channel.rawValue) << 8 | UInt16(event.rawValue) }

    /// The pair of a stored number; nil when it names none.
    public init?(code: UInt16) {
        guard let channel = Channel(rawValue: UInt8(code >> 8)),
            let event = Event(rawValue: UInt8(code & 255))
        else { return nil }
        self.init(channel, event)
    }

    /// By channel, then event, in the order of their stored numbers.
    public static func < (a: EventType, b: EventType) -> Bool { a.code < b.code }
}
