import WinnowModel

/// document = [ [ "segment" STRING ] [ "timezone" STRING ] ":" and a new line ] expr
/// expr     = term { "or" term }
/// term     = factor { "and" factor }
/// factor   = "not" factor | "(" expr ")" | activity | field | subscription | goal | segment
///          | sample
extension TextReader {
    /// What a text says.
    struct Document {
        var name: String?
        var timezone: String?
        var timezonePlace: Int?
        var rule: SourceTree
    }

    mutating func document(takingHeader: Bool) throws(WinnowError) -> Document {
        if !takingHeader, isNext("segment") || isNext("timezone") {
            throw error("a text inside a document has no header; name and timezone are beside it")
        }
        var name: String?, timezone: String?, place: Int?
        if take("segment") { name = try string() }
        if take("timezone") {
            place = token.start
            timezone = try string()
        }
        if name != nil || timezone != nil {
            try require(":")
            guard lexer.bytes[end..<token.start].contains(UInt8(ascii: "\n")) || token.range.isEmpty
            else {
                throw error("a header is on a line of its own; the rule begins on the next")
            }
        }
        return Document(
            name: name, timezone: timezone, timezonePlace: place, rule: try expression())
    }

    // MARK: Groups

    /// Parentheses, which add no level by themselves, within each other.
    private static let parentheses = 128

    /// What has been read between two parentheses, or of the whole.
    private struct Level {
        /// Where it begins.
        var start: Int
        /// Where the negations of the next operand are.
        var negations: [Int] = []
        /// The operands before the last “or”.
        var alternatives: [SourceTree] = []
        /// The operands of the last term.
        var parts: [SourceTree] = []

        /// Levels of the rule that the next operand is in, of those that are known so far.
        var depth: Int {
            negations.count + (alternatives.isEmpty ? 0 : 1) + (parts.isEmpty ? 0 : 1)
        }

        /// An operand with the negations before it.
        mutating func negated(_ operand: SourceTree) -> SourceTree {
            var result = operand
            while let start = negations.popLast() {
                result = SourceTree(rule: .not(result.rule), start: start, children: [result])
            }
            return result
        }

        /// The term that ends with an operand.
        mutating func term(_ last: SourceTree) -> SourceTree {
            defer { parts = [] }
            return Level.group(parts, last) { .all($0) }
        }

        /// Everything, which ends with a term.
        mutating func whole(_ last: SourceTree) -> SourceTree {
            Level.group(alternatives, last) { .any($0) }
        }

        private static func group(
            _ parts: [SourceTree], _ last: SourceTree, _ make: ([Rule]) -> Rule
        ) -> SourceTree {
            guard let first = parts.first else { return last }
            let children = parts + [last]
            return SourceTree(
                rule: make(children.map(\.rule)), start: first.start, children: children)
        }
    }

    /// Method: what is open is kept in a list, not in calls within calls, so that no text overflows
    /// the stack.
    private mutating func expression() throws(WinnowError) -> SourceTree {
        var levels: [Level] = []
        var level = Level(start: token.start)
        func depth() -> Int { levels.reduce(level.depth) { $0 + $1.depth } }
        while true {
            let start = token.start
            if take("not") {
                level.negations.append(start)
                try checkLimits(depth: depth() + 1, at: start)
                continue
            }
            if take("(") {
                guard levels.count < TextReader.parentheses else {
                    throw error(
                        "more than \(TextReader.parentheses) parentheses within each other",
                        at: start)
                }
                levels.append(level)
                level = Level(start: token.start)
                continue
            }
            try checkLimits(depth: depth() + 1, at: start)
            var operand = level.negated(try condition())
            while true {
                let connective = token.start
                if take("and") {
                    if level.parts.isEmpty {
                        try checkLimits(depth: depth() + 1 + operand.rule.depth, at: connective)
                    }
                    level.parts.append(operand)
                    break
                }
                if take("or") {
                    let term = level.term(operand)
                    if level.alternatives.isEmpty {
                        try checkLimits(depth: depth() + 1 + term.rule.depth, at: connective)
                    }
                    level.alternatives.append(term)
                    break
                }
                operand = level.whole(level.term(operand))
                guard let outer = levels.popLast() else {
                    guard token.range.isEmpty else {
                        throw failure(expecting: "the end of the text")
                    }
                    return operand
                }
                try require(")")
                level = outer
                operand = level.negated(operand)
            }
        }
    }

    /// Counts a node, and checks its level.
    private mutating func checkLimits(depth: Int, at place: Int) throws(WinnowError) {
        nodes += 1
        if depth > RuleLimits.depth {
            throw error("nested deeper than \(RuleLimits.depth) levels", at: place)
        }
        if nodes > RuleLimits.nodes {
            throw error("more than \(RuleLimits.nodes) nodes", at: place)
        }
    }

    // MARK: Conditions

    private mutating func condition() throws(WinnowError) -> SourceTree {
        let start = token.start
        let openings = Rule.conditions.flatMap { kind in kind.openings.map { (kind, $0) } }
        let opened = choice(openings) { $0.1 }
        if opened == nil {
            // A word that begins nothing else, such as “entered”, is followed by the rest.
            for (_, opening) in openings {
                let words = opening.split(separator: " ", maxSplits: 1).map(String.init)
                guard words.count > 1, isNext(words[0]) else { continue }
                _ = take(words[0])
                try require(words[1])
            }
        }
        let kinds = opened.map { [$0.0] } ?? Rule.conditions.filter { $0.openings.isEmpty }
        for kind in kinds {
            if let condition = try kind.read(&self, after: opened?.1) {
                return SourceTree(rule: Rule(condition.node), start: start, marks: takeMarks())
            }
        }
        throw failure()
    }
}
