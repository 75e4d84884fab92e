import WinnowModel

/// A time as its digits stand: `yyyy-MM-dd HH:mm:ss`.
struct TimePattern {
    enum Piece: Sendable, Hashable {
        case year, month, day, hour, minute, second
        case literal([UInt8])

        fileprivate static let letters: [(text: String, piece: Piece)] = [
            ("yyyy", .year), ("MM", .month), ("dd", .day), ("HH", .hour), ("mm", .minute),
            ("ss", .second),
        ]
        fileprivate var digits: Int { self == .year ? 4 : 2 }
    }

    /// nil for a pattern that does not have year, month and day, each once at most.
    static func pieces(_ pattern: String) -> [Piece]? {
        var pieces: [Piece] = []
        var rest = pattern[...]
        while let character = rest.first {
            if let (text, piece) = Piece.letters.first(where: { rest.hasPrefix($0.text) }) {
                if pieces.contains(piece) { return nil }
                pieces.append(piece)
                rest.removeFirst(text.count)
            } else {
                // A letter of the pattern that is not one of its parts is a slip.
                if "yMdHms".contains(character) { return nil }
                pieces.append(.literal(Array(String(character).utf8)))
                rest.removeFirst()
            }
        }
        let needed: [Piece] = [.year, .month, .day]
        return needed.allSatisfy(pieces.contains) ? pieces : nil
    }

    /// Milliseconds since 1970 by the clock that the text shows; nil where it does not fit.
    static func wall(_ text: [UInt8], _ pieces: [Piece]) -> Int64? {
        var numbers: [Piece: Int] = [:]
        var rest = text[...]
        for piece in pieces {
            if case .literal(let bytes) = piece {
                guard rest.starts(with: bytes) else { return nil }
                rest = rest.dropFirst(bytes.count)
                continue
            }
            let digits = rest.prefix(piece.digits)
            guard digits.count == piece.digits,
                digits.allSatisfy({ isDigit($0) })
            else { return nil }
            numbers[piece] = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
            rest = rest.dropFirst(piece.digits)
        }
        func two(_ piece: Piece) -> String {
            (numbers[piece] ?? 0) < 10 ? "0\(numbers[piece] ?? 0)" : "\(numbers[piece] ?? 0)"
        }
        let year = String(numbers[.year] ?? 0)
        let padded = String(repeating: "0", count: max(0, 4 - year.count)) + year
        var written =
            "\(padded)-\(two(.month))-\(two(.day))T\(two(.hour)):\(two(.minute)):\(two(.second))"
        guard rest.isEmpty else { return nil }
        return written.withUTF8 { unsafe WrittenTime(utf8: UnsafeRawBufferPointer($0))?.wall }
    }
}
