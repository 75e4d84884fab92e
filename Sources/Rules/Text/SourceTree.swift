import WinnowModel

/// Where a part of a condition is in a text.
struct SourceMark {
    /// From the node on: `activity.campaigns`.
    var path: RulePath
    /// A byte of the text.
    var start: Int
}

/// A rule that was read from text, with the places of its parts.
struct SourceTree {
    var rule: Rule
    /// Where it begins, a byte of the text.
    var start: Int
    /// Of a condition, where its parts are.
    var marks: [SourceMark] = []
    /// Of a group or a negation, what it is made of.
    var children: [SourceTree] = []

    /// Where a part begins; of what has no place of its own, that which it is a part of.
    /// - Parameter path: from the rule on: `all[1].activity.campaigns`.
    func start(of path: ArraySlice<RulePath.Step>) -> Int {
        switch rule.node {
        case .all, .any:
            guard case .index(let i)? = path.dropFirst().first, children.indices.contains(i) else {
                return start
            }
            return children[i].start(of: path.dropFirst(2))
        case .not:
            return path.isEmpty ? start : children.first?.start(of: path.dropFirst()) ?? start
        default:
            var nearest: SourceMark?
            for mark in marks where path.starts(with: mark.path.steps) {
                if mark.path.steps.count >= nearest?.path.steps.count ?? 0 { nearest = mark }
            }
            return nearest?.start ?? start
        }
    }
}
