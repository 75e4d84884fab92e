import WinnowModel

/// How profiles are written.
public enum ExportFormat: String, Sendable, CaseIterable {
    /// An id a line.
    case ids
    /// A header, then a row for each profile.
    case csv
    /// An object a line.
    case ndjson
    /// Row numbers of 32 bits in the portable format of Roaring bitmaps.
    case roaring
}

/// What is written of a segment's profiles.
public struct ExportOptions: Sendable {
    /// How it is written.
    public var format: ExportFormat
    /// The fields beside the id, for CSV and NDJSON; nil for all.
    public var fields: [String]?
    /// The most profiles, those with the first rows; nil for all.
    public var limit: Int?
    /// Asked now and then; true ends the export with `cancelled`.
    public var isCancelled: @Sendable () -> Bool = { false }
    /// Told now and then how many profiles of how many are written.
    public var progress: @Sendable (Int, Int) -> Void = { _, _ in }

    /// Ids of all profiles, unless said otherwise.
    public init(_ format: ExportFormat = .ids, fields: [String]? = nil, limit: Int? = nil) {
        self.format = format
        self.fields = fields
        self.limit = limit
    }
}

/// What was exported.
public struct ExportSummary: Sendable {
    /// Profiles that were written.
    public var rows: Int
    /// Profiles in the segment.
    public var count: Int
    /// The instant of evaluation.
    public var asOf: Instant
    /// What the rule's author should know.
    public var warnings: [RuleWarning]
}
