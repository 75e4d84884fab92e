import WinnowModel

/// Something that a rule's author should know; the count is exact all the same.
public struct RuleWarning: Sendable, Hashable {
    public var code: String
    public var path: RulePath
    public var message: String

    public init(code: String, path: RulePath, message: String) {
        self.code = code
        self.path = path
        self.message = message
    }
}

/// A window of a rule in absolute time.
public struct WindowReport: Sendable, Hashable {
    public var path: RulePath
    public var window: ResolvedWindow

    public init(path: RulePath, window: ResolvedWindow) {
        self.path = path
        self.window = window
    }
}
