import WinnowJSON
import WinnowModel

/// A JSON value and where it is, for readers that must name places in errors.
struct RuleValue {
    let value: JSONValue
    let path: RulePath

    func error(_ message: String) -> WinnowError { .invalidRule(path: path, message: message) }

    func string() throws(WinnowError) -> String {
        guard case .string(let text) = value else {
            throw error("expected a string, not \(value.kind)")
        }
        return text
    }

    func strings() throws(WinnowError) -> [String] {
        var result: [String] = []
        for element in try elements() { result.append(try element.string()) }
        return result
    }

    /// The elements of an array that is not empty.
    func elements() throws(WinnowError) -> LazyMapSequence<
        EnumeratedSequence<[JSONValue]>, RuleValue
    > {
        guard case .array(let elements) = value else {
            throw error("expected an array, not \(value.kind)")
        }
        do throws(WinnowError) { try RuleLimits.validate(count: elements.count) } catch {
            throw error.inside(path)
        }
        return elements.enumerated().lazy.map { RuleValue(value: $1, path: path.index($0)) }
    }

    /// The two elements of an array.
    func pair(_ expected: String) throws(WinnowError) -> (RuleValue, RuleValue) {
        let elements = Array(try elements().prefix(3))
        guard elements.count == 2 else { throw error("expected \(expected)") }
        return (elements[0], elements[1])
    }

    /// A whole number within a range.
    func integer(_ range: ClosedRange<Int64>) throws(WinnowError) -> Int64 {
        guard case .number(let text) = value else {
            throw error("expected a whole number, not \(value.kind)")
        }
        guard let number = Int64(text) else { throw error("expected a whole number, not \(text)") }
        guard range.contains(number) else {
            throw error("\(text) is not between \(range.lowerBound) and \(range.upperBound)")
        }
        return number
    }

    /// A number of objects or units.
    func number() throws(WinnowError) -> Int {
        Int(try integer(Int64(RuleLimits.number.lowerBound)...Int64(RuleLimits.number.upperBound)))
    }

    /// A whole number from zero up; what is beyond the limit counts as the limit.
    func natural(upTo limit: Int) throws(WinnowError) -> Int {
        if case .number(let text) = value, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            Int(text) ?? .max > limit
        {
            return limit
        }
        return Int(try integer(0...Int64(limit)))
    }

    /// One of the names of an enumeration.
    func choice<T: RawRepresentable & CaseIterable>(_: T.Type) throws(WinnowError) -> T
    where T.RawValue == String {
        let text = try string()
        guard let match = T(rawValue: text) else {
            let names = T.allCases.map(\.rawValue)
            throw error(
                "“\(text)”\(nearestHint(for: text, among: names)) is not one of \(names.joined(separator: ", "))"
            )
        }
        return match
    }

    func unknownOperator(_ text: String, _ names: [String]) -> WinnowError {
        error(
            "unknown operator “\(text)”\(nearestHint(for: text, among: names)); "
                + "the operators are \(names.joined(separator: ", "))")
    }
}

/// The error for a key that the object at a place does not have.
func unknownKey(_ key: String, _ path: RulePath, _ verb: String, _ known: [RuleKey]) -> WinnowError
{
    let names = known.map(\.rawValue)
    let list = names.joined(separator: ", ")
    return .invalidRule(
        path: path.key(key),
        message: "unknown key\(nearestHint(for: key, among: names)); \(verb) \(list)")
}

/// An object with known keys, each at most once.
struct RuleObject {
    let path: RulePath
    private let members: [(key: String, value: JSONValue)]

    init(_ value: RuleValue, allowed: [RuleKey]) throws(WinnowError) {
        guard case .object(let members) = value.value else {
            throw value.error("expected an object, not \(value.value.kind)")
        }
        path = value.path
        self.members = members
        var seen: Set<[UInt8]> = []
        for (key, _) in members {
            guard allowed.contains(where: { sameBytes($0.rawValue, key) }) else {
                throw unknownKey(key, path, "expected", allowed)
            }
            guard seen.insert(Array(key.utf8)).inserted else {
                throw .invalidRule(path: path.key(key), message: "the key is repeated")
            }
        }
    }

    func optional(_ key: RuleKey) -> RuleValue? {
        members.first { $0.key == key.rawValue }.map {
            RuleValue(value: $0.value, path: path.key(key))
        }
    }

    func required(_ key: RuleKey) throws(WinnowError) -> RuleValue {
        guard let value = optional(key) else {
            throw .invalidRule(path: path, message: "“\(key.rawValue)” is missing")
        }
        return value
    }

    /// Refuses a key that the chosen operator does not take.
    func refuse(_ key: RuleKey, because reason: String) throws(WinnowError) {
        if let value = optional(key) { throw value.error(reason) }
    }
}
