import ArgumentParser
import WinnowJSON
import Winnow

struct CountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "count", abstract: "Counts the profiles of segments, exactly.",
        discussion: "Several rules are answered in order: RULE, then -f in order, then --rules. All are checked first.")

    @Argument(help: "The store.") var store: String
    @Argument(help: "A rule as JSON.") var rule: String?
    @Option(name: [.customShort("f")], parsing: .singleValue, help: "A file with one rule.") var files: [String] = []
    @Option(help: "A file with a rule a line.") var rules: String?
    @OptionGroup var evaluation: EvaluationArguments
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run() throws {
        var segments: [Segment] = []
        if let rule {
            guard rule.drop(while: \.isWhitespace).first == "{" else {
                throw WinnowError.invalidRule(
                    path: .document, message: "a rule is a JSON object; rules as text are not available in this version"
                )
            }
            segments.append(try Segment(json: rule))
        }
        for file in files { segments.append(try Segment(file: file)) }
        if let rules { segments += try Segment.all(ndjson: rules) }
        guard !segments.isEmpty else {
            throw WinnowError.usage("no rule is given; write it as an argument, or use -f FILE or --rules FILE")
        }
        let results = try Store(store).snapshot().count(segments, try evaluation.options())
        for result in results {
            for warning in result.warnings where format == .text {
                Terminal.note("winnow: warning: \(warning.path): \(warning.message)")
            }
            try Terminal.print(format == .json ? result.json : "\(result.count)")
        }
    }
}

/// When and how rules are evaluated.
struct EvaluationArguments: ParsableArguments {
    @Option(help: "Evaluate as of this instant (2026-01-01T00:00:00Z) instead of now.") var asOf: String?
    @Option(help: "The IANA time zone of rules that name none; the default is UTC.") var timezone: String?
    @Flag(help: "Unknown names and empty scopes are errors.") var strict = false
    @Option(help: "Threads; the default is all cores.") var threads: Int?

    func options() throws -> EvaluationOptions {
        var options = EvaluationOptions()
        if let asOf {
            guard let instant = Instant(asOf) else {
                throw WinnowError.usage("--as-of takes an instant such as 2026-01-01T00:00:00Z, not “\(asOf)”")
            }
            options.asOf = instant
        }
        guard threads.map({ $0 > 0 }) ?? true else { throw WinnowError.usage("--threads is at least 1") }
        options.timezone = timezone
        options.strict = strict
        options.threads = threads
        return options
    }
}
