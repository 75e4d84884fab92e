import WinnowBitmaps
import WinnowCKernels
import WinnowModel

/// Where rows go: into a set, or into counters.
protocol CountSink {
    /// Whether it does not matter how often a row comes.
    var unites: Bool { get }
    /// Whether events must come one by one, with what pairs them.
    var wantsKeys: Bool { get }
    /// Whether events must come one by one, with their times.
    var wantsTimes: Bool { get }
    /// Whether only events with a value are wanted, each with its value in place of the time.
    var wantsValues: Bool { get }
    /// What comes next adds at most so much to a row.
    func expect(_ maximum: UInt64)
    func add(_ container: Container)
    func add(_ set: BlockSet, by: UInt64)
    func add(_ rows: UnsafePointer<UInt16>, by: UnsafePointer<UInt32>?, _ n: Int)
    func add(
        _ rows: UnsafePointer<UInt16>, keys: UnsafePointer<UInt32>, by: UnsafePointer<UInt32>,
        _ n: Int)
    func add(
        _ rows: UnsafePointer<UInt16>, keys: UnsafePointer<UInt32>, by: UnsafePointer<UInt32>,
        at: UnsafePointer<Int64>, _ n: Int)
}

extension CountSink {
    var wantsKeys: Bool { false }
    var wantsTimes: Bool { false }
    var wantsValues: Bool { false }
    func expect(_ maximum: UInt64) {}
    func add(
        _ rows: UnsafePointer<UInt16>, keys: UnsafePointer<UInt32>, by: UnsafePointer<UInt32>,
        _ n: Int
    ) {
        unsafe add(rows, by: by, n)
    }
    func add(
        _ rows: UnsafePointer<UInt16>, keys: UnsafePointer<UInt32>, by: UnsafePointer<UInt32>,
        at: UnsafePointer<Int64>, _ n: Int
    ) {
        unsafe add(rows, keys: keys, by: by, n)
    }
}

/// Hands every event on with its time, and with its key where that is wanted.
@safe struct TimeSink: CountSink {
    /// Rows, keys, counts and times of some events.
    typealias Body = (
        UnsafePointer<UInt16>, UnsafePointer<UInt32>, UnsafePointer<UInt32>, UnsafePointer<Int64>,
        Int
    ) -> Void

    let wantsKeys: Bool
    let body: Body
    var unites: Bool { false }
    var wantsTimes: Bool { true }
    func add(
        _ rows: UnsafePointer<UInt16>, keys: UnsafePointer<UInt32>, by: UnsafePointer<UInt32>,
        at: UnsafePointer<Int64>, _ n: Int
    ) {
        unsafe body(rows, keys, by, at, n)
    }
    // Events come with times, so none of these is asked for.
    func add(_ container: Container) {}
    func add(_ set: BlockSet, by: UInt64) {}
    func add(_ rows: UnsafePointer<UInt16>, by: UnsafePointer<UInt32>?, _ n: Int) {}
}

/// Hands every value on.
@safe struct ValueSink: CountSink {
    /// Rows and values of some events.
    typealias Body = (UnsafePointer<UInt16>, UnsafePointer<Int64>, Int) -> Void

    let body: Body
    var unites: Bool { false }
    var wantsTimes: Bool { true }
    var wantsValues: Bool { true }
    func add(
        _ rows: UnsafePointer<UInt16>, keys: UnsafePointer<UInt32>, by: UnsafePointer<UInt32>,
        at: UnsafePointer<Int64>, _ n: Int
    ) {
        unsafe body(rows, at, n)
    }
    // Events come with values, so none of these is asked for.
    func add(_ container: Container) {}
    func add(_ set: BlockSet, by: UInt64) {}
    func add(_ rows: UnsafePointer<UInt16>, by: UnsafePointer<UInt32>?, _ n: Int) {}
}

/// Hands every event on.
@safe struct KeySink: CountSink {
    let body: (UnsafePointer<UInt16>, UnsafePointer<UInt32>, UnsafePointer<UInt32>, Int) -> Void
    var unites: Bool { false }
    var wantsKeys: Bool { true }
    func add(
        _ rows: UnsafePointer<UInt16>, keys: UnsafePointer<UInt32>, by: UnsafePointer<UInt32>,
        _ n: Int
    ) {
        unsafe body(rows, keys, by, n)
    }
    // Events come with keys, so none of these is asked for.
    func add(_ container: Container) {}
    func add(_ set: BlockSet, by: UInt64) {}
    func add(_ rows: UnsafePointer<UInt16>, by: UnsafePointer<UInt32>?, _ n: Int) {}
}

struct UnionSink: CountSink {
    let set: BlockSet
    var unites: Bool { true }
    func add(_ container: Container) { container.union(into: set) }
    func add(_ set: BlockSet, by: UInt64) { self.set.formUnion(set) }
    func add(_ rows: UnsafePointer<UInt16>, by: UnsafePointer<UInt32>?, _ n: Int) {
        unsafe kernels.set_rows(set.bits, rows, n)
    }
}

