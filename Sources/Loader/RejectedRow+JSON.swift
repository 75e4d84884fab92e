import JSON

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
