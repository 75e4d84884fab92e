import WinnowJSON
import WinnowModel

/// Reads a `field` node, as far as that is possible without knowing the field's type.
struct FieldReader {
    private let object: RuleObject

    init(_ value: JSONValue, _ path: RulePath) throws(WinnowError) {
        object = try RuleObject(value, path, allowed: RuleKey.fieldKeys)
    }

    func condition() throws(WinnowError) -> FieldCondition {
        let name = try object.required(.name).string()
        let chosen = try object.required(.operator), text = try chosen.string()
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
        let object = try RuleObject(value.value, value.path, allowed: RuleKey.anniversaryKeys)
        let from = try object.required(.from).integer(-365...365),
            to = try object.required(.to).integer(-365...365)
        guard from <= to else { throw value.error("from \(from) lies after to \(to)") }
        let leapDay =
            try object.optional(.feb29)?.choice(FieldCondition.Anniversary.LeapDay.self) ?? .feb28
        return FieldCondition.Anniversary(Int(from)...Int(to), leapDay: leapDay)
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
