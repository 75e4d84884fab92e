/// What a load would do that was only tried.
public struct LoadPreview: Sendable, Hashable {
    /// The first rows that would be stored, ten at the most, each as an object of JSON.
    public var rows: [String] = []
    /// The rows that would not, by what is wrong with them; the most frequent first.
    public var rejects: [Rejects] = []
    /// What the load would end with; nil when it would succeed.
    public var failure: WinnowError?

    /// Rows of which the same is wrong.
    public struct Rejects: Sendable, Hashable {
        /// What is wrong.
        public var code: ErrorCode
        /// How many there are.
        public var count: Int
        /// The first of them: file, line, column and reason.
        public var example: String

        /// Rows, and the first of them.
        public init(code: ErrorCode, count: Int, example: String) {
            self.code = code
            self.count = count
            self.example = example
        }
    }

    /// Nothing was read.
    public init() {}

    /// How many rows are shown.
    package static let most = 10
}
