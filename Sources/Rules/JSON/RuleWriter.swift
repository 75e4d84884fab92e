import WinnowJSON
import WinnowModel

extension Segment {
    /// The rule document as one line of JSON; reading it gives a segment that means the same.
    /// - Throws: `WinnowError.invalidRule` where the segment cannot be evaluated either.
    /// - Complexity: O(rule).
    public func json() throws(WinnowError) -> String {
        try validate()
        var json = JSONWriter()
        guard name != nil || timezone != nil else {
            rule.write(to: &json)
            return json.text
        }
        json.object {
            if let name { $0.member(.name, name) }
            if let timezone { $0.member(.timezone, timezone) }
            $0.member(.where, rule)
        }
        return json.text
    }
}

// A member whose key is one of rules.
extension JSONWriter {
    mutating func member(_ key: RuleKey, _ write: (inout JSONWriter) -> Void) {
        member(key.rawValue, write)
    }
    mutating func member(_ key: RuleKey, _ value: String) {
        member(key.rawValue, value)
    }
    mutating func member(_ key: RuleKey, _ value: some BinaryInteger) {
        member(key.rawValue, value)
    }
    mutating func member(_ key: RuleKey, _ value: some JSONWritable) {
        member(key.rawValue) { value.write(to: &$0) }
    }
    mutating func member(_ key: RuleKey, _ texts: [String]) {
        member(key.rawValue) { $0.array(texts) { $0.value($1) } }
    }
}

extension Rule: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            if let condition = node.condition {
                return json.member(type(of: condition).key) { condition.write(to: &$0) }
            }
            switch node {
            case .all(let parts): json.member(.all) { $0.array(parts) { $1.write(to: &$0) } }
            case .any(let parts): json.member(.any) { $0.array(parts) { $1.write(to: &$0) } }
            case .not(let part): json.member(.not, part)
            // No valid rule passes a limit.
            default: break
            }
        }
    }
}
