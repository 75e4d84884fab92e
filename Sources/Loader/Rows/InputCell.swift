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
        /// Of a table: milliseconds since 1970 by UTC, or by somebody's clock, as an `Int64`.
        case instant, wallTime
    }
    var kind = Kind.absent
    /// Whether a CSV cell is in quotes.
    var isQuoted = false
    var bytes = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
}

extension InputCell {
    /// A boolean of JSON.
    static func boolean(_ value: Bool) -> InputCell {
        let word: StaticString = value ? "true" : "false"
        return unsafe InputCell(
            kind: .boolean,
            bytes: UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }

    func bad(_ column: String, _ expected: String) -> BadRow {
        let shown = String(decoding: text.prefix(60), as: UTF8.self)
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
        case .absent, .null, .compound, .instant, .wallTime: nil
        }
    }

    /// Whether a string begins or ends with a blank.
    var hasBlanksAround: Bool {
        guard isText, let first = unsafe bytes.first, let last = unsafe bytes.last else {
            return false
        }
        return isBlank(first) || isBlank(last)
    }

    /// A string without blanks around it.
    var trimmed: InputCell {
        guard hasBlanksAround else { return self }
        var range = unsafe 0..<bytes.count
        while let last = range.last, unsafe isBlank(bytes[last]) { range.removeLast() }
        while let first = range.first, unsafe isBlank(bytes[first]) { range.removeFirst() }
        var cell = self
        unsafe cell.bytes = unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
        return cell
    }

    var isPresent: Bool { kind != .absent && kind != .null }

    func text(_ column: String) throws(BadRow) -> UnsafeRawBufferPointer {
        guard isText else { throw bad(column, "a string") }
        return unsafe bytes
    }

    /// A string of 1–255 bytes, or up to another bound, or a whole number of JSON: its digits.
    func id(
        _ column: String, upTo longest: Int = LoadLimits.id
    ) throws(BadRow) -> UnsafeRawBufferPointer {
        guard isPresent else {
            throw BadRow(column: column, code: .missingID, reason: "the id is missing")
        }
        let isNumber = unsafe kind == .number && bytes.allSatisfy { isDigit($0) }
        guard isText || isNumber else { throw bad(column, "an id") }
        guard unsafe !bytes.isEmpty else {
            throw BadRow(column: column, code: .missingID, reason: "the id is empty")
        }
        guard unsafe bytes.count <= longest else {
            throw BadRow(
                column: column, code: .longID,
                reason: unsafe "the id has \(bytes.count) bytes, at most \(longest) are allowed")
        }
        return unsafe bytes
    }

