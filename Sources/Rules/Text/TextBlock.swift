/// A rule as text before it is known where its lines end. Widths are added up from the inside, so
/// that breaking takes one pass.
struct TextBlock {
    enum Kind: Equatable {
        case condition(String)
        case negation
        /// “and” or “or” between the parts.
        case group(String)
    }

    private let kind: Kind
    private let parts: [TextBlock]
    /// Characters on one line.
    private let width: Int

    /// Characters that a line may have.
    private static let lineWidth = 100

    /// A condition, which is never broken.
    init(_ text: String) {
        kind = .condition(text)
        parts = []
        width = text.count
    }

    init(_ kind: Kind, _ parts: [TextBlock]) {
        self.kind = kind
        self.parts = parts
        var width = parts.reduce(0) { $0 + $1.width }
        for part in parts where TextBlock.needsParentheses(part, in: kind) { width += 2 }
        switch kind {
        case .condition: break
        case .negation: width += 4
        case .group(let word): width += (parts.count - 1) * (word.count + 2)
        }
        self.width = width
    }

    /// “and” binds tighter than “or”, “not” tighter than both; a group in a group of its own kind
    /// stays one.
    private static func needsParentheses(_ part: TextBlock, in kind: Kind) -> Bool {
        guard case .group = part.kind else { return false }
        return kind != .group("or") || part.kind != .group("and")
    }

    /// The rule in lines.
    var text: String {
        var text = ""
        write(to: &text, at: 0, level: kind == .negation ? 1 : 0, closing: 0)
        return text
    }

    /// - Parameters:
    ///   - column: characters of the line so far.
    ///   - level: of the lines that its own words begin.
    ///   - closing: characters that follow on its last line.
    private func write(to text: inout String, at column: Int, level: Int, closing: Int) {
        let isBroken = column + width + closing > TextBlock.lineWidth
        switch kind {
        case .condition(let own): text += own
        case .negation:
            text += "not "
            for part in parts {
                write(part, to: &text, at: column + 4, level: level, closing: closing)
            }
        case .group(let word):
            var column = column
            for (i, part) in parts.enumerated() {
                if i > 0 {
                    let start = isBroken ? "\n" + String(repeating: " ", count: 4 * level) : " "
                    text += start + word + " "
                    column = isBroken ? 4 * level + word.count + 1 : 0
                }
                write(
                    part, to: &text, at: isBroken ? column : 0, level: level + 1,
                    closing: i + 1 < parts.count ? 0 : closing)
            }
        }
    }

    private func write(
        _ part: TextBlock, to text: inout String, at column: Int, level: Int, closing: Int
    ) {
        guard TextBlock.needsParentheses(part, in: kind) else {
            return part.write(to: &text, at: column, level: level, closing: closing)
        }
        text += "("
        part.write(to: &text, at: column + 1, level: level, closing: closing + 1)
        text += ")"
    }
}
