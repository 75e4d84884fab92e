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

extension JSONWriter {
    fileprivate mutating func member(_ key: RuleKey, _ value: String) {
        member(key.rawValue, value)
    }
    fileprivate mutating func member(_ key: RuleKey, _ value: some BinaryInteger) {
        member(key.rawValue, value)
    }
    fileprivate mutating func member(_ key: RuleKey, _ value: some JSONWritable) {
        member(key.rawValue) { value.write(to: &$0) }
    }
    fileprivate mutating func member(_ key: RuleKey, _ texts: [String]) {
        member(key.rawValue) { $0.array(texts) { $0.value($1) } }
    }
}

extension Rule: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            switch node {
            case .all(let parts):
                json.member(RuleKey.all.rawValue) { $0.array(parts) { $1.write(to: &$0) } }
            case .any(let parts):
                json.member(RuleKey.any.rawValue) { $0.array(parts) { $1.write(to: &$0) } }
            case .not(let part): json.member(.not, part)
            case .activity(let activity): json.member(.activity, activity)
            case .field(let condition): json.member(.field, condition)
            case .sample(let sample): json.member(.sample, sample)
            // No valid rule has them.
            case .tooDeep, .tooLarge: break
            }
        }
    }
}

extension Activity: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.member(.channel, type.channel.name)
            json.member(.event, type.event.name)
            json.member(.operator, condition.operator.rawValue)
            switch condition {
            case .exists, .doesNotExist, .notHappened: break
            case .atLeast(let n), .atMost(let n), .exactly(let n): json.member(.times, n)
            case .between(let lo, let hi):
                json.member(RuleKey.times.rawValue) { $0.array([lo, hi]) { $0.value($1) } }
            }
            if let campaigns { json.member(.campaigns, campaigns) }
            if let templates { json.member(.templates, templates) }
            if let links { json.member(.links, links) }
            if let during { json.member(.during, during) }
            if let precededBy { json.member(.precededBy, precededBy) }
            if counting != .total { json.member(.counting, counting.rawValue) }
        }
    }
}

extension Selector: JSONWritable {
    package func write(to json: inout JSONWriter) {
        guard hasConditions else { return json.array(ids) { $0.value($1) } }
        json.object { json in
            if !ids.isEmpty { json.member(.ids, ids) }
            if !tags.isEmpty { json.member(.tags, tags) }
            if !allTags.isEmpty { json.member(.allTags, allTags) }
            guard !attributes.isEmpty else { return }
            json.member(RuleKey.attributes.rawValue) {
                $0.object { json in
                    for condition in attributes {
                        json.member(condition.key) { $0.array(condition.values) { $0.value($1) } }
                    }
                }
            }
        }
    }
}

extension Preceding: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.member(.event, event.name)
            if atLeast != 1 { json.member(.atLeast, atLeast) }
            if pairing != .scope { json.member(.pairing, pairing.rawValue) }
        }
    }
}

extension Window: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            switch self {
            case .last(let n, let unit, let mode):
                json.member(.last, Window.bounded(n))
                if unit != .days { json.member(.unit, unit.rawValue) }
                if let mode { json.member(.mode, mode.rawValue) }
            case .daysAgo(let first, let last):
                let ends = [Window.bounded(first), Window.bounded(last)]
                json.member(RuleKey.daysAgo.rawValue) { $0.array(ends) { $0.value($1) } }
            case .dates(let from, let to):
                if let from { json.member(.from, from.description) }
                if let to { json.member(.to, to.description) }
            case .instants(let from, let to):
                if let from { json.member(.from, from.description) }
                if let to { json.member(.to, to.description) }
            }
        }
    }
}

extension FieldCondition: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.member(.name, name)
            json.member(.operator, self.operator.rawValue)
            switch operand {
            case .none: break
            case .value(let literal): json.member(.value, literal)
            case .list(let literals):
                json.member(RuleKey.value.rawValue) { $0.array(literals) { $1.write(to: &$0) } }
            case .window(let window): json.member(.value, window)
            case .anniversary(let anniversary): json.member(.value, anniversary)
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

extension Sample: JSONWritable {
    package func write(to json: inout JSONWriter) {
        func percent(_ hundredths: Int) -> String {
            "\(hundredths / 100).\(hundredths % 100 / 10)\(hundredths % 10)"
        }
        json.object { json in
            json.member(RuleKey.from.rawValue) { $0.literal(percent(range.lowerBound)) }
            json.member(RuleKey.to.rawValue) { $0.literal(percent(range.upperBound)) }
            if !salt.isEmpty { json.member(.salt, salt) }
        }
    }
}
