import ArgumentParser
import Winnow

struct RuleCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "rule", abstract: "Prints a rule in its canonical form, as text or JSON.",
        discussion: """
            A rule that begins with { is JSON, any other is text:

                winnow rule 'email opened at least 2 times and country = "DE"' --to json

            What a text can say, a line each, joined by and, or, not and parentheses:

                email opened at least 3 times by people in the last 90 days
                email clicked at least 1 in campaigns tagged "Sale" on link "l3"
                email opened not happened in campaigns latest 5
                email clicked at least 1 in campaigns tagged "Sale" counting at least 3
                email opened not happened after last delivered within 2 days
                sms clicked not happened this month
                country in ("DE", "FR") and birthday aged 25 to 34
                email is not blank and registered since today-30
            """)

    @OptionGroup var rule: RuleArguments
    @Option(name: .customLong("to"), help: "text or json.") var form: OutputFormat
    @Option(help: "text or json, for errors.") var format: OutputFormat = .text

    func run(in session: any Session) throws {
        let written = try rule.read()
        if !session.wantsJSON(format) { session.tell(written, written.segment.warnings) }
        if form == .json {
            try session.answer(written.segment.json())
        } else {
            try session.print(written.segment.text())
        }
    }
}
