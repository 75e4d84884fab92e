/// What kind of thing went wrong, as a stable word for programs: the raw value is the code in JSON.
/// One list for the library and every door.
public enum ErrorCode: String, CaseIterable, Sendable, Hashable {
    // Calls and rules.
    case usage
    case invalidRule = "invalid_rule"

    // Input data, a row or a file.
    case malformedCSV = "malformed_csv"
    case malformedJSON = "malformed_json"
    case badUTF8 = "bad_utf8"
    case longLine = "long_line"
    case wrongWidth = "wrong_width"
    case missingHeader = "missing_header"
    case otherDelimiter = "other_delimiter"
    case otherEncoding = "other_encoding"
    case jsonArray = "json_array"
    case missingColumn = "missing_column"
    case unknownColumn = "unknown_column"
    case similarColumn = "similar_column"
    case repeatedColumn = "repeated_column"
    case unknownKey = "unknown_key"
    case repeatedKey = "repeated_key"
    case badValue = "bad_value"
    case missingID = "missing_id"
    case missingMatch = "missing_match"
    case missingRows = "missing_rows"
    case idleEntry = "idle_entry"
    case longID = "long_id"
    case badID = "bad_id"
    case unknownProfile = "unknown_profile"
    case unknownChannel = "unknown_channel"
    case unknownEvent = "unknown_event"
    case derivedEvent = "derived_event"
    case missingTime = "missing_time"
    case twoTimes = "two_times"
    case timeRange = "time_range"
    case badZstd = "bad_zstd"
    case badGzip = "bad_gzip"
    case badSchema = "bad_schema"
    case batchConflict = "batch_conflict"
    case tooManyRejects = "too_many_rejects"

    // Stores and the system.
    case damagedStore = "damaged_store"
    case newerFormat = "newer_format"
    case olderFormat = "older_format"
    case notFound = "not_found"
    case cannotCreate = "cannot_create"
    case ioError = "io_error"
    case outcomeUnknown = "outcome_unknown"
    case anotherWriter = "another_writer"
    case cancelled

    /// The exit status of the command line (sysexits).
    public var exitCode: Int32 {
        switch self {
        case .usage, .invalidRule: 64
        case .notFound: 66
        case .cannotCreate: 73
        case .ioError, .outcomeUnknown: 74
        case .anotherWriter: 75
        case .cancelled: 130
        default: 65
        }
    }

    /// What to do about it, where there is something to be said for every error of the kind.
    public var remedy: String? {
        switch self {
        case .damagedStore: "restore it from a copy, nothing was changed"
        case .newerFormat: "use a newer winnow"
        case .olderFormat: "load the data into a new store"
        case .outcomeUnknown: "the same batch id can be retried"
        case .anotherWriter: "try again when it is done"
        default: nil
        }
    }
}
