import ArgumentParser
import Synchronization
import Winnow
import WinnowJSON

/// A call of a command by a program: the members of a JSON object take the place of options, and the
/// answers are JSON values. What a command means, and what it says of errors, is the same as in a shell.
///
///     let call = CommandCall(of: store)
///     try call.run("explain", #"{"rule": "email opened exists"}"#)   // [{"count": …}]
///
/// Keys are the names of options with `_` for `-`, and of what a shell gives by place. `true` gives a
/// flag, an array gives an option several times or, where it is taken once, with commas. Rules are text
/// or objects, mappings and schemas may be objects, ids of profiles an array.
package final class CommandCall: Sendable {
    private let openStore: Store?
    private let openSnapshot: Snapshot?
    private let answers = Mutex<[String]>([])
    private let exported = Mutex<(bytes: [UInt8], content: ExportedContent?)>(([], nil))
    private let ids = Mutex<[String]?>(nil)
    package let input: (@Sendable () throws(WinnowError) -> [UInt8]?)?

    /// - Parameters:
    ///   - store: what commands write to; nil where their arguments name one.
    ///   - snapshot: what they read; nil for the newest version.
    ///   - input: what is read where a file is named `-`.
    package init(
        of store: Store? = nil, _ snapshot: Snapshot? = nil,
        input: (@Sendable () throws(WinnowError) -> [UInt8]?)? = nil
    ) {
        openStore = store
        openSnapshot = snapshot
        self.input = input
    }

    /// The answers of a command as an array.
    /// - Parameter name: as in a shell: `explain`, `segment save`.
    /// - Parameter arguments: a JSON object.
    /// - Throws: what the command throws, `usage` for arguments that it does not take.
    package func run(_ name: String, _ arguments: String) throws(WinnowError) -> String {
        try run(name, try CommandCall.members(of: arguments, "the arguments of \(name)"))
    }

    /// Loads what is read in place of a file, or the files that options name.
    /// - Parameter options: those of the command, as an object.
    /// - Returns: the summary.
    package func load(_ kind: String, _ options: String) throws(WinnowError) -> String {
        var members = try CommandCall.members(of: options, "the options")
        members.append(("kind", .string(kind)))
        if input != nil { members.append(("files", .array([.string("-")]))) }
        return String(try run("load", members).dropFirst().dropLast())
    }

    /// The answers of `count` to some rules, as an array.
    package static func counts(
        of rules: [String], in snapshot: Snapshot, _ options: EvaluationOptions
    ) throws(WinnowError) -> String {
        let written = try WrittenRules(rules)
        let counts = try written.asking(snapshot, options) { (segments) throws(WinnowError) in
            try snapshot.count(segments, options)
        }
        return "[" + counts.map(\.json).joined(separator: ", ") + "]"
    }

    private func run(
        _ name: String, _ arguments: [(key: String, value: JSONValue)]
    ) throws(WinnowError) -> String {
        let table = try CommandTable.named(name)
        let words = try words(of: table, arguments)
        do {
            guard let command = try table.command.parseAsRoot(words) as? any Command else {
                throw WinnowError.usage("\(name) takes no such arguments")
            }
            try command.run(in: self)
        } catch let error as WinnowError {
            throw error
        } catch is Unsound {
            // The answer says so.
        } catch {
            let message = table.command.message(for: error).split(separator: "\n").first ?? ""
            throw .usage("\(name): \(message.isEmpty ? "wrong arguments" : message)")
        }
        return "[" + (try exportedValues() + answers.withLock(\.self)).joined(separator: ", ") + "]"
    }

    /// The arguments as a shell would give them.
    private func words(
        of table: CommandTable, _ members: [(key: String, value: JSONValue)]
    ) throws(WinnowError) -> [String] {
        var options: [String] = []
        var places: [String: [String]] = [:]
        var seen: Set<String> = []
        for (key, value) in members {
            guard seen.insert(key).inserted else { throw .usage("“\(key)” is repeated") }
            if case .null = value { continue }
            let parameter = try parameter(of: table, key, value)
            if parameter.key == "profiles", case .array(let elements) = value {
                let texts = try elements.map { (id) throws(WinnowError) in
                    try word(id, for: key)
                }
                ids.withLock { $0 = texts }
                options.append("\(parameter.option)=-")
                continue
            }
            if parameter.kind == .flag {
                guard case .boolean(let isGiven) = value else {
                    throw .usage("“\(key)” is true or false, not \(value.kind)")
                }
                if isGiven { options.append(parameter.option) }
                continue
            }
            let words = try words(parameter, key, value)
            if parameter.kind == .positional {
                places[parameter.key, default: []] += words
            } else if parameter.option.hasPrefix("--") {
                options += words.map { "\(parameter.option)=\($0)" }
            } else {
                options += words.flatMap { [parameter.option, $0] }
            }
        }
        if let path = openStore?.path {
            guard places["store"] == nil else {
                throw .usage("the store is open already; leave “store” out")
            }
            places["store"] = [path]
        }
        // What comes by place is no option, whatever it begins with.
        return options + ["--"]
            + table.parameters.filter { $0.kind == .positional }.flatMap { places[$0.key] ?? [] }
    }

    /// The members of a JSON object.
    static func members(
        of json: String, _ what: String
    ) throws(WinnowError) -> [(key: String, value: JSONValue)] {
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: json) } catch {
            throw .usage("\(what) are not JSON at byte \(error.offset): \(error.message)")
        }
        guard case .object(let members) = value else {
            throw .usage("\(what) are an object, not \(value.kind)")
        }
        return members
    }

    private func parameter(
        of table: CommandTable, _ key: String, _ value: JSONValue
    ) throws(WinnowError) -> Parameter {
        var name = key
        let takesRule = table.parameters.contains { $0.key == "rule" }
        if takesRule, key == "text" { name = "rule" }
        if takesRule, key == "rules", case .array = value { name = "rule" }
        if let found = table.parameters.first(where: { $0.key == name }) { return found }
        let keys = table.parameters.map(\.key)
        throw .usage(
            "unknown key “\(key)”\(nearestHint(for: key, among: keys)); \(table.name) takes "
                + keys.joined(separator: ", "))
    }

    private func words(
        _ parameter: Parameter, _ key: String, _ value: JSONValue
    ) throws(WinnowError) -> [String] {
        switch value {
        case .array(let elements):
            let words = try elements.map { (element) throws(WinnowError) in
                try word(element, for: key)
            }
            if parameter.isRepeating { return words }
            if let comma = words.first(where: { $0.contains(",") }) {
                throw .usage("“\(key)” cannot have “\(comma)”, which has a comma in it")
            }
            return [words.joined(separator: ",")]
        case .object(let members) where parameter.isRepeating && parameter.kind == .option:
            return try members.map { (member) throws(WinnowError) in
                "\(member.key)=\(try word(member.value, for: key))"
            }
        default: return [try word(value, for: key)]
        }
    }

    private func word(_ value: JSONValue, for key: String) throws(WinnowError) -> String {
        switch value {
        case .string(let text): return text
        case .number(let digits): return digits
        case .object:
            var json = JSONWriter()
            json.value(value)
            return json.text
        case .null, .boolean, .array:
            throw WinnowError.usage("“\(key)” cannot be \(value.kind)")
        }
    }

    private func exportedValues() throws(WinnowError) -> [String] {
        let (bytes, content) = exported.withLock(\.self)
        guard let content, !bytes.isEmpty else { return [] }
        let text = String(decoding: bytes, as: UTF8.self)
        let lines = text.split(separator: "\n").map(String.init)
        switch content {
        case .values: return lines
        case .ids: return lines.map { jsonString($0) }
        case .text: return [jsonString(text)]
        case .bytes: throw .usage("a Roaring bitmap is no text; name a file with “output”")
        }
    }
}

extension CommandCall: Session {
    package var isForPrograms: Bool { true }
    package var profiles: [String]? { ids.withLock(\.self) }

    package func store(at path: String) throws(WinnowError) -> Store {
        if let openStore { return openStore }
        return try Store(path)
    }

    package func snapshot(of path: String) throws(WinnowError) -> Snapshot {
        if let openSnapshot { return openSnapshot }
        return try store(at: path).snapshot()
    }

    package func print(_ text: String) { answer(jsonString(text)) }
    package func answer(_ json: String) { answers.withLock { $0.append(json) } }

    package func write(_ bytes: ArraySlice<UInt8>, _ content: ExportedContent) {
        exported.withLock {
            $0.bytes += bytes
            $0.content = content
        }
    }

    package func note(_ line: String) {}
    package func status(_ line: String) {}
    package var showsProgress: Bool { false }
    package var showsOutput: Bool { false }
    package func interruption() -> @Sendable () -> Bool { { false } }
    package func giveWay() {}
}
