import Synchronization
import Testing
import Winnow

/// The call sites that the API promises, in sync and in async functions.
@Suite("The API")
struct APITests {
    private let fixture: Fixture
    private let store: Store

    init() throws {
        fixture = try Fixture()
        store = try Store.create(
            fixture.storePath,
            schema: Schema(fields: [
                Field(name: "country", type: .string), Field(name: "ltv", type: .decimal, scale: 2),
            ]))
        let profiles = """
            {"id": "ada", "country": "DE", "ltv": 120}
            {"id": "bo", "country": "SE", "ltv": 99.99}
            {"id": "cem", "country": "DE", "ltv": 0.1}

            """
        try store.load(.profiles, from: .bytes(profiles.utf8, as: .ndjson))
        let events = """
            profile,channel,event,time,campaign
            ada,email,delivered,2025-12-01T09:00:00Z,c1
            ada,email,opened,2025-12-01T09:20:00Z,c1
            bo,email,delivered,2025-12-01T09:00:00Z,c1
            bo,email,delivered,2025-12-08T09:00:00Z,c2
            """
        let file = try fixture.file("tonight.csv", events)
        try store.load(.events, from: .file(file))
    }

    private let asOf = Instant("2025-12-10T00:00:00Z")

    @Test("segments are built from operators and factories")
    func builders() throws {
        let snapshot = try Store(fixture.storePath).snapshot()
        func ids(_ segment: Segment) throws -> [String] {
            try Array(snapshot.ids(of: segment, asOf: asOf))
        }
        let quiet: Segment =
            .email(.delivered, .atLeast(2), during: .last(30, .days)) && !.email(.opened)
        let vip: Segment = .field("country", in: ["DE", "SE"]) && .field("ltv", .atLeast, 100)
        #expect(try ids(quiet) == ["bo"])
        #expect(try ids(vip) == ["ada"])
        #expect(try ids(quiet || vip) == ["ada", "bo"])
        #expect(try ids(!(quiet || vip)) == ["cem"])
        #expect(try ids(.email(.delivered, campaigns: .ids("c2"))) == ["bo"])
        #expect(try ids(.email(.delivered, .notHappened, campaigns: .ids("c1"))) == ["cem"])
        #expect(try ids(.field("ltv", .equals, 0.1)) == ["cem"])
        #expect(try ids(.field("ltv", .equals, .decimal("0.10"))) == ["cem"])
        #expect(try ids(.field("ltv", between: 0, and: 99.99)) == ["bo", "cem"])
        #expect(try ids(.field("country", .startsWith, "d", ignoringCase: true)) == ["ada", "cem"])
        #expect(try ids(.sample(0, to: 100)) == ["ada", "bo", "cem"])
        let result = try snapshot.count(quiet, asOf: .now, in: "Europe/Berlin")
        #expect(result.universe == 3)
        // Chains of operators do not nest.
        let all = (0..<100).reduce(quiet) { chain, _ in chain && .email(.delivered) }
        #expect(try ids(all) == ["bo"])
    }

    @Test("fields as of before the newest batch carry a warning, in the place of the whole rule")
    func currentFields() throws {
        let snapshot = try store.snapshot()
        func warnings(_ segment: Segment, _ asOf: Instant?) throws -> [String] {
            try snapshot.count(segment, asOf: asOf).warnings.map { "\($0.path): \($0.code)" }
        }
        let field: Segment = .field("country", in: ["DE"])
        let activity: Segment = .email(.opened)
        #expect(try warnings(field && activity, asOf) == ["where: fields_are_current"])
        #expect(try warnings(field, nil) == [])
        #expect(try warnings(.email(.opened, .atLeast(1)), asOf) == [])
    }

    @Test("combined segments keep an equal time zone, drop names, and cannot have two zones")
    func combining() throws {
        let snapshot = try store.snapshot()
        func segment(_ zone: String?) -> Segment {
            Segment(name: "x", timezone: zone, .field(FieldCondition("ltv", .exists)))
        }
        let same = segment("Europe/Berlin") && segment("Europe/Berlin")
        #expect(same.timezone == "Europe/Berlin" && same.name == nil)
        #expect(try snapshot.count(same).count == 3)
        for other in [nil, "UTC"] as [String?] {
            for mixed in [
                segment("Europe/Berlin") || segment(other),
                !(segment(other) && segment("Europe/Berlin")),
            ] {
                let error = #expect(throws: WinnowError.self) { try snapshot.count(mixed) }
                #expect(error?.path == "timezone" && error?.code.rawValue == "invalid_rule")
            }
        }
    }

