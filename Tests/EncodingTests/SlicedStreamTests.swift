import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowSimulation
import Testing

@Suite("Sliced streams")
struct SlicedStreamTests {
    private let parts = Parts()

    private func encoded(_ values: [UInt64], _ width: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        SlicedStream.append(values, width: width, to: &bytes)
        return bytes
    }

    private func stream(_ values: [UInt64], _ width: Int) throws -> SlicedStream {
        let bytes = encoded(values, width)
        #expect(bytes.count == SlicedStream.byteCount(values.count, width: width))
        // A byte at least, so that there is an address.
        let section = try parts.write(bytes + [0]).section(.fieldValues)
        let base = try #require(section.baseAddress).assumingMemoryBound(to: UInt8.self)
        return SlicedStream(base, count: values.count, width: width)
    }

    /// Values of a width, with both ends among them and many equal ones.
    private func values(_ count: Int, _ width: Int, _ dice: inout Dice) -> [UInt64] {
        let span = width == 0 ? 0 : UInt64.max >> UInt64(64 - width)
        return (0..<count).map { _ in
            switch dice.below(4) {
            case 0: span
            case 1: 0
            default: dice.bits(width)
            }
        }
    }

    private func positions(_ words: [UInt64], below n: Int) -> [Int] {
        (0..<n).filter { words[$0 / 64] >> UInt64($0 % 64) & 1 == 1 }
    }

    private static let counts = [0, 1, 7, 8, 9, 511, 512, 513, 1024, 1025]
    private static let widths = [0, 1, 2, 8, 9, 57, 58, 63, 64]

    @Test("values come back as they were written", arguments: counts, widths)
    func edges(count: Int, width: Int) throws {
        var dice = Dice(UInt64(count * 100 + width))
        let written = values(count, width, &dice)
        let stream = try stream(written, width)
        #expect(stream.values(0..<count) == written)
        guard count > 9 else { return }
        #expect(stream.values(count - 1..<count) == [written[count - 1]])
        #expect(stream.values(3..<count - 3) == Array(written[3..<count - 3]))
        if count > 512 {
            #expect(stream.from(512).values(0..<count - 512) == Array(written[512...]))
        }
    }

    @Test("nine values of two bits are two slices of two bytes, the high bit first")
    func layout() {
        #expect(encoded([1, 2, 3, 0, 0, 0, 0, 0, 1], 2) == hex("0600 0501"))
        #expect(encoded([5, 5], 0) == [])
        #expect(encoded([], 7) == [])
    }

    @Test("a group of 512 has slices of 64 bytes, a shorter last one is cut to its bytes")
    func groups() {
        var values = [UInt64](repeating: 0, count: 513)
        values[511] = 2
        values[512] = 3
        var expected = [UInt8](repeating: 0, count: 130)
        expected[63] = 0x80
        expected[128] = 1
        expected[129] = 1
        #expect(encoded(values, 2) == expected)
    }

    @Test("a comparison keeps what lies in the range", arguments: 1...3 as ClosedRange<UInt64>)
    func comparisons(seed: UInt64) throws {
        var dice = Dice(seed)
        for width in [0, 1, 7, 31, 64] {
            for count in [1, 511, 512, 513, 2000] {
                let written = values(count, width, &dice)
                let stream = try stream(written, width)
                let a = written[dice.below(count)]
                let b = written[dice.below(count)]
                let ranges: [ClosedRange<UInt64>] = [
                    0...stream.span, 0...0, min(a, b)...max(a, b), a...a, a...(.max),
                ]
                for range in ranges {
                    var mask = [UInt64](repeating: .max, count: SlicedStream.maskWords(count))
                    stream.narrow(&mask, to: range)
                    let expected = written.indices.filter { range.contains(written[$0]) }
                    #expect(
                        positions(mask, below: count) == expected,
                        "width \(width), \(count) values, \(range)")
                }
            }
        }
    }

    @Test("a range above the greatest value keeps nothing")
    func outside() throws {
        var mask = [UInt64](repeating: .max, count: 8)
        try stream([0, 1, 2, 3], 2).narrow(&mask, to: 4...9)
        #expect(positions(mask, below: 4) == [])
    }

    @Test("the first values alone can be compared, and what is off the mask stays off")
    func prefixes() throws {
        let stream = try stream((0..<2000).map { UInt64($0) }, 11)
        var mask = [UInt64](repeating: ~1, count: SlicedStream.maskWords(700))
        stream.narrow(&mask, to: 5...600, first: 700)
        #expect(positions(mask, below: 700) == (5...600).filter { $0 % 64 != 0 })
    }

    @Test("one bit of every value is copied, and bits above the width are zero")
    func bits() throws {
        var dice = Dice(5)
        for count in [1, 513, 1000] {
            let written = values(count, 13, &dice)
            let stream = try stream(written, 13)
            for bit in [0, 6, 12, 13, 63] {
                var words = [UInt64](repeating: .max, count: SlicedStream.maskWords(count))
                stream.copy(bit: bit, into: &words)
                let expected = written.indices.filter { written[$0] >> UInt64(bit) & 1 == 1 }
                #expect(positions(words, below: count) == expected, "bit \(bit)")
            }
        }
    }
}
