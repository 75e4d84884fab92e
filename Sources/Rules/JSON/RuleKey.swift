import WinnowModel

/// A key of rule documents. Readers and writers of every form, help and error texts take them from
/// here, and from the condition that has them.
package struct RuleKey: Hashable, Sendable, RawRepresentable, ExpressibleByStringLiteral {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }
    package init(stringLiteral text: String) { self.init(rawValue: text) }

    // Of documents and groups.
    package static let name: RuleKey = "name"
    package static let timezone: RuleKey = "timezone"
    package static let `where`: RuleKey = "where"
    static let text: RuleKey = "text"
    package static let all: RuleKey = "all"
    package static let any: RuleKey = "any"
    package static let not: RuleKey = "not"

    // Of several kinds of conditions.
    package static let `operator`: RuleKey = "operator"
    package static let value: RuleKey = "value"
    static let from: RuleKey = "from"
    static let to: RuleKey = "to"

    /// Keys of a document that is more than a node.
    static let document: [RuleKey] = [.name, .timezone, .where]
    /// Keys of a document whose rule is text.
    static let textDocument: [RuleKey] = [.name, .timezone, .text]
    /// What a node may be.
    static let nodes: [RuleKey] = [.all, .any, .not] + conditions
    /// The keys of conditions.
    package static let conditions = Rule.conditions.map { $0.key }
}

extension RulePath {
    /// The place of a key in the object here.
    package func key(_ key: RuleKey) -> RulePath { self.key(key.rawValue) }
}
