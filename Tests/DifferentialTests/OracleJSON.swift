import Foundation

/// What the oracle could not make sense of, in a rule or in its world.
struct OracleFailure: Error, CustomStringConvertible {
    var description: String
}

/// A JSON value whose strings stay bytes and whose numbers stay digits.
///
/// Neither a general decoder nor `String` would do: the first rounds decimals, the second takes
/// canonically equivalent strings for equal.
indirect enum OracleJSON: Sendable {
    case object([Member])
    case array([OracleJSON])
    case string([UInt8])
    case number(String)
    case boolean(Bool)
    case null

    struct Member: Sendable {
        var key: [UInt8]
        var value: OracleJSON
    }

    init(parsing text: String) throws {
        var parser = Parser(text: Array(text.utf8))
        self = try parser.document()
    }
}

extension OracleJSON {
    subscript(name: String) -> OracleJSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key.elementsEqual(name.utf8) }?.value
    }

    func members() throws -> [Member] {
        guard case .object(let members) = self else {
            throw OracleFailure(description: "an object is needed: \(self)")
        }
        return members
    }

    /// Refuses every key but these.
    func allowOnly(_ names: [String]) throws {
        for member in try members()
        where !names.contains(where: { member.key.elementsEqual($0.utf8) }) {
            throw OracleFailure(
                description:
                    "key \(String(decoding: member.key, as: UTF8.self)) does not belong here")
        }
    }

    func required(_ name: String) throws -> OracleJSON {
        guard let value = self[name] else {
            throw OracleFailure(description: "\(name) is missing in \(self)")
        }
        return value
    }

    func bytes() throws -> [UInt8] {
        guard case .string(let bytes) = self else {
            throw OracleFailure(description: "a string is needed: \(self)")
        }
        return bytes
    }

    /// For words of the rule language, which are ASCII, so that comparing them as `String` is safe.
    func word() throws -> String {
        String(decoding: try bytes(), as: UTF8.self)
    }

    func elements() throws -> [OracleJSON] {
        guard case .array(let elements) = self, !elements.isEmpty else {
            throw OracleFailure(description: "an array with something in it is needed: \(self)")
        }
        return elements
    }

    /// One string or an array of them.
    func strings() throws -> [[UInt8]] {
        if case .string(let bytes) = self { return [bytes] }
        return try elements().map { try $0.bytes() }
    }

    func integer() throws -> Int64 {
        guard case .number(let digits) = self, let value = Int64(digits) else {
            throw OracleFailure(description: "a whole number is needed: \(self)")
        }
        return value
    }

    func decimal() throws -> OracleDecimal {
        guard case .number(let digits) = self else {
            throw OracleFailure(description: "a number is needed: \(self)")
        }
        return try OracleDecimal(digits)
    }

    func truth() throws -> Bool {
        guard case .boolean(let value) = self else {
            throw OracleFailure(description: "true or false is needed: \(self)")
        }
        return value
    }
}

extension OracleJSON {
    private struct Parser {
        let text: [UInt8]
        var position = 0

        init(text: [UInt8]) {
            self.text = text
        }

        mutating func document() throws -> OracleJSON {
            let value = try value()
            skipSpace()
            guard position == text.count else { throw failure("something follows the document") }
            return value
        }

        private func failure(_ what: String) -> OracleFailure {
            OracleFailure(description: "JSON at byte \(position): \(what)")
        }

        private func peek() -> UInt8? {
            position < text.count ? text[position] : nil
        }

