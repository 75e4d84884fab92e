import WinnowJSON
import WinnowModel

extension RuleKey {
    static let channel: RuleKey = "channel"
    static let event: RuleKey = "event"
    static let times: RuleKey = "times"
    package static let campaigns: RuleKey = "campaigns"
    package static let templates: RuleKey = "templates"
    package static let links: RuleKey = "links"
    package static let during: RuleKey = "during"
    static let precededBy: RuleKey = "preceded_by"
    static let after: RuleKey = "after"
    static let counting: RuleKey = "counting"
    static let by: RuleKey = "by"
    static let latest: RuleKey = "latest"
    static let ids: RuleKey = "ids"
    static let tags: RuleKey = "tags"
    static let allTags: RuleKey = "all_tags"
    static let attributes: RuleKey = "attributes"
    static let atLeast: RuleKey = "at_least"
    static let pairing: RuleKey = "pairing"
    static let which: RuleKey = "which"
    static let within: RuleKey = "within"
}

// MARK: Reading

extension Activity {
    static func read(_ value: RuleValue) throws(WinnowError) -> Activity {
        let keys: [RuleKey] = [
            .channel, .event, .operator, .times, .by, .campaigns, .templates, .links, .during,
            .precededBy, .after, .counting,
        ]
        return try ActivityReader(object: try RuleObject(value, allowed: keys)).activity()
    }
}

/// Reads the object of an activity.
private struct ActivityReader {
    let object: RuleObject

    func activity() throws(WinnowError) -> Activity {
        let channelName = try object.required(.channel)
        let eventName = try object.required(.event)
        let channel = try channelName.channel()
        let event = try event(eventName, in: channel)
        let condition = try CountCondition.read(object)
        // What is said without an effect is an error, too; the value alone does not tell that it
        // was said.
        if let counting = object.optional(.counting) {
            if let instead = condition.operator.restricted {
                throw counting.error(
                    "“\(condition.operator.rawValue)” looks at all activity; use “\(instead.rawValue)” to restrict it"
                )
            }
            if object.optional(.precededBy) != nil {
                throw counting.error("“counting” and “preceded_by” do not go together")
            }
        }
        return Activity(
            channel, event, condition, by: try actor(object),
            campaigns: try object.optional(.campaigns).map(selector),
            templates: try object.optional(.templates).map(selector),
            links: try object.optional(.links)?.strings(),
            during: try object.optional(.during).map(WindowReader.window),
            precededBy: try object.optional(.precededBy).map { (value) throws(WinnowError) in
                try preceding(value, in: channel)
            },
            after: try object.optional(.after).map { (value) throws(WinnowError) in
                try after(value, in: channel)
            }, counting: try object.optional(.counting).map(counting) ?? .total)
    }

    private func actor(_ object: RuleObject) throws(WinnowError) -> Activity.Actor? {
        try object.optional(.by)?.choice(Activity.Actor.self)
    }

    private func counting(_ value: RuleValue) throws(WinnowError) -> Activity.Counting {
        if case .object = value.value {
            let object = try RuleObject(value, allowed: [.atLeast])
            return .atLeast(try object.required(.atLeast).number())
        }
        let text = try value.string()
        let names = Activity.Counting.plain.map(\.name)
        guard let mode = Activity.Counting.plain.first(where: { $0.name == text })?.mode else {
            throw value.error(
                "“\(text)”\(nearestHint(for: text, among: names)) is not one of "
                    + names.joined(separator: ", ") + ", {\"at_least\": …}")
        }
        return mode
    }

    private func event(_ value: RuleValue, in channel: Channel) throws(WinnowError) -> Event {
        let text = try value.string()
        guard let event = Event(name: text), channel.has(event) else {
            throw channel.noEvent(text, value.path)
        }
        return event
    }

    private func selector(_ value: RuleValue) throws(WinnowError) -> Selector {
        if case .array = value.value { return Selector(ids: try value.strings()) }
        guard case .object = value.value else {
            throw value.error("expected an array of ids or an object, not \(value.value.kind)")
        }
        let object = try RuleObject(
            value, allowed: [.ids, .tags, .allTags, .attributes, .latest])
        return Selector(
            ids: try object.optional(.ids)?.strings() ?? [],
            tags: try object.optional(.tags)?.strings() ?? [],
            allTags: try object.optional(.allTags)?.strings() ?? [],
            attributes: try object.optional(.attributes).map(attributes) ?? [],
            latest: try object.optional(.latest).map { (value) throws(WinnowError) in
                try value.number()
            })
    }

    private func attributes(_ value: RuleValue) throws(WinnowError) -> [Selector.AttributeCondition]
    {
        guard case .object(let members) = value.value else {
            throw value.error("expected an object, not \(value.value.kind)")
        }
        guard !members.isEmpty else { throw value.error("the object is empty") }
        var result: [Selector.AttributeCondition] = []
        for (key, content) in members {
            if case .string(let text) = content {
                result.append(.init(key: key, values: [text]))
            } else {
                let member = RuleValue(value: content, path: value.path.key(key))
                result.append(.init(key: key, values: try member.strings()))
            }
        }
        return result
    }

