import Synchronization
import WinnowBitmaps
import WinnowColumns
import WinnowModel

/// What profiles are told apart by: a field's values, or sets that are known.
package struct Dimension: Sendable {
    /// A value, as it is counted.
    package enum Value: Hashable, Sendable {
        /// Of those who have no value.
        case none
        case number(Int64)
        case text([UInt8])
    }

    package enum Source: Sendable {
        /// The values of a field; numbers that `bin` makes the same are one.
        case field(FieldColumn, bin: (@Sendable (Int64) -> Int64)?)
        /// Sets that are known, by their names; a profile may be in several.
        case sets([(name: String, rows: RowSet.ByBlock)])
    }

    let source: Source
    /// The value of those who have none.
    let missing: Value

    package init(_ source: Source, missing: Value = .none) {
        self.source = source
        self.missing = missing
    }

    /// Whether a profile may have several values.
    package var isMultiple: Bool {
        switch source {
        case .field(let column, _): column.field.type.nature == .set
        case .sets: true
        }
    }
}

/// The numbers that values have in one call, in the order in which they were met.
final class ValueNumbers: Sendable {
    private let known: Mutex<(numbers: [Dimension.Value: Int32], values: [Dimension.Value])>
    private let most: Int

    /// - Parameter most: how many values there can be.
    init(most: Int) {
        self.most = most
        known = Mutex(([:], []))
    }

    /// The number of a value, new if need be.
    func number(of value: Dimension.Value) throws(WinnowError) -> Int32 {
        let number = known.withLock { known in
            if let number = known.numbers[value] { return number }
            let number = Int32(known.values.count)
            guard number < most else { return -1 }
            known.numbers[value] = number
            known.values.append(value)
            return number
        }
        guard number >= 0 else { throw ValueNumbers.tooMany(most) }
        return number
    }

    /// The number of a value, `unknown` for one that was not met.
    func find(_ value: Dimension.Value) -> Int32 {
        known.withLock { $0.numbers[value] } ?? ValueNumbers.unknown
    }

    static let unknown: Int32 = -2

    var values: [Dimension.Value] { known.withLock { $0.values } }

    static func tooMany(_ most: Int) -> WinnowError {
        .usage("there are more than \(most) values; take a field that has fewer, or bins")
    }
}

/// The numbers of the values of some rows of a block.
struct BlockValues {
    /// Per row its number, or the last of several; -1 for none.
    private var first = [Int32](repeating: -1, count: Block.rows)
    /// Per row where the one before is among `more`; -1 for none. Empty where rows have one each.
    private var rest: [Int32] = []
    private var more: [(number: Int32, next: Int32)] = []

    /// - Parameter number: gives values their numbers.
    init(
        of rows: BlockSet, in block: BlockIndex, _ dimension: Dimension,
        _ number: (Dimension.Value) throws(WinnowError) -> Int32
    ) throws(WinnowError) {
        if dimension.isMultiple { rest = Array(repeating: -1, count: Block.rows) }
        switch dimension.source {
        case .field(let column, let bin):
            try column.forEachPart(in: block, of: rows) { (values, own) throws(WinnowError) in
                try add(values, own, column.field.type.nature, bin, number)
            }
        case .sets(let sets):
            let own = BlockSet.allocate()
            defer { own.deallocate() }
            for (name, set) in sets {
                guard set.copy(block, into: own) else { continue }
                own.formIntersection(rows)
                if own.isEmpty { continue }
                let number = try number(.text(Array(name.utf8)))
                own.forEach { add(number, to: $0) }
            }
        }
        var missing: Int32?
        let bits = unsafe rows.bits
        for word in 0..<Block.words {
            var left = unsafe bits[word]
            while left != 0 {
                let row = word * 64 + left.trailingZeroBitCount
                left &= left - 1
                guard first[row] == -1 else { continue }
                if missing == nil { missing = try number(dimension.missing) }
                first[row] = missing ?? -1
            }
        }
    }

