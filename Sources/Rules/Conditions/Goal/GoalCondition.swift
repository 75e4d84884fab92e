import WinnowModel

/// Profiles by the goals that they have reached: how often, and what the values of these goals come
/// to.
public struct GoalCondition: Sendable, Hashable {
    /// Goals that count; nil for any. Goals or pixels are given, or both, which must both match.
    @Bytewise public var goals: [String]?
    /// Pixels on which goals count; nil for any.
    @Bytewise public var pixels: [String]?
    /// How often one of them must have been reached.
    public var condition: CountCondition
    /// When goals count; nil for ever.
    public var during: Window?
    /// What the values of the goals that count must come to, besides; nil for anything.
    public var value: Value?

    /// What the values of some goals come to, compared with a bound. Goals without a value are
    /// passed over; where none has one, nothing is met.
    public struct Value: Sendable, Hashable {
        /// What is made of the values.
        public enum Aggregate: String, Sendable, CaseIterable {
            case sum, min, max, average
        }

        /// How it is compared.
        public enum Comparison: String, Sendable, CaseIterable {
            case atLeast = "at_least"
            case atMost = "at_most"
            case greaterThan = "greater_than"
            case lessThan = "less_than"

            /// The comparison in rules as text.
            var words: String {
                switch self {
                case .atLeast: "at least"
                case .atMost: "at most"
                case .greaterThan: ">"
                case .lessThan: "<"
                }
            }
        }

        /// What is made of the values.
        public var aggregate: Aggregate
        /// How it is compared.
        public var comparison: Comparison
        /// With what: the digits of a number, `12.50`, however many. Compared exactly.
        @Bytewise public var bound: String

        /// An aggregate compared with a number, as it is written.
        public init(_ aggregate: Aggregate, _ comparison: Comparison, _ bound: String) {
            self.aggregate = aggregate
            self.comparison = comparison
            self.bound = bound
        }

        /// An aggregate compared with a whole number.
        public init(_ aggregate: Aggregate, _ comparison: Comparison, _ bound: Int) {
            self.init(aggregate, comparison, String(bound))
        }

        /// The bound; nil when the text is no number.
        package var literal: DecimalLiteral? {
            var text = bound
            return text.withUTF8 { unsafe DecimalLiteral(utf8: UnsafeRawBufferPointer($0)) }
        }
    }

    /// A condition on goals.
    public init(
        goals: [String]? = nil, pixels: [String]? = nil, _ condition: CountCondition,
        during: Window? = nil, value: Value? = nil
    ) {
        self.goals = goals
        self.pixels = pixels
        self.condition = condition
        self.during = during
        self.value = value
    }
}

extension Rule {
    /// Profiles by the goals that they have reached.
    public static func goal(_ condition: GoalCondition) -> Rule { Rule(.goal(condition)) }
}

extension Segment {
    /// Profiles by how often they have reached one of some goals: `.goal(["purchase"],
    /// .atLeast(2))`. Without a condition: at least once, or ever when nothing restricts which goals
    /// count.
    public static func goal(
        _ goals: [String]? = nil, pixels: [String]? = nil, _ condition: CountCondition? = nil,
        during window: Window? = nil, value: GoalCondition.Value? = nil
    ) -> Segment {
        let restricts = window != nil || value != nil
        return Segment(
            .goal(
                GoalCondition(
                    goals: goals, pixels: pixels, condition ?? (restricts ? .atLeast(1) : .exists),
                    during: window, value: value)))
    }
}
