import ArgumentParser
import Winnow
import WinnowJSON

/// Saved segments. The store stands before what is to be done with it; see `reordered`.
package struct SegmentCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "segment",
        abstract: "Saves segments in a store, refreshes them, and says who came and left.",
        usage: "winnow segment <store> (save|list|show|refresh|diff|remove) …",
        discussion: """
                winnow segment demo-store save fans 'email opened at least 3 in the last 90 days'
                winnow count demo-store 'in segment "fans" and country = "DE"'
                winnow segment demo-store list

            winnow segment STORE save --help says more, and so do the others.
            """,
        subcommands: [
            SegmentSaveCommand.self, SegmentListCommand.self, SegmentShowCommand.self,
            SegmentRefreshCommand.self, SegmentDiffCommand.self, SegmentRemoveCommand.self,
        ])

    package init() {}

    /// The arguments with the subcommand before the store, as the parser wants it.
    package static func reordered(_ arguments: [String]) throws(WinnowError) -> [String] {
        let actions = configuration.subcommands.compactMap { $0.configuration.commandName }
        guard arguments.count > 1, arguments[0] == "segment", !arguments[1].hasPrefix("-") else {
            return arguments
        }
        if arguments.count > 2, actions.contains(arguments[2]) {
            return [arguments[0], arguments[2], arguments[1]] + arguments[3...]
        }
        if actions.contains(arguments[1]) { return arguments }
        let known = actions.joined(separator: ", ")
        guard arguments.count > 2, !arguments[2].hasPrefix("-") else {
            throw .usage("say what is to be done with the segments: \(known)")
        }
        let hint = nearestHint(for: arguments[2], among: actions)
        throw .usage(
            "“\(arguments[2])” is nothing that is done with segments\(hint); there are \(known)")
    }
}

struct SegmentSaveCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "save",
        abstract: "Saves a rule, or with --freeze or --profiles the profiles that are in it now.",
        usage: """
            winnow segment <store> save <name> <rule> [--freeze] [--description <text>] [--replace]
            winnow segment <store> save <name> --profiles <file> [--description <text>] [--replace]
            """,
        discussion: """
                winnow segment demo-store save fans 'email opened at least 3 in the last 90 days'
                winnow segment demo-store save 'fans now' 'in segment "fans"' --freeze
            """)

    @Argument(help: "The store.") var store: String
    @Argument(help: "Its name, 1 to 255 bytes.") var name: String
    @OptionGroup var rule: RuleArguments
    @Flag(help: "Keeps who is in it, and who comes and leaves when it is refreshed.")
    var freeze = false
    @Option(help: "A file with the ids of its members, one a line; - is standard input.")
    var profiles: String?
    @Option(help: "What people say of it.") var description: String?
    @Flag(help: "Takes the place of a segment that has the name.") var replace = false
    @OptionGroup var evaluation: EvaluationArguments
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run(in session: any Session) throws {
        let store = try session.store(at: store)
        let options = SaveOptions(
            description: description, replaces: replace, evaluation: try evaluation.options())
        let summary: SavedSummary
        if let profiles {
            guard rule.rule == nil, rule.file == nil else {
                throw WinnowError.usage("a segment has a rule or a list of ids, not both")
            }
            guard options.evaluation.asOf == nil else {
                throw WinnowError.usage("a list of ids is as of now; leave --as-of out")
            }
            summary = try store.freeze(
                try session.profileIDs(profiles, .lines), as: name, options)
        } else {
            let rule = try rule.read()
            summary = try rule.asking { (segment) throws(WinnowError) in
                freeze
                    ? try store.freeze(segment, as: name, options)
                    : try store.save(segment, as: name, options)
            }
            session.tell(rule, summary.warnings)
        }
        if session.wantsJSON(format) { return try session.answer(json(summary)) }
        if let refresh = summary.refresh {
            session.note(
                "saved “\(Figures.line(name))”: \(Figures.profiles(refresh.members)), "
                    + "\(Figures.grouped(refresh.entered)) entered, "
                    + "\(Figures.grouped(refresh.left)) left")
        } else {
            session.note("saved “\(Figures.line(name))”; it is evaluated when it is used")
        }
        if let unknown = summary.unknown, unknown > 0 {
            session.note("\(Figures.grouped(unknown)) ids are no profile of the store")
        }
    }

    private func json(_ summary: SavedSummary) -> String {
        var json = JSONWriter()
        json.object {
            $0.member("name", name)
            $0.member("kind", summary.refresh == nil ? "dynamic" : "static")
            $0.member("as_of", summary.refresh?.asOf.description)
            $0.member("entered", summary.refresh?.entered)
            $0.member("left", summary.refresh?.left)
            $0.member("members", summary.refresh?.members)
            $0.member("unknown", summary.unknown)
        }
        return json.text
    }
}

struct SegmentListCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists the saved segments.",
        usage: "winnow segment <store> list [--format <format>]",
        discussion: "    winnow segment demo-store list")

    @Argument(help: "The store.") var store: String
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run(in session: any Session) throws {
        let segments = try session.snapshot(of: store).savedSegments()
        if session.wantsJSON(format) {
            for segment in segments { try session.answer(segment.json) }
            return
        }
        if segments.isEmpty { return session.note("no segment is saved") }
        var rows = [["name", "kind", "refreshed", "members"]]
        for segment in segments {
            rows.append([
                Figures.shortened(Figures.line(segment.name), 40), segment.kind.rawValue,
                segment.refreshed?.description ?? "",
                segment.members.map { Figures.grouped($0) } ?? "",
            ])
        }
        try session.print(Figures.table(rows, texts: 3))
    }
}