    private func preceding(_ value: RuleValue, in channel: Channel) throws(WinnowError) -> Preceding
    {
        let object = try RuleObject(value, allowed: [.event, .by, .atLeast, .pairing])
        let event = try event(try object.required(.event), in: channel)
        let pairing = try object.optional(.pairing)?.choice(Preceding.Pairing.self) ?? .scope
        let atLeast = try object.optional(.atLeast)?.integer(1...Int64(UInt32.max)) ?? 1
        return Preceding(
            event, by: try actor(object), atLeast: UInt32(atLeast), pairing: pairing)
    }

    private func after(_ value: RuleValue, in channel: Channel) throws(WinnowError) -> After {
        let object = try RuleObject(value, allowed: [.event, .which, .by, .within, .pairing])
        return After(
            try event(try object.required(.event), in: channel),
            which: try object.optional(.which)?.choice(After.Which.self) ?? .last,
            by: try actor(object), within: try object.optional(.within).map(duration),
            pairing: try object.optional(.pairing)?.choice(Preceding.Pairing.self) ?? .scope)
    }

    private func duration(_ value: RuleValue) throws(WinnowError) -> After.Duration {
        let object = try RuleObject(value, allowed: [.next, .unit])
        return After.Duration(
            try object.required(.next).number(),
            try object.optional(.unit)?.choice(Window.Unit.self) ?? .days)
    }
}

extension CountCondition {
    /// Reads how often from the operator of a condition and what it takes.
    /// - Parameter others: operators that the condition has besides, for messages.
    static func read(
        _ object: RuleObject, or others: [String] = []
    ) throws(WinnowError) -> CountCondition {
        let name = try object.required(.operator)
        let text = try name.string()
        guard let op = CountOperator(rawValue: text) else {
            throw name.unknownOperator(text, CountOperator.allCases.map(\.rawValue) + others)
        }
        if op.operand == .none { try object.refuse(.times, because: "“\(text)” takes no number") }
        func number(_ value: RuleValue, from least: UInt32) throws(WinnowError) -> UInt32 {
            // At least 0 is legal JSON, and an error of its own.
            if case .number("0") = value.value { return 0 }
            return UInt32(try value.integer(Int64(least)...Int64(UInt32.max)))
        }
        switch op {
        case .exists: return .exists
        case .doesNotExist: return .doesNotExist
        case .notHappened: return .notHappened
        case .atLeast: return .atLeast(try number(try object.required(.times), from: 1))
        case .atMost: return .atMost(try number(try object.required(.times), from: 0))
        case .exactly: return .exactly(try number(try object.required(.times), from: 0))
        case .between:
            let (lo, hi) = try object.required(.times).pair("[lowest, highest]")
            return .between(try number(lo, from: 0), try number(hi, from: 0))
        }
    }

    /// Writes the operator and what it takes.
    func write(to json: inout JSONWriter) {
        json.member(.operator, self.operator.rawValue)
        switch self {
        case .exists, .doesNotExist, .notHappened: break
        case .atLeast(let n), .atMost(let n), .exactly(let n): json.member(.times, n)
        case .between(let lo, let hi):
            json.member(.times) { $0.array([lo, hi]) { $0.value($1) } }
        }
    }
}

// MARK: Writing

extension Activity {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.member(.channel, type.channel.name)
            json.member(.event, type.event.name)
            condition.write(to: &json)
            if let by { json.member(.by, by.rawValue) }
            if let campaigns { json.member(.campaigns, campaigns) }
            if let templates { json.member(.templates, templates) }
            if let links { json.member(.links, links) }
            if let during { json.member(.during, during) }
            if let precededBy { json.member(.precededBy, precededBy) }
            if let after { json.member(.after, after) }
            if case .atLeast(let objects) = counting {
                json.member(.counting) { $0.object { $0.member(.atLeast, objects) } }
            } else if counting != .total, let name = counting.name {
                json.member(.counting, name)
            }
        }
    }
}

extension Selector: JSONWritable {
    package func write(to json: inout JSONWriter) {
        guard hasConditions || latest != nil else { return json.array(ids) { $0.value($1) } }
        json.object { json in
            if !ids.isEmpty { json.member(.ids, ids) }
            if !tags.isEmpty { json.member(.tags, tags) }
            if !allTags.isEmpty { json.member(.allTags, allTags) }
            if !attributes.isEmpty {
                json.member(.attributes) {
                    $0.object { json in
                        for condition in attributes {
                            json.member(condition.key) {
                                $0.array(condition.values) { $0.value($1) }
                            }
                        }
                    }
                }
            }
            if let latest { json.member(.latest, latest) }
        }
    }
}

extension Preceding: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.member(.event, event.name)
            if let by { json.member(.by, by.rawValue) }
            if atLeast != 1 { json.member(.atLeast, atLeast) }
            if pairing != .scope { json.member(.pairing, pairing.rawValue) }
        }
    }
}

extension After: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.member(.event, event.name)
            if which != .last { json.member(.which, which.rawValue) }
            if let by { json.member(.by, by.rawValue) }
            if let within {
                json.member(.within) { json in
                    json.object { json in
                        json.member(.next, within.number)
                        if within.unit != .days { json.member(.unit, within.unit.rawValue) }
                    }
                }
            }
            if pairing != .scope { json.member(.pairing, pairing.rawValue) }
        }
    }
}

extension Activity.Counting {
    /// The mode's name in JSON; nil for one that takes a number.
    var name: String? { Activity.Counting.plain.first { $0.mode == self }?.name }
}
