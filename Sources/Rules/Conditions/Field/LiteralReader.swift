import WinnowModel

/// Reads the literals of a condition on one field.
struct LiteralReader {
    let field: Field
    let time: EvaluationTime

    /// The values equal to a literal: none when the field's type cannot hold it, many when a date
    /// means a whole day.
    private struct Span {
        /// First value that is not below the literal, nil when all are.
        var lower: Int64?
        /// Last value that is not above the literal, nil when all are.
        var upper: Int64?
    }

    private func error(_ message: String) -> WinnowError { .invalidRule(at: .value, message) }

    private func wrongType(_ literal: FieldCondition.Literal) -> WinnowError {
        let text =
            switch literal {
            case .string(let text): "the string “\(text)”"
            case .number(let text): "the number \(text)"
            case .boolean(let flag): "\(flag)"
            }
        let wanted =
            switch field.type {
            case .stringSet: "a string"
            // Any number can be compared with, however many digits it has.
            case .decimal: "a number"
            case .datetime: "a date or an instant such as \"2026-01-31T12:00:00Z\""
            default: field.expected
            }
        return error("“\(field.name)” takes \(wanted), not \(text)")
    }

    // MARK: Text

    func text(
        _ op: FieldOperator, _ operand: FieldCondition.Operand, ignoringCase: Bool
    ) throws(WinnowError) -> TextTest {
        func fold(_ bytes: [UInt8]) -> [UInt8] {
            unsafe ignoringCase ? bytes.withUnsafeBytes { unsafe caseFolded($0) } : bytes
        }
        func test(_ comparison: TextComparison) -> TextTest {
            TextTest(comparison: comparison, ignoresCase: ignoringCase)
        }
        if op == .isEmpty { return test(.isOneOf([[]])) }
        if op == .isNotBlank { return test(.isFilled) }
        if op == .in { return test(.isOneOf(Set(try strings(operand).map(fold)))) }
        guard case .value(let literal) = operand, case .string(let text) = literal else {
            if case .value(let literal) = operand { throw wrongType(literal) }
            throw error("expected one string")
        }
        let bytes = fold(Array(text.utf8))
        switch op {
        case .contains: return test(.contains(bytes))
        case .startsWith: return test(.hasPrefix(bytes))
        case .endsWith: return test(.hasSuffix(bytes))
        case .matches: return test(.matches(try pieces(bytes)))
        default: return test(.isOneOf([bytes]))
        }
    }

