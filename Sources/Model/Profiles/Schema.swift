/// What a profile can say, beyond its id.
public struct Schema: Sendable, Hashable {
    /// Where unique events come from.
    public enum UniqueEvents: String, Sendable {
        /// From the clicks and opens that are loaded.
        case derived
        /// They are loaded themselves.
        case stored
    }

    /// The built-in fields first, then those the store was created with.
    public private(set) var fields: [Field]
    /// Where unique events come from.
    public var uniqueEvents: UniqueEvents

    /// Fields that every store has; `id` is the external id itself.
    public static let builtIn = [
        Field(name: "email", type: .string), Field(name: "phone", type: .string),
    ]
    /// The name of the external id in rules and files.
    public static let idName = "id"

    /// A schema with these fields beside the built-in ones. Whether a store can have it is checked
    /// when one is created.
    public init(fields: [Field] = [], uniqueEvents: UniqueEvents = .derived) {
        self.fields = Schema.builtIn + fields
        self.uniqueEvents = uniqueEvents
    }

    /// The position of a field, nil when the schema does not have it. Complexity: O(fields).
    public func index(of name: String) -> Int? { fields.firstIndex { sameBytes($0.name, name) } }

    /// The fields that the schema adds to the built-in ones.
    public var ownFields: ArraySlice<Field> { fields.dropFirst(Schema.builtIn.count) }

    /// The most fields that a schema adds to the built-in ones.
    public static let maximumFields = 10_000

    /// Checks that a store can have the schema.
    /// - Throws: `WinnowError.usage` that says what is wrong.
    /// - Complexity: O(fields).
    public func validate() throws(WinnowError) { if let problem { throw .usage(problem) } }

    /// Why no store can have the schema; nil when one can.
    package var problem: String? {
        if ownFields.count > Schema.maximumFields {
            return "more than \(Schema.maximumFields) fields"
        }
        var names: Set<[UInt8]> = [Array(Schema.idName.utf8)]
        for field in fields {
            if let problem = field.problem { return problem }
            guard names.insert(Array(field.name.utf8)).inserted else {
                return "the field “\(field.name)” is there twice; id, email and phone are built in"
            }
        }
        return nil
    }
}
