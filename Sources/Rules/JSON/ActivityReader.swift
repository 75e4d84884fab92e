import WinnowJSON
import WinnowModel

/// Reads an `activity` node.
struct ActivityReader {
    private let object: RuleObject

    init(_ value: JSONValue, _ path: RulePath) throws(WinnowError) {
        object = try RuleObject(value, path, allowed: RuleKey.activityKeys)
    }

    func activity() throws(WinnowError) -> Activity {
        let channelName = try object.required(.channel), eventName = try object.required(.event)
        guard let channel = Channel(name: try channelName.string()) else {
            throw Channel.unknown(try channelName.string(), channelName.path)
        }
        let event = try event(eventName, in: channel)
        let name = try object.required(.operator), text = try name.string()
        guard let op = CountOperator(rawValue: text) else {
            throw name.unknownOperator(text, CountOperator.allCases.map(\.rawValue))
        }
        if op.operand == .none { try object.refuse(.times, because: "“\(text)” takes no number") }
        // What is said without an effect is an error, too; the value alone does not tell that it
        // was said.
        if let counting = object.optional(.counting) {
            if let instead = op.restricted {
                throw counting.error(
                    "“\(text)” looks at all activity; use “\(instead.rawValue)” to restrict it")
            }
            if object.optional(.precededBy) != nil {
                throw counting.error("“counting” and “preceded_by” do not go together")
            }
        }
        return Activity(
            channel, event, try condition(op),
            campaigns: try object.optional(.campaigns).map(selector),
            templates: try object.optional(.templates).map(selector),
            links: try object.optional(.links)?.strings(),
            during: try object.optional(.during).map(WindowReader.window),
            precededBy: try object.optional(.precededBy).map { (value) throws(WinnowError) in
                try preceding(value, in: channel)
            }, counting: try object.optional(.counting)?.choice(Activity.Counting.self) ?? .total)
    }

    private func event(_ value: RuleValue, in channel: Channel) throws(WinnowError) -> Event {
        let text = try value.string()
        guard let event = Event(name: text), Catalogue.contains(channel, event) else {
            throw channel.noEvent(text, value.path)
        }
        return event
    }

    private func condition(_ op: CountOperator) throws(WinnowError) -> CountCondition {
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

    private func selector(_ value: RuleValue) throws(WinnowError) -> Selector {
        if case .array = value.value { return Selector(ids: try value.strings()) }
        guard case .object = value.value else {
            throw value.error("expected an array of ids or an object, not \(value.value.kind)")
        }
        let object = try RuleObject(value.value, value.path, allowed: RuleKey.selectorKeys)
        return Selector(
            ids: try object.optional(.ids)?.strings() ?? [],
            tags: try object.optional(.tags)?.strings() ?? [],
            allTags: try object.optional(.allTags)?.strings() ?? [],
            attributes: try object.optional(.attributes).map(attributes) ?? [])
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
        let object = try RuleObject(value.value, value.path, allowed: RuleKey.precedingKeys)
        let event = try event(try object.required(.event), in: channel)
        let pairing = try object.optional(.pairing)?.choice(Preceding.Pairing.self) ?? .scope
        let atLeast = try object.optional(.atLeast)?.integer(1...Int64(UInt32.max)) ?? 1
        return Preceding(event, atLeast: UInt32(atLeast), pairing: pairing)
    }
}
