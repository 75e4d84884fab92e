import WinnowModel

extension Window {
    func validate() throws(WinnowError) {
        func checkOrder<T: Comparable>(_ from: T?, _ to: T?, _ possible: ClosedRange<T>)
            throws(WinnowError)
        {
            for (key, end) in [(RuleKey.from, from), (.to, to)] {
                if let end, !possible.contains(end) {
                    throw .invalidRule(at: key, "\(end) is not in the years 0001 to 9999")
                }
            }
            if from == nil, to == nil {
                throw .invalidRule("a window has either last, or days_ago, or from and to")
            }
            if let from, let to, from > to {
                throw .invalidRule("from \(from) is after to \(to)")
            }
        }
        switch self {
        case .last(let n, let unit, let mode):
            guard n >= 0 else {
                throw .invalidRule(at: .last, "\(n) is not between 0 and \(Window.longest)")
            }
            if unit.isShort, mode == .calendar {
                throw .invalidRule(at: .mode, "\(unit.rawValue) are always rolling")
            }
        case .daysAgo(let first, let last):
            guard last >= 0 else {
                throw .invalidRule(at: .daysAgo, "\(last) is not between 0 and \(Window.longest)")
            }
            guard first >= last else {
                throw .invalidRule(
                    at: .daysAgo, "the first day, \(first) days ago, is after the last, \(last)")
            }
        case .dates(let from, let to): try checkOrder(from, to, CivilDate.first...CivilDate.last)
        case .instants(let from, let to): try checkOrder(from, to, Instant.first...Instant.last)
        }
    }

    /// Further away than any year that counts, in every unit: greater numbers mean the same.
    static let longest = 10_000_000_000
}
