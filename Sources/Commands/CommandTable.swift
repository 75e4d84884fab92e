import ArgumentParser
import Winnow
import WinnowJSON

/// One of the things that a command takes.
package struct Parameter: Sendable {
    package enum Kind: String, Sendable { case positional, option, flag }

    /// Its name in a program's JSON: that of the option, with `_` between words.
    package let key: String
    package let kind: Kind
    /// What people are told of it.
    package let help: String
    /// The words that it can be; empty for any.
    package let choices: [String]
    /// Whether it is a whole number, from 0 to `greatestNumber`.
    package let isNumber: Bool
    package static let greatestNumber = 1 << 31 - 1
    /// Whether it is an instant, in the form of RFC 3339.
    package let isInstant: Bool
    /// Whether it is a list, with commas between or as an array.
    package var isList: Bool { ["by", "bins", "fields"].contains(key) }
    /// How the option is written; empty for a positional one.
    let option: String
    package let isRepeating: Bool
    package let isOptional: Bool

    /// Whether its values are names of files that are read.
    var namesFile: Bool { Parameter.files.contains(key) }
    private static let files: Set = ["file", "files", "rules", "profiles", "schema", "infer"]

    /// What stands for a file where there are none.
    package enum InlineForm: String, Sendable {
        case ids = "an array of ids"
        case mapping = "the name of a mapping that comes with Winnow, or a mapping as an object"
        case rules = "an array of rules"

        func allows(_ value: JSONValue) -> Bool {
            switch (self, value) {
            case (.ids, .array), (.rules, .array), (.mapping, .object): true
            case (.mapping, .string(let name)):
                FeedMapping.shipped.contains { $0.name == name }
            default: false
            }
        }
    }

    package var inlineForm: InlineForm? {
        switch key {
        case "profiles": .ids
        case "map": .mapping
        // Of overlap; elsewhere it is a file.
        case "rules" where kind == .positional: .rules
        default: nil
        }
    }

    /// Whether a program on another machine can give it: it names no file, and says nothing of how
    /// answers are written down or of the memory of this machine.
    fileprivate var isRemote: Bool {
        if ["store", "output", "rejects", "max_rejects", "memory"].contains(key) { return false }
        if choices == OutputFormat.allCases.map(\.rawValue), key != "to" { return false }
        return !namesFile || inlineForm != nil
    }
}

extension Parameter {
    /// - Parameter help: what the parser tells of an argument.
    fileprivate init?(_ help: JSONValue) {
        guard let kind = help["kind"]?.text.flatMap(Kind.init) else { return nil }
        let long = help["names"]?.elements.first { $0["kind"]?.text == "long" }?["name"]?.text
        let short = help["names"]?.elements.first?["name"]?.text
        guard let name = long ?? help["valueName"]?.text, name != "help", name != "version" else {
            return nil
        }
        key = name.split(separator: "-").joined(separator: "_")
        self.kind = kind
        self.help = help["abstract"]?.text ?? ""
        choices =
            help["allValues"]?.elements.compactMap(\.text)
            ?? help["completionKind"]?["list"]?["values"]?.elements.compactMap(\.text) ?? []
        isNumber = help["valueName"]?.text == "number"
        isInstant = help["valueName"]?.text == "instant"
        option =
            kind == .positional ? "" : long.map { "--\($0)" } ?? short.map { "-\($0)" } ?? ""
        isRepeating = help["isRepeating"]?.isTrue ?? false
        isOptional = help["isOptional"]?.isTrue ?? false
    }
}

/// A command and what it takes, as its declaration says.
package struct CommandTable: Sendable {
    /// `explain`, `segment save`.
    package let name: String
    let command: any Command.Type
    package let parameters: [Parameter]
    /// Those that a program on another machine can give.
    package var remoteParameters: [Parameter] {
        parameters.filter { $0.isRemote && !hidden.contains($0.key) }
    }
    private var hidden: Set<String> = []

    /// The same command, some of whose parameters programs on other machines cannot give.
    package func without(_ keys: Set<String>) -> CommandTable {
        var table = self
        table.hidden.formUnion(keys)
        return table
    }

    private init(_ command: any Command.Type, in group: String? = nil) {
        name = [group, command.configuration.commandName].compactMap(\.self).joined(separator: " ")
        self.command = command
        let help = (try? JSONValue(parsing: command._dumpHelp()))?["command"]
        parameters = help?["arguments"]?.elements.compactMap(Parameter.init) ?? []
    }

    /// All commands, those of a group by both names.
    package static let all: [CommandTable] = allCommands.flatMap { command in
        if let command = command as? any Command.Type { return [CommandTable(command)] }
        return command.configuration.subcommands.compactMap { inner in
            (inner as? any Command.Type).map {
                CommandTable($0, in: command.configuration.commandName)
            }
        }
    }

    /// - Throws: `usage` that says which commands there are.
    package static func named(_ name: String) throws(WinnowError) -> CommandTable {
        if let found = all.first(where: { $0.name == name }) { return found }
        let names = all.map(\.name)
        throw .usage(
            "unknown command “\(name)”\(nearestHint(for: name, among: names)); there are "
                + names.joined(separator: ", "))
    }
}

extension JSONValue {
    fileprivate subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    fileprivate var text: String? { if case .string(let text) = self { text } else { nil } }
    fileprivate var isTrue: Bool { if case .boolean(true) = self { true } else { false } }
    fileprivate var elements: [JSONValue] {
        if case .array(let elements) = self { elements } else { [] }
    }
}
