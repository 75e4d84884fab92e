import WinnowModel

/// Which parts of a kind a new one is merged with.
///
/// Method: parts are in the order in which they were loaded, large to small, and only the newest
/// are ever merged, so that later still means newer. A new part takes with it every newest part
/// that is not larger than what has been gathered so far, and as many as it must to keep within
/// `Tuning.maximumParts`. Sizes then at least double from each part to the one before it, like the
/// bits of a counter: n equal batches leave about log₂ n parts, and an event is rewritten about
/// log₂ n times in its life. More batches than the parts have bits for make the steps between sizes
/// larger: 100,000 batches rewrite an event some 20 times.
package enum MergePolicy {
    /// How many of the newest parts a new one of size `new` is merged with; `sizes` are oldest
    /// first.
    package static func merged(_ sizes: [UInt64], new: UInt64) -> Int {
        var total = new
        var count = 0
        for size in sizes.reversed() {
            guard size <= total || sizes.count - count + 1 > Tuning.maximumParts else { break }
            total += size
            count += 1
        }
        return count
    }
}
