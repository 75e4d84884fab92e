import ArgumentParser
import Winnow
import WinnowJSON

/// When and how rules are evaluated.
struct EvaluationArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Evaluate as of this instant (2026-01-01T00:00:00Z) instead of now.",
            valueName: "instant"))
    var asOf: String?
    @Option(help: "The IANA time zone of rules that name none; the default is UTC.") var timezone:
        String?
    @Flag(help: "Unknown names and empty scopes are errors.") var strict = false
    @Option(help: ArgumentHelp("Threads; the default is all cores.", valueName: "number"))
    var threads: Int?

    func options() throws(WinnowError) -> EvaluationOptions {
        try EvaluationOptions(asOf, timezone, strict: strict, threads)
    }
}

extension EvaluationOptions {
    fileprivate init(
        _ asOf: String?, _ timezone: String?, strict: Bool, _ threads: Int?
    ) throws(WinnowError) {
        self.init()
        if let asOf {
            guard let instant = Instant(asOf) else {
                throw .usage("--as-of takes an instant such as 2026-01-01T00:00:00Z, not “\(asOf)”")
            }
            self.asOf = instant
        }
        guard threads.map({ $0 > 0 }) ?? true else { throw .usage("--threads is at least 1") }
        self.timezone = timezone
        self.strict = strict
        self.threads = threads
    }

    /// Options of a program, by the names of the command's with `_` for `-`.
    /// - Parameter json: an object; nil for none.
    package init(json: String?) throws(WinnowError) {
        try self.init(
            try json.map { (json) throws(WinnowError) in
                try CommandCall.members(of: json, "the options")
            } ?? [])
    }

    /// - Parameter members: those of an object.
    package init(_ members: [(key: String, value: JSONValue)]) throws(WinnowError) {
        var asOf: String?, timezone: String?, threads: Int?
        var strict = false
        for (key, value) in members {
            switch (key, value) {
            case (_, .null): break
            case ("as_of", .string(let text)): asOf = text
            case ("timezone", .string(let text)): timezone = text
            case ("strict", .boolean(let isStrict)): strict = isStrict
            case ("threads", .number(let digits)):
                guard let number = Int(digits), number <= Parameter.greatestNumber else {
                    throw .usage(
                        "“threads” is a whole number up to \(Parameter.greatestNumber), not \(digits)"
                    )
                }
                threads = number
            case ("as_of", _), ("timezone", _), ("strict", _), ("threads", _):
                throw .usage("“\(key)” cannot be \(value.kind)")
            default:
                throw .usage("unknown key “\(key)”; there are as_of, timezone, strict, threads")
            }
        }
        try self.init(asOf, timezone, strict: strict, threads)
    }
}
