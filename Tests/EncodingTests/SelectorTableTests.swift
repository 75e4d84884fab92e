import WinnowColumns
import WinnowFormat
import WinnowModel
import Testing

/// What selectors ask of catalogue parts.
@Suite("Selector tables")
struct SelectorTableTests {
    private let parts = Parts()

    private static func object(
        _ kind: CatalogueObject.Kind, _ id: String, tags: [String] = [],
        _ attributes: [(String, String)] = []
    ) -> CatalogueObject {
        CatalogueObject(
            kind: kind, id: Array(id.utf8), name: [], channel: nil,
            tags: tags.map { Array($0.utf8) },
            attributes: attributes.map { .init(key: Array($0.0.utf8), value: Array($0.1.utf8)) })
    }

    /// Ids are a letter and the code.
    private static func code(_ object: CatalogueObject) -> UInt32? {
        UInt32(String(decoding: object.id.dropFirst(), as: UTF8.self))
    }

    private func write(_ objects: [CatalogueObject]) throws -> PartFile {
        try parts.write(.catalogue) { part in
            try CataloguePart.write(objects, to: part, SelectorTableTests.code)
        }
    }

    private func index(
        _ files: [PartFile], _ kind: CatalogueObject.Kind = .campaign
    ) throws -> CatalogueIndex {
        CatalogueIndex(
            try files.map { try CataloguePart.selectors($0, kind, SelectorTableTests.code) })
    }

    private static let objects = [
        object(.campaign, "c7", tags: ["sale", ""], [("season", "winter"), ("a", "bc")]),
        object(.campaign, "c2", tags: ["sale"], [("season", "summer")]),
        object(.campaign, "c9", tags: ["Sale", "sale"], [("ab", "c")]),
        object(.template, "t2", tags: ["sale", "footer"], [("season", "winter")]),
    ]

    @Test("tags and attributes choose codes, bytewise, kind by kind")
    func chooses() throws {
        let file = try write(SelectorTableTests.objects)
        let campaigns = try index([file])
        #expect(try campaigns.withTag("sale") == [2, 7, 9])
        #expect(try campaigns.withTag("Sale") == [9])
        #expect(try campaigns.withTag("") == [7])
        #expect(try campaigns.withTag("sal") == [])
        #expect(try campaigns.withTag("footer") == [])
        #expect(try campaigns.with(attribute: "season", "winter") == [7])
        // Where a key ends is told apart from where a value begins.
        #expect(try campaigns.with(attribute: "a", "bc") == [7])
        #expect(try campaigns.with(attribute: "ab", "c") == [9])
        #expect(try campaigns.with(attribute: "season", "") == [])
        let templates = try index([file], .template)
        #expect(try templates.withTag("sale") == [2])
        #expect(try templates.with(attribute: "season", "winter") == [2])
    }

    @Test("an object of a later part replaces the earlier one with all its tags")
    func replaces() throws {
        let first = try write(SelectorTableTests.objects)
        let second = try write([
            SelectorTableTests.object(.campaign, "c7", tags: ["spring"]),
            SelectorTableTests.object(.campaign, "c1", tags: ["sale"]),
        ])
        let third = try write([SelectorTableTests.object(.campaign, "c1")])
        #expect(try index([first, second]).withTag("sale") == [1, 2, 9])
        #expect(try index([first, second]).withTag("") == [])
        #expect(try index([first, second]).withTag("spring") == [7])
        #expect(try index([first, second, third]).withTag("sale") == [2, 9])
        #expect(try index([first, second], .template).withTag("sale") == [2])
    }

    @Test("without a table the objects tell the same")
    func withoutTable() throws {
        let file = try write(SelectorTableTests.objects)
        let old = try parts.write(.catalogue) { part in
            try part.begin(.objects)
            try part.append(Array(try file.section(.objects)))
            return try part.finish()
        }
        for tag in ["sale", "Sale", "", "footer"] {
            for kind in CatalogueObject.Kind.allCases {
                #expect(
                    try index([old], kind).withTag(tag) == index([file], kind).withTag(tag))
            }
        }
    }

    @Test("damage is found, and never read past")
    func damage() throws {
        let file = try write(SelectorTableTests.objects)
        try parts.flipping(.selectors, of: file) { file in
            let index = try index([file])
            _ = try index.withTag("sale")
            _ = try index.with(attribute: "season", "winter")
        }
        let changed = try parts.changing(.selectors, of: file) { $0[$0.count - 1] ^= 1 }
        let findings = Findings()
        try CataloguePart.verifySelectors(
            changed, SelectorTableTests.objects, findings, SelectorTableTests.code)
        #expect(findings.all.count == 1)
        expectDamage("the dictionary does not have") {
            _ = try write([SelectorTableTests.object(.campaign, "none")])
        }
    }
}
