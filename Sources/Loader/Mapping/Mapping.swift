import WinnowColumns
import WinnowFormat
import WinnowModel

/// How rows of another program's file become rows of several kinds: a mapping that has been read
/// and makes sense.
struct Mapping: Sendable {
    var source = Source()
    var conditions: [Condition] = []
    var profile: Profile?
    var entries: [Entry] = []

    /// Where rows come from.
    struct Source: Sendable {
        var format: InputFormat?
        var delimiter: Character?
        /// Where the rows of a JSON text are; nil where they are the text.
        var rows: Path?
        /// The array in a row whose elements give a row each.
        var each: Path?
        var timezone: String?
        /// What means that there is no value.
        var nulls: Set<[UInt8]> = []
    }

    /// Keys, from the outside in, and places in arrays.
    struct Path: Sendable, Hashable {
        /// At least one.
        var keys: [[UInt8]]
        /// The place of the first key among those of all paths, or `item`.
        var column = 0
        /// The first key stands for the element that the row is of.
        static let item = -1
        /// Levels below the first key.
        static let levels = 10
        /// Whether the value of a column is all that it leads to.
        var isColumn: Bool { keys.count == 1 && column != Path.item }
    }

    /// What must hold of a row.
    struct Condition: Sendable {
        var path: Path
        var patterns: [Wildcard]
    }

    /// How a row finds its profile, and what it says of it.
    struct Profile: Sendable {
        enum Match: Sendable, Hashable {
            case id, email, emailOrSubscription
            /// A field of the store, by its number.
            case field(Int)
        }

        enum Mode: String, Sendable, CaseIterable { case upsert, insert, update, find }

        /// As the mapping names it.
        var name: String
        var match: Match
        var value: Value?
        var mode: Mode
        var ignoresEmpty = true
        /// The id of a new profile.
        var id: Value?
        /// Fields of the store, by their numbers.
        var columns: [(field: Int, value: Value)] = []
        var columnsFrom: ColumnsFrom?

        /// Whether a row may say something of its profile.
        var writes: Bool { !columns.isEmpty || columnsFrom != nil || id != nil }

        /// An object whose keys with a prefix are names of fields.
        struct ColumnsFrom: Sendable {
            var path: Path
            var prefix: [UInt8]
            var unknown: UnknownField
        }

        /// What becomes of a key that names no field.
        enum UnknownField: String, Sendable, CaseIterable { case reject, skip }
    }

    /// What a row says of one kind of records.
    struct Entry: Sendable {
        enum Kind: String, Sendable, CaseIterable { case events, subscriptions, goals }
        enum Whom: String, Sendable, CaseIterable { case new, existing, all }

        var kind: Kind
        /// `events[0]`, for messages.
        var name: String
        var conditions: [Condition] = []
        /// By their places among the columns of the kind.
        var columns: [(column: Int, value: Value)] = []
        /// The column without which the row yields nothing; nil where there is none such.
        var needed: Int?
        var choice = SubscriptionChanges.Choice.keep
        var whom = Whom.all
        /// Whether a goal without a profile is one of nobody.
        var anonymous = false
    }

    /// Where a value comes from, and what is done with it. An object, since rows look at it by the
    /// million.
    final class Value: Sendable {
        enum Origin: Sendable {
            case path(Path)
            case constant(FeedValue)
            case first([Value])
            case join([Value], with: [UInt8])
        }

        /// What is done with a value, in this order.
        struct Steps: Sendable {
            var trims = false
            var lowers = false
            var split: [UInt8]?
            /// Few as a rule: they are looked through one by one.
            var map: [(value: [UInt8], becomes: FeedValue)]?
            var otherwise: FeedValue?
            var form: Form?
        }

        enum Form: Sendable {
            case seconds, milliseconds, datetime
            case pattern([TimePattern.Piece])
            case decimal(Int)
        }

        let origin: Origin
        let steps: Steps
        /// What does not depend on the row, ready to be a cell: the constant, and what the map has
        /// for each of its values.
        let constant: FeedText?
        let mapped: [FeedText?]
        /// Whether the value goes into a cell as it is, or as the map has it.
        let isPlain: Bool
        /// The column whose value it is; nil for another origin.
        let column: Int?
        /// Whether it is Unix seconds, which a time may be.
        let isSeconds: Bool

        init(_ origin: Origin, _ steps: Steps) {
            self.origin = origin
            self.steps = steps
            column = if case .path(let path) = origin, path.isColumn { path.column } else { nil }
            constant = if case .constant(let value) = origin { FeedText(value) } else { nil }
            mapped = steps.map?.map { FeedText($0.becomes) } ?? []
            let isAsIs = !steps.trims && !steps.lowers && steps.split == nil
            isPlain = isAsIs && steps.form == nil
            isSeconds =
                if isAsIs, steps.map == nil, case .seconds? = steps.form { true } else { false }
        }
    }
}

/// A text that cells may refer to.
@safe final class FeedText: @unchecked Sendable {
    let bytes: UnsafeRawBufferPointer

    /// - Parameter value: nil for what is no text.
    init?(_ value: FeedValue) {
        guard let text = value.text else { return nil }
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, text.count), alignment: 1)
        unsafe buffer.copyBytes(from: text)
        unsafe bytes = UnsafeRawBufferPointer(rebasing: buffer[..<text.count])
    }

    deinit { unsafe bytes.deallocate() }
}

/// A value of a row on its way.
enum FeedValue: Sendable, Hashable {
    case absent
    /// Null, an empty string, or what the mapping says means no value.
    case empty
    case text([UInt8])
    case set([[UInt8]])

    var text: [UInt8]? { if case .text(let text) = self { text } else { nil } }
}

extension Mapping {
    /// Calls `body` with every path, which it may change.
    mutating func forEachPath(_ body: (inout Path) -> Void) {
        if source.each != nil { source.each.mutate(body) }
        for i in conditions.indices { body(&conditions[i].path) }
        if profile != nil {
            profile?.value.mutate { $0 = $0.withPaths(body) }
            profile?.id.mutate { $0 = $0.withPaths(body) }
            profile.mutate { own in
                own.columns = own.columns.map { ($0.field, $0.value.withPaths(body)) }
            }
            profile?.columnsFrom.mutate { body(&$0.path) }
        }
        for i in entries.indices {
            for k in entries[i].conditions.indices { body(&entries[i].conditions[k].path) }
            entries[i].columns = entries[i].columns.map { ($0.column, $0.value.withPaths(body)) }
        }
    }
}

extension Mapping.Value {
    /// The same with other paths.
    fileprivate func withPaths(_ body: (inout Mapping.Path) -> Void) -> Mapping.Value {
        switch origin {
        case .path(var path):
            body(&path)
            return Mapping.Value(.path(path), steps)
        case .constant: return self
        case .first(let values):
            return Mapping.Value(.first(values.map { $0.withPaths(body) }), steps)
        case .join(let values, let separator):
            return Mapping.Value(.join(values.map { $0.withPaths(body) }, with: separator), steps)
        }
    }
}

extension Optional {
    /// Changes the value, if there is one.
    fileprivate mutating func mutate(_ body: (inout Wrapped) -> Void) {
        guard var value = self else { return }
        body(&value)
        self = value
    }
}
