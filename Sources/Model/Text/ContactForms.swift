/// How addresses are compared, wherever somebody is looked for by one.
package enum ContactForms {
    /// An e-mail address without blanks around it and ASCII case.
    package static func email(_ text: [UInt8]) -> [UInt8] { text.withoutBlanks.asciiLowercased }

    /// The digits of a phone number.
    package static func phone(_ text: [UInt8]) -> [UInt8] {
        text.filter(isDigit)
    }
}

/// Whether a byte is an ASCII digit.
@inlinable package func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

/// A byte, or the small letter of a capital one.
@inlinable package func asciiLowercased(_ byte: UInt8) -> UInt8 {
    (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
}

/// Whether a byte is a space or a tab.
@inlinable package func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

extension [UInt8] {
    /// The same without blanks around it.
    package var withoutBlanks: [UInt8] {
        guard let first, let last, isBlank(first) || isBlank(last) else { return self }
        var rest = self[...]
        while let last = rest.last, isBlank(last) { rest.removeLast() }
        while let first = rest.first, isBlank(first) { rest.removeFirst() }
        return Array(rest)
    }

    /// The same with ASCII letters as small ones.
    package var asciiLowercased: [UInt8] {
        contains { WinnowModel.asciiLowercased($0) != $0 } ? map(WinnowModel.asciiLowercased) : self
    }
}
