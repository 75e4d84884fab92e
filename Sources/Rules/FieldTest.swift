import Model

/// A field condition made ready for one field and one evaluation: literals read by the field's type, days and windows
/// turned into instants.
package struct FieldTest: Sendable, Hashable {
    /// Whether the profiles that do not pass are meant; those without the field never pass.
    package var negated: Bool
    package var test: Test
    package var window: ResolvedWindow?

    package enum Test: Sendable, Hashable {
        case exists
        /// The value, in the field's units, lies in one of the ranges.
        case numbers([ClosedRange<Int64>])
        /// The date, or the local date of the instant, falls on one of the days.
        case daysOfYear(DaysOfYear)
        case text(TextTest)
        case hasAny([[UInt8]])
        case hasAll([[UInt8]])
    }
}

/// Days of any year.
package struct DaysOfYear: Sendable, Hashable {
    /// 32 × month + day.
    private let days: Set<Int>
    /// The zone of instants; nil for dates.
    private let zone: TimeZoneRules?

    init(_ anniversary: FieldCondition.Anniversary, _ field: Field, _ time: EvaluationTime) {
        let today = time.zone.date(of: time.asOf)
        var days: Set<Int> = []
        for offset in anniversary.days {
            let (year, month, day) = CivilDate(day: today.day + offset).components
            days.insert(32 * month + day)
            let leapDay =
                switch anniversary.leapDay {
                case .feb28: (month, day) == (2, 28)
                case .mar1: (month, day) == (3, 1)
                case .skip: false
                }
            if leapDay && !CivilDate.isLeap(year) { days.insert(32 * 2 + 29) }
        }
        self.days = days
        zone = field.type == .datetime ? time.zone : nil
    }

    package func contains(_ value: Int64) -> Bool {
        let date = zone?.date(of: Instant(milliseconds: value)) ?? CivilDate(day: Int(value))
        let (_, month, day) = date.components
        return days.contains(32 * month + day)
    }

    package static func == (a: DaysOfYear, b: DaysOfYear) -> Bool { a.days == b.days && a.zone?.name == b.zone?.name }

    package func hash(into hasher: inout Hasher) { hasher.combine(days) }
}

/// A test on the bytes of a string; one that ignores case folds them first, its own are folded already.
package struct TextTest: Sendable, Hashable {
    package let comparison: TextComparison
    package let ignoresCase: Bool

    package func passes(_ text: UnsafeRawBufferPointer) -> Bool {
        guard ignoresCase else { return unsafe comparison.passes(text) }
        return unsafe caseFolded(text).withUnsafeBytes { unsafe comparison.passes($0) }
    }

    /// Byte strings, none of them empty, one of which occurs in every text that passes; nil when that says nothing.
    package var necessaryParts: [[UInt8]]? {
        guard !ignoresCase else { return nil }
        let parts: [[UInt8]] =
            switch comparison {
            case .isOneOf(let values): values.count <= 8 ? Array(values) : []
            case .contains(let part), .hasPrefix(let part), .hasSuffix(let part): [part]
            case .matches(let pieces): pieces.max { $0.count < $1.count }.map { [$0] } ?? []
            }
        return parts.isEmpty || parts.contains(where: \.isEmpty) ? nil : parts
    }
}

/// How the bytes of a string are compared.
package enum TextComparison: Sendable, Hashable {
    case isOneOf(Set<[UInt8]>)
    case contains([UInt8])
    case hasPrefix([UInt8])
    case hasSuffix([UInt8])
    /// Literal pieces between any runs.
    case matches([[UInt8]])

    package func passes(_ text: UnsafeRawBufferPointer) -> Bool {
        switch self {
        case .isOneOf(let values): return unsafe values.contains(Array(text))
        case .contains(let part): return unsafe TextComparison.find(part, in: text, from: 0) != nil
        case .hasPrefix(let part): return unsafe text.starts(with: part)
        case .hasSuffix(let part): return unsafe text.count >= part.count && text.suffix(part.count).elementsEqual(part)
        case .matches(let pieces): return unsafe TextComparison.matches(pieces, text)
        }
    }

    /// Where a piece first begins at or behind an index.
    private static func find(_ part: [UInt8], in text: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let first = part.first else { return start }
        var at = start
        while at + part.count <= text.count {
            if unsafe text[at] == first, unsafe text[at..<at + part.count].elementsEqual(part) { return at }
            at += 1
        }
        return nil
    }

    /// The first piece is a prefix, the last a suffix, those between follow each other: leftmost matches suffice.
    private static func matches(_ pieces: [[UInt8]], _ text: UnsafeRawBufferPointer) -> Bool {
        guard let first = pieces.first, let last = pieces.last else { return false }
        if pieces.count == 1 { return unsafe text.elementsEqual(first) }
        guard text.count >= first.count + last.count, unsafe text.starts(with: first),
            unsafe text.suffix(last.count).elementsEqual(last)
        else { return false }
        let middle = unsafe UnsafeRawBufferPointer(rebasing: text[..<(text.count - last.count)])
        var at = first.count
        for piece in pieces.dropFirst().dropLast() {
            guard let found = unsafe find(piece, in: middle, from: at) else { return false }
            at = found + piece.count
        }
        return true
    }
}

