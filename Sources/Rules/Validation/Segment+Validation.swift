import Model

extension Segment {
    /// Checks everything that can be checked without a store. Whatever evaluates a segment calls this first, so nobody
    /// else needs to.
    /// - Throws: `WinnowError.invalidRule` with the first place that makes no sense.
    /// - Complexity: O(rule).
    public func validate() throws(WinnowError) {
        let place = RulePath.document.key(.timezone)
        if mixesTimezones {
            throw .invalidRule(
                path: place, message: "segments of different time zones are combined; give them the same one")
        }
        try rule.validate(RulePath.document.key(.where))
    }
}

extension Rule {
    func validate(_ path: RulePath) throws(WinnowError) {
        switch node {
        case .all(let parts): try Rule.validate(parts, path.key(.all))
        case .any(let parts): try Rule.validate(parts, path.key(.any))
        case .not(let part): try part.validate(path.key(.not))
        case .activity(let activity): try activity.validate(path.key(.activity))
        case .field(let condition): try condition.validate(path.key(.field))
        case .sample(let sample): try sample.validate(path.key(.sample))
        case .tooDeep: throw RuleLimits.tooDeep(path)
        case .tooLarge: throw RuleLimits.tooLarge(path)
        }
    }

    private static func validate(_ parts: [Rule], _ path: RulePath) throws(WinnowError) {
        guard !parts.isEmpty else { throw .invalidRule(path: path, message: "the array is empty") }
        for (i, part) in parts.enumerated() { try part.validate(path.index(i)) }
    }
}

extension RuleLimits {
    static func tooDeep(_ path: RulePath) -> WinnowError {
        .invalidRule(path: path, message: "nested deeper than \(depth) levels")
    }

    static func tooLarge(_ path: RulePath) -> WinnowError {
        .invalidRule(path: path, message: "more than \(nodes) nodes")
    }

    /// Checks the length of a list that must have something in it.
    static func validate(count: Int, _ path: RulePath) throws(WinnowError) {
        guard count > 0 else { throw .invalidRule(path: path, message: "the array is empty") }
        guard count <= values else { throw .invalidRule(path: path, message: "more than \(values) values") }
    }
}

extension Sample {
    fileprivate func validate(_ path: RulePath) throws(WinnowError) {
        for (key, hundredths) in [(RuleKey.from, range.lowerBound), (.to, range.upperBound)] {
            guard (0...10_000).contains(hundredths) else {
                throw .invalidRule(
                    path: path.key(key),
                    message: "expected a percentage from 0 to 100 with at most two decimals")
            }
        }
        guard !range.isEmpty else { throw .invalidRule(path: path, message: "from must be less than to") }
    }
}
