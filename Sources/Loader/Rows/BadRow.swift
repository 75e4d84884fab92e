import WinnowJSON
import WinnowModel

/// Why a row cannot be loaded.
struct BadRow: Error {
    var column: String?
    var code: ErrorCode
    var reason: String

    static func wrongWidth(_ cells: Int, header: Int) -> BadRow {
        BadRow(
            column: nil, code: .wrongWidth,
            reason: "the row has \(cells) cells, the header \(header)")
    }

    static let longLine = BadRow(
        column: nil, code: .longLine, reason: "the line is longer than 16 MiB")
}

/// A row that cannot be loaded, and where it is.
struct RejectedRow: Sendable {
    let error: BadRow
    /// From the start of its piece, which begins with 1.
    let line: Int
    let raw: [UInt8]

    init(_ error: BadRow, line: Int, raw: [UInt8]) {
        self.error = error
        self.line = line
        self.raw = raw
    }

    /// The row as a line of a rejects file.
    func json(file: String, _ number: Int, isLine: Bool) -> String {
        var json = JSONWriter()
        json.object {
            $0.member("file", file)
            $0.member(isLine ? "line" : "row", number)
            $0.member("column", error.column)
            $0.member("code", error.code.rawValue)
            $0.member("reason", error.reason)
            $0.member("raw", String(decoding: raw, as: UTF8.self))
        }
        return json.text + "\n"
    }
}
