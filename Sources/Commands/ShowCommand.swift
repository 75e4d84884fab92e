import ArgumentParser
import Winnow
import WinnowJSON

struct ShowCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows all that a store has of a profile.",
        discussion: """
                winnow show demo-store u17
                winnow show demo-store 'user3@*' --events all
                winnow show demo-store 'city:Köln' --limit 3 --channel email

            WHAT is an id; else FIELD:VALUE; else an e-mail address or phone number; else a contact of \
            a subscription. VALUE* finds texts that begin so.
            """)

    @Argument(help: "The store.") var store: String
    @Argument(help: "An id, FIELD:VALUE, or an address.") var what: String
    @Option(name: .customLong("in"), help: "Looks in one place only: profile or subscriptions.")
    var place: ProfileSearchPlace?
    @Option(help: ArgumentHelp("The most profiles that are shown.", valueName: "number"))
    var limit = 20
    @Option(help: "The newest so many of each list, or all.") var events = "20"
    @Option(
        help: "Only events of this channel.",
        completion: .list(Channel.allCases.map(\.name)))
    var channel: String?
    @Option(help: "Only this event.", completion: .list(Event.allCases.map(\.name)))
    var event: String?
    @Option(help: "Only from this day or instant on.") var since: String?
    @Option(help: "Only before this day or instant.") var until: String?
    @Option(help: "The IANA time zone of days, and of times for people; the default is UTC.")
    var timezone: String?
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run(in session: any Session) throws {
        var show = ShowOptions()
        show.place = place
        show.limit = limit
        show.events = try count(events)
        show.channel = try channel.map { try known($0, Channel.allCases, "channel", \.name) }
        show.event = try event.map { try known($0, Event.allCases, "event", \.name) }
        let snapshot = try session.snapshot(of: store)
        show.since = try since.map { try instant($0, "--since", snapshot) }
        show.until = try until.map { try instant($0, "--until", snapshot) }
        let found = try snapshot.show(what, show)
        for (i, profile) in found.profiles.enumerated() {
            if session.wantsJSON(format) {
                try session.answer(profile.json)
            } else {
                try session.print((i > 0 ? "\n" : "") + ShowCommand.text(profile))
            }
        }
        let rest = found.count - found.profiles.count
        if rest > 0 {
            session.note("\(Figures.profiles(rest)) more; --limit shows more")
        }
    }

    private func count(_ text: String) throws -> Int? {
        if text == "all" { return nil }
        guard let count = Int(text), count >= 0 else {
            throw WinnowError.usage("--events takes a number or all, not “\(text)”")
        }
        return count
    }

    private func known<Value>(
        _ name: String, _ all: [Value], _ what: String, _ names: (Value) -> String
    ) throws -> Value {
        if let found = all.first(where: { names($0) == name }) { return found }
        throw WinnowError.usage(
            "unknown \(what) “\(name)”; there are " + all.map(names).joined(separator: ", "))
    }

    /// A day stands for its start.
    private func instant(_ text: String, _ option: String, _ snapshot: Snapshot) throws -> Instant {
        if let instant = Instant(text) { return instant }
        if let day = CivilDate(text) { return try snapshot.start(of: day, in: timezone) }
        throw WinnowError.usage(
            "\(option) takes a day such as 2026-01-31, or an instant such as 2026-01-31T12:00:00Z, "
                + "not “\(text)”")
    }

    /// A profile for people: fields, then what it is subscribed to, reached and did.
    private static func text(_ profile: ShownProfile) -> String {
        var lines = ["\(Figures.line(profile.id))  (row \(profile.row), \(profile.globalStatus))"]
        let width = profile.fields.map(\.name.count).max() ?? 0
        for field in profile.fields {
            lines.append(
                "  \(column(Figures.line(field.name), width + 2))\(Figures.line(field.text))")
        }
        func list(_ title: String, _ rows: [[String]], _ total: Int) {
            guard !rows.isEmpty else { return }
            let shown = rows.count < total ? ", the newest \(Figures.grouped(rows.count))" : ""
            lines.append("")
            lines.append("\(title): \(Figures.grouped(total))\(shown)")
            let table = Figures.table(rows, texts: rows.map(\.count).max() ?? 0)
            lines += table.split(separator: "\n").map { "  " + $0 }
        }
        list(
            "subscriptions",
            profile.subscriptions.map {
                [
                    $0.channel.name, $0.resource, $0.status.name, $0.contact ?? "–",
                    $0.provider ?? "", $0.time?.description ?? "",
                ]
            }, profile.subscriptions.count)
        list(
            "goals",
            profile.goals.map { [$0.time.description, $0.pixel, $0.goal, $0.value ?? ""] },
            profile.goalsTotal)
        list(
            "activity",
            profile.activity.map {
                [
                    $0.time.description, $0.channel.name, $0.event.name, $0.campaign ?? "–",
                    $0.template ?? "–", $0.link ?? "", $0.message ?? "",
                    $0.count == 1 ? "" : "×\($0.count)", $0.machine ? "by machine" : "",
                ]
            }, profile.activityTotal)
        return lines.joined(separator: "\n")
    }
}

extension ProfileSearchPlace: ExpressibleByArgument {}
