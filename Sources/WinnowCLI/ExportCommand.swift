import ArgumentParser
import Winnow

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes the profiles of a segment, in the order of their rows.",
        discussion: """
                winnow export STORE 'email opened exists' -o ids.txt
                winnow export STORE 'country = "DE"' --format csv --fields email,city -o germans.csv

            ids writes an id a line; csv and ndjson write the id and fields, and load into another \
            store with the same schema; roaring writes row numbers as a Roaring bitmap.
            What a rule can say: winnow rule --help.
            """)

    @Argument(help: "The store.") var store: String
    @OptionGroup var rule: RuleArguments
    @Option(help: "ids, csv, ndjson or roaring.") var format: String = "ids"
    @Option(help: "With csv and ndjson: the fields beside the id; the default is all.")
    var fields: String?
    @Option(help: "The most profiles that are written.") var limit: Int?
    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: "A file; the default is standard output.")
    var output: String?
    @Option(help: "text or json, for errors.") var errors: OutputFormat = .text
    @OptionGroup var evaluation: EvaluationArguments

    func run() throws {
        let rule = try rule.read()
        let snapshot = try Store(store).snapshot()
        let options = try evaluation.options()
        var export = ExportOptions(try exportFormat(), limit: limit)
        if let fields {
            guard export.format == .csv || export.format == .ndjson else {
                throw WinnowError.usage("--fields is for --format csv and ndjson")
            }
            export.fields = fields.split(separator: ",").map(String.init)
        }
        export.isCancelled = Terminal.interruption()
        if Terminal.showsProgress, output != nil || !Terminal.showsOutput {
            export.progress = { done, all in
                Terminal.status("\(Figures.grouped(done)) of \(Figures.grouped(all)) profiles")
            }
        }
        let wanted = export
        let target = output
        let summary = try rule.asking { (segment) throws(WinnowError) in
            guard let target else {
                return try snapshot.export(segment, as: wanted, options) {
                    (bytes) throws(WinnowError) in try Terminal.write(bytes)
                }
            }
            return try snapshot.export(segment, as: wanted, options, toFile: target)
        }
        rule.tell(summary.warnings)
        if let target {
            Terminal.note("\(Figures.grouped(summary.rows)) profiles written to \(target)")
        }
    }

    private func exportFormat() throws -> ExportFormat {
        if let format = ExportFormat(rawValue: format) { return format }
        if format == "parquet" {
            throw WinnowError.usage(
                "Parquet is written by the Python package winnow, from the same store")
        }
        throw WinnowError.usage("--format is ids, csv, ndjson or roaring, not “\(format)”")
    }
}
