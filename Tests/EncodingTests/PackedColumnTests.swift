import WinnowFormat
import WinnowModel
import WinnowSimulation
import Testing

@Suite("Packed columns")
struct PackedColumnTests {
    private let parts = Parts()

    private func encoded(_ values: [Int64]) -> [UInt8] {
        var out = ByteWriter()
        PackedColumn.append(values, to: &out)
        return out.bytes
    }

    private func read(_ bytes: [UInt8]) throws -> PackedColumn {
        var reader = try parts.write(bytes).reader(.fieldValues)
        return try PackedColumn(&reader)
    }

    private func values(_ column: PackedColumn) -> [Int64] {
        (0..<column.count).map { column[$0] }
    }

    private static let columns: [[Int64]] = [
        [], [0], [7], [-7, -7, -7], [-1, 1], [.min], [.max], [.min, .min + 5],
        [.max - 1, .max, .max], [0, 0x1FF_FFFF_FFFF_FFFF],
        [-0x100_0000_0000_0000, 0xFF_FFFF_FFFF_FFFF],
        Array(-500...500), Array(0..<512), Array(0..<513),
    ]

    @Test("values come back as they were written", arguments: columns)
    func edges(written: [Int64]) throws {
        #expect(values(try read(encoded(written))) == written)
    }

    @Test("random values of every width come back", arguments: 1...4 as ClosedRange<UInt64>)
    func random(seed: UInt64) throws {
        var dice = Dice(seed)
        for width in 0...Packing.maximumWidth {
            let base = Int64(bitPattern: dice.bits(64)) >> 8
            var written = (0..<dice.below(600)).map { _ in base + Int64(dice.bits(width)) }
            // Both ends, so that the width is the one that is meant.
            written += [base, base + Int64(UInt64.max >> UInt64(64 - max(width, 1)))]
            let column = try read(encoded(written))
            #expect(column.width == max(width, 1))
            #expect(values(column) == written, "width \(width)")
        }
    }

    @Test("the layout is count, width, base, and the packed rest")
    func layout() {
        #expect(
            encoded([10, 13, 11]) == hex("03000000 02 000000 0A00000000000000") + [0b01_11_00])
        #expect(encoded([-2, -2]) == hex("02000000 00 000000 FEFFFFFFFFFFFFFF"))
        #expect(encoded([]) == hex("00000000 00 000000 0000000000000000"))
        // A value that lies across two words.
        var packed: [UInt8] = []
        Packing.append([1, 1 << 39 | 1, 3], width: 40, to: &packed)
        #expect(packed == hex("0100000000 0100000080 0300000000"))
    }

    @Test("values that need more than 57 bits are refused when they are read")
    func tooWide() throws {
        expectDamage("a packed width of 58") { _ = try read(encoded([0, 1 << 57])) }
        expectDamage("a packed width of 64") { _ = try read(encoded([.min, .max])) }
    }

    @Test("a damaged header throws")
    func damage() throws {
        let bytes = encoded([10, 13, 11])
        for length in 0..<bytes.count {
            expectDamage("it ends early") { _ = try read(Array(bytes[..<length])) }
        }
        for width in [58, 64, 65, 255] as [UInt8] {
            expectDamage("a packed width of \(width)") {
                var wide = bytes
                wide[4] = width
                _ = try read(wide)
            }
        }
        expectDamage("it ends early") {
            var long = bytes
            long.put(UInt32.max, at: 0)
            _ = try read(long)
        }
    }

    @Test(
        "a column that is written piece by piece has the same bytes",
        arguments: [0, 1, 32_767, 32_768, 32_769, 70_001])
    func pieces(count: Int) throws {
        let values = (0..<count).map { Int64($0 * 31 % 1000) - 7 }
        let base = values.min() ?? 0
        let maximum = values.max() ?? 0
        var column = PackedColumnWriter(count: count, base: base, maximum: maximum)
        let part = try parts.write(.profiles) { part in
            try part.begin(.fieldValues)
            try column.begin(part)
            for value in values { try column.append(value, to: part) }
            try column.finish(part)
            return try part.finish()
        }
        #expect(try part.section(.fieldValues).elementsEqual(encoded(values)))
        #expect(part.size(of: .fieldValues) == column.size)
    }

    @Test("the first value that is not below another one is found")
    func search() throws {
        let column = try read(encoded([-5, -5, 0, 3, 3, 3, 9]))
        #expect([-6, -5, -4, 3, 4, 9, 10].map { column.lowerBound($0) } == [0, 0, 2, 3, 6, 6, 7])
        #expect(column.lowerBound(3, in: 4..<6) == 4 && column.lowerBound(9, in: 4..<6) == 6)
        #expect(try read(encoded([])).lowerBound(0) == 0)
    }

    @Test("values of up to 32 bits are copied by the range")
    func copies() throws {
        for width in [0, 1, 7, 31, 32] {
            let written = (0..<100).map { Int64($0) * 97_531 % (1 << Int64(width)) }
            let column = try read(encoded(written))
            var copy = [UInt32](repeating: 0, count: 60)
            column.copy(33..<93, into: &copy)
            #expect(copy.map(Int64.init) == Array(written[33..<93]), "width \(width)")
        }
    }
}
