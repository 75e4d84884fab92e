import JSON
import Model

/// Reads an `activity` node.
struct ActivityReader {
    private let object: RuleObject

    private static let counting = ["at_least", "at_most", "exactly", "between"]
    private static let operators = ["exists", "does_not_exist", "not_happened"] + counting

    init(_ value: JSONValue, _ path: String) throws(WinnowError) {
        object = try RuleObject(
            value, path,
            allowed: [
                "channel", "event", "operator", "times", "campaigns", "templates", "links", "during", "preceded_by",
                "counting",
            ])
    }

    func activity() throws(WinnowError) -> Activity {
        let channelName = try object.required("channel"), eventName = try object.required("event")
        guard let channel = Channel(name: try channelName.string()) else {
            let names = Channel.allCases.map(\.name).joined(separator: ", ")
            throw channelName.error("unknown channel “\(try channelName.string())”; the channels are \(names)")
        }
        let event = try event(eventName, in: channel)
        let name = try object.required("operator"), text = try name.string()
        guard ActivityReader.operators.contains(text) else {
            throw name.error(
                "unknown operator “\(text)”; the operators are "
                    + ActivityReader.operators.joined(separator: ", "))
        }
        if text == "exists" || text == "does_not_exist" {
            let instead = text == "exists" ? "at_least" : "not_happened"
            try object.refuse(
                ["campaigns", "templates", "links", "during", "preceded_by", "counting"],
                because: "“\(text)” looks at all activity; use “\(instead)” to restrict it")
        }
        if !ActivityReader.counting.contains(text) {
            try object.refuse(["times"], because: "“\(text)” takes no number")
        }
        if text != "not_happened" {
            try object.refuse(["preceded_by"], because: "only “not_happened” takes a preceding event")
        }
        if !event.takesLinks {
            try object.refuse(["links"], because: "only clicks have links, not “\(event.name)”")
        }
        if let counting = object.optional("counting"), object.optional("preceded_by") != nil {
            throw counting.error("“counting” and “preceded_by” do not go together")
        }
        let counting = try object.optional("counting")?.choice(Activity.Counting.self) ?? .total
        let selectors = [object.optional("campaigns"), object.optional("templates")].compactMap { $0 }
        if counting != .total, selectors.count != 1 {
            throw .invalidRule(
                path: object.path + ".counting",
                message: "“\(counting.rawValue)” needs exactly one of campaigns and templates")
        }
        return Activity(
            channel, event, try condition(text),
            campaigns: try object.optional("campaigns").map(selector),
            templates: try object.optional("templates").map(selector),
            links: try object.optional("links")?.strings(),
            during: try object.optional("during").map(WindowReader.window),
            precededBy: try object.optional("preceded_by").map { (value) throws(WinnowError) in
                try preceding(value, in: channel)
            }, counting: counting)
    }

    private func event(_ value: RuleValue, in channel: Channel) throws(WinnowError) -> Event {
        let text = try value.string()
        guard let event = Event(name: text), Catalogue.contains(channel, event) else {
            let legal = Catalogue.events(of: channel).map(\.name).joined(separator: ", ")
            throw value.error("\(channel.name) has no event “\(text)”; its events are \(legal)")
        }
        return event
    }

    private func condition(_ text: String) throws(WinnowError) -> CountCondition {
        switch text {
        case "exists": return .exists
        case "does_not_exist": return .doesNotExist
        case "not_happened": return .notHappened
        default: break
        }
        let times = try object.required("times"), limit = Int64(UInt32.max)
        if text == "between" {
            let ends = try times.elements()
            guard ends.count == 2 else { throw times.error("expected [lowest, highest]") }
            let lo = try ends[0].integer(0...limit), hi = try ends[1].integer(0...limit)
            guard lo <= hi else { throw times.error("the lowest number, \(lo), is above the highest, \(hi)") }
            return .between(UInt32(lo), UInt32(hi))
        }
        if text == "at_least" {
            if case .number("0") = times.value {
                throw times.error("at least 0 times holds for everybody; use “not_happened” for never")
            }
            return .atLeast(UInt32(try times.integer(1...limit)))
        }
        let n = UInt32(try times.integer(0...limit))
        return text == "at_most" ? .atMost(n) : .exactly(n)
    }

    private func selector(_ value: RuleValue) throws(WinnowError) -> Selector {
        if case .array = value.value { return Selector(ids: try value.strings()) }
        guard case .object = value.value else {
            throw value.error("expected an array of ids or an object, not \(value.value.kind)")
        }
        let object = try RuleObject(value.value, value.path, allowed: ["ids", "tags", "all_tags", "attributes"])
        let result = Selector(
            ids: try object.optional("ids")?.strings() ?? [], tags: try object.optional("tags")?.strings() ?? [],
            allTags: try object.optional("all_tags")?.strings() ?? [],
            attributes: try object.optional("attributes").map(attributes) ?? [])
        guard !result.ids.isEmpty || result.hasConditions else { throw value.error("the selector is empty") }
        return result
    }

