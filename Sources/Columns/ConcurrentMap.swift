import Dispatch
import Model

/// The results of `body(0) … body(n − 1)`, computed on all cores; the first error by number wins.
package func concurrentMap<T: Sendable>(
    _ n: Int, _ body: @Sendable (Int) throws(WinnowError) -> T
) throws(WinnowError) -> [T] {
    let results = UnsafeMutablePointer<Result<T, WinnowError>?>.allocate(capacity: n)
    results.initialize(repeating: nil, count: n)
    defer {
        results.deinitialize(count: n)
        results.deallocate()
    }
    nonisolated(unsafe) let slots = results
    DispatchQueue.concurrentPerform(iterations: n) { i in
        do throws(WinnowError) { slots[i] = .success(try body(i)) } catch { slots[i] = .failure(error) }
    }
    var values: [T] = []
    values.reserveCapacity(n)
    for i in 0..<n { if let result = results[i] { values.append(try result.get()) } }
    return values
}
