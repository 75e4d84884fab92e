import WinnowCZstd
import WinnowFormat
import Foundation
import WinnowSimulation
import Testing
import Winnow

/// What the engine writes, byte for byte: a known sequence of loads makes the same parts on every
/// machine, in every process, and in every later version of the same format.
///
/// The table has a line a part: step, name, length, and the CRC-32C of all but its last four bytes.
/// These are the checksum of the trailer before them, and a CRC over both does not depend on
/// either. A change that is meant is written into the table by running this test with
/// `WINNOW_GOLDEN=update`. One that changes how bytes are read needs a new format version, too.
@Suite("Golden bytes")
struct GoldenBytesTests {
    private static let table = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Golden/parts.txt")

    /// The bytes of a compressed frame are up to libzstd. With another version than the table's,
    /// parts that may have frames are compared by their names alone.
    private static let zstd = "# libzstd \(ZSTD_versionNumber())"

    private static let framed = ["activity-", "catalogue-", "segments-"]

    @Test("every part of every step has the bytes that it always had")
    func parts() throws {
        let lines = try GoldenStore().lines
        // The steps must go on writing every kind.
        for kind in PartKind.allCases {
            #expect(lines.contains { $0.contains(" \(kind.name)-") }, "no part of kind \(kind)")
        }
        if ProcessInfo.processInfo.environment["WINNOW_GOLDEN"] == "update" {
            let text = ([GoldenBytesTests.zstd] + lines).map { $0 + "\n" }.joined()
            try Data(text.utf8).write(to: GoldenBytesTests.table)
            return
        }
        let text = try String(contentsOf: GoldenBytesTests.table, encoding: .utf8)
        let expected = text.split(separator: "\n").map(String.init)
        let sameFrames = expected.first == GoldenBytesTests.zstd
        func comparable(_ line: String) -> String {
            let words = line.split(separator: " ")
            guard !sameFrames, GoldenBytesTests.framed.contains(where: words[1].hasPrefix) else {
                return line
            }
            return words.prefix(2).joined(separator: " ")
        }
        let was = expected.dropFirst().map(comparable)
        let now = lines.map(comparable)
        for line in was where !now.contains(line) { Issue.record("no longer: \(line)") }
        for line in now where !was.contains(line) { Issue.record("not before: \(line)") }
        #expect(was == now)
    }
}

/// A store that is made in steps, with something of everything that a part can hold.
private final class GoldenStore {
    private(set) var lines: [String] = []
    private let inputs: Inputs
    private let disk: SimulatedDisk
    private let store: Store

    private static let fields = [
        Field(name: "n", type: .integer), Field(name: "city", type: .string),
        Field(name: "tags", type: .stringSet), Field(name: "paid", type: .decimal, scale: 2),
        Field(name: "fan", type: .boolean), Field(name: "born", type: .date),
        Field(name: "seen", type: .datetime),
    ]

    /// More than a block, and than a dictionary of a field has strings.
    private static let people = 70_000

    init() throws {
        inputs = try Inputs()
        disk = try Workload.disk()
        let schema = Schema(fields: GoldenStore.fields)
        store = try Store.create(Workload.path, schema: schema, on: disk)
        try step("profiles") { try load(.profiles, "people.csv", people()) }
        try step("updates") { try load(.profiles, "updates.ndjson", updates()) }
        try step("campaigns") { try load(.campaigns, "campaigns.ndjson", campaigns()) }
        try step("templates") { try load(.templates, "templates.ndjson", templates()) }
        try step("year") { try load(.events, "year.csv", year()) }
        try step("first-day") { try load(.events, "first.csv", day(0, events: 9000), batch: "1") }
        try step("second-day") { try load(.events, "second.csv", day(1, events: 900), batch: "2") }
        try step("third-day") { try load(.events, "third.csv", day(2, events: 90)) }
        try step("erase") { try store.erase(profiles: ["p4", "p9", "p66000"]) }
        try step("again") { try load(.profiles, "again.csv", "id,city\np9,city 9\n") }
        try step("drop") { try store.drop(before: Instant(milliseconds: 1_738_368_000_000)) }
        try step("compact") { try store.compact() }
        // Some of the profiles are no more.
        var skipping = LoadOptions()
        skipping.unknownProfiles = .skip
        for batch in 0..<2 {
            try step("subscriptions-\(batch)") {
                try store.load(
                    .subscriptions, from: .file(try inputs.subscriptions(4000, batch: batch)),
                    options: skipping)
            }
            try step("goals-\(batch)") {
                try store.load(
                    .goals, from: .file(try inputs.goals(4000, batch: batch)),
                    options: skipping)
            }
        }
        let options = SaveOptions(
            replaces: true,
            evaluation: EvaluationOptions(asOf: Instant(milliseconds: 1_750_000_000_000)))
        try step("segment") { try store.save(.field("n", .atLeast, 40), as: "many", options) }
        for city in ["city 9", "city 1", "city 9"] {
            try step("freeze-\(city.dropFirst(5))") {
                let who: Segment = .saved("many") && .field("city", .equals, .string(city))
                try store.freeze(who, as: "frozen", options)
            }
        }
        try step("erase-again") { try store.erase(profiles: ["p5", "p12"]) }
        try step("compact-again") { try store.compact() }
        #expect(try Store.verify(at: Workload.path, on: disk).findings == [])
    }