/// Counters of one byte. Before a run that could take one past 255, all are cut down to a cap above
/// which counts make no difference: a pass over the counters costs less than looking, at every
/// event, whether its counter is full.
@safe final class NarrowSink: CountSink {
    private let counters: UnsafeMutablePointer<UInt8>
    private let cap: UInt8
    private let fits: Bool
    /// What a counter may have reached.
    private var reached: UInt64 = 0
    /// Whether the run at hand alone may pass 255.
    private var saturates = false
    /// How often counters were cut down.
    private(set) var cuts = 0

    /// Counters are zero. Above `cap` counts make no difference, and none is greater than `bound`.
    init(_ counters: UnsafeMutablePointer<UInt8>, cap: UInt8, bound: UInt64) {
        unsafe self.counters = unsafe counters
        self.cap = cap
        fits = bound <= 255
    }

    var unites: Bool { false }

    func expect(_ maximum: UInt64) {
        if fits { return }
        if reached + min(maximum, 255) > 255 {
            unsafe kernels.cap_counters(counters, cap, Block.rows)
            reached = UInt64(cap)
            cuts += 1
        }
        saturates = reached + min(maximum, 255) > 255 || maximum > 255
        reached = min(255, reached + min(maximum, 255))
    }

    func add(_ container: Container) {
        if let words = unsafe container.words {
            unsafe kernels.count_bitset(counters, words, Block.words, 1)
        } else if let array = unsafe container.array {
            unsafe add(array, by: nil, container.count)
        } else {
            for row in 0..<container.count where unsafe counters[row] < 255 {
                unsafe counters[row] += 1
            }
        }
    }
    func add(_ rows: UnsafePointer<UInt16>, by: UnsafePointer<UInt32>?, _ n: Int) {
        if saturates { return unsafe kernels.count_rows_saturating(counters, rows, by, n) }
        if let by = unsafe by {
            unsafe kernels.count_rows_by(counters, rows, by, n)
        } else {
            unsafe kernels.count_rows(counters, rows, n)
        }
    }
    func add(_ set: BlockSet, by: UInt64) {
        unsafe kernels.count_bitset(counters, set.bits, Block.words, UInt8(clamping: by))
    }
}

/// Counters of one byte where few events are in scope: only the rows that come are cleared and
/// looked at.
@safe final class FewSink: CountSink {
    private let counters: UnsafeMutablePointer<UInt8>
    private let rows: UnsafeMutablePointer<UInt16>
    private var count = 0

    /// Counters are zero; there is room for the rows of all events that come.
    init(_ counters: UnsafeMutablePointer<UInt8>, rows: UnsafeMutablePointer<UInt16>) {
        unsafe self.counters = unsafe counters
        unsafe self.rows = unsafe rows
    }

    var unites: Bool { false }

    func add(_ container: Container) {
        unsafe container.rows(into: rows + count)
        unsafe kernels.count_rows_saturating(counters, rows + count, nil, container.count)
        count += container.count
    }
    func add(_ more: UnsafePointer<UInt16>, by: UnsafePointer<UInt32>?, _ n: Int) {
        unsafe (rows + count).update(from: more, count: n)
        unsafe kernels.count_rows_saturating(counters, rows + count, by, n)
        count += n
    }
    // Stored counts come from blocks with many events.
    func add(_ set: BlockSet, by: UInt64) {}

    /// Makes `out` the rows whose counter is between two bounds.
    func select(_ lower: UInt8, _ upper: UInt8, into out: BlockSet) {
        out.clear()
        for i in 0..<count where unsafe (lower...upper).contains(counters[Int(rows[i])]) {
            unsafe out.insert(Int(rows[i]))
        }
    }

    /// Leaves the rows whose counter is between two bounds, the lower above zero, each once, in the
    /// room for rows, and the counters zero; returns how many.
    func drain(_ bounds: ClosedRange<UInt8>) -> Int {
        var met = 0
        for i in 0..<count {
            let row = unsafe rows[i]
            let counted = unsafe counters[Int(row)]
            unsafe counters[Int(row)] = 0
            guard bounds.contains(counted) else { continue }
            unsafe rows[met] = row
            met += 1
        }
        return met
    }

    /// Leaves the counters zero.
    func clear() { for i in 0..<count { unsafe counters[Int(rows[i])] = 0 } }
}

@safe struct WideSink: CountSink {
    let counters: UnsafeMutablePointer<UInt64>
    /// Room for the rows of a block.
    let rows: UnsafeMutablePointer<UInt16>
    var unites: Bool { false }
    func add(_ container: Container) {
        unsafe container.rows(into: rows)
        unsafe kernels.count_rows_wide(counters, rows, nil, container.count)
    }
    func add(_ rows: UnsafePointer<UInt16>, by: UnsafePointer<UInt32>?, _ n: Int) {
        unsafe kernels.count_rows_wide(counters, rows, by, n)
    }
    func add(_ set: BlockSet, by: UInt64) {
        let n = unsafe kernels.rows_of(set.bits, Block.words, rows, Block.rows)
        for i in 0..<n { unsafe counters[Int(rows[i])] &+= by }
    }
}

extension UInt64 {
    func saturatingAdd(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