    private func attributes(_ value: RuleValue) throws(WinnowError) -> [Selector.AttributeCondition] {
        guard case .object(let members) = value.value else {
            throw value.error("expected an object, not \(value.value.kind)")
        }
        guard !members.isEmpty else { throw value.error("the object is empty") }
        var seen: Set<[UInt8]> = [], result: [Selector.AttributeCondition] = []
        for (key, content) in members {
            let member = RuleValue(value: content, path: "\(value.path).\(key)")
            guard seen.insert(Array(key.utf8)).inserted else { throw member.error("the key is repeated") }
            if case .string(let text) = content {
                result.append(.init(key: key, values: [text]))
            } else {
                result.append(.init(key: key, values: try member.strings()))
            }
        }
        return result
    }

    private func preceding(_ value: RuleValue, in channel: Channel) throws(WinnowError) -> Preceding {
        let object = try RuleObject(value.value, value.path, allowed: ["event", "at_least", "pairing"])
        let name = try object.required("event"), event = try event(name, in: channel)
        let pairing = try object.optional("pairing")?.choice(Preceding.Pairing.self) ?? .scope
        let atLeast = try object.optional("at_least")?.integer(1...Int64(UInt32.max)) ?? 1
        return Preceding(event, atLeast: UInt32(atLeast), pairing: pairing)
    }
}

/// Reads a window.
enum WindowReader {
    static func window(_ value: RuleValue) throws(WinnowError) -> Window {
        let object = try RuleObject(
            value.value, value.path, allowed: ["last", "unit", "mode", "days_ago", "from", "to"])
        let kinds = [["last", "unit", "mode"], ["days_ago"], ["from", "to"]]
        let used = kinds.filter { $0.contains { object.optional($0) != nil } }
        guard used.count == 1 else {
            throw value.error("a window has either last, or days_ago, or from and to")
        }
        if let ago = object.optional("days_ago") { return try daysAgo(ago) }
        if used[0] == ["from", "to"] { return try absolute(object, value) }
        return try last(object)
    }

    /// Further back than any year that counts, in every unit.
    private static let longest: Int64 = 10_000_000_000

    private static func last(_ object: RuleObject) throws(WinnowError) -> Window {
        let count = try object.required("last").natural(upTo: longest)
        let unit = try object.optional("unit")?.choice(Window.Unit.self) ?? .days
        let short = unit == .minutes || unit == .hours
        var mode: Window.Mode = short ? .rolling : .calendar
        if let chosen = object.optional("mode") {
            mode = try chosen.choice(Window.Mode.self)
            if short && mode == .calendar { throw chosen.error("\(unit.rawValue) are always rolling") }
        }
        return .last(Int(count), unit, mode)
    }

    private static func daysAgo(_ value: RuleValue) throws(WinnowError) -> Window {
        let ends = try value.elements()
        guard ends.count == 2 else { throw value.error("expected [first, last], for example [14, 7]") }
        let first = try ends[0].natural(upTo: longest), last = try ends[1].natural(upTo: longest)
        guard first >= last else {
            throw value.error("the first day, \(first) days ago, lies behind the last, \(last)")
        }
        return .daysAgo(Int(first), Int(last))
    }

    private static func absolute(_ object: RuleObject, _ value: RuleValue) throws(WinnowError) -> Window {
        let from = try object.optional("from").map(time), to = try object.optional("to").map(time)
        switch (from, to) {
        case (.date(let from)?, .date(let to)?):
            guard from <= to else { throw value.error("from \(from) lies behind to \(to)") }
            return .dates(from: from, to: to)
        case (.date(let from)?, nil): return .dates(from: from, to: nil)
        case (nil, .date(let to)?): return .dates(from: nil, to: to)
        case (.instant(let from)?, .instant(let to)?):
            guard from <= to else { throw value.error("from \(from) lies behind to \(to)") }
            return .instants(from: from, to: to)
        case (.instant(let from)?, nil): return .instants(from: from, to: nil)
        case (nil, .instant(let to)?): return .instants(from: nil, to: to)
        default: throw value.error("from and to must both be dates or both be instants")
        }
    }

    enum Time { case date(CivilDate), instant(Instant) }

    static func time(_ value: RuleValue) throws(WinnowError) -> Time {
        let text = try value.string()
        if let date = CivilDate(text) { return .date(date) }
        if let instant = Instant(text) { return .instant(instant) }
        throw value.error("“\(text)” is neither a date (2026-01-31) nor an instant (2026-01-31T12:00:00Z)")
    }
}
