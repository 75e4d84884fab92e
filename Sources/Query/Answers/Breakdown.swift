import Synchronization
import WinnowBitmaps
import WinnowColumns
import WinnowModel
import WinnowThreads

/// How many of some profiles have which values.
package struct Breakdown: Sendable {
    /// A value of each dimension, and how many profiles of the segment and of all have them.
    package struct Line: Sendable {
        package let values: [Dimension.Value]
        package let count: Int
        package let universe: Int
    }

    package private(set) var lines: [Line] = []
    /// Profiles that have any other values; nil where there are no others in the segment.
    package private(set) var other: (count: Int, universe: Int)?

    /// Method: values are numbered as they are met, and both are counted in one pass over all
    /// profiles. Where these have too many values, those of the segment are counted first, and then
    /// looked for among all: values that the segment does not have are never kept.
    /// - Parameter segment: whose values are shown.
    /// - Parameter universe: all profiles.
    /// - Parameter most: how many values there can be.
    /// - Parameter lines: which of the combinations found are shown, in their order.
    package init(
        of segment: RowSet, in universe: RowSet, by dimensions: [Dimension], most: Int,
        lines: ([(values: [Dimension.Value], count: Int)]) -> [[Dimension.Value]]
    ) throws(WinnowError) {
        var numbers = dimensions.map { _ in ValueNumbers(most: most) }
        let found: [UInt64: Int]
        let totals: [UInt64: Int]
        if let both = try? Breakdown.count(segment, in: universe, dimensions, numbers, most: most) {
            (found, totals) = both
        } else {
            numbers = dimensions.map { _ in ValueNumbers(most: most) }
            let own = numbers
            found = try Breakdown.count(segment, dimensions, most: most) {
                (i, value) throws(WinnowError) in try own[i].number(of: value)
            }
            totals = try Breakdown.count(universe, dimensions, most: .max) {
                (i, value) in own[i].find(value)
            }
        }
        let values = numbers.map(\.values)
        func combination(_ key: UInt64) -> [Dimension.Value] {
            Breakdown.numbers(key, dimensions.count).enumerated().map { values[$0][Int($1)] }
        }
        let all = found.map { (combination($0), $1) }
        let shown = lines(all)
        let counts = Dictionary(uniqueKeysWithValues: all)
        let wanted = Set(shown)
        let isCut = counts.keys.contains { !wanted.contains($0) }
        var known: [[Dimension.Value]: Int] = [:]
        for (key, count) in totals
        where Breakdown.numbers(key, dimensions.count).allSatisfy({ $0 >= 0 }) {
            known[combination(key)] = count
        }
        for values in shown {
            self.lines.append(
                Line(values: values, count: counts[values] ?? 0, universe: known[values] ?? 0))
        }
        guard isCut else { return }
        if dimensions.contains(where: \.isMultiple) {
            // Who has several others counts once.
            let keys = Set(
                shown.map { values in
                    Breakdown.key(values.enumerated().map { numbers[$0].find($1) })
                })
            other = (
                try Breakdown.others(segment, dimensions, numbers, than: keys),
                try Breakdown.others(universe, dimensions, numbers, than: keys)
            )
        } else {
            other = (
                segment.count - self.lines.reduce(0) { $0 + $1.count },
                universe.count - self.lines.reduce(0) { $0 + $1.universe }
            )
        }
    }

    private static func key(_ numbers: [Int32]) -> UInt64 {
        numbers.reduce(0) { $0 << 32 | UInt64(UInt32(bitPattern: $1)) }
    }

    private static func numbers(_ key: UInt64, _ count: Int) -> [Int32] {
        (0..<count).reversed().map {
            Int32(truncatingIfNeeded: key >> UInt64(32 * $0))
        }
    }

    /// Calls `body` with the combinations of values of each row of a block.
    fileprivate static func forEachKey(
        _ rows: BlockSet, _ values: [BlockValues], _ body: (Int, UInt64) -> Void
    ) {
        rows.forEach { row in
            values[0].forEach(row) { first in
                let high = UInt64(UInt32(bitPattern: first))
                guard values.count > 1 else { return body(row, high) }
                values[1].forEach(row) { body(row, high << 32 | UInt64(UInt32(bitPattern: $0))) }
            }
        }
    }

    private static func forEachBlock(
        _ rows: RowSet, _ dimensions: [Dimension],
        _ number: @Sendable (Int, Dimension.Value) throws(WinnowError) -> Int32,
        _ body: @Sendable (BlockIndex, BlockSet, [BlockValues]) throws(WinnowError) -> Void
    ) throws(WinnowError) {
        let blocks = rows.blockIndices
        let sets = rows.byBlock
        _ = try concurrentMap(blocks.count) { (i) throws(WinnowError) -> Bool in
            let set = BlockSet.allocate()
            defer { set.deallocate() }
            guard sets.copy(blocks[i], into: set), !set.isEmpty else { return false }
            var values: [BlockValues] = []
            for (place, dimension) in dimensions.enumerated() {
                values.append(
                    try BlockValues(of: set, in: blocks[i], dimension) {
                        (value) throws(WinnowError) in try number(place, value)
                    })
            }
            try body(blocks[i], set, values)
            return true
        }
    }

    /// How many profiles have each combination.
    private static func count(
        _ rows: RowSet, _ dimensions: [Dimension], most: Int,
        _ number: @Sendable (Int, Dimension.Value) throws(WinnowError) -> Int32
    ) throws(WinnowError) -> [UInt64: Int] {
        let total = Mutex<[UInt64: Int]>([:])
        try forEachBlock(rows, dimensions, number) { (_, set, values) throws(WinnowError) in
            let own = KeyCounts(of: set, values)
            try total.withLock { (total) throws(WinnowError) in
                try own.add(to: &total, most: most)
            }
        }
        return total.withLock { $0 }
    }

    /// The same of a segment and of all in one pass.
    private static func count(
        _ segment: RowSet, in universe: RowSet, _ dimensions: [Dimension],
        _ numbers: [ValueNumbers], most: Int
    ) throws(WinnowError) -> (segment: [UInt64: Int], universe: [UInt64: Int]) {
        let total = Mutex<([UInt64: Int], [UInt64: Int])>(([:], [:]))
        let sets = segment.byBlock
        try forEachBlock(
            universe, dimensions,
            { (i, value) throws(WinnowError) in try numbers[i].number(of: value) }
        ) { (block, set, values) throws(WinnowError) in
            let all = KeyCounts(of: set, values)
            let inside = BlockSet.allocate()
            defer { inside.deallocate() }
            let own = sets.copy(block, into: inside) ? KeyCounts(of: inside, values) : nil
            try total.withLock { (total) throws(WinnowError) in
                try own?.add(to: &total.0, most: most)
                try all.add(to: &total.1, most: most)
            }
        }
        return total.withLock { $0 }
    }

    /// How many profiles have a combination that is not among some.
    private static func others(
        _ rows: RowSet, _ dimensions: [Dimension], _ numbers: [ValueNumbers], than keys: Set<UInt64>
    ) throws(WinnowError) -> Int {
        let total = Mutex(0)
        try forEachBlock(rows, dimensions, { numbers[$0].find($1) }) { _, set, values in
            var last = -1
            var count = 0
            forEachKey(set, values) { row, key in
                if row != last, !keys.contains(key) { (last, count) = (row, count + 1) }
            }
            total.withLock { $0 += count }
        }
        return total.withLock { $0 }
    }
}

