import WinnowColumns
import WinnowFormat
import WinnowJSON
import WinnowModel

/// Saved segments, and when their lists were refreshed.
enum SegmentsFamily: PartFamily {
    static let kind = PartKind.segments
    static let share = StoreShare.catalogue

    static func size(in batch: Batch) -> Int {
        batch.segments.reduce(0) { $0 + $1.name.count + ($1.rule?.count ?? 0) + 64 }
            + batch.refreshes.count * 24
    }

    static func write(_ merge: Merge, to part: PartWriter) throws(WinnowError) -> PartReference {
        var all = SegmentsPart()
        for reference in merge.older { all.add(try SegmentsPart(merge.directory.open(reference))) }
        var new = SegmentsPart()
        new.segments = merge.batch.segments
        new.refreshes = merge.batch.refreshes
        new.nextList = max(
            try merge.snapshot.savedSegments().nextList,
            (merge.batch.segments.map(\.list).max() ?? 0) + 1)
        all.add(new)
        if merge.isWhole(kind) { all.forgetRemoved() }
        if let horizon = merge.batch.droppedBefore { all.forget(before: horizon) }
        return try all.write(to: part)
    }

    static func verify(_ check: StoreCheck) throws(WinnowError) {
        let saved = try check.snapshot.savedSegments()
        let path = check.manifest
        let lists = saved.all.map(\.list).filter { $0 != 0 }
        check.findings.expect(
            Set(lists).count == lists.count, path, "two saved segments have the same members")
        for refreshes in saved.refreshes.values {
            check.findings.expect(
                zip(refreshes, refreshes.dropFirst()).allSatisfy { $0.asOf <= $1.asOf }, path,
                "refreshes of a saved segment are out of order")
        }
        for segment in saved.all {
            guard let rule = segment.rule else { continue }
            check.findings.expect(
                (try? JSONValue(parsing: String(decoding: rule, as: UTF8.self))) != nil, path,
                "the rule of a saved segment is no JSON")
        }
    }

    static func search(
        _ file: PartFile, for value: SoughtValue, _ schema: Schema, _ found: Findings
    ) throws(WinnowError) {
        for segment in try SegmentsPart(file).segments {
            let name = String(decoding: segment.name, as: UTF8.self)
            let texts = [segment.name, segment.description ?? []]
            let isText = texts.contains { value.isEqual(to: $0) }
            if isText || segment.literals.contains(where: { value.isEqual(to: $0.utf8) }) {
                found.add(file.path, "found in the saved segment “\(name)”")
            }
        }
    }
}

extension StoredSegment {
    /// The strings that stand as values in its rule.
    package var literals: [String] {
        guard let rule,
            let document = try? JSONValue(parsing: String(decoding: rule, as: UTF8.self))
        else { return [] }
        var literals: [String] = []
        func visit(_ value: JSONValue) {
            switch value {
            case .string(let text): literals.append(text)
            case .array(let elements): elements.forEach(visit)
            case .object(let members): members.forEach { visit($0.value) }
            case .null, .boolean, .number: break
            }
        }
        visit(document)
        return literals
    }
}

/// The saved segments of a version.
package struct SavedSegments: Sendable {
    /// By name, bytewise.
    package let all: [StoredSegment]
    /// Per list, oldest first.
    package let refreshes: [UInt32: [StoredRefresh]]
    /// The first list number that no segment ever had.
    package let nextList: UInt32

    init(_ parts: [SegmentsPart]) {
        var whole = SegmentsPart()
        for part in parts { whole.add(part) }
        whole.forgetRemoved()
        all = whole.segments.sorted { $0.name.lexicographicallyPrecedes($1.name) }
        refreshes = Dictionary(grouping: whole.refreshes, by: \.list)
        nextList = whole.nextList
    }

    /// The segment of a name; nil when there is none. Complexity: O(log segments).
    package func named(_ name: String) -> StoredSegment? {
        let name = Array(name.utf8)
        let low = firstNotBelow(all.indices) { all[$0].name.lexicographicallyPrecedes(name) }
        return low < all.count && all[low].name == name ? all[low] : nil
    }

    /// When the members of a static segment were found last.
    package func lastRefresh(_ segment: StoredSegment) -> StoredRefresh? {
        refreshes[segment.list]?.last
    }
}

extension StoreVersion {
    /// The members of static segments, oldest part first.
    package func memberships() throws(WinnowError) -> [MembershipPart] {
        var parts: [MembershipPart] = []
        for file in try files(.members) { parts.append(try MembershipPart(file)) }
        return parts
    }
}
