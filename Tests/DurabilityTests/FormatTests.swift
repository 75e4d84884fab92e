import Foundation
import WinnowSimulation
import Testing
import Winnow

/// A store of every format from 3 on is read by every later version. `Formats` holds one of each,
/// made by a version that wrote the format; none of them is ever made anew.
@Suite("Stores of earlier formats")
struct FormatTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Formats")
    private static let stores = ["3", "3-machines", "4", "5"]

    @Test("open, answer, verify, take more and are compacted", arguments: stores)
    func opens(name: String) throws {
        let inputs = try Inputs()
        let path = inputs.folder.appendingPathComponent("store").path
        try FileManager.default.copyItem(
            atPath: FormatTests.folder.appendingPathComponent(name).path, toPath: path)
        let rules = try String(
            contentsOf: FormatTests.folder.appendingPathComponent("\(name).ndjson"), encoding: .utf8
        )
        let segments = try rules.split(separator: "\n").map { try Segment(json: String($0)) }
        let store = try Store(path)
        var options = EvaluationOptions()
        options.asOf = Instant("2026-01-01T00:00:00Z")
        func check(_ what: Comment) throws {
            for result in try store.snapshot().count(segments, options) {
                let name = result.name ?? ""
                let right = Int(name.prefix { $0 != " " })
                #expect(result.count == right, "\(what): \(name)")
            }
            #expect(try Store.verify(at: path).findings == [], what)
        }
        try check("as it was")
        let more = try inputs.file(
            "more.csv", "profile,channel,event,time\nada,push,sent,2025-12-01T00:00:00Z\n")
        try store.load(.events, from: .files([more]))
        try check("with more")
        try store.compact()
        try check("compacted")
    }
}
