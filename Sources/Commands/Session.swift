import ArgumentParser
import Winnow

/// Where a command was asked for, and where its answer goes: a terminal, or a program that calls it.
package protocol Session: Sendable {
    /// Whether every answer is JSON, whatever a command's own options say.
    var isForPrograms: Bool { get }

    /// The store in a folder.
    func store(at path: String) throws(WinnowError) -> Store
    /// The version of that store that is asked.
    func snapshot(of path: String) throws(WinnowError) -> Snapshot
    /// What is loaded in place of a file that is named `-`; nil for standard input.
    var input: LoadInput? { get }
    /// The ids that are meant in place of a file of them; nil where a file is.
    var profiles: [String]? { get }

    /// Answers with lines for people.
    func print(_ text: String) throws(WinnowError)
    /// Answers with one JSON value.
    func answer(_ json: String) throws(WinnowError)
    /// Answers with some of what is exported, whole lines of it where it has lines.
    func write(_ bytes: ArraySlice<UInt8>, _ content: ExportedContent) throws(WinnowError)

    /// Tells what is no answer: warnings, and what was done.
    func note(_ line: String)
    /// Tells how far the command is, in place of what was told before.
    func status(_ line: String)
    /// Whether somebody sees how far the command is.
    var showsProgress: Bool { get }
    /// Whether somebody sees the answer as it comes.
    var showsOutput: Bool { get }

    /// Whether the command is to end; asked now and then from now on.
    func interruption() -> @Sendable () -> Bool
    /// Lets counts of other programs go before what this command does.
    func giveWay()
}

/// What a program gives to a load in place of a file.
package enum LoadInput: Sendable {
    /// Text, of the format that the options say: the next bytes, nil at the end.
    case text(Compression?, @Sendable () throws(WinnowError) -> [UInt8]?)
    case table(Table)
}

/// What exported bytes are.
package enum ExportedContent: Sendable {
    /// An id a line.
    case ids
    /// A JSON value a line.
    case values
    case text
    case bytes
}

extension Session {
    /// Whether answers are JSON.
    func wantsJSON(_ format: OutputFormat) -> Bool { isForPrograms || format == .json }

    /// The ids of profiles that a program or a file names.
    func profileIDs(_ file: String, _ format: ProfileIDFormat) throws(WinnowError) -> ProfileIDList
    {
        if let profiles { return try ProfileIDList(profiles) }
        return try ProfileIDList(file: file, format)
    }
}

/// How results are printed.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable { case text, json }
