/// The text with simple Unicode case folding (statuses C and S of CaseFolding.txt), scalar by
/// scalar: the length in scalars stays, so "STRASSE" and "Straße" stay different.
package func caseFolded(_ text: UnsafeRawBufferPointer) -> [UInt8] {
    if unsafe text.allSatisfy({ $0 < 0x80 }) {
        return unsafe text.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }
    }
    var result: [UInt8] = []
    for scalar in unsafe String(decoding: text, as: UTF8.self).unicodeScalars {
        result.append(contentsOf: UTF8.encode(folded(scalar)) ?? UTF8.encodedReplacementCharacter)
    }
    return result
}

/// The lower case of the upper case, where those are single scalars: that joins ς with σ and ſ with
/// s, which lower case alone would keep apart.
private func folded(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    switch scalar.value {
    // The dotless i folds to itself.
    case 0x131: return scalar
    // Letters of which another is the same, but not by way of a single capital.
    case 0x1FD3: return "\u{390}"
    case 0x1FE3: return "\u{3B0}"
    case 0xFB05: return "\u{FB06}"
    // Cherokee folds to its capitals, which came first.
    case 0x13A0...0x13F5: return scalar
    case 0x13F8...0x13FD, 0xAB70...0xABBF:
        return single(scalar.properties.uppercaseMapping) ?? scalar
    default:
        let upper = single(scalar.properties.uppercaseMapping) ?? scalar
        return single(upper.properties.lowercaseMapping) ?? upper
    }
}

private func single(_ text: String) -> Unicode.Scalar? {
    text.unicodeScalars.count == 1 ? text.unicodeScalars.first : nil
}
