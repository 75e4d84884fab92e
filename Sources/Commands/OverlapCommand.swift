import ArgumentParser
import Winnow
import WinnowJSON

struct OverlapCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "overlap", abstract: "Says how 2 to 64 segments share their profiles.",
        discussion: """
                winnow overlap demo-store 'email clicked exists' 'push clicked exists'

            What a rule can say: winnow rule --help.
            """)

    @Argument(help: "The store.") var store: String
    @Argument(help: "Rules as JSON or text.") var rules: [String] = []
    @Option(
        name: [.customShort("f"), .customLong("file")], parsing: .singleValue,
        help: "A file with one rule, in either form; it comes after those.")
    var files: [String] = []
    @OptionGroup var evaluation: EvaluationArguments
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run(in session: any Session) throws {
        let rules = try WrittenRules(rules, files: files)
        let snapshot = try session.snapshot(of: store)
        let options = try evaluation.options()
        let overlap = try rules.asking(snapshot, options) { (segments) throws(WinnowError) in
            try snapshot.overlap(of: segments, options)
        }
        if session.wantsJSON(format) { return try session.answer(overlap.json) }
        for (rule, warnings) in zip(rules.all, overlap.warnings) { session.tell(rule, warnings) }
        try session.print(OverlapCommand.text(overlap))
    }

    /// A line for each segment, then how much of each is in each other.
    private static func text(_ overlap: SegmentOverlap) -> String {
        let numbers = overlap.names.indices.map { "\($0 + 1)" }
        var segments = [["", "segment", "profiles", "share", "in no other"]]
        for (i, name) in overlap.names.enumerated() {
            let line = name.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            segments.append([
                numbers[i], Figures.shortened(line, 40), Figures.grouped(overlap.counts[i]),
                Figures.share(overlap.counts[i], of: overlap.universe),
                Figures.grouped(overlap.only[i]),
            ])
        }
        for (name, count) in [("in some", overlap.union), ("in all", overlap.intersection)] {
            segments.append([
                "", name, Figures.grouped(count), Figures.share(count, of: overlap.universe),
            ])
        }
        var matrix = [["of"] + numbers.map { "in \($0)" }]
        for (i, row) in overlap.matrix.enumerated() {
            matrix.append([numbers[i]] + row.map { Figures.share($0, of: overlap.counts[i]) })
        }
        return Figures.table(segments, texts: 2) + "\n\n" + Figures.table(matrix)
    }
}
