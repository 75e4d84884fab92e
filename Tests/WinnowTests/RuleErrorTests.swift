import Testing
import Winnow

@Suite("Rules that make no sense say so, and where")
struct RuleErrorTests {
    @Test("with a message, exit code 64, and no trace in the store")
    func messages() throws {
        let fixture = try Fixture()
        let store = try fixture.create([
            Field(name: "n", type: .integer), Field(name: "d", type: .decimal, scale: 1),
            Field(name: "b", type: .boolean), Field(name: "day", type: .date),
            Field(name: "at", type: .datetime),
            Field(name: "set", type: .stringSet), Field(name: "s", type: .string),
        ])
        let before = try fixture.contents()
        let snapshot = try store.snapshot()
        let lines = try Fixture.vectors("invalid-rules.txt")
        #expect(lines.count >= 200)
        for i in stride(from: 0, to: lines.count, by: 2) {
            let error = #expect(throws: WinnowError.self, "\(lines[i])") {
                try snapshot.count(try Segment(json: lines[i]))
            }
            #expect(error?.description == String(lines[i + 1].dropFirst(3)), "\(lines[i])")
            #expect(error?.exitCode == 64, "\(lines[i])")
        }
        #expect(try fixture.contents() == before)
    }

    @Test("nesting, nodes and size have limits")
    func limits() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: #"{"not": "#, count: depth - 1)
                + #"{"field": {"name": "id", "operator": "exists"}}"#
                + String(repeating: "}", count: depth - 1)
        }
        _ = try Segment(json: nested(16))
        #expect(throws: WinnowError.self) { try Segment(json: nested(17)) }
        func wide(_ nodes: Int) -> String {
            let leaf = #"{"field": {"name": "id", "operator": "exists"}}"#
            return #"{"any": ["# + Array(repeating: leaf, count: nodes - 1).joined(separator: ",")
                + "]}"
        }
        _ = try Segment(json: wide(512))
        #expect(throws: WinnowError.self) { try Segment(json: wide(513)) }
        let padded = "{" + String(repeating: " ", count: RuleLimits.bytes) + wide(3).dropFirst()
        #expect(throws: WinnowError.self) { try Segment(json: padded) }
    }
}
