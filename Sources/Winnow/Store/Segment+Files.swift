import WinnowDisk
import WinnowModel
import WinnowRules

extension Segment {
    /// Reads rule documents, one a line, blank lines aside. The file is read line by line: it may
    /// have any number.
    /// - Parameter path: a file; `-` is standard input.
    /// - Throws: `invalidRule` or `invalidText` with the line of the first one that makes no sense.
    public static func all(ndjson path: String) throws(WinnowError) -> [Segment] {
        var segments: [Segment] = []
        var lines = try InputLines(path: path, limit: RuleLimits.bytes + RuleFile.slack)
        while let bytes = try lines.next() {
            do throws(WinnowError) {
                let line = try RuleFile.text(bytes)
                guard line.contains(where: { !$0.isWhitespace }) else { continue }
                segments.append(try Segment(json: line))
            } catch { throw error.noting("\(path), line \(lines.number)") }
        }
        return segments
    }

    /// Reads one rule from a file: JSON when it begins with a brace, else text.
    /// - Parameter path: a file; `-` is standard input.
    /// - Throws: `invalidRule` or `invalidText`.
    public init(file path: String) throws(WinnowError) {
        self = try WrittenRule(file: path).segment
    }
}

extension WrittenRule {
    /// Reads one rule from a file, in either form; `-` is standard input.
    package init(file path: String) throws(WinnowError) {
        let bytes = try InputStream(path: path).readAll(limit: RuleLimits.bytes + RuleFile.slack)
        do throws(WinnowError) { try self.init(try RuleFile.text(bytes)) } catch {
            throw error.noting(path)
        }
    }
}

private enum RuleFile {
    /// White space around a rule that is no part of it.
    static let slack = 1 << 16

    /// The text of a file or line, without a byte order mark.
    static func text(_ bytes: [UInt8]) throws(WinnowError) -> String {
        let content = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        guard let text = String(validating: content, as: UTF8.self) else {
            throw .invalidRule(path: .document, message: "not UTF-8")
        }
        return text
    }
}

extension WinnowError {
    /// The same error of a rule, and where it was read.
    package func noting(_ place: String) -> WinnowError {
        switch self {
        case .invalidRule(let path, let message):
            .invalidRule(path: path, message: "\(message) (\(place))")
        case .invalidText(let path, let text, let message):
            .invalidText(path: path, place: text, message: "\(message) (\(place))")
        default: self
        }
    }
}
