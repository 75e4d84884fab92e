import WinnowJSON
import WinnowModel

/// The value of one column of one row, still in the input's bytes.
@safe struct InputCell {
    enum Kind: UInt8 {
        /// Not there, or an unquoted empty CSV cell.
        case absent
        /// JSON null.
        case null
        /// A CSV cell with something in it, or in quotes.
        case csv
        case string, number, boolean
        /// A JSON array or object, as text.
        case compound
    }
    var kind = Kind.absent
    var bytes = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
}

extension InputCell {
    func bad(_ column: String, _ expected: String) -> BadRow {
        let shown = unsafe String(decoding: bytes.prefix(60), as: UTF8.self)
        let what =
            switch kind {
            case .absent, .null: "nothing"
            case .boolean: shown
            case .string: "the string “\(shown)”"
            default: "“\(shown)”"
            }
        return BadRow(
            column: column, code: .badValue, reason: "expected \(expected), found \(what)")
    }

    private var isText: Bool { kind == .csv || kind == .string }

    /// How the value is written; nil where there is none, or several.
    private var notation: FieldType.Notation? {
        switch kind {
        case .csv: .plain
        case .string: .string
        case .number: .number
        case .boolean: .boolean
        case .absent, .null, .compound: nil
        }
    }

    var isPresent: Bool { kind != .absent && kind != .null }

    func text(_ column: String) throws(BadRow) -> UnsafeRawBufferPointer {
        guard isText else { throw bad(column, "a string") }
        return unsafe bytes
    }

    /// A string of 1–255 bytes.
    func id(_ column: String) throws(BadRow) -> UnsafeRawBufferPointer {
        guard isPresent else {
            throw BadRow(column: column, code: .missingID, reason: "the id is missing")
        }
        guard isText else { throw bad(column, "an id") }
        guard unsafe !bytes.isEmpty else {
            throw BadRow(column: column, code: .missingID, reason: "the id is empty")
        }
        guard unsafe bytes.count <= LoadLimits.id else {
            throw BadRow(
                column: column, code: .longID,
                reason: unsafe "the id has \(bytes.count) bytes, at most 255 are allowed")
        }
        return unsafe bytes
    }

    /// The number that stands for a value of a field.
    func number(_ field: Field) throws(BadRow) -> Int64 {
        guard let notation, let value = unsafe field.number(bytes, notation) else {
            throw bad(field.name, field.expected)
        }
        return value
    }

    func integer(_ column: String) throws(BadRow) -> Int64 {
        guard kind == .csv || kind == .number, let value = unsafe wholeNumber(bytes) else {
            throw bad(column, "a whole number of 64 bits")
        }
        return value
    }

    func boolean(_ column: String) throws(BadRow) -> Bool {
        if kind == .csv || kind == .boolean {
            if unsafe bytes.elementsEqual("true".utf8) { return true }
            if unsafe bytes.elementsEqual("false".utf8) { return false }
        }
        throw bad(column, "true or false")
    }

    /// A datetime, or whole Unix seconds; in milliseconds.
    func time(_ column: String) throws(BadRow) -> Int64 {
        let expected = "a time as 2026-01-31T12:00:00Z or whole Unix seconds"
        if isText, let instant = unsafe Instant(utf8: bytes, allowSpace: true) {
            return instant.milliseconds
        }
        guard kind == .csv || kind == .number, let seconds = try? integer(column) else {
            throw bad(column, expected)
        }
        let (milliseconds, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        guard !overflow else { throw bad(column, expected) }
        return milliseconds
    }

    /// Values joined by bars in CSV, an array of strings in JSON. The empty string is none.
    func strings(_ column: String) throws(BadRow) -> [[UInt8]] {
        let values = try kind == .csv ? barred(column) : array(column)
        guard !values.contains(where: \.isEmpty) else {
            throw bad(column, "values that are not empty")
        }
        return values
    }

    private func array(_ column: String) throws(BadRow) -> [[UInt8]] {
        guard kind == .compound, let value = try? unsafe JSONValue(parsing: bytes),
            case .array(let elements) = value
        else {
            throw bad(column, "an array of strings")
        }
        var result: [[UInt8]] = []
        for element in elements {
            guard case .string(let text) = element else { throw bad(column, "an array of strings") }
            result.append(Array(text.utf8))
        }
        return result
    }

    private func barred(_ column: String) throws(BadRow) -> [[UInt8]] {
        if unsafe bytes.isEmpty { return [] }
        var result: [[UInt8]] = [[]]
        var i = 0
        while unsafe i < bytes.count {
            switch unsafe bytes[i] {
            case UInt8(ascii: "|"): result.append([])
            case UInt8(ascii: "\\"):
                i += 1
                guard unsafe i < bytes.count,
                    unsafe bytes[i] == UInt8(ascii: "|") || bytes[i] == UInt8(ascii: "\\")
                else {
                    throw bad(column, "a backslash only before | or \\")
                }
                unsafe result[result.count - 1].append(bytes[i])
            default: unsafe result[result.count - 1].append(bytes[i])
            }
            i += 1
        }
        return result
    }

    /// An object of strings; JSON only.
    func attributes(_ column: String) throws(BadRow) -> [(key: [UInt8], value: [UInt8])] {
        guard kind == .compound, let value = try? unsafe JSONValue(parsing: bytes),
            case .object(let members) = value
        else {
            throw bad(column, "an object of strings")
        }
        var result: [(key: [UInt8], value: [UInt8])] = []
        var seen: Set<[UInt8]> = []
        for (key, member) in members {
            guard case .string(let text) = member else { throw bad(column, "an object of strings") }
            guard seen.insert(Array(key.utf8)).inserted else {
                throw BadRow(
                    column: column, code: .repeatedKey, reason: "the key “\(key)” is repeated")
            }
            result.append((Array(key.utf8), Array(text.utf8)))
        }
        return result
    }
}
