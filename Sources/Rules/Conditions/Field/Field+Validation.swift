import WinnowJSON
import WinnowModel

extension FieldCondition: RuleCondition {
    package static let key: RuleKey = "field"
    static let words = FieldOperator.allCases.map { (json: $0.rawValue, words: $0.words) }
    var node: Rule.Node { .field(self) }

    var timeUse: TimeUse {
        func use(_ literal: Literal) -> TimeUse {
            guard case .string(let text) = literal else { return .none }
            return Window.Day(text)?.timeUse ?? .none
        }
        return switch operand {
        case .none: .none
        case .value(let literal): use(literal)
        case .list(let literals): literals.lazy.map(use).max() ?? .none
        case .window(let window): window.timeUse
        case .anniversary, .age: .day
        }
    }

    var positive: Rule.Node? {
        guard self.operator.positive != self.operator else { return nil }
        var other = self
        other.operator = self.operator.positive
        return other.node
    }

    var isNegative: Bool { self.operator.isNegative }

    /// Checks what can be checked without knowing the field's type.
    func validate() throws(WinnowError) {
        try inside(.value) { () throws(WinnowError) in try validateOperand() }
    }

    private func validateOperand() throws(WinnowError) {
        let name = self.operator.rawValue
        switch (self.operator.operand, operand) {
        case (.none, .none): break
        case (.value, .value(let literal)): try literal.validate()
        case (.list, .list(let literals)):
            try RuleLimits.validate(count: literals.count)
            try insideEach(literals) { (literal) throws(WinnowError) in try literal.validate() }
        case (.range, .list(let literals)):
            guard literals.count == 2 else { throw .invalidRule("expected [lowest, highest]") }
            try insideEach(literals) { (literal) throws(WinnowError) in try literal.validate() }
        case (.window, .window(let window)): try window.validate()
        case (.anniversary, .anniversary(let anniversary)): try anniversary.validate()
        case (.age, .age(let age)): try age.validate()
        case (.none, _): throw .invalidRule("“\(name)” takes no value")
        case (.value, _): throw .invalidRule("“\(name)” takes one value")
        case (.list, _): throw .invalidRule("“\(name)” takes a list of values")
        case (.range, _): throw .invalidRule("“\(name)” takes a lowest and a highest value")
        case (.window, _): throw .invalidRule("“\(name)” takes a window")
        case (.anniversary, _): throw .invalidRule("“\(name)” takes days around today")
        case (.age, _): throw .invalidRule("“\(name)” takes a range of years")
        }
    }
}

extension FieldCondition.Literal {
    fileprivate func validate() throws(WinnowError) {
        guard case .number(var digits) = self else { return }
        let isNumber = digits.withUTF8 { text in
            var cursor = unsafe JSONCursor(UnsafeRawBufferPointer(text))
            guard case .number(let range) = try? cursor.scalar() else { return false }
            return range == 0..<text.count
        }
        guard isNumber else { throw .invalidRule("“\(digits)” is not a number") }
    }
}

extension FieldCondition.Anniversary {
    fileprivate func validate() throws(WinnowError) {
        for (key, day) in [(RuleKey.from, days.lowerBound), (.to, days.upperBound)] {
            guard (-365...365).contains(day) else {
                throw .invalidRule(at: key, "\(day) is not between -365 and 365")
            }
        }
    }
}

extension FieldCondition.Age {
    /// The years that count.
    static let years = 0...9998

    fileprivate func validate() throws(WinnowError) {
        for (key, end) in [(RuleKey.from, from), (.to, to)] {
            if let end, !FieldCondition.Age.years.contains(end) {
                throw .invalidRule(at: key, "\(end) is not between 0 and 9998")
            }
        }
        if from == nil, to == nil { throw .invalidRule("an age has from, to, or both") }
        if let from, let to, from > to {
            throw .invalidRule("from \(from) is above to \(to)")
        }
    }
}
