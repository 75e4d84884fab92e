import Winnow

/// How figures are shown to people: numbers in groups, shares, bars and tables.
package enum Figures {
    /// `1,353,389`.
    static func grouped(_ number: some BinaryInteger) -> String {
        let digits = Array(String(number).drop { $0 == "-" })
        var text = number < 0 ? "-" : ""
        for (i, digit) in digits.enumerated() {
            if i > 0, (digits.count - i) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text
    }

    /// Bytes in MiB, or KiB where they are few.
    static func bytes(_ count: Int) -> String {
        let unit = count < 1 << 20 ? 1 << 10 : 1 << 20
        let tenths = (count * 10 + unit / 2) / unit
        let name = unit == 1 << 10 ? "KiB" : "MiB"
        return "\(grouped(tenths / 10)).\(tenths % 10) \(name)"
    }

    /// A part in per cent with one digit after the point; `–` of nothing.
    static func share(_ part: Int, of whole: Int) -> String {
        guard whole > 0 else { return "–" }
        let tenths = (2000 * part + whole) / (2 * whole)
        return "\(tenths / 10).\(tenths % 10) %"
    }

    private static let eighths = Array(" ▏▎▍▌▋▊▉█")

    /// A bar of up to `width` characters.
    static func bar(_ part: Int, of whole: Int, width: Int) -> String {
        guard whole > 0, part > 0 else { return "" }
        let steps = max(1, (part * width * 8 + whole / 2) / whole)
        let rest = steps % 8
        return String(repeating: "█", count: steps / 8) + (rest > 0 ? String(eighths[rest]) : "")
    }

    private static let levels = Array("▁▂▃▄▅▆▇█")

    /// A line of up to `width` characters that rises and falls as numbers do, from the least of them
    /// to the greatest; of several in one place the greatest is shown.
    /// - Parameter fromZero: whether the lowest place stands for zero.
    static func sparkline(_ numbers: [Int], width: Int, fromZero: Bool = false) -> String {
        guard let least = fromZero ? 0 : numbers.min(), let greatest = numbers.max() else {
            return ""
        }
        let places = min(width, numbers.count)
        return String(
            (0..<places).map { place in
                let range = place * numbers.count / places..<(place + 1) * numbers.count / places
                let number = numbers[range].max() ?? least
                guard greatest > least else { return levels[3] }
                return levels[(number - least) * (levels.count - 1) / (greatest - least)]
            })
    }

    /// Rows whose columns stand below each other, two blanks apart.
    /// - Parameter texts: how many columns from the left hold words; the others hold figures, which
    ///   end at the right.
    /// - Parameter bars: whether the last column is drawn, and begins at the left.
    static func table(_ rows: [[String]], texts: Int = 1, bars: Bool = false) -> String {
        let rows = rows.map { $0.map(line) }
        let columns = rows.map(\.count).max() ?? 0
        var widths: [Int] = []
        for row in rows {
            for (i, cell) in row.enumerated() {
                if i == widths.count { widths.append(0) }
                widths[i] = max(widths[i], cell.count)
            }
        }
        return rows.map { row in
            let cells = row.enumerated().map { i, cell in
                let blanks = String(repeating: " ", count: widths[i] - cell.count)
                return i < texts || bars && i == columns - 1 ? cell + blanks : blanks + cell
            }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }

    /// A text on one line: control characters of data are escaped.
    package static func line(_ text: String) -> String {
        func isControl(_ scalar: Unicode.Scalar) -> Bool {
            scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
        }
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var out = ""
        for scalar in text.unicodeScalars {
            if isControl(scalar) {
                out += "\\u{" + String(scalar.value, radix: 16) + "}"
            } else {
                out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    /// `1 profile`, `2 profiles`.
    static func profiles(_ count: Int) -> String {
        grouped(count) + (count == 1 ? " profile" : " profiles")
    }

    /// A text that is no longer than a width; the end of a longer one is left out.
    static func shortened(_ text: String, _ width: Int) -> String {
        text.count <= width ? text : text.prefix(max(0, width - 1)) + "…"
    }
}

/// A text with blanks after it, up to a width.
func column(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
