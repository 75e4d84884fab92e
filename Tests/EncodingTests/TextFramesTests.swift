import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowSimulation
import Testing

@Suite("Text frames")
struct TextFramesTests {
    private let parts = Parts()

    private func encoded(_ strings: [[UInt8]], compresses: Bool = false) throws -> [UInt8] {
        var writer = TextFrames.Writer(compresses: compresses)
        var out = ByteWriter()
        for string in strings { try writer.add(string[...]) }
        try writer.finish(to: &out)
        return out.bytes
    }

    private func read(_ bytes: [UInt8]) throws -> TextFrames {
        let part = try parts.write(bytes)
        var reader = try part.reader(.fieldValues)
        return try TextFrames(&reader, in: part)
    }

    private func frames(_ strings: [[UInt8]], compresses: Bool = false) throws -> TextFrames {
        try read(try encoded(strings, compresses: compresses))
    }

    private func frames(_ strings: [String]) throws -> TextFrames {
        try frames(strings.map { Array($0.utf8) })
    }

    private func all(_ frames: TextFrames) throws -> [[UInt8]] {
        var result: [[UInt8]] = []
        try frames.forEach { number, text in
            #expect(number == result.count)
            result.append(Array(text))
        }
        return result
    }

    /// The ranges of numbers that stand together in a frame.
    private func ranges(_ frames: TextFrames) throws -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        try frames.forEach(
            wanted: {
                ranges.append($0)
                return false
            }, { _, _ in Issue.record("no frame was wanted") })
        return ranges
    }

    private func found(_ needles: [String], in frames: TextFrames) throws -> [Int] {
        var numbers: [Int] = []
        try frames.search(needles.map { Array($0.utf8) }, wanted: { _ in true }) { number, _ in
            numbers.append(number)
        }
        return numbers
    }

    @Test("strings come back as they were written", arguments: [false, true])
    func roundTrip(compresses: Bool) throws {
        let long = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 8) }
        let cases: [[[UInt8]]] = [
            [], [[]], [[97]], [[], [], []], [[], [97], [], [98, 99], []], [long],
            [[1], long, [2], long, []], Array(repeating: Array("the same".utf8), count: 20_000),
            Array(repeating: [], count: 65_536),
        ]
        for strings in cases {
            let frames = try frames(strings, compresses: compresses)
            #expect(frames.count == strings.count)
            #expect(try all(frames) == strings)
        }
    }

    @Test("random strings come back, compressed or not", arguments: 1...3 as ClosedRange<UInt64>)
    func random(seed: UInt64) throws {
        var dice = Dice(seed)
        let strings = (0..<9000).map { _ in
            (0..<dice.below(40)).map { _ in UInt8(97 + dice.below(4)) }
        }
        #expect(try all(frames(strings)) == strings)
        #expect(try all(frames(strings, compresses: true)) == strings)
    }

    @Test("a frame ends with the string that makes it 64 KiB or more")
    func boundaries() throws {
        func lengths(_ lengths: [Int]) throws -> [Range<Int>] {
            try ranges(frames(lengths.map { [UInt8](repeating: 97, count: $0) }))
        }
        #expect(try lengths([]) == [])
        #expect(try lengths([65_535]) == [0..<1])
        #expect(try lengths([65_535, 0, 1]) == [0..<3])
        #expect(try lengths([65_535, 0, 1, 0]) == [0..<3, 3..<4])
        #expect(try lengths([65_536, 1]) == [0..<1, 1..<2])
        #expect(try lengths([1, 300_000, 65_536, 5, 6]) == [0..<2, 2..<3, 3..<5])
    }

    @Test("only the frames that are wanted are read")
    func wanted() throws {
        let strings = (0..<30).map { [UInt8](repeating: UInt8($0), count: 30_000) }
        var numbers: [Int] = []
        try frames(strings).forEach(wanted: { $0.contains(10) }) { number, text in
            numbers.append(number)
            #expect(text.elementsEqual(strings[number]))
        }
        #expect(numbers == [9, 10, 11])
    }

    @Test("three strings are their lengths, a table of one frame, and their bytes")
    func layout() throws {
        #expect(
            try encoded(["ab", "", "c"].map { Array($0.utf8) })
                == hex(
                    """
                    03000000 02 000000 0000000000000000 12
                    01000000 00000000
                    03000000 03000000 03000000 00000000
                    616263
                    """))
        #expect(try encoded([]) == hex("00000000 00 000000 0000000000000000 00000000 00000000"))
    }

    @Test("a frame that compression makes no smaller stands as it is")
    func incompressible() throws {
        let text = Array("abc".utf8)
        #expect(try encoded([text], compresses: true) == encoded([text]))
        let same = [UInt8](repeating: 97, count: 1000)
        #expect(try encoded([same], compresses: true).count < 100)
    }

    @Test("a search does not count what lies across the border of two strings")
    func borders() throws {
        #expect(try found(["ab"], in: frames(["xa", "bx"])) == [])
        #expect(try found(["ab"], in: frames(["xa", "", "bab"])) == [2])
        #expect(try found(["aa"], in: frames(["xa", "aab"])) == [1])
        #expect(try found(["aa"], in: frames(["a", "a", "a", "aa"])) == [3])
        #expect(try found(["aba"], in: frames(["ab", "aba", "ab", "a"])) == [1])
        #expect(try found(["abc"], in: frames(["ab", "c", "abc"])) == [2])
        #expect(try found(["a"], in: frames(["", "", "a", ""])) == [2])
        #expect(try found(["a"], in: frames(["", ""])) == [])
        #expect(try found(["a"], in: frames([String]())) == [])
    }

    @Test("a string is found once for each part, however often the part occurs in it")
    func repeats() throws {
        let frames = try frames(["aaaa", "b", "ab", "baab"])
        #expect(try found(["a"], in: frames) == [0, 2, 3])
        #expect(try found(["b", "aa"], in: frames) == [1, 2, 3, 0, 3])
        #expect(try found(["c"], in: frames) == [])
    }

    @Test(
        "a search finds what a look at every string finds",
        arguments: 1...3 as ClosedRange<UInt64>)
    func search(seed: UInt64) throws {
        var dice = Dice(seed)
        // Two letters, so that beginnings and ends of parts are everywhere.
        func word(_ length: Int) -> String {
            String((0..<length).map { _ -> Character in dice.below(2) == 0 ? "a" : "b" })
        }
        let strings = (0..<20_000).map { _ in word(dice.below(14)) }
        let frames = try frames(strings)
        #expect(try ranges(frames).count > 1)
        for length in [1, 2, 5, 9, 13] {
            let needle = word(length)
            let expected = strings.indices.filter { strings[$0].contains(needle) }
            #expect(try found([needle], in: frames) == expected, "\(needle)")
        }
    }

    @Test("a search hands out the strings whole")
    func handedOut() throws {
        var texts: [String] = []
        try frames(["xay", "", "b", "za"]).search([[97]], wanted: { _ in true }) { _, text in
            texts.append(String(decoding: text, as: UTF8.self))
        }
        #expect(texts == ["xay", "za"])
    }

    @Test("a damaged table throws")
    func damage() throws {
        // Lengths take 17 bytes, and eight more stand before the table.
        let bytes = try encoded(["ab", "", "c"].map { Array($0.utf8) })
        let table = 25
        func damaged(_ words: String, _ change: (inout [UInt8]) -> Void) {
            var changed = bytes
            change(&changed)
            expectDamage(words) { _ = try all(read(changed)) }
        }
        for length in 0..<bytes.count {
            expectDamage("it ends early") { _ = try read(Array(bytes[..<length])) }
        }
        damaged("it ends early") { $0.put(UInt32.max, at: 17) }
        damaged("it ends early") { $0.put(UInt32(4), at: table + 8) }
        damaged("do not match") { $0.put(UInt32(2), at: table) }
        damaged("do not match") { $0.put(UInt32(0), at: 17) }
        damaged("an impossible text frame") { $0.put(UInt32(65_537), at: table) }
        damaged("an impossible text frame") { $0.put(UInt32(1 << 28 + 1), at: table + 4) }
        damaged("do not fill it") { $0.put(UInt32(4), at: table + 4) }
        damaged("do not fill it") { $0[16] = 0x13 }
        damaged("a compressed frame cannot be read") { $0.put(UInt32(2), at: table + 8) }
    }

    @Test("a compressed frame that was changed throws when it is read")
    func damagedFrame() throws {
        let strings = [[UInt8]](repeating: Array("some text".utf8), count: 500)
        let bytes = try encoded(strings, compresses: true)
        var changed = bytes
        // The magic number of zstd: a column of equal lengths and one entry stand before it.
        let start = 16 + 8 + 16
        #expect(Array(bytes[start..<start + 4]) == hex("28B52FFD"))
        changed[start] ^= 1
        let frames = try read(changed)
        expectDamage("a compressed frame cannot be read") { _ = try all(frames) }
    }
}
