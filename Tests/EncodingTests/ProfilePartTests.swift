import WinnowBitmaps
import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowSimulation
import Testing

@Suite("Profile parts")
struct ProfilePartTests {
    private let parts = Parts()
    private var schema = Schema(fields: [
        Field(name: "n", type: .integer), Field(name: "city", type: .string),
        Field(name: "tags", type: .stringSet),
    ])
    /// Positions in the schema, after e-mail and phone.
    private let n = Schema.builtIn.count
    private let city = Schema.builtIn.count + 1
    private let tags = Schema.builtIn.count + 2

    private func batch(_ fill: (inout ProfileBatch) -> Void) -> ProfileSource {
        var batch = ProfileBatch(fields: schema.fields.count)
        fill(&batch)
        return .batch(batch)
    }

    private func part(
        _ sources: [ProfileSource], purging erased: ErasedRows? = nil
    ) throws -> ProfilePart {
        try ProfilePart(
            try parts.write(.profiles) { part in
                try ProfileMerge.write(sources, schema, purging: erased, to: part)
            })
    }

    private func text(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes, as: UTF8.self)
    }

    /// What a part says of a field, by row: a value as text, members of a set in the order of their
    /// codes with bars between them, nil for a value that is taken away.
    private func values(_ part: ProfilePart, _ name: String) throws -> [Int: String?] {
        guard let index = part.field(name) else { return [:] }
        var result: [Int: String?] = [:]
        let hasCodes = index.encoding == .codes || index.encoding == .sets
        let dictionary = hasCodes ? try part.dictionary(index) : nil
        func string(_ code: Int) -> String {
            guard let dictionary, code >= 0, code < dictionary.count else { return "?" }
            return text(dictionary[code])
        }
        for number in try part.blocks(index) {
            guard let block = try part.block(index, number) else { continue }
            let first = number.number * Block.rows
            let members = block.members.allRows
            for row in block.touched.allRows { result.updateValue(nil, forKey: first + Int(row)) }
            switch block.column {
            case .sliced(let sliced):
                for (row, value) in zip(members, sliced.values(rows: members)) {
                    result[first + Int(row)] = hasCodes ? string(Int(value)) : "\(value)"
                }
            case .texts(let texts):
                try texts.forEach { result[first + Int(members[$0])] = text($1) }
            case .sets(let sets):
                var found: [UInt16: [String]] = [:]
                for i in 0..<sets.values {
                    let (code, rows) = try sets.value(i)
                    for row in rows.allRows { found[row, default: []].append(string(code)) }
                }
                for row in members {
                    result[first + Int(row)] = (found[row] ?? []).joined(separator: "|")
                }
            }
        }
        return result
    }

    private func strings(_ part: ProfilePart, _ name: String) throws -> [String] {
        let dictionary = try part.dictionary(try #require(part.field(name)))
        return (0..<dictionary.count).map { text(dictionary[$0]) }
    }

    @Test("numbers come back, in rows of several blocks, and so does what is taken away")
    func numbers() throws {
        let written: [Int: Int64?] = [
            0: .min, 1: .max, 2: 0, 512: -1, 65_535: 7, 65_536: nil, 65_537: 5, 400_000: nil,
        ]
        let part = try part([
            batch { batch in
                for (row, value) in written.sorted(by: { $0.key < $1.key }) {
                    if let value {
                        batch.set(field: n, row: Row(row), number: value)
                    } else {
                        batch.clear(field: n, row: Row(row))
                    }
                }
            }
        ])
        #expect(try values(part, "n") == written.mapValues { $0.map { "\($0)" } })
        let index = try #require(part.field("n"))
        #expect(index.encoding == .numbers)
        #expect(try part.blocks(index) == [0, 1, 6])
        #expect(try part.block(index, 2) == nil && part.block(index, 7) == nil)
        #expect(part.field("city") == nil)
    }

    @Test("strings come back, and the dictionary has each once, ascending by bytes")
    func codes() throws {
        let written = ["b", "", "a", "é", "b", "Z", "ab", ""]
        let part = try part([
            batch { batch in
                for (i, string) in written.enumerated() {
                    Array(string.utf8).withUnsafeBytes {
                        batch.set(field: city, row: Row(i * 9000), text: $0)
                    }
                }
            }
        ])
        #expect(part.field("city")?.encoding == .codes)
        #expect(try strings(part, "city") == ["", "Z", "a", "ab", "b", "é"])
        let found = try values(part, "city")
        #expect(written.indices.allSatisfy { found[$0 * 9000] == written[$0] })
    }

    @Test(
        "strings that hardly repeat stand as they are",
        arguments: [(65_536, 1, false), (65_537, 1, true), (65_537, 3, true), (65_537, 4, false)])
    func texts(distinct: Int, times: Int, asTexts: Bool) throws {
        let part = try part([
            batch { batch in
                for row in 0..<distinct * times {
                    Array("\(row % distinct)".utf8).withUnsafeBytes {
                        batch.set(field: city, row: Row(row), text: $0)
                    }
                }
            }
        ])
        #expect((part.field("city")?.encoding == .texts) == asTexts)
        let found = try values(part, "city")
        #expect(found.count == distinct * times)
        #expect(found.allSatisfy { $0.value == "\($0.key % distinct)" })
    }

    @Test("strings that hardly repeat can be compressed, and a merge follows the schema")
    mutating func compressedTexts() throws {
        let count = 70_000
        let source = batch { batch in
            for row in 0..<count {
                Array("user\(row)@example.com".utf8).withUnsafeBytes {
                    batch.set(field: city, row: Row(row), text: $0)
                }
            }
        }
        func size(_ part: ProfilePart) -> Int { part.file.size(of: .fieldValues) }
        let plain = try part([source])
        schema.text = .compressed
        let compressed = try part([source])
        #expect(size(compressed) * 2 < size(plain))
        let expected = try values(plain, "city")
        #expect(expected.count == count)
        #expect(try values(compressed, "city") == expected)
        #expect(try values(try part([.part(plain)]), "city") == expected)
        #expect(size(try part([.part(plain)])) == size(compressed))
        schema.text = .plain
        #expect(size(try part([.part(compressed)])) == size(plain))
    }

    @Test("sets come back, empty ones too, with each value once")
    func sets() throws {
        let written = [["b", "a"], [], ["a", "a"], ["c"], [""]]
        let part = try part([
            batch { batch in
                for (i, set) in written.enumerated() {
                    batch.set(field: tags, row: Row(i), values: set.map { Array($0.utf8) })
                }
                batch.clear(field: tags, row: 9)
            }
        ])
        #expect(part.field("tags")?.encoding == .sets)
        #expect(try strings(part, "tags") == ["", "a", "b", "c"])
        #expect(try values(part, "tags") == [0: "a|b", 1: "", 2: "a", 3: "c", 4: "", 9: nil])
    }

    @Test("the rows of a value of sets are found by its code", arguments: [4096, 4097])
    func rowsOfCode(count: Int) throws {
        let part = try part([
            batch { batch in
                for i in 0..<count {
                    let set = i == 7 ? ["a", "b"] : ["b"]
                    let values = set.map { Array($0.utf8) }
                    batch.set(field: tags, row: Row(i * 2 + 1), values: values)
                }
            }
        ])
        let index = try #require(part.field("tags"))
        guard case .sets(let sets) = try #require(try part.block(index, 0)).column else {
            Issue.record("no sets")
            return
        }
        #expect(try sets.rows(ofCode: 0)?.allRows == [15])
        #expect(try sets.rows(ofCode: 1)?.allRows == (0..<count).map { UInt16($0 * 2 + 1) })
        #expect(try sets.rows(ofCode: 1)?.kind == (count > 4096 ? .bitset : .array))
        #expect(try sets.rows(ofCode: 2) == nil && sets.rows(ofCode: -1) == nil)
    }

    @Test("a later source is laid over an earlier one, and what it does not touch stays")
    func overlay() throws {
        let first = try part([
            batch { batch in
                for row in 0..<4 { batch.set(field: n, row: Row(row), number: 10) }
                batch.set(field: tags, row: 1, values: [[97]])
            }
        ])
        let merged = try part([
            .part(first),
            batch { batch in
                batch.clear(field: n, row: 1)
                batch.set(field: n, row: 2, number: 20)
                batch.set(field: n, row: 9, number: 90)
                // Of two cells about the same row the later one counts.
                batch.set(field: n, row: 3, number: 30)
                batch.set(field: n, row: 3, number: 31)
                batch.set(field: tags, row: 1, values: [[98]])
            },
        ])
        #expect(try values(merged, "n") == [0: "10", 1: nil, 2: "20", 3: "31", 9: "90"])
        #expect(try values(merged, "tags") == [1: "b"])
        // The string that nobody has any more goes only when something is purged.
        #expect(try strings(merged, "tags") == ["a", "b"])
    }

    @Test("of erased rows nothing is left, nor of strings that nobody else has")
    func purging() throws {
        let erased = ErasedRows(nil, adding: [1, 3], rows: 70_000)
        let part = try part(
            [
                batch { batch in
                    for (row, string) in [(0, 98), (1, 97), (2, 99), (3, 99)] as [(Row, UInt8)] {
                        [string].withUnsafeBytes { batch.set(field: city, row: row, text: $0) }
                        batch.set(field: tags, row: row, values: [[string], [120]])
                        batch.set(field: n, row: row, number: Int64(string))
                    }
                    batch.clear(field: n, row: 3)
                }
            ], purging: erased)
        #expect(try strings(part, "city") == ["b", "c"])
        #expect(try strings(part, "tags") == ["b", "c", "x"])
        #expect(try values(part, "city") == [0: "b", 2: "c"])
        #expect(try values(part, "tags") == [0: "b|x", 2: "c|x"])
        #expect(try values(part, "n") == [0: "98", 2: "99"])
    }

    @Test("random batches merge to the last word on each row", arguments: 1...4)
    func random(seed: Int) throws {
        var dice = Dice(UInt64(seed)), expected: [Int: String?] = [:], merged: ProfilePart?
        for _ in 0..<3 {
            // Few rows or, for dense blocks, most of them.
            let cells = seed % 2 == 0 ? 500 : 90_000
            let new = batch { batch in
                for _ in 0..<cells {
                    let row = dice.below(70_000)
                    let value = "v\(dice.below(300))"
                    if dice.below(5) == 0 {
                        batch.clear(field: city, row: Row(row))
                        expected.updateValue(nil, forKey: row)
                    } else {
                        Array(value.utf8).withUnsafeBytes {
                            batch.set(field: city, row: Row(row), text: $0)
                        }
                        expected[row] = value
                    }
                }
            }
            merged = try part((merged.map { [.part($0)] } ?? []) + [new])
            #expect(try values(try #require(merged), "city") == expected)
        }
    }

    /// A part in which row 0 has the tag a, row 1 the tag b, row 2 none.
    private func smallSets() throws -> ProfilePart {
        try part([
            batch { batch in
                for (row, set) in [["a"], ["b"], []].enumerated() {
                    let values = set.map { Array($0.utf8) }
                    batch.set(field: tags, row: Row(row), values: values)
                }
            }
        ])
    }

    /// A part in which rows 1 and 2 have the numbers 5 and 7, and row 4 has lost its own.
    private func smallNumbers() throws -> ProfilePart {
        try part([
            batch { batch in
                batch.set(field: n, row: 1, number: 5)
                batch.set(field: n, row: 2, number: 7)
                batch.clear(field: n, row: 4)
            }
        ])
    }

    @Test("numbers are the touched rows and a sliced block; directories say where")
    func numbersLayout() throws {
        let file = try smallNumbers().file
        #expect(
            try file.section(.fieldValues).elementsEqual(
                hex(
                    """
                    01 000000 03000000 0100 0200 0400 0000
                    01 02 00 00 02000000 0500000000000000 0100 0200 00000000 02 00 000000000000
                    """)))
        #expect(
            try file.section(.fieldBlocks).elementsEqual(
                hex("00000000 00000000 0000000000000000 3000000000000000")))
        #expect(
            try file.section(.fields).elementsEqual(
                hex(
                    """
                    01000000
                    01000000 6E 01 0000000000000000 0000000000000000 01000000 00000000
                    """)))
    }

    @Test("sets are a dictionary and, for each value, a container of rows")
    func setsLayout() throws {
        let file = try smallSets().file
        #expect(
            try file.section(.fieldValues).elementsEqual(
                hex(
                    """
                    02000000 01 000000 0100000000000000 02 6162 0000000000
                    03 000000 03000000
                    03 000000 03000000
                    02000000 00000000 0800000000000000
                    0100 000000000000
                    02000000 01 000000 0000000000000000 02
                    02000000 02 000000 0000000000000000 08
                    02000000 02 000000 0100000000000000 02
                    02000000 00 000000 0100000000000000
                    0000000000
                    """)))
        #expect(
            try file.section(.fieldBlocks).elementsEqual(
                hex("00000000 00000000 1800000000000000 6B00000000000000")))
        #expect(
            try file.section(.fields).elementsEqual(
                hex(
                    """
                    01000000
                    04000000 74616773 04 0000000000000000 1300000000000000 01000000 00000000
                    """)))
    }

    private func damaged(
        _ part: ProfilePart, _ tag: SectionTag, _ words: String,
        _ change: (inout [UInt8]) -> Void
    ) {
        expectDamage(words) {
            let changed = try ProfilePart(try parts.changing(tag, of: part.file, change))
            for name in ["n", "city", "tags"] { _ = try values(changed, name) }
        }
    }

    @Test("a damaged directory throws")
    func damagedDirectory() throws {
        let part = try smallNumbers()
        damaged(part, .fields, "it ends early") { $0.put(UInt32(2), at: 0) }
        damaged(part, .fields, "it ends early") { $0.put(UInt32.max, at: 4) }
        damaged(part, .fields, "not UTF-8") { $0[8] = 0xFF }
        damaged(part, .fields, "unknown encoding") { $0[9] = 0 }
        damaged(part, .fields, "unknown encoding") { $0[9] = 5 }
        damaged(part, .fields, "leads out of section") { $0.put(UInt32(2), at: 26) }
        damaged(part, .fields, "leads out of section") { $0.put(UInt32(1), at: 30) }
        damaged(part, .fieldBlocks, "leads out of section") { $0.put(UInt64.max, at: 8) }
        damaged(part, .fieldBlocks, "leads out of section") { $0.put(UInt64(49), at: 16) }
        damaged(part, .fieldBlocks, "ends early") { $0.put(UInt64(47), at: 16) }
    }

    @Test("damaged touched rows throw")
    func damagedRows() throws {
        let part = try smallNumbers()
        damaged(part, .fieldValues, "an impossible container") { $0[0] = 4 }
        damaged(part, .fieldValues, "an impossible container") { $0.put(UInt32(4097), at: 4) }
        damaged(part, .fieldValues, "it ends early") { $0[0] = 2 }
        let many = try self.part([
            batch { for row in 1...5000 { $0.set(field: n, row: Row(row), number: 1) } }
        ])
        damaged(many, .fieldValues, "other rows than it says") { $0.put(UInt32(4999), at: 4) }
    }

    @Test("a damaged block of sets throws")
    func damagedSets() throws {
        let part = try smallSets()
        let block = 24
        func damaged(_ words: String, _ change: (inout [UInt8]) -> Void) {
            self.damaged(part, .fieldValues, words, change)
        }
        damaged("more strings than there can be") { $0.put(UInt32(4), at: 0) }
        damaged("an impossible container") { $0[block + 8] = 4 }
        damaged("columns of different length") { $0.put(UInt32(3), at: block + 16) }
        damaged("it ends early") { $0.put(UInt64.max, at: block + 24) }
        // Bases of the codes, ends and counts, and the first of the kinds.
        damaged("rows are outside") { $0.put(Int64(-1), at: block + 48) }
        damaged("rows are outside") { $0.put(Int64(1000), at: block + 65) }
        damaged("rows are outside") { $0.put(Int64.min, at: block + 65) }
        damaged("rows are outside") { $0.put(Int64.max, at: block + 65) }
        damaged("rows are outside") { $0.put(Int64(5000), at: block + 99) }
        damaged("rows are outside") { $0[block + 90] = 3 }
    }

    @Test("whatever byte is wrong, reading fields comes to an end")
    func flips() throws {
        for part in [try smallNumbers(), try smallSets()] {
            for tag in [SectionTag.fields, .fieldBlocks, .fieldValues] {
                try parts.flipping(tag, of: part.file) { file in
                    let damaged = try ProfilePart(file)
                    for name in ["n", "tags"] {
                        #expect(try values(damaged, name).count <= Block.rows)
                    }
                }
            }
        }
    }
}
