import Foundation
import Testing
import Winnow

@Suite("Vectors")
struct VectorTests {
    @Test("seven profiles and their rules")
    func activity() throws {
        let fixture = try Fixture()
        let store = try fixture.create()
        try store.load(
            .profiles, from: .files([try fixture.file("p.csv", "id\np1\np2\np3\np4\np5\np6\np7\n")])
        )
        let campaigns = """
            {"id": "c1", "tags": ["Online store"]}
            {"id": "c2", "tags": ["Welcome"]}
            """
        try store.load(.campaigns, from: .files([try fixture.file("c.ndjson", campaigns)]))
        let events = """
            profile,channel,event,time,campaign,template,link,message
            p1,email,sent,2026-04-13T09:00:00Z,c1,t1,,s1
            p1,email,delivered,2026-04-13T09:00:05Z,c1,t1,,s1
            p1,email,opened,2026-04-13T10:00:00Z,c1,t1,,s1
            p1,email,clicked,2026-04-13T10:01:00Z,c1,t1,L1,s1
            p1,email,clicked,2026-04-13T10:02:00Z,c1,t1,L1,s1
            p1,email,clicked,2026-04-13T10:03:00Z,c1,t1,L2,s1
            p2,email,sent,2026-04-14T00:00:00Z,c1,t1,,s2
            p2,email,delivered,2026-04-14T00:00:00Z,c1,t1,,s2
            p2,email,opened,2026-04-14T00:00:00Z,c1,t1,,s2
            p3,email,sent,2026-04-13T23:59:59Z,c2,t2,,s3
            p3,email,delivered,2026-04-13T23:59:59Z,c2,t2,,s3
            p3,email,unsubscribe_clicked,2026-04-15T08:00:00Z,c2,t2,,s3
            p4,email,sent,2026-04-15T08:00:00Z,c1,t1,,s4
            p4,email,sent,2026-04-16T08:00:00Z,c2,t2,,s5
            p4,email,delivered,2026-04-16T08:00:04Z,c2,t2,,s5
            p4,email,clicked,2026-04-16T09:00:00Z,c2,t2,L1,s5
            p5,whatsapp,sent,2026-04-10T08:00:00Z,c3,t3,,s6
            p5,whatsapp,clicked,2026-04-10T08:01:00Z,c3,t3,L1,s6
            p5,whatsapp,clicked,2026-04-10T08:02:00Z,c3,t3,L1,s6
            p5,whatsapp,clicked,2026-04-10T08:03:00Z,c3,t3,L2,s6
            p5,whatsapp,clicked,2026-04-11T08:03:00Z,c3,t3,L1,s7
            p6,email,sent,2026-04-18T08:00:00Z,c1,t1,,s8
            """
        try store.load(.events, from: .files([try fixture.file("e.csv", events)]))
        let snapshot = try store.snapshot()
        var options = EvaluationOptions()
        options.asOf = Instant("2026-04-17T01:00:00Z")
        let lines = try Fixture.vectors("activity.txt")
        #expect(lines.count == 64)
        for i in stride(from: 0, to: lines.count, by: 2) {
            let segment = try Segment(json: lines[i])
            let expected = lines[i + 1].dropFirst(2).split(separator: " ").map(String.init)
            #expect(try Array(snapshot.ids(of: segment, options)) == expected, "\(lines[i])")
            #expect(try snapshot.count(segment, options).count == expected.count, "\(lines[i])")
        }
    }

    private func window(_ text: String) throws -> Window {
        guard case .field(let condition) = try Segment("x \(text)").rule.node,
            case .window(let window) = condition.operand
        else { return try #require(nil, "\(text)") }
        return window
    }

    @Test("windows in ten zones, over gaps, overlaps and days that begin late")
    func windows() throws {
        for line in try Fixture.vectors("windows.txt") {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            let zone = try TimeZoneRules.system(cells[0])
            let asOf = try #require(Instant(cells[1]))
            let resolved = try window(cells[2])
                .resolved(EvaluationTime(asOf: asOf, zone: zone))
            #expect(resolved.from?.description == cells[3], "\(line)")
            #expect(
                (resolved.to ?? asOf).description
                    == (cells.count > 4 ? cells[4] : asOf.description),
                "\(line)")
        }
    }

    @Test("zones agree with Foundation from 2000 to 2040")
    func zones() throws {
        let names = TimeZone.knownTimeZoneIdentifiers.filter { $0 != "GMT" }
        #expect(names.count > 300)
        for (n, name) in names.enumerated() {
            guard let reference = TimeZone(identifier: name) else { continue }
            let zone = try TimeZoneRules.system(name)
            var second: Int64 = 946_684_800 + Int64(n)
            while second < 2_208_988_800 {
                let offset = reference.secondsFromGMT(
                    for: Date(timeIntervalSince1970: TimeInterval(second)))
                #expect(zone.offset(atSecond: second) == Int64(offset), "\(name) at \(second)")
                second += 5 * 86_400 + 3607
            }
        }
    }

    @Test("samples take the bucket that the contract computes")
    func samples() throws {
        let fixture = try Fixture()
        let store = try fixture.create()
        try store.load(.profiles, from: .files([try fixture.file("p.csv", "id\nuser-42\nимя\n")]))
        let snapshot = try store.snapshot()
        func ids(_ bucket: Int, _ salt: String) throws -> [String] {
            try Array(snapshot.ids(of: Segment(.sample(Sample(bucket..<bucket + 1, salt: salt)))))
        }
        #expect(
            try ids(2206, "") == ["user-42"] && ids(329, "a") == ["user-42"]
                && ids(3017, "salt") == ["имя"])
        let all = try Segment(json: #"{"sample": {"from": 0, "to": 100}}"#)
        #expect(try snapshot.count(all).count == 2)
    }

