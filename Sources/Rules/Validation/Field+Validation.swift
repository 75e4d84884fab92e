import JSON
import Model

extension FieldCondition {
    /// Checks what can be checked without knowing the field's type.
    func validate(_ path: RulePath) throws(WinnowError) {
        let place = path.key(.value)
        func bad(_ message: String) -> WinnowError { .invalidRule(path: place, message: message) }
        let name = self.operator.rawValue
        switch (self.operator.operand, operand) {
        case (.none, .none): break
        case (.value, .value(let literal)): try literal.validate(place)
        case (.list, .list(let literals)):
            try RuleLimits.validate(count: literals.count, place)
            for (i, literal) in literals.enumerated() { try literal.validate(place.index(i)) }
        case (.range, .list(let literals)):
            guard literals.count == 2 else { throw bad("expected [lowest, highest]") }
            for (i, literal) in literals.enumerated() { try literal.validate(place.index(i)) }
        case (.window, .window(let window)): try window.validate(place)
        case (.anniversary, .anniversary(let anniversary)): try anniversary.validate(place)
        case (.none, _): throw bad("“\(name)” takes no value")
        case (.value, _): throw bad("“\(name)” takes one value")
        case (.list, _): throw bad("“\(name)” takes a list of values")
        case (.range, _): throw bad("“\(name)” takes a lowest and a highest value")
        case (.window, _): throw bad("“\(name)” takes a window")
        case (.anniversary, _): throw bad("“\(name)” takes days around today")
        }
    }
}

extension FieldCondition.Literal {
    fileprivate func validate(_ path: RulePath) throws(WinnowError) {
        guard case .number(var digits) = self else { return }
        let isNumber = digits.withUTF8 { text in
            var cursor = unsafe JSONCursor(UnsafeRawBufferPointer(text))
            guard case .number(let range) = try? cursor.scalar() else { return false }
            return range == 0..<text.count
        }
        guard isNumber else { throw .invalidRule(path: path, message: "“\(digits)” is not a number") }
    }
}

extension FieldCondition.Anniversary {
    fileprivate func validate(_ path: RulePath) throws(WinnowError) {
        for (key, day) in [(RuleKey.from, days.lowerBound), (.to, days.upperBound)] {
            guard (-365...365).contains(day) else {
                throw .invalidRule(path: path.key(key), message: "\(day) is not between -365 and 365")
            }
        }
    }
}