extension FieldCondition {
    /// The test for a field of the schema. `path` is the condition's place in the document.
    package func test(for field: Field, _ time: EvaluationTime, path: String) throws(WinnowError) -> FieldTest {
        guard FieldOperator.operators(of: field.type).contains(self.operator) else {
            let legal = FieldOperator.operators(of: field.type).map(\.rawValue).joined(separator: ", ")
            throw .invalidRule(
                path: path + ".operator",
                message: "“\(self.operator.rawValue)” does not apply to “\(name)”, a field of type "
                    + "\(field.type.rawValue); its operators are \(legal)")
        }
        let positive = self.operator.positive
        let folds: [FieldOperator] = [.equals, .in, .contains, .startsWith, .endsWith, .matches]
        guard ignoresCase == nil || (field.type == .string && folds.contains(positive)) else {
            throw .invalidRule(
                path: path + ".ignore_case",
                message: "“\(self.operator.rawValue)” does not compare text of “\(name)”, so it cannot ignore case")
        }
        var result = FieldTest(negated: positive != self.operator, test: .exists, window: nil)
        if positive == .exists { return result }
        let reader = LiteralReader(field: field, time: time, path: path + ".value")
        switch field.type {
        case .string:
            result.test = .text(try reader.text(positive, operand, ignoringCase: ignoresCase ?? false))
        case .stringSet:
            let values = try reader.strings(operand)
            result.test = positive == .hasAll ? .hasAll(values) : .hasAny(values)
        default:
            if case .anniversary(let anniversary) = operand {
                result.test = .daysOfYear(DaysOfYear(anniversary, field, time))
            } else if case .window(let window) = operand {
                let resolved = window.resolved(time)
                result.window = resolved
                result.test = .numbers(try reader.ranges(in: window, resolved))
            } else {
                result.test = .numbers(try reader.ranges(positive, operand))
            }
        }
        return result
    }
}

/// Reads the literals of a condition on one field.
private struct LiteralReader {
    let field: Field
    let time: EvaluationTime
    let path: String

    /// The values equal to a literal: none when the field's type cannot hold it, many when a date means a whole day.
    private struct Span {
        /// First value that is not below the literal, nil when all are.
        var lower: Int64?
        /// Last value that is not above the literal, nil when all are.
        var upper: Int64?
    }

    private func error(_ message: String) -> WinnowError { .invalidRule(path: path, message: message) }

