import Foundation
import Testing
import Winnow

@Suite("Rules as text")
struct TextRuleTests {
    private struct Vector {
        var text: String
        var expected: String
        var printed: String
    }

    /// Blocks of lines: a text; a line with =>; perhaps how the text is printed. Blocks of comments
    /// alone are left out.
    private static func vectors(_ name: String) throws -> [Vector] {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Vectors/\(name)")
        let blocks = try String(contentsOf: url, encoding: .utf8).split(separator: "\n\n")
        return try blocks.compactMap { block in
            let lines = block.split(separator: "\n").map(String.init)
            guard lines.contains(where: { !$0.hasPrefix("#") }) else { return nil }
            let arrow = try #require(lines.firstIndex { $0.hasPrefix("=> ") }, "\(block)")
            let text = lines[..<arrow].joined(separator: "\n")
            let printed = lines[(arrow + 1)...].joined(separator: "\n")
            return Vector(
                text: text, expected: String(lines[arrow].dropFirst(3)),
                printed: printed.isEmpty ? text : printed)
        }
    }

    @Test("every line of the grammar means its JSON, and is printed in one way")
    func rules() throws {
        let vectors = try TextRuleTests.vectors("text-rules.txt")
        #expect(vectors.count >= 95)
        for vector in vectors {
            let segment = try Segment(vector.text)
            #expect(try segment.json() == vector.expected, "\(vector.text)")
            #expect(try segment.text() == vector.printed, "\(vector.text)")
            let again = try Segment(json: vector.expected)
            #expect(again == segment, "\(vector.text)")
            #expect(try Segment(try again.text()) == segment, "\(vector.text)")
        }
    }

