import WinnowJSON
import WinnowModel

/// Why a row cannot be loaded.
struct BadRow: Error {
    var column: String?
    var code: ErrorCode
    var reason: String

    static let longLine = BadRow(
        column: nil, code: .longLine, reason: "the line is longer than 16 MiB")
}

/// A row that cannot be loaded, and where it is; the line counts from the start of its chunk.
struct RejectedRow: Sendable {
    var line: Int
    var column: String?
    var code: ErrorCode
    var reason: String
    var raw: [UInt8]
}

extension RejectedRow {
    /// The row as a line of a rejects file.
    func json(file: String, line: Int) -> String {
        var json = JSONWriter()
        json.object {
            $0.member("file", file)
            $0.member("line", line)
            $0.member("column", column)
            $0.member("code", code.rawValue)
            $0.member("reason", reason)
            $0.member("raw", String(decoding: raw, as: UTF8.self))
        }
        return json.text + "\n"
    }
}
