import ArgumentParser
import Winnow
import WinnowJSON

struct BreakdownCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "breakdown",
        abstract: "Says who is in a segment, by fields, or what they did, by time.",
        discussion: """
                winnow breakdown demo-store 'email opened exists' --by country
                winnow breakdown demo-store 'email opened exists' --by age --bins 18,25,35
                winnow breakdown demo-store 'email opened exists' --by @reachable
                winnow breakdown demo-store 'country = "DE"' --activity 90d --unit week

            index is 100 where a value is as frequent in the segment as among all profiles, 200 where \
            it is twice as frequent. What a rule can say: winnow rule --help.
            """)

    @Argument(help: "The store.") var store: String
    @OptionGroup var rule: RuleArguments
    @Option(help: "A field, two of them with a comma between, or @reachable for channels.")
    var by: String?
    @Option(
        help: ArgumentHelp(
            "The most values that have a line of their own; the default is 100.",
            valueName: "number"))
    var top: Int?
    @Option(help: "Where numbers are cut: 18,25,35.") var bins: String?
    @Option(help: "By how much of a date: day, month or year; the default is month.")
    var bin: BreakdownOptions.DateBin?
    @Option(help: "What they did in this time: 12h, 90d, 8w, 6mo, 1y.") var activity: String?
    @Option(help: "With --activity: day, week or month; the default is day.")
    var unit: ActivityBreakdown.Unit?
    @Option(help: "text or json.") var format: OutputFormat = .text
    @OptionGroup var evaluation: EvaluationArguments

    func run(in session: any Session) throws {
        let rule = try rule.read()
        switch (by, activity) {
        case (let by?, nil):
            guard unit == nil else { throw WinnowError.usage("--unit is for --activity") }
            try answer(session, of: rule, by: by)
        case (nil, let activity?):
            guard top == nil, bins == nil, bin == nil else {
                throw WinnowError.usage("--top, --bins and --bin are for --by")
            }
            try answer(session, of: rule, activity: activity)
        default: throw WinnowError.usage("give --by FIELD or --activity TIME, one of them")
        }
    }

    private func answer(_ session: any Session, of rule: WrittenRule, by: String) throws {
        let snapshot = try session.snapshot(of: store)
        let options = try evaluation.options()
        let names = by.split(separator: ",", omittingEmptySubsequences: false)
        var breakdown = BreakdownOptions(
            by: names.map { $0 == "@reachable" ? .reachable : .field(String($0)) })
        breakdown.top = top ?? breakdown.top
        let hasDate = names.contains { name in
            snapshot.schema.index(of: String(name)).map {
                [.date, .datetime].contains(snapshot.schema.fields[$0].type)
            } ?? false
        }
        guard bin == nil || hasDate else {
            throw WinnowError.usage("--bin is for fields of dates and times; none is asked for")
        }
        breakdown.bins = bins?.split(separator: ",", omittingEmptySubsequences: false).map(
            String.init)
        breakdown.dateBin = bin ?? breakdown.dateBin
        let wanted = breakdown
        let found = try rule.asking { (segment) throws(WinnowError) in
            try snapshot.breakdown(of: segment, wanted, options)
        }
        session.tell(rule, found.warnings)
        if session.wantsJSON(format) {
            for line in found.lines { try session.answer(found.json(line)) }
        } else {
            try session.print(BreakdownCommand.text(found))
        }
    }

    private static func text(_ found: SegmentBreakdown) -> String {
        let greatest = found.lines.map(\.count).max() ?? 0
        let words = found.dimensions.count
        var rows = [found.dimensions + ["profiles", "share", "of all", "index"]]
        for line in found.lines {
            let values =
                line.values.map { $0.map { Figures.shortened($0.description, 30) } }
                ?? ["(other)"] + Array(repeating: "", count: words - 1)
            rows.append(
                values + [
                    Figures.grouped(line.count), Figures.share(line.count, of: found.count),
                    Figures.share(line.universe, of: found.universe), found.index(line) ?? "–",
                    Figures.bar(line.count, of: greatest, width: 20),
                ])
        }
        let head =
            "\(Figures.grouped(found.count)) of \(Figures.grouped(found.universe)) profiles, "
            + Figures.share(found.count, of: found.universe)
        return head + "\n\n" + Figures.table(rows, texts: words, bars: true)
    }

    private func answer(_ session: any Session, of rule: WrittenRule, activity text: String) throws
    {
        guard let time = SeriesStep(text) else {
            throw WinnowError.usage(
                "--activity takes a time as 12h, 90d, 8w, 6mo or 1y, not “\(text)”")
        }
        let snapshot = try session.snapshot(of: store)
        let options = try evaluation.options()
        let stretch = unit ?? .day
        let found = try rule.asking { (segment) throws(WinnowError) in
            try snapshot.activity(of: segment, last: time.number, time.unit, by: stretch, options)
        }
        session.tell(rule, found.warnings)
        if session.wantsJSON(format) {
            for line in found.lines { try session.answer(line.json) }
        } else {
            try session.print(BreakdownCommand.chart(found, by: stretch))
        }
    }

    /// A line for each event that rises and falls with its number.
    private static func chart(_ found: ActivityBreakdown, by unit: ActivityBreakdown.Unit) -> String
    {
        let head = "\(Figures.grouped(found.count)) profiles"
        guard let first = found.lines.first?.from, let last = found.lines.last?.from else {
            return head + "; nothing happened in this time"
        }
        let days = found.stretches(by: unit)
        var kinds: [(name: String, events: [Int])] = []
        for channel in Channel.allCases {
            for event in channel.events {
                let own = found.lines.filter { $0.channel == channel && $0.event == event }
                if own.isEmpty { continue }
                var events = Array(repeating: 0, count: days.count)
                for line in own {
                    if let day = days.firstIndex(of: line.from) {
                        events[day] = Int(clamping: line.count)
                    }
                }
                kinds.append(("\(channel.name) \(event.name)", events))
            }
        }
        var rows = [["events", "all", "most a \(unit.rawValue)", "\(first) to \(last)"]]
        for (name, events) in kinds {
            rows.append([
                name,
                Figures.grouped(events.reduce(0) { $0.addingReportingOverflow($1).partialValue }),
                Figures.grouped(events.max() ?? 0),
                Figures.sparkline(events, width: 40, fromZero: true),
            ])
        }
        return head + "\n\n" + Figures.table(rows, bars: true)
    }
}

extension ActivityBreakdown {
    /// All days on which stretches begin, from the first to the last with events.
    fileprivate func stretches(by unit: Unit) -> [CivilDate] {
        guard let first = lines.first?.from, let last = lines.last?.from else { return [] }
        var days = [first]
        while let day = days.last, day < last {
            switch unit {
            case .day: days.append(CivilDate(day: day.day + 1))
            case .week: days.append(CivilDate(day: day.day + 7))
            case .month: days.append(day.adding(months: 1))
            }
        }
        return days
    }
}

extension BreakdownOptions.DateBin: ExpressibleByArgument {}
extension ActivityBreakdown.Unit: ExpressibleByArgument {}
