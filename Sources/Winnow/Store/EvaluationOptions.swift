import WinnowModel
import WinnowRules

/// When and how segments are evaluated.
public struct EvaluationOptions: Sendable {
    /// Later activity never matches; nil for now.
    public var asOf: Instant?
    /// For segments that name none; nil for UTC.
    public var timezone: String?
    /// Whether unknown names and empty scopes are errors instead of warnings.
    public var strict: Bool
    /// nil for all cores.
    public var threads: Int?

    /// Now, in UTC, on all cores, unless said otherwise.
    public init(
        asOf: Instant? = nil, timezone: String? = nil, strict: Bool = false, threads: Int? = nil
    ) {
        self.asOf = asOf
        self.timezone = timezone
        self.strict = strict
        self.threads = threads
    }

    func validate() throws(WinnowError) {
        if let asOf, !(Instant.first...Instant.last).contains(asOf) {
            throw .usage("an evaluation is as of an instant of the years 0001 to 9999, not \(asOf)")
        }
        if let threads, threads < 1 {
            throw .usage("an evaluation takes at least one thread, not \(threads)")
        }
        if let timezone { _ = try TimeZoneRules.system(timezone) }
    }
}
