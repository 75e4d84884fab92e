import WinnowJSON
import WinnowModel

extension FieldCondition: RuleCondition {
    package static let key: RuleKey = "field"
    static let words = FieldOperator.allCases.map { (json: $0.rawValue, words: $0.words) }
    var node: Rule.Node { .field(self) }

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
        case (.none, _): throw .invalidRule("“\(name)” takes no value")
        case (.value, _): throw .invalidRule("“\(name)” takes one value")
        case (.list, _): throw .invalidRule("“\(name)” takes a list of values")
        case (.range, _): throw .invalidRule("“\(name)” takes a lowest and a highest value")
        case (.window, _): throw .invalidRule("“\(name)” takes a window")
        case (.anniversary, _): throw .invalidRule("“\(name)” takes days around today")
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
