import JSON
import Model

/// Rows of NDJSON in one chunk: one object a line.
struct JSONRows {
    private let bytes: UnsafeRawBufferPointer
    private let columns: ColumnNames
    private var at = 0
    /// 1-based within the chunk; of the row that was read last.
    private(set) var line = 0
    private(set) var raw: Range<Int> = 0..<0
    private var unescaped: [UnsafeMutableRawBufferPointer] = []
    /// Keys of the row that are passed over.
    private var ignored: Set<[UInt8]> = []

    init(_ bytes: UnsafeRawBufferPointer, _ columns: ColumnNames) {
        self.bytes = bytes
        self.columns = columns
    }

    mutating func release() {
        for buffer in unescaped { buffer.deallocate() }
        unescaped.removeAll(keepingCapacity: true)
    }

    /// Reads a row, a cell per column; false at the end.
    mutating func next(_ cells: inout [InputCell]) throws(BadRow) -> Bool {
        release()
        while at < bytes.count {
            let start = at
            while at < bytes.count, bytes[at] != 0x0A { at += 1 }
            raw = start..<at
            at = min(at + 1, bytes.count)
            line += 1
            let text = UnsafeRawBufferPointer(rebasing: bytes[raw])
            if text.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { continue }
            for i in cells.indices { cells[i] = InputCell() }
            ignored.removeAll(keepingCapacity: true)
            var cursor = JSONCursor(text)
            try cursor.object(
                { (cursor, key, escaped) throws(BadRow) in try member(&cursor, key, escaped, &cells) },
                wrapping: JSONRows.bad)
            do throws(JSONError) { try cursor.expectEnd() } catch { throw JSONRows.bad(error) }
            return true
        }
        return false
    }

    private static func bad(_ error: JSONError) -> BadRow {
        BadRow(column: nil, code: "malformed_json", reason: "\(error.message) at byte \(error.offset + 1)")
    }

    private mutating func member(
        _ cursor: inout JSONCursor, _ key: Range<Int>, _ escaped: Bool, _ cells: inout [InputCell]
    ) throws(BadRow) {
        let name = escaped ? try unescape(cursor, key) : UnsafeRawBufferPointer(rebasing: cursor.bytes[key])
        guard let column = columns.index(of: name) else {
            guard columns.ignoresUnknown else {
                let text = String(decoding: name.prefix(100), as: UTF8.self)
                throw BadRow(column: text, code: "unknown_key", reason: "unknown key")
            }
            guard ignored.insert(Array(name)).inserted else {
                let text = String(decoding: name.prefix(100), as: UTF8.self)
                throw BadRow(column: text, code: "repeated_key", reason: "the key is repeated")
            }
            do throws(JSONError) { return try cursor.skip() } catch { throw JSONRows.bad(error) }
        }
        guard cells[column].kind == .absent else {
            throw BadRow(column: columns.text(column), code: "repeated_key", reason: "the key is repeated")
        }
        do throws(JSONError) { cells[column] = try value(&cursor) } catch { throw JSONRows.bad(error) }
    }

    private mutating func value(_ cursor: inout JSONCursor) throws(JSONError) -> InputCell {
        if let first = cursor.peek(), first == UInt8(ascii: "[") || first == UInt8(ascii: "{") {
            let start = cursor.at
            try cursor.skip()
            return InputCell(
                kind: .compound, bytes: UnsafeRawBufferPointer(rebasing: cursor.bytes[start..<cursor.at]))
        }
        switch try cursor.scalar() {
        case .null: return InputCell(kind: .null)
        case .boolean(let flag): return InputCell(kind: flag ? .yes : .no)
        case .number(let range):
            return InputCell(kind: .number, bytes: UnsafeRawBufferPointer(rebasing: cursor.bytes[range]))
        case .string(let range, escaped: false):
            return InputCell(kind: .string, bytes: UnsafeRawBufferPointer(rebasing: cursor.bytes[range]))
        case .string(let range, escaped: true):
            var decoded: [UInt8] = []
            try cursor.decode(range, into: &decoded)
            return InputCell(kind: .string, bytes: keep(decoded))
        }
    }

    private mutating func unescape(_ cursor: JSONCursor, _ range: Range<Int>) throws(BadRow) -> UnsafeRawBufferPointer {
        var decoded: [UInt8] = []
        do throws(JSONError) { try cursor.decode(range, into: &decoded) } catch { throw JSONRows.bad(error) }
        return keep(decoded)
    }

    private mutating func keep(_ decoded: [UInt8]) -> UnsafeRawBufferPointer {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, decoded.count), alignment: 1)
        buffer.copyBytes(from: decoded)
        unescaped.append(buffer)
        return UnsafeRawBufferPointer(rebasing: buffer[..<decoded.count])
    }
}
