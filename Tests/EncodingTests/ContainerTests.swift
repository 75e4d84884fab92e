import WinnowBitmaps
import WinnowModel
import WinnowSimulation
import Testing

@Suite("Containers")
struct ContainerTests {
    private func encoded(_ rows: [UInt16]) -> (kind: Container.Kind, bytes: [UInt8]) {
        var bytes: [UInt8] = []
        let kind = rows.withUnsafeBufferPointer { ContainerEncoder.append($0, to: &bytes) }
        return (kind, bytes)
    }

    /// Calls `body` with a container over some bytes.
    private func read<T>(
        _ kind: Container.Kind, _ count: Int, _ bytes: [UInt8], _ body: (Container) throws -> T
    ) throws -> T {
        try (bytes + [0]).withUnsafeBytes {
            try body(Container(kind: kind, count: count, bytes: try #require($0.baseAddress)))
        }
    }

    private func rows(_ range: some Sequence<Int>) -> [UInt16] { range.map { UInt16($0) } }

    /// Expects the kind, and that all ways of reading give the rows back.
    private func check(_ written: [UInt16], _ kind: Container.Kind) throws {
        let (found, bytes) = encoded(written)
        #expect(found == kind)
        #expect(bytes.count == Container.byteCount(kind, count: written.count))
        #expect(Container.isPossible(kind, count: written.count))
        let set = BlockSet.allocate()
        defer { set.deallocate() }
        try read(kind, written.count, bytes) { container in
            #expect(container.isSound)
            #expect(container.allRows == written)
            #expect((container.array != nil) == (kind == .array))
            #expect((container.words != nil) == (kind == .bitset))
            set.fill(first: Block.rows)
            container.copy(into: set)
            #expect(members(set) == written)
            set.clear()
            set.insert(4)
            container.union(into: set)
            #expect(members(set) == Set(written).union([4]).sorted())
        }
    }

    private func members(_ set: BlockSet) -> [UInt16] {
        var rows: [UInt16] = []
        set.forEach { rows.append(UInt16($0)) }
        return rows
    }

    @Test("no row is an empty container")
    func empty() throws { try check([], .empty) }

    @Test("the first rows of a block are a full container, which has no bytes")
    func full() throws {
        for count in [1, 2, 4096, 4097, 65_535, 65_536] { try check(rows(0..<count), .full) }
    }

    @Test("up to 4,096 rows are an array, more are a bitset")
    func thresholds() throws {
        try check([65_535], .array)
        try check(rows(1...4096), .array)
        try check(rows(1...4097), .bitset)
        try check(rows(61_440..<65_536), .array)
        try check(rows(61_439..<65_536), .bitset)
        try check(rows(1..<65_536), .bitset)
    }

    @Test("random rows come back", arguments: 1...4 as ClosedRange<UInt64>)
    func random(seed: UInt64) throws {
        var dice = Dice(seed)
        for count in [1, 100, 4095, 4096] { try check(dice.rows(count), .array) }
        for count in [4097, 30_000, 65_000] { try check(dice.rows(count), .bitset) }
    }

    @Test("an array is its rows in two bytes each, a bitset a bit a row, lowest first")
    func layout() {
        #expect(encoded([1, 258]).bytes == hex("0100 0201"))
        var expected = [UInt8](repeating: 0, count: 8192)
        for row in 1...4097 { expected[row / 8] |= 1 << UInt8(row % 8) }
        #expect(encoded(rows(1...4097)).bytes == expected)
        #expect(expected[0] == 0xFE && expected[512] == 0x03)
    }

    @Test("a bitset with other rows than it says is not sound")
    func soundness() throws {
        var (kind, bytes) = encoded(rows(1...5000))
        #expect(try read(kind, 4999, bytes, \.isSound) == false)
        bytes[8191] |= 0x80
        #expect(try read(kind, 5000, bytes, \.isSound) == false)
        #expect(try read(kind, 5001, bytes, \.isSound) == true)
    }

    @Test("a file may claim only so many rows of each kind")
    func claims() {
        #expect(Container.isPossible(.empty, count: 0) && !Container.isPossible(.empty, count: 1))
        #expect(Container.isPossible(.array, count: 4096))
        #expect(!Container.isPossible(.array, count: 4097))
        for kind in [Container.Kind.bitset, .full] {
            #expect(Container.isPossible(kind, count: 65_536))
            #expect(!Container.isPossible(kind, count: 65_537))
            #expect(!Container.isPossible(kind, count: -1))
        }
        #expect(Container.Kind(rawValue: 4) == nil)
    }
}
