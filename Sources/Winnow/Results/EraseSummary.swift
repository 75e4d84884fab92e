/// What an erasure came to.
public struct EraseSummary: Sendable, Hashable {
    /// Different ids that were given.
    public var ids: Int
    /// Of these, how many were profiles of the store.
    public var erased: Int
    /// Saved segments whose rules have an id, e-mail address, phone number or contact of an erased
    /// profile in them, by name: these stay in the store until the segments are saved anew.
    public var segments: [String]
}
