/// Why a text is not JSON, and at which byte.
package struct JSONError: Error, Hashable {
    package var offset: Int
    package var message: String
}

/// A string or number of a JSON text, still in its place: the loader's fast path looks at bytes,
/// not at `String`s.
package enum JSONScalar {
    case null
    case boolean(Bool)
    /// The digits as written.
    case number(Range<Int>)
    /// The bytes between the quotes; `escaped` when they hold a backslash and must be decoded
    /// first.
    case string(Range<Int>, escaped: Bool)
}

/// Walks a JSON text front to back (RFC 8259), one value at a time, without building anything.
/// Strings are checked to be UTF-8 when they are taken; a lone surrogate escape is an error.
@safe package struct JSONCursor {
    package let bytes: UnsafeRawBufferPointer
    package private(set) var at = 0

    package init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = unsafe bytes }

    package func error(_ message: String, at offset: Int? = nil) -> JSONError {
        JSONError(offset: offset ?? at, message: message)
    }

    /// The next byte that is not white space, nil at the end.
    package mutating func peek() -> UInt8? {
        while unsafe at < bytes.count {
            switch unsafe bytes[at] {
            case 0x20, 0x09, 0x0A, 0x0D: at += 1
            default: return unsafe bytes[at]
            }
        }
        return nil
    }

    package mutating func take(_ mark: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(truncatingIfNeeded: mark.value) else { return false }
        at += 1
        return true
    }

    package mutating func expect(_ mark: Unicode.Scalar, _ place: String) throws(JSONError) {
        guard take(mark) else { throw error("expected “\(mark)” \(place)") }
    }

    /// Nothing but white space may follow.
    package mutating func expectEnd() throws(JSONError) {
        guard peek() == nil else { throw error("unexpected text after the value") }
    }

    /// Calls `member` with each key of the object that starts here; `member` takes the value.
    package mutating func object<E: Error>(
        _ member: (inout JSONCursor, Range<Int>, _ escaped: Bool) throws(E) -> Void,
        wrapping wrap: (JSONError) -> E
    ) throws(E) {
        do throws(JSONError) { try expect("{", "at the start of an object") } catch {
            throw wrap(error)
        }
        if take("}") { return }
        repeat {
            let key: (Range<Int>, Bool)
            do throws(JSONError) {
                guard peek() == UInt8(ascii: "\"") else {
                    throw error("expected a key in double quotes")
                }
                key = try string()
                try expect(":", "after a key")
            } catch { throw wrap(error) }
            try member(&self, key.0, key.1)
        } while take(",")
        do throws(JSONError) { try expect("}", "or “,” in an object") } catch { throw wrap(error) }
    }

    /// The scalar that starts here; an array or object is an error.
    package mutating func scalar() throws(JSONError) -> JSONScalar {
        guard let first = peek() else { throw error("the text ends where a value should be") }
        switch first {
        case UInt8(ascii: "\""):
            let (range, escaped) = try string()
            return .string(range, escaped: escaped)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        case UInt8(ascii: "t"): try word("true"); return .boolean(true)
        case UInt8(ascii: "f"): try word("false"); return .boolean(false)
        case UInt8(ascii: "n"): try word("null"); return .null
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            throw error("expected a single value, not an array or object")
        default: throw error("expected a value")
        }
    }

    private mutating func word(_ word: StaticString) throws(JSONError) {
        let text = unsafe UnsafeRawBufferPointer(
            start: word.utf8Start, count: word.utf8CodeUnitCount)
        guard unsafe bytes.count - at >= text.count,
            unsafe bytes[at..<at + text.count].elementsEqual(text)
        else {
            throw error("expected \(word)")
        }
        at += text.count
    }

    private mutating func number() throws(JSONError) -> Range<Int> {
        let start = at
        func digit(_ i: Int) -> Bool {
            unsafe i < bytes.count && bytes[i] >= 0x30 && bytes[i] <= 0x39
        }
        if unsafe bytes[at] == UInt8(ascii: "-") { at += 1 }
        guard digit(at) else { throw error("expected a digit") }
        if unsafe bytes[at] == 0x30, digit(at + 1) { throw error("a number must not start with 0") }
        while digit(at) { at += 1 }
        if unsafe at < bytes.count, unsafe bytes[at] == UInt8(ascii: ".") {
            at += 1
            guard digit(at) else { throw error("expected a digit after the point") }
            while digit(at) { at += 1 }
        }
        if unsafe at < bytes.count, unsafe bytes[at] | 0x20 == UInt8(ascii: "e") {
            at += 1
            if unsafe at < bytes.count,
                unsafe bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-")
            {
                at += 1
            }
            guard digit(at) else { throw error("expected a digit in the exponent") }
            while digit(at) { at += 1 }
        }
        return start..<at
    }

    /// The string that starts here, its bytes unchecked but for control characters and its end.
    private mutating func string() throws(JSONError) -> (Range<Int>, Bool) {
        let start = at + 1
        var i = start
        var escaped = false
        while true {
            i = unsafe bytes.firstInString(from: i)
            guard unsafe i < bytes.count else { break }
            switch unsafe bytes[i] {
            case UInt8(ascii: "\""):
                at = i + 1
                return (start..<i, escaped)
            case UInt8(ascii: "\\"):
                escaped = true
                i += 2
            case 0..<0x20:
                throw error("a control character must be escaped in a string", at: i)
            default:
                i += 1
            }
        }
        throw error("the string is not closed", at: start - 1)
    }

    /// The bytes of a string, escapes decoded. Appends to `result`.
    package func decode(_ range: Range<Int>, into result: inout [UInt8]) throws(JSONError) {
        var i = range.lowerBound
        while i < range.upperBound {
            guard unsafe bytes[i] == UInt8(ascii: "\\") else {
                unsafe result.append(bytes[i])
                i += 1
                continue
            }
            guard i + 1 < range.upperBound else { throw error("bad escape", at: i) }
            switch unsafe bytes[i + 1] {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
                unsafe result.append(bytes[i + 1])
            case UInt8(ascii: "b"): result.append(8)
            case UInt8(ascii: "f"): result.append(12)
            case UInt8(ascii: "n"): result.append(10)
            case UInt8(ascii: "r"): result.append(13)
            case UInt8(ascii: "t"): result.append(9)
            case UInt8(ascii: "u"):
                i = try decodeUnicode(i, end: range.upperBound, into: &result)
                continue
            default: throw error("bad escape", at: i)
            }
            i += 2
        }
    }

    private func decodeUnicode(_ start: Int, end: Int, into result: inout [UInt8]) throws(JSONError)
        -> Int
    {
        func hex(_ i: Int) throws(JSONError) -> UInt32 {
            guard i + 6 <= end, unsafe bytes[i] == UInt8(ascii: "\\"),
                unsafe bytes[i + 1] == UInt8(ascii: "u")
            else {
                throw error("bad \\u escape", at: start)
            }
            var value: UInt32 = 0
            for k in i + 2..<i + 6 {
                let c = unsafe bytes[k]
                switch c {
                case 0x30...0x39: value = value << 4 | UInt32(c - 0x30)
                case 0x41...0x46, 0x61...0x66: value = value << 4 | UInt32(c & 15 + 9)
                default: throw error("bad \\u escape", at: start)
                }
            }
            return value
        }
        var value = try hex(start)
        var next = start + 6
        if (0xD800..<0xDC00).contains(value) {
            let low = try hex(next)
            guard (0xDC00..<0xE000).contains(low) else {
                throw error("half of a surrogate pair", at: start)
            }
            value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
            next += 6
        }
        guard let scalar = Unicode.Scalar(value) else {
            throw error("half of a surrogate pair", at: start)
        }
        result.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        return next
    }

    /// Skips the value that starts here, whatever it is and however deep.
    package mutating func skip() throws(JSONError) {
        // The closing marks of what is open.
        var open: [Unicode.Scalar] = []
        while true {
            if take("{") {
                if !take("}") {
                    open.append("}")
                    try skipKey()
                    continue
                }
            } else if take("[") {
                if !take("]") {
                    open.append("]")
                    continue
                }
            } else if case .string(let range, escaped: true) = try scalar() {
                var decoded: [UInt8] = []
                try decode(range, into: &decoded)
            }
            while let mark = open.last {
                if take(",") {
                    if mark == "}" { try skipKey() }
                    break
                }
                try expect(mark, mark == "}" ? "or “,” in an object" : "or “,” in an array")
                open.removeLast()
            }
            if open.isEmpty { return }
        }
    }

    private mutating func skipKey() throws(JSONError) {
        guard peek() == UInt8(ascii: "\"") else { throw error("expected a key in double quotes") }
        let (range, escaped) = try string()
        if escaped {
            var decoded: [UInt8] = []
            try decode(range, into: &decoded)
        }
        try expect(":", "after a key")
    }
}

extension UnsafeRawBufferPointer {
    /// Where the first byte from `start` on is that means something in a string: a quote, a
    /// backslash or a control character. `count` when there is none.
    ///
    /// Method: eight bytes at a time. The lowest byte that a difference marks is right; those above
    /// may be marked by what it borrows.
    @inline(__always)
    fileprivate func firstInString(from start: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word }
        var i = start
        while i &+ 8 <= count {
            let word = unsafe UInt64(
                littleEndian: loadUnaligned(fromByteOffset: i, as: UInt64.self))
            let marks =
                zeros(word ^ (ones &* UInt64(UInt8(ascii: "\""))))
                | zeros(word ^ (ones &* UInt64(UInt8(ascii: "\\"))))
                | (word &- (ones &* 0x20)) & ~word
            let found = marks & (ones &* 0x80)
            if found != 0 { return i &+ found.trailingZeroBitCount / 8 }
            i &+= 8
        }
        while i < count {
            let byte = unsafe self[i]
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return i }
            i += 1
        }
        return count
    }
}
