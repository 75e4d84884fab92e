/// A text in which `*` stands for any run; the whole value must match.
struct Wildcard: Sendable {
    /// What is between the stars.
    private let parts: [[UInt8]]

    /// `\*` and `\\` are a star and a backslash.
    init(_ pattern: String) {
        var parts: [[UInt8]] = [[]]
        var bytes = Array(pattern.utf8)[...]
        while let byte = bytes.popFirst() {
            if byte == UInt8(ascii: "\\"), let next = bytes.first,
                next == UInt8(ascii: "*") || next == byte
            {
                parts[parts.count - 1].append(next)
                bytes.removeFirst()
            } else if byte == UInt8(ascii: "*") {
                parts.append([])
            } else {
                parts[parts.count - 1].append(byte)
            }
        }
        self.parts = parts
    }

    /// Complexity: O(text × part) at worst.
    func matches(_ text: [UInt8]) -> Bool {
        guard let first = parts.first, let last = parts.last, parts.count > 1 else {
            return parts.first == text
        }
        guard text.count >= first.count + last.count, text.starts(with: first),
            text.suffix(last.count).elementsEqual(last)
        else { return false }
        var rest = text[first.count..<text.count - last.count]
        for part in parts.dropFirst().dropLast() {
            guard let at = rest.firstRange(of: part) else { return false }
            rest = rest[at.upperBound...]
        }
        return true
    }
}

extension ArraySlice<UInt8> {
    /// Where a part occurs first.
    fileprivate func firstRange(of part: [UInt8]) -> Range<Int>? {
        if part.isEmpty { return startIndex..<startIndex }
        guard count >= part.count else { return nil }
        return (startIndex...endIndex - part.count).first { self[$0...].starts(with: part) }.map {
            $0..<$0 + part.count
        }
    }
}
