import JSON
import Model

/// The limits of a rule document.
public enum RuleLimits {
    public static let depth = 16
    public static let nodes = 512
    public static let bytes = 1 << 20
    public static let values = 1_000_000
}

extension Segment {
    /// Reads a rule document: a node, or `{"name": …, "timezone": …, "where": node}`. Everything that can be checked
    /// without a store is checked; errors name the path.
    /// - Throws: `WinnowError.invalidRule`.
    public init(json text: String) throws(WinnowError) {
        // White space around a document, such as a file's last line end, is not part of it.
        let blank: (UInt8) -> Bool = { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
        let size =
            text.utf8.count - text.utf8.prefix(while: blank).count - text.utf8.reversed().prefix(while: blank).count
        guard size <= RuleLimits.bytes else {
            throw .invalidRule(path: "", message: "the rule is longer than 1 MiB")
        }
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: text) } catch {
            throw .invalidRule(path: "", message: "not JSON at byte \(error.offset): \(error.message)")
        }
        var reader = RuleReader()
        self = try reader.document(value)
    }
}

/// Reads rules from a JSON tree.
private struct RuleReader {
    private var nodes = 0

    mutating func document(_ value: JSONValue) throws(WinnowError) -> Segment {
        guard case .object(let members) = value else {
            throw .invalidRule(path: "", message: "a rule is an object, not \(value.kind)")
        }
        guard members.contains(where: { $0.key == "where" }) else {
            return Segment(try node(value, "where", depth: 1))
        }
        let object = try RuleObject(value, "", allowed: ["name", "timezone", "where"])
        return Segment(
            name: try object.optional("name")?.string(), timezone: try object.optional("timezone")?.string(),
            try node(try object.required("where").value, "where", depth: 1))
    }

    private mutating func node(_ value: JSONValue, _ path: String, depth: Int) throws(WinnowError) -> Rule {
        guard depth <= RuleLimits.depth else {
            throw .invalidRule(path: path, message: "nested deeper than \(RuleLimits.depth) levels")
        }
        nodes += 1
        guard nodes <= RuleLimits.nodes else {
            throw .invalidRule(path: path, message: "more than \(RuleLimits.nodes) nodes")
        }
        guard case .object(let members) = value else {
            throw .invalidRule(path: path, message: "a node is an object, not \(value.kind)")
        }
        guard members.count == 1, let (key, content) = members.first else {
            let keys = members.map(\.key).joined(separator: ", ")
            throw .invalidRule(
                path: path, message: "a node has exactly one key" + (keys.isEmpty ? "" : ", this one has \(keys)"))
        }
        let inner = "\(path).\(key)"
        switch key {
        case "all": return .all(try group(content, inner, depth: depth))
        case "any": return .any(try group(content, inner, depth: depth))
        case "not": return .not(try node(content, inner, depth: depth + 1))
        case "activity": return .activity(try ActivityReader(content, inner).activity())
        case "field": return .field(try FieldReader(content, inner).condition())
        case "sample": return .sample(try sample(content, inner))
        case "subscription", "goal", "segment":
            throw .invalidRule(path: inner, message: "“\(key)” is not available in this version")
        default:
            throw .invalidRule(
                path: inner, message: "unknown key; a node is one of all, any, not, activity, field, sample")
        }
    }

    private func sample(_ value: JSONValue, _ path: String) throws(WinnowError) -> Sample {
        let object = try RuleObject(value, path, allowed: ["from", "to", "salt"])
        let from = try object.required("from").hundredths(), to = try object.required("to").hundredths()
        guard from < to else { throw .invalidRule(path: path, message: "from must be less than to") }
        return Sample(from..<to, salt: try object.optional("salt")?.string() ?? "")
    }

    private mutating func group(_ value: JSONValue, _ path: String, depth: Int) throws(WinnowError) -> [Rule] {
        guard case .array(let elements) = value else {
            throw .invalidRule(path: path, message: "expected an array of nodes, not \(value.kind)")
        }
        guard !elements.isEmpty else { throw .invalidRule(path: path, message: "the array is empty") }
        var rules: [Rule] = []
        for (i, element) in elements.enumerated() {
            rules.append(try node(element, "\(path)[\(i)]", depth: depth + 1))
        }
        return rules
    }
}

