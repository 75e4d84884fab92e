import ArgumentParser
import WinnowJSON
import Winnow

struct CompactCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "compact",
        abstract:
            "Merges what many batches have left, and takes what was erased or dropped out of the files.",
        discussion: "    winnow compact demo-store")

    @Argument(help: "The store.") var store: String

    func run(in session: any Session) throws {
        session.giveWay()
        let held = try session.store(at: store).compact()
        if session.isForPrograms { try session.answer("{\"versions_held\": \(held)}") }
        if held > 0 {
            session.note(
                "older versions that are still being read: \(held); compact again when nobody reads them any more, "
                    + "to take what was erased or dropped out of their files, too")
        }
    }
}

struct VerifyCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract:
            "Checks every byte of a store; exits with 65 when something is wrong. With --find, says where a value is.",
        discussion: """
                winnow verify demo-store
                winnow verify demo-store --find user17@inbox.example.net
            """)

    @Argument(help: "The store.") var store: String
    @Option(help: "Lists the places where this value is, in all that the files hold, decoded.")
    var find: String?
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run(in session: any Session) throws {
        let meter = ProgressMeter(session)
        let shows = session.showsProgress
        let result = try Store.verify(at: store) { checked, total in
            if shows { meter.show(checked: checked, of: total) }
        }
        // What is damaged cannot be decoded.
        let places = result.isSound ? try find.map { try Store.find($0, at: store) } : nil
        switch session.wantsJSON(format) {
        case false:
            for finding in result.findings + (places ?? []) {
                try session.print("\(finding.file): \(finding.what)")
            }
            let verdict = result.isSound ? "ok" : "\(result.findings.count) findings"
            let found = places.map {
                $0.isEmpty
                    ? "; the value is nowhere"
                    : "; the value is in \($0.count < 50 ? "" : "at least ")\($0.count) places"
            }
            try session.print(
                "\(Figures.grouped(result.files)) files, \(Figures.bytes(result.bytes)): \(verdict)\(found ?? "")"
            )
        case true:
            var json = JSONWriter()
            result.write(found: places ?? [], to: &json)
            try session.answer(json.text)
        }
        if !result.isSound { throw Unsound() }
    }
}

struct EraseCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "erase",
        abstract:
            "Takes profiles out of every answer, at once; compact takes what is left of them out of the files.",
        discussion: """
                echo u17 | winnow erase demo-store --profiles -
            """)

    @Argument(help: "The store.") var store: String
    @Option(help: "A file with the id of a profile a line; - is standard input.") var profiles:
        String
    @Option(help: "lines, or ndjson: an object with the field id a line, for ids with line breaks.")
    var format: ProfileIDFormat = .lines

    func run(in session: any Session) throws {
        let summary = try session.store(at: store).erase(session.profileIDs(profiles, format))
        if session.isForPrograms {
            var json = JSONWriter()
            json.object {
                $0.member("ids", summary.ids)
                $0.member("erased", summary.erased)
                $0.member("segments") { $0.array(summary.segments) { $0.value($1) } }
            }
            try session.answer(json.text)
        }
        session.note(
            "\(Figures.grouped(summary.ids)) ids, \(Figures.grouped(summary.erased)) erased, "
                + "\(Figures.grouped(summary.ids - summary.erased)) unknown")
        for name in summary.segments {
            session.note(
                "the saved segment “\(Figures.line(name))” has an id or an address of theirs in its rule; "
                    + "save it anew without")
        }
    }
}

extension ProfileIDFormat: ExpressibleByArgument {}

struct DropCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "drop",
        abstract:
            "Forgets the activity before a day (UTC), at once; compact takes it out of the files.",
        discussion: "    winnow drop demo-store --before 2025-02-01")

    @Argument(help: "The store.") var store: String
    @Option(help: "The first day to keep, YYYY-MM-DD.") var before: String

    func run(in session: any Session) throws {
        guard let day = CivilDate(before) else {
            throw WinnowError.usage("--before takes a day, YYYY-MM-DD, not “\(before)”")
        }
        try session.store(at: store).drop(
            before: Instant(milliseconds: Int64(day.day) * 86_400_000))
    }
}

struct BenchCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Times segments: each once to warm up, then --repeat times in one process.",
        discussion: "    winnow bench demo-store --rules data/rules/demo.ndjson")

    @Argument(help: "The store.") var store: String
    @Argument(help: "Rules as JSON or text.") var rule: [String] = []
    @Option(help: "A file with a rule a line.") var rules: String?
    @Option(name: .customLong("repeat"), help: "How often each rule is evaluated.")
    var repetitions = 20
    @OptionGroup var evaluation: EvaluationArguments
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run(in session: any Session) throws {
        guard repetitions > 0 else { throw WinnowError.usage("--repeat is at least 1") }
        let segments = try WrittenRules(rule, files: [], lines: rules).segments
        guard !segments.isEmpty else {
            throw WinnowError.usage(
                "no rule is given; write it as an argument, or use --rules FILE")
        }
        var options = try evaluation.options()
        let snapshot = try session.snapshot(of: store)
        // All rules are checked, and as of the same instant, before the first is timed.
        options.asOf = try snapshot.count(segments, options).first?.asOf ?? options.asOf
        let width = max(4, segments.map { $0.name?.count ?? 0 }.max() ?? 0)
        if !session.wantsJSON(format) {
            try session.print(
                BenchCommand.row("rule", width, ["count", "p50 ms", "p95 ms", "min ms"]))
        }
        for (i, segment) in segments.enumerated() {
            var count = 0
            var times: [Duration] = []
            for _ in 0..<repetitions {
                let result = try snapshot.count(segment, options)
                count = result.count
                times.append(result.elapsed)
            }
            times.sort()
            let p50 = BenchCommand.percentile(times, 50)
            let p95 = BenchCommand.percentile(times, 95)
            switch session.wantsJSON(format) {
            case false:
                try session.print(
                    BenchCommand.row(
                        segment.name ?? "\(i + 1)", width,
                        [
                            Figures.grouped(count), p50.millisecondText, p95.millisecondText,
                            times[0].millisecondText,
                        ]))
            case true:
                var json = JSONWriter()
                json.object {
                    $0.member("name", segment.name)
                    $0.member("count", count)
                    for (name, time) in [("p50_ms", p50), ("p95_ms", p95), ("min_ms", times[0])] {
                        $0.member(name) { $0.literal(time.millisecondText) }
                    }
                    $0.member("threads", snapshot.threads(options))
                }
                try session.answer(json.text)
            }
        }
    }

    /// The least of the times that so many percent do not exceed.
    private static func percentile(_ sorted: [Duration], _ percent: Int) -> Duration {
        sorted[min(sorted.count - 1, max(0, (sorted.count * percent + 99) / 100 - 1))]
    }

    private static func row(_ name: String, _ width: Int, _ cells: [String]) -> String {
        name + String(repeating: " ", count: max(0, width - name.count))
            + cells.map { String(repeating: " ", count: max(1, 12 - $0.count)) + $0 }.joined()
    }
}
