import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowSimulation
import Testing

@Suite("String tables")
struct StringTableTests {
    private let parts = Parts()

    private func interner(_ strings: [String], first: UInt32 = 0) -> StringInterner {
        var interner = StringInterner(first: first)
        for string in strings { _ = Array(string.utf8).withUnsafeBytes { interner.intern($0) } }
        return interner
    }

    private func file(_ sources: [StringTableWriter.Source]) throws -> PartFile {
        try parts.write(.dictionary) { try StringTableWriter.write(sources, to: $0) }
    }

    private func table(_ strings: [String], first: UInt32 = 0) throws -> StringTable {
        let new = interner(strings, first: first)
        let file = try file([.init(.campaign, older: [], new: new)])
        return try #require(try StringTable(file, .campaign))
    }

    private func text(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes, as: UTF8.self)
    }

    private func hash(_ string: String) -> UInt64 {
        Array(string.utf8).withUnsafeBytes { stringHash($0) }
    }

    private func code(
        _ string: String, in table: StringTable, hiding erased: ErasedRows? = nil
    ) -> UInt32? {
        Array(string.utf8).withUnsafeBytes {
            table.code(of: $0, hash: stringHash($0), hiding: erased)
        }
    }

    /// Strings whose hashes begin with the same 16 bits: in a small table bytes alone decide.
    private static let twins: [String] = {
        var seen: [UInt64: String] = [:]
        for i in 0... {
            let string = "string \(i)"
            let hash = Array(string.utf8).withUnsafeBytes { stringHash($0) }
            if let other = seen.updateValue(string, forKey: hash >> 48) { return [other, string] }
        }
        return []
    }()

    @Test(
        "every string has the next code and is found by its bytes",
        arguments: [1, 7, 8, 9, 512, 513, 5000], [0, 1_000_000] as [UInt32])
    func roundTrip(count: Int, first: UInt32) throws {
        let strings = (0..<count).map { "s\($0 * 7919)" }
        let table = try table(strings, first: first)
        #expect(table.count == count && table.first == first)
        #expect((0..<count).map { text(table.bytes($0)) } == strings)
        #expect(strings.map { code($0, in: table) } == strings.indices.map { first + UInt32($0) })
        #expect((0..<count).allSatisfy { code("t\($0)", in: table) == nil })
    }

    @Test("strings of random bytes and lengths come back", arguments: 1...3 as ClosedRange<UInt64>)
    func random(seed: UInt64) throws {
        var dice = Dice(seed)
        var strings: [String] = []
        for i in 0..<2000 {
            let letters = (0..<dice.below(255)).map { _ in "aбc d\u{1F600}".randomElement(&dice) }
            strings.append("\(i)" + String(letters))
        }
        let table = try table(strings)
        #expect((0..<2000).map { text(table.bytes($0)) } == strings)
        #expect(strings.map { code($0, in: table) } == (0..<2000).map { UInt32($0) })
    }

    @Test("strings of one bucket with the same bits of their hashes are told apart by their bytes")
    func collisions() throws {
        let twins = StringTableTests.twins
        #expect(twins.count == 2 && hash(twins[0]) >> 48 == hash(twins[1]) >> 48)
        let both = try table(twins)
        #expect(twins.map { code($0, in: both) } == [0, 1])
        let one = try table(["x", twins[0]])
        #expect(twins.map { code($0, in: one) } == [1, nil])
    }

    @Test("an empty string has a code, as a purged one has, and is never found")
    func empty() throws {
        let table = try table(["a", "", "b"])
        #expect(table.count == 3)
        #expect((0..<3).map { text(table.bytes($0)) } == ["a", "", "b"])
        #expect(["a", "", "b"].map { code($0, in: table) } == [0, nil, 2])
    }

    @Test("a source without strings makes no table")
    func nothing() throws {
        let file = try file([
            .init(.campaign, older: [], new: nil), .init(.link, older: [], new: interner([])),
            .init(.template, older: [], new: interner(["t"])),
        ])
        #expect(try StringTable(file, .campaign) == nil)
        #expect(try StringTable(file, .link) == nil)
        #expect(try StringTable(file, .template)?.count == 1)
        #expect(try StringTable(parts.write([]), .campaign) == nil)
    }

    @Test("tables that are merged keep their codes, and purged strings leave holes")
    func purging() throws {
        let older = try table((0..<600).map { "a\($0)" })
        let later = try table((0..<20).map { "b\($0)" }, first: 600)
        func keeps(_ code: UInt32) -> Bool { code % 3 != 0 }
        let file = try file([
            .init(
                .campaign, older: [older, later], new: interner(["c0", "c1"], first: 620),
                keeping: keeps)
        ])
        let merged = try #require(try StringTable(file, .campaign))
        let strings = (0..<600).map { "a\($0)" } + (0..<20).map { "b\($0)" } + ["c0", "c1"]
        #expect(merged.count == 622)
        for (i, string) in strings.enumerated() {
            // What is new is kept whatever its code.
            let isKept = i >= 620 || keeps(UInt32(i))
            #expect(text(merged.bytes(i)) == (isKept ? string : ""))
            #expect(code(string, in: merged) == (isKept ? UInt32(i) : nil))
        }
    }

    @Test("a table of which everything is purged still has its codes")
    func allPurged() throws {
        let older = try table(["a", "b", "c"], first: 9)
        let file = try file([.init(.campaign, older: [older], new: nil, keeping: { _ in false })])
        let tables = try StringTables([file], .campaign)
        #expect(tables.count == 12)
        #expect(tables.code(of: "b") == nil)
        #expect(tables.bytes(10)?.isEmpty == true && tables.bytes(8) == nil)
    }

    @Test("a hidden code is passed over, and the string found under a later one")
    func hidden() throws {
        let first = try table(["a", "b", "c"])
        let second = try table(["b", "d"], first: 3)
        let erased = ErasedRows(nil, adding: [1, 2], rows: 5)
        #expect(["a", "b", "c"].map { code($0, in: first, hiding: erased) } == [0, nil, nil])
        #expect(["a", "b", "c"].map { code($0, in: first) } == [0, 1, 2])
        // Both in one table, as after a merge: the same bytes twice.
        let file = try file([.init(.campaign, older: [first, second], new: nil)])
        let merged = try #require(try StringTable(file, .campaign))
        #expect(code("b", in: merged, hiding: erased) == 3)
        let tables = try StringTables([file], .campaign, hiding: erased)
        #expect(["a", "b", "c", "d"].map { tables.code(of: $0) } == [0, 3, nil, 4])
        #expect((0..<5).map { tables.bytes($0).map(text) } == ["a", "b", "c", "b", "d"])
    }

    @Test("an index of the strings finds what the tables find, whatever their length")
    func indexed() throws {
        // Of each length those that differ in their first, middle and last byte.
        let strings = (1...40).flatMap { (length) -> [String] in
            let places = Set([0, length / 2, length - 1])
            return places.sorted().flatMap { place in
                ["x", "y"].map { letter in
                    String(repeating: "a", count: place) + letter
                        + String(repeating: "a", count: length - place - 1)
                }
            }
        }
        let first = try file([.init(.campaign, older: [], new: interner(strings))])
        let more = strings.prefix(100).map { $0 + "-" }
        let count = UInt32(strings.count)
        let second = try file([.init(.campaign, older: [], new: interner(more, first: count))])
        let erased = [0, 5, count - 1, count + 7].map(Row.init(rawValue:))
        let hidden = ErasedRows(nil, adding: erased, rows: 2 * strings.count)
        let tables = try StringTables([first, second], .campaign, hiding: hidden)
        let indexed = tables.indexed
        #expect(indexed.isIndexed && !tables.isIndexed)
        let sought = strings + more + strings.map { $0 + "a" } + ["", "b"]
        let bytes = sought.map { Array($0.utf8) }
        let found = withMemory(of: bytes) { pointers in
            var codes = [UInt32?](repeating: nil, count: sought.count)
            indexed.find(pointers, pointers.map(stringHash), Array(sought.indices), &codes)
            return codes
        }
        #expect(found == sought.map { tables.code(of: $0) })
        #expect(found.prefix(strings.count).filter { $0 != nil }.count == strings.count - 3)
    }

    /// Calls `body` with where each of some strings is.
    private func withMemory<R>(
        of strings: [[UInt8]], _ body: ([UnsafeRawBufferPointer]) -> R
    ) -> R {
        let all = strings.flatMap { $0 }
        return all.withUnsafeBytes { all in
            var start = 0
            return body(
                strings.map { string in
                    defer { start += string.count }
                    return UnsafeRawBufferPointer(rebasing: all[start..<start + string.count])
                })
        }
    }

    @Test("the tables of a part are found by their names")
    func names() throws {
        let file = try file([
            .init(.link, older: [], new: interner(["l"])),
            .init(.campaign, older: [], new: interner(["c0", "c1"], first: 4)),
        ])
        let link = try #require(try StringTable(file, .link))
        let campaign = try #require(try StringTable(file, .campaign))
        #expect(code("l", in: link) == 0 && code("c1", in: link) == nil)
        #expect(code("c1", in: campaign) == 5 && code("l", in: campaign) == nil)
    }

    /// The part of one campaign "a" with code 7.
    private func small() throws -> PartFile {
        try file([.init(.campaign, older: [], new: interner(["a"], first: 7))])
    }

    @Test("one string is a directory entry, ends, starts, an entry, and the text")
    func layout() throws {
        #expect(hash("a") >> 48 == 0xD24E)
        #expect(
            try small().section(.strings).elementsEqual(
                hex(
                    """
                    01000000 00000000
                    02000000 07000000 01000000 00000000 2800000000000000 3C00000000000000
                    00000000 00000000
                    01000000 00 000000 0100000000000000
                    02000000 01 000000 0000000000000000 02
                    01000000 10 000000 0000000000000000 4ED2
                    61
                    """)))
    }

    @Test("a damaged table throws")
    func damage() throws {
        let part = try small()
        func damaged(_ words: String, _ change: (inout [UInt8]) -> Void) {
            expectDamage(words) {
                let changed = try parts.changing(.strings, of: part, change)
                _ = try StringTable(changed, .campaign)
            }
        }
        damaged("leads out of section") { $0.put(UInt32.max, at: 0) }
        damaged("leads out of section") { $0.put(UInt64(41), at: 24) }
        damaged("leads out of section") { $0.put(UInt64.max, at: 24) }
        damaged("leads out of section") { $0.put(UInt64.max, at: 32) }
        damaged("it ends early") { $0.put(UInt64(7), at: 32) }
        damaged("columns of the wrong length") { $0.put(UInt32(2), at: 16) }
        damaged("columns of the wrong length") { $0.put(UInt32.max, at: 12) }
        damaged("columns of the wrong length") { $0.put(UInt32(1), at: 40) }
        damaged("columns of the wrong length") { $0.put(UInt32(32), at: 40) }
        damaged("columns of the wrong length") { $0.put(UInt32.max, at: 40) }
    }

    @Test("whatever byte of a table is wrong, looking strings up comes to an end")
    func flips() throws {
        let part = try file([.init(.campaign, older: [], new: interner(["a", "bc", "def"]))])
        try parts.flipping(.strings, of: part) { damaged in
            guard let table = try StringTable(damaged, .campaign) else { return }
            for string in ["a", "bc", "def", "x"] {
                // Bytes decide: nothing is found under the code of another string.
                if let code = code(string, in: table) {
                    #expect(text(table.bytes(Int(code - table.first))) == string)
                }
            }
            // The text has six bytes.
            for i in 0..<table.count { #expect(table.bytes(i).count <= 6) }
        }
    }
}

extension String {
    fileprivate func randomElement(_ dice: inout Dice) -> Character {
        self[index(startIndex, offsetBy: dice.below(count))]
    }
}
