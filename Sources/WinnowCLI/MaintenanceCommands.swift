import ArgumentParser
import JSON
import Winnow

struct CompactCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compact", abstract: "Merges what many batches have left into one part of each kind.")

    @Argument(help: "The store.") var store: String

    func run() throws { try WinnowStore(at: store).compact() }
}

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Checks every byte of a store; exits with 65 when something is wrong.")

    @Argument(help: "The store.") var store: String
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run() throws {
        let result = try WinnowStore.verify(at: store)
        switch format {
        case .text:
            for finding in result.findings { try Terminal.print("\(finding.file): \(finding.what)") }
            let verdict = result.isSound ? "ok" : "\(result.findings.count) findings"
            try Terminal.print("\(result.files) files, \(result.bytes) bytes: \(verdict)")
        case .json:
            let findings = result.findings.map {
                "{\"file\": \(jsonString($0.file)), \"what\": \(jsonString($0.what))}"
            }
            try Terminal.print(
                "{\"ok\": \(result.isSound), \"files\": \(result.files), \"bytes\": \(result.bytes), "
                    + "\"findings\": [\(findings.joined(separator: ", "))]}")
        }
        if !result.isSound { throw ExitCode(65) }
    }
}

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Times segments: each once to warm up, then --repeat times in one process.")

    @Argument(help: "The store.") var store: String
    @Option(help: "A file with a rule a line.") var rules: String
    @Option(name: .customLong("repeat"), help: "How often each rule is evaluated.") var repetitions = 20
    @OptionGroup var evaluation: EvaluationArguments
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run() throws {
        guard repetitions > 0 else { throw WinnowError.usage("--repeat is at least 1") }
        let segments = try Segment.all(ndjson: rules)
        var options = try evaluation.options()
        let snapshot = try WinnowStore(at: store).snapshot()
        // All rules are checked, and as of the same instant, before the first is timed.
        options.asOf = try snapshot.count(segments, options).first?.asOf ?? options.asOf
        let width = max(4, segments.map { $0.name?.count ?? 0 }.max() ?? 0)
        if format == .text {
            try Terminal.print(BenchCommand.row("rule", width, ["count", "p50 ms", "p95 ms", "min ms"]))
        }
        for (i, segment) in segments.enumerated() {
            var count = 0, times: [Duration] = []
            for _ in 0..<repetitions {
                let result = try snapshot.count(segment, options)
                count = result.count
                times.append(result.elapsed)
            }
            times.sort()
            let p50 = BenchCommand.percentile(times, 50), p95 = BenchCommand.percentile(times, 95)
            switch format {
            case .text:
                try Terminal.print(
                    BenchCommand.row(
                        segment.name ?? "\(i + 1)", width,
                        ["\(count)", p50.milliseconds, p95.milliseconds, times[0].milliseconds]))
            case .json:
                try Terminal.print(
                    "{\"name\": \(segment.name.map { jsonString($0) } ?? "null"), \"count\": \(count), "
                        + "\"p50_ms\": \(p50.milliseconds), \"p95_ms\": \(p95.milliseconds), "
                        + "\"min_ms\": \(times[0].milliseconds), \"threads\": \(snapshot.threads(options))}")
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
