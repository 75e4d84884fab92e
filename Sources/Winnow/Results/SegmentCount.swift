import WinnowJSON
import WinnowModel
import WinnowRules

/// How many profiles a segment has, and how that was understood.
public struct SegmentCount: Sendable {
    /// The segment's own.
    public var name: String?
    /// Profiles in the segment, exactly.
    public var count: Int
    /// All live profiles.
    public var universe: Int
    /// The instant of evaluation.
    public var asOf: Instant
    /// What binding the segment took, and its share of the pass over the profiles.
    public var elapsed: Duration
    /// Of the store.
    public var version: UInt64
    /// The windows of the rule in absolute time, in the order of the rule.
    public var windows: [WindowReport]
    /// What the rule's author should know.
    public var warnings: [RuleWarning]
}

extension SegmentCount: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("name", name)
            json.member("count", count)
            json.member("universe", universe)
            json.member("as_of", asOf.description)
            json.member("elapsed_ms") { $0.literal(elapsed.millisecondText) }
            json.member("version", version)
            json.member("windows") {
                $0.array(windows) { json, report in
                    json.object {
                        $0.member("path", report.path.description)
                        $0.member("from", report.window.from?.description)
                        $0.member("to", report.window.to?.description)
                        $0.member("to_inclusive", report.window.toInclusive)
                    }
                }
            }
            json.member("warnings") { $0.array(warnings) { $1.write(to: &$0) } }
        }
    }
}

extension RuleWarning: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object {
            $0.member("code", code)
            $0.member("path", path.description)
            $0.member("message", message)
        }
    }
}

extension Duration {
    /// Milliseconds with four digits after the point: some segments take less than a microsecond.
    package var millisecondText: String {
        let tenths = components.seconds * 10_000_000 + components.attoseconds / 100_000_000_000
        let digits = String(tenths % 10_000)
        return "\(tenths / 10_000).\(String(repeating: "0", count: 4 - digits.count))\(digits)"
    }
}
