import Dispatch
import Model

/// The results of `body(0) … body(n − 1)`, computed on all cores; the first error by number wins.
package func concurrentMap<T: Sendable>(
    _ n: Int, _ body: @Sendable (Int) throws(WinnowError) -> T
) throws(WinnowError) -> [T] {
    let results = UnsafeMutablePointer<Result<T, WinnowError>?>.allocate(capacity: n)
    unsafe results.initialize(repeating: nil, count: n)
    defer {
        unsafe results.deinitialize(count: n)
        unsafe results.deallocate()
    }
    nonisolated(unsafe) let slots = unsafe results
    DispatchQueue.concurrentPerform(iterations: n) { i in
        do throws(WinnowError) { unsafe slots[i] = .success(try body(i)) } catch { unsafe slots[i] = .failure(error) }
    }
    var values: [T] = []
    values.reserveCapacity(n)
    for i in 0..<n { if let result = unsafe results[i] { values.append(try result.get()) } }
    return values
}

/// Values that are being computed on all cores while the caller goes on.
@safe package final class StartedMap<T: Sendable>: @unchecked Sendable {
    private let group = DispatchGroup()
    private let slots: UnsafeMutablePointer<T?>
    private let count: Int

    /// Starts `body(0) … body(n − 1)`.
    package init(_ n: Int, _ body: @escaping @Sendable (Int) -> T) {
        count = n
        unsafe slots = .allocate(capacity: n)
        unsafe slots.initialize(repeating: nil, count: n)
        for i in 0..<n { DispatchQueue.global().async(group: group) { unsafe self.slots[i] = body(i) } }
    }

    /// Waits for all of them.
    package func values() -> [T] {
        group.wait()
        return (0..<count).compactMap { unsafe slots[$0] }
    }

    deinit {
        unsafe slots.deinitialize(count: count)
        unsafe slots.deallocate()
    }
}
