import WinnowJSON
import WinnowModel

extension RuleKey {
    static let last: RuleKey = "last"
    static let daysAgo: RuleKey = "days_ago"
    static let unit: RuleKey = "unit"
    static let mode: RuleKey = "mode"
}

/// Reads a window.
enum WindowReader {
    /// The keys of each kind of window; a window has those of one kind.
    private static let kinds: [[RuleKey]] = [[.last, .unit, .mode], [.daysAgo], [.from, .to]]

    static func window(_ value: RuleValue) throws(WinnowError) -> Window {
        let object = try RuleObject(value, allowed: kinds.flatMap { $0 })
        let used = kinds.filter { $0.contains { object.optional($0) != nil } }
        guard used.count == 1 else {
            throw value.error("a window has either last, or days_ago, or from and to")
        }
        switch used[0][0] {
        case .daysAgo:
            let (first, last) = try object.required(.daysAgo).pair(
                "[first, last], for example [14, 7]")
            return .daysAgo(
                try first.natural(upTo: Window.longest), try last.natural(upTo: Window.longest))
        case .from: return try absolute(object, value)
        default:
            return .last(
                try object.required(.last).natural(upTo: Window.longest),
                try object.optional(.unit)?.choice(Window.Unit.self) ?? .days,
                try object.optional(.mode)?.choice(Window.Mode.self))
        }
    }

    private static func absolute(_ object: RuleObject, _ value: RuleValue) throws(WinnowError)
        -> Window
    {
        let from = try object.optional(.from).map(time)
        let to = try object.optional(.to).map(time)
        switch (from, to) {
        case (.date(let from)?, .date(let to)?): return .dates(from: from, to: to)
        case (.date(let from)?, nil): return .dates(from: from, to: nil)
        case (nil, .date(let to)?): return .dates(from: nil, to: to)
        case (.instant(let from)?, .instant(let to)?): return .instants(from: from, to: to)
        case (.instant(let from)?, nil): return .instants(from: from, to: nil)
        case (nil, .instant(let to)?): return .instants(from: nil, to: to)
        default: throw value.error("from and to must both be dates or both be instants")
        }
    }

    private enum Time { case date(CivilDate), instant(Instant) }

    private static func time(_ value: RuleValue) throws(WinnowError) -> Time {
        let text = try value.string()
        if let date = CivilDate(text) { return .date(date) }
        if let instant = Instant(text) { return .instant(instant) }
        throw value.error(
            "“\(text)” is neither a date (2026-01-31) nor an instant (2026-01-31T12:00:00Z)")
    }
}

// MARK: Writing

extension Window: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            switch self {
            case .last(let n, let unit, let mode):
                json.member(.last, Window.bounded(n))
                if unit != .days { json.member(.unit, unit.rawValue) }
                if let mode { json.member(.mode, mode.rawValue) }
            case .daysAgo(let first, let last):
                let ends = [Window.bounded(first), Window.bounded(last)]
                json.member(.daysAgo) { $0.array(ends) { $0.value($1) } }
            case .dates(let from, let to):
                if let from { json.member(.from, from.description) }
                if let to { json.member(.to, to.description) }
            case .instants(let from, let to):
                if let from { json.member(.from, from.description) }
                if let to { json.member(.to, to.description) }
            }
        }
    }
}
