/// A field of the schema.
public struct Field: Sendable, Hashable {
    /// The name in rules, files and output.
    @Bytewise public var name: String
    /// What its values are.
    public var type: FieldType
    /// Digits after the point of a decimal (0–9); 0 for every other type.
    public var scale: Int

    /// A field; of a decimal without a scale it is 4, for other types it is passed over. Whether a
    /// store can have the field is checked when it is added.
    public init(name: String, type: FieldType, scale: Int? = nil) {
        self.name = name
        self.type = type
        self.scale = type == .decimal ? scale ?? Field.defaultScale : 0
    }

    /// The scale of decimals that name none.
    public static let defaultScale = 4
    /// The greatest scale of decimals.
    public static let maximumScale = 9
    /// The longest name, in bytes.
    public static let maximumName = 255

    /// Why no store can have the field; nil when one can.
    package var problem: String? {
        guard (1...Field.maximumName).contains(name.utf8.count) else {
            return "a name has 1 to \(Field.maximumName) bytes"
        }
        guard type == .decimal ? (0...Field.maximumScale).contains(scale) : scale == 0 else {
            return type == .decimal
                ? "the scale of “\(name)” is \(scale); it is a whole number from 0 to \(Field.maximumScale)"
                : "“\(name)” has a scale; only a decimal has one"
        }
        return nil
    }
}

extension Field {
    /// How the values of goals are written, and in what they are counted.
    package static let goalValue = Field(name: "value", type: .decimal, scale: 4)
    /// How the priorities of subscriptions are written.
    package static let priority = Field(name: "priority", type: .integer)
}
