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

    /// The answers of `count` to some rules.
    package static func counts(
        of rules: [String], in snapshot: Snapshot, _ options: EvaluationOptions
    ) throws(WinnowError) -> [String] {
        if rules.isEmpty { throw .usage("no rule is given") }
        let written = try WrittenRules(rules)
        let counts = try written.asking(snapshot, options) { (segments) throws(WinnowError) in
            try snapshot.count(segments, options)
        }
        return counts.map(\.json)
    }

    private func run(
        _ name: String, _ arguments: [(key: String, value: JSONValue)]
    ) throws(WinnowError) -> String {
        let table = try CommandTable.named(name)
        let arguments = try CommandArguments(
            of: table, arguments, store: openStore?.path, hasInput: input != nil)
        ids.withLock { $0 = arguments.profiles }
        if try !table.run(arguments, in: self) { isUnsound.store(true, ordering: .relaxed) }
        return "[" + (try exportedValues() + answers.withLock(\.self)).joined(separator: ", ") + "]"
    }

    /// The members of a JSON object.
    package static func members(
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
