import WinnowModel

/// The operators on fields, by their names in JSON, in the order in which help lists them. What
/// each means for readers, writers and error texts is said in `shape` alone; how it is evaluated in
/// `FieldTest`.
public enum FieldOperator: String, Sendable, CaseIterable {
    case exists
    case doesNotExist = "does_not_exist"
    case equals
    case notEquals = "not_equals"
    case `in`
    case notIn = "not_in"
    case contains
    case notContains = "not_contains"
    case startsWith = "starts_with"
    case endsWith = "ends_with"
    case matches
    case notMatches = "not_matches"
    case isEmpty = "is_empty"
    case isNotEmpty = "is_not_empty"
    /// Absent or empty.
    case isBlank = "is_blank"
    case isNotBlank = "is_not_blank"
    case lessThan = "less_than"
    case atMost = "at_most"
    case greaterThan = "greater_than"
    case atLeast = "at_least"
    case before
    case onOrBefore = "on_or_before"
    case after
    case onOrAfter = "on_or_after"
    case between
    case notBetween = "not_between"
    case during
    case anniversary
    /// Completed years from the date to today.
    case age
    case hasAny = "has_any"
    case hasAll = "has_all"
    case hasNone = "has_none"

    /// What an operator is compared with.
    public enum Operand: Sendable, Hashable {
        case none, value
        /// One value or more.
        case list
        /// A lowest and a highest value.
        case range
        case window, anniversary, age
    }

    /// An operator's operand, the natures of fields that have it, and whether it compares text that
    /// can be folded.
    struct Shape {
        let operand: Operand
        let natures: Set<FieldType.Nature>
        var foldsCase = false
    }

    /// What the operator takes and which fields have it; a negative one as its positive.
    var shape: Shape {
        switch self {
        case .exists: Shape(operand: .none, natures: Set(FieldType.Nature.allCases))
        case .equals:
            Shape(
                operand: .value, natures: [.text, .quantity, .truth, .time], foldsCase: true)
        case .in: Shape(operand: .list, natures: [.text, .quantity], foldsCase: true)
        case .contains, .startsWith, .endsWith, .matches:
            Shape(operand: .value, natures: [.text], foldsCase: true)
        case .isEmpty, .isNotBlank: Shape(operand: .none, natures: [.text, .set])
        case .lessThan, .atMost, .greaterThan, .atLeast:
            Shape(operand: .value, natures: [.quantity])
        case .before, .onOrBefore, .after, .onOrAfter: Shape(operand: .value, natures: [.time])
        case .between: Shape(operand: .range, natures: [.quantity, .time])
        case .during: Shape(operand: .window, natures: [.time])
        case .anniversary: Shape(operand: .anniversary, natures: [.time])
        case .age: Shape(operand: .age, natures: [.time])
        case .hasAny, .hasAll: Shape(operand: .list, natures: [.set])
        case .doesNotExist, .notEquals, .notIn, .notContains, .notMatches, .isNotEmpty, .isBlank,
            .notBetween, .hasNone:
            positive.shape
        }
    }

    /// The operator in rules as text; nil where its operand alone tells it. What compares numbers
    /// and what compares times have the same marks: the value tells which is meant.
    var words: String? {
        switch self {
        case .exists: "exists"
        case .doesNotExist: "does not exist"
        case .equals: "="
        case .notEquals: "!="
        case .in: "in"
        case .notIn: "not in"
        case .contains: "contains"
        case .notContains: "not contains"
        case .startsWith: "starts with"
        case .endsWith: "ends with"
        case .matches: "matches"
        case .notMatches: "not matches"
        case .isEmpty: "is empty"
        case .isNotEmpty: "is not empty"
        case .isBlank: "is blank"
        case .isNotBlank: "is not blank"
        case .lessThan, .before: "<"
        case .atMost, .onOrBefore: "<="
        case .greaterThan, .after: ">"
        case .atLeast, .onOrAfter: ">="
        case .between: "between"
        case .notBetween: "not between"
        case .during: nil
        case .anniversary: "anniversary"
        case .age: "aged"
        case .hasAny: "has any"
        case .hasAll: "has all"
        case .hasNone: "has none"
        }
    }

    /// An operator matches exactly the profiles that its positive, when that is another, does not.
    /// A positive one never matches a profile without the field.
    public var positive: FieldOperator {
        switch self {
        case .doesNotExist: .exists
        case .notEquals: .equals
        case .notIn: .in
        case .notContains: .contains
        case .notMatches: .matches
        case .isNotEmpty: .isEmpty
        case .isBlank: .isNotBlank
        case .notBetween: .between
        case .hasNone: .hasAny
        default: self
        }
    }

    /// Whether it finds who has no such value. Being blank is a property of its own.
    public var isNegative: Bool { positive != self && self != .isBlank }

    /// What the operator is compared with.
    public var operand: Operand { shape.operand }

    /// The operators that a type has, in the order in which help lists them.
    public static func operators(of type: FieldType) -> [FieldOperator] {
        allCases.filter { $0.shape.natures.contains(type.nature) }
    }
}
