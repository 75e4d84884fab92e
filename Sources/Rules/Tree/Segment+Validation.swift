import WinnowModel

extension Segment {
    /// Checks everything that can be checked without a store. Whatever evaluates a segment calls
    /// this first, so nobody else needs to.
    /// - Throws: `WinnowError.invalidRule` with the first place that makes no sense.
    /// - Complexity: O(rule).
    public func validate() throws(WinnowError) {
        if mixesTimezones {
            throw .invalidRule(
                at: .timezone,
                "segments of different time zones are combined; give them the same one")
        }
        try inside(.where) { () throws(WinnowError) in try rule.validate() }
    }
}

/// Runs a check of the value of a key. Places are put together only when something is wrong, from
/// the inside out.
func inside<T>(_ key: RuleKey, _ check: () throws(WinnowError) -> T) throws(WinnowError) -> T {
    do throws(WinnowError) { return try check() } catch { throw error.inside(.key(key.rawValue)) }
}

/// The same for each element of a list.
func insideEach<T>(_ list: [T], _ check: (T) throws(WinnowError) -> Void) throws(WinnowError) {
    for (i, element) in list.enumerated() {
        do throws(WinnowError) { try check(element) } catch { throw error.inside(.index(i)) }
    }
}

extension WinnowError {
    /// The error of a rule, whose place begins here; with a key at that key.
    static func invalidRule(at key: RuleKey? = nil, _ message: String) -> WinnowError {
        .invalidRule(path: RulePath(key.map { [.key($0.rawValue)] } ?? []), message: message)
    }
}

extension Rule {
    fileprivate func validate() throws(WinnowError) {
        if let condition = node.condition {
            return try inside(type(of: condition).key) { () throws(WinnowError) in
                try condition.validate()
            }
        }
        switch node {
        case .all(let parts):
            try inside(.all) { () throws(WinnowError) in try Rule.validate(parts) }
        case .any(let parts):
            try inside(.any) { () throws(WinnowError) in try Rule.validate(parts) }
        case .not(let part): try inside(.not) { () throws(WinnowError) in try part.validate() }
        case .tooDeep: throw RuleLimits.tooDeep(.document)
        default: throw RuleLimits.tooLarge(.document)
        }
    }

    private static func validate(_ parts: [Rule]) throws(WinnowError) {
        guard !parts.isEmpty else { throw .invalidRule("the array is empty") }
        try insideEach(parts) { (part) throws(WinnowError) in try part.validate() }
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
    static func validate(count: Int) throws(WinnowError) {
        guard count > 0 else { throw .invalidRule("the array is empty") }
        guard count <= values else { throw .invalidRule("more than \(values) values") }
    }

    /// Checks a number of objects or units.
    static func validate(number: Int, at key: RuleKey) throws(WinnowError) {
        guard RuleLimits.number.contains(number) else {
            throw .invalidRule(
                at: key,
                "\(number) is not between \(RuleLimits.number.lowerBound) and "
                    + "\(RuleLimits.number.upperBound)")
        }
    }
}