    private func wrongType(_ literal: FieldCondition.Literal) -> WinnowError {
        let text =
            switch literal {
            case .string(let text): "the string “\(text)”"
            case .number(let text): "the number \(text)"
            case .boolean(let flag): "\(flag)"
            }
        let wanted =
            switch field.type {
            case .string, .stringSet: "a string"
            case .integer: "a whole number of 64 bits"
            case .decimal: "a number"
            case .boolean: "true or false"
            case .date: "a date such as \"2026-01-31\""
            case .datetime: "a date or an instant such as \"2026-01-31T12:00:00Z\""
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
        var pieces: [[UInt8]] = [[]], rest = pattern[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "*"): pieces.append([])
            case UInt8(ascii: "\\"):
                guard let next = rest.popFirst(), next == UInt8(ascii: "*") || next == UInt8(ascii: "\\") else {
                    throw error("a backslash in a pattern stands before * or another backslash")
                }
                pieces[pieces.count - 1].append(next)
            default: pieces[pieces.count - 1].append(byte)
            }
        }
        return pieces
    }

    func strings(_ operand: FieldCondition.Operand) throws(WinnowError) -> [[UInt8]] {
        guard case .list(let literals) = operand else { throw error("expected an array of strings") }
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
            for literal in literals { result += range(from: try span(literal), to: try span(literal)) }
            return result
        case (.between, .list(let literals)) where literals.count == 2:
            let lo = try span(literals[0]), hi = try span(literals[1])
            guard try !isAbove(literals[0], literals[1]) else { throw error("the first value is above the second") }
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
        throw error("“\(op.rawValue)” takes " + (op == .in || op == .between ? "an array" : "one value"))
    }

    private func range(from: Span, to: Span) -> [ClosedRange<Int64>] {
        guard let low = from.lower, let high = to.upper, low <= high else { return [] }
        return [low...high]
    }

    private func isAbove(_ a: FieldCondition.Literal, _ b: FieldCondition.Literal) throws(WinnowError) -> Bool {
        let lo = try span(a), hi = try span(b)
        // Two literals may lie between the same values of the field, or both beyond them: digits decide.
        if case .number(let x) = a, case .number(let y) = b, let x = decimal(x), let y = decimal(y) { return y < x }
        guard let low = lo.lower, let high = hi.upper else { return false }
        return low > high
    }

    private func decimal(_ text: String) -> DecimalLiteral? {
        var text = text
        return text.withUTF8 { unsafe DecimalLiteral(utf8: UnsafeRawBufferPointer($0)) }
    }

    private func span(_ literal: FieldCondition.Literal) throws(WinnowError) -> Span {
        switch (field.type, literal) {
        case (.integer, .number(let text)):
            guard let value = Int64(text) else { throw wrongType(literal) }
            return Span(lower: value, upper: value)
        case (.decimal, .number(let text)):
            guard let decimal = decimal(text) else { throw wrongType(literal) }
            switch decimal.scaled(to: field.scale) {
            case .below: return Span(lower: .min, upper: nil)
            case .above: return Span(lower: nil, upper: .max)
            case .value(let floor, true): return Span(lower: floor, upper: floor)
            case .value(let floor, false): return Span(lower: floor == .max ? nil : floor + 1, upper: floor)
            }
        case (.boolean, .boolean(let flag)):
            return Span(lower: flag ? 1 : 0, upper: flag ? 1 : 0)
        case (.date, .string(let text)):
            guard let date = CivilDate(text) else {
                throw Instant(text) == nil
                    ? wrongType(literal) : error("“\(field.name)” is a date; compare it with a date, not an instant")
            }
            return Span(lower: Int64(date.day), upper: Int64(date.day))
        case (.datetime, .string(let text)):
            if let date = CivilDate(text) { return day(date) }
            guard let instant = Instant(text) else { throw wrongType(literal) }
            return Span(lower: instant.milliseconds, upper: instant.milliseconds)
        default: throw wrongType(literal)
        }
    }

    /// The milliseconds of a local day.
    private func day(_ date: CivilDate) -> Span {
        let start = time.zone.start(of: date), end = time.zone.start(of: CivilDate(day: date.day + 1))
        return Span(lower: start.milliseconds, upper: end.milliseconds - 1)
    }

    func ranges(in window: Window, _ resolved: ResolvedWindow) throws(WinnowError) -> [ClosedRange<Int64>] {
        guard var span = resolved.milliseconds else { return [] }
        if window.isRelative {
            guard span.lowerBound <= time.asOf.milliseconds else { return [] }
            span = span.lowerBound...min(span.upperBound, time.asOf.milliseconds)
        }
        guard field.type == .date else { return [span] }
        if case .instants = window { throw error("“\(field.name)” is a date; use a window of days, not of instants") }
        // A date stands for the first instant of its day in the zone of the rule.
        let low = max(span.lowerBound, Instant.first.milliseconds - 2 * Instant.millisecondsPerDay)
        let high = min(span.upperBound, Instant.last.milliseconds + 2 * Instant.millisecondsPerDay)
        guard low <= high else { return [] }
        var first = time.zone.date(of: Instant(milliseconds: low))
        if time.zone.start(of: first).milliseconds < low { first.day += 1 }
        let last = time.zone.date(of: Instant(milliseconds: high))
        return first <= last ? [Int64(first.day)...Int64(last.day)] : []
    }
}
