import Model

/// Which parts of a kind a new one is merged with.
///
/// Method: parts stand in the order in which they were loaded, large to small, and only the newest are ever merged, so
/// that later still means newer. A new part takes with it every newest part that is not larger than what has been
/// gathered so far. Sizes then at least double from each part to the one before it, like the bits of a counter: n equal
/// batches leave about log₂ n parts, and an event is rewritten about log₂ n times in its life. Where that would leave
/// more than `Tuning.maximumParts`, the newest are merged regardless.
package enum MergePolicy {
    /// How many of the newest parts a new one of size `new` is merged with; `sizes` are oldest first.
    package static func merged(_ sizes: [UInt64], new: UInt64) -> Int {
        var total = new, count = 0
        for size in sizes.reversed() {
            guard size <= total else { break }
            total += size
            count += 1
        }
        return max(count, sizes.count + 1 - Tuning.maximumParts)
    }
}
