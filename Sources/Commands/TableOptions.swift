import Winnow
import WinnowJSON

/// What of a segment's profiles a program gets as a table; the same as `export` takes.
package struct TableOptions: Sendable {
    /// The fields beside the id; nil for all.
    package private(set) var fields: [String]?
    /// The most profiles; nil for all.
    package private(set) var limit: Int?

    /// - Parameter json: an object; nil for none.
    package init(json: String?) throws(WinnowError) {
        guard let json else { return }
        for (key, value) in try CommandCall.members(of: json, "the options") {
            switch (key, value) {
            case (_, .null): break
            case ("fields", .array(let elements)):
                fields = try elements.map { (element) throws(WinnowError) in
                    guard case .string(let name) = element else {
                        throw .usage("“fields” are names, and one of them is \(element.kind)")
                    }
                    return name
                }
            case ("limit", .number(let digits)):
                guard let number = Int(digits) else {
                    throw .usage("“limit” is a whole number, not \(digits)")
                }
                limit = number
            case ("fields", _), ("limit", _): throw .usage("“\(key)” cannot be \(value.kind)")
            default: throw .usage("unknown key “\(key)”; there are fields, limit")
            }
        }
    }
}
