/// How the text of an input is laid out.
public enum InputFormat: String, Sendable, CaseIterable {
    case csv, ndjson
    /// One value or several, each an array of rows or one row; only for feeds.
    case json
}

/// How an input is compressed.
public enum Compression: String, Sendable, CaseIterable { case gzip, zstd }

/// Where rows come from: files, memory, standard input, or a caller that hands them over as it gets
/// them.
public struct LoadSource: Sendable {
    /// One after the other.
    package let inputs: [Input]

    package enum Input: Sendable {
        case file(String)
        case standardInput
        case bytes([UInt8], InputFormat)
        case caller(
            InputFormat, Compression?, @Sendable () throws(WinnowError) -> [UInt8]?)
        case table(Table)

        /// For messages.
        package var name: String {
            switch self {
            case .file(let path): path
            case .standardInput: "standard input"
            case .bytes: "memory"
            case .caller: "the caller's input"
            case .table(let table): table.name
            }
        }
    }

    /// A file; its name says of what format it is, unless the options do, and by `.zst` or `.gz`
    /// that it is compressed. `-` is standard input.
    public static func file(_ path: String) -> LoadSource { files([path]) }

    /// Several files, as one batch.
    public static func files(_ paths: [String]) -> LoadSource {
        LoadSource(inputs: paths.map { $0 == "-" ? .standardInput : .file($0) })
    }

    /// What the process gets on standard input; the options say of what format it is.
    public static var standardInput: LoadSource { LoadSource(inputs: [.standardInput]) }

    /// Text in memory. Complexity: O(1) for an array, else O(bytes).
    public static func bytes(_ bytes: some Sequence<UInt8>, as format: InputFormat) -> LoadSource {
        LoadSource(inputs: [.bytes(Array(bytes), format)])
    }

    /// Text that a caller hands over as it gets it, such as the body of a request. Once used, the
    /// source is used up.
    /// - Parameter format: what the text is.
    /// - Parameter compression: how it is compressed; nil: not at all.
    /// - Parameter next: the next bytes, however many, cut anywhere; nil at the end. Called on the
    ///   loading thread. What it throws ends the load, with nothing stored.
    public static func stream(
        as format: InputFormat, compressed compression: Compression? = nil,
        _ next: @escaping @Sendable () throws(WinnowError) -> [UInt8]?
    ) -> LoadSource {
        LoadSource(inputs: [.caller(format, compression, next)])
    }

    /// Columns in memory. Once used, the source is used up.
    package static func table(_ table: Table) -> LoadSource { LoadSource(inputs: [.table(table)]) }
}

/// What is loaded.
public enum LoadKind: String, Sendable, CaseIterable {
    case profiles, events, campaigns, templates, subscriptions, goals
    /// Rows of another program's file, by a mapping.
    case feed
}

/// How rows of another program's file become profiles, events, subscriptions and goals: a document
/// of JSON. It is read, and checked against the store's schema, when it is used.
public struct FeedMapping: Sendable, Hashable {
    /// The document.
    public var json: String

    /// A mapping as JSON.
    public init(json: String) { self.json = json }
}

/// What a load does with ids that are there, and with ids that are not.
public enum LoadMode: String, Sendable, CaseIterable {
    /// Adds new profiles and updates existing ones; of several rows of an id the later wins.
    case upsert
    /// Adds new profiles and leaves existing ones alone; of several rows of an id the first wins.
    case insert
    /// Updates existing profiles and skips other ids.
    case update
    /// Campaigns and templates: adds new ones, and of existing ones keeps what a row does not say.
    /// Without it a row replaces all that is known.
    case patch
}

/// What becomes of a record of a subscription that the store has already.
public enum ExistingRecords: String, Sendable, CaseIterable {
    /// The row replaces it whole.
    case replace
    /// It stays as it is, and the row is passed over.
    case keep
    /// The row replaces it when its time is later; a record without a time is older than all.
    case newer
}

/// What becomes of events, goals and subscriptions of profiles that the store does not have.
public enum UnknownProfiles: String, Sendable, CaseIterable { case reject, create, skip }

