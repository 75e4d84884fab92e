import WinnowModel

/// The keys of rule documents. Readers and writers of every form, help and error texts take them
/// from here.
package enum RuleKey: String, CaseIterable, Sendable {
    case name, timezone
    case `where`, text
    case all, any, not, activity, field, sample, subscription, goal, segment
    case channel, event
    case `operator`
    case times, campaigns, templates, links, during, counting, pairing, value, salt, unit, mode,
        last, from, to, feb29
    case precededBy = "preceded_by"
    case ids, tags, attributes
    case allTags = "all_tags"
    case atLeast = "at_least"
    case daysAgo = "days_ago"
    case ignoreCase = "ignore_case"

    /// Keys of a document that is more than a node.
    static let document: [RuleKey] = [.name, .timezone, .where]
    /// Keys of a document whose rule is text.
    static let textDocument: [RuleKey] = [.name, .timezone, .text]
    /// What a node may be.
    static let nodes: [RuleKey] = [.all, .any, .not, .activity, .field, .sample]
    static let activityKeys: [RuleKey] = [
        .channel, .event, .operator, .times, .campaigns, .templates, .links, .during, .precededBy,
        .counting,
    ]
    static let selectorKeys: [RuleKey] = [.ids, .tags, .allTags, .attributes]
    static let precedingKeys: [RuleKey] = [.event, .atLeast, .pairing]
    static let fieldKeys: [RuleKey] = [.name, .operator, .value, .ignoreCase]
    static let anniversaryKeys: [RuleKey] = [.from, .to, .feb29]
    static let sampleKeys: [RuleKey] = [.from, .to, .salt]
    /// The keys of each kind of window; a window has those of one kind.
    static let windowKinds: [[RuleKey]] = [[.last, .unit, .mode], [.daysAgo], [.from, .to]]
}

extension RulePath {
    /// The place of a key in the object here.
    package func key(_ key: RuleKey) -> RulePath { self.key(key.rawValue) }
}
