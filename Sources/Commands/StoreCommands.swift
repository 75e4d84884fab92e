import ArgumentParser
import WinnowJSON
import Winnow

struct CreateCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Makes an empty store.",
        discussion: """
                winnow create shop.winnow --schema schema.json
                winnow create shop.winnow --infer profiles.csv
            """)

    @Argument(help: "The folder of the store: a new or an empty one.") var store: String
    @Option(help: "A JSON file with the profile fields.") var schema: String?
    @Option(help: "A file of profiles whose columns become the fields; see winnow infer --help.")
    var infer: String?

    func run(in session: any Session) throws {
        guard schema == nil || infer == nil else {
            throw WinnowError.usage("--schema and --infer both say what the fields are; give one")
        }
        var fields = Schema()
        if let schema {
            fields =
                schema.hasPrefix("{") ? try Schema(json: schema) : try Schema(file: schema)
        }
        if let infer {
            let inferred = try Schema.inferred(from: .file(infer))
            inferred.report(to: session)
            fields = inferred.schema
        }
        _ = try Store.create(store, schema: fields)
    }
}

struct InferCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "infer", abstract: "Prints a schema for files of profiles.",
        discussion: """
            Each column becomes a field of the narrowest type that holds every value. What was seen of \
            each goes to standard error. Read it, change what you know better, and create a store:

                winnow infer profiles.csv > schema.json
                winnow create STORE --schema schema.json
            """)

    @Argument(help: "CSV or NDJSON files, plain or compressed (.zst, .gz); - is standard input.")
    var files: [String]
    @Option(help: "csv or ndjson; the default is by the files' names.") var format: InputFormat?
    @Option(help: "What is between CSV cells: one character, or tab.") var delimiter: Mark?

    func run(in session: any Session) throws {
        var options = LoadOptions()
        options.format = format
        options.delimiter = delimiter?.character ?? ","
        options.isCancelled = session.interruption()
        let inferred = try Schema.inferred(from: .files(files), options: options)
        inferred.report(to: session)
        try session.answer(inferred.schema.json)
    }
}

extension InferredSchema {
    /// Says on standard error what was seen of each column.
    fileprivate func report(to session: any Session) {
        for column in columns {
            let type =
                column.field.map { field in
                    field.type == .decimal
                        ? "\(field.type.rawValue) (scale \(field.scale))" : field.type.rawValue
                } ?? "left out (\(column.leftOut?.rawValue ?? ""))"
            let distinct = column.distinct.map { "\($0)" } ?? "over 100000"
            let example = column.example.map { ", such as \(jsonString($0))" } ?? ""
            session.note(
                "\(column.name): \(type); \(column.values) values, \(distinct) distinct, "
                    + "\(column.empty) empty\(example)")
        }
    }
}

extension Schema {
    /// The schema as a file of it is written.
    fileprivate var json: String {
        let fields = ownFields.map { field in
            let scale = field.type == .decimal ? ", \"scale\": \(field.scale)" : ""
            return
                "    {\"name\": \(jsonString(field.name)), \"type\": \"\(field.type.rawValue)\"\(scale)}"
        }
        let list = fields.isEmpty ? "[]" : "[\n\(fields.joined(separator: ",\n"))\n  ]"
        let unique = "\"unique_events\": \"\(uniqueEvents.rawValue)\""
        let texts = text == .plain ? "" : ",\n  \"text\": \"\(text.rawValue)\""
        return "{\n  \"fields\": \(list),\n  \(unique)\(texts)\n}"
    }
}