    private mutating func add(
        _ values: FieldColumn.Values, _ own: BlockSet, _ nature: FieldType.Nature,
        _ bin: (@Sendable (Int64) -> Int64)?,
        _ number: (Dimension.Value) throws(WinnowError) -> Int32
    ) throws(WinnowError) {
        switch nature {
        case .set:
            try unsafe values.forEachMember { (text, rows) throws(WinnowError) in
                var own = rows.allRows.filter { own.contains(Int($0)) }[...]
                if own.isEmpty { return }
                let number = try unsafe number(.text(Array(text)))
                while let row = own.popFirst() { add(number, to: Int(row)) }
            }
        case .text where !values.hasCodes:
            var failure: WinnowError?
            try unsafe values.forEachText(of: own) { row, text in
                guard failure == nil else { return }
                do throws(WinnowError) {
                    first[row] = try unsafe number(.text(Array(text)))
                } catch { failure = error }
            }
            if let failure { throw failure }
        default:
            let (rows, codes) = values.numbers
            let cache = NumberCache()
            let bits = unsafe own.bits
            for i in rows.indices {
                let row = rows[i]
                guard unsafe bits[Int(row >> 6)] >> UInt64(row & 63) & 1 == 1 else { continue }
                let code = codes[i]
                if let known = cache.find(code) {
                    first[Int(rows[i])] = known
                    continue
                }
                let value: Dimension.Value =
                    nature == .text
                    ? unsafe .text(Array(values.text(ofCode: code)))
                    : .number(bin.map { $0(code) } ?? code)
                let number = try number(value)
                cache.keep(code, number)
                first[Int(rows[i])] = number
            }
        }
    }

    private mutating func add(_ number: Int32, to row: Int) {
        if first[row] >= 0 || first[row] == ValueNumbers.unknown {
            more.append((first[row], rest[row]))
            rest[row] = Int32(more.count - 1)
        }
        first[row] = number
    }

    /// Whether rows have one number each.
    var areSingle: Bool { rest.isEmpty }

    /// How many of some rows have each number, where they have one each.
    func counts(of rows: BlockSet) -> [(number: Int32, count: Int)] {
        // The first place is for unknown ones, which may be all.
        let most = max(-1, first.max() ?? -1)
        var counts = [Int](repeating: 0, count: Int(most) + 2)
        let bits = unsafe rows.bits
        for word in 0..<Block.words {
            var left = unsafe bits[word]
            while left != 0 {
                let row = word * 64 + left.trailingZeroBitCount
                left &= left - 1
                counts[max(0, Int(first[row]) + 1)] += 1
            }
        }
        return counts.enumerated().compactMap { place, count in
            count == 0
                ? nil : (place == 0 ? ValueNumbers.unknown : Int32(place - 1), count)
        }
    }

    /// Calls `body` with each number of a row.
    func forEach(_ row: Int, _ body: (Int32) -> Void) {
        body(first[row])
        if rest.isEmpty { return }
        var next = rest[row]
        while next >= 0 {
            body(more[Int(next)].number)
            next = more[Int(next)].next
        }
    }
}

/// The numbers of values that were looked up a short while ago: most are found without hashing.
@safe private final class NumberCache {
    private static let size = 4096
    private let keys = UnsafeMutablePointer<Int64>.allocate(capacity: NumberCache.size)
    private let numbers = UnsafeMutablePointer<Int32>.allocate(capacity: NumberCache.size)
    private var others: [Int64: Int32] = [:]
    private static let none = Int32.min

    init() {
        unsafe keys.initialize(repeating: 0, count: NumberCache.size)
        unsafe numbers.initialize(repeating: NumberCache.none, count: NumberCache.size)
    }

    deinit {
        unsafe keys.deallocate()
        unsafe numbers.deallocate()
    }

    private func slot(_ value: Int64) -> Int {
        Int(truncatingIfNeeded: value) & (NumberCache.size - 1)
    }

    func find(_ value: Int64) -> Int32? {
        let slot = slot(value)
        if unsafe keys[slot] == value, unsafe numbers[slot] != NumberCache.none {
            return unsafe numbers[slot]
        }
        return others.isEmpty ? nil : others[value]
    }

    func keep(_ value: Int64, _ number: Int32) {
        let slot = slot(value)
        if unsafe numbers[slot] == NumberCache.none {
            unsafe (keys[slot], numbers[slot]) = (value, number)
        } else {
            others[value] = number
        }
    }
}
