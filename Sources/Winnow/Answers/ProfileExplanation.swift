import WinnowBitmaps
import WinnowColumns
import WinnowFormat
import WinnowJSON
import WinnowModel
import WinnowQuery
import WinnowRules
import WinnowStorage

/// Why one profile is in a segment, or is not.
public struct ProfileExplanation: Sendable {
    /// One node of a rule, as it is for the profile.
    public struct Node: Sendable {
        /// Where it is in the rule: `where.all[0]`.
        public var path: RulePath
        /// What it says as text; groups are only `all of`, `any of` and `not`.
        public var text: String
        /// Whether the profile is in it.
        public var matches: Bool
        /// What the profile's events that count add up to, or how many goals or subscriptions count;
        /// nil for other nodes.
        public var count: UInt64?
        /// What the count must be at least; nil for other nodes.
        public var neededFrom: UInt64?
        /// What the count may be at most; nil for no limit.
        public var neededTo: UInt64?
        /// The campaign, template or message that decides: the first, by bytes, that meets the
        /// condition, else the one whose count is nearest. `count` is its.
        public var object: String?
        /// The latest five events that count, and the latest five that they are paired with, newest
        /// first; nil for nodes of other things than activity.
        public var deciding: [ProfileEvent]?
        /// Where there are too few events: the latest of the same kind that misses the fewest of
        /// what is asked.
        public var nearest: ProfileEvent?
        /// What that event misses, of `window`, `campaigns`, `templates`, `links`, `by`, `after`.
        public var misses: [String]
        /// The value of the field, as JSON; nil for other nodes.
        public var value: String?
    }

    /// The profile's external id.
    public var id: String
    /// Whether it is in the segment.
    public var matches: Bool
    /// Parents before children, in the order of the rule; all are evaluated, decided or not.
    public var nodes: [Node]
    /// The instant of evaluation.
    public var asOf: Instant
    /// What the rule's author should know.
    public var warnings: [RuleWarning]
}

extension Snapshot {
    /// Says why a profile is in a segment, or is not: each node of the rule, with the events that
    /// decide and those that nearly count.
    /// - Parameter segment: the segment.
    /// - Parameter id: the profile's external id.
    /// - Parameter options: when and how the segment is evaluated.
    /// - Throws: `notFound` for a profile that is not there; `invalidRule` with the place in the rule.
    /// - Complexity: as evaluating the rule in one block, and O(records of the profile) for each
    ///   condition.
    public func explain(
        _ segment: Segment, profile id: String, _ options: EvaluationOptions = EvaluationOptions()
    ) throws(WinnowError) -> ProfileExplanation {
        let binding = try Binding(self, options, of: [segment])
        let time = try binding.time(segment)
        let bound = try segment.bindNodes(
            to: snapshot, time, strict: options.strict)
        guard let code = try snapshot.fewKeys().code(of: id) else {
            throw .notFound(what: "profile", path: id)
        }
        let row = Row(rawValue: code)
        let matches = try evaluator(options, Cancellation()).matches(bound, row)
        let reckoner = ProfileReckoner(snapshot, row)
        var nodes: [ProfileExplanation.Node] = []
        for (node, matches) in zip(bound, matches) {
            let found = try reckoner.reckon(node.rule, time)
            var isActivity = false
            if case .activity = node.rule.node { isActivity = true }
            var value: String?
            if case .field(let field) = node.rule.node { value = try json(field.name, of: row, id) }
            nodes.append(
                ProfileExplanation.Node(
                    path: node.path, text: try node.text, matches: matches, count: found.count,
                    neededFrom: found.needed?.from, neededTo: found.needed?.to,
                    object: found.object, deciding: isActivity ? found.deciding : nil,
                    nearest: found.nearest?.event, misses: found.nearest?.misses ?? [],
                    value: value))
        }
        return ProfileExplanation(
            id: id, matches: matches.first ?? false, nodes: nodes, asOf: binding.asOf,
            warnings: bound.flatMap(\.warnings))
    }

    /// The value of a field of a profile as JSON; nil where it has none.
    private func json(_ name: String, of row: Row, _ id: String) throws(WinnowError) -> String? {
        guard let index = schema.index(of: name) else { return jsonString(id) }
        let rows = BlockSet.allocate()
        defer { rows.deallocate() }
        rows.clear()
        rows.insert(Int(row.inBlock))
        let column = try FieldColumn(try snapshot.profiles(), schema.fields[index])
        if let value = try column.value(of: row, rows) { return schema.fields[index].json(value) }
        return index == schema.globalStatus ? jsonString(Schema.usualStatus) : nil
    }
}

extension ProfileExplanation: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("id", id)
            json.member("matches", matches)
            json.member("nodes") { $0.array(nodes) { $1.write(to: &$0) } }
        }
    }
}

extension ProfileExplanation.Node: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("path", path.description)
            json.member("text", text)
            json.member("matches", matches)
            json.member("count", count)
            json.member("needed") { json in
                guard let neededFrom else { return json.literal("null") }
                json.object {
                    $0.member("from", neededFrom)
                    $0.member("to", neededTo)
                }
            }
            json.member("object", object)
            json.member("deciding") { json in
                guard let deciding else { return json.literal("null") }
                json.array(deciding) { $1.write(to: &$0) }
            }
            json.member("nearest") { json in
                guard let nearest else { return json.literal("null") }
                json.object { json in
                    json.member("event") { nearest.write(to: &$0) }
                    json.member("misses") { $0.array(misses) { $0.value($1) } }
                }
            }
            json.member("value") { $0.literal(value ?? "null") }
        }
    }
}
