import WinnowJSON
import WinnowModel

/// A piece of a text: what the grammar knows as one thing.
struct TextToken {
    enum Kind {
        /// A keyword, or a name without backquotes; the place where it is decides.
        case word
        /// A name in backquotes.
        case name
        case string, number, time, mark, end
        /// A character that begins nothing.
        case stray
        /// Begins like one of the above and then goes wrong at a byte, for a reason.
        case broken(at: Int, String)
    }

    let kind: Kind
    /// The bytes of the text.
    let range: Range<Int>

    var start: Int { range.lowerBound }
}

/// Cuts a text into tokens, one at a time, from any byte on: to look ahead is to ask for the next
/// one, and nothing is kept. A text of 64 MiB may have as many tokens as bytes.
struct TextLexer {
    /// Valid UTF-8.
    let bytes: [UInt8]

    init(_ text: String) { bytes = Array(text.utf8) }

    /// The first token at or after a byte, white space and comments aside.
    func token(from start: Int) -> TextToken {
        let at = firstByte(from: start)
        guard at < bytes.count else {
            return TextToken(kind: .end, range: bytes.count..<bytes.count)
        }
        func token(_ kind: TextToken.Kind, _ end: Int) -> TextToken {
            TextToken(kind: kind, range: at..<end)
        }
        switch bytes[at] {
        case UInt8(ascii: "\""): return string(at)
        case UInt8(ascii: "`"): return name(at)
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: ","), UInt8(ascii: ":"),
            UInt8(ascii: "="):
            return token(.mark, at + 1)
        case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "!"):
            let isPair = at + 1 < bytes.count && bytes[at + 1] == UInt8(ascii: "=")
            return isPair || bytes[at] != UInt8(ascii: "!")
                ? token(.mark, at + (isPair ? 2 : 1)) : stray(at)
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"),
            UInt8(ascii: "."):
            return numberOrTime(at)
        default:
            let end = endOfWord(at)
            return end > at ? token(.word, end) : stray(at)
        }
    }

    private func firstByte(from start: Int) -> Int {
        var at = start
        while at < bytes.count {
            switch bytes[at] {
            case 0x20, 0x09, 0x0A, 0x0D: at += 1
            case UInt8(ascii: "#"): at = bytes[at...].firstIndex(of: 0x0A) ?? bytes.count
            default: return at
            }
        }
        return at
    }

    // MARK: Words and names

    /// Whether a name can be without backquotes, as far as its letters go.
    static func isWord(_ name: String) -> Bool {
        let lexer = TextLexer(name)
        return !lexer.bytes.isEmpty && lexer.endOfWord(0) == lexer.bytes.count
    }

    /// Where the word that starts here ends; here, when there is none. A letter is one of any
    /// script, with its marks: é may be an e and an accent.
    private func endOfWord(_ start: Int) -> Int {
        var at = start
        while at < bytes.count {
            let byte = bytes[at]
            let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            let isOther =
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
            if isLetter || isOther && at > start {
                at += 1
            } else if byte >= 0x80, let scalar = scalar(at),
                TextLexer.isLetter(scalar, orMark: at > start)
            {
                at += String(scalar).utf8.count
            } else {
                break
            }
        }
        return at
    }

    private static func isLetter(_ scalar: Unicode.Scalar, orMark takesMarks: Bool) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            true
        case .nonspacingMark, .spacingMark: takesMarks
        default: false
        }
    }

    private func scalar(_ at: Int) -> Unicode.Scalar? {
        String(decoding: bytes[at..<min(at + 4, bytes.count)], as: UTF8.self).unicodeScalars.first
    }

    private func stray(_ at: Int) -> TextToken {
        TextToken(kind: .stray, range: at..<at + (scalar(at).map { String($0).utf8.count } ?? 1))
    }

    /// A name in backquotes; a backquote of its own is doubled.
    private func name(_ start: Int) -> TextToken {
        let quote = UInt8(ascii: "`")
        var at = start + 1
        while let end = bytes[at...].firstIndex(of: quote) {
            guard end + 1 < bytes.count, bytes[end + 1] == quote else {
                return TextToken(kind: .name, range: start..<end + 1)
            }
            at = end + 2
        }
        return broken(start, at: start, "the name is not closed; it ends with a backquote")
    }

    // MARK: Values

    private func broken(_ start: Int, at place: Int, _ message: String) -> TextToken {
        TextToken(kind: .broken(at: place, message), range: start..<bytes.count)
    }

    private func string(_ start: Int) -> TextToken {
        var at = start + 1
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\""): return TextToken(kind: .string, range: start..<at + 1)
            case UInt8(ascii: "\\"): at += 2
            case 0x0A, 0x0D: return broken(start, at: start, "the string is not closed on its line")
            case 0..<0x20:
                return broken(start, at: at, "a control character must be escaped in a string")
            default: at += 1
            }
        }
        return broken(start, at: start, "the string is not closed")
    }

    /// A run of what numbers and times are made of, and then which of the two it is.
    private func numberOrTime(_ start: Int) -> TextToken {
        let end = bytes[start...].firstIndex { !TextLexer.isOfNumber($0) } ?? bytes.count
        let text = String(decoding: bytes[start..<end], as: UTF8.self)
        let length = TextLexer.numberLength(text)
        if length == end - start { return TextToken(kind: .number, range: start..<end) }
        if TextLexer.isTime(text) { return TextToken(kind: .time, range: start..<end) }
        let shown = text.utf8.count > 40 ? text.prefix(40) + "…" : text[...]
        guard bytes[start..<end].dropFirst(4).first == UInt8(ascii: "-") else {
            return broken(start, at: start + length, "“\(shown)” is not a number")
        }
        return broken(
            start, at: start,
            "“\(shown)” is neither a date (2026-01-31) nor an instant (2026-01-31T12:00:00Z)")
    }

    private static func isOfNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"),
            UInt8(ascii: "."),
            UInt8(ascii: ":"), UInt8(ascii: "_"):
            true
        default: (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        }
    }

    /// How many bytes of a text, from its first on, are a JSON number or could begin one.
    private static func numberLength(_ text: String) -> Int {
        var text = text
        return text.withUTF8 { bytes in
            var cursor = unsafe JSONCursor(UnsafeRawBufferPointer(bytes))
            do throws(JSONError) {
                guard case .number(let range) = try cursor.scalar() else { return 0 }
                return range.upperBound
            } catch {
                // A leading zero is a number by itself; what follows it is too much.
                let isZero =
                    unsafe error.offset < bytes.count && bytes[error.offset] == UInt8(ascii: "0")
                return min(error.offset + (isZero ? 1 : 0), bytes.count)
            }
        }
    }

    /// Whether a text, as it is, is a day or an instant of rules as text.
    static func isTime(_ text: String) -> Bool {
        // Other ways to write a day counted from today would not come back as they are.
        Window.Day(text)?.description == text || Instant(text) != nil
    }

    /// A plus or minus at or after a byte, white space and comments aside, and the digits after
    /// it; nil for none.
    func signedDigits(from start: Int) -> (sign: UInt8?, digits: Range<Int>) {
        let at = firstByte(from: start)
        guard at < bytes.count, bytes[at] == UInt8(ascii: "-") || bytes[at] == UInt8(ascii: "+")
        else { return (nil, at..<at) }
        let first = firstByte(from: at + 1)
        let isDigit: (UInt8) -> Bool = { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        let count = bytes[first...].prefix(while: isDigit).count
        return (bytes[at], first..<first + count)
    }

    // MARK: What tokens say

    /// Whether the token is a keyword or mark; the case of its letters does not matter.
    func matches(_ token: TextToken, _ word: Substring) -> Bool {
        switch token.kind {
        case .word, .mark:
            token.range.count == word.utf8.count
                && zip(bytes[token.range], word.utf8).allSatisfy { asciiLowercased($0) == $1 }
        default: false
        }
    }

    /// The token as it is in the text.
    func text(_ token: TextToken) -> String { text(token.range) }

    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// The token as it is in the text, with small letters for capitals of ASCII.
    func lowercased(_ token: TextToken) -> String {
        String(decoding: bytes[token.range].map(asciiLowercased), as: UTF8.self)
    }

    /// The name in backquotes.
    func name(_ token: TextToken) -> String {
        let quote = UInt8(ascii: "`")
        var name: [UInt8] = []
        var rest = bytes[token.range].dropFirst().dropLast()
        while let byte = rest.popFirst() {
            name.append(byte)
            if byte == quote { rest = rest.dropFirst() }
        }
        return String(decoding: name, as: UTF8.self)
    }

    /// The string in quotes, its escapes decoded.
    /// - Throws: what is wrong with an escape, and at which byte of the text.
    func string(_ token: TextToken) throws(JSONError) -> String {
        let range = token.range.dropFirst().dropLast()
        guard bytes[range].contains(UInt8(ascii: "\\")) else {
            return String(decoding: bytes[range], as: UTF8.self)
        }
        var decoded: [UInt8] = []
        let failure: JSONError? = unsafe bytes.withUnsafeBytes { bytes in
            do throws(JSONError) {
                try unsafe JSONCursor(bytes).decode(range, into: &decoded)
            } catch { return error }
            return nil
        }
        if let failure { throw failure }
        return String(decoding: decoded, as: UTF8.self)
    }
}

private func asciiLowercased(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
}
