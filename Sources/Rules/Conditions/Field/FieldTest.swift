import WinnowModel

/// A field condition made ready for one field and one evaluation: literals read by the field's
/// type, days and windows turned into instants.
package struct FieldTest: Sendable, Hashable {
    /// Whether the profiles that do not pass are meant; those without the field never pass.
    package var negated: Bool
    package var test: Test
    package var window: ResolvedWindow?

    package enum Test: Sendable, Hashable {
        case exists
        /// The value, in the field's units, is in one of the ranges.
        case numbers([ClosedRange<Int64>])
        /// The date, or the local date of the instant, falls on one of the days.
        case daysOfYear(DaysOfYear)
        case text(TextTest)
        /// The set has no value, or has one.
        case emptySet
        case filledSet
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

    package static func == (a: DaysOfYear, b: DaysOfYear) -> Bool {
        a.days == b.days && a.zone?.name == b.zone?.name
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(days) }
}

extension FieldCondition {
    /// The test for a field of the schema; places of errors begin at the condition.
    package func test(for field: Field, _ time: EvaluationTime) throws(WinnowError) -> FieldTest {
        guard self.operator.shape.natures.contains(field.type.nature) else {
            let legal = FieldOperator.operators(of: field.type).map(\.rawValue).joined(
                separator: ", ")
            throw .invalidRule(
                at: .operator,
                "“\(self.operator.rawValue)” does not apply to “\(name)”, a field of type "
                    + "\(field.type.rawValue); its operators are \(legal)")
        }
        let positive = self.operator.positive
        guard ignoresCase == nil || (field.type.nature == .text && self.operator.shape.foldsCase)
        else {
            throw .invalidRule(
                at: .ignoreCase,
                "“\(self.operator.rawValue)” does not compare text of “\(name)”, so it cannot ignore case"
            )
        }
        var result = FieldTest(negated: positive != self.operator, test: .exists, window: nil)
        if positive == .exists { return result }
        let reader = LiteralReader(field: field, time: time)
        switch field.type.nature {
        case .text:
            result.test = .text(
                try reader.text(positive, operand, ignoringCase: ignoresCase ?? false))
        case .set:
            result.test =
                switch positive {
                case .isEmpty: .emptySet
                case .isNotBlank: .filledSet
                case .hasAll: .hasAll(try reader.strings(operand))
                default: .hasAny(try reader.strings(operand))
                }
        default:
            if case .anniversary(let anniversary) = operand {
                result.test = .daysOfYear(DaysOfYear(anniversary, field, time))
            } else if case .age(let age) = operand {
                result.test = .numbers(reader.ranges(of: age))
            } else if case .window(let window) = operand {
                let resolved = window.resolved(time, ofDates: field.type == .date)
                result.window = window.isRelative ? resolved.ending(at: time.asOf) : resolved
                result.test = .numbers(try reader.ranges(in: window, resolved))
            } else {
                result.test = .numbers(try reader.ranges(positive, operand))
            }
        }
        return result
    }
}
