import ArgumentParser
import Winnow
import WinnowCommands

/// The root command, and the one place where errors become exit codes.
@main
struct WinnowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "winnow",
        abstract: "Counts segments of profiles by fields and channel activity, exactly.",
        discussion: """
                winnow count demo-store 'email opened at least 3 in the last 90 days'
                winnow explain demo-store 'email opened exists and not push clicked exists'

            tools/demo makes demo-store. Every command takes -q, --quiet (nothing but errors on standard \
            error) and --verbose (what is done, and how long it took).
            """,
        version: "\(programVersion)",
        subcommands: allCommands + [CompletionsCommand.self])

    static func main() {
        Terminal.endOnClosedPipe()
        Terminal.goOnAtFileLimit()
        var arguments = withoutManners(CommandLine.arguments.dropFirst())
        if arguments.isEmpty {
            Terminal.help(helpMessage())
            exit(withError: ExitCode(64))
        }
        do {
            try Terminal.checkOpenFiles()
            try checkArguments()
            arguments = try SegmentCommand.reordered(arguments)
            var command = try parseAsRoot(arguments)
            let start = ContinuousClock.now
            if let command = command as? any Command {
                try command.run(in: Terminal())
            } else {
                try command.run()
            }
            Terminal.detail("done in \((ContinuousClock.now - start).millisecondText) ms")
        } catch let error as WinnowError {
            Terminal.fail(error, json: asksForJSON(arguments))
        } catch is Unsound {
            exit(withError: ExitCode(65))
        } catch {
            let status = exitCode(for: error)
            if status == .success { exit(withError: error) }
            let message =
                message(for: error).split(separator: "\n").first.map(String.init) ?? "wrong usage"
            let sentence = message.hasSuffix(".") ? String(message.dropLast()) : message
            Terminal.fail(.usage("\(sentence); see winnow --help"), json: asksForJSON(arguments))
        }
    }

    /// The arguments without those that every command has, which are obeyed. A rule or a name that is
    /// written so comes after `--`.
    private static func withoutManners(_ arguments: ArraySlice<String>) -> [String] {
        var rest: [String] = []
        var areOptions = true
        for argument in arguments {
            if argument == "--" { areOptions = false }
            switch argument {
            case "-q" where areOptions, "--quiet" where areOptions: Terminal.beQuiet()
            case "--verbose" where areOptions: Terminal.beVerbose()
            default: rest.append(argument)
            }
        }
        return rest
    }

    /// Arguments that are not UTF-8 would become others: two names would be one.
    private static func checkArguments() throws(WinnowError) {
        for i in 0..<Int(CommandLine.argc) {
            guard let argument = CommandLine.unsafeArgv[i],
                String(validatingCString: argument) == nil
            else { continue }
            throw .usage(
                "argument \(i) is not UTF-8: \(String(cString: argument)); give it a name that is")
        }
    }

    /// Whether errors are wanted as JSON; asked before the arguments are known to make sense.
    private static func asksForJSON(_ arguments: [String]) -> Bool {
        let pairs = zip(arguments, arguments.dropFirst())
        return ["--format", "--summary", "--errors"].contains { option in
            arguments.contains("\(option)=json")
                || pairs.contains { $0 == option && $1 == "json" }
        }
    }
}
