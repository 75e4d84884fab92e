import ArgumentParser
import Winnow

extension LoadKind: ExpressibleByArgument {}
extension InputFormat: ExpressibleByArgument {}
extension LoadMode: ExpressibleByArgument {}
extension UnknownProfiles: ExpressibleByArgument {}
extension ExistingRecords: ExpressibleByArgument {}

/// What an unquoted empty CSV cell does.
enum EmptyCells: String, ExpressibleByArgument, CaseIterable { case keep, clear }

/// What a quoted empty CSV cell of a string or a set is.
enum QuotedEmpty: String, ExpressibleByArgument, CaseIterable { case value, absent }

/// One ASCII character, or the word `tab`.
struct Mark: ExpressibleByArgument {
    let character: Character

    init?(argument: String) {
        if argument == "tab" || argument == "\\t" {
            character = "\t"
        } else if argument.count == 1, let only = argument.first {
            character = only
        } else {
            return nil
        }
    }
}

/// `OLD=NEW`; the last `=` parts.
struct Rename: ExpressibleByArgument {
    let old, new: String

    init?(argument: String) {
        guard let mark = argument.lastIndex(of: "="), mark > argument.startIndex else { return nil }
        old = String(argument[..<mark])
        new = String(argument[argument.index(after: mark)...])
    }
}

struct LoadCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Loads files as one atomic, durable batch.",
        discussion: """
                winnow load demo-store events tonight.csv --unknown-profiles create
                winnow load demo-store feed data/feeds/sendgrid.json --map sendgrid
            """)

    @Argument(help: "The store.") var store: String
    @Argument(
        help: "profiles, events, campaigns, templates, subscriptions, goals, or feed with --map.",
        completion: .list(LoadKind.allCases.map(\.rawValue)))
    var kind: LoadKind
    @Argument(help: "CSV or NDJSON files, plain or compressed (.zst, .gz); - is standard input.")
    var files: [String]
    @Option(
        name: .customLong("map"),
        help: "Feeds: a mapping's file, or the name of one that comes with winnow, see maps.")
    var mapping: String?
    @Flag(help: "Feeds: let entries of the mapping be that have nothing of any row.")
    var allowEmpty = false
    @Option(help: "csv, ndjson or json (feeds); the default is by the files' names.") var format:
        InputFormat?
    @Option(
        help:
            "A file for rows that cannot be loaded, as NDJSON; without it the first one stops the load."
    )
    var rejects: String?
    @Option(help: "More rejected rows than this stop the load.") var maxRejects: Int?
    @Flag(help: "Pass over columns and keys that are not known.") var ignoreColumns = false
    @Flag(
        help: "Pass over those, too, that are a known column but for case, blanks or punctuation.")
    var ignoreSimilarColumns = false
    @Option(
        name: .customLong("rename"),
        help: "A column or key by another name, as OLD=NEW; repeatable."
    )
    var renames: [Rename] = []
    @Option(help: "What is between CSV cells: one character, or tab.") var delimiter: Mark?
    @Option(help: "The IANA time zone of times without an offset; the default is UTC.")
    var timezone: String?
    @Option(help: "What is between the values of a set in a CSV cell, instead of the bar.")
    var setSeparator: Mark?
    @Option(help: "What a quoted empty CSV cell of a string or a set is: value or absent.")
    var quotedEmpty: QuotedEmpty = .value
    @Flag(help: "Take blanks off both ends of ids and strings.") var trim = false

    @Option(
        help: """
            Profiles: upsert, insert (existing ids are left alone) or update (other ids are skipped). \
            Campaigns and templates: upsert, or patch (what a row does not say is kept).
            """
    )
    var mode: LoadMode = .upsert
    @Option(help: "What an unquoted empty CSV cell does to a stored value: keep or clear.")
    var empty: EmptyCells = .keep
    @Option(
        help: "Subscriptions: a record that is there is replaced, kept, or replaced by newer ones.")
    var ifExists: ExistingRecords = .replace
    @Option(
        help:
            "Events, goals and subscriptions of profiles that are not there: reject, create or skip."
    )
    var unknownProfiles: UnknownProfiles?
    @Flag(
        help:
            "Pass over events and goals that equal one that the store has, or an earlier row, in everything."
    )
    var distinct = false
    @Flag(help: "Read and check everything, store nothing, and print what would be stored.")
    var dryRun = false
    @Option(help: "An id to load this batch under; the same again does nothing, for ever.")
    var batch: String?
    @Option(help: "text, or json: one object on standard output when the load ends.")
    var summary: OutputFormat = .text
    @Option(help: "How much memory to use, such as 512MiB or 4GiB; the default is 2GiB.")
    var memory: String?

    func run(in session: any Session) throws {
        session.giveWay()
        let options = try options(session)
        let clock = ContinuousClock()
        let start = clock.now
        let summary = try session.store(at: store).load(
            kind, from: try source(session), options: options)
        let elapsed = clock.now - start
        if let preview = summary.preview {
            if !session.wantsJSON(self.summary) { try session.print(preview, summary, of: kind) }
            if let failure = preview.failure { throw failure }
        }
        guard !session.wantsJSON(self.summary) else {
            return try session.answer(summary.json(of: kind, elapsed: elapsed))
        }
        if summary.isRepeated {
            return session.note("batch “\(batch ?? "")” was loaded before; nothing to do")
        }
        let seconds = elapsed.seconds
        let hundredths = Int(seconds * 100)
        session.note(
            "\(Figures.grouped(summary.rows)) rows, \(Figures.grouped(summary.new)) new, "
                + "\(Figures.grouped(summary.updated)) updated, "
                + "\(Figures.grouped(summary.skipped)) skipped, "
                + "\(Figures.grouped(summary.rejected)) rejected, "
                + "\(hundredths / 100).\(hundredths % 100 / 10)\(hundredths % 10) seconds, "
                + "\(Figures.grouped(Int(Double(summary.rows) / max(seconds, 0.001)))) rows/s"
                + remarks(summary))
    }

    private func source(_ session: any Session) throws -> LoadSource {
        guard let input = session.input, files == ["-"] else { return .files(files) }
        switch input {
        case .text(let compression, let next):
            guard let format else {
                throw WinnowError.usage("--format is needed to read what has no name")
            }
            return .stream(as: format, compressed: compression, next)
        case .table(let table):
            guard format == nil else {
                throw WinnowError.usage("a table has no format; leave “format” out")
            }
            return .table(table)
        }
    }

    /// What else the last line says.
    private func remarks(_ summary: LoadSummary) -> String {
        var remarks = ""
        if dryRun { remarks += "; nothing was stored" }
        if !summary.kinds.isEmpty {
            let kinds = LoadKind.allCases.compactMap { kind in
                summary.kinds[kind.rawValue].map { "\($0) \(kind.rawValue)" }
            }
            remarks += "; \(kinds.joined(separator: ", "))"
        }
        for nothing in summary.yieldedNothing where nothing.rows > 0 {
            remarks += "; \(nothing.entry) had nothing of \(nothing.rows) rows"
        }
        if summary.ambiguous > 0 { remarks += "; \(summary.ambiguous) ambiguous" }
        if distinct { remarks += "; \(summary.duplicates) duplicates" }
        if !summary.ignoredColumns.isEmpty {
            remarks += "; passed over: \(summary.ignoredColumns.joined(separator: ", "))"
        }
        if summary.blankIDs > 0 { remarks += "; \(summary.blankIDs) ids have blanks around them" }
        return remarks
    }

    private func options(_ session: any Session) throws -> LoadOptions {
        let takesUnknown: [LoadKind] = [.events, .goals, .subscriptions, .feed]
        guard unknownProfiles == nil || takesUnknown.contains(kind) else {
            throw WinnowError.usage(
                "--unknown-profiles is for events, goals, subscriptions and feeds")
        }
        guard kind == .feed || mapping == nil && !allowEmpty else {
            throw WinnowError.usage("--map and --allow-empty are for feeds")
        }
        guard kind != .feed || mapping != nil else {
            throw WinnowError.usage("a feed needs --map, a mapping; winnow maps lists some")
        }
        guard ifExists == .replace || kind == .subscriptions else {
            throw WinnowError.usage("--if-exists is for subscriptions")
        }
        guard maxRejects.map({ $0 >= 0 }) ?? true else {
            throw WinnowError.usage("--max-rejects cannot be negative")
        }
        guard maxRejects == nil || rejects != nil else {
            throw WinnowError.usage("--max-rejects bounds what --rejects FILE collects; give both")
        }
        var options = LoadOptions()
        options.format = format
        options.rejects = rejects
        options.maximumRejects = maxRejects
        options.ignoresUnknownColumns = ignoreColumns
        options.ignoresSimilarColumns = ignoreSimilarColumns
        for rename in renames {
            guard options.renames.updateValue(rename.new, forKey: rename.old) == nil else {
                throw WinnowError.usage("--rename has “\(rename.old)” twice")
            }
        }
        options.delimiter = delimiter?.character ?? ","
        options.timezone = timezone
        options.setSeparator = setSeparator?.character
        options.quotedEmptyIsAbsent = quotedEmpty == .absent
        options.trims = trim
        options.mode = mode
        options.emptyClears = empty == .clear
        options.unknownProfiles = unknownProfiles
        options.ifExists = ifExists
        options.mapping = try mapping.map { try FeedMapping($0) }
        options.allowsEmptyEntries = allowEmpty
        options.distinct = distinct
        options.dryRun = dryRun
        options.batch = batch
        if let memory {
            guard let bytes = ByteCount(memory)?.bytes, bytes >= LoadOptions.smallestMemory else {
                throw WinnowError.usage(
                    "--memory takes a number of bytes such as 512MiB or 4GiB, at least 16MiB, not “\(memory)”"
                )
            }
            options.memory = bytes
        }
        if session.showsProgress {
            let meter = ProgressMeter(session)
            options.progress = { meter.show($0) }
        }
        options.isCancelled = session.interruption()
        return options
    }
}