    @Test("too many levels of not are a typed error")
    func depth() throws {
        var segment: Segment = .email(.opened)
        for _ in 0..<16 { segment = !segment }
        let error = #expect(throws: WinnowError.self) { try store.snapshot().count(segment) }
        #expect(error?.code.rawValue == "invalid_rule")
    }

    @Test("a prepared segment is counted again and again")
    func prepared() throws {
        let snapshot = try store.snapshot()
        let prepared = try snapshot.prepare(.email(.opened), asOf: asOf)
        for _ in 0..<3 { #expect(try prepared.count().count == 1) }
        #expect(try Array(prepared.ids()) == ["ada"])
        #expect(prepared.asOf == asOf)
    }

    @Test("ids are a sequence that can be walked twice, over versions, too")
    func ids() throws {
        let ids = try store.snapshot().ids(of: .field("ltv", .exists))
        try store.erase(profiles: ["bo"])
        try store.compact()
        #expect(ids.count == 3)
        for _ in 0..<2 { #expect(Array(ids) == ["ada", "bo", "cem"]) }
        #expect(try Array(store.snapshot().ids(of: .field("ltv", .exists))) == ["ada", "cem"])
    }

    @Test("memory is loaded as files are: with batches, rejects and places of bad rows")
    func memory() throws {
        var options = LoadOptions()
        options.batch = "b"
        let rows = Array("id\nnew\n".utf8)
        #expect(try store.load(.profiles, from: .bytes(rows, as: .csv), options: options).new == 1)
        #expect(
            try store.load(.profiles, from: .bytes(rows, as: .csv), options: options).isRepeated)
        let file = try fixture.file("same.csv", "id\nnew\n")
        #expect(try store.load(.profiles, from: .file(file), options: options).isRepeated)
        let error = #expect(throws: WinnowError.self) {
            try store.load(.profiles, from: .bytes("id,ltv\na,x\n".utf8, as: .csv))
        }
        #expect(error?.description.hasPrefix("memory, line 2, column ltv:") == true)
        #expect(throws: WinnowError.self) { try store.load(.profiles, from: .bytes([], as: .csv)) }
        #expect(try store.load(.profiles, from: .bytes([], as: .ndjson)).rows == 0)
    }

    @Test("async forms answer the same, and end soon when their task is cancelled")
    func async() async throws {
        let snapshot = try await store.async.snapshot()
        #expect(try await snapshot.async.count(.email(.opened), asOf: asOf).count == 1)
        #expect(try await Array(snapshot.async.ids(of: .email(.opened), asOf: asOf)) == ["ada"])
        #expect(try await snapshot.async.prepare(.email(.opened), asOf: asOf).count().count == 1)
        #expect(try snapshot.count(.email(.opened), asOf: asOf).count == 1)
        await #expect(throws: WinnowError.self) { try await snapshot.async.count(.sms(.read)) }
        let summary = try await store.async.load(
            .profiles, from: .bytes("id\nzoe\n".utf8, as: .csv))
        #expect(summary.new == 1)
    }

    @Test("a cancelled task counts, loads and checks nothing, in both forms")
    func cancelled() async throws {
        let store = store
        try store.load(.profiles, from: .bytes("id\ngone\n".utf8, as: .csv))
        try store.erase(profiles: ["gone"])
        let snapshot = try store.snapshot()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            var errors: [WinnowError] = []
            do throws(WinnowError) { _ = try await snapshot.async.count(.sample(0, to: 50)) } catch
            {
                errors.append(error)
            }
            do throws(WinnowError) { _ = try snapshot.count(.sample(0, to: 50)) } catch {
                errors.append(error)
            }
            do throws(WinnowError) { _ = try snapshot.ids(of: .sample(0, to: 50)) } catch {
                errors.append(error)
            }
            let rows = LoadSource.bytes("id\nlate\n".utf8, as: .csv)
            do throws(WinnowError) { try store.load(.profiles, from: rows) } catch {
                errors.append(error)
            }
            do throws(WinnowError) { try await store.async.load(.profiles, from: rows) } catch {
                errors.append(error)
            }
            // There is something to do: a profile was erased.
            do throws(WinnowError) { try store.compact() } catch { errors.append(error) }
            do throws(WinnowError) { try await store.async.compact() } catch {
                errors.append(error)
            }
            do throws(WinnowError) { _ = try Store.verify(at: store.path) } catch {
                errors.append(error)
            }
            return errors
        }
        #expect(await task.value == Array(repeating: .cancelled, count: 8))
        #expect(try store.snapshot().profiles == 3)
    }
}
