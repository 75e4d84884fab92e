import WinnowJSON
import WinnowModel

extension Segment {
    /// Reads a rule document: a node, `{"name": …, "timezone": …, "where": node}`, or the same with
    /// a rule as `text` in place of `where`. Everything that can be checked without a store is
    /// checked; errors name the path.
    /// - Throws: `WinnowError.invalidRule`; `invalidText` for what is wrong in a `text`.
    /// - Complexity: O(text).
    public init(json text: String) throws(WinnowError) {
        // White space around a document, such as a file's last line end, is not part of it.
        let blank: (UInt8) -> Bool = { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
        let size =
            text.utf8.count - text.utf8.prefix(while: blank).count
            - text.utf8.reversed().prefix(while: blank).count
        guard size <= RuleLimits.bytes else {
            throw .invalidRule(
                path: .document, message: "the rule is longer than \(RuleLimits.bytes >> 20) MiB")
        }
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: text) } catch {
            throw .invalidRule(
                path: .document, message: "not JSON at byte \(error.offset): \(error.message)")
        }
        var reader = RuleReader()
        self = try reader.document(value)
        try validate()
    }
}

/// Reads rules from a JSON tree. It only says what the text says; whether that makes sense the
/// values check themselves. Depth and number of nodes are looked at on the way, to name the very
/// place.
private struct RuleReader {
    private var nodes = 0

    mutating func document(_ value: JSONValue) throws(WinnowError) -> Segment {
        guard case .object(let members) = value else {
            throw .invalidRule(path: .document, message: "a rule is an object, not \(value.kind)")
        }
        let place = RulePath.document.key(.where)
        if members.contains(where: { $0.key == RuleKey.text.rawValue }) {
            let object = try RuleObject(
                RuleValue(value: value, path: .document), allowed: RuleKey.textDocument)
            let text = try RuleText(try object.required(.text).string(), takingHeader: false)
            return Segment(
                name: try object.optional(.name)?.string(),
                timezone: try object.optional(.timezone)?.string(),
                text.segment.rule)
        }
        guard members.contains(where: { $0.key == RuleKey.where.rawValue }) else {
            return Segment(try node(value, place, depth: 1))
        }
        let object = try RuleObject(
            RuleValue(value: value, path: .document), allowed: RuleKey.document)
        return Segment(
            name: try object.optional(.name)?.string(),
            timezone: try object.optional(.timezone)?.string(),
            try node(try object.required(.where).value, place, depth: 1))
    }

    private mutating func node(_ value: JSONValue, _ path: RulePath, depth: Int) throws(WinnowError)
        -> Rule
    {
        guard depth <= RuleLimits.depth else { throw RuleLimits.tooDeep(path) }
        nodes += 1
        guard nodes <= RuleLimits.nodes else { throw RuleLimits.tooLarge(path) }
        guard case .object(let members) = value else {
            throw .invalidRule(path: path, message: "a node is an object, not \(value.kind)")
        }
        guard members.count == 1, let (key, content) = members.first else {
            let keys = members.map(\.key).joined(separator: ", ")
            throw .invalidRule(
                path: path,
                message: "a node has exactly one key"
                    + (keys.isEmpty ? "" : ", this one has \(keys)"))
        }
        let inner = path.key(key)
        switch RuleKey(rawValue: key) {
        case .all: return .all(try group(content, inner, depth: depth))
        case .any: return .any(try group(content, inner, depth: depth))
        case .not: return .not(try node(content, inner, depth: depth + 1))
        case let key:
            guard let kind = Rule.conditions.first(where: { $0.key == key }) else { break }
            return Rule(try kind.read(RuleValue(value: content, path: inner)).node)
        }
        throw unknownKey(key, path, "a node is one of", RuleKey.nodes)
    }

    private mutating func group(_ value: JSONValue, _ path: RulePath, depth: Int)
        throws(WinnowError) -> [Rule]
    {
        guard case .array(let elements) = value else {
            throw .invalidRule(path: path, message: "expected an array of nodes, not \(value.kind)")
        }
        var rules: [Rule] = []
        for (i, element) in elements.enumerated() {
            rules.append(try node(element, path.index(i), depth: depth + 1))
        }
        return rules
    }
}