extension Session {
    /// What a load would store, and what it would not.
    fileprivate func print(
        _ preview: LoadPreview, _ summary: LoadSummary, of kind: LoadKind
    ) throws {
        if kind == .feed {
            for kind in LoadKind.allCases {
                if let count = summary.kinds[kind.rawValue] {
                    try print("\(kind.rawValue): \(count) rows")
                }
            }
        } else {
            let stored = summary.rows - summary.skipped - summary.rejected - summary.duplicates
            try print("\(kind.rawValue): \(stored) rows")
        }
        for row in preview.rows { try print(row) }
        for rejects in preview.rejects {
            try print(
                "rejected, \(rejects.code.rawValue): \(rejects.count), such as \(rejects.example)")
        }
    }
}

/// A number of bytes as people write it.
package struct ByteCount {
    package let bytes: Int

    private static let units: [(String, Int)] = [
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("kB", 1000),
        ("KB", 1000),
        ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000), ("B", 1), ("", 1),
    ]

    /// nil when it is not one.
    package init?(_ text: String) {
        for (unit, factor) in ByteCount.units where text.hasSuffix(unit) {
            let digits = text.dropLast(unit.count)
            guard digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = Int(digits)
            else { continue }
            let (bytes, overflow) = number.multipliedReportingOverflow(by: factor)
            if overflow { return nil }
            self.bytes = bytes
            return
        }
        return nil
    }
}
