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
