import WinnowModel

/// A condition on a profile field. Which operators and operands a field takes depends on its type.
public struct FieldCondition: Sendable, Hashable {
    /// The field.
    @Bytewise public var name: String
    /// How it is compared.
    public var `operator`: FieldOperator
    /// What it is compared with; the operator says of what kind that must be.
    public var operand: Operand
    /// Whether upper and lower case are the same; nil where that was not said.
    public var ignoresCase: Bool?

    /// What a field is compared with.
    public enum Operand: Sendable, Hashable {
        case none
        case value(Literal)
        case list([Literal])
        case window(Window)
        case anniversary(Anniversary)
        case age(Age)
    }

    /// Days around today on which a date comes round again.
    public struct Anniversary: Sendable, Hashable {
        /// What becomes of 29 February in common years.
        public enum LeapDay: String, Sendable, CaseIterable {
            /// It is 28 February, or 1 March.
            case feb28, mar1
            /// There is none.
            case skip
        }

        /// Days from today, −365 … 365, both included.
        public var days: ClosedRange<Int>
        /// What becomes of 29 February in common years.
        public var leapDay: LeapDay

        /// Days from today, both included.
        public init(_ days: ClosedRange<Int>, leapDay: LeapDay = .feb28) {
            self.days = days
            self.leapDay = leapDay
        }
    }

    /// How many years are completed today since a date; dates after today have no age.
    public struct Age: Sendable, Hashable {
        /// When those born on 29 February complete a year in common years.
        public enum LeapDay: String, Sendable, CaseIterable {
            case feb28, mar1
        }

        /// The least age, 0 … 9998; nil for none.
        public var from: Int?
        /// The greatest age, 0 … 9998, itself included; nil for none. One end is there at least.
        public var to: Int?
        /// When those born on 29 February complete a year in common years.
        public var leapDay: LeapDay

        /// Years, both included; nil for an open end, of which there is at most one.
        public init(from: Int?, to: Int?, leapDay: LeapDay = .feb28) {
            self.from = from
            self.to = to
            self.leapDay = leapDay
        }
    }

    /// A condition on a field.
    public init(
        _ name: String, _ operator: FieldOperator, _ operand: Operand = .none,
        ignoresCase: Bool? = nil
    ) {
        self.name = name
        self.operator = `operator`
        self.operand = operand
        self.ignoresCase = ignoresCase
    }
}

extension FieldCondition {
    /// A value that a field is compared with.
    public enum Literal: Sendable {
        /// A string; also a date or an instant, as rules write them.
        case string(String)
        /// A JSON number as written: digits are never rounded.
        case number(String)
        /// True or false.
        case boolean(Bool)

        /// A number by its digits, exactly: `.decimal("0.1")`.
        public static func decimal(_ digits: String) -> Literal { .number(digits) }
        /// A day.
        public static func date(_ date: CivilDate) -> Literal { .string(date.description) }
        /// An instant.
        public static func instant(_ instant: Instant) -> Literal { .string(instant.description) }
    }
}

extension FieldCondition.Literal: Hashable {
    /// Whether both are of one kind and have the same bytes: `1.0` is not `1`.
    public static func == (a: FieldCondition.Literal, b: FieldCondition.Literal) -> Bool {
        switch (a, b) {
        case (.string(let a), .string(let b)), (.number(let a), .number(let b)): sameBytes(a, b)
        case (.boolean(let a), .boolean(let b)): a == b
        default: false
        }
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) {
        switch self {
        case .string(let text), .number(let text): text.hashBytes(into: &hasher)
        case .boolean(let flag): hasher.combine(flag)
        }
    }
}

extension FieldCondition.Literal: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral
{
    /// A string, date or instant.
    public init(stringLiteral text: String) { self = .string(text) }
    /// A whole number.
    public init(integerLiteral number: Int64) { self = .number(String(number)) }
    /// The shortest decimal that reads back as the number; `decimal` takes digits exactly.
    public init(floatLiteral number: Double) { self = .number(String(number)) }
    /// True or false.
    public init(booleanLiteral flag: Bool) { self = .boolean(flag) }
}