/// How often keys come; those that came lately are found without hashing.
private struct KeyCounts {
    private var keys = [UInt64](repeating: 0, count: 1024)
    private var counts = [Int](repeating: 0, count: 1024)
    private var others: [UInt64: Int] = [:]

    /// The combinations of values of some rows of a block.
    init(of rows: BlockSet, _ values: [BlockValues]) {
        if values.count == 1, values[0].areSingle {
            for (number, count) in values[0].counts(of: rows) {
                add(UInt64(UInt32(bitPattern: number)), count)
            }
        } else {
            Breakdown.forEachKey(rows, values) { add($1) }
        }
    }

    /// Adds the counts to others.
    func add(to total: inout [UInt64: Int], most: Int) throws(WinnowError) {
        forEach { total[$0, default: 0] += $1 }
        if total.count > most { throw ValueNumbers.tooMany(most) }
    }

    private mutating func add(_ key: UInt64, _ count: Int = 1) {
        let slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 54)
        if counts[slot] > 0, keys[slot] != key {
            others[key, default: 0] += count
        } else {
            keys[slot] = key
            counts[slot] += count
        }
    }

    private func forEach(_ body: (UInt64, Int) -> Void) {
        for (key, count) in zip(keys, counts) where count > 0 { body(key, count) }
        for (key, count) in others { body(key, count) }
    }
}
