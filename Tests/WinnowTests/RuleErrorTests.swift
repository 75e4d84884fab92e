import Testing
import Winnow

@Suite("Rules that make no sense say so, and where")
struct RuleErrorTests {
    struct Invalid: Sendable, CustomTestStringConvertible {
        var rule: String
        var path: String
        var testDescription: String { rule }
    }

    private static func activity(_ members: String) -> String {
        #"{"activity": {"channel": "email", "event": "clicked", \#(members)}}"#
    }

    static let invalid: [Invalid] = [
        .init(rule: "{}", path: "where"),
        .init(rule: "[]", path: ""),
        .init(rule: "{", path: ""),
        .init(rule: #"{"all": []}"#, path: "where.all"),
        .init(rule: #"{"any": [{"nope": 1}]}"#, path: "where.any[0].nope"),
        .init(rule: #"{"all": [{"field": {"name": "n", "operator": "exists"}}], "not": {}}"#, path: "where"),
        .init(rule: #"{"where": {"not": {"not": 3}}}"#, path: "where.not.not"),
        .init(rule: #"{"where": {"all": []}, "zone": 1}"#, path: "zone"),
        .init(
            rule: #"{"activity": {"channel": "fax", "event": "sent", "operator": "exists"}}"#,
            path: "where.activity.channel"),
        .init(
            rule: #"{"activity": {"channel": "sms", "event": "read", "operator": "exists"}}"#,
            path: "where.activity.event"),
        .init(rule: #"{"activity": {"channel": "sms", "event": "sent"}}"#, path: "where.activity"),
        .init(rule: activity(#""operator": "exists", "during": {"last": 3}"#), path: "where.activity.during"),
        .init(rule: activity(#""operator": "at_least", "times": 0"#), path: "where.activity.times"),
        .init(rule: activity(#""operator": "at_least", "times": 4294967296"#), path: "where.activity.times"),
        .init(rule: activity(#""operator": "at_least", "times": 1.5"#), path: "where.activity.times"),
        .init(rule: activity(#""operator": "between", "times": [3, 2]"#), path: "where.activity.times"),
        .init(rule: activity(#""operator": "not_happened", "times": 2"#), path: "where.activity.times"),
        .init(rule: activity(#""operator": "not_happened", "campaigns": []"#), path: "where.activity.campaigns"),
        .init(rule: activity(#""operator": "not_happened", "campaigns": {}"#), path: "where.activity.campaigns"),
        .init(
            rule: activity(#""operator": "not_happened", "campaigns": {"tags": []}"#),
            path: "where.activity.campaigns.tags"),
        .init(
            rule: activity(#""operator": "at_least", "times": 1, "preceded_by": {"event": "sent"}"#),
            path: "where.activity.preceded_by"),
        .init(
            rule: activity(#""operator": "not_happened", "preceded_by": {"event": "nope"}"#),
            path: "where.activity.preceded_by.event"),
        .init(
            rule: activity(#""operator": "not_happened", "during": {"last": -1}"#), path: "where.activity.during.last"),
        .init(
            rule: activity(#""operator": "not_happened", "during": {"last": 1, "unit": "hours", "mode": "calendar"}"#),
            path: "where.activity.during.mode"),
        .init(
            rule: activity(#""operator": "not_happened", "during": {"days_ago": [1, 2]}"#),
            path: "where.activity.during.days_ago"),
        .init(
            rule: activity(#""operator": "not_happened", "during": {"from": "2026-01-02", "to": "2026-01-01"}"#),
            path: "where.activity.during"),
        .init(
            rule: activity(
                #""operator": "not_happened", "during": {"from": "2026-01-02", "to": "2026-01-03T00:00:00Z"}"#),
            path: "where.activity.during"),
        .init(
            rule: activity(#""operator": "not_happened", "during": {"from": "2026-02-30"}"#),
            path: "where.activity.during.from"),
        .init(rule: activity(#""operator": "not_happened", "operator": "exists""#), path: "where.activity.operator"),
        .init(
            rule: #"{"activity": {"channel": "sms", "event": "sent", "operator": "not_happened", "links": ["l"]}}"#,
            path: "where.activity.links"),
        .init(rule: #"{"field": {"name": "nope", "operator": "exists"}}"#, path: "where.field.name"),
        .init(rule: #"{"field": {"name": "n", "operator": "contains", "value": "1"}}"#, path: "where.field.operator"),
        .init(rule: #"{"field": {"name": "n", "operator": "equals", "value": "1"}}"#, path: "where.field.value"),
        .init(rule: #"{"field": {"name": "n", "operator": "equals", "value": 1.5}}"#, path: "where.field.value"),
        .init(rule: #"{"field": {"name": "n", "operator": "between", "value": [2, 1]}}"#, path: "where.field.value"),
        .init(
            rule: activity(#""operator": "not_happened", "counting": "total", "preceded_by": {"event": "sent"}"#),
            path: "where.activity.counting"),
        .init(
            rule: #"{"field": {"name": "d", "operator": "between", "value": [1e30, 1e29]}}"#, path: "where.field.value"),
        .init(
            rule: #"{"field": {"name": "d", "operator": "between", "value": [-1e29, -1e30]}}"#,
            path: "where.field.value"),
        .init(rule: #"{"field": {"name": "n", "operator": "exists", "value": 1}}"#, path: "where.field.value"),
        .init(
            rule: #"{"field": {"name": "day", "operator": "equals", "value": "2026-01-01T00:00:00Z"}}"#,
            path: "where.field.value"),
        .init(rule: #"{"field": {"name": "s", "operator": "matches", "value": "a\\b"}}"#, path: "where.field.value"),
        .init(rule: #"{"field": {"name": "s", "operator": "in", "value": []}}"#, path: "where.field.value"),
    ]

    @Test("with the path of the mistake", arguments: invalid)
    func path(invalid: Invalid) throws {
        let fixture = try Fixture()
        let store = try fixture.create([
            Field(name: "n", type: .integer), Field(name: "day", type: .date), Field(name: "s", type: .string),
            Field(name: "d", type: .decimal, scale: 1),
        ])
        let snapshot = try store.snapshot()
        let error = #expect(throws: WinnowError.self) { try snapshot.count(try Segment(json: invalid.rule)) }
        guard case .invalidRule(let path, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(path == invalid.path)
    }

    @Test("nesting, nodes and size have limits")
    func limits() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: #"{"not": "#, count: depth - 1) + #"{"field": {"name": "id", "operator": "exists"}}"#
                + String(repeating: "}", count: depth - 1)
        }
        _ = try Segment(json: nested(16))
        #expect(throws: WinnowError.self) { try Segment(json: nested(17)) }
        func wide(_ nodes: Int) -> String {
            let leaf = #"{"field": {"name": "id", "operator": "exists"}}"#
            return #"{"any": ["# + Array(repeating: leaf, count: nodes - 1).joined(separator: ",") + "]}"
        }
        _ = try Segment(json: wide(512))
        #expect(throws: WinnowError.self) { try Segment(json: wide(513)) }
        let padded = "{" + String(repeating: " ", count: 1 << 20) + wide(3).dropFirst()
        #expect(throws: WinnowError.self) { try Segment(json: padded) }
    }
}
