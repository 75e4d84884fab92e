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
            json.member("ambiguous", ambiguous)
            json.member("kinds") { json in
                json.object { json in
                    guard kind == .feed else {
                        return json.member(
                            kind.rawValue, rows - skipped - rejected - duplicates)
                    }
                    for kind in LoadKind.allCases {
                        if let count = kinds[kind.rawValue] { json.member(kind.rawValue, count) }
                    }
                }
            }
            json.member("yielded_nothing") { json in
                json.object { json in
                    for nothing in yieldedNothing { json.member(nothing.entry, nothing.rows) }
                }
            }
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
