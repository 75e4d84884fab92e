import WinnowColumns
import WinnowDisk
import WinnowFormat
import WinnowModel
import WinnowStorage
import WinnowThreads

/// Loads files as one batch: reads them in pieces, parses the pieces side by side, gathers what
/// they say in order, and commits. One bad row stops the load with nothing stored, unless rejects
/// go to a file.
package struct Load {
    private let writer: Writer
    private let kind: LoadKind
    private let inputs: [LoadSource.Input]
    private let options: LoadOptions
    private let now: Instant
    private let rules: ValueRules
    /// Of a feed of JSON, where its rows are.
    private let rowsPath: Mapping.Path?
    private var cancellation: Cancellation { writer.cancellation }

    /// Pieces that are parsed side by side, while as many again are being read or gathered: as many
    /// as keep all cores busy, fewer when memory is scarce.
    private var window: Int { min(max(4, availableCores()), max(1, options.memory >> 28)) }

    package static func run(
        _ kind: LoadKind, _ source: LoadSource, into writer: Writer, _ options: LoadOptions,
        now: Instant,
        clock: (_ timezone: String?) throws(WinnowError) -> @Sendable (Int64) -> Int64
    ) throws(WinnowError) -> LoadSummary {
        var options = options
        let mapping = try feedMapping(kind, writer.snapshot.schema, &options)
        let load = Load(
            writer: writer, kind: kind, inputs: source.inputs, options: options, now: now,
            rules: ValueRules(options, instantOfWall: try clock(options.timezone)),
            rowsPath: mapping?.source.rows)
        if let path = options.rejects {
            for input in source.inputs where input.isFile(path) {
                throw .usage(
                    "the file for rejects, \(path), would overwrite the input \(input.name)")
            }
            if isInside(path, writer.directory.path) {
                throw .usage(
                    "the file for rejects, \(path), is in the store; name a file elsewhere")
            }
        }
        let modes: [LoadMode]
        switch kind {
        case .profiles: modes = [.upsert, .insert, .update]
        case .campaigns, .templates: modes = [.upsert, .patch]
        case .events, .goals, .subscriptions, .feed: modes = [.upsert]
        }
        guard modes.contains(options.mode) else {
            throw .usage("the mode \(options.mode.rawValue) is not for \(kind.rawValue)")
        }
        guard [.events, .goals, .feed].contains(kind) || !options.distinct else {
            throw .usage(
                "only events and goals can be told from earlier ones, not \(kind.rawValue)")
        }
        guard kind == .subscriptions || options.ifExists == .replace else {
            throw .usage(
                "what becomes of records that are there is for subscriptions, not \(kind.rawValue)")
        }
        if load.rowsPath != nil, source.inputs.contains(where: \.isTable) {
            throw .usage("the mapping's source has its rows in JSON, and a table is none")
        }
        let latest = now.milliseconds + Instant.millisecondsPerDay
        if let repeated = try load.repeated() { return repeated }
        switch kind {
        case .events:
            let rows = EventRows(
                latest: latest, loadsUnique: writer.snapshot.schema.uniqueEvents == .stored)
            return try load.run(try RecordLoading(rows, writer, options))
        case .goals:
            return try load.run(try RecordLoading(GoalRows(latest: latest), writer, options))
        case .subscriptions:
            let rows = SubscriptionRows(choice: options.ifExists.choice)
            return try load.run(try RecordLoading(rows, writer, options))
        case .feed:
            return try load.run(
                try FeedLoading(mapping ?? Mapping(), writer, options, latest: latest))
        case .profiles: return try load.run(try ProfileLoading(writer, options))
        case .campaigns: return try load.run(try CatalogueLoading(writer, .campaign, options))
        case .templates: return try load.run(try CatalogueLoading(writer, .template, options))
        }
    }

    /// The mapping of a feed, whose source comes before what the options say; nil for other kinds.
    private static func feedMapping(
        _ kind: LoadKind, _ schema: Schema, _ options: inout LoadOptions
    ) throws(WinnowError) -> Mapping? {
        guard kind == .feed else {
            if options.mapping == nil, !options.allowsEmptyEntries { return nil }
            throw .usage("mappings are for feeds, not \(kind.rawValue)")
        }
        guard let json = options.mapping?.json else {
            throw .usage("a feed needs a mapping that says what its rows mean")
        }
        guard options.unknownProfiles != .reject else {
            throw .usage(
                "rows of a feed without a profile are passed over, or a profile is made for them; "
                    + "they are not rejected")
        }
        let mapping = try MappingReader.mapping(json, schema)
        options.format = mapping.source.format ?? options.format
        options.delimiter = mapping.source.delimiter ?? options.delimiter
        options.timezone = mapping.source.timezone ?? options.timezone
        // An empty cell and one that is not there are told apart.
        options.emptyClears = true
        try options.validate()
        return mapping
    }

    /// What to say of a batch that was loaded before under its id; nil when it was not.
    private func repeated() throws(WinnowError) -> LoadSummary? {
        guard let id = options.batch.map({ Array($0.utf8) }) else { return nil }
        guard let stored = try writer.snapshot.digest(ofBatch: id) else { return nil }
        var digests: [[UInt8]] = []
        for input in inputs { digests.append(try digest(of: input)) }
        guard BatchDigest.of(kind, options, files: digests) == stored else {
            throw .badData(
                file: inputs.map(\.name).joined(separator: ", "), line: nil,
                column: nil, code: .batchConflict,
                reason:
                    "the batch “\(options.batch ?? "")” was loaded before with other content "
                    + "or options; nothing was stored"
            )
        }
        var summary = LoadSummary()
        summary.isRepeated = true
        summary.version = writer.snapshot.manifest.version
        return summary
    }

    /// The digest of an input that is not loaded.
    private func digest(of input: LoadSource.Input) throws(WinnowError) -> [UInt8] {
        guard case .table(let table) = input else {
            return try InputBytes.digest(input, cancellation)
        }
        return try TablePieces.digest(table, options, cancellation)
    }

    private func run<L: Loading>(_ loading: L) throws(WinnowError) -> LoadSummary {
        var loading = loading
        var summary = LoadSummary()
        if options.dryRun { summary.preview = LoadPreview() }
        var digests: [[UInt8]] = []
        var rejects = try Rejects(options)
        var progress = Progress(inputs, options)
        for input in inputs {
            let digest: [UInt8]
            switch input {
            case .table(let table):
                let pieces = TablePieces(table, options, cancellation)
                digest = try load(pieces, input, &loading, &summary, &rejects, &progress)
            case .file, .standardInput, .bytes, .caller:
                let pieces = try textPieces(input)
                digest = try load(pieces, input, &loading, &summary, &rejects, &progress)
            }
            digests.append(digest)
        }
        if rowsPath != nil, !progress.foundRows {
            throw .badData(
                file: inputs.map(\.name).joined(separator: ", "), line: nil, column: nil,
                code: .missingRows,
                reason: "there is nothing where the mapping's source has its rows")
        }
        summary.rejected = rejects.count
        summary.preview?.rejects = rejects.counted
        summary.preview?.failure = rejects.failure
        try rejects.finish()
        progress.isStoring(summary)
        try loading.finish(&summary)
        var batch = try loading.batch()
        if let id = options.batch {
            batch.identity = (Array(id.utf8), BatchDigest.of(kind, options, files: digests))
        }
        let memory = LoadLimits.gathered(options.memory)
        if options.dryRun {
            try writer.tryOut(batch, memory: memory)
        } else {
            try writer.commit(batch, at: now, memory: memory)
        }
        summary.version = writer.snapshot.manifest.version
        summary.duplicates = batch.distinct?.duplicates ?? 0
        summary.new -= summary.duplicates
        let subscriptions = batch.tally.subscriptions
        summary.new += subscriptions.new
        summary.updated += subscriptions.updated
        summary.skipped += subscriptions.skipped
        return summary
    }

    private func textPieces(_ input: LoadSource.Input) throws(WinnowError) -> TextPieces {
        let stated = try input.format(options) ?? .csv
        // Objects on lines of their own are JSON, too, in which rows may be anywhere.
        let format = stated == .ndjson && rowsPath != nil ? .json : stated
        if format == .json, kind != .feed { throw .rowsOfJSON(input.name) }
        return TextPieces(
            try InputBytes(input, digesting: options.batch != nil, cancellation), format,
            delimiter: options.delimiterByte, size: options.pieceSize, rows: rowsPath,
            file: input.name)
    }

    /// Loads an input; returns its digest.
    private func load<L: Loading>(
        _ pieces: some InputPieces, _ input: LoadSource.Input, _ loading: inout L,
        _ summary: inout LoadSummary,
        _ rejects: inout Rejects, _ progress: inout Progress
    ) throws(WinnowError) -> [UInt8] {
        var pieces = pieces
        let plain = RowLayout(loading.columns, rules, options)
        var layout: RowLayout?
        var line = 0
        var ignored = Set(summary.ignoredColumns.map { Array($0.utf8) })
        // Reads some pieces and starts parsing them; nil at the end.
        func start() throws(WinnowError) -> StartedMap<ParsedPiece<L.Content>>? {
            var window: [InputPiece] = []
            while window.count < self.window, let piece = try pieces.next() { window.append(piece) }
            let own: RowLayout
            if let layout { own = layout } else { own = try pieces.layout(plain, of: window.first) }
            layout = own
            if window.isEmpty { return nil }
            let parse = loading.parse
            return StartedMap(window.count) { [window, cancellation] in
                parse(window[$0], own, cancellation)
            }
        }
        // While some are parsed, those before them are gathered and those after them read.
        var next = try start()
        while let parsing = next {
            next = try start()
            let parsed = parsing.values()
            try cancellation.check()
            for piece in parsed {
                summary.rows += piece.rows.rows
                summary.blankIDs += piece.rows.blankIDs
                ignored.formUnion(piece.rows.ignored)
                let room = LoadPreview.most - (summary.preview?.rows.count ?? 0)
                summary.preview?.rows += piece.rows.preview.prefix(room)
                for row in piece.rows.rejected {
                    try rejects.add(
                        row, file: input.name, line + row.line, isLine: pieces.hasLines)
                }
                line += piece.rows.lines
                pieces.hasParsed(piece.rows)
                try loading.gather(piece.content, &summary)
            }
            progress.isReading(summary, pieces.taken)
        }
        ignored.formUnion(layout?.ignored.map { Array($0.utf8) } ?? [])
        summary.ignoredColumns = ignored.map { String(decoding: $0, as: UTF8.self) }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        if pieces.foundRows { progress.foundRows = true }
        progress.hasRead(pieces.taken)
        return pieces.finishDigest()
    }
}

