/// A place in a text that people wrote.
public struct TextPlace: Hashable, Sendable {
    /// The line, from 1 on.
    public let line: Int
    /// The character of the line, from 1 on; one after the last where the line ends too early.
    public let column: Int
    /// The line, and below it a caret under the character. A long line is cut on both sides; what a
    /// terminal might take for a command is blank.
    public let excerpt: String

    /// Characters of a line that are shown on either side of the place.
    private static let shown = 60

    /// The place of a byte of a text.
    /// - Complexity: O(text).
    package init(_ offset: Int, in text: [UInt8]) {
        let offset = min(max(offset, 0), text.count)
        let newline = UInt8(ascii: "\n")
        let start = text[..<offset].lastIndex(of: newline).map { $0 + 1 } ?? 0
        line = text[..<start].count { $0 == newline } + 1
        let before = String(decoding: text[start..<offset], as: UTF8.self)
        column = before.count + 1
        var end = text[offset...].firstIndex(of: newline) ?? text.count
        if end > offset, text[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        // More bytes than the characters that are shown will have; not in the middle of one.
        var cut = min(end, offset + 16 * TextPlace.shown)
        while cut > offset, cut < end, text[cut] & 0xC0 == 0x80 { cut -= 1 }
        let after = String(decoding: text[offset..<cut], as: UTF8.self)
        let isCut = before.count > TextPlace.shown
        let left = isCut ? "…" + before.suffix(TextPlace.shown - 1) : before
        let right = after.prefix(TextPlace.shown)
        let rest = right.utf8.count < end - offset ? "…" : ""
        excerpt =
            TextPlace.blanked(left + right + rest) + "\n"
            + String(repeating: " ", count: left.count) + "^"
    }

    /// With a blank for each control character.
    private static func blanked(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
            out.unicodeScalars.append(isControl ? " " : scalar)
        }
        return out
    }
}
