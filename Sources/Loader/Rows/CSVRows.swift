import WinnowModel

/// Rows of CSV (RFC 4180) in one chunk: LF or CRLF, cells in double quotes may hold commas, quotes
/// and line ends.
@safe struct CSVRows {
    private let bytes: UnsafeRawBufferPointer
    private var at = 0
    /// 1-based within the chunk; of the row that was read last.
    private(set) var line = 1
    private var nextLine = 1
    /// Bytes of the row that was read last, without its line end.
    private(set) var raw: Range<Int> = 0..<0
    /// Unescaped cells live here until the next row.
    private var unescaped: [UnsafeMutableRawBufferPointer] = unsafe []

    init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = unsafe bytes }

    /// Reads a row into `cells`; false at the end. Blank lines are passed over. A malformed row
    /// throws and is passed over, too, so that reading can go on.
    mutating func next(_ cells: inout [InputCell]) throws(BadRow) -> Bool {
        release()
        while unsafe at < bytes.count, isLineEnd(at) { endLine() }
        guard unsafe at < bytes.count else { return false }
        cells.removeAll(keepingCapacity: true)
        line = nextLine
        let start = at
        while true {
            let more = try cell(&cells, start)
            if !more { break }
        }
        raw = start..<at
        if unsafe at < bytes.count { endLine() }
        return true
    }

    mutating func release() {
        for i in unsafe unescaped.indices { unsafe unescaped[i].deallocate() }
        unsafe unescaped.removeAll(keepingCapacity: true)
    }

    private func isLineEnd(_ i: Int) -> Bool {
        unsafe bytes[i] == 0x0A
            || (bytes[i] == 0x0D && (i + 1 == bytes.count || bytes[i + 1] == 0x0A))
    }

    private mutating func endLine() {
        if unsafe bytes[at] == 0x0D { at += 1 }
        if unsafe at < bytes.count { at += 1 }
        nextLine += 1
    }

    /// Reads one cell; true when another follows.
    private mutating func cell(_ cells: inout [InputCell], _ start: Int) throws(BadRow) -> Bool {
        if unsafe at < bytes.count, unsafe bytes[at] == UInt8(ascii: "\"") {
            return try quotedCell(&cells, start)
        }
        let begin = at
        while unsafe at < bytes.count {
            let byte = unsafe bytes[at]
            if byte == UInt8(ascii: ",") || byte == 0x0A { break }
            if byte == 0x0D, isLineEnd(at) { break }
            if byte == UInt8(ascii: "\"") {
                throw malformed(start, "a quote inside an unquoted cell")
            }
            at += 1
        }
        let text = unsafe UnsafeRawBufferPointer(rebasing: bytes[begin..<at])
        unsafe cells.append(text.isEmpty ? InputCell() : InputCell(kind: .csv, bytes: text))
        return takeComma()
    }

    private mutating func takeComma() -> Bool {
        guard unsafe at < bytes.count, unsafe bytes[at] == UInt8(ascii: ",") else { return false }
        at += 1
        return true
    }

    private mutating func quotedCell(_ cells: inout [InputCell], _ start: Int) throws(BadRow)
        -> Bool
    {
        at += 1
        let begin = at
        var doubled = 0
        while true {
            guard unsafe at < bytes.count else {
                throw malformed(start, "a quoted cell is not closed")
            }
            if unsafe bytes[at] == UInt8(ascii: "\"") {
                guard unsafe at + 1 < bytes.count, unsafe bytes[at + 1] == UInt8(ascii: "\"") else {
                    break
                }
                doubled += 1
                at += 1
            } else if unsafe bytes[at] == 0x0A {
                nextLine += 1
            }
            at += 1
        }
        var text = unsafe UnsafeRawBufferPointer(rebasing: bytes[begin..<at])
        at += 1
        if doubled > 0 { unsafe text = unsafe unescape(text, doubled) }
        unsafe cells.append(InputCell(kind: .csv, bytes: text))
        if takeComma() { return true }
        guard unsafe at == bytes.count || isLineEnd(at) else {
            throw malformed(start, "text behind a quoted cell")
        }
        return false
    }

    private mutating func unescape(_ text: UnsafeRawBufferPointer, _ doubled: Int)
        -> UnsafeRawBufferPointer
    {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, text.count - doubled), alignment: 1)
        unsafe unescaped.append(buffer)
        var out = 0, i = 0
        while i < text.count {
            unsafe buffer[out] = unsafe text[i]
            out += 1
            unsafe i += text[i] == UInt8(ascii: "\"") ? 2 : 1
        }
        return unsafe UnsafeRawBufferPointer(rebasing: buffer[..<out])
    }

    /// Passes over the rest of the line.
    private mutating func malformed(_ start: Int, _ reason: String) -> BadRow {
        while unsafe at < bytes.count, unsafe bytes[at] != 0x0A { at += 1 }
        raw = unsafe start..<(at > start && bytes[at - 1] == 0x0D ? at - 1 : at)
        if unsafe at < bytes.count { endLine() }
        return BadRow(column: nil, code: .malformedCSV, reason: reason)
    }
}
