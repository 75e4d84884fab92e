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
        if let condition = node.condition {
            return TextBlock(
                try inside(type(of: condition).key) { () throws(WinnowError) in
                    try condition.text()
                })
        }
        switch node {
        case .all(let parts):
            return try inside(.all) { () throws(WinnowError) in try Rule.group("and", parts) }
        case .any(let parts):
            return try inside(.any) { () throws(WinnowError) in try Rule.group("or", parts) }
        case .not(let part):
            return try inside(.not) { () throws(WinnowError) in
                TextBlock(.negation, [try part.textBlock()])
            }
        case .tooDeep: throw RuleLimits.tooDeep(.document)
        default: throw RuleLimits.tooLarge(.document)
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

extension TextWords {
    /// One value as it is, several in parentheses.
    static func list(_ values: [String]) -> String {
        values.count == 1 ? values.joined() : "(" + values.joined(separator: ", ") + ")"
    }

    /// Strings in quotes.
    static func quoted(_ texts: [String]) -> String { list(texts.map { jsonString($0) }) }
}
