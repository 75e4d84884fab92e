import Foundation
import Testing

/// The library for C, as tools/install puts it into a folder, and programs that are built against it there.
@Suite("The C library", .serialized)
struct DoorTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path
    /// Where it is installed, once for all tests; what was said when that failed.
    private static let installed: (prefix: String, error: String?) = {
        let prefix = root + "/.build/door"
        do {
            let result = try runTool(root + "/tools/install", [prefix])
            return (prefix, result.status == 0 ? nil : result.output)
        } catch { return (prefix, "\(error)") }
    }()
    private let prefix: String

    init() throws {
        let (prefix, error) = DoorTests.installed
        try #require(error == nil, "\(error ?? "")")
        self.prefix = prefix
    }

    /// Builds a program with what pkg-config says, and warnings as errors.
    private func build(
        _ source: String, with compiler: [String], in fixture: Fixture, statically: Bool = false
    ) throws -> String {
        let program = fixture.folder.path + "/program"
        let said = try runTool(
            "pkg-config",
            ["--cflags", "--libs"] + (statically ? ["--static"] : []) + ["winnow"],
            environment: ["PKG_CONFIG_PATH": prefix + "/lib/pkgconfig"])
        try #require(said.status == 0, "\(said.output)")
        let flags = said.output.split(whereSeparator: \.isWhitespace).map {
            statically && $0 == "-lwinnow" ? "-l:libwinnow.a" : String($0)
        }
        let built = try runTool(
            compiler[0],
            compiler.dropFirst() + ["-Wall", "-Wextra", "-pedantic", "-Werror"]
                + ["\(DoorTests.root)/\(source)", "-o", program] + flags
                + ["-pthread", "-Wl,-rpath,\(prefix)/lib"])
        try #require(built.status == 0, "\(built.output)")
        return program
    }

    /// The bookshop as a store, made by the installed command.
    private func bookshop(_ fixture: Fixture) throws -> String {
        let winnow = prefix + "/bin/winnow"
        let data = DoorTests.root + "/data/bookshop"
        let store = fixture.storePath
        #expect(
            try runTool(winnow, ["create", store, "--schema", data + "/schema.json"]).status
                == 0)
        for name in ["profiles.csv", "campaigns.ndjson", "templates.ndjson", "events.csv"] {
            let kind = String(name.prefix { $0 != "." })
            #expect(
                try runTool(winnow, ["load", store, kind, data + "/" + name]).status == 0)
        }
        return store
    }

    @Test(
        "a C program counts, lists and asks, with the shared library and the static one",
        arguments: [false, true])
    func segments(statically: Bool) throws {
        let fixture = try Fixture()
        let store = try bookshop(fixture)
        let program = try build(
            "data/examples/c/segments.c", with: ["gcc", "-std=c11"], in: fixture,
            statically: statically)
        let result = try runTool(program, [store, "email opened exists"])
        #expect(
            result.output.hasPrefix("2 profiles\n  ada\n  dee\n[{\"version\": 5, \"profiles\": 6,"))
        #expect(result.status == 0)
        let wrong = try runTool(program, [store, "email opned exists"])
        #expect(wrong.status == 64)
        #expect(wrong.output.hasPrefix(#"{"error": {"code": "invalid_rule""#), "\(wrong.output)")
    }

    @Test("a C++ program has handles that end by themselves")
    func handles() throws {
        let fixture = try Fixture()
        let store = try bookshop(fixture)
        let program = try build(
            "data/examples/c/handles.cpp", with: ["g++", "-std=c++17"], in: fixture)
        let result = try runTool(program, [store])
        #expect(result.status == 0)
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 3 && lines[0].hasPrefix(#"[{"by": {"country": "DE"}, "count": 1"#))
        #expect(lines.last?.contains("did you mean “opened”?") == true, "\(result.output)")
    }

    @Test(
        "misuse is an error, threads count alike, children go on, what is written is there",
        arguments: ["misuse", "threads", "fork", "writing", "tables"])
    func promises(_ part: String) throws {
        let fixture = try Fixture()
        let store = try bookshop(fixture)
        let program = try build("Tests/CDoor/door.c", with: ["gcc", "-std=gnu11"], in: fixture)
        let result = try runTool("timeout", ["300", program, store, part])
        #expect(result.output == "ok\n", "\(result.output)")
        #expect(result.status == 0)
    }

    @Test(
        "valgrind finds no memory misused, and none lost",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/valgrind")),
        arguments: ["misuse", "tables", "writing"])
    func valgrind(_ part: String) throws {
        let fixture = try Fixture()
        let store = try bookshop(fixture)
        // The static library has names by which the runtime's own doings are known.
        let program = try build(
            "Tests/CDoor/door.c", with: ["gcc", "-std=gnu11", "-g"], in: fixture, statically: true)
        let result = try runTool(
            "valgrind",
            [
                "-q", "--leak-check=full", "--show-leak-kinds=definite",
                "--errors-for-leak-kinds=definite", "--error-exitcode=9",
                "--suppressions=\(DoorTests.root)/Tests/CDoor/valgrind.supp", program, store, part,
            ],
            // valgrind does not know all instructions.
            environment: ["WINNOW_ISA": "avx2"])
        #expect(result.output == "ok\n", "\(result.output)")
        #expect(result.status == 0)
    }

    @Test("it shows its own functions alone, and needs the system's libraries and nettle")
    func symbols() throws {
        let library = prefix + "/lib/libwinnow.so.0"
        let header = try String(contentsOfFile: prefix + "/include/winnow.h", encoding: .utf8)
        let shown = try runTool("nm", ["-D", "--defined-only", library]).output
            .split(separator: "\n").compactMap { $0.split(separator: " ").last.map(String.init) }
        #expect(shown.count >= 17)
        for name in shown {
            #expect(
                name.hasPrefix("winnow_") && header.contains(" \(name)(")
                    || header.contains("*\(name)("))
        }
        let needed = try runTool("objdump", ["-p", library]).output.split(separator: "\n")
            .filter { $0.contains("NEEDED") }.compactMap { $0.split(separator: " ").last }
        let allowed = ["libc.so", "libm.so", "libgcc_s.so", "libnettle.so", "ld-linux"]
        for name in needed { #expect(allowed.contains { name.hasPrefix($0) }, "\(name)") }
        #expect(
            try runTool("objdump", ["-p", library]).output.contains("SONAME")
                && shown.contains("winnow_call"))
    }

    @Test("a program that is Swift itself can open it at run time")
    func opening() throws {
        let handle = try #require(dlopen(prefix + "/lib/libwinnow.so", RTLD_NOW | RTLD_LOCAL))
        defer { dlclose(handle) }
        let symbol = try #require(dlsym(handle, "winnow_version"))
        typealias Version = @convention(c) () -> UnsafePointer<CChar>?
        let version = try #require(unsafeBitCast(symbol, to: Version.self)())
        let command = try runTool(prefix + "/bin/winnow", ["--version"])
        #expect(String(cString: version) + "\n" == command.output)
    }

    @Test("completions for three shells come with the command")
    func completions() throws {
        for file in [
            "bash-completion/completions/winnow", "zsh/site-functions/_winnow",
            "fish/vendor_completions.d/winnow.fish",
        ] {
            let text = try String(contentsOfFile: prefix + "/share/" + file, encoding: .utf8)
            #expect(
                text.contains("breakdown") && text.contains("--timezone")
                    || text.contains("timezone"))
        }
    }
}
