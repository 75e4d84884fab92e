import WinnowCKernels
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
            let a = random.words(1024)
            let b = random.words(1024)
            var and = a
            var or = a
            var andnot = a
            var within = a
            table.and_into(&and, b, 1024)
            table.or_into(&or, b, 1024)
            table.andnot_into(&andnot, b, 1024)
            table.not_within(&within, b, 1024)
            #expect(and == zip(a, b).map { $0 & $1 })
            #expect(or == zip(a, b).map { $0 | $1 })
            #expect(andnot == zip(a, b).map { $0 & ~$1 })
            #expect(within == zip(a, b).map { $1 & ~$0 })
            #expect(table.popcount(a, 1024) == bits(a).count)
            #expect(table.popcount_both(a, b, 1024) == Set(bits(a)).intersection(bits(b)).count)
            var rows = [UInt16](repeating: 0, count: 65_536)
            let n = table.rows_of(a, 1024, &rows, bits(a).count)
            #expect(rows.prefix(n).map(Int.init) == bits(a))
            var back = [UInt64](repeating: 0, count: 1024)
            table.set_rows(&back, rows, n)
            #expect(back == a)
            var counters = [UInt8](repeating: 3, count: 65_536)
            table.count_bitset(&counters, a, 1024, 7)
            table.count_rows(&counters, rows, n)
            let expected = (0..<65_536).map {
                UInt8(a[$0 / 64] >> UInt64($0 % 64) & 1 == 1 ? 11 : 3)
            }
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
            var out = [UInt64](repeating: 7, count: 1024)
            var wideOut = out
            table.counters_between(counters, lo, hi, &out, 65_536)
            #expect(bits(out) == counters.indices.filter { (lo...hi).contains(counters[$0]) })
            let low = UInt64(lo) * 1_000_000_007
            let high = UInt64(hi) * 1_000_000_007
            table.counters_between_wide(wide, low, high, &wideOut, 65_536)
            #expect(wideOut == out)
        }
    }

    @Test("bit slices, ranks and packed values", arguments: variants)
    func slices(variant: Int) throws {
        let table = try #require(ck_variant(variant)).pointee
        var random = Random(state: 5)
        for (width, n) in [(1, 1), (2, 64), (7, 511), (13, 512), (31, 513), (64, 5000), (22, 4096)]
            as [(UInt32, Int)]
        {
            // Many equal ones among them, so that ties last to the lowest bit.
            let span = UInt64.max >> UInt64(64 - width)
            let values = (0..<n).map { _ in random.next() % 4 == 0 ? span / 3 : random.next() & span
            }
            let (sliced, size) = sliced(values, width)
            #expect(size == (n + 7) / 8 * Int(width))
            for first in [0, 1, 7, 64, 513] where first < n {
                var back = [UInt64](repeating: 1, count: n - first)
                ck_unslice(sliced, n, width, first, n - first, &back)
                #expect(back == Array(values[first...]))
            }
            for first in [0, 64, 512, 576] where first < n {
                let mask = random.words((n - first + 63) / 64)
                let chosen = bits(mask).filter { first + $0 < n }
                var back = [Int64](repeating: 0, count: chosen.count + 8)
                let kept = table.unslice(sliced, n, width, first, n - first, mask, -7, 1000, &back)
                #expect(kept == chosen.count)
                #expect(
                    back.dropLast(8)
                        == chosen.map { Int64(bitPattern: values[first + $0]) &* 1000 &- 7 })
            }
            let masked = random.words((n + 511) / 512 * 8)
            for (x, y) in [
                (values[0], values[n / 2]), (span / 3, span / 3), (0, span), (span, span),
            ] {
                var mask = masked
                table.sliced_between(sliced, n, width, min(x, y), max(x, y), &mask)
                #expect(
                    bits(mask).filter { $0 < n }
                        == bits(masked).filter {
                            $0 < n && (min(x, y)...max(x, y)).contains(values[$0])
                        })
            }
            for bit in Set([0, width / 2, width - 1]) {
                var out = masked
                table.sliced_bit(sliced, n, width, bit, &out)
                #expect(
                    bits(out).filter { $0 < n }
                        == values.indices.filter { values[$0] >> UInt64(bit) & 1 == 1 })
            }
        }
        let members = random.words(1024)
        let ranks = random.words(1025)
        var out = [UInt64](repeating: 0, count: 1024)
        table.expand(members, 1024, ranks, &out)
        let expected = bits(members).enumerated().filter {
            ranks[$0.offset / 64] >> UInt64($0.offset % 64) & 1 == 1
        }
        #expect(bits(out) == expected.map(\.element))
        var gathered = [UInt64](repeating: 0, count: 1025)
        table.gather(members, out, 1024, &gathered)
        #expect(bits(gathered) == expected.map(\.offset))
    }

    @Test("greater and equal numbers, bit by bit", arguments: variants)
    func compare(variant: Int) throws {
        let table = try #require(ck_variant(variant)).pointee
        var random = Random(state: 23)
        let x = (0..<512).map { _ in random.next() % 100 }
        let y = (0..<512).map { $0 % 3 == 0 ? x[$0] + 37 : random.next() % 200 }
        var carry = [UInt64](repeating: 0, count: 8)
        var greater = carry
        var equal = [UInt64](repeating: .max, count: 8)
        func slice(_ values: [UInt64], _ bit: Int) -> [UInt64] {
            (0..<8).map { word in
                (0..<64).reduce(0) {
                    $0 | (values[word * 64 + $1] >> UInt64(bit) & 1) << UInt64($1)
                }
            }
        }
        for bit in 0..<9 {
            table.compare_bit(
                slice(x, bit), slice(y, bit), 37 >> bit & 1 == 1, &carry, &greater, &equal, 8)
        }
        #expect(bits(greater) == x.indices.filter { x[$0] + 37 > y[$0] })
        #expect(bits(equal) == x.indices.filter { x[$0] + 37 == y[$0] })
    }

    /// The sliced form, with the room after it that readers may look at; and its size.
    private func sliced(_ values: [UInt64], _ width: UInt32) -> ([UInt8], size: Int) {
        let size = (values.count + 7) / 8 * Int(width)
        var bytes = [UInt8](repeating: 0xA5, count: size + 64)
        ck_slice(values, values.count, width, &bytes)
        #expect(bytes[size...].allSatisfy { $0 == 0xA5 })
        return (bytes, size)
    }

    @Test("rows of the events that a mask keeps", arguments: variants)
    func kept(variant: Int) throws {
        let table = try #require(ck_variant(variant)).pointee
        var random = Random(state: 17)
        for n in [1, 63, 64, 65, 1000, 8192] {
            let words = (n + 63) / 64
            let mask = random.words(words)
            var starts = random.words(words + 1)
            starts[0] |= 1
            let chosen = bits(mask).filter { $0 < n }
            let first = bits(starts).filter { $0 < n }
            let rows = (0..<n).map { UInt16(truncatingIfNeeded: $0 * 7) }
            var kept = [UInt16](repeating: 0, count: n + 64)
            #expect(table.keep_rows(rows, mask, n, &kept) == chosen.count)
            #expect(Array(kept.prefix(chosen.count)) == chosen.map { rows[$0] })

            let ranks = chosen.map { event in first.count { $0 <= event } - 1 }
            var passed = 0
            let count = starts.withUnsafeBytes { bytes in
                table.keep_ranked(
                    rows, first.count, bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), mask,
                    n, &passed, &kept)
            }
            #expect(count == chosen.count)
            #expect(passed == first.count)
            #expect(Array(kept.prefix(chosen.count)) == ranks.map { rows[$0] })
            var narrowed = mask
            let set = random.words(1024)
            table.narrow_to_rows(rows, n, set, &narrowed)
            #expect(
                bits(narrowed).filter { $0 < n }
                    == chosen.filter { set[Int(rows[$0] >> 6)] >> UInt64(rows[$0] & 63) & 1 == 1 })

            // Events of chosen ranks, in pieces of two words.
            let wanted = random.words(first.count / 64 + 2)
            let rankOf = (0..<n).map { event in first.count { $0 <= event } - 1 }
            var events = [UInt64](repeating: 0, count: words + 2)
            var before = ck_passed(ranks: 0, fills: false)
            for at in stride(from: 0, to: n, by: 128) {
                let fits = starts.withUnsafeBytes { bytes in
                    events.withUnsafeMutableBufferPointer { events in
                        table.events_of_ranks(
                            wanted, first.count,
                            bytes.baseAddress!.assumingMemoryBound(to: UInt8.self) + at / 8,
                            min(128, n - at), &before, events.baseAddress! + at / 64)
                    }
                }
                #expect(fits)
            }
            #expect(
                bits(events)
                    == (0..<n).filter {
                        wanted[rankOf[$0] / 64] >> UInt64(rankOf[$0] % 64) & 1 == 1
                    }
            )
            #expect(before.ranks == first.count)

            // One row less than the bits say, and a first event that is not the first of its row.
            for (distinct, flip) in [(first.count - 1, 0), (first.count, 1)] as [(Int, UInt64)] {
                starts[0] ^= flip
                passed = 0
                let misfit = starts.withUnsafeBytes { bytes in
                    table.keep_ranked(
                        rows, distinct, bytes.baseAddress!.assumingMemoryBound(to: UInt8.self),
                        mask, n, &passed, &kept)
                }
                #expect(misfit == -1)
                before = ck_passed(ranks: 0, fills: false)
                let fits = starts.withUnsafeBytes { bytes in
                    table.events_of_ranks(
                        wanted, distinct, bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), n,
                        &before, &events)
                }
                #expect(!fits)
            }
        }
    }

    @Test("last and first times of rows, and what is later", arguments: variants)
    func times(variant: Int) throws {
        let table = try #require(ck_variant(variant)).pointee
        var random = Random(state: 23)
        let rows = (0..<300).map { _ in UInt16(random.next() % 130) }
        let at = rows.map { _ in Int64(random.next() % 50) - 10 }
        for (origin, sign) in [(1000, 1), (1000, -1)] as [(Int64, Int64)] {
            // Some rows have a time already, none is at the origin or above.
            var kept = (0..<130).map { $0 % 3 == 0 ? Int64(random.next() % 40) : origin + 10 }
            let before = kept
            var open = [UInt64](repeating: .max, count: 3)
            table.take_times(&kept, rows, at, rows.count, origin, sign, origin + 20, &open)
            var expected = before
            var closed: Set<Int> = []
            for (row, time) in zip(rows.map(Int.init), at) {
                expected[row] = max(expected[row], origin + sign * time)
                if expected[row] >= origin + 20 { closed.insert(row) }
            }
            #expect(kept == expected)
            #expect(Set(0..<192).subtracting(bits(open)) == closed)
            kept = before
            table.take_times(&kept, rows, at, rows.count, origin, sign, 0, nil)
            #expect(kept == expected)

            kept = before
            let ends = (0..<130).map { sign * (kept[$0] - origin) + Int64($0 % 20) }
            for (limits, bound) in [(ends, 5), (nil, 100)] as [([Int64]?, Int64)] {
                var found = [UInt64](repeating: 0, count: 3)
                open = [UInt64](repeating: .max, count: 3)
                var matches: Set<Int> = []
                closed = []
                for (row, time) in zip(rows.map(Int.init), at) {
                    let start = sign * (kept[row] - origin)
                    if kept[row] >= origin, time > start, time <= limits?[row] ?? .max {
                        matches.insert(row)
                    }
                    if matches.contains(row) || start >= bound { closed.insert(row) }
                }
                table.find_later(
                    kept, limits, rows, at, rows.count, origin, sign, origin, bound, &found, &open)
                #expect(Set(bits(found)) == matches)
                #expect(Set(0..<192).subtracting(bits(open)) == closed)
            }
        }
    }

    @Test("rows that come so many times in succession", arguments: variants)
    func repeated(variant: Int) throws {
        let table = try #require(ck_variant(variant)).pointee
        var random = Random(state: 31)
        for n in [0, 1, 2, 64, 65, 66, 130, 1000] {
            var rows: [UInt16] = []
            while rows.count < n {
                let times = random.next() % 3 == 0 ? Int(random.next() % 70) : 1
                rows += Array(repeating: (rows.last ?? 0) + 1, count: min(n - rows.count, times))
            }
            var counts: [UInt16: Int] = [:]
            for row in rows { counts[row, default: 0] += 1 }
            for (least, most) in [(1, Int.max), (2, Int.max), (1, 1), (2, 5), (3, 70), (80, 90)] {
                var kept = [UInt16](repeating: 0, count: n + 64)
                let count = table.repeated_rows(rows, n, least, most, &kept)
                let expected = counts.filter { (least...most).contains($0.value) }.keys.sorted()
                #expect(Array(kept.prefix(count)) == expected, "\(n), \(least)...\(most)")
            }
        }
    }

    @Test("byte counters that stop at 255", arguments: variants)
    func saturating(variant: Int) throws {
        let table = try #require(ck_variant(variant)).pointee
        var counters = [UInt8](repeating: 253, count: 4)
        table.count_rows_saturating(&counters, [0, 1, 1, 1, 2, 1], nil, 6)
        #expect(counters == [254, 255, 254, 253])
        table.count_rows_saturating(&counters, [0, 3, 3], [1000, 1, 1], 3)
        #expect(counters == [255, 255, 254, 255])
        var many = (0..<128).map { UInt8($0 * 2) }
        table.cap_counters(&many, 7, 128)
        #expect(many == (0..<128).map { min(7, UInt8($0 * 2)) })
    }

    @Test("a part of a text", arguments: variants)
    func find(variant: Int) throws {
        let table = try #require(ck_variant(variant)).pointee
        var random = Random(state: 23)
        // Two letters, so that beginnings and ends of parts are everywhere.
        let text = (0..<1000).map { _ in UInt8(97 + random.next() >> 9 % 2) }
        for length in [1, 2, 7, 63, 64, 65, 200] {
            for start in [0, 1, 500, 1000 - length] {
                let part = Array(text[start..<start + length])
                for from in [0, 3, start] where from <= start {
                    let expected = (from...start).first {
                        text[$0..<$0 + length].elementsEqual(part)
                    }
                    let found = text[from...].withUnsafeBufferPointer {
                        table.find_bytes($0.baseAddress!, 1000 - from, part, length)
                    }
                    #expect(found + from == expected)
                }
            }
            let absent = [UInt8](repeating: 97, count: length - 1) + [99]
            #expect(table.find_bytes(text, 1000, absent, length) == 1000)
        }
        #expect(table.find_bytes(text, 3, text, 4) == 3)
        // Nearly every place begins and ends like the part: the search goes over to one that is
        // linear.
        var part = [UInt8](repeating: 97, count: 3000)
        var same = [UInt8](repeating: 97, count: 400_000)
        part[1500] = 98
        #expect(table.find_bytes(same, same.count, part, part.count) == same.count)
        same.replaceSubrange(300_000..<303_000, with: part)
        #expect(table.find_bytes(same, same.count, part, part.count) == 300_000)
    }

    @Test("bytes are marked, counted and told from ASCII", arguments: variants)
    func bytes(variant: Int) throws {
        let table = try #require(ck_variant(variant)).pointee
        var random = Random(state: 11)
        for n in [0, 1, 63, 64, 65, 127, 128, 1000] {
            let most: UInt64 = n % 2 == 0 ? 140 : 128
            let text = (0..<n).map { _ in UInt8(truncatingIfNeeded: random.next() % most) }
            var marks = [UInt64](repeating: .max, count: (n + 63) / 64)
            table.mark_bytes(text, n, 44 | 34 << 8 | 10 << 16 | 13 << 24, &marks)
            let wanted = Set<UInt8>([44, 34, 10, 13])
            for i in 0..<marks.count * 64 {
                let isMarked = marks[i / 64] >> UInt64(i % 64) & 1 == 1
                #expect(isMarked == (i < n && wanted.contains(text[i])))
            }
            #expect(table.count_byte(text, n, 10) == text.count { $0 == 10 })
            #expect(table.is_ascii(text, n) == text.allSatisfy { $0 < 128 })
        }
    }

    @Test("bytes are the same when each is")
    func same() {
        for n in 0...40 {
            let a = (0..<n).map { UInt8($0 * 7 & 255) }
            #expect(ck_same(a, Array(a), n))
            for i in 0..<n {
                var b = a
                b[i] ^= 1 << UInt8(i & 7)
                #expect(!ck_same(a, b, n), "\(n) bytes, the \(i)th differs")
            }
        }
    }

    @Test("checksums and hashes of known texts")
    func hashes() {
        let digits = Array("123456789".utf8)
        #expect(ck_crc32c(0, digits, 9) == 0xE306_9283)
        // A long text goes through three interleaved streams; cut anywhere it must come out the
        // same.
        let long = (0..<50_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let whole = ck_crc32c(0, long, long.count)
        for cut in [1, 4095, 6144, 12_289, 49_999] {
            let first = ck_crc32c(0, long, cut)
            #expect(ck_crc32c(first, Array(long[cut...]), long.count - cut) == whole)
            #expect(ck_crc32c_portable(0, long, cut) == first)
        }
        #expect(ck_xxh64(nil, 0, 0) == 0xEF46_DB37_51D8_E999)
        #expect(ck_xxh64(Array("a".utf8), 1, 0) == 0xD24E_C4F1_A98C_6E5B)
        #expect(ck_xxh64(Array("abc".utf8), 3, 0) == 0x44BC_2CF5_AD77_0999)
    }

    @Test("keys are sorted by their low bits and keep their order otherwise")
    func sort() {
        var random = Random(state: 3)
        for n in [0, 1, 47, 48, 1000, 70_000] {
            var keys = (0..<n).map { UInt64($0) << 40 | random.next() & 0xFF_FFFF }
            var scratch = keys
            let expected = keys.sorted { ($0 & 0xFF_FFFF, $0 >> 40) < ($1 & 0xFF_FFFF, $1 >> 40) }
            ck_sort(&keys, &scratch, n, 24)
            #expect(keys == expected)
        }
    }
}
