import WinnowJSON
import WinnowModel

/// Profiles by their subscriptions: by how many records meet some conditions, all of them bound to
/// one record; or whether they can be reached.
public struct SubscriptionCondition: Sendable, Hashable {
    /// What is asked.
    public enum Question: Sendable, Hashable {
        /// How many records there are that meet the conditions.
        case records(CountCondition)
        /// Whether the profile's global status, and one record that meets the conditions, is
        /// `subscribed`. Needs a channel, and takes resources besides.
        case reachable
    }

    /// What is asked.
    public var question: Question
    /// The channel of the record; nil for any.
    public var channel: Channel?
    /// Resources of which it is one; nil for any.
    @Bytewise public var resources: [String]?
    /// Statuses of which it has one; nil for any.
    public var statuses: [SubscriptionStatus]?
    /// Providers of which it has one; nil for any, and for none.
    @Bytewise public var providers: [String]?
    /// Contacts of which it has one; nil for any, and for none.
    @Bytewise public var contacts: [String]?
    /// When its time is, like a window on a datetime field; nil for ever, and for records without a
    /// time.
    public var during: Window?

    /// A condition on subscriptions.
    public init(
        _ question: Question, channel: Channel? = nil, resources: [String]? = nil,
        statuses: [SubscriptionStatus]? = nil, providers: [String]? = nil,
        contacts: [String]? = nil, during: Window? = nil
    ) {
        self.question = question
        self.channel = channel
        self.resources = resources
        self.statuses = statuses
        self.providers = providers
        self.contacts = contacts
        self.during = during
    }
}

extension Rule {
    /// Profiles by their subscriptions.
    public static func subscription(_ condition: SubscriptionCondition) -> Rule {
        Rule(.subscription(condition))
    }
}

extension Segment {
    /// Profiles by how many records of subscriptions meet all that is given:
    /// `.subscription(channel: .push, statuses: [.subscribed])`.
    public static func subscription(
        _ condition: CountCondition = .exists, channel: Channel? = nil,
        resources: [String]? = nil, statuses: [SubscriptionStatus]? = nil,
        providers: [String]? = nil, contacts: [String]? = nil, during window: Window? = nil
    ) -> Segment {
        Segment(
            .subscription(
                SubscriptionCondition(
                    .records(condition), channel: channel, resources: resources,
                    statuses: statuses, providers: providers, contacts: contacts, during: window)))
    }

    /// Profiles that can be reached in a channel: their global status is `subscribed`, and so is a
    /// record of the channel, on one of the resources.
    public static func reachable(by channel: Channel, resources: [String]? = nil) -> Segment {
        Segment(
            .subscription(
                SubscriptionCondition(.reachable, channel: channel, resources: resources)))
    }
}

extension RuleKey {
    package static let resource: RuleKey = "resource"
    package static let status: RuleKey = "status"
    package static let provider: RuleKey = "provider"
    package static let contact: RuleKey = "contact"
}

extension SubscriptionCondition: RuleCondition {
    package static let key: RuleKey = "subscription"
    static let openings = ["subscription", reachableBy]
    static let words: [(json: String, words: String?)] =
        CountOperator.allCases.map { ($0.rawValue, $0.words) } + [(reachable, nil)]
    private static let reachable = "reachable"
    private static let reachableBy = "reachable by"
    var node: Rule.Node { .subscription(self) }
    var timeUse: TimeUse { during?.timeUse ?? .none }

    /// Of two conditions that ask the same with `exists` and with `does_not_exist` one is the
    /// negation of the other, whatever else they say.
    var positive: Rule.Node? {
        guard isNegative else { return nil }
        var other = self
        other.question = .records(.exists)
        return other.node
    }

    var isNegative: Bool {
        question == .records(.doesNotExist) || question == .records(.notHappened)
    }

    var keyOfEverybody: RuleKey? { question == .records(.atMost(.max)) ? .times : nil }

    func validate() throws(WinnowError) {
        switch question {
        case .records(let condition): try condition.validate()
        case .reachable:
            let others: [(RuleKey, Bool)] = [
                (.status, statuses != nil), (.provider, providers != nil),
                (.contact, contacts != nil), (.during, during != nil),
            ]
            for (key, isGiven) in others where isGiven {
                throw .invalidRule(at: key, "“reachable” takes a channel and resources alone")
            }
            guard channel != nil else {
                throw .invalidRule("“reachable” needs a channel")
            }
        }
        let lists: [(RuleKey, Int?)] = [
            (.resource, resources?.count), (.status, statuses?.count),
            (.provider, providers?.count), (.contact, contacts?.count),
        ]
        for case (let key, let count?) in lists {
            try inside(key) { () throws(WinnowError) in try RuleLimits.validate(count: count) }
        }
        try inside(.during) { () throws(WinnowError) in
            try during?.validate()
            if during?.liesAhead == true {
                throw .invalidRule("subscriptions take no window that lies ahead as a whole")
            }
        }
    }

    // MARK: JSON

