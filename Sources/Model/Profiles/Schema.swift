/// What a profile can say, beyond its id.
public struct Schema: Sendable, Hashable {
    /// Where unique events come from.
    public enum UniqueEvents: String, Sendable {
        /// From the clicks and opens that are loaded.
        case derived
        /// They are loaded themselves.
        case stored
    }

    /// How strings that hardly repeat, such as e-mail addresses, are stored.
    public enum Text: String, Sendable {
        /// As they are: rules look through them at the speed of memory.
        case plain
        /// Compressed, to about half; rules that look into them take several times as long.
        case compressed
    }

    /// The built-in fields first, then those the store was created with.
    public private(set) var fields: [Field]
    /// Where those begin that the store was created with.
    private let ownStart: Int
    /// Where unique events come from.
    public var uniqueEvents: UniqueEvents
    /// How strings of profiles that hardly repeat are stored.
    public var text: Text

    /// Fields that every store has; `id` is the external id itself. A store that was made with an
    /// `appmetrica_device_id` or `global_status` of its own keeps that instead.
    public static let builtIn = [
        Field(name: "email", type: .string), Field(name: "phone", type: .string),
        Field(name: deviceName, type: .string),
        Field(name: globalStatusName, type: .string),
    ]
    private static let globalStatusName = "global_status"
    private static let deviceName = "appmetrica_device_id"
    /// Those of them that an earlier version did not have.
    private static let later = builtIn.suffix(2)

    /// The values of `global_status`, of which every profile has one.
    public static let statuses = SubscriptionStatus.allCases.map(\.name)
    /// The status of a profile for which none was loaded.
    public static let usualStatus = SubscriptionStatus.subscribed.name
    /// The name of the external id in rules and files.
    public static let idName = "id"

    /// A schema with these fields beside the built-in ones. Whether a store can have it is checked
    /// when one is created.
    public init(
        fields: [Field] = [], uniqueEvents: UniqueEvents = .derived, text: Text = .plain
    ) {
        let builtIn = Schema.builtIn.filter { field in
            !Schema.later.contains(field) || !fields.contains { sameBytes($0.name, field.name) }
        }
        self.fields = builtIn + fields
        ownStart = builtIn.count
        self.uniqueEvents = uniqueEvents
        self.text = text
    }

    /// The position of a field, nil when the schema does not have it. Complexity: O(fields).
    public func index(of name: String) -> Int? { fields.firstIndex { sameBytes($0.name, name) } }

    /// The fields that the schema adds to the built-in ones.
    public var ownFields: ArraySlice<Field> { fields.dropFirst(ownStart) }

    /// The position of the built-in `global_status`; nil where the store has one of its own.
    package var globalStatus: Int? {
        fields.indices.prefix(ownStart).first { fields[$0].name == Schema.globalStatusName }
    }

    /// The position of the built-in `appmetrica_device_id`; nil where the store has one of its own.
    package var builtInDevice: Int? {
        fields.indices.prefix(ownStart).first { fields[$0].name == Schema.deviceName }
    }

    /// The most fields that a schema adds to the built-in ones.
    public static let maximumFields = 10_000

    /// Checks that a store can be made with the schema.
    /// - Throws: `WinnowError.usage` that says what is wrong.
    /// - Complexity: O(fields).
    public func validate() throws(WinnowError) {
        if let problem { throw .usage(problem) }
        for field in ownFields { try Schema.validate(newName: field.name) }
    }

    /// The schema with one more field.
    /// - Throws: `usage` when there can be no such field.
    package func adding(_ field: Field) throws(WinnowError) -> Schema {
        try Schema.validate(newName: field.name)
        let schema = Schema(fields: ownFields + [field], uniqueEvents: uniqueEvents, text: text)
        if let problem = schema.problem { throw .usage(problem) }
        return schema
    }

    private static func validate(newName name: String) throws(WinnowError) {
        if later.contains(where: { sameBytes($0.name, name) }) {
            throw .usage("the field “\(name)” is built in")
        }
    }

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
