#if Server
    import Winnow
    import WinnowCommands
    import WinnowJSON

    /// The members of a query: `a=1&b=x` is `{"a": "1", "b": "x"}`.
    struct Query {
        /// Lets no query pass where all is in the body.
        static func refuse(_ text: Substring) throws(Refusal) {
            if !text.isEmpty { throw .usage("everything is said in the body, not in the query") }
        }

        let members: [(key: String, value: JSONValue)]

        /// - Parameter parameters: what can be there; a flag that stands alone is true.
        init(_ text: some StringProtocol, _ parameters: [Parameter]) throws(Refusal) {
            var members: [(key: String, value: JSONValue)] = []
            for pair in text.split(separator: "&") {
                let halves = pair.split(
                    separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                let key = try Query.decoded(halves[0], isForm: true)
                let text = try Query.decoded(halves.count > 1 ? halves[1] : "true", isForm: true)
                let parameter = parameters.first { $0.key == key }
                let value = try Query.value(key, text, parameter)
                guard let place = members.firstIndex(where: { $0.key == key }) else {
                    members.append((key, value))
                    continue
                }
                guard parameter?.isRepeating ?? false else {
                    throw .usage("“\(key)” is repeated")
                }
                if case .array(let values) = members[place].value {
                    members[place].value = .array(values + [value])
                } else {
                    members[place].value = .array([members[place].value, value])
                }
            }
            self.members = members
        }

        private static func value(
            _ key: String, _ text: String, _ parameter: Parameter?
        ) throws(Refusal) -> JSONValue {
            if parameter?.kind == .flag {
                switch text {
                case "true": return .boolean(true)
                case "false": return .boolean(false)
                default: throw .usage("“\(key)” is true or false, not “\(text)”")
                }
            }
            if parameter?.isNumber ?? false, let number = Int(text) { return .number("\(number)") }
            guard parameter?.inlineForm == .mapping, text.hasPrefix("{") else {
                return .string(text)
            }
            do throws(JSONError) { return try JSONValue(parsing: text) } catch {
                throw .usage("“\(key)” is not JSON at byte \(error.offset): \(error.message)")
            }
        }

        /// A part of an address without its percent signs.
        /// - Parameter isForm: whether a plus sign is a blank.
        static func decoded(
            _ text: some StringProtocol, isForm: Bool = false
        ) throws(Refusal) -> String {
            var bytes: [UInt8] = []
            var rest = Array(text.utf8)[...]
            while let byte = rest.popFirst() {
                guard byte == UInt8(ascii: "%") else {
                    bytes.append(isForm && byte == UInt8(ascii: "+") ? 0x20 : byte)
                    continue
                }
                let digits = String(decoding: rest.prefix(2), as: UTF8.self)
                guard digits.utf8.count == 2, digits.allSatisfy(\.isHexDigit),
                    let value = UInt8(digits, radix: 16)
                else { throw .usage("the address has a % that two hex digits do not follow") }
                bytes.append(value)
                rest = rest.dropFirst(2)
            }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw .usage("the address is not UTF-8")
            }
            return text
        }
    }
#endif
