import WinnowModel

/// The words of rules as text that belong to no value of their own. Operators, counting modes and
/// units have theirs beside their names in JSON.
enum TextWords {
    /// Every keyword of the language. A name that is one
    /// is in backquotes.
    static let keywords = Set(
        """
        segment timezone or and not in entered left at least times sample to salted on link links
        exists does exist happened most exactly between campaign campaigns template templates
        tagged all with latest subscription channel resource status provider contact reachable by
        goal pixel pixels value sum min max average counting any one every people machines having
        paired scope object message after last first within the next rolling calendar this day
        week month quarter year from since until days ago contains starts ends matches is empty
        has none blank aged feb29 feb28 mar1 skip anniversary ignoring case true false today
        minute minutes hour hours weeks months years
        """.split { $0 == " " || $0 == "\n" }.map(String.init))

    /// How a name is written in text: bare, or in backquotes where it would not be read as a name.
    static func name(_ name: String) -> String {
        if TextLexer.isWord(name), !isKeyword(name) { return name }
        var quoted = "`"
        for scalar in name.unicodeScalars {
            quoted.unicodeScalars.append(scalar)
            if scalar == "`" { quoted.unicodeScalars.append(scalar) }
        }
        return quoted + "`"
    }

    static func isKeyword(_ name: String) -> Bool {
        let lexer = TextLexer(name)
        return keywords.contains(
            lexer.lowercased(TextToken(kind: .word, range: lexer.bytes.indices)))
    }

    /// The words that begin an operator or a window of a field; no event is called so.
    static let fieldStarts = Set(
        (FieldOperator.allCases.compactMap(\.words) + windows)
            .compactMap { $0.split(separator: " ").first.map(String.init) })

    /// What begins a window.
    static let windows =
        ["in the last", "in the next", "from", "since", "until", "between"]
        + Window.Period.allCases.map(\.words)

    /// A message about values, which says the names of JSON, in the words of text.
    static func translated(_ message: String, at path: RulePath) -> String {
        let kind = Rule.conditions.first { path.steps.contains(.key($0.key.rawValue)) }
        var message = message
        for case (let json, let words?) in kind?.words ?? [] where json != words {
            message = message.replacing("“\(json)”", with: "“\(words)”")
        }
        return message
    }
}
