import Testing
import Winnow

@Suite("Values of callers")
struct ValueTests {
    @Test("options that make no sense are refused, and nothing is stored")
    func options() throws {
        let fixture = try Fixture()
        let store = try fixture.create()
        let before = try fixture.contents()
        let snapshot = try store.snapshot()
        let file = try fixture.file("p.csv", "id\na\n")
        func refused(_ change: (inout EvaluationOptions) -> Void) {
            var options = EvaluationOptions()
            change(&options)
            let rule = Segment(.sample(Sample(0..<5_000)))
            let error = #expect(throws: WinnowError.self) { try snapshot.count(rule, options) }
            #expect(error?.exitCode == 64)
            #expect(throws: WinnowError.self) { try Array(snapshot.ids(of: rule, options)) }
        }
        refused { $0.threads = 0 }
        refused { $0.threads = .min }
        refused { $0.asOf = Instant(milliseconds: .max) }
        refused { $0.asOf = Instant(milliseconds: .min) }
        refused { $0.timezone = "Mars/Olympus" }
        func refusedLoad(_ change: (inout LoadOptions) -> Void) {
            var options = LoadOptions()
            change(&options)
            #expect(throws: WinnowError.self) {
                try store.load(.profiles, from: .files([file]), options: options)
            }
        }
        refusedLoad { $0.memory = .min }
        refusedLoad { $0.maximumRejects = -1 }
        refusedLoad { $0.batch = "" }
        refusedLoad { $0.batch = String(repeating: "b", count: 256) }
        #expect(throws: WinnowError.self) { try store.load(.profiles, from: .files([])) }
        #expect(throws: WinnowError.self) { try store.compact(memory: .min) }
        for instant in [Instant(milliseconds: .min), Instant(milliseconds: .max)] {
            #expect(throws: WinnowError.self) { try store.drop(before: instant) }
        }
        #expect(try fixture.contents() == before)
    }

    @Test("a path with a NUL is refused through every door, not cut short")
    func paths() throws {
        let fixture = try Fixture()
        let store = try fixture.create()
        let path = fixture.storePath
        let nul = path + "\0x"
        let file = try fixture.file("p.csv", "id\na\n")
        for error in [
            #expect(throws: WinnowError.self) { try Store(nul) },
            #expect(throws: WinnowError.self) { try Store.create(path + "2\0x") },
            #expect(throws: WinnowError.self) { try Store.verify(at: nul) },
            #expect(throws: WinnowError.self) { try Store.find("a", at: nul) },
            #expect(throws: WinnowError.self) {
                try store.load(.profiles, from: .files([file + "\0.csv"]))
            },
            #expect(throws: WinnowError.self) { try Segment(file: file + "\0") },
            #expect(throws: WinnowError.self) { try Segment.all(ndjson: file + "\0") },
            #expect(throws: WinnowError.self) { try Schema(file: file + "\0") },
            #expect(throws: WinnowError.self) { try store.erase(profilesIn: file + "\0") },
        ] {
            #expect(error?.exitCode == 64)
        }
        var options = LoadOptions()
        options.rejects = file + "\0.rejects"
        #expect(throws: WinnowError.self) {
            try store.load(.profiles, from: .files([file]), options: options)
        }
        #expect(try store.snapshot().profiles == 0)
    }

    @Test("strings that only Swift calls equal are different, in one call, too")
    func bytes() throws {
        let fixture = try Fixture()
        let store = try fixture.create([Field(name: "city", type: .string)])
        try store.load(
            .profiles,
            from: .files([try fixture.file("p.csv", "id,city\na,é\nb,e\u{301}\nc,e\u{301}\n")]))
        let segments = ["é", "e\u{301}"].map {
            Segment(.field(FieldCondition("city", .equals, .value(.string($0)))))
        }
        #expect(try store.snapshot().count(segments).map(\.count) == [1, 2])
        #expect(segments[0] != segments[1])
    }

    @Test("rule files are read line by line: what comes after the first mistake is never looked at")
    func ruleFiles() throws {
        let fixture = try Fixture(), good = #"{"sample": {"from": 0, "to": 50}}"#
        let file = try fixture.file("r.ndjson", "\u{FEFF}\(good)\r\n\n  \n\(good)")
        #expect(try Segment.all(ndjson: file).count == 2)
        let bad = try fixture.file("b.ndjson", "\(good)\n{\"all\": []}\n\(good)\n")
        let error = #expect(throws: WinnowError.self) { try Segment.all(ndjson: bad) }
        #expect(error?.description.hasSuffix("line 2)") == true)
        // Without an end: read as a whole, this would never return.
        let endless = #expect(throws: WinnowError.self) { try Segment.all(ndjson: "/dev/zero") }
        #expect(endless?.exitCode == 64)
    }

    @Test("a store made before a field was built in keeps its own of that name; none can be made")
    func laterFields() throws {
        let own = Field(name: "global_status", type: .integer)
        let schema = Schema(fields: [own, Field(name: "n", type: .integer)])
        #expect(
            schema.fields.map(\.name)
                == ["email", "phone", "appmetrica_device_id", "global_status", "n"])
        #expect(schema.ownFields.map(\.name) == ["global_status", "n"])
        #expect(schema.index(of: "global_status").map { schema.fields[$0] } == own)
        #expect(throws: WinnowError.usage("the field “global_status” is built in")) {
            try schema.validate()
        }
        let fixture = try Fixture()
        let store = try fixture.create()
        for name in ["global_status", "appmetrica_device_id"] {
            #expect(throws: WinnowError.usage("the field “\(name)” is built in")) {
                try store.add(Field(name: name, type: .string))
            }
        }
    }
}
