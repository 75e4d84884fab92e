import Foundation
import Winnow

/// What reads bytes from outside, as functions of bytes that must come to an end, whatever they are
/// given: for a fuzzer, and for a smoke test.
package enum Fuzzing: String, CaseIterable, Sendable {
    case rule, text, csv, ndjson, schema, part

    /// Reads some bytes.
    /// - Returns: whether they were understood.
    @discardableResult package func run(_ bytes: [UInt8]) throws -> Bool {
        do {
            switch self {
            case .rule: try count(try Segment(json: String(decoding: bytes, as: UTF8.self)))
            case .text: try count(try Segment(String(decoding: bytes, as: UTF8.self)))
            case .csv: try load(bytes, .csv)
            case .ndjson: try load(bytes, .ndjson)
            case .schema:
                let file = try written(bytes)
                defer { try? FileManager.default.removeItem(atPath: file) }
                _ = try Schema(file: file)
            case .part: return try open(bytes)
            }
            return true
        } catch let error as WinnowError {
            // Everything else is somebody's mistake in the engine, not in the bytes.
            guard [64, 65, 66].contains(error.exitCode) else { throw error }
            return false
        }
    }

    /// Input that is understood, to begin with.
    package var seeds: [[UInt8]] {
        let rules = [
            #"{"name": "n", "timezone": "Europe/Berlin", "where": {"all": [{"any": [{"not": {"sample": {"from": 0, "to": 10.5}}}]}]}}"#,
            #"{"activity": {"channel": "email", "event": "clicked", "operator": "between", "times": [1, 3], "links": ["l1"],"#
                + #" "campaigns": {"ids": ["c1"], "tags": ["x"], "all_tags": ["x"], "attributes": {"a": ["b", "c"]}},"#
                + #" "during": {"last": 3, "unit": "months", "mode": "rolling"}}}"#,
            #"{"activity": {"channel": "email", "event": "opened", "operator": "not_happened", "templates": ["t1"],"#
                + #" "preceded_by": {"event": "sent", "at_least": 2, "pairing": "message"}, "during": {"days_ago": [14, 7]}}}"#,
            #"{"activity": {"channel": "email", "event": "opened", "operator": "at_least", "times": 2, "counting": "any_one","#
                + #" "campaigns": ["c1", "c2"], "during": {"from": "2025-01-01T00:00:00Z"}}}"#,
            #"{"field": {"name": "city", "operator": "matches", "value": "c*\\*y", "ignore_case": true}}"#,
            #"{"field": {"name": "paid", "operator": "not_between", "value": [-1.50, 2e2]}}"#,
            #"{"field": {"name": "born", "operator": "anniversary", "value": {"from": -3, "to": 7, "feb29": "mar1"}}}"#,
        ]
        return switch self {
        case .rule: rules.map { Array($0.utf8) }
        case .text:
            [
                "segment \"n\" timezone \"Europe/Berlin\":\nnot sample 0 to 10.5 salted \"x\" or (city = \"c\")",
                "email clicked between 1 and 3 times in campaigns (\"c1\", \"c2\") or tagged \"x\" tagged all"
                    + " \"x\" with a in (\"b\", \"c\") on link \"l1\" in the last 3 months rolling # so\nand tags has any \"a\"",
                "email opened not happened in template \"t1\" between 14 and 7 days ago having sent at least 2"
                    + " times paired by message and not (paid in (1, -2.50) or born anniversary from -3 to 7 days feb29 mar1)",
                "email opened at least 2 in campaigns \"c1\" since 2025-01-01T00:00:00Z counting any one",
                "`city` matches \"c*\\\\*y\" ignoring case and paid not between -1.50 and 2e2 and born until 2025-01-01",
            ].map { Array($0.utf8) }
        case .csv:
            [
                "profile,channel,event,time,campaign,link,message,count\n\"p1\",email,clicked,2025-01-03T00:00:00+03:00,c1,l1,m1,2\n",
                "id,email,n,city,tags,born,paid\r\np1,\"a \"\"b\"\",c\",-7,,a|b\\||,1990-01-01,1.25\r\n\"\",,,,,,\n",
            ].map { Array($0.utf8) }
        case .ndjson:
            [
                #"{"profile": "p1", "channel": "email", "event": "opened", "time_ms": 1735689600000, "count": 3}"#
                    + "\n",
                #"{"id": "p\u0031", "n": null, "city": "\ud83d\ude00", "tags": ["a", "b"], "paid": 12e-1, "born": "1990-01-01"}"#
                    + "\n",
                #"{"id": "c9", "name": "n", "tags": ["x"], "attributes": {"a": "b"}}"# + "\n",
            ].map { Array($0.utf8) }
        case .schema:
            [
                Array(
                    #"{"fields": [{"name": "a", "type": "decimal", "scale": 3}], "unique_events": "stored"}"#
                        .utf8)
            ]
        case .part: [[0, 1, 0, 0, 0, 7, 3, 2, 5, 0, 1, 255]]
        }
    }

    // MARK: What is read

    /// A store that everything is asked of; made once, changed never.
    private static let sample = Result { try SampleStore(profiles: 60) }

    /// A file for input; rewritten every time.
    private func written(_ bytes: [UInt8]) throws -> String {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent(
                "winnow-fuzz-\(getpid())-\(UInt(bitPattern: Thread.current.hash))"
            ).path
        guard FileManager.default.createFile(atPath: path, contents: Data(bytes)) else {
            throw CocoaError(.fileWriteUnknown)
        }
        return path
    }

    private struct DiffersWhenReadAgain: Error { let text: String }

    /// Counts a segment, and prints it in both forms, which must read back as what they are.
    private func count(_ segment: Segment) throws {
        let json = try segment.json()
        guard try Segment(json: json).json() == json else { throw DiffersWhenReadAgain(text: json) }
        // Text cannot say what compares with a value that no field takes.
        if let text = try? segment.text() {
            guard (try? Segment(text).text()) == text else {
                throw DiffersWhenReadAgain(text: text)
            }
        }
        let sample = try Fuzzing.sample.get()
        var options = EvaluationOptions()
        options.threads = 1
        _ = try Store(Workload.path, on: sample.disk([:])).snapshot().count(segment, options)
    }

    /// Loads bytes as whatever they may be; a batch is stored or refused, and the store is sound.
    private func load(_ bytes: [UInt8], _ format: InputFormat) throws {
        let file = try written(bytes)
        let disk = try Fuzzing.sample.get().disk([:])
        defer { try? FileManager.default.removeItem(atPath: file) }
        let store = try Store(Workload.path, on: disk)
        var options = LoadOptions(), refusal: WinnowError?
        options.format = format
        options.unknownProfiles = .create
        for kind in LoadKind.allCases {
            do throws(WinnowError) {
                try store.load(kind, from: .files([file]), options: options)
            } catch {
                refusal = error
            }
        }
        if let refusal { throw refusal }
    }

    /// Overwrites bytes of a store's files (records of file, place and value), makes the checksums
    /// right, and reads all.
    private func open(_ bytes: [UInt8]) throws -> Bool {
        let sample = try Fuzzing.sample.get()
        guard let first = bytes.first else { return true }
        let file = Int(first) % sample.files.count
        var content = sample.bytes(file)
        for record in stride(from: 1, to: bytes.count - 3, by: 4) {
            // From either end: tables are after what they are about.
            let place = (Int(bytes[record]) << 8 | Int(bytes[record + 1])) % content.count
            let at = bytes[record + 2] & 1 == 0 ? place : content.count - 1 - place
            content[at] = bytes[record + 3]
        }
        let disk = sample.disk(sample.sealed(content, file))
        _ = try SampleStore.answers(disk)
        let findings = try Store.verify(at: Workload.path, on: disk).findings
        try Store(Workload.path, on: disk).compact()
        return findings.isEmpty
    }
}
