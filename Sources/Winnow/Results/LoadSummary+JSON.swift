import WinnowJSON
import WinnowModel

extension LoadSummary {
    /// The summary as one object of JSON.
    /// - Parameter elapsed: how long the load took.
    package func json(of kind: LoadKind, elapsed: Duration) -> String {
        let (seconds, attoseconds) = elapsed.components
        let milliseconds = String(attoseconds / 1_000_000_000_000_000)
        let fraction = String(repeating: "0", count: max(0, 3 - milliseconds.count)) + milliseconds
        var json = JSONWriter()
        json.object { json in
            json.member("rows", rows)
            json.member("new", new)
            json.member("updated", updated)
            json.member("skipped", skipped)
            json.member("rejected", rejected)
            json.member("duplicates", duplicates)
            json.member("ambiguous", 0)
            json.member("kinds") { json in
                json.object { $0.member(kind.rawValue, rows - skipped - rejected - duplicates) }
            }
            json.member("yielded_nothing") { $0.object { _ in } }
            json.member("ignored_columns") { json in
                json.array(ignoredColumns) { $0.value($1) }
            }
            json.member("blank_ids", blankIDs)
            json.member("seconds") { $0.literal("\(seconds).\(fraction)") }
            json.member("version", version)
            json.member("repeated", isRepeated)
        }
        return json.text
    }
}
