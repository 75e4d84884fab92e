import WinnowModel

/// window = "in the last" INT unit [ "rolling" | "calendar" ] | "between" INT "and" INT "days ago"
///        | "from" TIME "to" TIME | "since" TIME | "until" TIME
/// unit   = "minutes" … "months", singular too
extension TextReader {
    /// The window that begins here, if one does; `place` is what it is in the rule.
    mutating func window(_ place: [RuleKey]) throws(WinnowError) -> Window? {
        try refuse(Later.windows)
        mark(place)
        if take("in the last") { return try last(place) }
        if take("between") { return try daysAgo(place) }
        let isRange = take("from")
        guard isRange || take("since") else {
            guard take("until") else { return nil }
            mark(place + [.to])
            switch try time() {
            case .date(let to): return .dates(from: nil, to: to)
            case .instant(let to): return .instants(from: nil, to: to)
            }
        }
        mark(place + [.from])
        let from = try time()
        var to: Time?, end = token.start
        if isRange {
            try require("to")
            end = token.start
            mark(place + [.to])
            to = try time()
        }
        switch (from, to) {
        case (.date(let from), nil): return .dates(from: from, to: nil)
        case (.date(let from), .date(let to)?): return .dates(from: from, to: to)
        case (.instant(let from), nil): return .instants(from: from, to: nil)
        case (.instant(let from), .instant(let to)?): return .instants(from: from, to: to)
        default: throw error("from and to must both be dates or both be instants", at: end)
        }
    }

    private mutating func last(_ place: [RuleKey]) throws(WinnowError) -> Window {
        mark(place + [.last])
        let number = try natural(upTo: Window.longest)
        mark(place + [.unit])
        let unit = try unit()
        mark(place + [.mode])
        return .last(number, unit, choice(Window.Mode.allCases) { $0.rawValue })
    }

    private mutating func unit() throws(WinnowError) -> Window.Unit {
        try refuse(Later.units)
        if let unit = choice(Window.Unit.allCases, { $0.rawValue }) { return unit }
        guard let unit = Window.Unit.allCases.first(where: { isNext($0.singular) }) else {
            throw failure()
        }
        advance()
        return unit
    }

    /// The window after “between”.
    mutating func daysAgo(_ place: [RuleKey]) throws(WinnowError) -> Window {
        mark(place + [.daysAgo])
        let first = try natural(upTo: Window.longest)
        try require("and")
        let last = try natural(upTo: Window.longest)
        try require("days ago")
        return .daysAgo(first, last)
    }

    private enum Time { case date(CivilDate), instant(Instant) }

    private mutating func time() throws(WinnowError) -> Time {
        try refuse(Later.times)
        guard case .time = token.kind else { throw failure(expecting: "a date", "an instant") }
        let text = lexer.text(token)
        guard
            let time = CivilDate(text).map({ Time.date($0) }) ?? Instant(text).map({ .instant($0) })
        else {
            throw failure()
        }
        advance()
        return time
    }
}

// MARK: Writing

extension Window {
    var text: String {
        func ends(_ from: String?, _ to: String?) -> String {
            guard let from else { return "until \(to ?? "")" }
            return to.map { "from \(from) to \($0)" } ?? "since \(from)"
        }
        switch self {
        case .last(let number, let unit, let mode):
            let n = Window.bounded(number)
            return "in the last \(n) \(n == 1 ? unit.singular : unit.rawValue)"
                + (mode.map { " \($0.rawValue)" } ?? "")
        case .daysAgo(let first, let last):
            return "between \(Window.bounded(first)) and \(Window.bounded(last)) days ago"
        case .dates(let from, let to): return ends(from?.description, to?.description)
        case .instants(let from, let to): return ends(from?.description, to?.description)
        }
    }
}
