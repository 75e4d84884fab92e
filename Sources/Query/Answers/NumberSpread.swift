import Synchronization
import WinnowBitmaps
import WinnowColumns
import WinnowModel
import WinnowThreads

/// Between what the numbers of a field are, and whether there are many.
package struct NumberSpread: Sendable {
    package private(set) var range: ClosedRange<Int64>?
    /// The distinct ones; of more than `most` some.
    private var distinct: Set<Int64> = []

    /// Up to so many distinct numbers are shown one by one.
    package static let most = 50

    package var areMany: Bool { distinct.count > NumberSpread.most }

    /// - Complexity: O(values).
    package init(_ column: FieldColumn, of rows: RowSet) throws(WinnowError) {
        let total = Mutex(NumberSpread())
        let blocks = rows.blockIndices
        let sets = rows.byBlock
        _ = try concurrentMap(blocks.count) { (i) throws(WinnowError) -> Bool in
            let set = BlockSet.allocate()
            defer { set.deallocate() }
            guard sets.copy(blocks[i], into: set) else { return false }
            var own = NumberSpread()
            try column.forEachPart(in: blocks[i], of: set) { values, rows in
                values.forEachNumber(of: rows) { own.add($1) }
            }
            total.withLock { $0.formUnion(own) }
            return true
        }
        self = total.withLock { $0 }
    }

    private init() {}

    private mutating func add(_ number: Int64) {
        guard let range else {
            range = number...number
            distinct = [number]
            return
        }
        if number < range.lowerBound { self.range = number...range.upperBound }
        if number > range.upperBound { self.range = range.lowerBound...number }
        if !areMany { distinct.insert(number) }
    }

    private mutating func formUnion(_ other: NumberSpread) {
        guard let own = other.range else { return }
        add(own.lowerBound)
        add(own.upperBound)
        for number in other.distinct where !areMany { distinct.insert(number) }
    }

    /// The least step 1, 2, 5 × 10^k whose multiples cut the range into at most `most` pieces.
    package func step(most: Int64 = 20) -> Int64 {
        guard let range else { return 1 }
        var power: Int64 = 1
        while true {
            for digit: Int64 in [1, 2, 5] {
                let (step, isOver) = power.multipliedReportingOverflow(by: digit)
                if isOver { return .max }
                let first = floorDivide(range.lowerBound, step)
                let last = floorDivide(range.upperBound, step)
                let (distance, isWide) = last.subtractingReportingOverflow(first)
                if !isWide, distance < most { return step }
            }
            let (next, isOver) = power.multipliedReportingOverflow(by: 10)
            if isOver { return .max }
            power = next
        }
    }
}