    @Test("events without a message id are warned of where they are met, and nowhere else")
    func approximate() throws {
        let fixture = try Fixture()
        let store = try fixture.create()
        try store.load(.profiles, from: .files([try fixture.file("p.csv", "id\na\n")]))
        let events = """
            profile,channel,event,time,campaign,link,message
            a,email,clicked,2025-02-01T00:00:00Z,named,l1,m1
            a,email,clicked,2025-06-01T00:00:00Z,mixed,l1,m2
            a,email,clicked,2025-07-01T00:00:00Z,mixed,l2,
            a,email,opened,2025-06-01T00:00:00Z,mixed,,m2
            """
        try store.load(.events, from: .files([try fixture.file("e.csv", events)]))
        let snapshot = try store.snapshot()
        func warns(_ event: String, _ more: String = "", asOf: String = "2026-01-01T00:00:00Z")
            throws -> Bool
        {
            let rule =
                #"{"all": [{"field": {"name": "email", "operator": "exists"}}, {"activity": {"channel": "email","#
                + #" "event": "\#(event)", "operator": "at_least", "times": 1\#(more)}}]}"#
            var options = EvaluationOptions()
            options.asOf = Instant(asOf)
            let warnings = try snapshot.count(try Segment(json: rule), options).warnings
            return warnings.contains {
                $0.code == "approximate_unique" && $0.path.description == "where.all[1].activity"
            }
        }
        #expect(try warns("unique_clicked") && warns("unique_link_clicked"))
        #expect(try !warns("clicked") && !warns("unique_opened"))
        #expect(try warns("unique_clicked", #", "campaigns": ["mixed"]"#))
        #expect(try !warns("unique_clicked", #", "campaigns": ["named"]"#))
        #expect(try warns("unique_clicked", #", "links": ["l2"]"#))
        #expect(try !warns("unique_clicked", #", "links": ["l1"]"#))
        // Uniqueness comes before windows, so they do not matter.
        #expect(
            try warns("unique_clicked", #", "during": {"from": "2025-01-01", "to": "2025-01-31"}"#))
        #expect(try warns("unique_clicked", #", "during": {"from": "2030-01-01"}"#))
        #expect(try !warns("unique_clicked", asOf: "2025-06-30T00:00:00Z"))
        #expect(try !warns("unique_clicked", #", "links": ["l2"]"#, asOf: "2025-06-30T00:00:00Z"))
    }

    @Test("the last and the first day that there are end and begin like any other")
    func extremeDays() throws {
        let fixture = try Fixture()
        let store = try fixture.create([Field(name: "at", type: .datetime)])
        let rows =
            "id,at\nlast,9999-12-31T23:59:59.999Z\nfirst,0001-01-01T00:00:00Z\nnoon,9999-12-31T12:00:00Z\n"
        try store.load(.profiles, from: .files([try fixture.file("p.csv", rows)]))
        func ids(_ operation: String, _ value: String, _ zone: String) throws -> [String] {
            let rule =
                #"{"timezone": "\#(zone)", "where": {"field": {"name": "at", "operator": "\#(operation)", "value": \#(value)}}}"#
            return try Array(store.snapshot().ids(of: try Segment(json: rule)))
        }
        let day = #""9999-12-31""#, window = #"{"from": "9999-12-31", "to": "9999-12-31"}"#
        #expect(
            try ids("after", day, "UTC") == [] && ids("equals", day, "UTC") == ["last", "noon"])
        #expect(try ids("during", window, "UTC") == ["last", "noon"])
        // There it is the year 10000 already; here it is not yet the last day.
        #expect(
            try ids("after", day, "Asia/Kathmandu") == ["last"]
                && ids("equals", day, "Asia/Kathmandu") == ["noon"])
        #expect(try ids("during", window, "Asia/Kathmandu") == ["noon"])
        #expect(try ids("before", #""9999-12-31""#, "Pacific/Honolulu") == ["first"])
        #expect(try ids("before", #""0001-01-01""#, "America/New_York") == ["first"])
        #expect(try ids("on_or_after", #""0001-01-01""#, "UTC").count == 3)
    }

    @Test("decimals are exact whatever their exponent, letters fold as Unicode says")
    func exactness() throws {
        let fixture = try Fixture()
        let store = try fixture.create([
            Field(name: "d", type: .decimal, scale: 2), Field(name: "s", type: .string),
        ])
        let rows = "id,d,s\na,1.25,\u{1FD3}\nb,-5,\u{FB05}\nc,0.99,ς\n"
        try store.load(.profiles, from: .files([try fixture.file("p.csv", rows)]))
        func ids(_ condition: String) throws -> [String] {
            try Array(store.snapshot().ids(of: try Segment(json: #"{"field": {\#(condition)}}"#)))
        }
        let zeros = String(repeating: "0", count: 1_030_000)
        let one = "1\(zeros)e-\(zeros.utf8.count)"
        #expect(try ids(#""name": "d", "operator": "at_most", "value": \#(one)"#) == ["b", "c"])
        #expect(
            try ids(#""name": "d", "operator": "at_least", "value": -1e999999999999999999999"#)
                .count == 3)
        for (text, id) in [("\u{390}", "a"), ("\u{FB06}", "b"), ("Σ", "c")] {
            #expect(
                try ids(
                    #""name": "s", "operator": "equals", "value": "\#(text)", "ignore_case": true"#)
                    == [id])
        }
    }
}
