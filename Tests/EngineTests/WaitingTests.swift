import Foundation
import Synchronization
import Testing
import Winnow
import WinnowFormat

@Suite("Waiting for a disk")
struct WaitingTests {
    @Test("while parts come from a disk, other threads go on with the blocks that are left")
    func counts() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "winnow-waiting-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("profiles.csv").path
        let rows = (0..<700_000).map { "p\($0),\($0 % 91)\n" }
        try ("id,age\n" + rows.joined()).write(toFile: file, atomically: true, encoding: .utf8)
        let store = try Store.create(
            folder.appendingPathComponent("store").path,
            schema: Schema(fields: [Field(name: "age", type: .integer)]))
        try store.load(.profiles, from: .files([file]))
        let segment = try Segment("age between 18 and 24")
        let expected = (0..<700_000).count { (18...24).contains($0 % 91) }
        let snapshot = try store.snapshot()
        let isDone = Atomic(false)
        let disk = Thread { while !isDone.load(ordering: .relaxed) { PartFile.noteWait() } }
        disk.start()
        defer { isDone.store(true, ordering: .relaxed) }
        for threads in [1, 2, 5] {
            for _ in 0..<5 {
                #expect(
                    try snapshot.count(segment, EvaluationOptions(threads: threads)).count
                        == expected)
            }
        }
    }
}
