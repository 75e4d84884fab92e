import Foundation
import Testing

@Suite("The oracle answers the contract's vectors")
struct OracleTests {
    static let asOf = "2026-04-17T01:00:00Z"

    /// Seven profiles; the campaigns c1, c2 and c3 send the templates t1, t2 and t3.
    static func world() throws -> OracleWorld {
        var events: [OracleEvent] = []
        func add(
            _ profile: String, _ channel: String, _ object: Int, _ message: String,
            _ happenings: [(event: String, time: String, link: String?)]
        ) throws {
            for happening in happenings {
                let event = OracleEvent(
                    profile: profile, channel: channel, event: happening.event,
                    time: try OracleCalendar.instant("2026-\(happening.time)Z"),
                    campaign: "c\(object)",
                    template: "t\(object)", link: happening.link, message: message, count: 1)
                events.append(event)
            }
        }
        try add(
            "p1", "email", 1, "s1",
            [
                ("sent", "04-13T09:00:00", nil), ("delivered", "04-13T09:00:05", nil),
                ("opened", "04-13T10:00:00", nil),
                ("clicked", "04-13T10:01:00", "L1"), ("clicked", "04-13T10:02:00", "L1"),
                ("clicked", "04-13T10:03:00", "L2"),
            ])
        try add(
            "p2", "email", 1, "s2",
            [
                ("sent", "04-14T00:00:00", nil), ("delivered", "04-14T00:00:00", nil),
                ("opened", "04-14T00:00:00", nil),
            ])
        try add(
            "p3", "email", 2, "s3",
            [
                ("sent", "04-13T23:59:59", nil), ("delivered", "04-13T23:59:59", nil),
                ("unsubscribe_clicked", "04-15T08:00:00", nil),
            ])
        try add("p4", "email", 1, "s4", [("sent", "04-15T08:00:00", nil)])
        try add(
            "p4", "email", 2, "s5",
            [
                ("sent", "04-16T08:00:00", nil), ("delivered", "04-16T08:00:04", nil),
                ("clicked", "04-16T09:00:00", "L1"),
            ])
        try add(
            "p5", "whatsapp", 3, "s6",
            [
                ("sent", "04-10T08:00:00", nil), ("clicked", "04-10T08:01:00", "L1"),
                ("clicked", "04-10T08:02:00", "L1"),
                ("clicked", "04-10T08:03:00", "L2"),
            ])
        try add("p5", "whatsapp", 3, "s7", [("clicked", "04-11T08:03:00", "L1")])
        try add("p6", "email", 1, "s8", [("sent", "04-18T08:00:00", nil)])
        let profiles = (1...7).map { OracleProfile(id: "p\($0)", fields: [:]) }
        return OracleWorld(
            fields: [], profiles: profiles, events: events, campaigns: [], templates: [])
    }

