import WinnowModel

extension Segment {
    /// Reads a rule as people write it, with or without a header. Everything that can be checked
    /// without a store is checked; errors show the line and a caret.
    ///
    ///     try Segment("email opened at least 2 times in the last 30 days and country = \"DE\"")
    ///
    /// - Throws: `WinnowError.invalidText`.
    /// - Complexity: O(text).
    public init(_ text: String) throws(WinnowError) { self = try RuleText(text).segment }
}

/// A rule as text, which can say where in it something is wrong.
package struct RuleText: Sendable {
    /// What the text says.
    package let segment: Segment
    private let bytes: [UInt8]
    private let source: SourceTree
    /// Where the time zone of the header is.
    private let timezone: Int?

    /// Reads a text.
    /// - Parameter takingHeader: false for one that is in a document, which has name and time
    ///   zone beside it.
    package init(_ text: String, takingHeader: Bool = true) throws(WinnowError) {
        var reader = TextReader(text)
        // As in a document of JSON, white space around the rule does not count.
        let last = reader.lexer.bytes.lastIndex { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } ?? 0
        guard last - reader.token.start < RuleLimits.bytes else {
            throw reader.error("the rule is longer than \(RuleLimits.bytes >> 20) MiB")
        }
        let document = try reader.document(takingHeader: takingHeader)
        segment = Segment(name: document.name, timezone: document.timezone, document.rule.rule)
        bytes = reader.lexer.bytes
        source = document.rule
        timezone = document.timezonePlace
        do throws(WinnowError) { try segment.validate() } catch { throw located(error) }
    }

    /// An error about the segment, said of the text.
    package func located(_ error: WinnowError) -> WinnowError {
        guard case .invalidRule(let path, let message) = error else { return error }
        return .invalidText(
            path: path, place: place(of: path), message: TextWords.translated(message, at: path))
    }

    fileprivate func place(of path: RulePath) -> TextPlace {
        TextPlace(start(of: path), in: bytes)
    }

    private func start(of path: RulePath) -> Int {
        switch path.steps.first {
        case .key(RuleKey.where.rawValue): source.start(of: path.steps.dropFirst())
        case .key(RuleKey.timezone.rawValue): timezone ?? 0
        default: 0
        }
    }
}

/// A rule in either form, as it was written.
package struct WrittenRule: Sendable {
    /// What it says.
    package let segment: Segment
    private let text: RuleText?

    /// Reads a rule: JSON, when it begins with a brace, else text.
    package init(_ rule: String) throws(WinnowError) {
        if rule.utf8.first(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) == UInt8(ascii: "{") {
            text = nil
            segment = try Segment(json: rule)
        } else {
            let read = try RuleText(rule)
            text = read
            segment = read.segment
        }
    }

    /// A rule that was built in another way.
    package init(_ segment: Segment) {
        self.segment = segment
        text = nil
    }

    /// An error about the segment, said of the text where the rule is text.
    package func located(_ error: WinnowError) -> WinnowError { text?.located(error) ?? error }

    /// A warning about the segment for people: where in the rule as it is written, and what.
    package func located(_ warning: RuleWarning) -> String {
        guard let text else { return "\(warning.path): \(warning.message)" }
        let place = text.place(of: warning.path)
        let message = TextWords.translated(warning.message, at: warning.path)
        return "line \(place.line), column \(place.column): \(message)"
    }
}
