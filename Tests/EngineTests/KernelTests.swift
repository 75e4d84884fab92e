import CKernels
import Testing

/// Every variant that this processor can run, against plain loops.
@Suite("Kernels")
struct KernelTests {
    static let variants = (0..<3).filter { ck_variant($0) != nil }

    private struct Random {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
        mutating func words(_ n: Int) -> [UInt64] {
            // Sparse, dense, empty and full words, as containers have them.
            (0..<n).map { _ in
                switch next() % 5 {
                case 0: 0
                case 1: .max
                case 2: next() & next() & next()
                default: next()
                }
            }
        }
    }

    private func bits(_ words: [UInt64]) -> [Int] {
        (0..<words.count * 64).filter { words[$0 / 64] >> UInt64($0 % 64) & 1 == 1 }
    }

    @Test("set algebra and counting", arguments: variants)
    func sets(variant: Int) throws {
        let table = try #require(ck_variant(variant)).pointee
        var random = Random(state: UInt64(variant) + 1)
        for _ in 0..<20 {
            let a = random.words(1024), b = random.words(1024)
            var and = a, or = a, andnot = a, within = a
            table.and_into(&and, b, 1024)
            table.or_into(&or, b, 1024)
            table.andnot_into(&andnot, b, 1024)
            table.not_within(&within, b, 1024)
            #expect(and == zip(a, b).map { $0 & $1 })
            #expect(or == zip(a, b).map { $0 | $1 })
            #expect(andnot == zip(a, b).map { $0 & ~$1 })
            #expect(within == zip(a, b).map { $1 & ~$0 })
            #expect(table.popcount(a, 1024) == bits(a).count)
            var rows = [UInt16](repeating: 0, count: 65_536)
            let n = table.rows_of(a, 1024, &rows)
            #expect(rows.prefix(n).map(Int.init) == bits(a))
            var back = [UInt64](repeating: 0, count: 1024)
            table.set_rows(&back, rows, n)
            #expect(back == a)
            var counters = [UInt8](repeating: 3, count: 65_536)
            table.count_bitset(&counters, a, 1024, 7)
            table.count_rows(&counters, rows, n)
            let expected = (0..<65_536).map { UInt8(a[$0 / 64] >> UInt64($0 % 64) & 1 == 1 ? 11 : 3) }
            #expect(counters == expected)
            table.count_bitset(&counters, a, 1024, 250)
            #expect(counters == expected.map { $0 == 3 ? 3 : 255 })
        }
    }

    @Test("counters between two bounds", arguments: variants)
    func counters(variant: Int) throws {
        let table = try #require(ck_variant(variant)).pointee
        var random = Random(state: 99)
        let counters = (0..<65_536).map { _ in UInt8(truncatingIfNeeded: random.next() >> 40) }
        let wide = counters.map { UInt64($0) * 1_000_000_007 }
        for (lo, hi) in [(1, 255), (0, 0), (255, 255), (3, 200), (128, 128)] as [(UInt8, UInt8)] {
            var out = [UInt64](repeating: 7, count: 1024), wideOut = out
            table.counters_between(counters, lo, hi, &out, 65_536)
            #expect(bits(out) == counters.indices.filter { (lo...hi).contains(counters[$0]) })
            let low = UInt64(lo) * 1_000_000_007, high = UInt64(hi) * 1_000_000_007
            table.counters_between_wide(wide, low, high, &wideOut, 65_536)
            #expect(wideOut == out)
        }
    }

    @Test("bit slices, ranks and packed values", arguments: variants)
    func slices(variant: Int) throws {
        let table = try #require(ck_variant(variant)).pointee
        var random = Random(state: 5)
        for width in [1, 2, 7, 13, 31, 64] as [UInt32] {
            let slices = random.words(Int(width) * 64)
            let values = (0..<4096).map { position in
                (0..<Int(width)).reduce(0) {
                    $0 | (slices[$1 * 64 + position / 64] >> UInt64(position % 64) & 1) << UInt64($1)
                }
            }
            for _ in 0..<4 {
                let x = values[Int(random.next() % 4096)], y = values[Int(random.next() % 4096)]
                var out = [UInt64](repeating: 0, count: 64)
                table.slices_between(slices, width, 64, min(x, y), max(x, y), &out)
                #expect(bits(out) == values.indices.filter { (min(x, y)...max(x, y)).contains(values[$0]) })
            }
        }
        let members = random.words(1024), ranks = random.words(1025)
        var out = [UInt64](repeating: 0, count: 1024)
        table.expand(members, 1024, ranks, &out)
        let expected = bits(members).enumerated().filter { ranks[$0.offset / 64] >> UInt64($0.offset % 64) & 1 == 1 }
        #expect(bits(out) == expected.map(\.element))
    }

    @Test("checksums and hashes of known texts")
    func hashes() {
        let digits = Array("123456789".utf8)
        #expect(ck_crc32c(0, digits, 9) == 0xE306_9283)
        // A long text goes through three interleaved streams; cut anywhere it must come out the same.
        let long = (0..<50_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let whole = ck_crc32c(0, long, long.count)
        for cut in [1, 4095, 6144, 12_289, 49_999] {
            let first = ck_crc32c(0, long, cut)
            #expect(ck_crc32c(first, Array(long[cut...]), long.count - cut) == whole)
        }
        #expect(ck_xxh64(nil, 0, 0) == 0xEF46_DB37_51D8_E999)
        #expect(ck_xxh64(Array("a".utf8), 1, 0) == 0xD24E_C4F1_A98C_6E5B)
        #expect(ck_xxh64(Array("abc".utf8), 3, 0) == 0x44BC_2CF5_AD77_0999)
    }

    @Test("keys are sorted by their low bits and keep their order otherwise")
    func sort() {
        var random = Random(state: 3)
        for n in [0, 1, 47, 48, 1000, 70_000] {
            var keys = (0..<n).map { UInt64($0) << 40 | random.next() & 0xFF_FFFF }, scratch = keys
            let expected = keys.sorted { ($0 & 0xFF_FFFF, $0 >> 40) < ($1 & 0xFF_FFFF, $1 >> 40) }
            ck_sort(&keys, &scratch, n, 24)
            #expect(keys == expected)
        }
    }
}
