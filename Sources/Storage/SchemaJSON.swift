import WinnowJSON
import WinnowModel

extension Schema {
    /// Reads `{"fields": [{"name": …, "type": …, "scale": …}], "unique_events": "derived",
    /// "text": "plain"}`.
    package init(json bytes: [UInt8], file: String) throws(WinnowError) {
        func bad(_ reason: String) -> WinnowError {
            .badData(file: file, line: nil, column: nil, code: .badSchema, reason: reason)
        }
        let parsed = unsafe bytes.withUnsafeBytes { (raw) -> Result<JSONValue, JSONError> in
            do throws(JSONError) { return unsafe .success(try JSONValue(parsing: raw)) } catch {
                return .failure(error)
            }
        }
        guard case .success(let value) = parsed else {
            if case .failure(let error) = parsed {
                throw bad("not JSON at byte \(error.offset): \(error.message)")
            }
            throw bad("not JSON")
        }
        guard case .object(let members) = value else {
            throw bad("a schema is an object, not \(value.kind)")
        }
        var fields: [Field] = []
        var unique = Schema.UniqueEvents.derived
        var textChoice = Schema.Text.plain
        var seen: Set<String> = []
        for (key, content) in members {
            guard seen.insert(key).inserted else { throw bad("“\(key)” is repeated") }
            switch (key, content) {
            case ("fields", .array(let elements)):
                for (i, element) in elements.enumerated() {
                    guard let field = try Schema.field(element, { bad("fields[\(i)]: " + $0) })
                    else { continue }
                    fields.append(field)
                }
            case ("unique_events", .string(let text)):
                guard let choice = Schema.UniqueEvents(rawValue: text) else {
                    throw bad("unique_events is “derived” or “stored”, not “\(text)”")
                }
                unique = choice
            case ("text", .string(let text)):
                guard let choice = Schema.Text(rawValue: text) else {
                    throw bad("text is “plain” or “compressed”, not “\(text)”")
                }
                textChoice = choice
            case ("fields", _): throw bad("fields is an array, not \(content.kind)")
            case ("unique_events", _), ("text", _):
                throw bad("\(key) is a string, not \(content.kind)")
            default: throw bad("unknown key “\(key)”; a schema has fields, unique_events and text")
            }
        }
        self.init(fields: fields, uniqueEvents: unique, text: textChoice)
        if let problem { throw bad(problem) }
    }

    private static func field(
        _ value: JSONValue, _ bad: (String) -> WinnowError
    ) throws(WinnowError) -> Field? {
        guard case .object(let members) = value else {
            throw bad("expected an object, not \(value.kind)")
        }
        var name: String?, type: FieldType?, scale: Int?
        var seen: Set<String> = []
        for (key, content) in members {
            guard seen.insert(key).inserted else { throw bad("“\(key)” is repeated") }
            switch (key, content) {
            case ("name", .string(let text)):
                name = text
            case ("type", .string(let text)):
                guard let match = FieldType(rawValue: text) else {
                    let types = FieldType.allCases.map(\.rawValue).joined(separator: ", ")
                    throw bad("unknown type “\(text)”; the types are \(types)")
                }
                type = match
            case ("scale", .number(let text)):
                guard let digits = Int(text), (0...Field.maximumScale).contains(digits) else {
                    throw bad(
                        "scale is a whole number from 0 to \(Field.maximumScale), not \(text)")
                }
                scale = digits
            case ("name", _), ("type", _), ("scale", _):
                throw bad("“\(key)” cannot be \(content.kind)")
            default: throw bad("unknown key “\(key)”; a field has name, type and scale")
            }
        }
        guard let name else { throw bad("the name is missing") }
        guard let type else { throw bad("the type is missing") }
        guard scale == nil || type == .decimal else { throw bad("only a decimal has a scale") }
        return Field(name: name, type: type, scale: scale)
    }
}
