import WinnowBitmaps
import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowSimulation
import Testing

@Suite("Sliced blocks")
struct SlicedBlockTests {
    private let parts = Parts()

    private func encoded(_ rows: [UInt16], _ values: [Int64]) -> [UInt8] {
        var out = ByteWriter()
        SlicedBlock.append(rows: rows, values: values, to: &out)
        return out.bytes
    }

    private func read(_ bytes: [UInt8]) throws -> SlicedBlock {
        let part = try parts.write(bytes)
        return try SlicedBlock(try part.section(.fieldValues), part.checks)
    }

    private func members(_ set: BlockSet) -> [UInt16] {
        var rows: [UInt16] = []
        set.forEach { rows.append(UInt16($0)) }
        return rows
    }

    /// Expects the rows and values back, and the right rows for some ranges.
    private func check(_ rows: [UInt16], _ values: [Int64], _ what: Comment) throws {
        let block = try read(encoded(rows, values))
        #expect(block.members.allRows == rows, what)
        #expect(block.values(rows: rows) == values, what)
        #expect(values.allSatisfy { $0 <= block.bound }, what)
        let set = BlockSet.allocate()
        let scratch = SlicedBlock.Scratch()
        defer {
            set.deallocate()
            scratch.deallocate()
        }
        let low = values.min() ?? 0
        let high = values.max() ?? 0
        let one = values.last ?? 0
        let ranges = [
            Int64.min...(.max), low...low, low...high, high...high, one...one, .min...one,
            one...(.max), .min...(.min), (.max)...(.max), min(0, low)...max(0, low),
        ]
        for range in ranges {
            block.select(range, into: set, scratch)
            let expected = zip(rows, values).filter { range.contains($0.1) }.map(\.0)
            #expect(members(set) == expected, "\(what), \(range)")
        }
    }

    @Test(
        "values come back, whatever the number of rows",
        arguments: [0, 1, 2, 512, 513, 4096, 4097, 32_767, 32_768, 65_535, 65_536])
    func counts(count: Int) throws {
        var dice = Dice(UInt64(count))
        for rows in [dice.rows(count), (0..<count).map { UInt16($0) }] {
            try check(rows, rows.map { _ in 42 }, "\(count) equal values")
            try check(rows, rows.map { _ in dice.below(2) == 0 ? .min : .max }, "extremes")
            try check(rows, rows.map { Int64($0) * 3 - 50_000 }, "values with a sign")
            try check(rows, rows.map { _ in Int64(bitPattern: dice.bits(64)) }, "random values")
        }
    }

    @Test("from 32,768 rows on values stand at their rows, below in the order of the rows")
    func density() {
        func rows(_ count: Int) -> [UInt16] { (0..<count).map { UInt16($0 + 1) } }
        let sparse = encoded(rows(32_767), rows(32_767).map(Int64.init))
        let dense = encoded(rows(32_768), rows(32_768).map(Int64.init))
        #expect(sparse[2] == 0 && dense[2] == 1)
        // A header, a bitset, and 15 or 16 bits a value.
        #expect(sparse.count == 16 + 8192 + 32_768 * 15 / 8)
        #expect(dense.count == 16 + 8192 + 65_536 * 15 / 8)
    }

    @Test("two rows are a header, an array, and two slices")
    func layout() {
        #expect(
            encoded([1, 2], [5, 7])
                == hex(
                    """
                    01 02 00 00 02000000 0500000000000000
                    0100 0200 00000000
                    02 00 000000000000
                    """))
        #expect(encoded([], []) == hex("00 00 00 00 00000000 0000000000000000"))
    }

    @Test("other numbers of the same rows follow", arguments: [2, 513, 40_000])
    func following(count: Int) throws {
        var dice = Dice(UInt64(count))
        var out = ByteWriter()
        let rows = dice.rows(count)
        let first = rows.map { _ in Int64(dice.below(9)) }
        let second = rows.map { _ in Int64(dice.below(1000)) - 500 }
        SlicedBlock.append(rows: rows, values: first, to: &out)
        SlicedBlock.append(more: second, of: rows, to: &out)
        let part = try parts.write(out.bytes)
        let bytes = try part.section(.fieldValues)
        let block = try SlicedBlock(bytes, part.checks)
        let other = try SlicedBlock(bytes, after: block, part.checks)
        #expect(block.values(rows: rows) == first)
        #expect(other.values(rows: rows) == second)
        #expect(other.members.allRows == rows)
    }

    @Test("no value is above the bound, and the bound is one that the bits can reach")
    func bounds() throws {
        for (values, bound) in [
            ([5, 6], 6), ([5, 7], 8), ([-5, 2], 2), ([-6, 2], 9), ([.min, .max], .max),
            ([.min, 0], .max), ([1, .max], .max), ([.min, -1], -1), ([.max, .max], .max),
        ] as [([Int64], Int64)] {
            #expect(try read(encoded([3, 9], values)).bound == bound, "\(values)")
        }
    }

    @Test("values add up from sets of rows", arguments: [3, 600, 40_000])
    func addends(count: Int) throws {
        var dice = Dice(UInt64(count))
        let rows = dice.rows(count)
        let values = rows.map { _ in Int64(dice.below(300)) + 2 }
        let block = try read(encoded(rows, values))
        let scratch = SlicedBlock.Scratch()
        defer { scratch.deallocate() }
        var sums = [Int64](repeating: 0, count: Block.rows)
        block.forEachAddend(scratch) { set, addend in
            set.forEach { sums[$0] += Int64(addend) }
        }
        #expect(rows.map { sums[Int($0)] } == values)
        #expect(sums.reduce(0, +) == values.reduce(0, +))
    }

    @Test("a damaged header throws")
    func damage() throws {
        let bytes = encoded([1, 2], [5, 7])
        func damaged(_ words: String, _ change: (inout [UInt8]) -> Void) {
            var changed = bytes
            change(&changed)
            expectDamage(words) { _ = try read(changed) }
        }
        for length in 0..<bytes.count {
            expectDamage("ends early") { _ = try read(Array(bytes[..<length])) }
        }
        damaged("impossible header") { $0[0] = 4 }
        damaged("impossible header") { $0[1] = 65 }
        damaged("impossible header") { $0.put(UInt32(4097), at: 4) }
        damaged("impossible header") { $0.put(UInt32.max, at: 4) }
        damaged("ends early") { $0[1] = 64 }
        damaged("ends early") { $0[2] = 1 }
        damaged("ends early") { $0[0] = 2 }
    }

    @Test("a bitset with other rows than its header says throws")
    func rowsAndCount() {
        var bytes = encoded((1...5000).map { UInt16($0) }, (1...5000).map { $0 })
        bytes[16] |= 1
        expectDamage("other rows than it says") { _ = try read(bytes) }
    }

    @Test("other numbers that end early throw")
    func damageBehind() throws {
        var out = ByteWriter()
        SlicedBlock.append(rows: [1, 2], values: [5, 7], to: &out)
        let first = out.bytes.count
        SlicedBlock.append(more: [1, 4], of: [1, 2], to: &out)
        var bytes = out.bytes
        func readBoth(_ bytes: [UInt8]) throws {
            let part = try parts.write(bytes)
            let section = try part.section(.fieldValues)
            let block = try SlicedBlock(section, part.checks)
            _ = try SlicedBlock(section, after: block, part.checks)
        }
        for length in first..<bytes.count {
            expectDamage("ends early") { try readBoth(Array(bytes[..<length])) }
        }
        bytes[first] = 65
        expectDamage("ends early") { try readBoth(bytes) }
    }
}
