import ArgumentParser
import Winnow

struct RuleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rule", abstract: "Prints a rule in its canonical form, as text or JSON.",
        discussion: """
            A rule that begins with { is JSON, any other is text:

                winnow rule 'email opened at least 2 times and country = "DE"' --to json
            """)

    @Argument(help: "A rule as JSON or text.") var rule: String?
    @Option(name: [.customShort("f")], help: "A file with the rule, in either form.")
    var file: String?
    @Option(name: .customLong("to"), help: "text or json.") var form: OutputFormat
    @Option(help: "text or json, for errors.") var format: OutputFormat = .text

    func run() throws {
        let written: WrittenRule
        switch (rule, file) {
        case (let rule?, nil): written = try WrittenRule(rule)
        case (nil, let file?): written = try WrittenRule(file: file)
        default:
            throw WinnowError.usage("one rule is needed; write it as an argument, or use -f FILE")
        }
        for warning in written.segment.warnings where format == .text {
            Terminal.note("winnow: warning: \(written.located(warning))")
        }
        try Terminal.print(form == .json ? written.segment.json() : written.segment.text())
    }
}