extension ExistingRecords {
    fileprivate var choice: SubscriptionChanges.Choice {
        switch self {
        case .replace: .replace
        case .keep: .keep
        case .newer: .newer
        }
    }
}

/// One kind of input: how a piece is parsed, alone, and how what was parsed is gathered, in order.
protocol Loading {
    associatedtype Content: Sendable
    var columns: ColumnNames { get }
    /// Parses a piece; called on any thread.
    var parse: @Sendable (InputPiece, RowLayout, Cancellation) -> ParsedPiece<Content> { get }
    mutating func gather(_ content: Content, _ summary: inout LoadSummary) throws(WinnowError)
    /// Says what is only known at the end.
    func finish(_ summary: inout LoadSummary) throws(WinnowError)
    /// Everything gathered.
    mutating func batch() throws(WinnowError) -> Batch
}

extension Loading {
    func finish(_ summary: inout LoadSummary) {}
}

/// What a piece says, and what came of its rows.
struct ParsedPiece<Content: Sendable>: Sendable {
    let rows: RowReport
    let content: Content
}

/// Tells the caller how far a load is.
private struct Progress {
    private let report: @Sendable (LoadProgress) -> Void
    private var state = LoadProgress()
    private var before = 0
    /// Whether some input had rows where they are looked for.
    var foundRows = false

