import WinnowJSON
import WinnowModel
import WinnowQuery
import WinnowRules

/// How a segment comes to its count: each node of its rule with a count of its own.
public struct SegmentExplanation: Sendable {
    /// One node of a rule.
    public struct Node: Sendable {
        /// Where it is in the rule: `where.all[0]`.
        public var path: RulePath
        /// What it says as text; groups are only `all of`, `any of` and `not`. Of a long list the
        /// first ten values are shown.
        public var text: String
        /// Profiles of the node alone, exactly.
        public var count: Int
        /// In a child of `all` the profiles that are in it and all children before it, in a child of
        /// `any` those that are in it or one before it; else `count`.
        public var after: Int
        /// What the planner reckoned before; nil where it reckons nothing.
        public var estimate: Int?
        /// The ways in which the node alone was evaluated, by the names of <doc:Explaining>.
        public var ways: [String]
        /// Leaves of activity, goals or subscriptions in scope.
        public var leaves: Int
        /// Events, goals or subscriptions that were looked at.
        public var postings: Int
        /// Bytes of the files that were looked at: of runs, tables and columns, each as a whole.
        public var bytes: Int
        /// The node's own windows in absolute time.
        public var windows: [ResolvedWindow]
        /// How many objects the selectors chose; nil where there is no selector.
        public var campaigns, templates: Int?
        /// What the rule's author should know of this node.
        public var warnings: [RuleWarning]
    }

    /// Profiles in the segment, exactly.
    public var count: Int
    /// All live profiles.
    public var universe: Int
    /// The instant of evaluation.
    public var asOf: Instant
    /// Of the store.
    public var version: UInt64
    /// What binding and evaluating all nodes took.
    public var elapsed: Duration
    /// Parents before children, in the order of the rule.
    public var nodes: [Node]
    /// The zone of the rule's days.
    let zone: TimeZoneRules
}

extension Snapshot {
    /// Evaluates a segment node by node: how many profiles each has, how many are left after it, and
    /// what it took.
    /// - Throws: `invalidRule` with the place in the rule; `damaged` when the store is.
    /// - Complexity: as counting each condition of the rule alone.
    public func explain(
        _ segment: Segment, _ options: EvaluationOptions = EvaluationOptions()
    ) throws(WinnowError) -> SegmentExplanation {
        let clock = ContinuousClock()
        let start = clock.now
        let binding = try Binding(self, options, of: [segment])
        let zone = try binding.zone(segment)
        let bound = try segment.bindNodes(
            to: snapshot, try binding.time(segment), strict: options.strict)
        let figures = try evaluator(options, Cancellation()).explain(bound)
        let elapsed = clock.now - start
        var nodes: [SegmentExplanation.Node] = []
        for (node, figures) in zip(bound, figures) {
            nodes.append(
                SegmentExplanation.Node(
                    path: node.path, text: try node.text, count: figures.count,
                    after: figures.after, estimate: figures.estimate,
                    ways: figures.paths.taken.map { "\($0)" }, leaves: figures.leaves,
                    postings: figures.postings, bytes: figures.bytes,
                    windows: node.windows.map(\.window), campaigns: node.selected?.campaigns,
                    templates: node.selected?.templates, warnings: node.warnings))
        }
        return SegmentExplanation(
            count: figures.first?.count ?? 0, universe: profiles, asOf: binding.asOf,
            version: version, elapsed: elapsed, nodes: nodes, zone: zone)
    }
}

extension BoundNode {
    /// What the node says.
    package var text: String {
        get throws(WinnowError) {
            switch kind {
            case .all: return "all of"
            case .any: return "any of"
            case .not: return "not"
            case .condition: return NodeText.shortened(try Segment(rule).title)
            }
        }
    }
}

/// Texts of conditions, with short lists.
enum NodeText {
    /// Values of a list that are shown.
    private static let most = 10

    /// The same text where lists in parentheses end after ten values. A condition's text has no other
    /// parentheses outside of strings.
    static func shortened(_ text: String) -> String {
        var out = ""
        var inString = false
        var isEscaped = false
        var depth = 0
        var values = 0
        for character in text {
            if inString {
                if values <= most { out.append(character) }
                if isEscaped {
                    isEscaped = false
                } else if character == "\\" {
                    isEscaped = true
                } else if character == "\"" {
                    inString = false
                }
                continue
            }
            switch character {
            case "(":
                depth += 1
                values = 1
            case ",":
                if depth > 0 { values += 1 }
            case ")":
                depth -= 1
                if values > most { out += ", … \(values - most) more" }
                values = 0
            case "\"": inString = true
            default: break
            }
            if values <= most { out.append(character) }
        }
        return out
    }
}

extension SegmentExplanation {
    /// An instant in the zone of the rule: `2025-09-01 00:00`, with seconds where it has some.
    package func local(_ instant: Instant) -> String {
        let wall = Instant(milliseconds: zone.wall(of: instant)).description
        let day = wall.prefix(10)
        let time = wall.dropFirst(11).dropLast()
        let isWhole = time.hasSuffix(":00.000")
        return
            "\(day) \(isWhole ? time.dropLast(7) : time.hasSuffix(".000") ? time.dropLast(4) : time)"
    }

    /// The name of the rule's zone.
    package var timezone: String { zone.name }
}

extension SegmentExplanation: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("count", count)
            json.member("universe", universe)
            json.member("as_of", asOf.description)
            json.member("version", version)
            json.member("elapsed_ms") { $0.literal(elapsed.millisecondText) }
            json.member("nodes") { $0.array(nodes) { $1.write(to: &$0) } }
        }
    }
}

extension SegmentExplanation.Node: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("path", path.description)
            json.member("text", text)
            json.member("count", count)
            json.member("after", after)
            json.member("estimate", estimate)
            json.member("ways") { $0.array(ways) { $0.value($1) } }
            json.member("leaves", leaves)
            json.member("postings", postings)
            json.member("bytes", bytes)
            json.member("windows") {
                $0.array(windows) { json, window in
                    json.object {
                        $0.member("from", window.from?.description)
                        $0.member("to", window.to?.description)
                        $0.member("to_inclusive", window.toInclusive)
                    }
                }
            }
            json.member("scope") { json in
                guard campaigns != nil || templates != nil else { return json.literal("null") }
                json.object {
                    $0.member("campaigns", campaigns)
                    $0.member("templates", templates)
                }
            }
            json.member("warnings") {
                $0.array(warnings) { json, warning in
                    json.object {
                        $0.member("code", warning.code)
                        $0.member("message", warning.message)
                    }
                }
            }
        }
    }
}
