import Foundation
import Testing
import Winnow

@Suite("Audiences")
struct AudienceTests {
    private static let fields = [
        Field(name: "city", type: .string), Field(name: "country", type: .string),
        Field(name: "first_name", type: .string), Field(name: "last_name", type: .string),
        Field(name: "gender", type: .string), Field(name: "birthday", type: .date),
        Field(name: "idfa", type: .string), Field(name: "google_aid", type: .string),
        Field(name: "oaid", type: .string), Field(name: "vk_id", type: .integer),
        Field(name: "work", type: .string),
    ]

    /// A store of profiles, each given by the fields that it has.
    private func store(_ fixture: Fixture, _ profiles: [[String: Any]]) throws -> Store {
        let store = try fixture.create(AudienceTests.fields)
        let lines = try profiles.map {
            String(
                decoding: try JSONSerialization.data(withJSONObject: $0, options: .sortedKeys),
                as: UTF8.self)
        }
        try store.load(
            .profiles, from: .bytes(Array((lines.joined(separator: "\n") + "\n").utf8), as: .ndjson)
        )
        return store
    }

    private static let everybody = Segment.sample(0, to: 100)

    /// The rows of an audience, without the header, cell by cell.
    private func rows(
        _ store: Store, _ audience: AudienceOptions, _ segment: Segment = everybody
    ) throws -> (rows: [[String]], summary: AudienceSummary) {
        var bytes: [UInt8] = []
        let summary = try store.snapshot().export(segment, audience: audience) {
            (some) throws(WinnowError) in bytes += some
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false
        ).dropLast()
        return (
            lines.dropFirst().map {
                $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            }, summary
        )
    }

    @Test("hashes are those that the services publish")
    func vectors() throws {
        // Service, hash, column, what the profile says, what is sent.
        let vectors:
            [(AudienceOptions.Target, AudienceOptions.Hash?, String, [String: Any], String)] = [
                (
                    .yandex, nil, "email", ["email": "mail@yandex.ru"],
                    "3c56ff8fef0f6c65b36b2d25720fe276"
                ),
                (
                    .yandex, .sha256, "email", ["email": " Example2@Yandex.ru "],
                    "8901673b64eeb535bb563cf06b794f2b74dacfb756297cba8bc71e9a09a62e93"
                ),
                (
                    .yandex, nil, "phone", ["phone": "+7 (999) 555-11-11"],
                    "f09f2c3d48f31e2a802944ade2e5aec5"
                ),
                (
                    .yandex, .sha256, "phone", ["phone": "+79876543210"],
                    "8bf7d8ef683ac4d7cf7fc6390f99c06e76e0b2022ec0c857c92e0041a53a3d66"
                ),
                (.vk, nil, "phone", ["phone": "+79012345678"], "7cea6da797b7105aee4188b6731a9006"),
                (
                    .vk, nil, "email", ["email": "Example@mail.ru"],
                    "af0f2257cdaaaf1236dd3ce027ec7cfe"
                ),
                (
                    .google, nil, "email", ["email": "Cloudy.SanFrancisco+shopping@gmail.com"],
                    "223ebda6f6889b1494551ba902d9d381daf2f642bae055888e96343d53e9f9c4"
                ),
                (
                    .google, nil, "email", ["email": "user.name+NYC@Example.com"],
                    "f109a2a632fbcea5fc82049f50beed3d8621bf9034399f437fb622222acccdac"
                ),
                (
                    .google, nil, "phone", ["phone": "+1 (800) 555-0100"],
                    "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30"
                ),
                (
                    .google, nil, "phone", ["phone": "+79995551111"],
                    "86cc60992d2e0fde2e5511d462b755057f8f5c6b259a1ff7c2eee2ea284eb113"
                ),
                (
                    .facebook, nil, "em", ["email": "John_Smith@gmail.com"],
                    "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"
                ),
                (
                    .facebook, nil, "ph", ["phone": "+1 (650)555-1212"],
                    "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176"
                ),
                (
                    .facebook, nil, "fn", ["first_name": "Mary"],
                    "6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec"
                ),
                (
                    .facebook, nil, "fn", ["first_name": "정"],
                    "8fa8cd9c440be61d0151429310034083132b35975c4bea67fdd74158eb51db14"
                ),
                (
                    .facebook, nil, "fn", ["first_name": "Vale\u{301}ry"],
                    "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c"
                ),
                (
                    .facebook, nil, "fn", ["first_name": "Val\u{E9}ry"],
                    "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c"
                ),
                (
                    .facebook, nil, "ln", ["last_name": "Иван"],
                    "74f46a588dd2b0d94ec4067f21fc7127c16ba0f1af96ece7a7ebfefe3ddedc92"
                ),
                (
                    .facebook, nil, "ct", ["city": "New York"],
                    "350c754ba4d38897693aa077ef43072a859d23f613443133fecbbd90a3512ca5"
                ),
                (
                    .facebook, nil, "ct", ["city": "Москва"],
                    "4ed0608556890f1debeb0947b33bff409c18a80755422c362f4daa5cd5ce0749"
                ),
                (
                    .facebook, nil, "ct", ["city": "Санкт-Петербург"],
                    "827d29684d6dc03b32c29773e5c999b608757889207cd3d30e575710f779971f"
                ),
                (
                    .facebook, nil, "db", ["birthday": "1997-02-16"],
                    "01acdbf6ec7b4f478a225f1a246e5d6767eeab1a7ffa17f025265b5b94f40f0c"
                ),
                (
                    .facebook, nil, "country", ["country": "US"],
                    "79adb2a2fce5c6ba215fe5f27f532d4e7edbac4b6a5e09e1ef3a08084a904621"
                ),
                (
                    .facebook, nil, "ge", ["gender": "FEMALE"],
                    "252f10c83610ebca1a059c0bae8255eba2f95be4d1d7bcfa89d7248a82d9f111"
                ),
                (
                    .facebook, nil, "ge", ["gender": "m"],
                    "62c66a7a5dd70c3146618063c344e531e6d4b59e379808443ce962b3abd63c5a"
                ),
                // Hashed before, a dotted capital I, and what is no letter.
                (
                    .facebook, nil, "em", ["email": String(repeating: "aB3", count: 21) + "f"],
                    String(repeating: "aB3", count: 21) + "f"
                ),
                (
                    .facebook, AudienceOptions.Hash.none, "fn", ["first_name": " O'Neil-Smith, "],
                    "oneilsmith"
                ),
                (.facebook, AudienceOptions.Hash.none, "ct", ["city": "ISTANBUL 34"], "istanbul"),
                (
                    .google, AudienceOptions.Hash.none, "email", ["email": " a b.c @ GMAIL.com"],
                    "abc@gmail.com"
                ),
                (.google, AudienceOptions.Hash.none, "phone", ["phone": "+49 151 0"], ""),
                (.google, AudienceOptions.Hash.none, "phone", ["phone": "+49 (0)151 123456"], ""),
                (
                    .google, nil, "advertising_id", ["google_aid": "ABCD-12"], "abcd-12"
                ),
                (.vk, nil, "idfa", ["idfa": "abcd-12"], "ABCD-12"),
                (.vk, nil, "vk", ["vk_id": 12345], "12345"),
            ]
        for (target, hash, column, profile, sent) in vectors {
            let fixture = try Fixture()
            let store = try store(fixture, [profile.merging(["id": "p"]) { $1 }])
            var audience = AudienceOptions(target)
            audience.hash = hash
            var bytes: [UInt8] = []
            try store.snapshot().export(AudienceTests.everybody, audience: audience) {
                (some) throws(WinnowError) in bytes += some
            }
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map {
                $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            }
            let place = try #require(lines[0].firstIndex(of: column))
            let value = lines.count > 1 ? lines[1][place] : ""
            #expect(value == sent, "\(target) \(column) of \(profile)")
        }
    }

