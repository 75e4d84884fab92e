import WinnowFormat
import WinnowJSON
import WinnowModel

/// Rows of NDJSON: one object a line.
@safe struct JSONRows: RowFormat {
    private let text: RowText
    private let columns: ColumnNames
    private let trims: Bool
    private var at = 0
    /// 1-based; of the row that was read last.
    private(set) var line = 0
    /// Bytes of the row that was read last, without its line end.
    private(set) var raw: Range<Int> = 0..<0
    private var unescaped: [UnsafeMutableRawBufferPointer] = unsafe []
    /// The keys of the last row and what they stand for: most rows have the same in the same order.
    private var keys: [(name: [UInt8], meaning: Meaning)] = []
    /// Keys of all rows that are passed over, with the number of each.
    private var numbers: [[UInt8]: Int] = [:]
    /// By these numbers, the line that had the key last.
    private var lines: [Int] = []

    /// What a key stands for: a column, or a key that is passed over, by its number.
    private enum Meaning { case column(Int), ignored(Int) }

    /// Keys of all rows that are passed over.
    var ignored: Set<[UInt8]> { Set(numbers.keys) }

    init(_ text: RowText, _ columns: ColumnNames, trims: Bool) {
        self.text = text
        self.columns = columns
        self.trims = trims
    }

    mutating func release() {
        for i in unsafe unescaped.indices { unsafe unescaped[i].deallocate() }
        unsafe unescaped.removeAll(keepingCapacity: true)
    }

    mutating func end() { release() }

    func shown(_ row: Range<Int>) -> [UInt8] { text.shown(row) }

    /// Reads a row, a cell per column; false at the end.
    mutating func next(_ cells: inout [InputCell]) throws(BadRow) -> Bool {
        let bytes = unsafe text.bytes
        while at < bytes.count {
            let start = at
            at = unsafe bytes.firstIndex(of: 0x0A, from: start) ?? bytes.count
            raw = start..<at
            at = min(at + 1, bytes.count)
            line += 1
            let text = unsafe UnsafeRawBufferPointer(rebasing: bytes[raw])
            if unsafe text.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { continue }
            for i in cells.indices { cells[i] = InputCell() }
            var cursor = unsafe JSONCursor(text)
            var place = 0
            try cursor.object(
                { (cursor, key, escaped) throws(BadRow) in
                    try member(&cursor, key, escaped, at: place, &cells)
                    place += 1
                },
                wrapping: JSONRows.bad)
            do throws(JSONError) { try cursor.expectEnd() } catch { throw JSONRows.bad(error) }
            try self.text.check(raw)
            return true
        }
        return false
    }

    private static func bad(_ error: JSONError) -> BadRow {
        BadRow(
            column: nil, code: .malformedJSON,
            reason: "\(error.message) at byte \(error.offset + 1)")
    }

    private mutating func member(
        _ cursor: inout JSONCursor, _ key: Range<Int>, _ escaped: Bool, at place: Int,
        _ cells: inout [InputCell]
    ) throws(BadRow) {
        let name =
            unsafe escaped
            ? try unescape(cursor, key) : UnsafeRawBufferPointer(rebasing: cursor.bytes[key])
        switch try unsafe meaning(of: name, at: place) {
        case .ignored(let number):
            guard lines[number] != line else {
                let text = unsafe String(decoding: name.prefix(100), as: UTF8.self)
                throw BadRow(column: text, code: .repeatedKey, reason: "the key is repeated")
            }
            lines[number] = line
            do throws(JSONError) { try cursor.skip() } catch { throw JSONRows.bad(error) }
        case .column(let column):
            guard cells[column].kind == .absent else {
                throw BadRow(
                    column: columns.text(column), code: .repeatedKey, reason: "the key is repeated")
            }
            do throws(JSONError) {
                let cell = try value(&cursor)
                cells[column] = trims ? cell.trimmed : cell
            } catch {
                throw JSONRows.bad(error)
            }
        }
    }

    /// What a key stands for that comes at a place of its row.
    private mutating func meaning(
        of name: UnsafeRawBufferPointer, at place: Int
    ) throws(BadRow) -> Meaning {
        if place < keys.count, unsafe name.holds(keys[place].name) { return keys[place].meaning }
        let text = unsafe Array(name)
        let meaning: Meaning
        if let column = unsafe columns.index(of: name) {
            meaning = .column(column)
        } else if let number = numbers[text] {
            meaning = .ignored(number)
        } else {
            try columns.refuse(text, as: .unknownKey)
            meaning = .ignored(lines.count)
            numbers[text] = lines.count
            lines.append(0)
        }
        if place < keys.count {
            keys[place] = (text, meaning)
        } else if place == keys.count {
            keys.append((text, meaning))
        }
        return meaning
    }

    private mutating func value(_ cursor: inout JSONCursor) throws(JSONError) -> InputCell {
        if let first = cursor.peek(), first == UInt8(ascii: "[") || first == UInt8(ascii: "{") {
            let start = cursor.at
            try cursor.skip()
            return unsafe InputCell(
                kind: .compound,
                bytes: UnsafeRawBufferPointer(rebasing: cursor.bytes[start..<cursor.at]))
        }
        switch try cursor.scalar() {
        case .null: return unsafe InputCell(kind: .null)
        case .boolean(let flag): return .boolean(flag)
        case .number(let range):
            return unsafe InputCell(
                kind: .number, bytes: UnsafeRawBufferPointer(rebasing: cursor.bytes[range]))
        case .string(let range, escaped: false):
            return unsafe InputCell(
                kind: .string, bytes: UnsafeRawBufferPointer(rebasing: cursor.bytes[range]))
        case .string(let range, escaped: true):
            var decoded: [UInt8] = []
            try cursor.decode(range, into: &decoded)
            return unsafe InputCell(kind: .string, bytes: keep(decoded))
        }
    }

    private mutating func unescape(_ cursor: JSONCursor, _ range: Range<Int>) throws(BadRow)
        -> UnsafeRawBufferPointer
    {
        var decoded: [UInt8] = []
        do throws(JSONError) { try cursor.decode(range, into: &decoded) } catch {
            throw JSONRows.bad(error)
        }
        return unsafe keep(decoded)
    }

    private mutating func keep(_ decoded: [UInt8]) -> UnsafeRawBufferPointer {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, decoded.count), alignment: 1)
        unsafe buffer.copyBytes(from: decoded)
        unsafe unescaped.append(buffer)
        return unsafe UnsafeRawBufferPointer(rebasing: buffer[..<decoded.count])
    }
}
