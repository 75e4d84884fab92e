import ArgumentParser
import Winnow
import WinnowJSON

/// One of the things that a command takes.
package struct Parameter: Sendable {
    package enum Kind: String, Sendable { case positional, option, flag }

    /// Its name in a program's JSON: that of the option, with `_` between words.
    package let key: String
    package let kind: Kind
    /// How the option is written; empty for a positional one.
    let option: String
    package let isRepeating: Bool
    let isOptional: Bool
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