struct SegmentShowCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows a saved segment, or when its members were found.",
        usage: "winnow segment <store> show <name> [--history] [--format <format>]",
        discussion: """
                winnow segment demo-store show fans
                winnow segment demo-store show 'fans now' --history
            """)

    @Argument(help: "The store.") var store: String
    @Argument(help: "Its name.") var name: String
    @Flag(help: "Lists the times at which its members were found.") var history = false
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run(in session: any Session) throws {
        let snapshot = try session.snapshot(of: store)
        if history {
            return try session.print(try snapshot.refreshes(of: name), format)
        }
        let segment = try snapshot.savedSegment(name)
        if session.wantsJSON(format) { return try session.answer(segment.jsonWithRule()) }
        var rows = [["name", segment.name], ["kind", segment.kind.rawValue]]
        if let description = segment.description { rows.append(["description", description]) }
        if let members = segment.members { rows.append(["members", Figures.grouped(members)]) }
        if let refreshed = segment.refreshed { rows.append(["refreshed", refreshed.description]) }
        for (title, names) in [("uses", segment.uses), ("used by", segment.usedBy)]
        where !names.isEmpty {
            rows.append([title, names.joined(separator: ", ")])
        }
        let text = try segment.rule.map { "\n\n" + (try $0.text()) } ?? ""
        try session.print(Figures.table(rows, texts: 2) + text)
    }
}

struct SegmentRefreshCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "refresh",
        abstract: "Finds the members of frozen segments anew, and keeps who entered and left.",
        usage: "winnow segment <store> refresh (<name> | --all) [--batch <id>] [--as-of <instant>]",
        discussion: """
                winnow segment demo-store refresh --all --batch "night $(date +%F)"

            With --batch it is safe to try again: what was done under an id is not done twice.
            """)

    @Argument(help: "The store.") var store: String
    @Argument(help: "The name of a frozen segment.") var name: String?
    @Flag(help: "Refreshes all that have a rule, in one pass and as one version.") var all = false
    @Option(help: "An id under which this is done once.") var batch: String?
    @OptionGroup var evaluation: EvaluationArguments
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run(in session: any Session) throws {
        guard (name == nil) == all else {
            throw WinnowError.usage("name the segment that is refreshed, or all of them with --all")
        }
        let summary = try session.store(at: store).refresh(
            name.map { [$0] }, batch: batch, try evaluation.options())
        session.tell(summary.warnings)
        if summary.isRepeated {
            return session.note(
                "the batch “\(batch ?? "")” was stored before; nothing was changed")
        }
        for name in summary.later {
            session.note(
                "“\(Figures.line(name))” was refreshed as of later than that; it stays as it is")
        }
        try session.print(summary.refreshes, format)
    }
}

extension Session {
    fileprivate func print(_ refreshes: [SegmentRefresh], _ format: OutputFormat) throws {
        if wantsJSON(format) {
            for refresh in refreshes { try answer(refresh.json) }
            return
        }
        var rows = [["name", "as of", "entered", "left", "members"]]
        for refresh in refreshes {
            rows.append(
                [Figures.shortened(Figures.line(refresh.name), 30), refresh.asOf.description]
                    + [refresh.entered, refresh.left, refresh.members].map { Figures.grouped($0) })
        }
        if refreshes.isEmpty { return note("no segment has members to be found anew") }
        try print(Figures.table(rows, texts: 2))
    }
}

struct SegmentDiffCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract:
            "Says who would enter and leave a frozen segment, and which part of its rule decides.",
        usage: "winnow segment <store> diff <name> [--ids] [--as-of <instant>] [--format <format>]",
        discussion: """
                winnow segment demo-store diff 'fans now'
                winnow segment demo-store diff 'fans now' --ids --format json
            """)

    @Argument(help: "The store.") var store: String
    @Argument(help: "The name of a frozen segment.") var name: String
    @Flag(help: "A line for each profile.") var ids = false
    @OptionGroup var evaluation: EvaluationArguments
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run(in session: any Session) throws {
        let difference = try session.snapshot(of: store).difference(
            of: name, listsProfiles: ids, try evaluation.options())
        session.tell(difference.warnings)
        if ids {
            for change in difference.changes {
                if session.wantsJSON(format) {
                    try session.answer(change.json)
                } else {
                    try session.print(
                        "\(change.enters ? "+" : "-") \(Figures.line(change.id))"
                            + (change.path.map { "  \($0)" } ?? ""))
                }
            }
            return
        }
        if session.wantsJSON(format) { return try session.answer(difference.json) }
        var text = ""
        for (title, count, reasons, why) in [
            ("left", difference.left, difference.leftBy, "because this no longer holds"),
            (
                "entered", difference.entered, difference.enteredBy,
                "because this did not hold before"
            ),
        ] {
            text += text.isEmpty ? "" : "\n\n"
            text += "\(Figures.profiles(count)) \(title)"
            if reasons.isEmpty { continue }
            var rows: [[String]] = []
            for reason in reasons {
                rows.append([
                    "  \(Figures.grouped(reason.count))",
                    reason.text.map { text in
                        let isGroup = ["all of", "any of", "not"].contains(text)
                        let place = isGroup ? " (\(reason.path?.description ?? ""))" : ""
                        return Figures.shortened(text + place, 64)
                    }
                        ?? "nothing: later data put it right",
                ])
            }
            text += ", \(why):\n" + Figures.table(rows, texts: 0, bars: true)
        }
        try session.print(text)
    }
}

struct SegmentRemoveCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Removes a saved segment that no other one uses.",
        usage: "winnow segment <store> remove <name>",
        discussion: "    winnow segment demo-store remove fans")

    @Argument(help: "The store.") var store: String
    @Argument(help: "Its name.") var name: String

    func run(in session: any Session) throws { try session.store(at: store).removeSegment(name) }
}
