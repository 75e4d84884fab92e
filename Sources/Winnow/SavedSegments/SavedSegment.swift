import WinnowColumns
import WinnowJSON
import WinnowModel
import WinnowQuery
import WinnowRules
import WinnowStorage

/// A segment that a store keeps under a name.
public struct SavedSegment: Sendable {
    /// What it keeps.
    public enum Kind: String, Sendable, CaseIterable {
        /// A rule, which is evaluated when the segment is used.
        case dynamic
        /// Its members as they were found last, who came and who left, and perhaps the rule by which
        /// they are found.
        case `static`
    }

    /// 1 to 255 bytes.
    public var name: String
    /// What it keeps.
    public var kind: Kind
    /// What people say of it; nil for nothing.
    public var description: String?
    /// Members of a static one as of its last refresh, less those that are erased; nil of a dynamic
    /// one.
    public var members: Int?
    /// As of when the members were found last; nil of a dynamic one.
    public var refreshed: Instant?
    /// The saved segments that its rule uses, in byte order.
    public var uses: [String]
    /// The saved segments whose rules use it, in byte order.
    public var usedBy: [String]
    /// Its rule; nil for a list of ids.
    public var rule: Segment?
}

/// Once that the members of a static segment were found.
public struct SegmentRefresh: Sendable, Hashable {
    /// The segment.
    public var name: String
    /// As of which instant.
    public var asOf: Instant
    /// Profiles that entered, and that left.
    public var entered, left: Int
    /// Members from then on.
    public var members: Int
}

extension Snapshot {
    /// The segments that the store keeps, in the byte order of their names.
    /// - Throws: `damaged` when the store is.
    /// - Complexity: O(segments), and O(blocks) for each static one.
    public func savedSegments() throws(WinnowError) -> [SavedSegment] {
        try savedSegments { _ in true }
    }

    /// The same of some of them.
    private func savedSegments(
        where isWanted: (StoredSegment) -> Bool
    ) throws(WinnowError) -> [SavedSegment] {
        let saved = try snapshot.savedSegments()
        var rules: [Segment?] = []
        for stored in saved.all {
            rules.append(stored.rule == nil ? nil : try stored.segment())
        }
        var usedBy: [[UInt8]: [String]] = [:]
        for (stored, rule) in zip(saved.all, rules) {
            for name in rule?.rule.segmentsUsed ?? [] {
                usedBy[Array(name.utf8), default: []].append(stored.text)
            }
        }
        let lists = saved.all.filter { $0.isStatic && isWanted($0) }.map(\.list)
        let counts = try evaluator(EvaluationOptions(), Cancellation()).members(
            of: lists, try snapshot.memberships(), asOf: .last)
        let members = Dictionary(uniqueKeysWithValues: zip(lists, counts))
        return zip(saved.all, rules).filter { isWanted($0.0) }.map { stored, rule in
            SavedSegment(
                name: stored.text, kind: stored.isStatic ? .static : .dynamic,
                description: stored.description.map { String(decoding: $0, as: UTF8.self) },
                members: members[stored.list],
                refreshed: saved.lastRefresh(stored).map { Instant(milliseconds: $0.asOf) },
                uses: (rule?.rule.segmentsUsed ?? []).sorted {
                    $0.utf8.lexicographicallyPrecedes($1.utf8)
                }, usedBy: usedBy[stored.name] ?? [], rule: rule)
        }
    }

    /// One of the segments that the store keeps.
    /// - Throws: `notFound` for a name that it does not have.
    public func savedSegment(_ name: String) throws(WinnowError) -> SavedSegment {
        guard let segment = try savedSegments(where: { sameBytes($0.text, name) }).first else {
            throw try noSegment(name)
        }
        return segment
    }

    /// When the members of a static segment were found, oldest first; the first time is when it was
    /// saved. Of what was dropped only the last time is left. `members` are those of that time,
    /// profiles that were erased since among them.
    /// - Throws: `notFound` for a name that the store does not have, `usage` for a dynamic segment.
    public func refreshes(of name: String) throws(WinnowError) -> [SegmentRefresh] {
        let saved = try snapshot.savedSegments()
        let stored = try storedSegment(name)
        guard stored.isStatic else {
            throw .usage(
                "“\(name)” is evaluated when it is used; only static segments have a history")
        }
        return (saved.refreshes[stored.list] ?? []).map { SegmentRefresh(name: name, $0) }
    }

