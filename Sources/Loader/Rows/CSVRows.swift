import WinnowFormat
import WinnowModel

/// Rows of CSV (RFC 4180): LF or CRLF, cells in double quotes may hold delimiters, quotes and line
/// ends. A quote opens only at the start of a cell, and a malformed row ends with its line. The one
/// reader of CSV: it also says where rows end, for cutting.
@safe struct CSVRows {
    private let bytes: UnsafeRawBufferPointer
    private let delimiter: UInt8
    /// Delimiters, quotes and line ends.
    private let marks: ByteMarks
    private var at = 0
    /// 1-based; of the row that was read last.
    private(set) var line = 1
    private var nextLine = 1
    /// Bytes of the row that was read last, without its line end.
    private(set) var raw: Range<Int> = 0..<0
    /// After the last line feed that ends a row; nil before the first.
    private(set) var complete: Int?
    /// Unescaped cells live here until the next row.
    private var unescaped: [UnsafeMutableRawBufferPointer] = unsafe []

    init(_ bytes: UnsafeRawBufferPointer, delimiter: UInt8) {
        unsafe self.bytes = unsafe bytes
        self.delimiter = delimiter
        marks = unsafe ByteMarks(bytes, delimiter, UInt8(ascii: "\""), 0x0A, 0x0D)
    }

    /// Reads all cells of a row; false at the end. Blank lines are passed over.
    mutating func next(_ cells: inout [InputCell]) throws(BadRow) -> Bool {
        cells.removeAll(keepingCapacity: true)
        guard begin() else { return false }
        repeat { cells.append(try cell()) } while takeDelimiter()
        end()
        return true
    }

    // MARK: A row cell by cell

    /// Goes to the next row; false at the end. Blank lines are passed over.
    mutating func begin() -> Bool {
        while unsafe at < bytes.count, isLineEnd(at) { endLine() }
        guard unsafe at < bytes.count else { return false }
        line = nextLine
        raw = at..<at
        return true
    }

    /// Reads a cell, which is good until `release`. A malformed row throws and is passed over, so that
    /// reading can go on.
    @inline(__always)
    mutating func cell() throws(BadRow) -> InputCell {
        let cell = try nextCell()
        guard cell.isQuoted || !cell.text.isEmpty else { return InputCell() }
        let text = unsafe UnsafeRawBufferPointer(rebasing: bytes[cell.text])
        return unsafe InputCell(
            kind: .csv, isQuoted: cell.isQuoted,
            bytes: cell.doubled > 0 ? unescape(text, cell.doubled) : text)
    }

    /// Whether another cell follows.
    @inline(__always)
    mutating func takeDelimiter() -> Bool {
        guard unsafe at < bytes.count, unsafe bytes[at] == delimiter else { return false }
        at += 1
        return true
    }

    /// Ends a row after its last cell.
    mutating func end() {
        raw = raw.lowerBound..<at
        if unsafe at < bytes.count { endLine() }
    }

    /// Passes over a row; false at the end.
    mutating func skip() -> Bool {
        guard begin() else { return false }
        repeat { guard (try? nextCell()) != nil else { return true } } while takeDelimiter()
        end()
        return true
    }

    mutating func release() {
        for i in unsafe unescaped.indices { unsafe unescaped[i].deallocate() }
        unsafe unescaped.removeAll(keepingCapacity: true)
    }

    // MARK: Rows

    private func isLineEnd(_ i: Int) -> Bool {
        unsafe bytes[i] == 0x0A
            || (bytes[i] == 0x0D && (i + 1 == bytes.count || bytes[i + 1] == 0x0A))
    }

    private mutating func endLine() {
        if unsafe bytes[at] == 0x0D { at += 1 }
        if unsafe at < bytes.count {
            at += 1
            complete = at
        }
        nextLine += 1
    }

    // MARK: Cells

    private struct Cell {
        let text: Range<Int>
        let isQuoted: Bool
        /// Quotes that are written twice.
        var doubled = 0
    }

    @inline(__always)
    private mutating func nextCell() throws(BadRow) -> Cell {
        if unsafe at < bytes.count, unsafe bytes[at] == UInt8(ascii: "\"") {
            return try quotedCell()
        }
        let start = at
        at = marks.first(from: start)
        while unsafe at < bytes.count {
            let byte = unsafe bytes[at]
            if byte == delimiter || byte == 0x0A { break }
            if byte == 0x0D, isLineEnd(at) { break }
            if byte == UInt8(ascii: "\"") { throw malformed("a quote inside an unquoted cell") }
            at = marks.first(from: at + 1)
        }
        return Cell(text: start..<at, isQuoted: false)
    }

    @inline(never)
    private mutating func quotedCell() throws(BadRow) -> Cell {
        at += 1
        let start = at
        var doubled = 0
        while true {
            at = marks.first(from: at)
            guard unsafe at < bytes.count else { throw malformed("a quoted cell is not closed") }
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
        let cell = Cell(text: start..<at, isQuoted: true, doubled: doubled)
        at += 1
        guard unsafe at == bytes.count || bytes[at] == delimiter || isLineEnd(at) else {
            throw malformed("text after a quoted cell")
        }
        return cell
    }

    private mutating func unescape(_ text: UnsafeRawBufferPointer, _ doubled: Int)
        -> UnsafeRawBufferPointer
    {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, text.count - doubled), alignment: 1)
        unsafe unescaped.append(buffer)
        var out = 0
        var i = 0
        while i < text.count {
            unsafe buffer[out] = unsafe text[i]
            out += 1
            unsafe i += text[i] == UInt8(ascii: "\"") ? 2 : 1
        }
        return unsafe UnsafeRawBufferPointer(rebasing: buffer[..<out])
    }

    /// Passes over the rest of the line.
    private mutating func malformed(_ reason: String) -> BadRow {
        let start = raw.lowerBound
        while unsafe at < bytes.count, unsafe bytes[at] != 0x0A { at += 1 }
        raw = unsafe start..<(at > start && bytes[at - 1] == 0x0D ? at - 1 : at)
        if unsafe at < bytes.count { endLine() }
        return BadRow(column: nil, code: .malformedCSV, reason: reason)
    }
}
