import WinnowJSON
import WinnowModel

extension RuleKey {
    package static let goal: RuleKey = "goal"
    package static let pixel: RuleKey = "pixel"
}

extension GoalCondition: RuleCondition {
    package static let key: RuleKey = .goal
    static let openings = ["goal"]
    static let words: [(json: String, words: String?)] = CountOperator.allCases.map {
        ($0.rawValue, $0.words)
    }
    var node: Rule.Node { .goal(self) }
    var timeUse: TimeUse { during?.timeUseOfEvents ?? .none }

    var positive: Rule.Node? {
        guard isNegative, value == nil else { return nil }
        var other = self
        other.condition = condition == .doesNotExist ? .exists : .atLeast(1)
        return other.node
    }

    var isNegative: Bool { condition == .doesNotExist || condition == .notHappened }

    var keyOfEverybody: RuleKey? { condition == .atMost(.max) && value == nil ? .times : nil }

    func validate() throws(WinnowError) {
        guard goals != nil || pixels != nil else {
            throw .invalidRule("a goal or a pixel is needed")
        }
        for (key, list) in [(RuleKey.goal, goals), (.pixel, pixels)] {
            guard let list else { continue }
            try inside(key) { () throws(WinnowError) in
                try RuleLimits.validate(count: list.count)
            }
        }
        let name = condition.operator.rawValue
        if let instead = condition.operator.restricted, during != nil || value != nil {
            throw .invalidRule(
                at: during == nil ? .value : .during,
                "“\(name)” looks at all goals; use “\(instead.rawValue)” to restrict it")
        }
        try condition.validate()
        try inside(.during) { () throws(WinnowError) in
            try during?.validate()
            if during?.liesAhead == true {
                throw .invalidRule("what lies ahead has not happened; “next” is for fields")
            }
        }
        guard let value else { return }
        if condition.range.upper == 0 {
            throw .invalidRule(
                at: .value, "goals that were not reached have no values to compare")
        }
        try inside(.value) { () throws(WinnowError) in try value.validate() }
    }

    // MARK: JSON

    static func read(_ object: RuleValue) throws(WinnowError) -> GoalCondition {
        let object = try RuleObject(
            object, allowed: [.goal, .pixel, .operator, .times, .during, .value])
        return GoalCondition(
            goals: try object.optional(.goal)?.oneOrMore(),
            pixels: try object.optional(.pixel)?.oneOrMore(),
            try CountCondition.read(object),
            during: try object.optional(.during).map(WindowReader.window),
            value: try object.optional(.value).map(Value.read))
    }

    package func write(to json: inout JSONWriter) {
        json.object { json in
            if let goals { json.member(.goal, goals) }
            if let pixels { json.member(.pixel, pixels) }
            condition.write(to: &json)
            if let during { json.member(.during, during) }
            if let value { json.member(.value, value) }
        }
    }

    // MARK: Text

    /// goal = "goal" [ list ] [ "on" ("pixel"|"pixels") list ] op
    ///        [ "value" ("sum"|"min"|"max"|"average") ("at least"|"at most"|">"|"<") NUMBER ]
    ///        [ window ]
    static func read(
        _ reader: inout TextReader, after opening: String?
    ) throws(WinnowError) -> GoalCondition? {
        var condition = GoalCondition(.exists)
        reader.mark([key, .goal])
        if reader.isNext("(") {
            condition.goals = try reader.strings()
        } else if case .string = reader.token.kind {
            condition.goals = try reader.strings()
        } else {
            reader.expect("a string in double quotes")
        }
        let pixels = reader.token.start
        if reader.take("on pixels") || reader.take("on pixel") {
            reader.mark([key, .pixel], at: pixels)
            condition.pixels = try reader.strings()
        }
        condition.condition = try reader.count(of: key)
        reader.mark([key, .value])
        if reader.take("value") { condition.value = try Value.read(&reader) }
        condition.during = try reader.window([key, .during])
        return condition
    }

    func text() -> String {
        var words = ["goal"]
        if let goals { words.append(TextWords.quoted(goals)) }
        if let pixels {
            words += ["on", pixels.count == 1 ? "pixel" : "pixels", TextWords.quoted(pixels)]
        }
        words.append(condition.text)
        if let value {
            words += [
                "value", value.aggregate.rawValue, value.comparison.words, value.bound,
            ]
        }
        if let during { words.append(during.text) }
        return words.joined(separator: " ")
    }
}

extension GoalCondition.Value: JSONWritable {
    fileprivate func validate() throws(WinnowError) {
        guard let literal, (try? JSONValue(parsing: bound)) != nil else {
            throw .invalidRule("“\(bound)” is not a number")
        }
        guard case .value = literal.scaled(to: Field.goalValue.scale) else {
            throw .invalidRule("\(bound) is more than 64 bits can hold")
        }
    }

    fileprivate static func read(_ value: RuleValue) throws(WinnowError) -> GoalCondition.Value {
        let object = try RuleObject(value, allowed: Aggregate.allCases.map(\.key))
        let aggregates = Aggregate.allCases.filter { object.optional($0.key) != nil }
        guard aggregates.count == 1, let comparisons = object.optional(aggregates[0].key) else {
            throw value.error("exactly one of sum, min, max and average is compared")
        }
        let inner = try RuleObject(comparisons, allowed: Comparison.allCases.map(\.key))
        let given = Comparison.allCases.filter { inner.optional($0.key) != nil }
        guard given.count == 1, let bound = inner.optional(given[0].key) else {
            throw comparisons.error(
                "exactly one of at_least, at_most, greater_than and less_than is given")
        }
        guard case .number(let digits) = bound.value else {
            throw bound.error("expected a number, not \(bound.value.kind)")
        }
        return GoalCondition.Value(aggregates[0], given[0], digits)
    }

    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.member(aggregate.key) { json in
                json.object { json in json.member(comparison.key) { $0.literal(bound) } }
            }
        }
    }

    fileprivate static func read(
        _ reader: inout TextReader
    ) throws(WinnowError) -> GoalCondition.Value {
        let aggregate = try reader.choice(Aggregate.self)
        guard let comparison = reader.choice(Comparison.allCases, { $0.words }) else {
            throw reader.failure()
        }
        guard case .number = reader.token.kind else { throw reader.failure(expecting: "a number") }
        let bound = reader.lexer.text(reader.token)
        reader.advance()
        return GoalCondition.Value(aggregate, comparison, bound)
    }
}

extension GoalCondition.Value.Aggregate {
    fileprivate var key: RuleKey { RuleKey(rawValue: rawValue) }
}

extension GoalCondition.Value.Comparison {
    fileprivate var key: RuleKey { RuleKey(rawValue: rawValue) }
}
