import WinnowJSON
import WinnowModel

/// Reads rules from text, token by token. What each part of the language looks like is in the
/// extensions; here is how tokens are taken, and what is said where none fits.
///
/// Method: whatever is looked for and not found is noted with the place where it would have to
/// be. The error is about the furthest such place, since all before it did make sense, and names
/// what was looked for there.
struct TextReader {
    let lexer: TextLexer
    /// The token that is looked at.
    private(set) var token: TextToken
    /// Where the token before it ends.
    private(set) var end = 0
    private var furthest = 0
    private var expected: [Expected] = []
    /// The places of the condition that is being read.
    private var marks: [SourceMark] = []
    /// Nodes so far.
    var nodes = 0

    init(_ text: String) {
        lexer = TextLexer(text)
        token = lexer.token(from: 0)
    }

    // MARK: Tokens

    mutating func advance(to end: Int) {
        self.end = end
        token = lexer.token(from: end)
    }

    mutating func advance() { advance(to: token.range.upperBound) }

    /// The token after the one that is looked at.
    var next: TextToken { lexer.token(from: token.range.upperBound) }

    /// Where a phrase ends that begins here; nil when none does.
    private mutating func end(of phrase: String, noting: Bool = true) -> Int? {
        var token = token
        var rest = phrase[...]
        while true {
            let end = rest.utf8.firstIndex(of: UInt8(ascii: " ")) ?? rest.endIndex
            guard lexer.matches(token, rest[..<end]) else {
                if noting { expect(.phrase(rest), at: token.start) }
                return nil
            }
            guard end < rest.endIndex else { return token.range.upperBound }
            rest = rest[rest.utf8.index(after: end)...]
            token = lexer.token(from: token.range.upperBound)
        }
    }

    /// Takes a phrase, when it is next.
    mutating func take(_ phrase: String) -> Bool {
        guard let end = end(of: phrase) else { return false }
        advance(to: end)
        return true
    }

    /// Takes a phrase that must be next.
    mutating func require(_ phrase: String) throws(WinnowError) {
        guard take(phrase) else { throw failure() }
    }

    /// Whether a phrase is next, without a word about it.
    mutating func isNext(_ phrase: String) -> Bool { end(of: phrase, noting: false) != nil }

    /// Takes the longest phrase that is next, and returns what it is the phrase of.
    mutating func choice<T>(_ all: some Sequence<T>, _ words: (T) -> String?) -> T? {
        var best: (choice: T, end: Int)?
        for candidate in all {
            guard let phrase = words(candidate), let end = end(of: phrase) else { continue }
            if end > best?.end ?? 0 { best = (candidate, end) }
        }
        guard let best else { return nil }
        advance(to: best.end)
        return best.choice
    }

    /// The same, of names that are words.
    mutating func choice<T: CaseIterable & RawRepresentable>(_: T.Type) throws(WinnowError) -> T
    where T.RawValue == String {
        guard let choice = choice(T.allCases, { $0.rawValue }) else { throw failure() }
        return choice
    }

    // MARK: Values

    /// A whole number within a range.
    mutating func integer(_ range: ClosedRange<Int>) throws(WinnowError) -> Int {
        guard case .number = token.kind else { throw failure(expecting: "a whole number") }
        let text = lexer.text(token)
        guard let number = Int(text) else {
            let isWhole = text.utf8.allSatisfy {
                $0 != UInt8(ascii: ".") && $0 | 0x20 != UInt8(ascii: "e")
            }
            throw error(
                isWhole
                    ? "\(shown(token)) is not between \(range.lowerBound) and \(range.upperBound)"
                    : "expected a whole number, not \(shown(token))")
        }
        guard range.contains(number) else {
            throw error("\(text) is not between \(range.lowerBound) and \(range.upperBound)")
        }
        advance()
        return number
    }

    /// A whole number from zero up; what is beyond the limit counts as the limit.
    mutating func natural(upTo limit: Int) throws(WinnowError) -> Int {
        if case .number = token.kind {
            let digits = lexer.bytes[token.range]
            if digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
                Int(lexer.text(token)) ?? .max > limit
            {
                advance()
                return limit
            }
        }
        return try integer(0...limit)
    }

    /// A string in quotes.
    mutating func string() throws(WinnowError) -> String {
        guard case .string = token.kind else {
            throw failure(expecting: "a string in double quotes")
        }
        let text: String
        do throws(JSONError) { text = try lexer.string(token) } catch {
            throw self.error(error.message, at: error.offset)
        }
        advance()
        return text
    }

