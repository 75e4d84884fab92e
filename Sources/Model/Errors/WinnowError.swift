/// Everything that can go wrong, each case with what is needed to act on it.
public enum WinnowError: Error, Sendable, Hashable {
    /// The call itself makes no sense.
    case usage(String)
    /// A rule that cannot be evaluated; `path` is where in the document, for example
    /// `where.all[1].field.value`.
    case invalidRule(path: RulePath, message: String)
    /// The same of a rule written as text, with the place in the text. `path` is where the rule as
    /// JSON has what is wrong, empty where the text cannot be read.
    case invalidText(path: RulePath, place: TextPlace, message: String)
    /// Input data that cannot be loaded. Line and column are 1-based, column nil where the whole
    /// line is meant.
    case badData(file: String, line: Int?, column: String?, code: ErrorCode, reason: String)
    /// The store does not hold what was written.
    case damaged(file: String, what: String)
    /// A store of a newer format than this code knows.
    case newerFormat(file: String, version: UInt32)
    /// A store of a format that this code does not read any more.
    case olderFormat(file: String, version: UInt32)
    case notFound(what: String, path: String)
    case cannotCreate(path: String, reason: String)
    /// A system call failed; `code` is errno.
    case io(operation: String, path: String, code: Int32)
    /// The commit point was passed, but whether it is durable is not known.
    case outcomeUnknown(path: String, reason: String)
    case anotherWriter(path: String)
    /// The caller asked for the end before the commit point; nothing was changed.
    case cancelled
}

extension WinnowError {
    /// The process exit status of the command line (sysexits).
    public var exitCode: Int32 { code.exitCode }

    /// A stable word for programs.
    public var code: ErrorCode {
        switch self {
        case .usage: .usage
        case .invalidRule, .invalidText: .invalidRule
        case .badData(_, _, _, let code, _): code
        case .damaged: .damagedStore
        case .newerFormat: .newerFormat
        case .olderFormat: .olderFormat
        case .notFound: .notFound
        case .cannotCreate: .cannotCreate
        case .io: .ioError
        case .outcomeUnknown: .outcomeUnknown
        case .anotherWriter: .anotherWriter
        case .cancelled: .cancelled
        }
    }

    /// Where: a path in a rule, or a file.
    public var path: String {
        switch self {
        case .usage, .cancelled: ""
        case .invalidRule(let path, _), .invalidText(let path, _, _): path.description
        case .badData(let file, let line, let column, _, _):
            [file, line.map(String.init), column].compactMap { $0 }.joined(separator: ":")
        case .damaged(let file, _), .newerFormat(let file, _), .olderFormat(let file, _): file
        case .notFound(_, let path), .cannotCreate(let path, _), .io(_, let path, _),
            .outcomeUnknown(let path, _),
            .anotherWriter(let path):
            path
        }
    }

    /// Where in a rule that is text; nil for all else.
    public var place: TextPlace? {
        if case .invalidText(_, let place, _) = self { place } else { nil }
    }

    /// The line of a rule that is text, from 1 on; nil for all else.
    public var line: Int? { place?.line }

    /// The character of that line, from 1 on; nil for all else.
    public var column: Int? { place?.column }
}

extension WinnowError: CustomStringConvertible {
    /// One line for people: what, where, and what to do.
    public var description: String { what + (code.remedy.map { "; " + $0 } ?? "") }

    private var what: String {
        switch self {
        case .usage(let message): message
        case .invalidRule(let path, let message):
            path.steps.isEmpty ? message : "\(path): \(message)"
        case .invalidText(_, let place, let message):
            "line \(place.line), column \(place.column): \(message)"
        case .badData(let file, let line, let column, _, let reason):
            file + (line.map { ", line \($0)" } ?? "") + (column.map { ", column \($0)" } ?? "")
                + ": " + reason
        case .damaged(let file, let what):
            "damaged store: \(file): \(what)"
        case .newerFormat(let file, let version):
            "\(file) has format version \(version), newer than this program knows"
        case .olderFormat(let file, let version):
            "\(file) has format version \(version), older than this program reads"
        case .notFound(let what, let path): "no such \(what): \(path)"
        case .cannotCreate(let path, let reason): "cannot create \(path): \(reason)"
        case .io(let operation, let path, let code): "\(operation) \(path): \(errorText(code))"
        case .outcomeUnknown(let path, let reason):
            "\(path): \(reason); whether the batch was stored is unknown"
        case .anotherWriter(let path): "\(path): another writer holds the store"
        case .cancelled: "cancelled; nothing was changed"
        }
    }
}
