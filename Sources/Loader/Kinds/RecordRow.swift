import WinnowColumns
import WinnowFormat
import WinnowModel

/// One row of events, goals or subscriptions, read and checked; ids are still in the input's bytes.
/// What the names are of, its type says.
@safe struct RecordRow {
    var type: RecordType
    /// nil for a goal of nobody.
    var profile: UnsafeRawBufferPointer?
    var time: Int64 = 0
    var count: UInt32 = 1
    /// What else tells its leaf from others, see `RecordType`.
    var variant: UInt32 = 0
    var campaign, template, link, message: UnsafeRawBufferPointer?
    var value: Int64?

    init(_ type: RecordType, profile: UnsafeRawBufferPointer?) {
        self.type = type
        unsafe self.profile = unsafe profile
    }
}

/// A kind of input whose rows are records: its columns, and what a row says.
protocol RecordRows: Sendable {
    /// The parts that hold them.
    static var parts: PartKind { get }
    /// The column in which a row names its profile.
    static var profile: String { get }

    /// What campaigns, templates and links of its rows are names of.
    static var namespaces: (campaign: Namespace, template: Namespace, link: Namespace?) { get }

    /// The columns, and those of which a row needs just one.
    var columns: [InputColumn] { get }
    var alternatives: [String] { get }

    /// Reads a row, whose cells are in the order of the columns.
    func row(_ cells: borrowing [InputCell], _ rules: ValueRules) throws(BadRow) -> RecordRow
}

extension RecordRows {
    static var profile: String { "profile" }
}

extension InputCell {
    /// An optional id.
    func optionalID(_ column: String) throws(BadRow) -> UnsafeRawBufferPointer? {
        try unsafe isPresent ? id(column) : nil
    }
}

/// When a row happened: in just one of two columns, in seconds or milliseconds.
struct RowTime {
    /// The names of the two.
    static let names = ["time", "time_ms"]

    /// The milliseconds, and the column that tells them.
    let value: Int64
    let column: String

    /// nil where neither column has a value.
    init?(_ time: InputCell, _ milliseconds: InputCell, _ rules: ValueRules) throws(BadRow) {
        guard time.isPresent || milliseconds.isPresent else { return nil }
        guard time.isPresent != milliseconds.isPresent else {
            throw BadRow(
                column: "time", code: .twoTimes, reason: "exactly one of time and time_ms is needed"
            )
        }
        column = RowTime.names[time.isPresent ? 0 : 1]
        value =
            time.isPresent ? try time.time(column, rules) : try milliseconds.integer(column)
    }

    /// The time of something that has happened.
    /// - Parameter latest: the last one that can be.
    static func past(
        _ time: InputCell, _ milliseconds: InputCell, _ rules: ValueRules, latest: Int64
    ) throws(BadRow) -> Int64 {
        guard let time = try RowTime(time, milliseconds, rules) else {
            throw BadRow(
                column: "time", code: .missingTime,
                reason: "exactly one of time and time_ms is needed")
        }
        guard time.value >= LoadLimits.firstEvent else {
            throw BadRow(
                column: time.column, code: .timeRange, reason: "the time is before 2000")
        }
        guard time.value <= latest else {
            let isMilliseconds =
                time.column == names[0]
                && (LoadLimits.firstEvent...latest).contains(time.value / 1000)
            throw BadRow(
                column: time.column, code: .timeRange,
                reason: isMilliseconds
                    ? "the time is more than a day ahead; milliseconds are in a column time_ms"
                    : "the time is more than a day ahead")
        }
        return time.value
    }
}