    /// A name, bare or in backquotes.
    mutating func name(_ what: String) throws(WinnowError) -> String {
        let name: String
        switch token.kind {
        case .name: name = lexer.name(token)
        case .word:
            name = lexer.text(token)
            if TextWords.isKeyword(name) {
                throw error(
                    "“\(name)” is a word of the language; as a name it needs backquotes: "
                        + "`\(name)`"
                )
            }
        default: throw failure(expecting: what)
        }
        advance()
        return name
    }

    /// A value, or several in parentheses.
    mutating func list<T>(
        _ element: (inout TextReader) throws(WinnowError) -> T
    ) throws(WinnowError) -> [T] {
        guard take("(") else { return [try element(&self)] }
        var list: [T] = []
        repeat {
            guard list.count < RuleLimits.values else {
                throw error("more than \(RuleLimits.values) values")
            }
            list.append(try element(&self))
        } while take(",")
        try require(")")
        return list
    }

    mutating func strings() throws(WinnowError) -> [String] {
        try list { (reader) throws(WinnowError) in try reader.string() }
    }

    // MARK: Places

    /// Says where a part of the condition is: here, or at a byte.
    mutating func mark(_ keys: [RuleKey], at start: Int? = nil) {
        mark(RulePath(keys.map { .key($0.rawValue) }), at: start)
    }

    mutating func mark(_ path: RulePath, at start: Int? = nil) {
        marks.append(SourceMark(path: path, start: start ?? token.start))
    }

    /// The places of the condition that has been read.
    mutating func takeMarks() -> [SourceMark] {
        defer { marks = [] }
        return marks
    }

    // MARK: Errors

    /// Notes what could be here.
    mutating func expect(_ what: String) { expect(.other(what), at: token.start) }

    /// What was looked for. Most texts are right, so it is put into words, each once, only for an error.
    private enum Expected {
        case phrase(Substring)
        case other(String)

        var text: String {
            switch self {
            case .phrase(let words): "“\(words)”"
            case .other(let text): text
            }
        }
    }

    private mutating func expect(_ what: Expected, at place: Int) {
        if place > furthest {
            furthest = place
            expected.removeAll(keepingCapacity: true)
        }
        if place == furthest { expected.append(what) }
    }

    /// An error about the token here, or a byte.
    func error(_ message: String, at place: Int? = nil) -> WinnowError {
        .invalidText(
            path: .document, place: TextPlace(place ?? token.start, in: lexer.bytes),
            message: message)
    }

    /// The error where nothing fits; `what` could be here, too.
    mutating func failure(expecting what: String...) -> WinnowError {
        for what in what { expect(what) }
        let token = lexer.token(from: furthest)
        var parts: [String] = []
        for part in expected.map(\.text) where !parts.contains(part) { parts.append(part) }
        switch token.kind {
        case .broken(let place, let message): return error(message, at: place)
        case .end:
            return error("the text ends too early; expected \(list(parts))", at: endOfText)
        default: break
        }
        var hint = ""
        if case .word = token.kind {
            // A phrase that begins here is known by its first word.
            let words = expected.compactMap { part in
                if case .phrase(let words) = part { words.split(separator: " ").first } else { nil }
            }
            hint = nearestHint(for: lexer.lowercased(token), among: words.map(String.init))
        } else if case .stray = token.kind, ["'", "“", "”", "„", "«"].contains(lexer.text(token)) {
            hint = " (write strings in double quotes: \"…\")"
        }
        return error(
            "unexpected “\(shown(token))”\(hint); expected \(list(parts))", at: token.start)
    }

    /// Behind the last token; white space and comments that follow are not where something is
    /// missing.
    private var endOfText: Int {
        var token = token
        var end = end
        while !token.range.isEmpty {
            end = token.range.upperBound
            token = lexer.token(from: end)
        }
        return end
    }

    /// A token for people, not too long.
    func shown(_ token: TextToken) -> String {
        let text = String(decoding: lexer.bytes[token.range.prefix(200)], as: UTF8.self)
        return text.count > 40 || token.range.count > 200 ? text.prefix(40) + "…" : text
    }

    private func list(_ parts: [String]) -> String {
        guard let last = parts.last, parts.count > 1 else { return parts.first ?? "" }
        return parts.dropLast().joined(separator: ", ") + " or " + last
    }
}
