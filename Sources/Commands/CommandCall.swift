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
    private let told = Mutex<[String]>([])
    /// Warnings and remarks so far, which a shell shows beside the answers.
    package var notes: [String] { told.withLock(\.self) }
    /// Whether something was checked and found wrong; the answers say what.
    package var foundDamage: Bool { isUnsound.load(ordering: .relaxed) }
    private let isUnsound = Atomic(false)
    package let input: LoadInput?

    /// - Parameters:
    ///   - store: what commands write to; nil where their arguments name one.
    ///   - snapshot: what they read; nil for the newest version.
    ///   - input: what is loaded where a file is named `-`.
    package init(of store: Store? = nil, _ snapshot: Snapshot? = nil, input: LoadInput? = nil) {
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
        if rules.isEmpty { throw .usage("no rule is given") }
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
            isUnsound.store(true, ordering: .relaxed)
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
        for (key, value) in members {
            if case .null = value { continue }
            let parameter = try parameter(of: table, key, value)
            if parameter.key == "profiles", case .array(let elements) = value {
                let texts = try elements.map { (id) throws(WinnowError) in
                    guard case .string(let text) = id else {
                        throw WinnowError.usage("an id is a string, not \(id.kind)")
                    }
                    return text
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
            guard
                input != nil && key == "files" || !CommandCall.files.contains(parameter.key)
                    || !words.contains("-")
            else { throw .usage("“\(key)” names a file; - is for a shell's standard input") }
            if parameter.kind == .positional {
                places[parameter.key, default: []] += words
            } else if parameter.option.hasPrefix("--") {
                // An empty value stands by itself; any other could be taken for an option there.
                options += words.flatMap {
                    $0.isEmpty ? [parameter.option, ""] : ["\(parameter.option)=\($0)"]
                }
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
        return options + ["--"] + (try inOrder(places, of: table))
    }

    /// Keys whose values are names of files.
    private static let files: Set = ["file", "files", "rules", "profiles", "schema", "infer"]

    /// What comes by place, in the order of the places, none of them left out before another.
    private func inOrder(
        _ places: [String: [String]], of table: CommandTable
    ) throws(WinnowError) -> [String] {
        var words: [String] = []
        var leftOut: String?
        for place in table.parameters where place.kind == .positional {
            guard let own = places[place.key], !own.isEmpty else {
                guard place.isOptional else {
                    throw .usage("\(table.name): “\(place.key)” is missing")
                }
                leftOut = place.key
                continue
            }
            guard place.isRepeating || own.count == 1 else {
                throw .usage("\(table.name) takes one “\(place.key)”, not \(own.count)")
            }
            if let leftOut {
                throw .usage("\(table.name): “\(place.key)” needs “\(leftOut)”, too")
            }
            words += own
        }
        return words
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
        var seen: Set<String> = []
        for (key, _) in members where !seen.insert(key).inserted {
            throw .usage("“\(key)” is repeated")
        }
        return members
    }

    private func parameter(
        of table: CommandTable, _ key: String, _ value: JSONValue
    ) throws(WinnowError) -> Parameter {
        var name = key
        let takesRule = table.parameters.contains { $0.key == "rule" }
        if takesRule, key == "text" { name = "rule" }
        if takesRule, key == "rules" {
            switch value {
            case .array, .object: name = "rule"
            default: break
            }
        }
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
            if parameter.isRepeating || parameter.kind == .positional { return words }
            if let comma = words.first(where: { $0.contains(",") }) {
                throw .usage("“\(key)” cannot have “\(comma)”, which has a comma in it")
            }
            return [words.joined(separator: ",")]
        case .object(let members) where parameter.isRepeating && parameter.kind == .option:
            return try members.map { (member) throws(WinnowError) in
                let value = try word(member.value, for: key)
                guard !member.key.contains("="), !value.contains("=") else {
                    throw WinnowError.usage("“\(key)” cannot have names with = in them")
                }
                return "\(member.key)=\(value)"
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
        // None has a line break in it: JSON escapes it, and an id with one is refused.
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

    package func note(_ line: String) { told.withLock { $0.append(line) } }
    package func status(_ line: String) {}
    package var showsProgress: Bool { false }
    package var showsOutput: Bool { false }
    package func interruption() -> @Sendable () -> Bool { { false } }
    package func giveWay() {}
}
