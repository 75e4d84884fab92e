import ArgumentParser
import Disk
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
        try Terminal.print(form == .json ? written.segment.json() : written.segment.text())
    }
}

extension WrittenRule {
    /// White space around a rule that is no part of it.
    private static let slack = 1 << 16

    /// Reads one rule from a file, in either form; `-` is standard input.
    init(file path: String) throws(WinnowError) {
        let bytes = try InputStream(path: path).readAll(limit: RuleLimits.bytes + WrittenRule.slack)
        let content = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        guard let text = String(validating: content, as: UTF8.self) else {
            throw .invalidRule(path: .document, message: "not UTF-8 (\(path))")
        }
        do throws(WinnowError) { try self.init(text) } catch {
            switch error {
            case .invalidRule(let place, let message):
                throw .invalidRule(path: place, message: "\(message) (\(path))")
            case .invalidText(let place, let line, let message):
                throw .invalidText(path: place, place: line, message: "\(message) (\(path))")
            default: throw error
            }
        }
    }
}
