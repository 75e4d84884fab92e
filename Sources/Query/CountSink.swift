import Bitmaps
import CKernels
import Model

/// Where rows go: into a set, or into counters.
protocol CountSink {
    /// Whether it does not matter how often a row comes.
    var unites: Bool { get }
    /// Whether events must come one by one, with what pairs them.
    var wantsKeys: Bool { get }
    func add(_ container: Container)
    func add(_ set: BlockSet, by: UInt64)
    func add(_ rows: UnsafePointer<UInt16>, by: UnsafePointer<UInt32>?, _ n: Int)
    func add(_ rows: UnsafePointer<UInt16>, keys: UnsafePointer<UInt32>, by: UnsafePointer<UInt32>, _ n: Int)
}

extension CountSink {
    var wantsKeys: Bool { false }
    func add(_ rows: UnsafePointer<UInt16>, keys: UnsafePointer<UInt32>, by: UnsafePointer<UInt32>, _ n: Int) {
        add(rows, by: by, n)
    }
}

/// Hands every event on.
struct KeySink: CountSink {
    let body: (UnsafePointer<UInt16>, UnsafePointer<UInt32>, UnsafePointer<UInt32>, Int) -> Void
    var unites: Bool { false }
    var wantsKeys: Bool { true }
    func add(_ rows: UnsafePointer<UInt16>, keys: UnsafePointer<UInt32>, by: UnsafePointer<UInt32>, _ n: Int) {
        body(rows, keys, by, n)
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
        kernels.set_rows(set.bits, rows, n)
    }
}

struct NarrowSink: CountSink {
    let counters: UnsafeMutablePointer<UInt8>
    /// Whether counters may have to stop at 255.
    let saturates: Bool
    var unites: Bool { false }
    func add(_ container: Container) {
        if let words = container.words {
            kernels.count_bitset(counters, words, Block.words, 1)
        } else if let array = container.array {
            add(array, by: nil, container.count)
        } else {
            for row in 0..<container.count where counters[row] < 255 { counters[row] += 1 }
        }
    }
    func add(_ rows: UnsafePointer<UInt16>, by: UnsafePointer<UInt32>?, _ n: Int) {
        if saturates { return kernels.count_rows_saturating(counters, rows, by, n) }
        if let by { kernels.count_rows_by(counters, rows, by, n) } else { kernels.count_rows(counters, rows, n) }
    }
    func add(_ set: BlockSet, by: UInt64) {
        kernels.count_bitset(counters, set.bits, Block.words, UInt8(clamping: by))
    }
}

struct WideSink: CountSink {
    let counters: UnsafeMutablePointer<UInt64>
    /// Room for the rows of a block.
    let rows: UnsafeMutablePointer<UInt16>
    var unites: Bool { false }
    func add(_ container: Container) {
        container.rows(into: rows)
        kernels.count_rows_wide(counters, rows, nil, container.count)
    }
    func add(_ rows: UnsafePointer<UInt16>, by: UnsafePointer<UInt32>?, _ n: Int) {
        kernels.count_rows_wide(counters, rows, by, n)
    }
    func add(_ set: BlockSet, by: UInt64) {
        let n = kernels.rows_of(set.bits, Block.words, rows)
        for i in 0..<n { counters[Int(rows[i])] &+= by }
    }
}

extension UInt64 {
    func saturatingAdd(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
