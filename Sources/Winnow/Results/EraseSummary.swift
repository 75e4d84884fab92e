/// What an erasure came to.
public struct EraseSummary: Sendable, Hashable {
    /// Different ids that were given.
    public var ids: Int
    /// Of these, how many were profiles of the store.
    public var erased: Int
}
