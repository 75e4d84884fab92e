/// An event of a profile, as it was loaded.
public struct ProfileEvent: Sendable, Hashable {
    /// When it happened.
    public var time: Instant
    /// In which channel.
    public var channel: Channel
    /// What happened.
    public var event: Event
    /// Of which campaign; nil for none.
    @Bytewise public var campaign: String?
    /// Of which template; nil for none.
    @Bytewise public var template: String?
    /// On which link; nil for none.
    @Bytewise public var link: String?
    /// Of which message; nil for none.
    @Bytewise public var message: String?
    /// As how many it counts.
    public var count: UInt32
    /// Whether software did it.
    public var machine: Bool

    package init(
        time: Instant, channel: Channel, event: Event, campaign: String?, template: String?,
        link: String?, message: String?, count: UInt32, machine: Bool
    ) {
        self.time = time
        self.channel = channel
        self.event = event
        self.campaign = campaign
        self.template = template
        self.link = link
        self.message = message
        self.count = count
        self.machine = machine
    }
}

/// A goal of a profile, as it was loaded.
public struct ProfileGoal: Sendable, Hashable {
    /// When it was reached.
    public var time: Instant
    /// Where it was reached.
    @Bytewise public var pixel: String
    /// Which one it is.
    @Bytewise public var goal: String
    /// As a decimal number without zeros at its end; nil for none.
    public var value: String?

    package init(time: Instant, pixel: String, goal: String, value: String?) {
        self.time = time
        self.pixel = pixel
        self.goal = goal
        self.value = value
    }
}

/// A subscription of a profile, as it was loaded last.
public struct ProfileSubscription: Sendable, Hashable {
    /// How the profile is reached.
    public var channel: Channel
    /// What it is subscribed to.
    @Bytewise public var resource: String
    /// What the subscription is.
    public var status: SubscriptionStatus
    /// The address or token; nil for none.
    @Bytewise public var contact: String?
    /// Who delivers; nil for none.
    @Bytewise public var provider: String?
    /// nil for none.
    public var priority: Int64?
    /// Since when; nil for no time.
    public var time: Instant?

    package init(
        channel: Channel, resource: String, status: SubscriptionStatus, contact: String?,
        provider: String?, priority: Int64?, time: Instant?
    ) {
        self.channel = channel
        self.resource = resource
        self.status = status
        self.contact = contact
        self.provider = provider
        self.priority = priority
        self.time = time
    }
}