    static func read(_ value: RuleValue) throws(WinnowError) -> SubscriptionCondition {
        let object = try RuleObject(
            value,
            allowed: [
                .channel, .operator, .times, .resource, .status, .provider, .contact, .during,
            ])
        let name = try object.required(.operator)
        let question: Question
        if try name.string() == reachable {
            try object.refuse(.times, because: "“\(reachable)” takes no number")
            question = .reachable
        } else {
            question = .records(try CountCondition.read(object, or: [reachable]))
        }
        return SubscriptionCondition(
            question,
            channel: try object.optional(.channel).map { (value) throws(WinnowError) in
                try value.channel()
            },
            resources: try object.optional(.resource)?.oneOrMore(),
            statuses: try object.optional(.status).map(statuses),
            providers: try object.optional(.provider)?.oneOrMore(),
            contacts: try object.optional(.contact)?.oneOrMore(),
            during: try object.optional(.during).map(WindowReader.window))
    }

    private static func statuses(_ value: RuleValue) throws(WinnowError) -> [SubscriptionStatus] {
        func status(_ value: RuleValue) throws(WinnowError) -> SubscriptionStatus {
            let name = try value.string()
            guard let status = SubscriptionStatus(name: name) else {
                throw value.error(unknownStatus(name))
            }
            return status
        }
        if case .string = value.value { return [try status(value)] }
        var statuses: [SubscriptionStatus] = []
        for element in try value.elements() { statuses.append(try status(element)) }
        return statuses
    }

    private static func unknownStatus(_ name: String) -> String {
        let names = SubscriptionStatus.allCases.map(\.name)
        return "unknown status “\(name)”\(nearestHint(for: name, among: names)); "
            + "the statuses are \(names.joined(separator: ", "))"
    }

    package func write(to json: inout JSONWriter) {
        json.object { json in
            switch question {
            case .records(let condition): condition.write(to: &json)
            case .reachable: json.member(.operator, SubscriptionCondition.reachable)
            }
            if let channel { json.member(.channel, channel.name) }
            if let resources { json.member(.resource, resources) }
            if let statuses { json.member(.status, statuses.map(\.name)) }
            if let providers { json.member(.provider, providers) }
            if let contacts { json.member(.contact, contacts) }
            if let during { json.member(.during, during) }
        }
    }

    // MARK: Text

    /// subscription = "subscription" op [ "channel" CHANNEL ] [ "resource" list ] [ "status" list ]
    ///                [ "provider" list ] [ "contact" list ] [ window ]
    ///              | "reachable" "by" CHANNEL [ "resource" list ]
    static func read(
        _ reader: inout TextReader, after opening: String?
    ) throws(WinnowError) -> SubscriptionCondition? {
        let isReachable = opening == reachableBy
        var condition = SubscriptionCondition(.reachable)
        if isReachable {
            reader.mark([key, .channel])
            condition.channel = try reader.channelName()
        } else {
            condition.question = .records(try reader.count(of: key))
            reader.mark([key, .channel])
            if reader.take("channel") { condition.channel = try reader.channelName() }
        }
        condition.resources = try reader.strings(after: "resource", [key, .resource])
        if isReachable { return condition }
        reader.mark([key, .status])
        if reader.take("status") {
            condition.statuses = try reader.list { (reader) throws(WinnowError) in
                let place = reader.token.start
                let name = try reader.string()
                guard let status = SubscriptionStatus(name: name) else {
                    throw reader.error(unknownStatus(name), at: place)
                }
                return status
            }
        }
        condition.providers = try reader.strings(after: "provider", [key, .provider])
        condition.contacts = try reader.strings(after: "contact", [key, .contact])
        condition.during = try reader.window([key, .during])
        return condition
    }

    func text() -> String {
        var words: [String]
        switch question {
        case .reachable: words = [SubscriptionCondition.reachableBy, channel?.name ?? ""]
        case .records(let condition):
            words = ["subscription", condition.text]
            if let channel { words += ["channel", channel.name] }
        }
        let lists = [
            ("resource", resources), ("status", statuses?.map(\.name)), ("provider", providers),
            ("contact", contacts),
        ]
        for case (let word, let list?) in lists { words += [word, TextWords.quoted(list)] }
        if let during { words.append(during.text) }
        return words.joined(separator: " ")
    }
}

extension RuleValue {
    /// A channel by its name.
    func channel() throws(WinnowError) -> Channel {
        let name = try string()
        guard let channel = Channel(name: name) else { throw Channel.unknown(name, path) }
        return channel
    }

    /// A string, or an array of strings.
    func oneOrMore() throws(WinnowError) -> [String] {
        if case .string(let text) = value { return [text] }
        return try strings()
    }
}

extension TextReader {
    /// A channel by its name, which must be here.
    mutating func channelName() throws(WinnowError) -> Channel {
        guard case .word = token.kind else { throw failure(expecting: "a channel") }
        guard let channel = Channel(name: lexer.lowercased(token)) else {
            throw error(Channel.unknown(shown(token)))
        }
        advance()
        return channel
    }

    /// The strings after a word, if it is here.
    mutating func strings(
        after word: String, _ place: [RuleKey]
    ) throws(WinnowError) -> [String]? {
        mark(place)
        return take(word) ? try strings() : nil
    }
}
