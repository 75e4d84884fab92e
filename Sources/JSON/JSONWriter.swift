/// Writes JSON on one line, `{"a": 1, "b": [true, null]}`, the one place where it is put together.
package struct JSONWriter {
    package private(set) var text = ""
    /// Whether a value has been written where another would follow a comma.
    private var follows = false

    package init() {}

    private mutating func separate() {
        if follows { text += ", " }
        follows = true
    }

    private mutating func nested<E: Error>(
        _ open: String, _ close: String, _ body: (inout JSONWriter) throws(E) -> Void
    ) throws(E) {
        separate()
        text += open
        follows = false
        try body(&self)
        text += close
        follows = true
    }

    /// An object; `body` writes its members.
    package mutating func object<E: Error>(_ body: (inout JSONWriter) throws(E) -> Void) throws(E) {
        try nested("{", "}", body)
    }

    /// An array, to which `body` adds each element.
    package mutating func array<S: Sequence>(
        _ elements: S, _ body: (inout JSONWriter, S.Element) -> Void
    ) {
        nested("[", "]") { for element in elements { body(&$0, element) } }
    }

    /// The key of a member; its value must follow.
    package mutating func key(_ name: String) {
        separate()
        text += jsonString(name)
        text += ": "
        follows = false
    }

    /// A member whose value is written by `body`.
    package mutating func member(_ name: String, _ body: (inout JSONWriter) -> Void) {
        key(name)
        body(&self)
    }

    /// A text that is JSON already: a number's digits.
    package mutating func literal(_ json: String) {
        separate()
        text += json
    }

    package mutating func value(_ value: String?) {
        literal(value.map { jsonString($0) } ?? "null")
    }
    package mutating func value(_ value: Bool) { literal(value ? "true" : "false") }
    package mutating func value(_ value: (some BinaryInteger)?) {
        literal(value.map { String($0) } ?? "null")
    }

    /// A value as it was read, or with the keys of its objects in the order of their bytes.
    package mutating func value(_ value: JSONValue, sortingKeys: Bool = false) {
        switch value {
        case .null: literal("null")
        case .boolean(let flag): self.value(flag)
        case .number(let digits): literal(digits)
        case .string(let text): self.value(text)
        case .array(let elements):
            array(elements) { $0.value($1, sortingKeys: sortingKeys) }
        case .object(let members):
            let ordered =
                sortingKeys
                ? members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) } : members
            object { json in
                for (key, value) in ordered {
                    json.member(key) { $0.value(value, sortingKeys: sortingKeys) }
                }
            }
        }
    }

    package mutating func member(_ name: String, _ value: String?) {
        member(name) { $0.value(value) }
    }
    package mutating func member(_ name: String, _ value: Bool) { member(name) { $0.value(value) } }
    package mutating func member(_ name: String, _ value: (some BinaryInteger)?) {
        member(name) { $0.value(value) }
    }
}

/// A value that has a form in JSON.
package protocol JSONWritable {
    func write(to json: inout JSONWriter)
}

extension JSONWritable {
    /// The value as one line.
    package var json: String {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.text
    }
}