    private func pieces(_ pattern: [UInt8]) throws(WinnowError) -> [[UInt8]] {
        var pieces: [[UInt8]] = [[]]
        var rest = pattern[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "*"): pieces.append([])
            case UInt8(ascii: "\\"):
                guard let next = rest.popFirst(),
                    next == UInt8(ascii: "*") || next == UInt8(ascii: "\\")
                else {
                    throw error("a backslash in a pattern comes before * or another backslash")
                }
                pieces[pieces.count - 1].append(next)
            default: pieces[pieces.count - 1].append(byte)
            }
        }
        return pieces
    }

    func strings(_ operand: FieldCondition.Operand) throws(WinnowError) -> [[UInt8]] {
        guard case .list(let literals) = operand else {
            throw error("expected an array of strings")
        }
        var result: [[UInt8]] = []
        for literal in literals {
            guard case .string(let text) = literal else { throw wrongType(literal) }
            result.append(Array(text.utf8))
        }
        return result
    }

    // MARK: Numbers, booleans, dates

    func ranges(
        _ op: FieldOperator, _ operand: FieldCondition.Operand
    ) throws(WinnowError) -> [ClosedRange<Int64>] {
        switch (op, operand) {
        case (.in, .list(let literals)):
            var result: [ClosedRange<Int64>] = []
            for literal in literals {
                result += range(from: try span(literal), to: try span(literal))
            }
            return result
        case (.between, .list(let literals)) where literals.count == 2:
            let lo = try span(literals[0])
            let hi = try span(literals[1])
            // Which of a date and a day counted from today comes first depends on when that is.
            let isFixed = isRelative(literals[0]) == isRelative(literals[1])
            if isFixed, try isAbove(literals[0], literals[1]) {
                throw error("the first value is above the second")
            }
            return range(from: lo, to: hi)
        case (_, .value(let literal)):
            let span = try span(literal)
            switch op {
            case .equals: return range(from: span, to: span)
            case .atMost, .onOrBefore: return range(from: Span(lower: .min, upper: nil), to: span)
            case .atLeast, .onOrAfter: return range(from: span, to: Span(lower: nil, upper: .max))
            case .lessThan, .before:
                guard let lower = span.lower else { return [.min ... .max] }
                return lower == .min ? [] : [.min...lower - 1]
            case .greaterThan, .after:
                guard let upper = span.upper else { return [.min ... .max] }
                return upper == .max ? [] : [upper + 1 ... .max]
            default: break
            }
        default: break
        }
        throw error(
            "“\(op.rawValue)” takes " + (op == .in || op == .between ? "an array" : "one value"))
    }

    private func range(from: Span, to: Span) -> [ClosedRange<Int64>] {
        guard let low = from.lower, let high = to.upper, low <= high else { return [] }
        return [low...high]
    }

    private func isAbove(_ a: FieldCondition.Literal, _ b: FieldCondition.Literal)
        throws(WinnowError) -> Bool
    {
        let lo = try span(a)
        let hi = try span(b)
        // Two literals may be between the same values of the field, or both beyond them: digits
        // decide.
        if case .number(let x) = a, case .number(let y) = b, let x = decimal(x), let y = decimal(y)
        {
            return y < x
        }
        // A day that the clocks of a zone skip has no instants.
        if case .string(let x) = a, case .string(let y) = b,
            let x = Window.Day(x)?.resolved(time), let y = Window.Day(y)?.resolved(time)
        {
            return x > y
        }
        guard let low = lo.lower, let high = hi.upper else { return false }
        return low > high
    }

    /// Whether a literal is a day counted from today.
    private func isRelative(_ literal: FieldCondition.Literal) -> Bool {
        guard case .string(let text) = literal, case .today? = Window.Day(text) else {
            return false
        }
        return true
    }

    private func decimal(_ text: String) -> DecimalLiteral? {
        var text = text
        return text.withUTF8 { unsafe DecimalLiteral(utf8: UnsafeRawBufferPointer($0)) }
    }

    private func span(_ literal: FieldCondition.Literal) throws(WinnowError) -> Span {
        switch (field.type, literal) {
        case (.decimal, .number(let text)):
            guard let decimal = decimal(text) else { throw wrongType(literal) }
            switch decimal.scaled(to: field.scale) {
            case .below: return Span(lower: .min, upper: nil)
            case .above: return Span(lower: nil, upper: .max)
            case .value(let floor, true): return Span(lower: floor, upper: floor)
            case .value(let floor, false):
                return Span(lower: floor == .max ? nil : floor + 1, upper: floor)
            }
        case (.date, .string(let text)):
            if let day = Window.Day(text)?.resolved(time).day {
                return Span(lower: Int64(day), upper: Int64(day))
            }
            guard Instant(text) == nil else {
                throw error("“\(field.name)” is a date; compare it with a date, not an instant")
            }
            throw wrongType(literal)
        case (.datetime, .string(let text)):
            if let date = Window.Day(text)?.resolved(time) { return day(date) }
            guard let instant = Instant(text) else { throw wrongType(literal) }
            return Span(lower: instant.milliseconds, upper: instant.milliseconds)
        default:
            guard let value = field.number(literal) else { throw wrongType(literal) }
            return Span(lower: value, upper: value)
        }
    }

    /// The milliseconds of a local day.
    private func day(_ date: CivilDate) -> Span {
        let start = time.zone.start(of: date)
        let end = time.zone.start(of: CivilDate(day: date.day + 1))
        return Span(lower: start.milliseconds, upper: end.milliseconds - 1)
    }

    func ranges(in window: Window, _ resolved: ResolvedWindow) throws(WinnowError) -> [ClosedRange<
        Int64
    >] {
        guard var span = resolved.milliseconds else { return [] }
        if window.isRelative {
            guard span.lowerBound <= time.asOf.milliseconds else { return [] }
            span = span.lowerBound...min(span.upperBound, time.asOf.milliseconds)
        }
        guard field.type == .date else { return [span] }
        switch window {
        case .instants:
            throw error("“\(field.name)” is a date; use a window of days, not of instants")
        case .next(_, let unit, let mode) where Window.mode(mode, of: unit) == .rolling:
            throw error("“\(field.name)” is a date; what lies ahead of it is counted in whole days")
        default: break
        }
        // A date stands for the first instant of its day in the zone of the rule. East of Greenwich
        // the first day of all begins before the first instant; a window that is cut there has it
        // all the same.
        let earliest = Instant.first.milliseconds
        let low =
            span.lowerBound > earliest ? span.lowerBound : earliest - 2 * Instant.millisecondsPerDay
        let high = min(span.upperBound, Instant.last.milliseconds + 2 * Instant.millisecondsPerDay)
        guard low <= high else { return [] }
        var first = time.zone.date(of: Instant(milliseconds: low))
        if time.zone.start(of: first).milliseconds < low { first = CivilDate(day: first.day + 1) }
        let last = time.zone.date(of: Instant(milliseconds: high))
        return first <= last ? [Int64(first.day)...Int64(last.day)] : []
    }
}

extension LiteralReader {
    /// The dates, or instants, of an age: later ones are younger.
    func ranges(of age: FieldCondition.Age) -> [ClosedRange<Int64>] {
        let today = time.zone.date(of: time.asOf)
        let youngest = age.latestDate(completing: age.from ?? 0, by: today)
        // The first instant of all may be of the day before, by the clocks of a zone.
        let first =
            age.to.map { age.latestDate(completing: $0 + 1, by: today).day + 1 }
            ?? CivilDate.first.day - 1
        guard first <= youngest.day else { return [] }
        if field.type == .date { return [Int64(first)...Int64(youngest.day)] }
        return time.zone.milliseconds(on: first...youngest.day)
    }
}

extension FieldCondition.Age {
    /// The latest date from which so many years are completed on a day.
    fileprivate func latestDate(completing years: Int, by today: CivilDate) -> CivilDate {
        // Of 29 February in a common year it is the day before that is left.
        let date = today.adding(months: -12 * years)
        let (year, month, day) = date.components
        let completesEarly =
            leapDay == .feb28 && (month, day) == (2, 28) && CivilDate.isLeap(year)
            && !CivilDate.isLeap(today.components.year)
        return completesEarly ? CivilDate(day: date.day + 1) : date
    }
}

extension Field {
    /// The number that stands for a literal; nil for one that is no value of the field.
    fileprivate func number(_ literal: FieldCondition.Literal) -> Int64? {
        var text =
            switch literal {
            case .string(let text), .number(let text): text
            case .boolean(let flag): flag ? "true" : "false"
            }
        return text.withUTF8 { unsafe number(UnsafeRawBufferPointer($0), literal.notation) }
    }
}