    @Test("what cannot be sent is left out and counted; the hash of nothing never is sent")
    func leftOut() throws {
        let fixture = try Fixture()
        let store = try store(
            fixture,
            [
                ["id": "a@b.example", "email": "no at", "phone": "8 999 555-11-11"],
                ["id": "+49 151 1234567", "phone": "+491511234567", "gender": "unknown"],
                ["id": "c", "country": "Germany", "email": "", "phone": ""],
                ["id": "d", "idfa": "00000000-0000-0000-0000-000000000000"],
            ])
        let facebook = try rows(store, AudienceOptions(.facebook))
        #expect(
            facebook.summary.leftOut == [
                .email: 1, .phone: 1, .gender: 1, .country: 1, .externalID: 2,
            ])
        // The first has nothing left; the others have a phone, or their ids.
        #expect(facebook.rows.map { $0[8] } == ["", "c", "d"])
        #expect(facebook.summary.rows == 3 && facebook.summary.count == 4)
        for target in AudienceOptions.Target.allCases {
            let sent = try rows(store, AudienceOptions(target)).rows.joined()
            #expect(!sent.contains { $0.hasPrefix("e3b0c442") || $0.hasPrefix("d41d8cd9") })
            #expect(
                !sent.contains { $0.contains("@") || $0.contains("999") || $0.contains("0000-") })
        }
        var russian = AudienceOptions(.vk)
        russian.country = .russia
        let completed = try rows(store, russian)
        #expect(completed.rows[0][2] == "f09f2c3d48f31e2a802944ade2e5aec5")
        var open = AudienceOptions(.facebook)
        open.hash = AudienceOptions.Hash.none
        #expect(
            try rows(store, open).rows.map { $0[8] } == [
                "a@b.example", "+49 151 1234567", "c", "d",
            ])
    }

    @Test("addresses in columns that are not hashed, and the hash of nothing")
    func personal() throws {
        let fixture = try Fixture()
        let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        let store = try store(
            fixture,
            [
                ["id": "a", "phone": "+79995551111", "vk_id": 79_995_551_111, "idfa": "a@b.cd"],
                ["id": "89995551111", "phone": "+7 999 555-11-11"],
                ["id": "0049151123456", "phone": "+49 151 123456"],
                ["id": "e\u{301}", "email": nothing, "city": nothing.uppercased()],
            ])
        let vk = try rows(store, AudienceOptions(.vk))
        #expect(
            vk.rows.map { [$0[0], $0[3], $0[4], $0[5]] } == [
                ["", "", "", ""], ["", "", "", ""], ["", "", "", ""],
            ])
        #expect(vk.summary.leftOut[.externalID] == 2)
        var facebook = AudienceOptions(.facebook)
        facebook.country = .russia
        let sent = try rows(store, facebook)
        #expect(sent.rows.map { $0[8] } == ["a", "", "", "e\u{301}"])
        #expect(sent.rows.last?.last?.utf8.count == 3, "ids are as they are")
        #expect(sent.rows.last?.prefix(8).allSatisfy(\.isEmpty) == true)
        var mapped = AudienceOptions(.google)
        mapped.columns = ["advertising_id": "phone", "email": "id"]
        #expect(try rows(store, mapped).rows.allSatisfy { $0[2].isEmpty })
        var first = AudienceOptions(.facebook)
        first.limit = 1
        #expect(try rows(store, first).rows.map { $0[8] } == ["a"])
    }

    @Test("further ids follow after all first rows; the segment's name and number go with them")
    func further() throws {
        let fixture = try Fixture()
        let store = try store(
            fixture,
            [
                [
                    "id": "a", "idfa": "aa-1", "google_aid": "BB-2", "oaid": "bb-2",
                    "email": "a@b.cd",
                ],
                ["id": "b", "oaid": "cc-3"],
                ["id": "c"],
            ])
        var google = AudienceOptions(.google)
        google.segmentID = "77"
        let named = try Segment(
            json: #"{"name": "VIP, all", "where": {"sample": {"from": 0, "to": 100}}}"#)
        google.hash = AudienceOptions.Hash.none
        let found = try rows(store, google, named)
        #expect(
            found.rows == [
                ["a@b.cd", "", "AA-1", "77", "\"VIP", " all\""],
                ["", "", "cc-3", "77", "\"VIP", " all\""],
                ["", "", "bb-2", "77", "\"VIP", " all\""],
            ])
        try store.load(
            .subscriptions,
            from: .bytes(
                Array(
                    """
                    profile,channel,resource,status,contact
                    a,push,app,subscribed,token-2
                    a,push,web,subscribed,token-1
                    a,push,old,unsubscribed,token-0
                    a,email,news,subscribed,a@b.cd
                    c,push,app,subscribed,token-3

                    """.utf8), as: .csv))
        var yandex = AudienceOptions(.yandex)
        yandex.hash = AudienceOptions.Hash.none
        #expect(
            try rows(store, yandex).rows == [
                ["a@b.cd", "", "a", "token-1"], ["", "", "b", ""], ["", "", "c", "token-3"],
                ["", "", "", "token-2"],
            ])
        var reachable = yandex
        reachable.reachable = .email
        let few = try rows(store, reachable)
        #expect(few.rows.map { $0[2] } == ["a", ""] && few.summary.leftOut[.unreachable] == 2)
    }

    @Test("columns from other fields, and what is no column or field")
    func mapped() throws {
        let fixture = try Fixture()
        let store = try store(fixture, [["id": "a", "work": "W@x.yz", "email": "a@b.cd"]])
        var facebook = AudienceOptions(.facebook)
        facebook.hash = AudienceOptions.Hash.none
        facebook.columns = ["em": "work", "external_id": "work"]
        #expect(
            try rows(store, facebook).rows == [["w@x.yz", "", "", "", "", "", "", "", "W@x.yz"]])
        facebook.columns = ["email": "work"]
        #expect(throws: WinnowError.self) { _ = try rows(store, facebook) }
        facebook.columns = ["em": "wrk"]
        #expect(throws: WinnowError.self) { _ = try rows(store, facebook) }
    }

    @Test("on the command line: the note on MD5, reasons, options that do not go together")
    func commandLine() throws {
        let fixture = try Fixture()
        _ = try store(fixture, [["id": "a", "phone": "123", "email": "a@b.cd"]])
        let store = fixture.storePath
        let yandex = try Binary.run("export", store, "sample 0 to 100", "--audience", "yandex")
        #expect(yandex.output.hasPrefix("email,phone,external_id,push_subscription_id\n"))
        #expect(yandex.error.contains("--hash sha256"), "\(yandex.error)")
        #expect(yandex.error.contains("phone: not in international form 1"), "\(yandex.error)")
        let sha = try Binary.run(
            "export", store, "sample 0 to 100", "--audience", "yandex", "--hash", "sha256")
        #expect(!sha.error.contains("--hash sha256"))
        for wrong in [
            ["--audience", "yahoo"], ["--audience", "vk", "--format", "csv"],
            ["--audience", "vk", "--country", "DE"], ["--hash", "md5"],
            ["--audience", "vk", "--map-column", "email"],
            ["--audience", "vk", "--map-column", "mail=email"],
            ["--audience", "vk", "--reachable", "post"],
        ] {
            let result = try Binary.run(["export", store, "sample 0 to 100"] + wrong)
            #expect(result.status == 64, "\(wrong): \(result.error)")
        }
    }
}