    @Test("what cannot stand says where, and what could")
    func errors() throws {
        let vectors = try TextRuleTests.vectors("text-errors.txt")
        #expect(vectors.count >= 60)
        for vector in vectors {
            let error = #expect(throws: WinnowError.self, "\(vector.text)") {
                try Segment(vector.text)
            }
            let place = error.map { "\($0.line ?? 0):\($0.column ?? 0)" } ?? ""
            guard case .invalidText(_, _, let message)? = error else {
                Issue.record("\(vector.text)")
                continue
            }
            #expect("\(place) \(message)" == vector.expected, "\(vector.text)")
            #expect(error?.exitCode == 64 && error?.code.rawValue == "invalid_rule")
        }
    }

    @Test("the line is shown with a caret below it, cut when it is long")
    func excerpts() throws {
        func excerpt(_ text: String) -> String? {
            let error = #expect(throws: WinnowError.self) { try Segment(text) }
            return error?.place?.excerpt
        }
        #expect(excerpt("a = 1\r\n\tand b ~ 2\r\nand c = 3") == " and b ~ 2\n       ^")
        // A character is what people take for one.
        #expect(excerpt("e\u{301}te & 1") == "e\u{301}te & 1\n    ^")
        #expect(excerpt("`e\u{301}🏳️‍🌈` & 1") == "`e\u{301}🏳️‍🌈` & 1\n     ^")
        let long = "city in (" + Array(repeating: "\"x\"", count: 100).joined(separator: ", ") + ")"
        let lines = excerpt("a = 1 and \(long) & \(long)")?.split(separator: "\n") ?? []
        #expect(lines.first?.count == 121 && lines.first?.first == "…" && lines.first?.last == "…")
        #expect(lines.last?.count == 61)
        #expect(excerpt("") == "\n^")
        #expect(excerpt("a =\n\n# end\n") == "a =\n   ^")
    }

    @Test("names of JSON rules are guessed, too")
    func guesses() throws {
        func message(_ json: String) -> String {
            let error = #expect(throws: WinnowError.self) { try Segment(json: json) }
            #expect(error?.line == nil && error?.column == nil)
            return error?.description ?? ""
        }
        let activity =
            #"{"activity": {"channel": "email", "event": "clicked", "operator": "not_happened""#
        #expect(
            message(activity.replacing("email", with: "emial") + "}}").contains(
                "did you mean “email”?"))
        #expect(
            message(activity.replacing("clicked", with: "clickd") + "}}").contains(
                "did you mean “clicked”?"))
        #expect(
            message(activity.replacing("happened", with: "hapened") + "}}").contains(
                "did you mean “not_happened”?"))
        #expect(message(activity + #", "durring": {}}}"#).contains("did you mean “during”?"))
        #expect(
            message(activity + #", "during": {"last": 1, "unit": "dais"}}}"#).contains(
                "did you mean “days”?"))
        #expect(
            message(#"{"field": {"name": "a", "operator": "equal"}}"#).contains(
                "did you mean “equals”?"))
        #expect(message(#"{"activty": {}}"#).contains("did you mean “activity”?"))
        #expect(!message(#"{"nope": {}}"#).contains("did you mean"))
    }

    @Test("a document may hold text in place of a node")
    func documents() throws {
        let segment = try Segment(
            json: #"{"name": "n", "timezone": "Europe/Berlin", "text": "a = 1 # one\nor b = 2"}"#)
        #expect(try segment.text() == "segment \"n\" timezone \"Europe/Berlin\":\na = 1 or b = 2")
        for wrong in [
            #"{"text": "segment \"n\":\na = 1"}"#,
            #"{"text": "a = 1", "where": {"sample": {"from": 0, "to": 1}}}"#,
            #"{"text": 1}"#, #"{"text": ""}"#, #"{"text": "a = 1", "names": "n"}"#,
        ] {
            let error = #expect(throws: WinnowError.self) { try Segment(json: wrong) }
            #expect(error?.exitCode == 64, "\(wrong)")
        }
    }

    @Test("nesting, nodes, lists and size have limits, and no text overflows the stack")
    func limits() throws {
        func refused(_ text: String, _ message: String) {
            let error = #expect(throws: WinnowError.self) { try Segment(text) }
            #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
        }
        func repeated(_ text: String, _ count: Int) -> String {
            String(repeating: text, count: count)
        }
        _ = try Segment(repeated("not ", 15) + "a = 1")
        refused(repeated("not ", 16) + "a = 1", "nested deeper than 16 levels")
        refused(repeated("not ", 1_000_000) + "a = 1", "nested deeper than 16 levels")
        _ = try Segment(repeated("(", 128) + "a = 1" + repeated(")", 128))
        refused(repeated("(", 129) + "a = 1" + repeated(")", 129), "more than 128 parentheses")
        refused(repeated("(", 1_000_000), "more than 128 parentheses")
        // A group is known only after its first part.
        func nested(_ levels: Int) -> String {
            var text = "a = 1"
            for level in 0..<levels { text = "(\(text) \(level % 2 == 0 ? "and" : "or") b = 2)" }
            return text
        }
        func nestedBehind(_ levels: Int) -> String {
            repeated("a = 1 and (b = 2 or (", levels / 2) + "c = 3" + repeated("))", levels / 2)
        }
        for text in [nested(15), nestedBehind(14)] { #expect(try Segment(text).rule.depth <= 16) }
        for text in [nested(16), nestedBehind(16)] { refused(text, "nested deeper than 16 levels") }
        _ = try Segment(repeated("a = 1 or ", 510) + "a = 1")
        refused(repeated("a = 1 or ", 511) + "a = 1", "more than 512 nodes")
        _ = try Segment("a in (" + repeated("1,", RuleLimits.values - 1) + "1)")
        refused("a in (" + repeated("1,", RuleLimits.values) + "1)", "more than 1000000 values")
        let long = repeated("x", RuleLimits.bytes - 5)
        _ = try Segment("\n a = \"\(long.dropLast())\" \n")
        refused("a = \"\(long)\"", "longer than 64 MiB")
        refused("a = 1 #\(long)", "longer than 64 MiB")
    }
}
