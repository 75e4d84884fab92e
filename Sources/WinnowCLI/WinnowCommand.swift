import ArgumentParser
import Winnow

/// The root command, and the one place where errors become exit codes.
@main
struct WinnowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "winnow",
        abstract: "Counts segments of profiles by fields and channel activity, exactly.",
        version: "0.1.0",
        subcommands: [
            CreateCommand.self, LoadCommand.self, CountCommand.self, OverlapCommand.self,
            ExplainCommand.self, ShowCommand.self, ExportCommand.self, BreakdownCommand.self,
            InfoCommand.self,
            SchemaCommand.self,
            CompactCommand.self, EraseCommand.self, DropCommand.self, VerifyCommand.self,
            BenchCommand.self,
            CatalogCommand.self, InferCommand.self, MapsCommand.self, RuleCommand.self,
            DatagenCommand.self,
        ])

    static func main() {
        Terminal.endOnClosedPipe()
        Terminal.goOnAtFileLimit()
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            try Terminal.checkOpenFiles()
            try checkArguments()
            var command = try parseAsRoot(arguments)
            try command.run()
        } catch let error as WinnowError {
            Terminal.fail(error, json: asksForJSON(arguments))
        } catch let status as ExitCode {
            exit(withError: status)
        } catch {
            let status = exitCode(for: error)
            if status == .success { exit(withError: error) }
            let message =
                message(for: error).split(separator: "\n").first.map(String.init) ?? "wrong usage"
            let sentence = message.hasSuffix(".") ? String(message.dropLast()) : message
            Terminal.fail(.usage("\(sentence); see winnow --help"), json: asksForJSON(arguments))
        }
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

/// How results are printed.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable { case text, json }