    /// The number that stands for a value of a field.
    func number(_ field: Field, _ rules: ValueRules) throws(BadRow) -> Int64 {
        if field.type == .datetime {
            guard let time = instant(rules) else { throw bad(field.name, field.expected) }
            return time
        }
        if field.type == .date, let midnight { return midnight }
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

    /// A datetime in milliseconds; nil for what is none.
    private func instant(_ rules: ValueRules) -> Int64? {
        if let milliseconds {
            let instant = kind == .instant ? milliseconds : rules.instantOfWall(milliseconds)
            return Instant.possibleMilliseconds.contains(instant) ? instant : nil
        }
        guard isText else { return nil }
        return unsafe WrittenTime(utf8: bytes)?.instant(rules.instantOfWall)
    }

    /// A datetime, or Unix seconds with or without a fraction; in milliseconds.
    func time(_ column: String, _ rules: ValueRules) throws(BadRow) -> Int64 {
        if let instant = instant(rules) { return instant }
        guard kind == .csv || kind == .number, let milliseconds = unixSeconds else {
            throw bad(column, "a time as 2026-01-31T12:00:00Z or Unix seconds")
        }
        return milliseconds
    }

    /// Unix seconds as milliseconds; digits below these are cut.
    var unixSeconds: Int64? {
        guard let point = unsafe bytes.firstIndex(of: UInt8(ascii: ".")) else {
            return unsafe wholeNumber(bytes).flatMap { seconds in
                let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
                return overflow ? nil : product
            }
        }
        let digits = unsafe bytes[(point + 1)...]
        guard unsafe !digits.isEmpty, unsafe digits.allSatisfy({ isDigit($0) }),
            let seconds = unsafe wholeNumber(UnsafeRawBufferPointer(rebasing: bytes[..<point]))
        else { return nil }
        var fraction: Int64 = 0
        for i in 0..<3 {
            let digit = unsafe i < digits.count ? digits[digits.startIndex + i] : 0x30
            fraction = fraction * 10 + Int64(digit - 0x30)
        }
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        let isNegative = unsafe bytes.first == UInt8(ascii: "-")
        let (sum, over) = product.addingReportingOverflow(isNegative ? -fraction : fraction)
        return overflow || over ? nil : sum
    }

    /// Values joined in CSV, an array of strings in JSON. The empty string is none.
    func strings(_ column: String, _ rules: ValueRules) throws(BadRow) -> [[UInt8]] {
        let values = try kind == .csv ? joined(column, rules) : array(column)
        guard !values.contains(where: \.isEmpty) else {
            throw bad(column, "values that are not empty")
        }
        return values
    }

    private func joined(_ column: String, _ rules: ValueRules) throws(BadRow) -> [[UInt8]] {
        if unsafe bytes.isEmpty { return [] }
        guard let values = unsafe rules.values(of: bytes) else {
            throw bad(column, rules.expectedSet)
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

// MARK: Times of tables

extension InputCell {
    /// Milliseconds since 1970 of a time; nil for other kinds.
    private var milliseconds: Int64? {
        guard kind == .instant || kind == .wallTime else { return nil }
        return unsafe bytes.loadUnaligned(as: Int64.self)
    }

    /// The day of a midnight by somebody's clock, which programs without dates have for one.
    private var midnight: Int64? {
        guard kind == .wallTime, let milliseconds else { return nil }
        let day = floorDivide(milliseconds, Instant.millisecondsPerDay)
        let isDate = (CivilDate.first.day...CivilDate.last.day).contains(Int(day))
        return isDate && day * Instant.millisecondsPerDay == milliseconds ? day : nil
    }

    /// The cell's text: of a time as files have it.
    var text: [UInt8] {
        guard let milliseconds else { return unsafe Array(bytes) }
        let written = Instant(milliseconds: milliseconds).description
        return Array((kind == .instant ? written[...] : written.dropLast()).utf8)
    }

    /// Appends the text of a time, which is that of `Instant`, but quicker.
    private func appendTime(to out: inout [UInt8]) {
        guard let milliseconds, Instant.possibleMilliseconds.contains(milliseconds) else {
            out.append(contentsOf: text)
            return
        }
        let day = floorDivide(milliseconds, Instant.millisecondsPerDay)
        let rest = Int(milliseconds - day * Instant.millisecondsPerDay)
        let date = CivilDate(day: Int(day)).components
        func digits(_ value: Int, _ count: Int, _ mark: Unicode.Scalar?) {
            var unit = 1
            for _ in 1..<count { unit *= 10 }
            while unit > 0 {
                out.append(0x30 + UInt8(truncatingIfNeeded: value / unit % 10))
                unit /= 10
            }
            if let mark { out.append(UInt8(truncatingIfNeeded: mark.value)) }
        }
        digits(date.year, 4, "-")
        digits(date.month, 2, "-")
        digits(date.day, 2, "T")
        digits(rest / 3_600_000, 2, ":")
        digits(rest / 60_000 % 60, 2, ":")
        digits(rest / 1000 % 60, 2, ".")
        digits(rest % 1000, 3, kind == .instant ? "Z" : nil)
    }

    /// Appends the value as JSON has it.
    func appendJSON(to out: inout [UInt8]) {
        switch kind {
        case .absent, .null: out.append(contentsOf: "null".utf8)
        case .number, .boolean, .compound: unsafe out.append(contentsOf: bytes)
        case .csv, .string:
            let isPlain = unsafe bytes.allSatisfy {
                (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
            }
            guard isPlain else {
                let text = unsafe String(decoding: bytes, as: UTF8.self)
                out.append(contentsOf: jsonString(text).utf8)
                return
            }
            out.append(UInt8(ascii: "\""))
            unsafe out.append(contentsOf: bytes)
            out.append(UInt8(ascii: "\""))
        case .instant, .wallTime:
            out.append(UInt8(ascii: "\""))
            appendTime(to: &out)
            out.append(UInt8(ascii: "\""))
        }
    }
}
