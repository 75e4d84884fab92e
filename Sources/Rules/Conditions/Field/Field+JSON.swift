import WinnowJSON
import WinnowModel

extension RuleKey {
    package static let ignoreCase: RuleKey = "ignore_case"
    fileprivate static let feb29: RuleKey = "feb29"
}

// MARK: Reading

extension FieldCondition {
    static func read(_ value: RuleValue) throws(WinnowError) -> FieldCondition {
        let keys: [RuleKey] = [.name, .operator, .value, .ignoreCase]
        return try FieldReader(object: try RuleObject(value, allowed: keys)).condition()
    }
}

/// Reads the object of a condition on a field, as far as that is possible without knowing the
/// field's type.
private struct FieldReader {
    let object: RuleObject

    func condition() throws(WinnowError) -> FieldCondition {
        let name = try object.required(.name).string()
        let chosen = try object.required(.operator)
        let text = try chosen.string()
        guard let op = FieldOperator(rawValue: text) else {
            throw chosen.unknownOperator(text, FieldOperator.allCases.map(\.rawValue))
        }
        var condition = FieldCondition(name, op, try operand(op))
        if let folding = object.optional(.ignoreCase) {
            guard case .boolean(let on) = folding.value else {
                throw folding.error("expected true or false")
            }
            condition.ignoresCase = on
        }
        return condition
    }

    private func operand(_ op: FieldOperator) throws(WinnowError) -> FieldCondition.Operand {
        switch op.operand {
        case .none:
            try object.refuse(.value, because: "“\(op.rawValue)” takes no value")
            return .none
        case .window: return .window(try WindowReader.window(try object.required(.value)))
        case .anniversary: return .anniversary(try anniversary(try object.required(.value)))
        case .age: return .age(try age(try object.required(.value)))
        case .list, .range:
            var literals: [FieldCondition.Literal] = []
            for element in try object.required(.value).elements() {
                literals.append(try literal(element))
            }
            return .list(literals)
        case .value: return .value(try literal(try object.required(.value)))
        }
    }

    private func anniversary(_ value: RuleValue) throws(WinnowError) -> FieldCondition.Anniversary {
        let object = try RuleObject(value, allowed: [.from, .to, .feb29])
        let from = try object.required(.from).integer(-365...365)
        let to = try object.required(.to).integer(-365...365)
        guard from <= to else { throw value.error("from \(from) is after to \(to)") }
        let leapDay =
            try object.optional(.feb29)?.choice(FieldCondition.Anniversary.LeapDay.self) ?? .feb28
        return FieldCondition.Anniversary(Int(from)...Int(to), leapDay: leapDay)
    }

    private func age(_ value: RuleValue) throws(WinnowError) -> FieldCondition.Age {
        let object = try RuleObject(value, allowed: [.from, .to, .feb29])
        func years(_ key: RuleKey) throws(WinnowError) -> Int? {
            try object.optional(key).map { (value) throws(WinnowError) in
                Int(try value.integer(0...9998))
            }
        }
        return FieldCondition.Age(
            from: try years(.from), to: try years(.to),
            leapDay: try object.optional(.feb29)?.choice(FieldCondition.Age.LeapDay.self) ?? .feb28)
    }

    private func literal(_ value: RuleValue) throws(WinnowError) -> FieldCondition.Literal {
        switch value.value {
        case .string(let text): return .string(text)
        case .number(let text): return .number(text)
        case .boolean(let flag): return .boolean(flag)
        default: throw value.error("expected a string, number or boolean, not \(value.value.kind)")
        }
    }
}

// MARK: Writing

extension FieldCondition {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.member(.name, name)
            json.member(.operator, self.operator.rawValue)
            switch operand {
            case .none: break
            case .value(let literal): json.member(.value, literal)
            case .list(let literals):
                json.member(.value) { $0.array(literals) { $1.write(to: &$0) } }
            case .window(let window): json.member(.value, window)
            case .anniversary(let anniversary): json.member(.value, anniversary)
            case .age(let age): json.member(.value, age)
            }
            if let ignoresCase { json.member(RuleKey.ignoreCase.rawValue, ignoresCase) }
        }
    }
}

extension FieldCondition.Literal: JSONWritable {
    package func write(to json: inout JSONWriter) {
        switch self {
        case .string(let text): json.value(text)
        case .number(let digits): json.literal(digits)
        case .boolean(let flag): json.value(flag)
        }
    }
}

extension FieldCondition.Anniversary: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.member(.from, days.lowerBound)
            json.member(.to, days.upperBound)
            if leapDay != .feb28 { json.member(.feb29, leapDay.rawValue) }
        }
    }
}

extension FieldCondition.Age: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            if let from { json.member(.from, from) }
            if let to { json.member(.to, to) }
            if leapDay != .feb28 { json.member(.feb29, leapDay.rawValue) }
        }
    }
}
