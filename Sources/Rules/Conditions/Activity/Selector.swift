import WinnowModel

/// Campaigns or templates: those listed, and those that satisfy all of the given tag and attribute
/// conditions; of these the latest, where that is asked. One that selects nothing is an error.
public struct Selector: Sendable, Hashable {
    /// Objects by their ids, loaded or not.
    @Bytewise public var ids: [String]
    /// Objects that have one of the tags; empty for no such condition.
    @Bytewise public var tags: [String]
    /// Objects that have all of the tags; empty for no such condition.
    @Bytewise public var allTags: [String]
    /// Objects that have one of the values of each attribute.
    public var attributes: [AttributeCondition]
    /// How many are kept of what is selected, 1 … 2³¹ − 1, or of all objects when nothing else is:
    /// those whose first `sent` event in the channel is latest. nil for all.
    public var latest: Int?

    /// An attribute that must have one of the values.
    public struct AttributeCondition: Sendable, Hashable {
        /// The attribute's name.
        @Bytewise public var key: String
        /// At least one.
        @Bytewise public var values: [String]

        /// A condition on one attribute.
        public init(key: String, values: [String]) {
            self.key = key
            self.values = values
        }
    }

    /// A selector of what is listed, and of what satisfies every condition that is given.
    public init(
        ids: [String] = [], tags: [String] = [], allTags: [String] = [],
        attributes: [AttributeCondition] = [], latest: Int? = nil
    ) {
        self.ids = ids
        self.tags = tags
        self.allTags = allTags
        self.attributes = attributes
        self.latest = latest
    }

    /// Whether objects are chosen by what they are, not only by id.
    public var hasConditions: Bool { !tags.isEmpty || !allTags.isEmpty || !attributes.isEmpty }
}
