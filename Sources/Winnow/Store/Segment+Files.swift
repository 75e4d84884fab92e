import WinnowDisk
import WinnowModel
import WinnowRules

extension Segment {
    /// Reads rule documents, one a line, blank lines aside. The file is read line by line: it may have any number.
    /// - Parameter path: a file; `-` is standard input.
    /// - Throws: `WinnowError.invalidRule` with the line of the first one that makes no sense.
    public static func all(ndjson path: String) throws(WinnowError) -> [Segment] {
        var segments: [Segment] = [], lines = try InputLines(path: path, limit: RuleLimits.bytes + slack)
        while let bytes = try lines.next() {
            do throws(WinnowError) {
                let line = try text(bytes)
                guard line.contains(where: { !$0.isWhitespace }) else { continue }
                segments.append(try Segment(json: line))
            } catch {
                guard case .invalidRule(let place, let message) = error else { throw error }
                throw .invalidRule(path: place, message: "\(message) (\(path), line \(lines.number))")
            }
        }
        return segments
    }

    /// Reads one rule document from a file.
    /// - Parameter path: a file; `-` is standard input.
    /// - Throws: `WinnowError.invalidRule`.
    public init(file path: String) throws(WinnowError) {
        let bytes = try InputStream(path: path).readAll(limit: RuleLimits.bytes + Segment.slack)
        do throws(WinnowError) { try self.init(json: try Segment.text(bytes)) } catch {
            guard case .invalidRule(let place, let message) = error else { throw error }
            throw .invalidRule(path: place, message: "\(message) (\(path))")
        }
    }

    /// White space around a document that is no part of it.
    private static let slack = 1 << 16

    /// The text of a file or line, without a byte order mark.
    private static func text(_ bytes: [UInt8]) throws(WinnowError) -> String {
        let content = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        guard let text = String(validating: content, as: UTF8.self) else {
            throw .invalidRule(path: .document, message: "not UTF-8")
        }
        return text
    }
}