struct InfoCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Says what a store holds.",
        discussion: "    winnow info demo-store --detail")

    @Argument(help: "The store.") var store: String
    @Flag(help: "Bytes per section and per event type, too.") var detail = false
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run(in session: any Session) throws {
        let snapshot = try session.snapshot(of: store)
        let info = try snapshot.info()
        let detail = detail ? try snapshot.detail() : nil
        if session.wantsJSON(format) { return try session.answer(info.json(detail)) }
        let rows: [[String]] = [
            ["version", "\(info.version)"], ["profiles", Figures.grouped(info.profiles)],
            ["events", Figures.grouped(info.events)],
            ["subscriptions", Figures.grouped(info.subscriptions)],
            ["goals", Figures.grouped(info.goals)],
            ["anonymous goals", Figures.grouped(info.anonymousGoals)],
            ["saved segments", Figures.grouped(info.segments)],
            ["erased", Figures.grouped(info.erased)], ["parts", Figures.grouped(info.parts)],
            ["activity", Figures.bytes(info.activityBytes)],
            ["profile fields", Figures.bytes(info.profileBytes)],
            ["catalogue", Figures.bytes(info.catalogueBytes)],
            ["ids and names", Figures.bytes(info.indexBytes)],
            ["other", Figures.bytes(info.otherBytes)],
            ["first event", info.firstEvent?.description ?? "none"],
            ["last event", info.lastEvent?.description ?? "none"], ["format", "\(info.format)"],
        ]
        try session.print(Figures.table(rows, texts: 2))
        if let detail { for line in detail.lines { try session.print(line) } }
    }
}

extension StoreDetail {
    /// Two tables for people.
    fileprivate var lines: [String] {
        let sectionRows = sections.map { ["\($0.kind) \($0.name)", Figures.bytes($0.bytes)] }
        let typeRows = eventTypes.map {
            [
                "\($0.type.channel.name) \($0.type.event.name)", Figures.grouped($0.events),
                Figures.grouped($0.leaves), Figures.bytes($0.bytes),
            ]
        }
        return [
            "", Figures.table([["section", "size"]] + sectionRows), "",
            Figures.table([["event type", "events", "leaves", "size"]] + typeRows),
        ]
    }
}

struct SchemaCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Prints the fields of a store, or adds one: winnow schema STORE add NAME TYPE.",
        discussion: """
                winnow schema demo-store
                winnow schema demo-store add points integer
            """)

    @Argument(help: "The store.") var store: String
    @Argument(help: "add NAME TYPE.") var change: [String] = []
    @Option(help: "Digits after the point of a decimal that is added; the default is 4.")
    var scale: Int?

    func run(in session: any Session) throws {
        guard scale == nil || !change.isEmpty else {
            throw WinnowError.usage("--scale belongs to: add NAME decimal")
        }
        if !change.isEmpty { return try session.store(at: store).add(try addition()) }
        try session.answer(try session.snapshot(of: store).schema.json)
    }

    private func addition() throws -> Field {
        guard change.count == 3, change[0] == "add" else {
            throw WinnowError.usage("a schema is changed by: winnow schema STORE add NAME TYPE")
        }
        guard let type = FieldType(rawValue: change[2]) else {
            let types = FieldType.allCases.map(\.rawValue).joined(separator: ", ")
            throw WinnowError.usage("unknown type “\(change[2])”; the types are \(types)")
        }
        guard scale == nil || (type == .decimal && (0...Field.maximumScale).contains(scale ?? 0))
        else {
            throw WinnowError.usage("--scale is for decimals, from 0 to \(Field.maximumScale)")
        }
        return Field(name: change[1], type: type, scale: scale)
    }
}

struct CatalogCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "catalog", abstract: "Prints which event exists in which channel.",
        discussion: "    winnow catalog --format json")

    @Option(help: "text or json.") var format: OutputFormat = .text

    func run(in session: any Session) throws {
        let width = Event.allCases.map(\.name.count).max() ?? 0
        for event in Event.allCases {
            let channels = event.channels.map(\.name)
            switch session.wantsJSON(format) {
            case false:
                try session.print(
                    event.name + String(repeating: " ", count: width + 2 - event.name.count)
                        + channels.joined(separator: " "))
            case true:
                let list = channels.map { "\"\($0)\"" }.joined(separator: ", ")
                try session.answer("{\"event\": \"\(event.name)\", \"channels\": [\(list)]}")
            }
        }
    }
}
