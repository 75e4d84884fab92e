import JSON
import Model

/// Reads a `field` node, as far as that is possible without knowing the field's type.
struct FieldReader {
    private let object: RuleObject

    init(_ value: JSONValue, _ path: String) throws(WinnowError) {
        object = try RuleObject(value, path, allowed: ["name", "operator", "value", "ignore_case"])
    }

    func condition() throws(WinnowError) -> FieldCondition {
        let name = try object.required("name").string()
        let chosen = try object.required("operator"), text = try chosen.string()
        if text == "anniversary" { throw chosen.error("“anniversary” is not available in this version") }
        guard let op = FieldOperator(rawValue: text) else {
            let names = FieldOperator.allCases.map(\.rawValue).joined(separator: ", ")
            throw chosen.error("unknown operator “\(text)”; the operators are \(names)")
        }
        if let folding = object.optional("ignore_case") {
            guard case .boolean(let on) = folding.value else { throw folding.error("expected true or false") }
            let folds: [FieldOperator] = [.equals, .in, .contains, .startsWith, .endsWith, .matches]
            guard folds.contains(op.positive) else { throw folding.error("“\(text)” does not compare text") }
            guard !on else { throw folding.error("ignoring case is not available in this version") }
        }
        switch op.positive {
        case .exists, .isEmpty:
            try object.refuse(["value"], because: "“\(text)” takes no value")
            return FieldCondition(name, op)
        case .during: return FieldCondition(name, op, .window(try WindowReader.window(try object.required("value"))))
        case .in, .between, .hasAny, .hasAll:
            var literals: [FieldCondition.Literal] = []
            let list = try object.required("value")
            for element in try list.elements() { literals.append(try literal(element)) }
            if op.positive == .between, literals.count != 2 { throw list.error("expected [lowest, highest]") }
            return FieldCondition(name, op, .list(literals))
        default: return FieldCondition(name, op, .value(try literal(try object.required("value"))))
        }
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
