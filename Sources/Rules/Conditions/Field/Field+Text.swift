import WinnowJSON
import WinnowModel

/// field = NAME operator [ value | list | value "and" value ] | NAME window
///       | NAME "anniversary" "from" INT "to" INT "days" [ "feb29" ("feb28"|"mar1"|"skip") ]
///       | NAME "aged" ( INT "to" INT | "at least" INT | "at most" INT ) [ "feb29" ("feb28"|"mar1") ]
///       then [ "ignoring case" ]
/// value = STRING | NUMBER | "true" | "false" | TIME
extension FieldCondition {
    static func read(
        _ reader: inout TextReader, after opening: String?
    ) throws(WinnowError) -> FieldCondition? {
        try reader.field()
    }
}

extension TextReader {
    fileprivate mutating func field() throws(WinnowError) -> FieldCondition {
        let start = token.start
        let first = token
        let name = try name("a field’s name")
        mark([FieldCondition.key, .name], at: start)
        if case .word = first.kind { try checkChannel(first) }
        mark([FieldCondition.key, .operator])
        let value = token.start
        var condition: FieldCondition
        // “between” is an operator, too; what follows tells.
        if !isNext("between"), let window = try window([FieldCondition.key, .value]) {
            mark([FieldCondition.key, .value], at: value)
            condition = FieldCondition(name, .during, .window(window))
        } else {
            guard let op = choice(FieldOperator.allCases, { $0.words }) else { throw failure() }
            condition = try comparison(name, op)
        }
        mark([FieldCondition.key, .ignoreCase])
        if take("ignoring case") { condition.ignoresCase = true }
        return condition
    }

    /// Whether the first word is a channel that there is not, rather than a field: an event
    /// follows.
    private mutating func checkChannel(_ first: TextToken) throws(WinnowError) {
        let events = Event.allCases.map(\.name)
        if let channel = Channel(name: lexer.lowercased(first)) {
            expect("an event of \(channel.name)")
        }
        guard case .word = token.kind else { return }
        let word = lexer.lowercased(token)
        guard !TextWords.fieldStarts.contains(word) else { return }
        let isNearEvent =
            nearestName(to: word, among: events) != nil
            && nearestName(to: word, among: TextWords.fieldStarts) == nil
        guard isNearEvent || events.contains(word) else { return }
        throw error(Channel.unknown(shown(first)), at: first.start)
    }

    private mutating func comparison(_ name: String, _ op: FieldOperator) throws(WinnowError)
        -> FieldCondition
    {
        let place = token.start
        mark([FieldCondition.key, .value])
        switch op.operand {
        case .none: return FieldCondition(name, op)
        case .value:
            let literal = try literal()
            guard let meant = op.meant(by: literal) else {
                throw error("expected \(op.comparable), not \(literal.kind)", at: place)
            }
            return FieldCondition(name, meant, .value(literal))
        case .list:
            return FieldCondition(
                name, op, .list(try list { (reader) throws(WinnowError) in try reader.literal() }))
        case .range:
            let before = self
            let low = try literal()
            try require("and")
            let range = FieldCondition(name, op, .list([low, try literal()]))
            guard op == .between, take("days ago") else { return range }
            self = before
            return FieldCondition(
                name, .during, .window(try daysAgo([FieldCondition.key, .value])))
        case .anniversary: return FieldCondition(name, op, .anniversary(try anniversary()))
        case .age: return FieldCondition(name, op, .age(try age()))
        case .window: throw failure()
        }
    }

    private mutating func literal() throws(WinnowError) -> FieldCondition.Literal {
        if let today = try today() { return .string(today.description) }
        switch token.kind {
        case .string: return .string(try string())
        case .number, .time:
            let text = lexer.text(token)
            let isTime = if case .time = token.kind { true } else { false }
            advance()
            return isTime ? .string(text) : .number(text)
        default:
            if take("true") { return .boolean(true) }
            if take("false") { return .boolean(false) }
            throw failure(expecting: "a string in double quotes", "a number", "a date")
        }
    }

    private mutating func anniversary() throws(WinnowError) -> FieldCondition.Anniversary {
        try require("from")
        mark([FieldCondition.key, .value, .from])
        let from = try integer(-365...365)
        try require("to")
        let place = token.start
        mark([FieldCondition.key, .value, .to])
        let to = try integer(-365...365)
        guard from <= to else { throw error("from \(from) is after to \(to)", at: place) }
        try require("days")
        let leapDay = take("feb29") ? try choice(FieldCondition.Anniversary.LeapDay.self) : .feb28
        return FieldCondition.Anniversary(from...to, leapDay: leapDay)
    }
}

