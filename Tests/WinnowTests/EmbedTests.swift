import Foundation
import Testing

@Suite("Embedding")
struct EmbedTests {
    @Test(
        "a package of somebody else's, with targets of the same names, builds and runs through git")
    func example() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent()
            .deletingLastPathComponent()
        let fixture = try Fixture()
        let copy = fixture.folder.appendingPathComponent("shop").path
        try FileManager.default.copyItem(
            atPath: root.appendingPathComponent("data/examples/embed").path, toPath: copy)
        // What is in the tree now, as a repository of its own: git hands out commits alone.
        let repository = fixture.folder.appendingPathComponent("winnow").path
        let environment = ["WINNOW": "file://" + repository, "WINNOW_NAME": "winnow"]
        try FileManager.default.createDirectory(
            atPath: repository, withIntermediateDirectories: true)
        for name in ["Package.swift", "Sources", "Tests"] {
            try FileManager.default.copyItem(
                atPath: root.appendingPathComponent(name).path, toPath: repository + "/" + name)
        }
        let git = ["-C", repository, "-c", "user.name=test", "-c", "user.email=test@example.com"]
        for arguments in [
            ["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "as it is"],
        ] {
            let (status, output) = try runTool("git", git + arguments)
            try #require(status == 0, "\(output)")
        }
        let built = try runTool(
            "swift", ["build", "--package-path", copy], environment: environment)
        try #require(built.status == 0, "\(built.output)")
        let answer = try runTool(
            copy + "/.build/debug/Shop", [fixture.folder.appendingPathComponent("shop.winnow").path]
        )
        #expect(answer.status == 0)
        #expect(
            answer.output == "quiet: 1\nvip: ada bo\neither: 2\nothers: 1 of 3\n",
            "\(answer.output)")
    }
}
