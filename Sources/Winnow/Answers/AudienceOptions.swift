import WinnowModel

/// How a segment is written for an advertising service.
public struct AudienceOptions: Sendable {
    /// The service.
    public enum Target: String, Sendable, CaseIterable {
        case yandex, google, vk, facebook
    }

    /// How values are hashed.
    public enum Hash: String, Sendable, CaseIterable {
        case md5, sha256
        /// They are written as they are compared; then the file holds addresses.
        case none
    }

    /// A country whose national phone numbers are completed.
    public enum Country: String, Sendable, CaseIterable {
        case russia = "RU"
        case kazakhstan = "KZ"
    }

    /// The service.
    public var target: Target
    /// nil for what the service is used to: MD5 for Yandex and VK, SHA-256 for Google and Facebook.
    public var hash: Hash?
    /// Google's number of the segment.
    public var segmentID: String?
    /// The segment's name for Google; nil for its own.
    public var segmentName: String?
    /// nil where national numbers are left out.
    public var country: Country?
    /// Fields in place of those that columns usually come from.
    public var columns: [String: String] = [:]
    /// Only those who can be reached in this channel; nil for all.
    public var reachable: Channel?
    /// The most profiles, those with the first rows; nil for all.
    public var limit: Int?
    /// Asked now and then; true ends the export with `cancelled`.
    public var isCancelled: @Sendable () -> Bool = { false }

    /// An audience for a service.
    public init(_ target: Target) { self.target = target }

    /// The hash that is taken.
    public var effectiveHash: Hash {
        if let hash { return hash }
        return target == .yandex || target == .vk ? .md5 : .sha256
    }
}

/// What was written for an advertising service.
public struct AudienceSummary: Sendable {
    /// Why a value, or a profile, was left out.
    public enum Reason: String, Sendable, CaseIterable {
        case phone = "phone: not in international form"
        case email = "email: no @"
        case gender = "gender: unknown"
        case country = "country: not two letters"
        case externalID = "external_id: personal"
        case unreachable = "not reachable"
    }

    /// Rows that were written, the header aside.
    public var rows = 0
    /// Profiles in the segment.
    public var count = 0
    /// By reason, how many profiles lack a value for it, or are not there.
    public var leftOut: [Reason: Int] = [:]
    /// What the rule's author should know.
    public var warnings: [RuleWarning] = []
}
