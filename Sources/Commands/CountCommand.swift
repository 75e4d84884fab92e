import ArgumentParser
import WinnowJSON
import Winnow

struct CountCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "count", abstract: "Counts the profiles of segments, exactly.",
        discussion: """
            Several rules are answered in order: RULE, then -f in order, then --rules. All are checked first.

                winnow count demo-store 'email opened at least 3 times in the last 90 days'
                winnow count demo-store 'email opened exists' --since 2025-11-30

            What a rule can say: winnow rule --help.
            """)

    @Argument(help: "The store.") var store: String
    @Argument(help: "Rules as JSON or text.") var rule: [String] = []
    @Option(
        name: [.customShort("f"), .customLong("file")], parsing: .singleValue,
        help: "A file with one rule, in either form.")
    var files: [String] = []
    @Option(help: "A file with a rule a line.") var rules: String?
    @OptionGroup var evaluation: EvaluationArguments
    @Option(help: "text or json.") var format: OutputFormat = .text

    @Option(
        help: ArgumentHelp(
            "One count after the other from this day or instant on; a day stands for its end.",
            valueName: "time"))
    var since: String?
    @Option(
        help: ArgumentHelp(
            "With --since: up to this day or instant; the default is now.", valueName: "time"))
    var until: String?
    @Option(help: "With --since: how far apart, as 12h, 1d, 2w, 1mo, 1y; the default is 1d.")
    var every: String?

    func run(in session: any Session) throws {
        let rules = try WrittenRules(rule, files: files, lines: self.rules)
        guard !rules.all.isEmpty else {
            throw WinnowError.usage(
                "no rule is given; write it as an argument, or use -f FILE or --rules FILE")
        }
        let snapshot = try session.snapshot(of: store)
        let options = try evaluation.options()
        if let since { return try series(of: rules, since, snapshot, options, in: session) }
        guard until == nil, every == nil else {
            throw WinnowError.usage("--until and --every need --since")
        }
        let results = try rules.asking(snapshot, options) { (segments) throws(WinnowError) in
            try snapshot.count(segments, options)
        }
        for (rule, result) in zip(rules.all, results) {
            if !session.wantsJSON(format) { session.tell(rule, result.warnings) }
            if session.wantsJSON(format) {
                try session.answer(result.json)
            } else {
                try session.print("\(result.count)")
            }
        }
    }

    /// Prints one count after the other.
    private func series(
        of rules: WrittenRules, _ since: String, _ snapshot: Snapshot, _ options: EvaluationOptions,
        in session: any Session
    ) throws {
        guard rules.all.count == 1, let rule = rules.all.first else {
            throw WinnowError.usage("--since takes one rule, not \(rules.all.count)")
        }
        guard evaluation.asOf == nil else {
            throw WinnowError.usage("--since has instants of its own; leave --as-of out")
        }
        let start = try CountCommand.time(since, "--since")
        let end = try until.map { try CountCommand.time($0, "--until") }
        let text = every ?? "1d"
        guard let step = SeriesStep(text) else {
            throw WinnowError.usage("--every takes a step as 12h, 1d, 2w, 1mo or 1y, not “\(text)”")
        }
        let series = try rule.asking { (segment) throws(WinnowError) in
            try snapshot.series(of: segment, since: start, until: end, every: step, options)
        }
        session.tell(rule, series.warnings)
        if session.wantsJSON(format) {
            for point in series.points { try session.answer(point.json) }
            return
        }
        let rows = series.points.map { [$0.asOf.description, Figures.grouped($0.count)] }
        try session.print(Figures.table(rows))
        if session.showsOutput {
            try session.print(Figures.sparkline(series.points.map(\.count), width: 72))
        }
    }

    private static func time(_ text: String, _ option: String) throws -> SeriesTime {
        if let day = CivilDate(text) { return .day(day) }
        if let instant = Instant(text) { return .instant(instant) }
        throw WinnowError.usage(
            "\(option) takes a day such as 2026-01-31, or an instant such as 2026-01-31T12:00:00Z, "
                + "not “\(text)”")
    }
}
