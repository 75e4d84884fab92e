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

    /// Those of later batches replace some of the first.
    package func subscriptions(_ profiles: Int, batch: Int) throws -> String {
        var rows = "profile,channel,resource,status,contact,provider,priority,time\n"
        for i in 0..<profiles where batch == 0 || i % 11 == 0 {
            let status = ["subscribed", "unsubscribed", "invalid"][(i + batch) % 3]
            let time = i % 4 == 0 ? "" : "\(1_735_689_600 + i * 331 % 900_000)"
            rows += "p\(i * 7 % profiles),email,r\(i % 3),\(status),,p\(i % 2),\(i % 5),\(time)\n"
            if i % 2 == 0 { rows += "p\(i),push,app,subscribed,contact \(i),fcm,,\(time)\n" }
        }
        return try file("subscriptions-\(profiles)-\(batch).csv", rows)
    }

    package func goals(_ profiles: Int, batch: Int) throws -> String {
        var rows = "profile,pixel,goal,time,value\n"
        for i in 0..<profiles * 2 where i % 3 != batch % 3 {
            let profile = i % 7 == 0 ? "" : "p\(i * 5 % profiles)"
            let value = i % 3 == 0 ? "" : "\(i % 40).\(i % 10)"
            rows += "\(profile),x\(i % 4),g\(i % 5),\(1_735_689_600 + i * 331 % 900_000),\(value)\n"
        }
        return try file("goals-\(profiles)-\(batch).csv", rows)
    }
}
