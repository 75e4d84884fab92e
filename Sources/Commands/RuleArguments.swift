import ArgumentParser
import Winnow

/// One rule, as an argument or in a file.
struct RuleArguments: ParsableArguments {
    @Argument(help: "A rule as JSON or text; winnow rule --help says what it can be.")
    var rule: String?
    @Option(name: [.customShort("f"), .long], help: "A file with the rule, in either form.")
    var file: String?

    func read() throws -> WrittenRule {
        switch (rule, file) {
        case (let rule?, nil): return try WrittenRule(rule)
        case (nil, let file?): return try WrittenRule(file: file)
        default:
            throw WinnowError.usage("one rule is needed; write it as an argument, or use -f FILE")
        }
    }
}

/// Several rules.
struct WrittenRules {
    let all: [WrittenRule]

    var segments: [Segment] { all.map(\.segment) }

    /// Reads rules of arguments, then of files.
    init(_ rules: [String], files: [String] = []) throws(WinnowError) {
        try WrittenRules.checkInput(files)
        var all: [WrittenRule] = []
        for rule in rules { all.append(try WrittenRule(rule)) }
        for file in files { all.append(try WrittenRule(file: file)) }
        self.all = all
    }

    /// The same, and those of a file with one a line.
    init(_ rules: [String], files: [String], lines: String?) throws {
        try WrittenRules.checkInput(files + [lines].compactMap(\.self))
        let some = try WrittenRules(rules, files: files).all
        all = some + (try lines.map { try Segment.all(ndjson: $0).map { WrittenRule($0) } } ?? [])
    }

    private static func checkInput(_ files: [String]) throws(WinnowError) {
        guard files.count(where: { $0 == "-" }) < 2 else {
            throw WinnowError.usage("- is standard input, which can be read only once")
        }
    }

    /// Asks something of a store; an error of a rule says where it is in that rule.
    func asking<Answer>(
        _ snapshot: Snapshot, _ options: EvaluationOptions,
        _ body: ([Segment]) throws(WinnowError) -> Answer
    ) throws(WinnowError) -> Answer {
        do throws(WinnowError) { return try body(segments) } catch {
            throw located(error, snapshot, options)
        }
    }

    /// The error with its place in the rule that it is about.
    private func located(
        _ error: WinnowError, _ snapshot: Snapshot, _ options: EvaluationOptions
    ) -> WinnowError {
        for (i, rule) in all.enumerated() {
            do throws(WinnowError) { _ = try snapshot.prepare(rule.segment, options) } catch {
                let place = all.count == 1 ? nil : "rule \(i + 1) of \(all.count)"
                return place.map { rule.located(error).noting($0) } ?? rule.located(error)
            }
        }
        return error
    }
}

extension WrittenRule {
    /// Asks something of a store; an error of the rule says where it is in it.
    func asking<Answer>(_ body: (Segment) throws(WinnowError) -> Answer) throws -> Answer {
        do throws(WinnowError) { return try body(segment) } catch { throw located(error) }
    }
}

extension Session {
    /// Tells warnings about a rule.
    func tell(_ rule: WrittenRule, _ warnings: [RuleWarning]) {
        for warning in warnings { note("winnow: warning: \(rule.located(warning))") }
    }

    /// Tells warnings that are about segments, not about a rule at hand: the first of each code, and how
    /// many more there are.
    func tell(_ warnings: [RuleWarning]) {
        var kinds: [(code: String, messages: [String])] = []
        for warning in warnings {
            if let kind = kinds.firstIndex(where: { $0.code == warning.code }) {
                if !kinds[kind].messages.contains(warning.message) {
                    kinds[kind].messages.append(warning.message)
                }
            } else {
                kinds.append((warning.code, [warning.message]))
            }
        }
        for (_, messages) in kinds {
            let more = messages.count > 1 ? "; \(messages.count - 1) more like this" : ""
            note("winnow: warning: \(messages[0])\(more)")
        }
    }
}
