import WinnowColumns
import WinnowJSON
import WinnowModel
import WinnowQuery
import WinnowRules
import WinnowStorage

/// A static segment against what its rule says: who would enter and leave it, and why.
public struct SegmentDifference: Sendable {
    /// A node of the rule that decides about some profiles.
    public struct Reason: Sendable, Hashable {
        /// Where it is in the rule, as errors name it; nil where none decides: the profile matched as
        /// of the last refresh already, by data that was loaded later.
        public var path: RulePath?
        /// The node as text; groups are only `all of`, `any of` and `not`.
        public var text: String?
        /// Profiles.
        public var count: Int
    }

    /// One profile that would enter or leave.
    public struct Change: Sendable, Hashable {
        /// Its external id.
        public var id: String
        /// Whether it would enter; else it would leave.
        public var enters: Bool
        /// The node that decides.
        public var path: RulePath?
    }

    /// Profiles that would enter, and leave.
    public var entered, left: Int
    /// The nodes that profiles which leave fail now, in the order of the rule: in `all of` the first
    /// part that fails, in `any of` the first part, in `not` its part when that is no group.
    public var leftBy: [Reason]
    /// The nodes that profiles which enter failed as of the last refresh.
    public var enteredBy: [Reason]
    /// In the order of rows; empty where they were not asked for.
    public var changes: [Change]
    /// What the rule's author should know.
    public var warnings: [RuleWarning]
}

extension Snapshot {
    /// Compares a static segment with what its rule says.
    /// - Parameter name: of a static segment that has a rule.
    /// - Parameter listsProfiles: whether each profile is wanted.
    /// - Parameter options: as of when the rule is evaluated.
    /// - Throws: `notFound` for a name that the store does not have, `usage` for a segment without a
    ///   rule or without members.
    /// - Complexity: as counting the rule, and where somebody changes its conditions twice more.
    public func difference(
        of name: String, listsProfiles: Bool = false,
        _ options: EvaluationOptions = EvaluationOptions()
    ) throws(WinnowError) -> SegmentDifference {
        let stored = try storedSegment(name)
        guard stored.isStatic, stored.rule != nil,
            let last = try snapshot.savedSegments().lastRefresh(stored)
        else {
            throw .usage(
                stored.isStatic
                    ? "“\(name)” is a list of ids; there is no rule to compare it with"
                    : "“\(name)” is evaluated when it is used; there are no members to compare")
        }
        let segment = try stored.segment()
        let binding = try Binding(self, options, of: [segment])
        let time = try binding.time(segment)
        let bound = try binding.bind(segment)
        let now = try segment.bindNodes(to: snapshot, time, strict: options.strict)
        var then = time
        then.asOf = Instant(milliseconds: last.asOf)
        let before = try segment.bindNodes(to: snapshot, then, strict: false)
        let found = try evaluator(options, Cancellation()).difference(
            of: RefreshedList(list: stored.list, bound.plan), try snapshot.memberships(), now: now,
            before: before, listsRows: listsProfiles)
        func reasons(_ counts: [Int?: Int]) throws(WinnowError) -> [SegmentDifference.Reason] {
            var reasons: [SegmentDifference.Reason] = []
            for (node, count) in counts.sorted(by: { ($0.key ?? .max) < ($1.key ?? .max) }) {
                reasons.append(
                    SegmentDifference.Reason(
                        path: node.map { now[$0].path },
                        text: try node.map { (node) throws(WinnowError) in try now[node].text },
                        count: count))
            }
            return reasons
        }
        var changes: [SegmentDifference.Change] = []
        if listsProfiles {
            let keys = try snapshot.keys()
            for (row, enters, node) in found.rows {
                let id = unsafe keys.bytes(row.rawValue).map {
                    unsafe String(decoding: $0, as: UTF8.self)
                }
                changes.append(
                    SegmentDifference.Change(
                        id: id ?? "", enters: enters, path: node.map { now[$0].path }))
            }
        }
        return SegmentDifference(
            entered: found.entered.values.reduce(0, +), left: found.left.values.reduce(0, +),
            leftBy: try reasons(found.left), enteredBy: try reasons(found.entered),
            changes: changes, warnings: bound.warnings)
    }
}

extension SegmentDifference: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("entered", entered)
            json.member("left", left)
            json.member("left_by") { $0.array(leftBy) { $1.write(to: &$0) } }
            json.member("entered_by") { $0.array(enteredBy) { $1.write(to: &$0) } }
        }
    }
}

extension SegmentDifference.Reason: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object {
            $0.member("path", path?.description)
            $0.member("text", text)
            $0.member("count", count)
        }
    }
}

extension SegmentDifference.Change: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object {
            $0.member("id", id)
            $0.member("change", enters ? "entered" : "left")
            $0.member("path", path?.description)
        }
    }
}
