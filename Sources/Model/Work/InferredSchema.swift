/// What the columns of a file of profiles seem to be.
public struct InferredSchema: Sendable, Hashable {
    /// The fields that hold every value that was seen.
    public var schema: Schema
    /// All columns, in the order in which they came, also those that make no field.
    public var columns: [Column]

    /// What was seen of a column.
    public struct Column: Sendable, Hashable {
        /// Its name in the file.
        public var name: String
        /// nil for a column that makes no field.
        public var field: Field?
        /// Why it makes none.
        public var leftOut: LeftOut?
        /// Rows that say something.
        public var values = 0
        /// Rows that do not, or the empty string.
        public var empty = 0
        /// Different values; nil for more than a hundred thousand.
        public var distinct: Int? = 0
        /// The first value.
        public var example: String?

        /// Nothing is seen yet.
        public init(name: String) { self.name = name }
    }

    /// Why a column makes no field.
    public enum LeftOut: String, Sendable {
        /// Every store has it.
        case builtIn = "built in"
        /// Some value is an object, or an array of other things than strings.
        case nested
        /// No field can have the name.
        case badName = "bad name"
    }

    /// A schema, and what it was made of.
    public init(schema: Schema, columns: [Column]) {
        self.schema = schema
        self.columns = columns
    }
}
