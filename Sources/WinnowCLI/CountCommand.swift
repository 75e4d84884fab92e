import ArgumentParser
import WinnowJSON
import Winnow

struct CountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "count", abstract: "Counts the profiles of segments, exactly.",
        discussion: """
            Several rules are answered in order: RULE, then -f in order, then --rules. All are checked first.

                winnow count STORE 'email opened at least 3 times in the last 90 days'

            What a rule can say: winnow rule --help.
            """)

    @Argument(help: "The store.") var store: String
    @Argument(help: "A rule as JSON or text.") var rule: String?
    @Option(
        name: [.customShort("f")], parsing: .singleValue,
        help: "A file with one rule, in either form.")
    var files: [String] = []
    @Option(help: "A file with a rule a line.") var rules: String?
    @OptionGroup var evaluation: EvaluationArguments
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run() throws {
        guard (files + [rules].compactMap(\.self)).count(where: { $0 == "-" }) < 2 else {
            throw WinnowError.usage("- is standard input, which can be read only once")
        }
        var written: [WrittenRule] = []
        if let rule { written.append(try WrittenRule(rule)) }
        for file in files { written.append(try WrittenRule(file: file)) }
        if let rules { written += try Segment.all(ndjson: rules).map { WrittenRule($0) } }
        guard !written.isEmpty else {
            throw WinnowError.usage(
                "no rule is given; write it as an argument, or use -f FILE or --rules FILE")
        }
        let snapshot = try Store(store).snapshot()
        let options = try evaluation.options()
        let results: [SegmentCount]
        do throws(WinnowError) {
            results = try snapshot.count(written.map(\.segment), options)
        } catch {
            throw CountCommand.located(error, in: written, snapshot, options)
        }
        for (rule, result) in zip(written, results) {
            for warning in result.warnings where format == .text {
                Terminal.note("winnow: warning: \(rule.located(warning))")
            }
            try Terminal.print(format == .json ? result.json : "\(result.count)")
        }
    }

    /// The error with its place in the rule that it is about.
    private static func located(
        _ error: WinnowError, in rules: [WrittenRule], _ snapshot: Snapshot,
        _ options: EvaluationOptions
    ) -> WinnowError {
        for (i, rule) in rules.enumerated() {
            do throws(WinnowError) { _ = try snapshot.prepare(rule.segment, options) } catch {
                let place = rules.count == 1 ? nil : "rule \(i + 1) of \(rules.count)"
                return place.map { rule.located(error).noting($0) } ?? rule.located(error)
            }
        }
        return error
    }
}

/// When and how rules are evaluated.
struct EvaluationArguments: ParsableArguments {
    @Option(help: "Evaluate as of this instant (2026-01-01T00:00:00Z) instead of now.") var asOf:
        String?
    @Option(help: "The IANA time zone of rules that name none; the default is UTC.") var timezone:
        String?
    @Flag(help: "Unknown names and empty scopes are errors.") var strict = false
    @Option(help: "Threads; the default is all cores.") var threads: Int?

    func options() throws -> EvaluationOptions {
        var options = EvaluationOptions()
        if let asOf {
            guard let instant = Instant(asOf) else {
                throw WinnowError.usage(
                    "--as-of takes an instant such as 2026-01-01T00:00:00Z, not “\(asOf)”")
            }
            options.asOf = instant
        }
        guard threads.map({ $0 > 0 }) ?? true else {
            throw WinnowError.usage("--threads is at least 1")
        }
        options.timezone = timezone
        options.strict = strict
        options.threads = threads
        return options
    }
}
