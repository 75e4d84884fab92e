import WinnowModel

/// window = "in the" ("last"|"next") INT unit [ "rolling" | "calendar" ]
///        | ("this"|"last"|"next") ("day"|"week"|"month"|"quarter"|"year")
///        | "from" TIME "to" TIME | "since" TIME | "until" TIME
///        | "between" INT "and" INT "days ago"
/// unit   = "minutes" … "years", singular too
/// TIME   = YYYY-MM-DD, an instant, or "today" [ ("+"|"-") INT ]
extension TextReader {
    /// The window that begins here, if one does; `place` is what it is in the rule.
    mutating func window(_ place: [RuleKey]) throws(WinnowError) -> Window? {
        mark(place)
        for (key, words) in [(RuleKey.last, "in the last"), (.next, "in the next")]
        where take(words) {
            return try units(key, place)
        }
        let period = token.start
        if let which = choice(Window.Period.Which.allCases, { $0.rawValue }) {
            mark(place + [.period], at: period)
            return .period(Window.Period(which, try choice(Window.Period.Length.self)))
        }
        if take("between") { return try daysAgo(place) }
        let isRange = take("from")
        guard isRange || take("since") else {
            guard take("until") else { return nil }
            mark(place + [.to])
            switch try time() {
            case .day(let to): return .dates(from: nil, to: to)
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
        case (.day(let from), nil): return .dates(from: from, to: nil)
        case (.day(let from), .day(let to)?): return .dates(from: from, to: to)
        case (.instant(let from), nil): return .instants(from: from, to: nil)
        case (.instant(let from), .instant(let to)?): return .instants(from: from, to: to)
        default: throw error("from and to must both be dates or both be instants", at: end)
        }
    }

    private mutating func units(_ key: RuleKey, _ place: [RuleKey]) throws(WinnowError) -> Window {
        mark(place + [key])
        let number = try natural(upTo: Window.longest)
        mark(place + [.unit])
        let unit = try unit()
        mark(place + [.mode])
        let mode = choice(Window.Mode.allCases) { $0.rawValue }
        return key == .next ? .next(number, unit, mode) : .last(number, unit, mode)
    }

    mutating func unit() throws(WinnowError) -> Window.Unit {
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

    private enum Time { case day(Window.Day), instant(Instant) }

    private mutating func time() throws(WinnowError) -> Time {
        if let today = try today() { return .day(today) }
        guard case .time = token.kind else { throw failure(expecting: "a date", "an instant") }
        let text = lexer.text(token)
        guard
            let time = CivilDate(text).map({ Time.day(.date($0)) })
                ?? Instant(text).map({ .instant($0) })
        else {
            throw failure()
        }
        advance()
        return time
    }

    /// A day counted from today, if one is here.
    mutating func today() throws(WinnowError) -> Window.Day? {
        guard take("today") else { return nil }
        // A sign begins a number, and a number that has one belongs to the day.
        let (sign, digits) = lexer.signedDigits(from: end)
        guard let sign else { return .today(0) }
        guard (1...Window.Day.digits).contains(digits.count) else {
            throw error(
                digits.isEmpty
                    ? "“today” and a sign are followed by a number of days"
                    : "“today” is followed by at most \(Window.Day.digits) digits",
                at: digits.lowerBound)
        }
        let days = Int(lexer.text(digits)) ?? 0
        advance(to: digits.upperBound)
        return .today(sign == UInt8(ascii: "-") ? -days : days)
    }
}

extension Window.Period {
    /// The period in rules as text.
    var words: String { "\(which.rawValue) \(length.rawValue)" }
}

// MARK: Writing

extension Window {
    var text: String {
        func ends(_ from: String?, _ to: String?) -> String {
            guard let from else { return "until \(to ?? "")" }
            return to.map { "from \(from) to \($0)" } ?? "since \(from)"
        }
        func units(_ which: String, _ number: Int, _ unit: Unit, _ mode: Mode?) -> String {
            let n = Window.bounded(number)
            return "in the \(which) \(n) \(n == 1 ? unit.singular : unit.rawValue)"
                + (mode.map { " \($0.rawValue)" } ?? "")
        }
        switch self {
        case .last(let number, let unit, let mode): return units("last", number, unit, mode)
        case .next(let number, let unit, let mode): return units("next", number, unit, mode)
        case .daysAgo(let first, let last):
            return "between \(Window.bounded(first)) and \(Window.bounded(last)) days ago"
        case .dates(let from, let to): return ends(from?.description, to?.description)
        case .instants(let from, let to): return ends(from?.description, to?.description)
        case .period(let period): return period.words
        }
    }
}