extension TextReader {
    private mutating func age() throws(WinnowError) -> FieldCondition.Age {
        let years = FieldCondition.Age.years
        var age = FieldCondition.Age(from: nil, to: nil)
        if take("at least") {
            mark([FieldCondition.key, .value, .from])
            age.from = try integer(years)
        } else if take("at most") {
            mark([FieldCondition.key, .value, .to])
            age.to = try integer(years)
        } else {
            mark([FieldCondition.key, .value, .from])
            let from = try integer(years)
            try require("to")
            let place = token.start
            mark([FieldCondition.key, .value, .to])
            let to = try integer(years)
            guard from <= to else { throw error("from \(from) is above to \(to)", at: place) }
            (age.from, age.to) = (from, to)
        }
        if take("feb29") { age.leapDay = try choice(FieldCondition.Age.LeapDay.self) }
        return age
    }
}

extension FieldOperator {
    /// Of the operators that are written like this one, the one that compares with a value.
    func meant(by literal: FieldCondition.Literal) -> FieldOperator? {
        FieldOperator.allCases.first { $0.words == words && $0.compares(with: literal) }
    }

    /// Whether a type that has the operator has values that are written like a literal.
    func compares(with literal: FieldCondition.Literal) -> Bool {
        FieldType.allCases.contains {
            $0.notation == literal.notation && shape.natures.contains($0.nature)
        }
    }

    /// What the operators that are written like this one compare with, for error messages.
    var comparable: String {
        let kinds: [FieldCondition.Literal] = [.string(""), .number("0"), .boolean(true)]
        let alike = FieldOperator.allCases.filter { $0.words == words }
        let comparesText = alike.contains { $0.shape.natures.contains(.text) }
        return kinds.filter { kind in alike.contains { $0.compares(with: kind) } }
            .map { if case .string = $0, !comparesText { "a date" } else { $0.kind } }
            .joined(separator: " or ")
    }
}

extension FieldCondition.Literal {
    /// How it is written.
    var notation: FieldType.Notation {
        switch self {
        case .string: .string
        case .number: .number
        case .boolean: .boolean
        }
    }

    /// What it is, in words for error messages.
    var kind: String {
        switch self {
        case .string: "a string"
        case .number: "a number"
        case .boolean: "true or false"
        }
    }
}

// MARK: Writing

extension FieldCondition {
    func text() throws(WinnowError) -> String {
        var words = [TextWords.name(name)]
        if let op = self.operator.words { words.append(op) }
        switch operand {
        case .none: break
        case .value(let literal):
            // Text tells “less than” from “before” by the value, so it cannot say what makes no
            // sense.
            guard self.operator.compares(with: literal) else {
                throw .invalidRule(
                    at: .value,
                    "“\(self.operator.rawValue)” never compares with "
                        + "\(literal.kind); text cannot say it"
                )
            }
            words.append(text(literal))
        case .list(let literals):
            let texts = literals.map { text($0) }
            words.append(
                self.operator.operand == .range
                    ? texts.joined(separator: " and ") : TextWords.list(texts))
        case .window(let window): words.append(window.text)
        case .anniversary(let anniversary): words.append(anniversary.text)
        case .age(let age): words.append(age.text)
        }
        if ignoresCase == true { words.append("ignoring case") }
        return words.joined(separator: " ")
    }

    /// A date needs no quotes where dates are compared; anywhere else it is a string like others.
    private func text(_ literal: Literal) -> String {
        switch literal {
        case .string(let text):
            self.operator.shape.natures.contains(.time) && TextLexer.isTime(text)
                ? text : jsonString(text)
        case .number(let digits): digits
        case .boolean(let flag): flag ? "true" : "false"
        }
    }
}

extension FieldCondition.Anniversary {
    fileprivate var text: String {
        let text = "from \(days.lowerBound) to \(days.upperBound) days"
        return leapDay == .feb28 ? text : "\(text) feb29 \(leapDay.rawValue)"
    }
}

extension FieldCondition.Age {
    fileprivate var text: String {
        let years =
            switch (from, to) {
            case (let from?, let to?): "\(from) to \(to)"
            case (let from?, nil): "at least \(from)"
            case (nil, let to): "at most \(to ?? 0)"
            }
        return leapDay == .feb28 ? years : "\(years) feb29 \(leapDay.rawValue)"
    }
}
