import Foundation
import Testing
import Winnow

@Suite("Saved segments")
struct SavedSegmentTests {
    private static func store(_ fixture: Fixture, profiles: Int = 40) throws -> Store {
        let store = try Store.create(
            fixture.storePath,
            schema: Schema(fields: [
                Field(name: "n", type: .integer), Field(name: "city", type: .string),
            ]))
        let rows = (0..<profiles).map { "p\($0),u\($0)@x.org,\($0),c\($0 % 4)\n" }.joined()
        try store.load(
            .profiles, from: .bytes("id,email,n,city\n\(rows)".utf8, as: .csv))
        return store
    }

    private static func error(_ body: () throws -> Void) -> WinnowError? {
        do { try body() } catch { return error as? WinnowError }
        return nil
    }

    private static func day(_ day: Int) -> SaveOptions {
        SaveOptions(
            replaces: true,
            evaluation: EvaluationOptions(
                asOf: Instant(milliseconds: 1_735_689_600_000 + Int64(day) * 86_400_000)))
    }

    @Test("a segment that would use itself is refused, by whatever way, and the way is named")
    func cycles() throws {
        let fixture = try Fixture()
        let store = try SavedSegmentTests.store(fixture)
        var options = SaveOptions()
        try store.save(.field("n", .atLeast, 5), as: "a")
        try store.freeze(.saved("a"), as: "b")
        try store.save(.entered("b") && !.field("n", .exists), as: "c")
        options.replaces = true
        let error = SavedSegmentTests.error { try store.save(.saved("c"), as: "a", options) }
        #expect(error?.exitCode == 64)
        #expect(
            error?.description.contains("“a” uses “c” uses “b” uses “a”") == true,
            "\(error ?? .cancelled)")
        #expect(
            SavedSegmentTests.error {
                try store.freeze(.saved("x") || .left("b"), as: "b", options)
            }?
            .description.contains("“b” uses “b”") == true)
        #expect(try store.snapshot().savedSegments().map(\.usedBy) == [["b"], ["c"], []])
    }

    @Test("chains of segments are evaluated to any depth that can be; deeper ones are refused")
    func chains() throws {
        let fixture = try Fixture()
        let store = try SavedSegmentTests.store(fixture)
        try store.save(.field("n", .atLeast, 30), as: "s0")
        // Each uses the one before it twice: two to the power of levels, were they not shared.
        for i in 1..<300 {
            let before: Segment = .saved("s\(i - 1)")
            try store.save(!before || (before && .field("n", .atMost, 3)), as: "s\(i)")
        }
        let snapshot = try store.snapshot()
        #expect(try snapshot.count(.saved("s298")).count == 14)
        #expect(try snapshot.count(.saved("s299")).count == 30)
        #expect(try snapshot.explain(.saved("s299")).count == 30)
        var error: WinnowError?
        for i in 300..<600 where error == nil {
            error = SavedSegmentTests.error {
                try store.save(!.saved("s\(i - 1)") || .saved("s\(i - 1)"), as: "s\(i)")
            }
        }
        #expect(error?.description.contains("1024 levels") == true, "\(error ?? .cancelled)")
        #expect(error?.exitCode == 64)
        #expect(try Store.verify(at: store.path).findings == [])
    }

    @Test("names, instants, kinds and rules that cannot be are refused, and nothing is stored")
    func refusals() throws {
        let fixture = try Fixture()
        let store = try SavedSegmentTests.store(fixture)
        try store.freeze(.field("n", .atLeast, 5), as: "list", SavedSegmentTests.day(5))
        try store.freeze(profiles: ["p1", "p2", "p2", "nobody"], as: "ids")
        try store.save(.left("list"), as: "asks")
        let version = try store.snapshot().version
        func refuse(_ status: Int32, _ words: String, _ body: () throws -> Void) {
            let error = SavedSegmentTests.error(body)
            #expect(error?.exitCode == status, "\(words): \(error ?? .cancelled)")
            #expect(error?.description.contains(words) == true, "\(error ?? .cancelled)")
        }
        let any: Segment = .field("n", .exists)
        refuse(64, "1 to 255 bytes") { try store.save(any, as: "") }
        refuse(64, "1 to 255 bytes") { try store.save(any, as: String(repeating: "é", count: 128)) }
        refuse(73, "there is a segment of this name") { try store.save(any, as: "list") }
        refuse(73, "there is a segment of this name") { try store.freeze(profiles: [], as: "ids") }
        refuse(64, "no field “m”") { try store.save(.field("m", .exists), as: "new") }
        refuse(64, "no segment “lisst” (did you mean “list”?)") {
            try store.save(.saved("lisst"), as: "new")
        }
        refuse(64, "before that") {
            try store.freeze(any, as: "list", SavedSegmentTests.day(4))
        }
        refuse(64, "before that") {
            try store.refresh(["list"], SavedSegmentTests.day(4).evaluation)
        }
        refuse(64, "without a rule") { try store.refresh(["ids"]) }
        refuse(64, "nothing to refresh") { try store.refresh(["asks"]) }
        refuse(66, "no such segment: nobody") { try store.refresh(["nobody"]) }
        refuse(66, "no such segment") { try store.removeSegment("nobody") }
        refuse(64, "“asks”") { try store.removeSegment("list") }
        refuse(64, "“asks” asks who entered or left") {
            try store.save(any, as: "list", SavedSegmentTests.day(9))
        }
        refuse(64, "no members to compare") { _ = try store.snapshot().difference(of: "asks") }
        refuse(64, "a list of ids") { _ = try store.snapshot().difference(of: "ids") }
        refuse(64, "only static segments") { _ = try store.snapshot().refreshes(of: "asks") }
        refuse(64, "where.segment.entered") {
            _ = try store.snapshot().count(.entered("asks"))
        }
        refuse(64, "the name of a segment") { _ = try store.snapshot().count(.saved("")) }
        #expect(try store.snapshot().version == version)
        #expect(try store.snapshot().info().segments == 3)
    }

    @Test("a segment that is later already keeps no other one from being refreshed with all")
    func later() throws {
        let fixture = try Fixture()
        let store = try SavedSegmentTests.store(fixture)
        try store.freeze(.field("n", .atLeast, 5), as: "early", SavedSegmentTests.day(1))
        try store.freeze(.field("n", .atLeast, 5), as: "late", SavedSegmentTests.day(9))
        let summary = try store.refresh(nil, SavedSegmentTests.day(5).evaluation)
        #expect(summary.refreshes.map(\.name) == ["early"] && summary.later == ["late"])
        let error = SavedSegmentTests.error {
            try store.refresh(nil, SavedSegmentTests.day(0).evaluation)
        }
        #expect(error?.exitCode == 64)
    }

    @Test("a batch of refreshes is done once; another thing under its id is refused")
    func batches() throws {
        let fixture = try Fixture()
        let store = try SavedSegmentTests.store(fixture)
        try store.freeze(.field("n", .atLeast, 5), as: "list", SavedSegmentTests.day(1))
        try store.load(.profiles, from: .bytes("id,n\np0,50\np39,0\n".utf8, as: .csv))
        let first = try store.refresh(batch: "night")
        #expect(first.refreshes.map(\.entered) == [1] && first.refreshes.map(\.left) == [1])
        // Nobody reads the version before, so its files are gone.
        let files = try FileManager.default.contentsOfDirectory(atPath: store.path)
        #expect(files.count { $0.hasPrefix("MANIFEST-") } == 1)
        let again = try store.refresh(batch: "night")
        #expect(again.isRepeated && again.refreshes.isEmpty)
        #expect(again.version == first.version)
        for other in [
            { try store.refresh(["list"], batch: "night") },
            { try store.refresh(batch: "night", EvaluationOptions(asOf: .now)) },
        ] {
            let error = SavedSegmentTests.error { _ = try other() }
            #expect(error?.code == .batchConflict && error?.exitCode == 65)
        }
        // Batches of data have the same ids.
        var options = LoadOptions()
        options.batch = "night"
        let error = SavedSegmentTests.error {
            try store.load(
                .profiles, from: .bytes("id,n\np0,50\n".utf8, as: .csv), options: options)
        }
        #expect(error?.code == .batchConflict)
    }

    @Test("saving and refreshing make a version, but say nothing of when fields were loaded")
    func currentFields() throws {
        let fixture = try Fixture()
        let store = try SavedSegmentTests.store(fixture)
        let loaded = Instant.now
        try store.save(.field("n", .atLeast, 5), as: "old")
        try store.freeze(.saved("old"), as: "list")
        let result = try store.snapshot().count(.saved("old"), asOf: loaded)
        #expect(result.warnings.isEmpty)
        let before = try store.snapshot().count(.saved("old"), asOf: Instant(milliseconds: 0))
        #expect(before.warnings.map(\.code) == ["fields_are_current"])
        #expect(before.warnings[0].message.hasPrefix("in segment “old”: "))
        // Members are those of the instant.
        let static0 = try store.snapshot().count(.saved("list"), asOf: Instant(milliseconds: 0))
        #expect(static0.count == 0 && static0.warnings.isEmpty)
    }

    @Test("erased profiles leave lists, their history and the files; rules that name them are told")
    func erasure() throws {
        let fixture = try Fixture()
        let store = try SavedSegmentTests.store(fixture)
        try store.freeze(.field("n", .atLeast, 30), as: "list", SavedSegmentTests.day(1))
        try store.freeze(.field("n", .atLeast, 35), as: "list", SavedSegmentTests.day(2))
        try store.save(.field("email", .equals, "u31@x.org"), as: "mail")
        try store.save(
            .field("id", in: ["p36", "p2"]) && .field("city", .equals, "p31"), as: "ids")
        try store.save(.field("city", .equals, "c3"), as: "other")
        func naming(_ ids: String...) throws -> [String] {
            try store.snapshot().savedSegments(naming: ids)
        }
        #expect(try naming("p31", "p36", "x") == ["ids", "mail"])
        #expect(try naming("p2") == ["ids"])
        #expect(try naming("p3").isEmpty)
        try store.erase(profiles: ["p31", "p36"])
        func check(_ what: Comment) throws {
            let snapshot = try store.snapshot()
            #expect(try snapshot.savedSegment("list").members == 4, what)
            #expect(try snapshot.count(.left("list")).count == 4, what)
            #expect(try snapshot.count(.entered("list")).count == 8, what)
            #expect(
                try snapshot.count(.saved("list"), asOf: SavedSegmentTests.day(1).evaluation.asOf)
                    .count == 8, what)
            #expect(try Store.verify(at: store.path).findings == [], what)
        }
        try check("erased")
        try store.compact()
        try check("compacted")
        // The id comes again: it is another profile.
        try store.load(.profiles, from: .bytes("id,n\np36,1\n".utf8, as: .csv))
        try check("again")
        #expect(
            try Store.find("u31@x.org", at: store.path).map(\.what) == [
                "found in the saved segment “mail”"
            ])
        try store.removeSegment("mail")
        try store.compact()
        #expect(try Store.find("u31@x.org", at: store.path).isEmpty)
    }

    @Test("what is removed leaves the files, and its name begins anew")
    func removal() throws {
        let fixture = try Fixture()
        let store = try SavedSegmentTests.store(fixture)
        try store.freeze(.field("n", .atLeast, 30), as: "list", SavedSegmentTests.day(1))
        try store.freeze(.field("n", .atLeast, 20), as: "stays", SavedSegmentTests.day(1))
        try store.removeSegment("list")
        #expect(SavedSegmentTests.error { _ = try store.snapshot().count(.saved("list")) } != nil)
        try store.freeze(.field("n", .atLeast, 38), as: "list", SavedSegmentTests.day(0))
        for _ in 0..<2 {
            let snapshot = try store.snapshot()
            #expect(try snapshot.count(.entered("list")).count == 2)
            #expect(try snapshot.refreshes(of: "list").map(\.members) == [2])
            #expect(try snapshot.count(.saved("stays")).count == 20)
            #expect(try Store.verify(at: store.path).findings == [])
            try store.compact()
        }
        // A static one that becomes dynamic and static again has no past either.
        try store.save(.field("n", .atLeast, 39), as: "list", SaveOptions(replaces: true))
        try store.freeze(.field("n", .atLeast, 39), as: "list", SavedSegmentTests.day(0))
        #expect(try store.snapshot().count(.entered("list")).count == 1)
    }

    @Test("a segment has days of its own, as of the instant of who uses it")
    func zones() throws {
        let fixture = try Fixture()
        let store = try SavedSegmentTests.store(fixture, profiles: 2)
        // 23:30 of 9 March in UTC is 10 March in Berlin.
        try store.load(
            .events,
            from: .bytes(
                "profile,channel,event,time\np0,email,opened,2025-03-09T23:30:00Z\n".utf8, as: .csv)
        )
        var berlin: Segment = .email(.opened, .atLeast(1), during: .period(.init(.this, .day)))
        berlin.timezone = "Europe/Berlin"
        try store.save(berlin, as: "Berlin")
        try store.save(.email(.opened, .atLeast(1), during: .period(.init(.this, .day))), as: "any")
        var given = SaveOptions()
        given.evaluation.timezone = "Europe/Berlin"
        try store.save(
            .email(.opened, .atLeast(1), during: .period(.init(.this, .day))), as: "given", given)
        let snapshot = try store.snapshot()
        let noon = try #require(Instant("2025-03-10T12:00:00Z"))
        for (name, zone, count) in [
            ("Berlin", nil, 1), ("any", nil, 0), ("given", nil, 1), ("any", "Europe/Berlin", 1),
            ("given", "America/New_York", 1), ("any", "America/New_York", 0),
        ] as [(String, String?, Int)] {
            #expect(
                try snapshot.count(.saved(name), asOf: noon, in: zone).count == count,
                "\(name) \(zone ?? "")")
            // The zone of the rule that uses it is its own.
            var tokyo = Segment.saved(name)
            tokyo.timezone = "Asia/Tokyo"
            #expect(try snapshot.count(tokyo, asOf: noon, in: zone).count == count)
        }
        // The day goes by.
        let midnight = try #require(Instant("2025-03-10T23:00:00Z"))
        #expect(try snapshot.count(.saved("Berlin"), asOf: midnight).count == 0)
        #expect(try snapshot.count(.saved("Berlin"), asOf: noon).count == 1)
    }
}
