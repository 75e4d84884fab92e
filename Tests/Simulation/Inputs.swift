import Foundation

/// Input files that outlive the test that made them by no more than itself.
package final class Inputs: Sendable {
    package let folder: URL

    package init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "winnow-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    package func file(_ name: String, _ text: String) throws -> String {
        let url = folder.appendingPathComponent(name)
        try Data(text.utf8).write(to: url)
        return url.path
    }

    package func profiles(_ range: Range<Int>) throws -> String {
        let rows = range.map { "p\($0),\($0 * 7 % 11),u\($0)@example.com\n" }
        return try file(
            "profiles-\(range.lowerBound)-\(range.upperBound).csv", "id,n,email\n" + rows.joined())
    }

    package func events(_ range: Range<Int>, profiles: Int) throws -> String {
        let rows = range.map { i in
            let opened = i % 3 != 0
            return
                "p\(i * 5 % profiles),email,\(opened ? "opened" : "clicked"),\(1_735_689_600 + i * 977),"
                + "c\(i % 4),t\(i % 2),\(opened ? "" : "l\(i % 3)"),m\(i / 2)\n"
        }
        let header = "profile,channel,event,time,campaign,template,link,message\n"
        return try file(
            "events-\(range.lowerBound)-\(range.upperBound).csv", header + rows.joined())
    }

    package func campaigns() throws -> String {
        try file(
            "campaigns.ndjson", (0..<3).map { "{\"id\": \"c\($0)\", \"tags\": [\"x\"]}\n" }.joined()
        )
    }
}
