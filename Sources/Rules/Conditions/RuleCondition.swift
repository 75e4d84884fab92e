import WinnowJSON
import WinnowModel

/// A kind of condition, which is a leaf of rules: how it is checked, and read and printed in each
/// form. Each kind has a folder here; the tree, the readers and the writers know only this.
protocol RuleCondition: JSONWritable, Sendable {
    /// Its key in a node of JSON. Places in it begin there, in every form.
    static var key: RuleKey { get }

    /// What it may begin with in text; empty for one that is told by what follows.
    static var openings: [String] { get }

    /// The names that JSON has for what text has other words for.
    static var words: [(json: String, words: String?)] { get }

    /// Reads it from JSON. It only says what the document says; `validate` says whether that makes
    /// sense.
    static func read(_ value: RuleValue) throws(WinnowError) -> Self

    /// Reads it from text, after one of its openings; nil when another kind begins here.
    static func read(
        _ reader: inout TextReader, after opening: String?
    ) throws(WinnowError) -> Self?

    /// The leaf that it is.
    var node: Rule.Node { get }

    /// Checks everything that can be checked without a store. Places begin at the condition.
    func validate() throws(WinnowError)

    /// How it depends on the instant of evaluation, besides that what comes later has not happened.
    var timeUse: TimeUse { get }

    /// The condition as text.
    func text() throws(WinnowError) -> String

    /// The leaf of the condition whose exact complement it is; nil for one that is nobody's.
    var positive: Rule.Node? { get }

    /// Whether its operator is a negative one, which finds who lacks something.
    var isNegative: Bool { get }

    /// The key of a number with which it holds for everybody; nil without one.
    var keyOfEverybody: RuleKey? { get }
}

extension RuleCondition {
    static var openings: [String] { [] }
    static var words: [(json: String, words: String?)] { [] }
    /// What is always right.
    var timeUse: TimeUse { .instant }
    var positive: Rule.Node? { nil }
    var isNegative: Bool { false }
    var keyOfEverybody: RuleKey? { nil }
}
