import WinnowJSON
import WinnowModel

extension RuleKey {
    static let last: RuleKey = "last"
    static let next: RuleKey = "next"
    static let daysAgo: RuleKey = "days_ago"
    static let period: RuleKey = "period"
    static let unit: RuleKey = "unit"
    static let mode: RuleKey = "mode"
}

/// Reads a window.
enum WindowReader {
    /// The keys of each kind of window; a window has those of one kind. The first names it.
    private static let kinds: [[RuleKey]] = [
        [.last, .unit, .mode], [.next, .unit, .mode], [.daysAgo], [.period], [.from, .to],
    ]

    static func window(_ value: RuleValue) throws(WinnowError) -> Window {
        var keys: [RuleKey] = []
        for key in kinds.joined() where !keys.contains(key) { keys.append(key) }
        let object = try RuleObject(value, allowed: keys)
        let given = keys.filter { object.optional($0) != nil }
        guard let kind = kinds.first(where: { Set($0).isSuperset(of: given) && !given.isEmpty })
        else { throw value.error(Window.kinds) }
        switch kind[0] {
        case .daysAgo:
            let (first, last) = try object.required(.daysAgo).pair(
                "[first, last], for example [14, 7]")
            return .daysAgo(
                try first.natural(upTo: Window.longest), try last.natural(upTo: Window.longest))
        case .period:
            return .period(try object.required(.period).choice(Window.Period.self))
        case .from: return try absolute(object, value)
        case let key:
            let number = try object.required(key).natural(upTo: Window.longest)
            let unit = try object.optional(.unit)?.choice(Window.Unit.self) ?? .days
            let mode = try object.optional(.mode)?.choice(Window.Mode.self)
            return key == .next ? .next(number, unit, mode) : .last(number, unit, mode)
        }
    }

    private static func absolute(_ object: RuleObject, _ value: RuleValue) throws(WinnowError)
        -> Window
    {
        let from = try object.optional(.from).map(time)
        let to = try object.optional(.to).map(time)
        switch (from, to) {
        case (.day(let from)?, .day(let to)?): return .dates(from: from, to: to)
        case (.day(let from)?, nil): return .dates(from: from, to: nil)
        case (nil, .day(let to)?): return .dates(from: nil, to: to)
        case (.instant(let from)?, .instant(let to)?): return .instants(from: from, to: to)
        case (.instant(let from)?, nil): return .instants(from: from, to: nil)
        case (nil, .instant(let to)?): return .instants(from: nil, to: to)
        default: throw value.error("from and to must both be dates or both be instants")
        }
    }

    private enum Time { case day(Window.Day), instant(Instant) }

    private static func time(_ value: RuleValue) throws(WinnowError) -> Time {
        let text = try value.string()
        if let day = Window.Day(text) { return .day(day) }
        if let instant = Instant(text) { return .instant(instant) }
        throw value.error(
            "“\(text)” is neither a date (2026-01-31, today-7) nor an instant (2026-01-31T12:00:00Z)"
        )
    }
}

extension Window.Period: RawRepresentable, CaseIterable {
    /// Every period, from the day to the year.
    public static let allCases = Which.allCases.flatMap { which in
        Length.allCases.map { Window.Period(which, $0) }
    }

    /// The period of a name, such as `this_month`.
    public init?(rawValue name: String) {
        guard let period = Window.Period.allCases.first(where: { $0.rawValue == name }) else {
            return nil
        }
        self = period
    }

    /// Its name in JSON: `this_month`.
    public var rawValue: String { "\(which.rawValue)_\(length.rawValue)" }
}

// MARK: Writing

extension Window: JSONWritable {
    package func write(to json: inout JSONWriter) {
        func write(_ key: RuleKey, _ n: Int, _ unit: Unit, _ mode: Mode?, _ json: inout JSONWriter)
        {
            json.member(key, Window.bounded(n))
            if unit != .days { json.member(.unit, unit.rawValue) }
            if let mode { json.member(.mode, mode.rawValue) }
        }
        json.object { json in
            switch self {
            case .last(let n, let unit, let mode): write(.last, n, unit, mode, &json)
            case .next(let n, let unit, let mode): write(.next, n, unit, mode, &json)
            case .daysAgo(let first, let last):
                let ends = [Window.bounded(first), Window.bounded(last)]
                json.member(.daysAgo) { $0.array(ends) { $0.value($1) } }
            case .dates(let from, let to):
                if let from { json.member(.from, from.description) }
                if let to { json.member(.to, to.description) }
            case .instants(let from, let to):
                if let from { json.member(.from, from.description) }
                if let to { json.member(.to, to.description) }
            case .period(let period): json.member(.period, period.rawValue)
            }
        }
    }
}
