import WinnowColumns
import WinnowJSON
import WinnowModel

extension Field {
    /// A value of the field for people.
    package func text(_ value: FieldValue) -> String {
        switch value {
        case .number(let number): text(number)
        case .text(let text): String(decoding: text, as: UTF8.self)
        case .set(let members):
            members.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ", ")
        }
    }

    /// A value of the field as JSON; null for none.
    package func json(_ value: FieldValue?) -> String {
        func string(_ text: ArraySlice<UInt8>) -> String {
            jsonString(String(decoding: text, as: UTF8.self))
        }
        switch value {
        case nil: return "null"
        case .number(let number):
            return type.nature == .time ? "\"\(text(number))\"" : text(number)
        case .text(let text): return string(text)
        case .set(let members):
            return "[" + members.map(string).joined(separator: ", ") + "]"
        }
    }
}

/// Cells of CSV as they are loaded.
package enum CSVText {
    /// Appends a cell; an empty one is in quotes, which tells it from none.
    package static func append(_ text: ArraySlice<UInt8>, to out: inout [UInt8]) {
        let needsQuotes = text.contains { byte in
            byte == UInt8(ascii: "\"") || byte == UInt8(ascii: ",") || byte == 0x0A || byte == 0x0D
        }
        let hasBlanks = text.first == 0x20 || text.last == 0x20
        guard needsQuotes || hasBlanks || text.isEmpty else {
            return out.append(contentsOf: text)
        }
        out.append(UInt8(ascii: "\""))
        for byte in text {
            if byte == UInt8(ascii: "\"") { out.append(byte) }
            out.append(byte)
        }
        out.append(UInt8(ascii: "\""))
    }

    /// The members of a set in one cell.
    package static func joined(_ members: [ArraySlice<UInt8>]) -> [UInt8] {
        var out: [UInt8] = []
        for (i, member) in members.enumerated() {
            if i > 0 { out.append(UInt8(ascii: "|")) }
            for byte in member {
                if byte == UInt8(ascii: "|") || byte == UInt8(ascii: "\\") {
                    out.append(UInt8(ascii: "\\"))
                }
                out.append(byte)
            }
        }
        return out
    }
}