/// How a load treats its input.
public struct LoadOptions: Sendable {
    /// nil: by the names of the files.
    public var format: InputFormat?
    /// A file for rows that cannot be loaded; nil: the first such row stops the load.
    public var rejects: String?
    /// More rejected rows than this stop the load after all.
    public var maximumRejects: Int?
    /// Whether columns and keys that are not known are passed over; else they are an error.
    public var ignoresUnknownColumns = false
    /// Whether that goes for names, too, that a known column has but for case, blanks or
    /// punctuation; else these are an error all the same.
    public var ignoresSimilarColumns = false
    /// Columns and keys by another name: those of the input, and what they stand for.
    public var renames: [String: String] = [:]
    /// What is between the cells of CSV; one ASCII character.
    public var delimiter: Character = ","
    /// The IANA time zone of times that have no offset; nil: UTC. A time that clocks skip is read
    /// with the offset before, of two the earlier counts.
    public var timezone: String?
    /// What is between the values of a set in a cell of CSV, one ASCII character; blanks around
    /// values go then, and a value may stand in quotes. nil: a bar, and everything belongs to a
    /// value.
    public var setSeparator: Character?
    /// Whether a quoted empty cell of a string, or of a set, is no value rather than an empty one.
    public var quotedEmptyIsAbsent = false
    /// Whether blanks around ids and strings go.
    public var trims = false
    /// Which profiles are stored: new ones, existing ones, or both; and whether campaigns and
    /// templates keep what a row does not say.
    public var mode = LoadMode.upsert
    /// Whether an unquoted empty CSV cell takes the stored value away instead of keeping it.
    public var emptyClears = false
    /// What becomes of records of subscriptions that the store has. Only for subscriptions.
    public var ifExists = ExistingRecords.replace
    /// What becomes of events, goals and subscriptions of profiles that the store does not have.
    /// nil: rejected, and passed over in feeds.
    public var unknownProfiles: UnknownProfiles?
    /// Whether events are passed over that equal, in all that is known of them, one that the store
    /// has or an earlier row. Only for events and goals.
    public var distinct = false
    /// Whether everything is read and checked, and nothing stored: the summary has a preview then.
    /// Bad rows do not end that, and no file of rejects is written.
    public var dryRun = false
    /// How rows become those of several kinds; only for feeds, which need one.
    public var mapping: FeedMapping?
    /// Whether an entry of a mapping may yield nothing for any row; else that is an error.
    public var allowsEmptyEntries = false
    /// An id under which the batch is remembered for ever: loading the same again does nothing,
    /// other content under the same id is an error. nil: the batch is not remembered.
    public var batch: String?
    /// Bytes of anonymous memory that the load may take, within a quarter; what does not fit is
    /// written out and merged at the end. Below 128 MiB the bound is not kept: the input is parsed
    /// in pieces of 4 MiB, and a block of profiles is merged as a whole.
    public var memory = 2 << 30
    /// Told now and then how far the load is, on the loading thread.
    public var progress: @Sendable (LoadProgress) -> Void = { _ in }
    /// Asked now and then, on any thread; true ends the load with `cancelled` and nothing stored.
    public var isCancelled: @Sendable () -> Bool = { false }

    /// The delimiter as a byte; `validate` has seen to it that there is one.
    package var delimiterByte: UInt8 { delimiter.asciiValue ?? UInt8(ascii: ",") }

    /// Bytes of input that are parsed as one.
    package var pieceSize = 4 << 20

    /// The least that `memory` can be.
    public static let smallestMemory = 16 << 20

    /// Files by their names, the first bad row stops the load.
    public init() {}

    /// Checks what can be checked without a store.
    /// - Throws: `WinnowError.usage` that says what is wrong.
    public func validate() throws(WinnowError) {
        try LoadOptions.validate(memory: memory)
        if let maximumRejects, maximumRejects < 0 {
            throw .usage("the number of rejected rows cannot be negative")
        }
        if maximumRejects != nil, rejects == nil {
            throw .usage(
                "a number of rejected rows bounds what a file of rejects collects; give both")
        }
        try validate("delimiter", delimiter, not: "\"")
        if let setSeparator { try validate("separator of sets", setSeparator, not: "\"\\") }
        if let batch, !(1...255).contains(batch.utf8.count) {
            throw .usage("the id of a batch has 1 to 255 bytes")
        }
    }

    private func validate(
        _ what: String, _ character: Character, not forbidden: String
    ) throws(WinnowError) {
        guard let byte = character.asciiValue, byte == 0x09 || (0x20...0x7E).contains(byte),
            !forbidden.contains(character)
        else {
            throw .usage("the \(what) is one printable ASCII character or a tab, and no quote")
        }
    }

    /// Checks how much memory a load or a compaction may take.
    package static func validate(memory: Int) throws(WinnowError) {
        guard memory >= smallestMemory else {
            throw .usage("at least \(smallestMemory) bytes of memory are needed, not \(memory)")
        }
    }
}

/// What a load stored.
public struct LoadSummary: Sendable, Hashable {
    /// Rows read, bad ones included.
    public var rows = 0
    /// Profiles, campaigns, templates or subscriptions that were not there before; of events and
    /// goals, all that were stored.
    public var new = 0
    /// Profiles, campaigns, templates or subscriptions that were there before and are stored anew.
    public var updated = 0
    /// Rows that the options say to pass over, by `mode`, `unknownProfiles` or `ifExists`.
    public var skipped = 0
    /// Rows that cannot be loaded and are in the file of rejects.
    public var rejected = 0
    /// Rows that were passed over, since the store had them or an earlier row was the same.
    public var duplicates = 0
    /// Rows whose profile several profiles could be; the one with the least row was taken.
    public var ambiguous = 0
    /// Of a feed, how many rows were stored per kind.
    public var kinds: [String: Int] = [:]
    /// Of a feed, how many rows an entry of the mapping had nothing of.
    public var yieldedNothing: [YieldedNothing] = []
    /// Columns and keys that were passed over, bytewise.
    public var ignoredColumns: [String] = []
    /// Ids that have blanks around them, and were loaded as they are.
    public var blankIDs = 0
    /// Whether the batch was loaded before, so that nothing was to be done.
    public var isRepeated = false
    /// What would be stored, where that was only tried.
    public var preview: LoadPreview?
    /// The store's version after the load.
    public var version: UInt64?

    /// How many rows an entry of a mapping had nothing of.
    public struct YieldedNothing: Sendable, Hashable {
        /// The entry: `events[0]`.
        public var entry: String
        /// How many rows.
        public var rows: Int

        /// An entry, and rows.
        public init(entry: String, rows: Int) {
            self.entry = entry
            self.rows = rows
        }
    }

    /// Nothing was stored.
    public init() {}
}

/// How far a load is.
public struct LoadProgress: Sendable, Hashable {
    /// Rows read so far.
    public var rows = 0
    /// Bytes read so far, as they are in the files.
    public var bytes = 0
    /// Bytes of all files, nil when one of them has no length.
    public var totalBytes: Int?
    /// Whether everything is read and now written.
    public var isStoring = false

    /// Nothing is read yet.
    public init() {}
}
