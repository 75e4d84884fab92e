import Model

/// Rows of CSV (RFC 4180) in one chunk: LF or CRLF, cells in double quotes may hold commas, quotes and line ends.
struct CSVRows {
    private let bytes: UnsafeRawBufferPointer
    private var at = 0
    /// 1-based within the chunk; of the row that was read last.
    private(set) var line = 1
    private var nextLine = 1
    /// Bytes of the row that was read last, without its line end.
    private(set) var raw: Range<Int> = 0..<0
    /// Unescaped cells live here until the next row.
    private var unescaped: [UnsafeMutableRawBufferPointer] = []

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// Reads a row into `cells`; false at the end. Blank lines are passed over. A malformed row throws and is passed
    /// over, too, so that reading can go on.
    mutating func next(_ cells: inout [InputCell]) throws(BadRow) -> Bool {
        release()
        while at < bytes.count, isLineEnd(at) { endLine() }
        guard at < bytes.count else { return false }
        cells.removeAll(keepingCapacity: true)
        line = nextLine
        let start = at
        while true {
            let more = try cell(&cells, start)
            if !more { break }
        }
        raw = start..<at
        if at < bytes.count { endLine() }
        return true
    }

    mutating func release() {
        for buffer in unescaped { buffer.deallocate() }
        unescaped.removeAll(keepingCapacity: true)
    }

    private func isLineEnd(_ i: Int) -> Bool {
        bytes[i] == 0x0A || (bytes[i] == 0x0D && (i + 1 == bytes.count || bytes[i + 1] == 0x0A))
    }

    private mutating func endLine() {
        if bytes[at] == 0x0D { at += 1 }
        if at < bytes.count { at += 1 }
        nextLine += 1
    }

    /// Reads one cell; true when another follows.
    private mutating func cell(_ cells: inout [InputCell], _ start: Int) throws(BadRow) -> Bool {
        if at < bytes.count, bytes[at] == UInt8(ascii: "\"") { return try quotedCell(&cells, start) }
        let begin = at
        while at < bytes.count {
            let byte = bytes[at]
            if byte == UInt8(ascii: ",") || byte == 0x0A { break }
            if byte == 0x0D, isLineEnd(at) { break }
            if byte == UInt8(ascii: "\"") { throw malformed(start, "a quote inside an unquoted cell") }
            at += 1
        }
        let text = UnsafeRawBufferPointer(rebasing: bytes[begin..<at])
        cells.append(text.isEmpty ? InputCell() : InputCell(kind: .csv, bytes: text))
        return takeComma()
    }

    private mutating func takeComma() -> Bool {
        guard at < bytes.count, bytes[at] == UInt8(ascii: ",") else { return false }
        at += 1
        return true
    }

    private mutating func quotedCell(_ cells: inout [InputCell], _ start: Int) throws(BadRow) -> Bool {
        at += 1
        let begin = at
        var doubled = 0
        while true {
            guard at < bytes.count else { throw malformed(start, "a quoted cell is not closed") }
            if bytes[at] == UInt8(ascii: "\"") {
                guard at + 1 < bytes.count, bytes[at + 1] == UInt8(ascii: "\"") else { break }
                doubled += 1
                at += 1
            } else if bytes[at] == 0x0A {
                nextLine += 1
            }
            at += 1
        }
        var text = UnsafeRawBufferPointer(rebasing: bytes[begin..<at])
        at += 1
        if doubled > 0 { text = unescape(text, doubled) }
        cells.append(InputCell(kind: .csv, bytes: text))
        if takeComma() { return true }
        guard at == bytes.count || isLineEnd(at) else { throw malformed(start, "text behind a quoted cell") }
        return false
    }

    private mutating func unescape(_ text: UnsafeRawBufferPointer, _ doubled: Int) -> UnsafeRawBufferPointer {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, text.count - doubled), alignment: 1)
        unescaped.append(buffer)
        var out = 0, i = 0
        while i < text.count {
            buffer[out] = text[i]
            out += 1
            i += text[i] == UInt8(ascii: "\"") ? 2 : 1
        }
        return UnsafeRawBufferPointer(rebasing: buffer[..<out])
    }

    /// Passes over the rest of the line.
    private mutating func malformed(_ start: Int, _ reason: String) -> BadRow {
        while at < bytes.count, bytes[at] != 0x0A { at += 1 }
        raw = start..<(at > start && bytes[at - 1] == 0x0D ? at - 1 : at)
        if at < bytes.count { endLine() }
        return BadRow(column: nil, code: "malformed_csv", reason: reason)
    }
}