        private mutating func skipSpace() {
            while let byte = peek(), [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
        }

        private mutating func take(_ character: Character) -> Bool {
            skipSpace()
            guard let byte = peek(), byte == character.asciiValue else { return false }
            position += 1
            return true
        }

        private mutating func expect(_ character: Character) throws {
            guard take(character) else { throw failure("\(character) is missing") }
        }

        private mutating func takeWord(_ word: String) -> Bool {
            guard text[position...].starts(with: word.utf8) else { return false }
            position += word.utf8.count
            return true
        }

        private mutating func value() throws -> OracleJSON {
            if take("{") { return try object() }
            if take("[") { return try array() }
            if take("\"") { return .string(try string()) }
            if takeWord("true") { return .boolean(true) }
            if takeWord("false") { return .boolean(false) }
            if takeWord("null") { return .null }
            return .number(try number())
        }

        private mutating func object() throws -> OracleJSON {
            var members: [Member] = []
            var seen: Set<[UInt8]> = []
            if take("}") { return .object(members) }
            repeat {
                try expect("\"")
                let key = try string()
                guard seen.insert(key).inserted else { throw failure("a repeated key") }
                try expect(":")
                members.append(Member(key: key, value: try value()))
            } while take(",")
            try expect("}")
            return .object(members)
        }

        private mutating func array() throws -> OracleJSON {
            var elements: [OracleJSON] = []
            if take("]") { return .array(elements) }
            repeat { elements.append(try value()) } while take(",")
            try expect("]")
            return .array(elements)
        }

        private mutating func number() throws -> String {
            let start = position
            while let byte = peek(), "+-.0123456789Ee".utf8.contains(byte) { position += 1 }
            guard start < position else { throw failure("no value") }
            return String(decoding: text[start..<position], as: UTF8.self)
        }

        private mutating func string() throws -> [UInt8] {
            var bytes: [UInt8] = []
            while let byte = peek() {
                position += 1
                switch byte {
                case UInt8(ascii: "\""): return bytes
                case UInt8(ascii: "\\"): bytes += try escaped()
                default: bytes.append(byte)
                }
            }
            throw failure("an open string")
        }

        private mutating func escaped() throws -> [UInt8] {
            guard let byte = peek() else { throw failure("an open escape") }
            position += 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
            case UInt8(ascii: "b"): return [0x08]
            case UInt8(ascii: "f"): return [0x0C]
            case UInt8(ascii: "n"): return [0x0A]
            case UInt8(ascii: "r"): return [0x0D]
            case UInt8(ascii: "t"): return [0x09]
            case UInt8(ascii: "u"): return try escapedScalar()
            default: throw failure("an unknown escape")
            }
        }

        private mutating func escapedScalar() throws -> [UInt8] {
            var units = [try codeUnit()]
            if UTF16.isLeadSurrogate(units[0]) {
                guard takeWord("\\u") else { throw failure("half a surrogate pair") }
                units.append(try codeUnit())
            }
            guard let text = String(validating: units, as: UTF16.self) else {
                throw failure("half a surrogate pair")
            }
            return Array(text.utf8)
        }

        private mutating func codeUnit() throws -> UInt16 {
            let digits = text[position...].prefix(4)
            guard digits.count == 4,
                let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
            else {
                throw failure("four hexadecimal digits are needed")
            }
            position += 4
            return unit
        }
    }
}

/// A decimal number of any length, compared by its digits.
struct OracleDecimal: Comparable, Sendable {
    private var isNegative: Bool
    /// Without leading zeros.
    private var whole: [UInt8]
    /// Without trailing zeros.
    private var fraction: [UInt8]

    init(_ text: String) throws(OracleFailure) {
        let mantissaAndExponent = text.split(whereSeparator: { $0 == "e" || $0 == "E" })
        let isTooLong = mantissaAndExponent.count > 2
        guard let mantissa = mantissaAndExponent.first, !isTooLong,
            let exponent = mantissaAndExponent.count == 2 ? Int(mantissaAndExponent[1]) : 0,
            abs(exponent) <= 10_000
        else { throw OracleFailure(description: "\(text) is not a number") }
        let parts = mantissa.drop { $0 == "-" }.split(
            separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count),
            parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(Self.isDigit) })
        else {
            throw OracleFailure(description: "\(text) is not a number")
        }
        let zeros = [UInt8](repeating: UInt8(ascii: "0"), count: abs(exponent))
        var digits = Array(parts.joined().utf8)
        var point = parts[0].utf8.count + exponent
        if exponent > 0 { digits += zeros }
        if exponent < 0 {
            digits = zeros + digits
            point -= exponent
        }
        whole = Array(digits[..<point].drop { $0 == UInt8(ascii: "0") })
        fraction = Array(digits[point...])
        while fraction.last == UInt8(ascii: "0") { fraction.removeLast() }
        // Zero has no sign, or -0 would be less than 0.
        isNegative = mantissa.hasPrefix("-") && !(whole.isEmpty && fraction.isEmpty)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    static func < (left: OracleDecimal, right: OracleDecimal) -> Bool {
        if left.isNegative != right.isNegative { return left.isNegative }
        return left.isNegative ? right.isNearerToZero(than: left) : left.isNearerToZero(than: right)
    }

    private func isNearerToZero(than other: OracleDecimal) -> Bool {
        if whole.count != other.whole.count { return whole.count < other.whole.count }
        if whole != other.whole { return whole.lexicographicallyPrecedes(other.whole) }
        return fraction.lexicographicallyPrecedes(other.fraction)
    }
}
