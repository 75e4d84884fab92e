// The standard library composes characters itself, but offers it to Foundation alone; Foundation
// would weigh more than all of Winnow.
@_spi(_Unicode) import Swift
import WinnowFormat
import WinnowModel

/// How values of an audience are written before they are hashed. Services compare hashes, so every
/// letter counts. Sources: the upload guides of Yandex Audiences, Google Customer Match, VK Ads and
/// Meta Custom Audiences.
package enum AudienceText {
    /// The text composed (NFC), without blanks around it, in small letters.
    static func folded(_ text: String) -> String { trimmed(composed(text)).lowercased() }

    /// Whether a text is of the first 128 characters, as most are: these need no table.
    private static func isPlain(_ text: String) -> Bool { text.utf8.allSatisfy { $0 < 0x80 } }

    /// Canonical composition: two spellings of a letter become one.
    static func composed(_ text: String) -> String {
        if isPlain(text) { return text }
        var scalars = String.UnicodeScalarView()
        scalars.append(contentsOf: text._nfc)
        return String(scalars)
    }

    static func trimmed(_ text: String) -> String {
        guard let first = text.utf8.first, let last = text.utf8.last else { return text }
        func mayBeBlank(_ byte: UInt8) -> Bool { byte <= 0x20 || byte >= 0x80 }
        guard mayBeBlank(first) || mayBeBlank(last) else { return text }
        var scalars = text.unicodeScalars[...]
        while let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
        while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
        return String(scalars)
    }

    /// An e-mail address; nil for what has no @, or nothing on one side of it.
    static func email(_ text: String) -> String? {
        let email = folded(text)
        guard let at = email.lastIndex(of: "@"), at != email.startIndex,
            email.index(after: at) != email.endIndex
        else { return nil }
        return email
    }

    /// The same as Google compares them: without any blank, and at its own two domains without dots,
    /// and without what follows a plus.
    static func googleEmail(_ text: String) -> String? {
        let compact = String(
            String.UnicodeScalarView(text.unicodeScalars.filter { !$0.properties.isWhitespace }))
        guard let email = email(compact), let at = email.lastIndex(of: "@") else { return nil }
        let domain = email[email.index(after: at)...]
        guard domain == "gmail.com" || domain == "googlemail.com" else { return email }
        let local = email[..<at].prefix { $0 != "+" }.filter { $0 != "." }
        return local.isEmpty ? nil : local + "@" + domain
    }

    /// The digits of a phone number with its country; nil for one that is not in international form
    /// (E.164, `+` and 8 to 15 digits), unless a country completes it.
    static func phone(_ text: String, _ country: AudienceOptions.Country?) -> String? {
        let trimmed = trimmed(text)
        var digits = ""
        for scalar in trimmed.unicodeScalars.drop(while: { $0 == "+" }) {
            switch scalar {
            case "0"..."9": digits.unicodeScalars.append(scalar)
            case " ", "-", "(", ")", ".", "\u{A0}": break
            default: return nil
            }
        }
        if trimmed.hasPrefix("+") {
            // A zero in parentheses is for callers at home.
            let isSound =
                !trimmed.hasPrefix("++") && !digits.hasPrefix("0") && !trimmed.contains("(0)")
            return isSound && (8...15).contains(digits.count) ? digits : nil
        }
        // In both countries: ten digits after an 8 at home, after +7 from abroad.
        guard country != nil else { return nil }
        switch digits.count {
        case 10 where !digits.hasPrefix("0"): return "7" + digits
        case 11 where digits.hasPrefix("8") || digits.hasPrefix("7"):
            return "7" + digits.dropFirst()
        default: return nil
        }
    }

    static let hashOfNothing = AudienceOptions.Hash.sha256.apply("")

    /// A name in small letters without punctuation and signs.
    static func name(_ text: String) -> String {
        let scalars = folded(text).unicodeScalars.filter { !isPunctuation($0) }
        return trimmed(String(String.UnicodeScalarView(scalars)))
    }

    /// A city in small letters: letters alone, of any script.
    static func city(_ text: String) -> String {
        let folded = folded(text)
        if isPlain(folded) {
            return String(
                decoding: folded.utf8.filter { (0x61...0x7A).contains($0) }, as: UTF8.self)
        }
        let scalars = folded.unicodeScalars.filter { scalar in
            switch scalar.properties.generalCategory {
            case .lowercaseLetter, .uppercaseLetter, .titlecaseLetter, .modifierLetter,
                .otherLetter, .nonspacingMark, .spacingMark:
                true
            default: false
            }
        }
        return String(String.UnicodeScalarView(scalars))
    }

    private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
            .initialPunctuation, .finalPunctuation, .otherPunctuation, .mathSymbol,
            .currencySymbol, .modifierSymbol, .otherSymbol, .control, .format:
            true
        default: false
        }
    }

    /// A country as two letters; nil for anything else.
    static func country(_ text: String) -> String? {
        let country = folded(text)
        let isCode =
            country.utf8.count == 2 && country.utf8.allSatisfy { (0x61...0x7A).contains($0) }
        return isCode ? country : nil
    }

    /// `f` or `m`; nil for anything else.
    static func gender(_ text: String) -> String? {
        switch trimmed(text).lowercased() {
        case "f", "female": "f"
        case "m", "male": "m"
        default: nil
        }
    }

    /// A day as `19970216`; nil for what is none.
    static func day(_ text: String) -> String? {
        CivilDate(String(text.prefix(10))).map { String($0.description.filter { $0 != "-" }) }
    }

    /// An advertising id; nil for one of zeros, which stands for none.
    static func advertisingID(_ text: String, capital: Bool) -> String? {
        let id = trimmed(text)
        guard id.contains(where: { $0 != "0" && $0 != "-" }) else { return nil }
        return capital ? id.uppercased() : id.lowercased()
    }

    /// Whether an id tells who somebody is: it holds an @, or is the profile's phone, however either
    /// of them is written.
    static func isPersonal(
        _ id: String, phone: String?, _ country: AudienceOptions.Country?
    ) -> Bool {
        if id.utf8.contains(UInt8(ascii: "@")) { return true }
        guard let phone else { return false }
        let forms = phoneForms(id, country)
        return !forms.isEmpty && !forms.isDisjoint(with: phoneForms(phone, country))
    }

    /// The digits of a number as it is written, without the zeros that lead abroad, and with its
    /// country.
    private static func phoneForms(
        _ text: String, _ country: AudienceOptions.Country?
    ) -> Set<String> {
        let digits = String(decoding: ContactForms.phone(Array(text.utf8)), as: UTF8.self)
        var forms: Set<String> = [digits]
        if digits.hasPrefix("00") { forms.insert(String(digits.dropFirst(2))) }
        if let whole = self.phone(text, country) { forms.insert(whole) }
        forms.remove("")
        return forms
    }

    /// Whether a value is a SHA-256 already; that of nothing is none.
    static func isHashed(_ text: String) -> Bool {
        text.utf8.count == 64 && text.lowercased() != hashOfNothing
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20)
            }
    }
}

extension AudienceOptions.Hash {
    /// A value as it is sent.
    func apply(_ text: String) -> String {
        var text = text
        let digest: [UInt8]
        switch self {
        case .none: return text
        case .md5:
            var md5 = MD5()
            text.withUTF8 { unsafe md5.update(UnsafeRawBufferPointer($0)) }
            digest = md5.finish()
        case .sha256:
            var sha = SHA256()
            text.withUTF8 { unsafe sha.update(UnsafeRawBufferPointer($0)) }
            digest = sha.finish()
        }
        func digit(_ half: UInt8) -> UInt8 { half < 10 ? 0x30 + half : 0x57 + half }
        var hex: [UInt8] = []
        hex.reserveCapacity(2 * digest.count)
        for byte in digest {
            hex.append(digit(byte >> 4))
            hex.append(digit(byte & 15))
        }
        return String(decoding: hex, as: UTF8.self)
    }
}
