import WinnowJSON

/// Why a row cannot be loaded.
struct BadRow: Error {
    var column: String?
    var code: String
    var reason: String

    static let longLine = BadRow(column: nil, code: "long_line", reason: "the line is longer than 16 MiB")
}

/// A row that cannot be loaded, and where it is; the line counts from the start of its chunk.
struct RejectedRow: Sendable {
    var line: Int
    var column: String?
    var code: String
    var reason: String
    var raw: [UInt8]
}

extension RejectedRow {
    /// The row as a line of a rejects file.
    func json(file: String, line: Int) -> String {
        let column = column.map { jsonString($0) } ?? "null"
        let raw = String(decoding: raw, as: UTF8.self)
        return
            "{\"file\": \(jsonString(file)), \"line\": \(line), \"column\": \(column), \"code\": \(jsonString(code)), "
            + "\"reason\": \(jsonString(reason)), \"raw\": \(jsonString(raw))}\n"
    }
}
