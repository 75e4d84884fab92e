import Foundation
import Synchronization
import Testing
import Winnow

/// Input that a caller hands over as it gets it, cut anywhere.
@Suite("Input in pieces")
struct StreamTests {
    /// Hands bytes over a few at a time, sometimes none.
    private static func stream(
        _ text: [UInt8], as format: InputFormat, seed: UInt64
    ) -> LoadSource {
        let state = Mutex((rest: text[...], random: SeededGenerator(seed: seed)))
        return .stream(as: format) {
            state.withLock { state in
                if state.rest.isEmpty { return nil }
                let count = Int.random(in: 0...9, using: &state.random)
                defer { state.rest = state.rest.dropFirst(count) }
                return Array(state.rest.prefix(count))
            }
        }
    }

    /// What a load came to: the summary, the rejects without the input's name, every part's bytes.
    private struct Outcome: Equatable {
        var summary = LoadSummary()
        var error = ""
        var rejects = ""
        var parts: [String: Data] = [:]
    }

    private static func load(
        _ source: LoadSource, named name: String, pieces: Int? = nil
    ) throws -> Outcome {
        let fixture = try Fixture()
        let store = try fixture.create([Field(name: "s", type: .string)])
        var outcome = Outcome()
        var options = LoadOptions()
        let rejects = fixture.folder.appendingPathComponent("rejects.ndjson")
        options.rejects = rejects.path
        options.pieceSize = pieces ?? options.pieceSize
        do { outcome.summary = try store.load(.profiles, from: source, options: options) } catch {
            outcome.error = "\(error)".replacingOccurrences(of: name, with: "it")
        }
        outcome.rejects = try String(contentsOf: rejects, encoding: .utf8)
            .replacingOccurrences(of: name, with: "it")
        outcome.parts = try fixture.contents().filter { $0.key.hasSuffix(".part") }
        return outcome
    }

    @Test("says the same as input that comes at once, wherever records and pieces end")
    func pieces() throws {
        let bits = [
            "a", "b", ",", ",", "\"", "\"\"", "\n", "\n", "\r\n", "\r", "é", ",\"", "\",x\n",
        ]
        var random = SeededGenerator(seed: 7)
        var rows = 0
        var rejected = 0
        for seed in 0..<150 {
            var text =
                seed % 3 == 0 ? "\u{FEFF}\r\n\nid,s\r\n" : seed % 3 == 1 ? "id,s\n" : "\n\nid,s\n"
            for i in 0..<120 {
                if i % 5 == 0 { text += "\nid\(i)," }
                text += bits[Int.random(in: 0..<bits.count, using: &random)]
            }
            let bytes = Array(text.utf8)
            let whole = try StreamTests.load(.bytes(bytes, as: .csv), named: "memory")
            let cut = try StreamTests.load(
                StreamTests.stream(bytes, as: .csv, seed: UInt64(seed)),
                named: "the caller's input", pieces: Int.random(in: 1...60, using: &random))
            #expect(whole == cut, "\(text.debugDescription)")
            rows += whole.summary.rows
            rejected += whole.summary.rejected
        }
        // Both good and bad rows were there.
        #expect(rejected > 500 && rows - rejected > 500)
    }

    @Test("can be ended while the caller has nothing yet")
    func waiting() throws {
        let fixture = try Fixture()
        let store = try fixture.create()
        let asked = Mutex(0)
        var options = LoadOptions()
        options.isCancelled = { asked.withLock { $0 > 100 } }
        let source = LoadSource.stream(as: .csv) {
            asked.withLock { $0 += 1 }
            return []
        }
        #expect(throws: WinnowError.cancelled) {
            try store.load(.profiles, from: source, options: options)
        }
    }

    @Test("ends a load, with nothing stored, when the caller has an error")
    func failing() throws {
        let fixture = try Fixture()
        let store = try fixture.create()
        let first = Mutex(true)
        let source = LoadSource.stream(as: .csv) { () throws(WinnowError) -> [UInt8]? in
            let isFirst = first.withLock { value in
                defer { value = false }
                return value
            }
            if isFirst { return Array("id\nada\n".utf8) }
            throw .io(operation: "receive", path: "the body", code: 104)
        }
        let error = #expect(throws: WinnowError.self) { try store.load(.profiles, from: source) }
        #expect(error == .io(operation: "receive", path: "the body", code: 104))
        #expect(try store.snapshot().profiles == 0)
    }

    @Test("is recognised as a batch that was loaded before")
    func repeated() throws {
        let fixture = try Fixture()
        let store = try fixture.create()
        var options = LoadOptions()
        options.batch = "monday"
        let text = Array("{\"id\": \"ada\"}\n".utf8)
        try store.load(.profiles, from: .bytes(text, as: .ndjson), options: options)
        let again = StreamTests.stream(text, as: .ndjson, seed: 1)
        #expect(try store.load(.profiles, from: again, options: options).isRepeated)
        let other = StreamTests.stream(text + text, as: .ndjson, seed: 1)
        #expect(throws: WinnowError.self) {
            try store.load(.profiles, from: other, options: options)
        }
    }
}

/// SplitMix64: the same numbers for a seed, always.
private struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