    init(_ inputs: [LoadSource.Input], _ options: LoadOptions) {
        report = options.progress
        let sizes = inputs.map(\.size)
        state.totalBytes = sizes.contains(nil) ? nil : sizes.reduce(0) { $0 + ($1 ?? 0) }
    }

    mutating func isReading(_ summary: LoadSummary, _ taken: Int) {
        state.rows = summary.rows
        state.bytes = before + taken
        report(state)
    }

    mutating func hasRead(_ taken: Int) { before += taken }

    mutating func isStoring(_ summary: LoadSummary) {
        state.rows = summary.rows
        state.bytes = before
        state.isStoring = true
        report(state)
    }
}

extension LoadSource.Input {
    /// Bytes of it, nil where that cannot be known before they are read.
    fileprivate var size: Int? {
        switch self {
        case .file(let path): fileSize(path)
        case .standardInput, .caller, .table: nil
        case .bytes(let bytes, _): bytes.count
        }
    }

    /// Whether it is the plain file that a path leads to.
    fileprivate func isFile(_ path: String) -> Bool {
        switch self {
        case .file(let own): isInput(own, path)
        case .standardInput: isInput("-", path)
        case .bytes, .caller, .table: false
        }
    }

    fileprivate var isTable: Bool { if case .table = self { true } else { false } }

