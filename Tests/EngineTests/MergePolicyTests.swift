import WinnowStorage
import Testing

@Suite("Merging")
struct MergePolicyTests {
    @Test(
        "keeps parts few and rewrites an event seldom",
        arguments: [(300, 6.0), (3_000, 15.0), (100_000, 30.0)])
    func equalBatches(batches: Int, rewrites: Double) {
        var sizes: [UInt64] = []
        var written: UInt64 = 0
        for _ in 0..<batches {
            let merged = sizes.suffix(MergePolicy.merged(sizes, new: 1))
            sizes.removeLast(merged.count)
            sizes.append(merged.reduce(1, +))
            written += sizes[sizes.count - 1]
            #expect(sizes.count <= 8)
        }
        #expect(sizes.reduce(0, +) == UInt64(batches))
        #expect(Double(written) / Double(batches) < rewrites)
    }
}