    static let scope = #""campaigns": ["c1", "c2"]"#
    static let vectors: [(activity: String, expected: String)] = [
        (#""event": "sent", "operator": "exists""#, "p1 p2 p3 p4"),
        (#""event": "sent", "operator": "does_not_exist""#, "p5 p6 p7"),
        (#""event": "sent", "operator": "at_least", "times": 2"#, "p4"),
        (#""event": "sent", "operator": "at_least", "times": 1, "during": {"last": 3}"#, "p2 p4"),
        (
            #""event": "sent", "operator": "at_least", "times": 1, "during": {"last": 3, "mode": "rolling"}"#,
            "p4"
        ),
        (#""event": "sent", "operator": "not_happened", "during": {"last": 3}"#, "p1 p3 p5 p6 p7"),
        (#""event": "clicked", "operator": "at_least", "times": 1, "# + scope, "p1 p4"),
        (#""event": "clicked", "operator": "not_happened", "# + scope, "p2 p3 p5 p6 p7"),
        // "Missed any of them": not what `not_happened` means by itself.
        (
            #""event": "clicked", "operator": "not_happened", "counting": "any_one", "# + scope,
            "p1 p2 p3 p4 p5 p6 p7"
        ),
        (#""event": "sent", "operator": "at_least", "times": 2, "# + scope, "p4"),
        (
            #""event": "sent", "operator": "at_least", "times": 2, "counting": "any_one", "#
                + scope, ""
        ),
        (
            #""event": "sent", "operator": "at_least", "times": 1, "counting": "every_one", "#
                + scope, "p4"
        ),
        (
            #""event": "clicked", "operator": "not_happened", "campaigns": ["c1"], "#
                + #""preceded_by": {"event": "delivered"}"#, "p2"
        ),
        (
            #""event": "clicked", "operator": "not_happened", "preceded_by": {"event": "sent"}, "#
                + scope, "p2 p3"
        ),
        (
            #""event": "clicked", "operator": "not_happened", "preceded_by": {"event": "sent", "pairing": "object"}, "#
                + scope, "p2 p3 p4"
        ),
        (
            #""event": "clicked", "operator": "not_happened", "preceded_by": {"event": "sent", "pairing": "message"}, "#
                + scope, "p2 p3 p4"
        ),
        (#""event": "clicked", "operator": "at_least", "times": 1, "links": ["L1"]"#, "p1 p4"),
        (#""event": "clicked", "operator": "at_least", "times": 1, "links": ["unsubscribe"]"#, ""),
        (#""event": "unsubscribe_clicked", "operator": "exists""#, "p3"),
        (#""event": "clicked", "operator": "exists""#, "p1 p4"),
        (#""event": "sent", "operator": "at_least", "times": 1, "campaigns": ["unknown"]"#, ""),
        (
            #""event": "sent", "operator": "not_happened", "campaigns": ["unknown"]"#,
            "p1 p2 p3 p4 p5 p6 p7"
        ),
    ]

    @Test("e-mail activity", arguments: vectors)
    func email(activity: String, expected: String) throws {
        let rule = #"{"activity": {"channel": "email", \#(activity)}}"#
        #expect(try Self.answer(rule) == expected)
    }

    @Test(
        "unique clicks",
        arguments: [("clicked", 4), ("unique_clicked", 2), ("unique_link_clicked", 3)])
    func unique(event: String, count: Int) throws {
        let start =
            #"{"activity": {"channel": "whatsapp", "event": "\#(event)", "operator": "exactly", "times": "#
        #expect(try Self.answer(start + "\(count)}}") == "p5")
        #expect(try Self.answer(start + "\(count + 1)}}").isEmpty)
    }

    @Test("links count before uniqueness")
    func uniqueWithLinks() throws {
        let rule = #"""
            {"activity": {"channel": "whatsapp", "event": "unique_clicked", "operator": "exactly", "times": 1,
            "links": ["L2"], "during": {"from": "2026-04-10T08:03:00Z"}}}
            """#
        #expect(try Self.answer(rule) == "p5")
    }

    private static func answer(_ rule: String) throws -> String {
        let oracle = Oracle(world: try world())
        let instant = try OracleCalendar.instant(asOf)
        return try oracle.matching(rule: rule, asOf: instant, timezone: "UTC").sorted().joined(
            separator: " ")
    }
}

@Suite("The oracle selects campaigns and templates")
struct OracleSelectorTests {
    static func world() -> OracleWorld {
        func event(_ profile: String, _ name: String, _ campaign: String?, template: String? = nil)
            -> OracleEvent
        {
            OracleEvent(
                profile: profile, channel: "email", event: name, time: 0, campaign: campaign,
                template: template,
                link: nil, message: name == "clicked" ? "m" : nil, count: 1)
        }
        return OracleWorld(
            fields: [], profiles: (1...5).map { OracleProfile(id: "p\($0)", fields: [:]) },
            events: [
                event("p1", "opened", "a", template: "t"),
                event("p2", "opened", "b", template: "t"),
                event("p3", "opened", "z"), event("p4", "opened", nil, template: "u"),
                event("p5", "clicked", "b"),
                event("p5", "clicked", nil), event("p4", "sent", nil), event("p4", "sent", "a"),
                event("p2", "sent", "b", template: "t"), event("p2", "sent", "a", template: "u"),
            ],
            campaigns: [
                OracleObject(id: "a", tags: ["x", "y"], attributes: ["season": "winter"]),
                OracleObject(id: "b", tags: ["x"], attributes: ["season": "summer"]),
                OracleObject(id: "c", tags: ["w"], attributes: [:]),
            ],
            templates: [])
    }

    @Test(
        "opened at least once",
        arguments: [
            (#""campaigns": {"tags": ["x"]}"#, "p1 p2"),
            (#""campaigns": {"all_tags": ["x", "y"]}"#, "p1"),
            (
                #""campaigns": {"tags": ["x"], "attributes": {"season": ["summer", "autumn"]}}"#,
                "p2"
            ),
            (#""campaigns": {"attributes": {"season": "winter"}}"#, "p1"),
            (#""campaigns": {"ids": ["z"], "all_tags": ["y"]}"#, "p1 p3"),
            (#""campaigns": {"tags": ["v"]}"#, ""),
            (#""templates": ["t"]"#, "p1 p2"),
            (#""templates": ["t"], "campaigns": ["b", "z"]"#, "p2"),
            (#""templates": ["t"], "counting": "every_one""#, "p1 p2"),
            (#""campaigns": ["a", "nowhere"], "counting": "every_one""#, ""),
        ])
    func opened(selector: String, expected: String) throws {
        #expect(
            try Self.answer(#""event": "opened", "operator": "at_least", "times": 1, \#(selector)"#)
                == expected)
    }

    @Test(
        "a selector that resolves to nothing counts 0",
        arguments: ["total", "any_one", "every_one"])
    func emptyScope(counting: String) throws {
        let rule =
            #""event": "opened", "campaigns": {"tags": ["v"]}, "counting": "\#(counting)", "operator": "#
        #expect(try Self.answer(rule + #""not_happened""#) == "p1 p2 p3 p4 p5")
        #expect(try Self.answer(rule + #""at_least", "times": 1"#).isEmpty)
    }

    @Test("of equal times the event without a campaign is the unique one")
    func uniqueTie() throws {
        let rule = #""event": "unique_clicked", "operator": "at_least", "times": 1"#
        #expect(try Self.answer(rule) == "p5")
        #expect(try Self.answer(rule + #", "campaigns": ["b"]"#).isEmpty)
    }

    @Test(
        "pairing by object",
        arguments: [
            ("", "p2 p4"), (#", "templates": ["t", "u"]"#, "p2"), (#", "campaigns": ["b"]"#, ""),
            (#", "campaigns": ["a"]"#, "p2 p4"),
        ])
    func pairing(selector: String, expected: String) throws {
        let preceding = #""preceded_by": {"event": "sent", "pairing": "object"}"#
        #expect(
            try Self.answer(
                #""event": "opened", "operator": "not_happened", \#(preceding)\#(selector)"#)
                == expected)
    }

    private static func answer(_ activity: String) throws -> String {
        let rule = #"{"activity": {"channel": "email", \#(activity)}}"#
        let matching = try Oracle(world: world()).matching(rule: rule, asOf: 0, timezone: "UTC")
        return matching.sorted().joined(separator: " ")
    }
}

@Suite("The oracle resolves windows")
struct OracleWindowTests {
    struct Vector: Sendable {
        var zone: String
        var asOf: String
        var days: Int
        var calendar: String
        var rolling: String

        init(_ zone: String, _ asOf: String, _ days: Int, _ calendar: String, _ rolling: String) {
            self.zone = zone
            self.asOf = asOf
            self.days = days
            self.calendar = calendar
            self.rolling = rolling
        }
    }

    static let vectors = [
        Vector("UTC", "2026-04-17T01:00:00Z", 3, "2026-04-14T00:00:00Z", "2026-04-14T01:00:00Z"),
        Vector(
            "Europe/Moscow", "2026-04-17T01:00:00Z", 3, "2026-04-13T21:00:00Z",
            "2026-04-14T01:00:00Z"),
        Vector(
            "Europe/Moscow", "2026-04-16T20:59:59Z", 1, "2026-04-14T21:00:00Z",
            "2026-04-15T20:59:59Z"),
        Vector(
            "Europe/Moscow", "2026-04-16T21:00:00Z", 1, "2026-04-15T21:00:00Z",
            "2026-04-15T21:00:00Z"),
        Vector(
            "Europe/Berlin", "2026-03-30T10:00:00Z", 1, "2026-03-28T23:00:00Z",
            "2026-03-29T10:00:00Z"),
        Vector(
            "Europe/Berlin", "2026-10-26T11:00:00Z", 1, "2026-10-24T22:00:00Z",
            "2026-10-25T11:00:00Z"),
        Vector(
            "Africa/Cairo", "2026-04-25T12:00:00Z", 1, "2026-04-23T22:00:00Z",
            "2026-04-24T12:00:00Z"),
        Vector(
            "America/Santiago", "2026-09-07T12:00:00Z", 1, "2026-09-06T04:00:00Z",
            "2026-09-06T12:00:00Z"),
        Vector(
            "Asia/Kathmandu", "2026-01-01T00:00:00Z", 0, "2025-12-31T18:15:00Z",
            "2026-01-01T00:00:00Z"),
        Vector(
            "Pacific/Kiritimati", "2026-01-01T00:00:00Z", 1, "2025-12-30T10:00:00Z",
            "2025-12-31T00:00:00Z"),
    ]

    @Test("the last days", arguments: vectors)
    func last(vector: Vector) throws {
        let calendar = try OracleWindowTests.window(
            #"{"last": \#(vector.days)}"#, vector.zone, vector.asOf)
        let rolling = try OracleWindowTests.window(
            #"{"last": \#(vector.days), "mode": "rolling"}"#, vector.zone, vector.asOf)
        let end = try OracleCalendar.instant(vector.asOf) + 1
        #expect(calendar.from == (try OracleCalendar.instant(vector.calendar)))
        #expect(rolling.from == (try OracleCalendar.instant(vector.rolling)))
        #expect(calendar.end == end)
        #expect(rolling.end == end)
    }

    @Test(
        "dates, days ago, months, gaps",
        arguments: [
            (
                "Europe/Moscow", #"{"from": "2026-03-01", "to": "2026-03-31"}"#,
                "2026-02-28T21:00:00Z",
                "2026-03-31T21:00:00Z"
            ),
            (
                "Europe/Berlin", #"{"from": "2026-03-29", "to": "2026-03-29"}"#,
                "2026-03-28T23:00:00Z",
                "2026-03-29T22:00:00Z"
            ),
            ("UTC", #"{"days_ago": [14, 7]}"#, "2026-04-16T00:00:00Z", "2026-04-24T00:00:00Z"),
            ("UTC", #"{"days_ago": [1, 0]}"#, "2026-04-29T00:00:00Z", "2026-04-30T01:30:00.001Z"),
            (
                "UTC", #"{"last": 2, "unit": "months"}"#, "2026-02-28T00:00:00Z",
                "2026-04-30T01:30:00.001Z"
            ),
            (
                "UTC", #"{"last": 26, "unit": "months"}"#, "2024-02-29T00:00:00Z",
                "2026-04-30T01:30:00.001Z"
            ),
            (
                "UTC", #"{"last": 90, "unit": "minutes"}"#, "2026-04-30T00:00:00Z",
                "2026-04-30T01:30:00.001Z"
            ),
            (
                "UTC", #"{"last": 999999, "unit": "weeks"}"#, "0001-01-01T00:00:00Z",
                "2026-04-30T01:30:00.001Z"
            ),
        ])
    func others(zone: String, rule: String, from: String, end: String) throws {
        let window = try OracleWindowTests.window(rule, zone, "2026-04-30T01:30:00Z")
        #expect(window.from == (try OracleCalendar.instant(from)))
        #expect(window.end == (try OracleCalendar.instant(end)))
    }

    @Test("a rolling month keeps the wall time")
    func rollingMonth() throws {
        let month = #"{"last": 1, "unit": "months", "mode": "rolling"}"#
        // 02:30 does not exist on 29 March 2026 in Berlin: with the offset before the gap it is
        // 03:30.
        let gap = try OracleWindowTests.window(month, "Europe/Berlin", "2026-04-29T00:30:00Z")
        #expect(gap.from == (try OracleCalendar.instant("2026-03-29T01:30:00Z")))
        // 02:30 comes twice on 25 October 2026 in Berlin.
        let twice = try OracleWindowTests.window(month, "Europe/Berlin", "2026-11-25T01:30:00Z")
        #expect(twice.from == (try OracleCalendar.instant("2026-10-25T00:30:00Z")))
    }

    @Test("an unknown zone is an error")
    func unknownZone() {
        #expect(throws: OracleFailure.self) { try OracleCalendar(zone: "Europe/Atlantis") }
    }

    private static func window(_ rule: String, _ zone: String, _ asOf: String) throws
        -> OracleWindow
    {
        let calendar = try OracleCalendar(zone: zone)
        return try calendar.window(
            try OracleJSON(parsing: rule), asOf: try OracleCalendar.instant(asOf))
    }
}

@Suite("The oracle compares fields and samples")
struct OracleFieldTests {
    static func world() -> OracleWorld {
        let schema = [
            ("city", "string", 0), ("age", "integer", 0), ("ltv", "decimal", 2),
            ("vip", "boolean", 0),
            ("birthday", "date", 0), ("seen", "datetime", 0), ("likes", "string_set", 0),
        ]
        let profiles = [
            OracleProfile(
                id: "full",
                fields: [
                    "city": .string("Σίσυφος*"), "age": .integer(.min), "ltv": .decimal("-12.5"),
                    "vip": .boolean(false),
                    "birthday": .date("2000-02-29"), "seen": .datetime(1_775_000_000_000),
                    "likes": .set(["a", "b"]),
                    "email": .string("A@x"),
                ]),
            OracleProfile(id: "blank", fields: ["city": .string(""), "likes": .set([])]),
            OracleProfile(id: "accent", fields: ["city": .string("e\u{301}")]),
            OracleProfile(id: "none", fields: [:]),
        ]
        return OracleWorld(
            fields: schema.map { (name: $0.0, type: $0.1, scale: $0.2) }, profiles: profiles,
            events: [],
            campaigns: [], templates: [])
    }

    @Test(
        "operators",
        arguments: [
            (#""name": "city", "operator": "exists""#, "accent blank full"),
            (#""name": "city", "operator": "does_not_exist""#, "none"),
            (#""name": "city", "operator": "is_empty""#, "blank"),
            (#""name": "city", "operator": "is_not_empty""#, "accent full none"),
            (#""name": "city", "operator": "equals", "value": "\u00e9""#, ""),
            (#""name": "city", "operator": "equals", "value": "e\u0301""#, "accent"),
            (#""name": "city", "operator": "matches", "value": "Σ*ς\\*""#, "full"),
            (
                #""name": "city", "operator": "matches", "value": "*ΣΥΦ*σ\\*", "ignore_case": true"#,
                "full"
            ),
            (#""name": "city", "operator": "not_contains", "value": "υ""#, "accent blank none"),
            (#""name": "city", "operator": "ends_with", "value": "ς*""#, "full"),
            (#""name": "email", "operator": "in", "value": ["a@X"], "ignore_case": true"#, "full"),
            (#""name": "id", "operator": "starts_with", "value": "n""#, "none"),
            (#""name": "age", "operator": "at_most", "value": -9223372036854775808"#, "full"),
            (#""name": "age", "operator": "not_equals", "value": 3"#, "accent blank full none"),
            (#""name": "ltv", "operator": "equals", "value": -1.25e1"#, "full"),
            (#""name": "ltv", "operator": "greater_than", "value": -12.500001"#, "full"),
            (#""name": "ltv", "operator": "between", "value": [-13, -12]"#, "full"),
            (#""name": "vip", "operator": "not_equals", "value": false"#, "accent blank none"),
            (#""name": "birthday", "operator": "on_or_before", "value": "2000-02-29""#, "full"),
            (
                #""name": "birthday", "operator": "anniversary", "value": {"from": 0, "to": 0}"#,
                "full"
            ),
            (
                #""name": "birthday", "operator": "anniversary", "value": {"from": 0, "to": 0, "feb29": "mar1"}"#,
                ""
            ),
            (
                #""name": "birthday", "operator": "anniversary", "value": {"from": 1, "to": 1, "feb29": "mar1"}"#,
                "full"
            ),
            (
                #""name": "birthday", "operator": "anniversary", "value": {"from": 0, "to": 9, "feb29": "skip"}"#,
                ""
            ),
            (#""name": "seen", "operator": "equals", "value": "2026-03-31""#, "full"),
            (#""name": "seen", "operator": "after", "value": "2026-03-31""#, ""),
            (#""name": "seen", "operator": "during", "value": {"from": "2026-03-31"}"#, "full"),
            (#""name": "seen", "operator": "during", "value": {"last": 3, "unit": "months"}"#, ""),
            (#""name": "likes", "operator": "has_all", "value": ["b", "a"]"#, "full"),
            (#""name": "likes", "operator": "has_none", "value": ["c"]"#, "accent blank full none"),
        ])
    func operators(field: String, expected: String) throws {
        let oracle = Oracle(world: Self.world())
        let asOf = try OracleCalendar.instant("2026-02-28T12:00:00Z")
        let matching = try oracle.matching(
            rule: #"{"field": {\#(field)}}"#, asOf: asOf, timezone: "UTC")
        #expect(matching.sorted().joined(separator: " ") == expected)
    }

    @Test(
        "errors",
        arguments: [
            #"{"field": {"name": "age", "operator": "equals", "value": 1.5}}"#,
            #"{"field": {"name": "nowhere", "operator": "exists"}}"#,
            #"{"field": {"name": "birthday", "operator": "equals", "value": "2026-01-01T00:00:00Z"}}"#,
            #"{"field": {"name": "city", "operator": "exists", "value": 1}}"#,
            #"{"all": []}"#, #"{"not": {}, "not": {}}"#,
        ])
    func errors(rule: String) {
        let oracle = Oracle(world: Self.world())
        #expect(throws: OracleFailure.self) {
            try oracle.matching(rule: rule, asOf: 0, timezone: "UTC")
        }
    }

    @Test(
        "sample buckets",
        arguments: [("user-42", "", 2206), ("user-42", "a", 329), ("имя", "salt", 3017)])
    func buckets(id: String, salt: String, bucket: UInt64) {
        #expect(Oracle.bucket(id: Array(id.utf8), salt: Array(salt.utf8)) == bucket)
    }

    @Test(
        "XXH64",
        arguments: [
            ("", 0xEF46_DB37_51D8_E999),
            ("Nobody inspects the spammish repetition", 0xFBCE_A83C_8A37_8BF1),
        ])
    func hash(text: String, hash: UInt64) {
        #expect(Oracle.xxh64(Array(text.utf8)) == hash)
    }
}
