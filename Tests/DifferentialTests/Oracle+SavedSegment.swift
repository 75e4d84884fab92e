import Foundation

/// A saved segment, kept by hand.
struct OracleSegment: Sendable {
    /// A rule document; nil for a list of ids.
    var rule: String?
    /// nil for a dynamic one.
    var list: OracleList?
}

/// Who was in a static segment, as sets.
struct OracleList: Sendable {
    struct Change: Sendable {
        var time: Int64
        var entered: Set<String>
        var left: Set<String>
    }

    /// Who was there before the changes that are left.
    var base: Set<String> = []
    var changes: [Change] = []
    /// What happened before was dropped.
    var horizon = Int64.min
    /// When it was refreshed first and last, also where that was dropped.
    var first = Int64.max
    var refreshed = Int64.min

    func members(asOf: Int64) -> Set<String> {
        if asOf < horizon { return [] }
        return changes.filter { $0.time <= asOf }.reduce(base) {
            $0.subtracting($1.left).union($1.entered)
        }
    }

    var members: Set<String> { members(asOf: .max) }

    /// Makes the members others; returns who enters and who leaves.
    mutating func change(to new: Set<String>, at time: Int64) -> (entered: Int, left: Int) {
        let old = members
        let change = Change(
            time: time, entered: new.subtracting(old), left: old.subtracting(new))
        changes.append(change)
        first = min(first, time)
        refreshed = time
        return (change.entered.count, change.left.count)
    }

    mutating func drop(before time: Int64) {
        guard horizon < time, first < time else { return }
        for change in changes where change.time < time {
            base.subtract(change.left)
            base.formUnion(change.entered)
        }
        changes.removeAll { $0.time < time }
        horizon = time
    }

    mutating func erase(_ ids: Set<String>) {
        base.subtract(ids)
        for i in changes.indices {
            changes[i].entered.subtract(ids)
            changes[i].left.subtract(ids)
        }
    }
}

extension Oracle {
    func rows(segment node: OracleJSON, at moment: Moment) throws -> [Bool] {
        let object = (try? node.required("name")) != nil
        let name = try (object ? node.required("name") : node).word()
        guard let segment = segments[name] else {
            throw OracleFailure(description: "no segment “\(name)”")
        }
        if !object {
            let members: Set<String>
            if let list = segment.list {
                members = list.members(asOf: moment.asOf)
            } else {
                members = try matching(
                    rule: segment.rule ?? "", asOf: moment.asOf, timezone: moment.usualZone)
            }
            return ids.map(members.contains)
        }
        guard let list = segment.list else {
            throw OracleFailure(description: "“\(name)” has no history")
        }
        let enters = node["entered"] != nil
        let history = try node.required(enters ? "entered" : "left")
        try history.allowOnly(["at_least", "during"])
        let atLeast = try history["at_least"].map { Int(try $0.integer()) } ?? 1
        let window = try history["during"].map {
            try moment.calendar.window($0, asOf: moment.asOf)
        }
        let counting = list.changes.filter {
            $0.time <= moment.asOf && window?.contains($0.time) ?? true
        }
        return ids.map { id in
            counting.count { (enters ? $0.entered : $0.left).contains(id) } >= atLeast
        }
    }
}
