/// A JSON document as a tree. Numbers keep their digits and objects the order and every repetition
/// of their keys: a contract that forbids repeated keys and rounds nothing has to see both.
package indirect enum JSONValue: Sendable {
    case null
    case boolean(Bool)
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([(key: String, value: JSONValue)])

    /// Deepest nesting that is read; far beyond any legal document, far within any stack.
    private static let maximumDepth = 128

    package init(parsing text: UnsafeRawBufferPointer) throws(JSONError) {
        var cursor = unsafe JSONCursor(text)
        self = try JSONValue.value(&cursor, depth: 0)
        try cursor.expectEnd()
    }

    package init(parsing text: String) throws(JSONError) {
        var text = text
        let result = text.withUTF8 { (utf8) -> Result<JSONValue, JSONError> in
            do throws(JSONError) {
                return unsafe .success(try JSONValue(parsing: UnsafeRawBufferPointer(utf8)))
            } catch {
                return .failure(error)
            }
        }
        self = try result.get()
    }

    private static func value(_ cursor: inout JSONCursor, depth: Int) throws(JSONError) -> JSONValue
    {
        guard depth < maximumDepth else { throw cursor.error("nested too deeply") }
        switch cursor.peek() {
        case UInt8(ascii: "{"):
            var members: [(key: String, value: JSONValue)] = []
            try cursor.object(
                { (cursor, key, escaped) throws(JSONError) in
                    let name = try string(cursor, key, escaped)
                    members.append((name, try value(&cursor, depth: depth + 1)))
                }, wrapping: { $0 })
            return .object(members)
        case UInt8(ascii: "["):
            var elements: [JSONValue] = []
            _ = cursor.take("[")
            if cursor.take("]") { return .array([]) }
            repeat { elements.append(try value(&cursor, depth: depth + 1)) } while cursor.take(",")
            try cursor.expect("]", "or “,” in an array")
            return .array(elements)
        default:
            switch try cursor.scalar() {
            case .null: return .null
            case .boolean(let value): return .boolean(value)
            case .number(let range):
                return unsafe .number(String(decoding: cursor.bytes[range], as: UTF8.self))
            case .string(let range, let escaped): return .string(try string(cursor, range, escaped))
            }
        }
    }

    private static func string(
        _ cursor: JSONCursor, _ range: Range<Int>, _ escaped: Bool
    ) throws(JSONError) -> String {
        var bytes: [UInt8] = []
        if escaped {
            try cursor.decode(range, into: &bytes)
        } else {
            unsafe bytes.append(contentsOf: cursor.bytes[range])
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw cursor.error("the string is not UTF-8", at: range.lowerBound)
        }
        return text
    }

    /// What it is, in words for error messages.
    package var kind: String {
        switch self {
        case .null: "null"
        case .boolean: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// A string as a JSON literal, in quotes.
package func jsonString(_ text: some StringProtocol) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": out += "\\\""
        case "\\": out += "\\\\"
        case "\n": out += "\\n"
        case "\r": out += "\\r"
        case "\t": out += "\\t"
        case "\u{0}"..<" ", "\u{7F}"..<"\u{A0}":
            let hex = String(scalar.value, radix: 16)
            out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        default: out.unicodeScalars.append(scalar)
        }
    }
    return out + "\""
}
