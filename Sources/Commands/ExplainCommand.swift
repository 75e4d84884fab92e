import ArgumentParser
import Winnow
import WinnowJSON

struct ExplainCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract:
            "Says how a segment comes to its count: each part of the rule with a count of its own.",
        discussion: """
                winnow explain demo-store 'email opened exists and not country = "DE"'
                winnow explain demo-store 'email clicked exists' --profile u17

            “left” is how many are left after a part and all before it. --profile says why one profile \
            is in or out. What a rule can say: \
            winnow rule --help.
            """)

    @Argument(help: "The store.") var store: String
    @OptionGroup var rule: RuleArguments
    @Option(help: "Why the profile with this id is in the segment, or is not.") var profile: String?
    @Option(help: "text or json.") var format: OutputFormat = .text
    @OptionGroup var evaluation: EvaluationArguments

    func run(in session: any Session) throws {
        let rule = try rule.read()
        let snapshot = try session.snapshot(of: store)
        let options = try evaluation.options()
        if let profile {
            let found = try rule.asking { (segment) throws(WinnowError) in
                try snapshot.explain(segment, profile: profile, options)
            }
            if session.wantsJSON(format) { return try session.answer(found.json) }
            session.tell(rule, found.warnings)
            return try session.print(ProfileExplanationText.text(found))
        }
        let found = try rule.asking { (segment) throws(WinnowError) in
            try snapshot.explain(segment, options)
        }
        if session.wantsJSON(format) { return try session.answer(found.json) }
        session.tell(rule, found.nodes.flatMap(\.warnings))
        try session.print(ExplanationText(found).text)
    }
}

/// An explanation as a tree.
private struct ExplanationText {
    private let found: SegmentExplanation
    private var lines: [String] = []
    /// Where texts end and figures begin.
    private let width: Int

    init(_ found: SegmentExplanation) {
        self.found = found
        let longest = found.nodes.map { $0.text.count + 2 * ($0.path.depth + 1) }.max() ?? 0
        width = min(max(longest, 10), 44)
        lines.append(
            "\(Figures.grouped(found.count)) of \(Figures.grouped(found.universe)) profiles, "
                + "\(Figures.share(found.count, of: found.universe)), as of \(found.asOf)")
        lines.append("")
        add(0, indent: "", mark: "")
    }

    var text: String { lines.joined(separator: "\n") }

    /// The children of a node, by their places.
    private func children(_ node: Int) -> [Int] {
        let depth = found.nodes[node].path.depth
        let rest = found.nodes.indices.dropFirst(node + 1).prefix {
            found.nodes[$0].path.depth > depth
        }
        return rest.filter { found.nodes[$0].path.depth == depth + 1 }
    }

    private mutating func add(_ place: Int, indent: String, mark: String) {
        let node = found.nodes[place]
        let inner = children(place)
        let room = width - indent.count - mark.count
        let label = indent + mark + Figures.shortened(node.text, max(12, room))
        let count = Figures.grouped(node.count)
        let share = Figures.share(node.count, of: found.universe)
        var line = label + String(repeating: " ", count: max(1, width - label.count + 1))
        line += String(repeating: " ", count: max(0, 11 - count.count)) + count
        line += String(repeating: " ", count: max(1, 9 - share.count)) + share
        if node.isInGroup {
            let bar = Figures.bar(node.after, of: found.universe, width: 10)
            line += "  " + bar + (bar.isEmpty ? "" : " ") + "\(Figures.grouped(node.after)) left"
        }
        lines.append(line)
        let below = indent + (mark.isEmpty ? "" : mark == "└ " ? "  " : "│ ")
        let inset = below + (inner.isEmpty ? "  " : "│ ")
        if inner.isEmpty { lines += details(node).map { inset + $0 } }
        for child in inner {
            add(child, indent: below, mark: child == inner.last ? "└ " : "├ ")
        }
    }

    /// How the node was evaluated, its windows and its scope.
    private func details(_ node: SegmentExplanation.Node) -> [String] {
        var parts: [String] = []
        if let campaigns = node.campaigns {
            parts.append("\(Figures.grouped(campaigns)) campaigns")
        }
        if let templates = node.templates {
            parts.append("\(Figures.grouped(templates)) templates")
        }
        if node.postings > 0 { parts.append("\(Figures.grouped(node.postings)) events") }
        if node.bytes > 0 { parts.append(Figures.bytes(node.bytes)) }
        parts.append(node.ways.joined(separator: ", "))
        var lines = [parts.filter { !$0.isEmpty }.joined(separator: " · ")]
        for window in node.windows {
            let from = window.from.map { "from \(found.local($0)) " } ?? ""
            let to =
                window.to.map { "\(window.toInclusive ? "to" : "before") \(found.local($0))" } ?? ""
            lines.append("\(from)\(to) (\(found.timezone))")
        }
        return lines
    }
}

extension SegmentExplanation.Node {
    /// Whether it is a child of `all` or `any`.
    fileprivate var isInGroup: Bool {
        if case .index? = path.steps.last { true } else { false }
    }
}

extension RulePath {
    /// How many nodes are above: each child of a group is two steps further in, that of `not` one.
    fileprivate var depth: Int {
        steps.dropFirst().count { step in
            switch step {
            case .index: true
            case .key(let name): name == "not"
            }
        }
    }
}

/// Why a profile is in or out, as a tree.
private enum ProfileExplanationText {
    static func text(_ found: ProfileExplanation) -> String {
        var lines = ["\(found.id) is \(found.matches ? "in" : "not in") the segment", ""]
        for node in found.nodes {
            let indent = String(repeating: "  ", count: node.path.depth)
            lines.append("\(indent)\(node.matches ? "✓" : "✗") \(node.text)")
            lines += details(node).map { indent + "    " + $0 }
        }
        return lines.joined(separator: "\n")
    }

    private static func details(_ node: ProfileExplanation.Node) -> [String] {
        var lines: [String] = []
        if let value = node.value { lines.append("the value is \(value)") }
        if let count = node.count, let from = node.neededFrom {
            let wanted =
                switch node.neededTo {
                case nil: "at least \(from)"
                case from?: "\(from)"
                case let to?: "\(from) to \(to)"
                }
            let object = node.object.map { " in \($0)" } ?? ""
            lines.append("\(Figures.grouped(count))\(object), needed \(wanted)")
        }
        for event in node.deciding ?? [] { lines.append(line(event)) }
        if let nearest = node.nearest {
            lines.append("nearly: \(line(nearest)); misses \(node.misses.joined(separator: ", "))")
        }
        return lines
    }

    private static func line(_ event: ProfileEvent) -> String {
        let names = [event.campaign, event.template, event.link].compactMap(\.self)
        let count = event.count == 1 ? "" : " ×\(event.count)"
        return (["\(event.time) \(event.channel.name) \(event.event.name)\(count)"] + names).joined(
            separator: " ")
    }
}
