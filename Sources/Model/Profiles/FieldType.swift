/// The type of a profile field. All that is known of a type is said here, but for literals of rules
/// that mean more than one value (`LiteralReader`).
public enum FieldType: String, CaseIterable, Sendable, Hashable {
    case string, integer, decimal, boolean, date, datetime
    case stringSet = "string_set"

    /// What values are, for whoever stores or compares them: all but text and sets are numbers.
    package enum Nature: Sendable, Hashable, CaseIterable { case text, quantity, truth, time, set }

    /// How a value is written: as a string, number or boolean of JSON; or as plain text, in a cell
    /// of CSV or on a command line, which has no types.
    package enum Notation: Sendable, Hashable { case plain, string, number, boolean }

    /// What values are.
    package var nature: Nature {
        switch self {
        case .string: .text
        case .integer, .decimal: .quantity
        case .boolean: .truth
        case .date, .datetime: .time
        case .stringSet: .set
        }
    }

    /// How JSON writes a value.
    package var notation: Notation {
        switch self {
        case .string, .stringSet, .date, .datetime: .string
        case .integer, .decimal: .number
        case .boolean: .boolean
        }
    }
}

extension Field {
    /// The number that stands for a value: units of 10^−scale, 0 or 1, days or milliseconds since
    /// 1970. nil for what is no value of the field, and for fields of text and sets.
    package func number(
        _ text: UnsafeRawBufferPointer, _ notation: FieldType.Notation
    ) -> Int64? {
        guard notation == .plain || notation == type.notation else { return nil }
        switch type {
        case .integer: return unsafe wholeNumber(text)
        case .decimal: return unsafe decimal(text, isPlain: notation == .plain)
        case .boolean:
            let isTrue = unsafe text.elementsEqual("true".utf8)
            return unsafe isTrue ? 1 : text.elementsEqual("false".utf8) ? 0 : nil
        case .date: return unsafe CivilDate(utf8: text).map { Int64($0.day) }
        case .datetime: return unsafe Instant(utf8: text, allowSpace: true)?.milliseconds
        case .string, .stringSet: return nil
        }
    }

    /// A number that stands for a value, as the value is written: the counterpart of `number`.
    /// Decimals have no zeros at their end.
    package func text(_ number: Int64) -> String {
        switch type {
        case .decimal: return DecimalLiteral.text(number, scale: scale)
        case .boolean: return number == 0 ? "false" : "true"
        case .date: return CivilDate(day: Int(number)).description
        case .datetime: return Instant(milliseconds: number).description
        case .integer, .string, .stringSet: return String(number)
        }
    }

    /// What a value is, for messages: “expected …”.
    package var expected: String {
        switch type {
        case .integer: "a whole number of 64 bits"
        case .decimal: "a number with at most \(scale) digits after the point, of 64 bits"
        case .boolean: "true or false"
        case .date: "a date as 2026-01-31"
        case .datetime: "a time as 2026-01-31T12:00:00Z"
        case .string: "a string"
        case .stringSet: "several strings"
        }
    }

    /// Plain text has no exponent, and no more digits than the field keeps, not even zeros.
    private func decimal(_ text: UnsafeRawBufferPointer, isPlain: Bool) -> Int64? {
        if isPlain {
            guard unsafe !text.contains(where: { $0 | 0x20 == UInt8(ascii: "e") }) else {
                return nil
            }
            let point = unsafe text.firstIndex(of: UInt8(ascii: "."))
            if let point, text.count - point - 1 > scale { return nil }
        }
        guard
            case .value(let value, exact: true) = unsafe DecimalLiteral(utf8: text)?.scaled(
                to: scale)
        else { return nil }
        return value
    }
}

/// A whole number of 64 bits, as its decimal digits with or without a minus; nil for any other text.
package func wholeNumber(_ text: UnsafeRawBufferPointer) -> Int64? {
    let isNegative = unsafe text.first == UInt8(ascii: "-")
    var at = isNegative ? 1 : 0
    guard at < text.count else { return nil }
    // Towards the negative end, which reaches one further.
    var value: Int64 = 0
    while at < text.count {
        guard let digit = unsafe decimalDigit(text[at]) else { return nil }
        let (tenfold, over) = value.multipliedReportingOverflow(by: 10)
        let (difference, below) = tenfold.subtractingReportingOverflow(Int64(digit))
        guard !over, !below else { return nil }
        value = difference
        at += 1
    }
    if isNegative { return value }
    return value == .min ? nil : -value
}
