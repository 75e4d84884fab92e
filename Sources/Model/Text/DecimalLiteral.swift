/// An exact decimal literal: (−1)^negative × digits × 10^−places, read from its text.
package struct DecimalLiteral: Sendable, Hashable {
    package var negative: Bool
    /// Significant digits, most significant first, no leading or trailing zeros; empty for zero.
    package var digits: [UInt8]
    /// How many of the digits are after the point; negative when zeros follow the digits.
    package var places: Int

    /// A number of units of 10^−scale, without zeros at the end.
    package static func text(_ units: some BinaryInteger, scale: Int) -> String {
        let digits = String(units.magnitude)
        guard scale > 0 else { return String(units) }
        let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
        let fraction = padded.suffix(scale).reversed().drop { $0 == "0" }.reversed()
        let sign = units < 0 ? "-" : ""
        return sign + padded.dropLast(scale) + (fraction.isEmpty ? "" : "." + String(fraction))
    }

    /// Reads a JSON number (`-12.50`, `1e3`), or any text of that form; nil when it is not one.
    package init?(utf8 text: UnsafeRawBufferPointer) {
        var at = 0
        func byte(_ c: Character) -> Bool { unsafe at < text.count && text[at] == c.asciiValue }
        negative = byte("-")
        if negative { at += 1 }
        digits = []
        places = 0
        let whole = at
        while at < text.count, let digit = unsafe decimalDigit(text[at]) {
            digits.append(UInt8(digit)); at += 1
        }
        guard at > whole else { return nil }
        if byte(".") {
            at += 1
            let start = at
            while at < text.count, let digit = unsafe decimalDigit(text[at]) {
                digits.append(UInt8(digit)); at += 1
            }
            guard at > start else { return nil }
            places = at - start
        }
        if byte("e") || byte("E") {
            at += 1
            let down = byte("-")
            if down || byte("+") { at += 1 }
            let start = at
            var exponent = 0
            while at < text.count, let digit = unsafe decimalDigit(text[at]) {
                // No text has so many digits that they could make up for such an exponent.
                exponent = min(exponent * 10 + digit, 1 << 40)
                at += 1
            }
            guard at > start else { return nil }
            places += down ? exponent : -exponent
        }
        guard at == text.count else { return nil }
        let leading = digits.prefix { $0 == 0 }.count
        digits.removeFirst(leading)
        while digits.last == 0 { digits.removeLast(); places -= 1 }
        if digits.isEmpty { places = 0; negative = false }
    }

    /// The literal in units of 10^−scale: the greatest whole number not above it, and whether it is
    /// exactly that. `nil` below or above 64 bits tells the side.
    package func scaled(to scale: Int) -> Scaled {
        let shift = scale - places
        var kept = digits[...]
        var exact = true
        if shift < 0 {
            kept = digits.dropLast(min(-shift, digits.count))
            exact = digits.isEmpty
        }
        let zeros = max(0, shift)
        guard kept.isEmpty || kept.count + zeros <= 20 else { return negative ? .below : .above }
        var magnitude: UInt64 = 0
        for digit in kept {
            guard let next = grow(magnitude, by: UInt64(digit)) else {
                return negative ? .below : .above
            }
            magnitude = next
        }
        if !kept.isEmpty {
            for _ in 0..<zeros {
                guard let next = grow(magnitude, by: 0) else { return negative ? .below : .above }
                magnitude = next
            }
        }
        return signed(magnitude, exact: exact)
    }

    package enum Scaled: Sendable, Hashable { case below, above, value(floor: Int64, exact: Bool) }

    private func grow(_ value: UInt64, by digit: UInt64) -> UInt64? {
        let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
        let (sum, overflow2) = tenfold.addingReportingOverflow(digit)
        return overflow || overflow2 ? nil : sum
    }

    private func signed(_ magnitude: UInt64, exact: Bool) -> Scaled {
        guard negative else {
            return magnitude <= UInt64(Int64.max)
                ? .value(floor: Int64(magnitude), exact: exact) : .above
        }
        // The floor of a negative number that is not whole is one further from zero.
        let (away, overflow) = exact ? (magnitude, false) : magnitude.addingReportingOverflow(1)
        guard !overflow, away <= UInt64(Int64.max) + 1 else { return .below }
        return .value(floor: Int64(truncatingIfNeeded: 0 &- away), exact: exact)
    }
}

extension DecimalLiteral: Comparable {
    package static func < (a: DecimalLiteral, b: DecimalLiteral) -> Bool {
        guard a.negative == b.negative else { return a.negative }
        return a.negative ? b.isSmallerInSize(than: a) : a.isSmallerInSize(than: b)
    }

    private func isSmallerInSize(than other: DecimalLiteral) -> Bool {
        if digits.isEmpty || other.digits.isEmpty { return digits.isEmpty && !other.digits.isEmpty }
        // Digits have no zeros at either end, so the place of the first decides before they do.
        let place = digits.count - places
        let otherPlace = other.digits.count - other.places
        return place != otherPlace
            ? place < otherPlace : digits.lexicographicallyPrecedes(other.digits)
    }
}
