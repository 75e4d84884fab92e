import WinnowModel

/// Something that a rule's author should know; the count is exact all the same.
public struct RuleWarning: Sendable, Hashable {
    /// What it is about, for programs: `unknown_campaign`.
    public var code: String
    /// Where in the rule.
    public var path: RulePath
    /// The same for people.
    public var message: String

    /// A warning.
    public init(code: String, path: RulePath, message: String) {
        self.code = code
        self.path = path
        self.message = message
    }
}

/// A window of a rule in absolute time.
public struct WindowReport: Sendable, Hashable {
    /// Where in the rule the window is.
    public var path: RulePath
    /// From when to when.
    public var window: ResolvedWindow

    /// A report on the window at a place.
    public init(path: RulePath, window: ResolvedWindow) {
        self.path = path
        self.window = window
    }
}
