import WinnowModel

extension Window {
    func validate() throws(WinnowError) {
        switch self {
        case .last(let n, let unit, let mode): try Window.validate(n, .last, unit, mode)
        case .next(let n, let unit, let mode): try Window.validate(n, .next, unit, mode)
        case .daysAgo(let first, let last):
            guard last >= 0 else {
                throw .invalidRule(at: .daysAgo, "\(last) is not between 0 and \(Window.longest)")
            }
            guard first >= last else {
                throw .invalidRule(
                    at: .daysAgo, "the first day, \(first) days ago, is after the last, \(last)")
            }
        case .dates(let from, let to):
            try Window.validate(from, to) { (day) throws(WinnowError) in try day.validate() }
            // Which of a date and a day counted from today comes first depends on when that is.
            switch (from, to) {
            case (.date(let a)?, .date(let b)?) where a > b: throw Window.isReversed(a, b)
            case (.today(let a)?, .today(let b)?) where a > b:
                throw Window.isReversed(Day.today(a), Day.today(b))
            default: break
            }
        case .instants(let from, let to):
            try Window.validate(from, to) { (end) throws(WinnowError) in
                try Window.validate(end, Instant.first...Instant.last)
            }
            if let from, let to, from > to { throw Window.isReversed(from, to) }
        case .period: break
        }
    }

    private static func validate(
        _ n: Int, _ key: RuleKey, _ unit: Unit, _ mode: Mode?
    ) throws(WinnowError) {
        guard n >= 0 else { throw .invalidRule(at: key, "\(n) is not between 0 and \(longest)") }
        if unit.isShort, mode == .calendar {
            throw .invalidRule(at: .mode, "\(unit.rawValue) are always rolling")
        }
    }

    private static func validate<T>(
        _ from: T?, _ to: T?, _ body: (T) throws(WinnowError) -> Void
    ) throws(WinnowError) {
        for (key, end) in [(RuleKey.from, from), (.to, to)] {
            guard let end else { continue }
            try inside(key) { () throws(WinnowError) in try body(end) }
        }
        if from == nil, to == nil { throw .invalidRule(kinds) }
    }

    fileprivate static func validate<T: Comparable>(
        _ end: T, _ possible: ClosedRange<T>
    ) throws(WinnowError) {
        if !possible.contains(end) {
            throw .invalidRule("\(end) is not in the years 0001 to 9999")
        }
    }

    private static func isReversed<T>(_ from: T, _ to: T) -> WinnowError {
        .invalidRule("from \(from) is after to \(to)")
    }

    /// What there is to choose from.
    static let kinds = "a window has one of last, next, days_ago, period, or from and to"

    /// Further away than any year that counts, in every unit: greater numbers mean the same.
    static let longest = 10_000_000_000
}

extension Window.Day {
    func validate() throws(WinnowError) {
        switch self {
        case .date(let date): try Window.validate(date, CivilDate.first...CivilDate.last)
        case .today(let days):
            guard (-Window.Day.furthest...Window.Day.furthest).contains(days) else {
                throw .invalidRule("\(days) has more than \(Window.Day.digits) digits")
            }
        }
    }
}
