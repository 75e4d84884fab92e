import ArgumentParser
import Winnow

struct ExportCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes the profiles of a segment, in the order of their rows.",
        discussion: """
                winnow export demo-store 'email opened exists' -o ids.txt
                winnow export demo-store 'vip = true' --format csv --fields city
                winnow export demo-store 'vip = true' --audience facebook -o audience.csv

            ids writes an id a line; csv and ndjson write the id and fields, and load into another \
            store with the same schema; roaring writes row numbers as a Roaring bitmap.
            What a rule can say: winnow rule --help.
            """)

    @Argument(help: "The store.") var store: String
    @OptionGroup var rule: RuleArguments
    @Option(
        help: "ids, csv, ndjson or roaring; the default is ids.",
        completion: .list(ExportFormat.allCases.map(\.rawValue)))
    var format: String?
    @Option(help: "With csv and ndjson: the fields beside the id; the default is all.")
    var fields: String?
    @Option(help: ArgumentHelp("The most profiles that are written.", valueName: "number"))
    var limit: Int?
    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: "A file; the default is standard output.")
    var output: String?
    @Option(help: "For an advertising service: yandex, google, vk or facebook.")
    var audience: AudienceOptions.Target?
    @Option(help: "With --audience: md5, sha256 or none; the default is the service's.")
    var hash: AudienceOptions.Hash?
    @Option(help: "With --audience google: the number of the segment.") var segmentId: String?
    @Option(help: "With --audience google: its name; the default is the rule's.")
    var segmentName: String?
    @Option(help: "With --audience: completes national phone numbers of RU or KZ.")
    var country: AudienceOptions.Country?
    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "With --audience: a field in place of the one that a column comes from.",
            valueName: "column=field"))
    var mapColumn: [String] = []
    @Option(
        help: "With --audience: only those who can be reached in this channel.",
        completion: .list(Channel.allCases.map(\.name)))
    var reachable: String?
    @Option(help: "text or json, for errors.") var errors: OutputFormat = .text
    @OptionGroup var evaluation: EvaluationArguments

    func run(in session: any Session) throws {
        let rule = try rule.read()
        if let audience { return try export(rule, for: audience, in: session) }
        let isForAudience =
            hash != nil || segmentId != nil || segmentName != nil || country != nil
            || !mapColumn.isEmpty || reachable != nil
        guard !isForAudience else {
            throw WinnowError.usage("--hash, --country and their like are for --audience")
        }
        let snapshot = try session.snapshot(of: store)
        let options = try evaluation.options()
        var export = ExportOptions(try exportFormat(), limit: limit)
        if let fields {
            guard export.format == .csv || export.format == .ndjson else {
                throw WinnowError.usage("--fields is for --format csv and ndjson")
            }
            export.fields = fields.split(separator: ",").map(String.init)
        }
        export.isCancelled = session.interruption()
        if session.showsProgress, output != nil || !session.showsOutput {
            export.progress = { done, all in
                session.status("\(Figures.grouped(done)) of \(Figures.grouped(all)) profiles")
            }
        }
        let wanted = export
        let target = output == "-" ? nil : output
        let content = export.format.content
        if export.format == .roaring, target == nil, session.showsOutput {
            throw WinnowError.usage("a Roaring bitmap is no text; name a file with -o FILE")
        }
        let summary = try rule.asking { (segment) throws(WinnowError) in
            guard let target else {
                return try snapshot.export(segment, as: wanted, options) {
                    (bytes) throws(WinnowError) in try session.write(bytes, content)
                }
            }
            return try snapshot.export(segment, as: wanted, options, toFile: target)
        }
        session.tell(rule, summary.warnings)
        if let target {
            session.note("\(Figures.profiles(summary.rows)) written to \(target)")
        }
    }

    private func export(
        _ rule: WrittenRule, for target: AudienceOptions.Target, in session: any Session
    ) throws {
        guard format == nil, fields == nil else {
            throw WinnowError.usage(
                "--audience has columns of its own; leave --format and --fields out")
        }
        var audience = AudienceOptions(target)
        audience.hash = hash
        audience.segmentID = segmentId
        audience.segmentName = segmentName
        audience.country = country
        audience.limit = limit
        for pair in mapColumn {
            guard let equals = pair.firstIndex(of: "=") else {
                throw WinnowError.usage("--map-column takes COLUMN=FIELD, not “\(pair)”")
            }
            audience.columns[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
        }
        audience.reachable = try reachable.map { name in
            guard let channel = Channel(name: name) else {
                throw WinnowError.usage(
                    "unknown channel “\(name)”; there are "
                        + Channel.allCases.map(\.name).joined(separator: ", "))
            }
            return channel
        }
        audience.isCancelled = session.interruption()
        let snapshot = try session.snapshot(of: store)
        let options = try evaluation.options()
        let wanted = audience
        let path = output == "-" ? nil : output
        let summary = try rule.asking { (segment) throws(WinnowError) in
            guard let path else {
                return try snapshot.export(segment, audience: wanted, options) {
                    (bytes) throws(WinnowError) in try session.write(bytes, .text)
                }
            }
            return try snapshot.export(segment, audience: wanted, options, toFile: path)
        }
        session.tell(rule, summary.warnings)
        let leftOut = AudienceSummary.Reason.allCases.compactMap { reason in
            summary.leftOut[reason].map { "\(reason.rawValue) \(Figures.grouped($0))" }
        }
        session.note(
            "\(Figures.grouped(summary.rows)) rows of \(Figures.grouped(summary.count)) profiles"
                + (leftOut.isEmpty ? "" : "; left out: " + leftOut.joined(separator: "; ")))
        if target == .yandex, wanted.effectiveHash == .md5 {
            session.note(
                "Yandex Audiences takes no new MD5 data since January 2025; --hash sha256 is taken")
        }
    }

    private func exportFormat() throws -> ExportFormat {
        let format = format ?? ExportFormat.ids.rawValue
        if let format = ExportFormat(rawValue: format) { return format }
        if format == "parquet" {
            throw WinnowError.usage(
                "Parquet is written by the Python package winnow, from the same store")
        }
        throw WinnowError.usage("--format is ids, csv, ndjson or roaring, not “\(format)”")
    }
}

extension ExportFormat {
    /// What is exported in it.
    package var content: ExportedContent {
        switch self {
        case .ids: .ids
        case .ndjson: .values
        case .csv: .text
        case .roaring: .bytes
        }
    }
}

extension AudienceOptions.Target: ExpressibleByArgument {}
extension AudienceOptions.Hash: ExpressibleByArgument {}
extension AudienceOptions.Country: ExpressibleByArgument {}
