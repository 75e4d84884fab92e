/// The type of a profile field.
public enum FieldType: String, CaseIterable, Sendable, Hashable {
    case string, integer, decimal, boolean, date, datetime
    case stringSet = "string_set"
}

/// A field of the schema.
public struct Field: Sendable, Hashable {
    public var name: String
    public var type: FieldType
    /// Digits behind the point of a decimal (0–9); 0 for every other type.
    public var scale: Int

    public init(name: String, type: FieldType, scale: Int? = nil) {
        self.name = name
        self.type = type
        self.scale = type == .decimal ? scale ?? Field.defaultScale : 0
    }

    public static let defaultScale = 4
    public static let maximumScale = 9
}

/// What a profile can say, beyond its id.
public struct Schema: Sendable, Hashable {
    /// Where unique events come from.
    public enum UniqueEvents: String, Sendable { case derived, stored }

    /// The built-in fields first, then those the store was created with.
    public private(set) var fields: [Field]
    public var uniqueEvents: UniqueEvents

    /// Fields that every store has; `id` is the external id itself.
    public static let builtIn = [Field(name: "email", type: .string), Field(name: "phone", type: .string)]
    public static let idName = "id"

    public init(fields: [Field] = [], uniqueEvents: UniqueEvents = .derived) {
        self.fields = Schema.builtIn + fields
        self.uniqueEvents = uniqueEvents
    }

    /// The position of a field, nil when the schema does not have it. Complexity: O(fields).
    public func index(of name: String) -> Int? { fields.firstIndex { sameBytes($0.name, name) } }

    /// The fields that the schema adds to the built-in ones.
    public var ownFields: ArraySlice<Field> { fields.dropFirst(Schema.builtIn.count) }
}

/// A field's value. Decimals are in units of the field's scale, dates in days since 1970, instants in milliseconds.
public enum FieldValue: Sendable, Hashable {
    case string([UInt8])
    case number(Int64)
    case strings([[UInt8]])
}

/// Whether two strings have the same bytes; Swift's `==` would call canonically equivalent ones equal.
public func sameBytes(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }
