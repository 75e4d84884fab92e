import WinnowModel

extension Segment {
    /// What the segment's author should know by the rule alone, whatever a store holds: it always
    /// matches nobody or everybody, or joins negations by `any`, which nearly everybody satisfies.
    /// - Complexity: O(rule).
    public var warnings: [RuleWarning] {
        // Most rules are one condition that says nothing of the kind.
        guard rule.nodes > 1 || rule.node.condition?.keyOfEverybody != nil else { return [] }
        var warnings: [RuleWarning] = []
        rule.warn(at: RulePath.document.key(.where), &warnings)
        return warnings
    }
}

extension Rule {
    /// A rule without the negations around it.
    private struct Sense: Hashable {
        var rule: Rule
        var isNegated: Bool

        init(_ rule: Rule) {
            self.rule = rule
            isNegated = false
            while true {
                if case .not(let inner) = self.rule.node {
                    self.rule = inner
                } else if let positive = self.rule.node.condition?.positive {
                    self.rule = Rule(positive)
                } else {
                    return
                }
                isNegated.toggle()
            }
        }

        var negation: Sense {
            var negation = self
            negation.isNegated.toggle()
            return negation
        }
    }

    /// Adds the warnings of the rule, and of those that it is made of.
    fileprivate func warn(at path: RulePath, _ warnings: inout [RuleWarning]) {
        if let condition = node.condition {
            guard let key = condition.keyOfEverybody else { return }
            let place = path.key(type(of: condition).key).key(key)
            return warnings.append(
                RuleWarning(
                    code: "always_everyone", path: place,
                    message: "the number is the greatest there is, so this holds for everybody"))
        }
        func note(_ code: String, _ message: String) {
            warnings.append(RuleWarning(code: code, path: path, message: message))
        }
        switch node {
        case .all(let parts):
            if Rule.holdNegation(parts) {
                note(
                    "always_nobody", "one condition is the negation of another, so nobody has both")
            }
        case .any(let parts):
            if Rule.holdNegation(parts) {
                note(
                    "always_everyone",
                    "one condition is the negation of another, so everybody has one")
            }
            if parts.count(where: \.isNegative) > 1 {
                note(
                    "negations_in_any",
                    "one of several negations is enough here, so nearly everybody is in; "
                        + "to leave out each of them, all must hold")
            }
        default: break
        }
        for (i, part) in node.children.enumerated() {
            switch node {
            case .all: part.warn(at: path.key(.all).index(i), &warnings)
            case .any: part.warn(at: path.key(.any).index(i), &warnings)
            default: part.warn(at: path.key(.not), &warnings)
            }
        }
    }

    /// Whether one of some rules is the negation of another.
    private static func holdNegation(_ rules: [Rule]) -> Bool {
        let all = rules.map(Sense.init)
        // Comparing looks at every value of long lists.
        guard let first = all.first, all.contains(where: { $0.isNegated != first.isNegated }) else {
            return false
        }
        let senses = Set(all)
        return senses.contains { !$0.isNegated && senses.contains($0.negation) }
    }

    /// Whether it finds who lacks something.
    private var isNegative: Bool {
        if case .not = node { return true }
        return node.condition?.isNegative ?? false
    }
}