/// A JSON value and where it stands, for readers that must name places in errors.
struct RuleValue {
    let value: JSONValue
    let path: String

    func error(_ message: String) -> WinnowError { .invalidRule(path: path, message: message) }

    func string() throws(WinnowError) -> String {
        guard case .string(let text) = value else { throw error("expected a string, not \(value.kind)") }
        return text
    }

    func strings() throws(WinnowError) -> [String] {
        var result: [String] = []
        for element in try elements() { result.append(try element.string()) }
        return result
    }

    /// The elements of an array that is not empty.
    func elements() throws(WinnowError) -> [RuleValue] {
        guard case .array(let elements) = value else { throw error("expected an array, not \(value.kind)") }
        guard !elements.isEmpty else { throw error("the array is empty") }
        guard elements.count <= RuleLimits.values else { throw error("more than \(RuleLimits.values) values") }
        return elements.enumerated().map { RuleValue(value: $1, path: "\(path)[\($0)]") }
    }

    /// A whole number within a range.
    func integer(_ range: ClosedRange<Int64>) throws(WinnowError) -> Int64 {
        guard case .number(let text) = value else { throw error("expected a whole number, not \(value.kind)") }
        guard let number = Int64(text) else { throw error("expected a whole number, not \(text)") }
        guard range.contains(number) else {
            throw error("\(text) is not between \(range.lowerBound) and \(range.upperBound)")
        }
        return number
    }

    /// A whole number from zero up; what is beyond the limit counts as the limit.
    func natural(upTo limit: Int64) throws(WinnowError) -> Int64 {
        if case .number(let text) = value, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            Int64(text) ?? .max > limit
        {
            return limit
        }
        return try integer(0...limit)
    }

    /// A percentage with at most two decimals, in hundredths.
    func hundredths() throws(WinnowError) -> Int {
        guard case .number(var text) = value,
            let literal = text.withUTF8({ unsafe DecimalLiteral(utf8: UnsafeRawBufferPointer($0)) }),
            case .value(let value, true) = literal.scaled(to: 2), (0...10_000).contains(value)
        else { throw error("expected a percentage from 0 to 100 with at most two decimals") }
        return Int(value)
    }

    /// One of the names of an enumeration.
    func choice<T: RawRepresentable & CaseIterable>(_: T.Type) throws(WinnowError) -> T where T.RawValue == String {
        let text = try string()
        guard let match = T(rawValue: text) else {
            let names = T.allCases.map(\.rawValue).joined(separator: ", ")
            throw error("“\(text)” is not one of \(names)")
        }
        return match
    }
}

/// An object with known keys, each at most once.
struct RuleObject {
    let path: String
    private let members: [(key: String, value: JSONValue)]

    init(_ value: JSONValue, _ path: String, allowed: [String]) throws(WinnowError) {
        guard case .object(let members) = value else {
            throw .invalidRule(path: path, message: "expected an object, not \(value.kind)")
        }
        self.path = path
        self.members = members
        var seen: Set<[UInt8]> = []
        for (key, _) in members {
            guard allowed.contains(where: { sameBytes($0, key) }) else {
                throw .invalidRule(
                    path: RuleObject.join(path, key),
                    message: "unknown key; expected \(allowed.joined(separator: ", "))")
            }
            guard seen.insert(Array(key.utf8)).inserted else {
                throw .invalidRule(path: RuleObject.join(path, key), message: "the key is repeated")
            }
        }
    }

    private static func join(_ path: String, _ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    func optional(_ key: String) -> RuleValue? {
        members.first { $0.key == key }.map { RuleValue(value: $0.value, path: RuleObject.join(path, key)) }
    }

    func required(_ key: String) throws(WinnowError) -> RuleValue {
        guard let value = optional(key) else {
            throw .invalidRule(path: path, message: "“\(key)” is missing")
        }
        return value
    }

    /// Refuses keys that the chosen operator does not take.
    func refuse(_ keys: [String], because reason: String) throws(WinnowError) {
        for key in keys { if let value = optional(key) { throw value.error(reason) } }
    }
}