    /// Takes a step and adds a line for each part that is there then.
    private func step(_ name: String, _ body: () throws -> Void) throws {
        try body()
        let image = disk.now
        for part in try (disk.list(Workload.path + "/parts") ?? []).sorted() {
            let node = try #require(image.node(Workload.path + "/parts/" + part))
            let bytes = try #require(image.files[node]).bytes
            let digits = String(crc32c(bytes.dropLast(4)), radix: 16)
            let checksum = String(repeating: "0", count: 8 - digits.count) + digits
            lines.append("\(name) \(part) \(bytes.count) \(checksum)")
        }
    }

    private func load(
        _ kind: LoadKind, _ name: String, _ text: String, batch: String? = nil
    ) throws {
        var options = LoadOptions()
        options.batch = batch
        options.unknownProfiles = .create
        try store.load(kind, from: .files([try inputs.file(name, text)]), options: options)
    }

    private func people() -> String {
        let rows = (0..<GoldenStore.people).map { i in
            // Phones are rare, cities and tags few, e-mail addresses all different.
            let phone = i % 900 == 0 ? "+49\(i)" : ""
            let born = "19\(50 + i % 50)-01-0\(1 + i % 9)"
            let seen = i % 2 == 0 ? "2024-05-05T00:00:00.\(100 + i % 900)Z" : ""
            return "p\(i),u\(i)@example.com,\(phone),\(i * 37 % 1009 - 500),city \(i % 23),"
                + "a|t\(i % 7),\(i % 9).25,\(i % 3 == 0),\(born),\(seen)\n"
        }
        return "id,email,phone,n,city,tags,paid,fan,born,seen\n" + rows.joined()
    }

    private func updates() -> String {
        (0..<500).map { i in
            let city = i % 4 == 0 ? "null" : "\"town \(i % 5)\""
            let email = i % 2 == 0 ? "null" : "\"new\(i)@example.com\""
            return "{\"id\": \"p\(i * 139)\", \"city\": \(city), \"email\": \(email), "
                + "\"tags\": [\"t\(i % 3)\", \"new\"]}\n"
        }.joined() + "{\"id\": \"q\", \"n\": -9223372036854775808, \"tags\": []}\n"
    }

    private func campaigns() -> String {
        (0..<6).map {
            "{\"id\": \"c\($0)\", \"name\": \"Campaign \($0)\", \"tags\": [\"x\", \"y\($0 % 2)\"], "
                + "\"attributes\": {\"season\": \"\($0 % 4)\"}}\n"
        }.joined()
    }

    private func templates() -> String {
        (0..<3).map { "{\"id\": \"t\($0)\", \"channel\": \"email\", \"tags\": [\"z\"]}\n" }.joined()
    }

    private static let header =
        "profile,channel,event,time_ms,campaign,template,link,message,count,machine\n"

    /// One large leaf over a hundred days from 2025-01-01 on, which is split by month.
    private func year() -> String {
        let rows = (0..<GoldenStore.people).map { i in
            let time = 1_735_689_600_000 + i * 123_000
            return "p\(i * 3 % GoldenStore.people),email,sent,\(time),c0,t0,,,,\n"
        }
        return GoldenStore.header + rows.joined()
    }

    /// Leaves long and short, whole seconds and milliseconds, links, messages, counts, and profiles
    /// that are new.
    private func day(_ day: Int, events: Int) -> String {
        var dice = Dice(UInt64(day))
        var text = GoldenStore.header
        for i in 0..<events {
            let range = dice.below(3) == 0 ? GoldenStore.people : 400
            let profile = i % 50 == 49 ? "n\(day)-\(i)" : "p\(dice.below(range))"
            let (channel, event) = [
                ("email", "sent"), ("email", "opened"), ("email", "clicked"), ("sms", "clicked"),
            ][dice.below(4)]
            let second = 1_738_300_000 + day * 86_400 + dice.below(86_400)
            let time = second * 1000 + (channel == "sms" ? dice.below(1000) : 0)
            let campaign = dice.below(3) == 0 ? dice.below(200) : dice.below(4)
            let link = event == "clicked" ? "l\(dice.below(5))" : ""
            let message = dice.below(9) == 0 ? "" : "message \(dice.below(events)) of \(campaign)"
            let count = dice.below(20) == 0 ? "\(2 + dice.below(300))" : ""
            text += "\(profile),\(channel),\(event),\(time),c\(campaign),t\(dice.below(3)),"
            text += "\(link),\(message),\(count),\(event == "opened" && i % 3 == 0)\n"
        }
        return text
    }
}
