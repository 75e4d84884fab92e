import Foundation
import Testing

/// The rules of the house, read off the source tree.
@Suite("Tidy")
struct TidyTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent()

    private func files(_ folder: String) throws -> [(path: String, lines: [Substring])] {
        let base = TidyTests.root.appendingPathComponent(folder)
        var result: [(path: String, lines: [Substring])] = []
        for case let url as URL in FileManager.default.enumerator(
            at: base, includingPropertiesForKeys: nil) ?? .init()
        where ["swift", "c", "h", "inc"].contains(url.pathExtension) {
            let text = try String(contentsOf: url, encoding: .utf8)
            let path = url.path.dropFirst(TidyTests.root.path.count + 1)
            result.append(
                (String(path), text.split(separator: "\n", omittingEmptySubsequences: false)))
        }
        #expect(!result.isEmpty)
        return result
    }

    private func forbid(
        _ pattern: String, in folder: String, except allowed: [String] = [], _ why: Comment
    ) throws {
        let expression = try Regex(pattern)
        for (path, lines) in try files(folder) where !allowed.contains(where: path.hasPrefix) {
            for (i, line) in lines.enumerated() where line.contains(expression) {
                let code = line.drop { $0 == " " }
                if !code.hasPrefix("//") { Issue.record("\(path):\(i + 1): \(why): \(code)") }
            }
        }
    }

    @Test("lines of source have at most 120 characters")
    func lineLength() throws {
        for (path, lines) in try files("Sources") {
            for (i, line) in lines.enumerated() where line.count > 120 {
                Issue.record("\(path):\(i + 1) is too long")
            }
        }
    }

    @Test("what is public has a doc comment")
    func documentation() throws {
        let declaration = try Regex(#"^\s*(@\w+(\(.*\))? )*public (?!extension)"#)
        for (path, lines) in try files("Sources") {
            for (i, line) in lines.enumerated() where line.contains(declaration) {
                let before = lines[..<i].map { $0.drop { $0 == " " } }.last { !$0.hasPrefix("@") }
                if before?.hasPrefix("///") != true {
                    Issue.record("\(path):\(i + 1) has no doc comment: \(line)")
                }
            }
        }
    }

    @Test("nothing traps on purpose")
    func traps() throws {
        try forbid(#"fatalError\(|try!|as!|preconditionFailure\("#, in: "Sources", "traps")
    }

    @Test("only Disk, Threads and the terminal know the system's calls")
    func systemCalls() throws {
        let allowed = [
            "Sources/Disk/", "Sources/Threads/", "Sources/Commands/Terminal.swift",
            "Sources/Model/Errors/SystemErrors.swift",
        ]
        try forbid(
            #"import (Glibc|Musl|Darwin|Foundation)"#, in: "Sources", except: allowed,
            "belongs in Disk or Threads")
    }

    @Test("only Model, Rules and Winnow are public")
    func access() throws {
        try forbid(
            #"^\s*public "#, in: "Sources",
            except: ["Sources/Model/", "Sources/Rules/", "Sources/Winnow/"],
            "is not part of the API")
    }

    @Test("nothing is left for later without a word")
    func leftovers() throws {
        try forbid(#"TODO|FIXME|XXX"#, in: "Sources", "is unfinished")
    }
}
