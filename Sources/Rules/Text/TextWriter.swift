import WinnowJSON
import WinnowModel

extension Segment {
    /// The rule as text, in its canonical form: one line where it fits into 100 characters, else
    /// broken at “and” and “or”, four spaces a level. Reading it gives a segment that means the
    /// same.
    /// - Throws: `WinnowError.invalidRule` where the segment cannot be evaluated, or compares with
    ///   a value that no field takes.
    /// - Complexity: O(rule).
    public func text() throws(WinnowError) -> String {
        try validate()
        var header: [String] = []
        if let name { header.append("segment \(jsonString(name))") }
        if let timezone { header.append("timezone \(jsonString(timezone))") }
        let block = try inside(.where) { () throws(WinnowError) in try rule.textBlock() }
        let first = header.isEmpty ? "" : header.joined(separator: " ") + ":\n"
        return first + block.text
    }
}

extension Rule {
    /// A group of one is what it is made of.
    fileprivate func textBlock() throws(WinnowError) -> TextBlock {
        switch node {
        case .all(let parts):
            return try inside(.all) { () throws(WinnowError) in try Rule.group("and", parts) }
        case .any(let parts):
            return try inside(.any) { () throws(WinnowError) in try Rule.group("or", parts) }
        case .not(let part):
            return try inside(.not) { () throws(WinnowError) in
                TextBlock(.negation, [try part.textBlock()])
            }
        case .activity(let activity): return TextBlock(activity.text)
        case .field(let condition):
            return TextBlock(try inside(.field) { () throws(WinnowError) in try condition.text() })
        case .sample(let sample): return TextBlock(sample.text)
        case .tooDeep: throw RuleLimits.tooDeep(.document)
        case .tooLarge: throw RuleLimits.tooLarge(.document)
        }
    }

    private static func group(_ word: String, _ parts: [Rule]) throws(WinnowError) -> TextBlock {
        var blocks: [TextBlock] = []
        for (i, part) in parts.enumerated() {
            do throws(WinnowError) { blocks.append(try part.textBlock()) } catch {
                throw error.inside(.index(i))
            }
        }
        if blocks.count == 1, let only = blocks.first { return only }
        return TextBlock(.group(word), blocks)
    }
}

/// One value as it is, several in parentheses.
private func list(_ values: [String]) -> String {
    values.count == 1 ? values.joined() : "(" + values.joined(separator: ", ") + ")"
}

private func list(_ texts: [String], quoted: Void) -> String { list(texts.map { jsonString($0) }) }

extension Activity {
    fileprivate var text: String {
        var words = [type.channel.name, type.event.name, condition.text]
        if let campaigns { words += ["in", campaigns.text("campaign")] }
        if let templates { words += ["in", templates.text("template")] }
        if let links {
            words += ["on", links.count == 1 ? "link" : "links", list(links, quoted: ())]
        }
        if let during { words.append(during.text) }
        if let mode = counting.words { words += ["counting", mode] }
        if let precededBy { words.append(precededBy.text) }
        return words.joined(separator: " ")
    }
}

extension CountCondition {
    fileprivate var text: String {
        let words = self.operator.words
        return switch self {
        case .exists, .doesNotExist, .notHappened: words
        case .atLeast(let n), .atMost(let n), .exactly(let n): "\(words) \(n) times"
        case .between(let low, let high): "\(words) \(low) and \(high) times"
        }
    }
}

extension Selector {
    fileprivate func text(_ kind: String) -> String {
        var words = [ids.count == 1 && !hasConditions ? kind : kind + "s"]
        if !ids.isEmpty { words.append(list(ids, quoted: ())) }
        if !ids.isEmpty, hasConditions { words.append("or") }
        if !tags.isEmpty { words += ["tagged", list(tags, quoted: ())] }
        if !allTags.isEmpty { words += ["tagged all", list(allTags, quoted: ())] }
        for condition in attributes {
            let isOne = condition.values.count == 1
            words += [
                "with", TextWords.name(condition.key), isOne ? "=" : "in",
                list(condition.values, quoted: ()),
            ]
        }
        return words.joined(separator: " ")
    }
}

extension Preceding {
    fileprivate var text: String {
        var text = "having \(event.name)"
        if atLeast != 1 { text += " at least \(atLeast) times" }
        if pairing != .scope { text += " paired by \(pairing.rawValue)" }
        return text
    }
}

extension Window {
    fileprivate var text: String {
        func ends(_ from: String?, _ to: String?) -> String {
            guard let from else { return "until \(to ?? "")" }
            return to.map { "from \(from) to \($0)" } ?? "since \(from)"
        }
        switch self {
        case .last(let number, let unit, let mode):
            let n = Window.bounded(number)
            return "in the last \(n) \(n == 1 ? unit.singular : unit.rawValue)"
                + (mode.map { " \($0.rawValue)" } ?? "")
        case .daysAgo(let first, let last):
            return "between \(Window.bounded(first)) and \(Window.bounded(last)) days ago"
        case .dates(let from, let to): return ends(from?.description, to?.description)
        case .instants(let from, let to): return ends(from?.description, to?.description)
        }
    }
}

extension FieldCondition {
    fileprivate func text() throws(WinnowError) -> String {
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
                self.operator.operand == .range ? texts.joined(separator: " and ") : list(texts))
        case .window(let window): words.append(window.text)
        case .anniversary(let anniversary): words.append(anniversary.text)
        }
        if ignoresCase == true { words.append("ignoring case") }
        return words.joined(separator: " ")
    }

    /// A date needs no quotes where dates are compared; anywhere else it is a string like others.
    private func text(_ literal: Literal) -> String {
        switch literal {
        case .string(let text):
            self.operator.shape.types.contains(.date) && TextLexer.isTime(text)
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

extension Sample {
    fileprivate var text: String {
        func percent(_ hundredths: Int) -> String {
            let tenth = hundredths % 100 / 10, hundredth = hundredths % 10
            let rest = hundredth > 0 ? ".\(tenth)\(hundredth)" : tenth > 0 ? ".\(tenth)" : ""
            return "\(hundredths / 100)\(rest)"
        }
        let text = "sample \(percent(range.lowerBound)) to \(percent(range.upperBound))"
        return salt.isEmpty ? text : "\(text) salted \(jsonString(salt))"
    }
}