    /// The saved segments whose rules have an id, e-mail address, phone number or contact of some
    /// profiles in them, as it is, in the byte order of their names.
    /// - Parameter ids: external ids; those that the store does not have are passed over.
    /// - Complexity: as evaluating a rule for each segment.
    public func savedSegments(naming ids: [String]) throws(WinnowError) -> [String] {
        try savedSegments(naming: ids.map { Array($0.utf8) })
    }

    func savedSegments(naming ids: [[UInt8]]) throws(WinnowError) -> [String] {
        let ruled = try snapshot.savedSegments().all.filter {
            $0.literals.contains { !$0.isEmpty }
        }
        guard !ruled.isEmpty else { return [] }
        let keys = try snapshot.keys()
        let rows = Set(ids.compactMap { keys.code(of: $0).map(Row.init(rawValue:)) })
        let options = EvaluationOptions()
        var found: [String] = []
        for stored in ruled {
            let literals = Set(stored.literals.filter { !$0.isEmpty }.map { Array($0.utf8) }).map {
                String(decoding: $0, as: UTF8.self)
            }
            let segment = [Schema.idName, "email", "phone"].reduce(
                Segment.subscription(.exists, contacts: literals)
            ) {
                // Addresses are compared without case.
                let ignoresCase = $1 == Schema.idName ? nil : true
                return $0
                    || .field($1, in: literals.map { .string($0) }, ignoringCase: ignoresCase)
            }
            let binding = try Binding(self, options, of: [])
            let plan = try binding.bind(segment).plan
            let matching = try evaluator(options, Cancellation()).rows(plan)
            if matching.contains(where: rows.contains) { found.append(stored.text) }
        }
        return found
    }

    /// What the store keeps of a segment.
    func storedSegment(_ name: String) throws(WinnowError) -> StoredSegment {
        guard let stored = try snapshot.savedSegments().named(name) else {
            throw try noSegment(name)
        }
        return stored
    }

    private func noSegment(_ name: String) throws(WinnowError) -> WinnowError {
        let names = try snapshot.savedSegments().all.map(\.text)
        return .notFound(what: "segment", path: name + nearestHint(for: name, among: names))
    }
}

extension StoredSegment {
    /// The name.
    var text: String { String(decoding: name, as: UTF8.self) }
}

extension SegmentRefresh {
    init(name: String, _ stored: StoredRefresh) {
        self.init(
            name: name, asOf: Instant(milliseconds: stored.asOf), entered: Int(stored.entered),
            left: Int(stored.left), members: Int(stored.members))
    }
}

extension SavedSegment: JSONWritable {
    package func write(to json: inout JSONWriter) { json.object { members(to: &$0) } }

    private func members(to json: inout JSONWriter) {
        json.member("name", name)
        json.member("kind", kind.rawValue)
        json.member("description", description)
        json.member("members", members)
        json.member("refreshed", refreshed?.description)
        json.member("uses") { $0.array(uses) { $0.value($1) } }
        json.member("used_by") { $0.array(usedBy) { $0.value($1) } }
    }

    /// The same with the rule, as JSON and as text.
    /// - Throws: `invalidRule` for a rule that has no text.
    package func jsonWithRule() throws(WinnowError) -> String {
        let rule = try rule.map { (rule) throws(WinnowError) in
            (document: try rule.json(), text: try rule.text())
        }
        var json = JSONWriter()
        json.object { json in
            members(to: &json)
            json.member("rule") { $0.literal(rule?.document ?? "null") }
            json.member("text", rule?.text)
        }
        return json.text
    }
}

extension SegmentRefresh: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object {
            $0.member("name", name)
            $0.member("as_of", asOf.description)
            $0.member("entered", entered)
            $0.member("left", left)
            $0.member("members", members)
        }
    }
}
