import WinnowJSON
import WinnowModel
import WinnowQuery
import WinnowRules

/// How segments share their profiles, exactly.
public struct SegmentOverlap: Sendable {
    /// The segments' own names; of one without, its text.
    public var names: [String]
    /// Profiles in each.
    public var counts: [Int]
    /// Per segment and segment, the profiles in both; `matrix[i][i]` is `counts[i]`.
    public var matrix: [[Int]]
    /// Profiles in at least one.
    public var union: Int
    /// Profiles in all.
    public var intersection: Int
    /// Per segment, the profiles in it and no other.
    public var only: [Int]
    /// All live profiles.
    public var universe: Int
    /// The instant of evaluation.
    public var asOf: Instant
    /// Of the store.
    public var version: UInt64
    /// Per segment, what the rule's author should know.
    public var warnings: [[RuleWarning]]
}

extension Snapshot {
    /// How many segments an overlap is of.
    public static let overlapSegments = 2...64

    /// How 2 to 64 segments share their profiles, all as of the same instant.
    /// - Throws: `usage` for another number of segments; `invalidRule` with the place in the rule.
    /// - Complexity: as counting them together, and O(segments²) for each block of profiles.
    public func overlap(
        of segments: [Segment], _ options: EvaluationOptions = EvaluationOptions()
    ) throws(WinnowError) -> SegmentOverlap {
        guard Snapshot.overlapSegments.contains(segments.count) else {
            throw .usage("an overlap is of 2 to 64 segments, not \(segments.count)")
        }
        let binding = try Binding(self, options, of: segments)
        var bound: [BoundSegment] = []
        var names: [String] = []
        for segment in segments {
            bound.append(try binding.bind(segment))
            names.append(try segment.title)
        }
        let found = try evaluator(options, Cancellation()).overlap(bound.map(\.plan))
        return SegmentOverlap(
            names: names, counts: found.matrix.indices.map { found.matrix[$0][$0] },
            matrix: found.matrix, union: found.union, intersection: found.intersection,
            only: found.only, universe: profiles, asOf: binding.asOf, version: version,
            warnings: bound.map(\.warnings))
    }
}

extension Segment {
    /// What it is called: its name, else its text; JSON where it has no text.
    package var title: String {
        get throws(WinnowError) {
            if let name { return name }
            do throws(WinnowError) { return try text() } catch { return try json() }
        }
    }
}

extension SegmentOverlap: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("names") { $0.array(names) { $0.value($1) } }
            json.member("counts") { $0.array(counts) { $0.value($1) } }
            json.member("matrix") { $0.array(matrix) { $0.array($1) { $0.value($1) } } }
            json.member("union", union)
            json.member("intersection", intersection)
            json.member("only") { $0.array(only) { $0.value($1) } }
            json.member("universe", universe)
            json.member("as_of", asOf.description)
            json.member("version", version)
            json.member("warnings") { $0.array(warnings.joined()) { $1.write(to: &$0) } }
        }
    }
}
