import Benchmark
import WinnowCKernels
import Ratios

/// Kernels in the best variant that the processor has, against the baseline variant; those that are
/// bound by stores in every variant against copying rows.
let benchmarks: @Sendable () -> Void = {
    guard let baseline = ck_variant(0)?.pointee else { return }
    let best = ck_kernels().pointee
    let data = KernelData()
    func kernel(_ name: String, _ body: @escaping (ck_table) -> Void) {
        ratio(name, of: { body(best) }, to: { body(baseline) })
    }
    kernel("and") { table in
        for _ in 0..<200 { table.and_into(data.set, data.bits, 1024) }
    }
    kernel("popcount") { table in
        for _ in 0..<200 { blackHole(table.popcount(data.bits, 1024)) }
    }
    kernel("counters-between") { table in
        for _ in 0..<20 { table.counters_between(data.counters, 3, 255, data.set, 65_536) }
    }
    kernel("count-bitset") { table in
        for _ in 0..<5 { table.count_bitset(data.counters, data.bits, 1024, 1) }
    }
    kernel("sliced-between") { table in
        for _ in 0..<20 {
            data.set.update(repeating: .max, count: 1024)
            table.sliced_between(data.sliced, 65_536, 22, 1_000_000, 3_000_000, data.set)
        }
    }
    kernel("keep-rows") { table in
        for _ in 0..<10 { blackHole(table.keep_rows(data.rows, data.bits, 65_536, data.kept)) }
    }
    kernel("expand") { table in
        for _ in 0..<20 { table.expand(data.bits, 1024, data.ranks, data.set) }
    }
    kernel("unslice-chosen") { table in
        for _ in 0..<5 {
            table.unslice(data.sliced, 65_536, 22, 0, 32_768, data.bits, 0, 1000, data.times)
        }
    }
    kernel("repeated-rows") { table in
        for _ in 0..<20 {
            blackHole(table.repeated_rows(data.sparse, 32_768, 1, .max, data.kept))
        }
    }
    kernel("find-bytes") { table in
        for _ in 0..<20 { blackHole(table.find_bytes(data.text, 65_536, data.part, 8)) }
    }
    kernel("rows-of") { table in
        for _ in 0..<10 { blackHole(table.rows_of(data.bits, 1024, data.kept, 65_536)) }
    }
    // The reference copies as many rows.
    let copy: () -> Void = {
        for _ in 0..<20 { data.kept.update(from: data.sparse, count: 32_768) }
    }
    ratio("count-rows", of: { best.count_rows(data.counters, data.sparse, 32_768) }, to: copy)
    ratio("set-rows", of: { best.set_rows(data.set, data.sparse, 32_768) }, to: copy)
    ratio(
        "keep-ranked",
        of: {
            var passed = 0
            blackHole(
                best.keep_ranked(
                    data.rows, 65_536, data.starts, data.ranks, 32_768, &passed, data.kept))
        }, to: copy)
    ratio("unslice", of: { ck_unslice(data.sliced, 65_536, 22, 0, 8192, data.values) }, to: copy)
    ratio("crc32c", of: { blackHole(ck_crc32c(0, data.text, 65_536)) }, to: copy)
}

/// Memory that begins at a page, as mapped files and scratch do: results must not depend on what
/// the allocator does.
private func aligned<T>(_: T.Type, _ count: Int) -> UnsafeMutablePointer<T> {
    UnsafeMutableRawPointer.allocate(byteCount: count * MemoryLayout<T>.stride, alignment: 4096)
        .bindMemory(to: T.self, capacity: count)
}

/// What kernels work on, in memory that stays.
final class KernelData: @unchecked Sendable {
    let set = aligned(UInt64.self, 1024)
    let bits = aligned(UInt64.self, 1024)
    let ranks = aligned(UInt64.self, 1025)
    let starts = aligned(UInt8.self, 8200)
    let counters = aligned(UInt8.self, 65_536)
    let rows = aligned(UInt16.self, 65_536)
    /// 64 runs of 512 ascending rows each.
    let sparse = aligned(UInt16.self, 32_768)
    let kept = aligned(UInt16.self, 65_536 + 64)
    let sliced = aligned(UInt8.self, 8192 * 22 + 64)
    let values = aligned(UInt64.self, 65_536)
    let times = aligned(Int64.self, 65_536 + 8)
    let text = aligned(UInt8.self, 65_536)
    let part: [UInt8] = Array("77@inbox".utf8)

    init() {
        var state: UInt64 = 1
        func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
        for i in 0..<1024 {
            set[i] = next()
            bits[i] = next() & next()
            ranks[i] = next() & next()
        }
        ranks[1024] = 0
        for i in 0..<8200 { starts[i] = UInt8(truncatingIfNeeded: next() | next() >> 8) | 1 }
        for i in 0..<65_536 {
            counters[i] = 0
            rows[i] = UInt16(i)
            values[i] = next() & 0x3F_FFFF
            text[i] = UInt8(97 + next() % 26)
        }
        ck_slice(values, 65_536, 22, sliced)
        for run in 0..<64 {
            let sorted = (0..<512).map { _ in UInt16(truncatingIfNeeded: next()) }.sorted()
            for (i, row) in sorted.enumerated() { sparse[run * 512 + i] = row }
        }
    }
}
