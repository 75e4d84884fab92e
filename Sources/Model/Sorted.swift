/// The first position of a range of which `isBelow` does not hold, where it holds of all before and
/// of none after it. Complexity: O(log n) calls.
@inlinable package func firstNotBelow<E: Error>(
    _ range: Range<Int>, _ isBelow: (Int) throws(E) -> Bool
) throws(E) -> Int {
    var low = range.lowerBound
    var high = range.upperBound
    while low < high {
        let middle = (low + high) / 2
        if try isBelow(middle) { low = middle + 1 } else { high = middle }
    }
    return low
}

extension [UInt32] {
    /// The numbers, each once, ascending. Complexity: O(n log n).
    package func sortedDistinct() -> [UInt32] {
        var result = sorted()
        var kept = 0
        for i in result.indices where i == 0 || result[i] != result[kept - 1] {
            result[kept] = result[i]
            kept += 1
        }
        result.removeLast(result.count - kept)
        return result
    }
}
