import Foundation
import WinnowSimulation
import Testing
import Winnow

/// A store's folder among the files of others.
@Suite("Folders")
struct FolderTests {
    private let inputs: Inputs
    private let store: String
    private let files = FileManager.default
    private static let rule = #"{"field": {"name": "id", "operator": "exists"}}"#

    init() throws {
        inputs = try Inputs()
        store = inputs.folder.appendingPathComponent("store").path
    }

    private func make() throws {
        try Store.create(store).load(
            .profiles, from: .files([try inputs.file("p.csv", "id\na\nb\n")]))
    }

    private func read() -> WinnowError? {
        do throws(WinnowError) {
            _ = try Store(store).snapshot().info()
            return nil
        } catch {
            return error
        }
    }

    @Test("links inside a store are not followed: parts, manifest, lock and part files")
    func links() throws {
        for name in ["parts", "MANIFEST-00000000000000000002", "LOCK", "part"] {
            try? files.removeItem(atPath: store)
            try make()
            let parts = try files.contentsOfDirectory(atPath: store + "/parts")
            let inside = store + "/" + (name == "part" ? "parts/\(parts[0])" : name)
            let outside = inputs.folder.appendingPathComponent("outside-\(name)").path
            try files.moveItem(atPath: inside, toPath: outside)
            try files.createSymbolicLink(atPath: inside, withDestinationPath: outside)
            let before = try? files.contentsOfDirectory(atPath: outside)
            if name != "LOCK" { #expect([65, 74].contains(read()?.exitCode), "\(name)") }
            let file = try inputs.profiles(5..<6)
            let load = #expect(throws: WinnowError.self, "\(name)") {
                var options = LoadOptions()
                options.ignoresUnknownColumns = true
                try Store(store).load(.profiles, from: .files([file]), options: options)
            }
            #expect([65, 74].contains(load?.exitCode), "\(name)")
            let findings = try? Store.verify(at: store).findings
            if name != "LOCK" { #expect(findings?.isEmpty != true, "\(name)") }
            // Nothing outside was touched.
            #expect((try? files.contentsOfDirectory(atPath: outside)) == before)
        }
        // The folder of the store itself may be reached by a link: that is the user's own path.
        try? files.removeItem(atPath: store)
        try make()
        let link = inputs.folder.appendingPathComponent("link").path
        try files.createSymbolicLink(atPath: link, withDestinationPath: store)
        #expect(try Store(link).snapshot().profiles == 2)
    }

    @Test("what stands in place of a file of the store is no way in: pipes, folders, devices")
    func strangeFiles() throws {
        try make()
        let parts = try files.contentsOfDirectory(atPath: store + "/parts").sorted()
        for part in parts {
            let path = store + "/parts/" + part
            let saved = path + ".saved"
            try files.moveItem(atPath: path, toPath: saved)
            try files.createDirectory(atPath: path, withIntermediateDirectories: false)
            #expect(read()?.exitCode == 65)
            try files.removeItem(atPath: path)
            mkfifo(path, 0o600)
            let status = try Program.run("info", store).status
            #expect(status == 65)
            try files.removeItem(atPath: path)
            try files.moveItem(atPath: saved, toPath: path)
            #expect(read() == nil)
        }
    }

    @Test("files are made with the user's umask")
    func umask() throws {
        for (mask, folder, file) in [
            ("027", 0o750, 0o640), ("077", 0o700, 0o600), ("022", 0o755, 0o644),
        ] {
            try? files.removeItem(atPath: store)
            let program = try inputs.file("make.sh", "umask \(mask); exec \"$@\"\n")
            for arguments in [
                ["create", store],
                ["load", store, "profiles", try inputs.file("p.csv", "id\na\n")],
            ] {
                let shell = Process()
                shell.executableURL = URL(fileURLWithPath: "/bin/sh")
                shell.arguments = [program, Program.path] + arguments
                shell.standardError = FileHandle.nullDevice
                try shell.run()
                shell.waitUntilExit()
                #expect(shell.terminationStatus == 0)
            }
            func permissions(_ path: String) throws -> Int? {
                try files.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            }
            #expect(try permissions(store) == folder && permissions(store + "/parts") == folder)
            for part in try files.contentsOfDirectory(atPath: store + "/parts") {
                #expect(try permissions(store + "/parts/" + part) == file)
            }
            #expect(try permissions(store + "/LOCK") == file)
        }
    }

    @Test("a store that nobody may write is counted all the same, and says why it cannot be loaded")
    func readOnly() throws {
        try make()
        for path in [store + "/parts", store] { chmod(path, 0o555) }
        defer { for path in [store + "/parts", store] { chmod(path, 0o755) } }
        // Root may write everything; another user may not.
        let isRoot = getuid() == 0
        let reader =
            isRoot ? ["setpriv", "--reuid=65534", "--clear-groups", Program.path] : [Program.path]
        func run(_ arguments: [String]) throws -> Int32 {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = reader + arguments
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            return process.terminationStatus
        }
        if isRoot {
            chmod(inputs.folder.path, 0o755)
            // The user must reach the program at all.
            guard try run(["--version"]) == 0 else { return }
        }
        #expect(try run(["count", store, FolderTests.rule]) == 0)
        #expect(try run(["verify", store]) == 0)
        #expect(try run(["load", store, "profiles", try inputs.file("q.csv", "id\nc\n")]) == 74)
        #expect(try Store(store).snapshot().profiles == 2)
    }

    @Test("names and values reach no path, no format and no terminal")
    func names() throws {
        let evil = [
            "../../x", "/etc/passwd", "%s%n%x", "\u{1B}]0;x\u{07}\u{1B}[2J", "a\u{0}b", "..", ".",
            "-rf", "a\nb",
        ]
        let store = try Store.create(
            self.store, schema: Schema(fields: [Field(name: "../%s", type: .string)]))
        func quoted(_ text: String) throws -> String {
            String(decoding: try JSONEncoder().encode(text), as: UTF8.self)
        }
        var lines = ""
        var campaigns = ""
        var events = ""
        for text in evil {
            let id = try quoted(text)
            lines += "{\"id\": \(id), \"../%s\": \(id)}\n"
            campaigns += "{\"id\": \(id), \"name\": \(id), \"tags\": [\(id)]}\n"
            events +=
                "{\"profile\": \(id), \"channel\": \"sms\", \"event\": \"clicked\", \"time\": 1735689600,"
            events +=
                " \"campaign\": \(id), \"template\": \(id), \"link\": \(id), \"message\": \(id)}\n"
        }
        var options = LoadOptions()
        for (i, text) in evil.enumerated() where !text.isEmpty {
            options.batch = text
            try store.load(
                .profiles, from: .files([try inputs.file("p\(i).ndjson", i == 0 ? lines : "")]),
                options: options)
        }
        try store.load(.campaigns, from: .files([try inputs.file("c.ndjson", campaigns)]))
        try store.load(.events, from: .files([try inputs.file("e.ndjson", events)]))
        try store.erase(profiles: ["../../x"])
        try store.compact()
        #expect(
            try Array(store.snapshot().ids(of: try Segment(json: FolderTests.rule)))
                == Array(evil.dropFirst()))
        #expect(try Store.verify(at: store.path).findings == [])
        let names =
            try files.contentsOfDirectory(atPath: self.store)
            + files.contentsOfDirectory(atPath: self.store + "/parts")
        #expect(
            names.allSatisfy {
                $0.utf8.allSatisfy { byte in byte > 0x20 && byte < 0x7F } && !$0.contains("x.")
            })
        // Standard error escapes control characters; standard output does on a terminal.
        let process = Process()
        let error = Pipe()
        process.executableURL = URL(fileURLWithPath: Program.path)
        process.arguments = [
            "count", self.store, #"{"field": {"name": "\u001b[2J", "operator": "exists"}}"#,
        ]
        process.standardError = error
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let said = error.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 64 && !said.contains(0x1B) && !said.isEmpty)
    }

    /// Runs the program under a limit of the shell's.
    private func run(_ arguments: [String], limit: String) throws -> Process {
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = ["-c", "ulimit \(limit); exec \"$@\"", "sh", Program.path] + arguments
        shell.standardError = FileHandle.nullDevice
        shell.standardOutput = FileHandle.nullDevice
        try shell.run()
        shell.waitUntilExit()
        return shell
    }

    @Test("a process whose files may not grow large says so, and the store is as before")
    func fileSize() throws {
        try make()
        let file = try inputs.file(
            "many.csv", "id\n" + (0..<20_000).map { "profile-\($0)\n" }.joined())
        let before = try files.contentsOfDirectory(atPath: store + "/parts").sorted()
        for blocks in [0, 1, 8, 64] {
            let process = try run(["load", store, "profiles", file], limit: "-f \(blocks)")
            #expect(process.terminationReason == .exit && process.terminationStatus == 74)
            #expect(try Store(store).snapshot().profiles == 2)
        }
        #expect(try files.contentsOfDirectory(atPath: store + "/parts").sorted() == before)
        #expect(
            try run(["load", store, "profiles", file], limit: "-f 20000").terminationStatus == 0)
        #expect(try Store.verify(at: store).findings == [])
    }

    @Test("folders that somebody put among the files of a store are in nobody's way")
    func foldersInside() throws {
        try make()
        for name in ["parts/foo.part", "foo.tmp", "MANIFEST-00000000000000000001"] {
            try? files.removeItem(atPath: store + "/" + name)
            try files.createDirectory(
                atPath: store + "/" + name, withIntermediateDirectories: false)
        }
        for name in ["own.tmp", "parts/own"] {
            try Data("mine".utf8).write(to: URL(fileURLWithPath: store + "/" + name))
        }
        try Store(store).load(.profiles, from: .files([try inputs.file("q.csv", "id\nc\n")]))
        for name in ["own.tmp", "parts/own"] {
            #expect(files.fileExists(atPath: store + "/" + name))
        }
        #expect(try Store(store).snapshot().profiles == 3)
        #expect(try Store.verify(at: store).findings == [])
        // The value, and two names that are no part of the version.
        #expect(try Store.find("a", at: store).count == 3)
    }

    @Test("rejects overwrite neither the input nor anything of the store")
    func rejects() throws {
        try make()
        let input = try inputs.file("in.csv", "id\nc\n")
        let link = inputs.folder.appendingPathComponent("link").path
        try files.createSymbolicLink(atPath: link, withDestinationPath: store)
        let part = try #require(try files.contentsOfDirectory(atPath: store + "/parts").first)
        for (file, rejects) in [
            ("-", input), (input, input), (input, "\(store)/parts/\(part)"),
            (input, "\(store)/new"),
            (input, "\(link)/parts/new.part"), (input, "\(store)/../store/LOCK"),
        ] {
            let shell = Process()
            shell.executableURL = URL(fileURLWithPath: "/bin/sh")
            shell.arguments = [
                "-c", "exec \"$@\" <\(input)", "sh", Program.path, "load", store, "profiles", file,
                "--format", "csv",
                "--rejects", rejects,
            ]
            shell.standardError = FileHandle.nullDevice
            try shell.run()
            shell.waitUntilExit()
            #expect(shell.terminationStatus == 64, "\(file), \(rejects)")
        }
        #expect(try String(contentsOfFile: input, encoding: .utf8) == "id\nc\n")
        #expect(try Store(store).snapshot().profiles == 2)
        #expect(try Store.verify(at: store).findings == [])
    }

    @Test("names that are not UTF-8 are refused, not changed into others")
    func argumentBytes() throws {
        try make()
        for text in [
            "create \"$1\"/st$(printf '\\377')",
            "load \"$1\" profiles \"$2\" --batch lot$(printf '\\351')",
        ] {
            let shell = Process()
            shell.executableURL = URL(fileURLWithPath: "/bin/sh")
            shell.arguments = [
                "-c", "exec \"$0\" \(text)", Program.path, store,
                try inputs.file("q.csv", "id\nc\n"),
            ]
            shell.standardError = FileHandle.nullDevice
            try shell.run()
            shell.waitUntilExit()
            #expect(shell.terminationStatus == 64, "\(text)")
        }
        #expect(try Store(store).snapshot().profiles == 2)
    }

    @Test("a process that gets no threads, or few, does all of its work with those it has")
    func threads() throws {
        // What limits the processes of a user does not limit root.
        let isRoot = getuid() == 0
        let tools = ["timeout", "prlimit"] + (isRoot ? ["setpriv"] : [])
        guard tools.allSatisfy({ files.isExecutableFile(atPath: "/usr/bin/" + $0) }) else { return }
        try make()
        let file = try inputs.file(
            "many.csv", "id\n" + (0..<200_000).map { "profile-\($0)\n" }.joined())
        for path in [inputs.folder.path, store, store + "/parts", store + "/LOCK"] {
            chmod(path, 0o777)
        }
        func run(_ limit: Int, _ arguments: [String]) throws -> Int32 {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments =
                ["timeout", "-s", "KILL", "60"]
                + (isRoot ? ["setpriv", "--reuid=54321", "--clear-groups"] : [])
                + ["prlimit", "--nproc=\(limit)", Program.path] + arguments
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            return process.terminationStatus
        }
        // The user must reach the program at all.
        guard try run(100, ["--version"]) == 0 else { return }
        for limit in 1...4 {
            for arguments in [
                ["load", store, "profiles", file], ["count", store, FolderTests.rule],
                ["erase", store, "--profiles", try inputs.file("erase.txt", "profile-\(limit)\n")],
                ["compact", store], ["verify", store],
            ] {
                #expect(try run(limit, arguments) == 0, "\(limit): \(arguments[0])")
            }
        }
        #expect(try Store(store).snapshot().profiles == 200_001)
    }

    @Test("a process that may open few files says so, and the store is as before")
    func descriptors() throws {
        try make()
        for limit in [3, 4, 5, 6, 7, 8, 10, 12, 16] {
            for arguments in [
                ["load", store, "profiles", try inputs.file("q.csv", "id\nc\n")], ["info", store],
                ["compact", store],
            ] {
                let shell = try run(arguments, limit: "-n \(limit)")
                // Below some number the system cannot even load the program: 127.
                #expect(
                    [0, 74, 127].contains(shell.terminationStatus), "\(limit): \(arguments[0])")
                #expect(shell.terminationReason == .exit)
            }
        }
        #expect(try Store.verify(at: store).findings == [])
        #expect([2, 3].contains(try Store(store).snapshot().profiles))
    }
}
