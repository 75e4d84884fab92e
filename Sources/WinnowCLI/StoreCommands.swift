import ArgumentParser
import JSON
import Winnow

struct CreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Makes an empty store.")

    @Argument(help: "The folder of the store; it must not exist yet.") var store: String
    @Option(help: "A JSON file with the profile fields.") var schema: String?

    func run() throws {
        let schema = try schema.map { try Schema(file: $0) } ?? Schema()
        _ = try WinnowStore.create(at: store, schema: schema)
    }
}

extension LoadKind: ExpressibleByArgument {}
extension InputFormat: ExpressibleByArgument {}
extension LoadMode: ExpressibleByArgument {}
extension UnknownProfiles: ExpressibleByArgument {}

/// What an unquoted empty CSV cell does.
enum EmptyCells: String, ExpressibleByArgument, CaseIterable { case keep, clear }

struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Loads files as one atomic, durable batch.")

    @Argument(help: "The store.") var store: String
    @Argument(help: "profiles, events, campaigns or templates.") var kind: LoadKind
    @Argument(help: "CSV or NDJSON files; - is standard input.") var files: [String]
    @Option(help: "csv or ndjson; the default is by the files' names.") var format: InputFormat?
    @Option(help: "A file for rows that cannot be loaded, as NDJSON; without it the first one stops the load.")
    var rejects: String?
    @Option(help: "More rejected rows than this stop the load.") var maxRejects: Int?
    @Flag(help: "Pass over columns and keys that are not known.") var ignoreColumns = false

    @Option(help: "Profiles: upsert, insert (existing ids are left alone) or update (other ids are skipped).")
    var mode: LoadMode = .upsert
    @Option(help: "What an unquoted empty CSV cell does to a stored value: keep or clear.")
    var empty: EmptyCells = .keep
    @Option(help: "Events of profiles that are not there: reject, create or skip.")
    var unknownProfiles: UnknownProfiles = .reject

    func run() throws {
        guard mode == .upsert || kind == .profiles else {
            throw WinnowError.usage("--mode \(mode.rawValue) is for profiles")
        }
        guard unknownProfiles == .reject || kind == .events else {
            throw WinnowError.usage("--unknown-profiles is for events")
        }
        guard maxRejects.map({ $0 >= 0 }) ?? true else { throw WinnowError.usage("--max-rejects cannot be negative") }
        guard maxRejects == nil || rejects != nil else {
            throw WinnowError.usage("--max-rejects bounds what --rejects FILE collects; give both")
        }
        var options = LoadOptions()
        options.format = format
        options.rejects = rejects
        options.maximumRejects = maxRejects
        options.ignoresUnknownColumns = ignoreColumns
        options.mode = mode
        options.emptyClears = empty == .clear
        options.unknownProfiles = unknownProfiles
        let clock = ContinuousClock(), start = clock.now
        let summary = try WinnowStore(at: store).load(kind, files: files, options: options)
        let seconds = (clock.now - start).seconds
        let hundredths = Int(seconds * 100)
        Terminal.note(
            "\(summary.rows) rows, \(summary.new) new, \(summary.updated) updated, \(summary.skipped) skipped, "
                + "\(summary.rejected) rejected, "
                + "\(hundredths / 100).\(hundredths % 100 / 10)\(hundredths % 10) seconds, "
                + "\(Int(Double(summary.rows) / max(seconds, 0.001))) rows/s")
    }
}

struct InfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "info", abstract: "Says what a store holds.")

    @Argument(help: "The store.") var store: String
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run() throws {
        let info = try WinnowStore(at: store).snapshot().info()
        func time(_ instant: Instant?) -> String { instant.map { "\"\($0)\"" } ?? "null" }
        if format == .json {
            try Terminal.print(
                "{\"version\": \(info.version), \"profiles\": \(info.profiles), \"events\": \(info.events), "
                    + "\"erased\": \(info.erased), \"parts\": \(info.parts), \"bytes\": {\"activity\": "
                    + "\(info.activityBytes), \"profiles\": \(info.profileBytes), \"catalogue\": "
                    + "\(info.catalogueBytes), \"index\": \(info.indexBytes), \"other\": \(info.otherBytes)}, "
                    + "\"first_event\": \(time(info.firstEvent)), \"last_event\": \(time(info.lastEvent)), "
                    + "\"format\": \(info.format)}")
            return
        }
        let rows: [(String, String)] = [
            ("version", "\(info.version)"), ("profiles", "\(info.profiles)"), ("events", "\(info.events)"),
            ("erased", "\(info.erased)"), ("parts", "\(info.parts)"), ("activity bytes", "\(info.activityBytes)"),
            ("profile bytes", "\(info.profileBytes)"), ("catalogue bytes", "\(info.catalogueBytes)"),
            ("index bytes", "\(info.indexBytes)"), ("other bytes", "\(info.otherBytes)"),
            ("first event", info.firstEvent?.description ?? "none"),
            ("last event", info.lastEvent?.description ?? "none"), ("format", "\(info.format)"),
        ]
        for (name, value) in rows { try Terminal.print(name + String(repeating: " ", count: 17 - name.count) + value) }
    }
}

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "schema", abstract: "Prints the fields of a store.")

    @Argument(help: "The store.") var store: String

    func run() throws {
        let schema = try WinnowStore(at: store).snapshot().schema
        let fields = schema.ownFields.map { field in
            let scale = field.type == .decimal ? ", \"scale\": \(field.scale)" : ""
            return "    {\"name\": \(jsonString(field.name)), \"type\": \"\(field.type.rawValue)\"\(scale)}"
        }
        let list = fields.isEmpty ? "[]" : "[\n\(fields.joined(separator: ",\n"))\n  ]"
        try Terminal.print("{\n  \"fields\": \(list),\n  \"unique_events\": \"\(schema.uniqueEvents.rawValue)\"\n}")
    }
}

struct CatalogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catalog", abstract: "Prints which event exists in which channel.")

    @Option(help: "text or json.") var format: OutputFormat = .text

    func run() throws {
        let width = Event.allCases.map(\.name.count).max() ?? 0
        for event in Event.allCases {
            let channels = Catalogue.channels(of: event).map(\.name)
            switch format {
            case .text:
                try Terminal.print(
                    event.name + String(repeating: " ", count: width + 2 - event.name.count)
                        + channels.joined(separator: " "))
            case .json:
                let list = channels.map { "\"\($0)\"" }.joined(separator: ", ")
                try Terminal.print("{\"event\": \"\(event.name)\", \"channels\": [\(list)]}")
            }
        }
    }
}