    /// The format that the options say, else the one that it tells by itself; nil where it is no text.
    func format(_ options: LoadOptions) throws(WinnowError) -> InputFormat? {
        if case .table = self { return nil }
        if let chosen = options.format { return chosen }
        return switch self {
        case .table: nil
        case .file(let path): try InputFormat(file: path)
        case .standardInput: try InputFormat(file: name)
        case .bytes(_, let format), .caller(let format, _, _): format
        }
    }
}

/// Where bad rows go.
private struct Rejects {
    private(set) var count = 0
    private let output: OutputStream?
    private let limit: Int
    /// Whether rows are only counted, by what is wrong with them.
    private let isDry: Bool
    /// Whether bad rows are collected, rather than ending the load.
    private let collects: Bool
    private var counts: [ErrorCode: Int] = [:]
    private var examples: [ErrorCode: (first: Int, text: String)] = [:]
    /// What would have ended the load.
    private(set) var failure: WinnowError?

    init(_ options: LoadOptions) throws(WinnowError) {
        isDry = options.dryRun
        collects = options.rejects != nil
        output = try (isDry ? nil : options.rejects).map { (path) throws(WinnowError) in
            try OutputStream(path: path)
        }
        limit = options.maximumRejects ?? .max
    }

    /// Counts a row that would not be stored.
    private mutating func note(_ bad: BadRow, file: String, line: Int?) {
        let error = WinnowError.badData(
            file: file, line: line, column: bad.column, code: bad.code, reason: bad.reason)
        count += 1
        examples[bad.code] = examples[bad.code] ?? (count, error.description)
        counts[bad.code, default: 0] += 1
        guard failure == nil else { return }
        if !collects {
            failure = error
        } else if count > limit {
            failure = .badData(
                file: file, line: line, column: bad.column, code: .tooManyRejects,
                reason: "more than \(limit) rows were rejected, the last because: \(bad.reason)")
        }
    }

    /// What is wrong with rows, the most frequent first.
    var counted: [LoadPreview.Rejects] {
        counts.map { code, count in
            LoadPreview.Rejects(code: code, count: count, example: examples[code]?.text ?? "")
        }.sorted { a, b in
            (-a.count, examples[a.code]?.first ?? 0) < (-b.count, examples[b.code]?.first ?? 0)
        }
    }

    mutating func add(
        _ row: RejectedRow, file name: String, _ number: Int, isLine: Bool
    ) throws(WinnowError) {
        let bad = row.error
        let file = isLine ? name : "\(name), row \(number)"
        let line = isLine ? number : nil
        if isDry { return note(bad, file: file, line: line) }
        guard let output else {
            throw .badData(
                file: file, line: line, column: bad.column, code: bad.code, reason: bad.reason)
        }
        count += 1
        try output.write(row.json(file: name, number, isLine: isLine).utf8)
        if count > limit {
            try output.flush()
            throw .badData(
                file: file, line: line, column: bad.column, code: .tooManyRejects,
                reason: "more than \(limit) rows were rejected, the last because: \(bad.reason)")
        }
    }

    func finish() throws(WinnowError) { try output?.flush() }
}
