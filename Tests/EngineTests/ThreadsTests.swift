import Foundation
import WinnowModel
import Synchronization
import Testing
import WinnowThreads

@Suite("Threads")
struct ThreadsTests {
    @Test("results come in order, and the first error by number wins")
    func order() throws {
        #expect(concurrentMap(1000) { $0 * $0 } == (0..<1000).map { $0 * $0 })
        #expect(concurrentMap(0) { $0 } == [])
        let error = #expect(throws: WinnowError.self) {
            try concurrentMap(1000) { (i) throws(WinnowError) in
                if i % 100 == 37 { throw .usage("\(i)") }
                return i
            }
        }
        #expect(error?.description == "37")
    }

    @Test("calls within calls, and side by side, all come to an end")
    func nesting() {
        let sums = concurrentMap(40) { i in
            concurrentMap(30) { j in concurrentMap(5) { i * $0 + j }.reduce(0, +) }.reduce(0, +)
        }
        #expect(sums == (0..<40).map { i in (0..<30).reduce(0) { $0 + 10 * i + 5 * $1 } })
    }

    @Test("work goes on while the caller does something else, and may be given up")
    func started() {
        #expect(StartedMap(0) { $0 }.values() == [])
        let done = Atomic(0)
        for round in 0..<300 {
            let map = StartedMap(20) { i in
                done.wrappingAdd(1, ordering: .relaxed)
                return round * i
            }
            let other = StartedMap(20) { -$0 }
            if round % 3 > 0 { #expect(map.values() == (0..<20).map { round * $0 }) }
            if round % 2 > 0 { #expect(other.values() == (0..<20).map { -$0 }) }
        }
        #expect(done.load(ordering: .relaxed) >= 4000)
    }

    @Test(
        "work is called on some threads, the caller's among them, and no more often than asked for")
    func calls() {
        for count in [0, 1, 2, 3, 50] {
            let calls = Atomic(0)
            onThreads(count) { calls.wrappingAdd(1, ordering: .relaxed) }
            let made = calls.load(ordering: .relaxed)
            #expect((1...max(1, min(count, availableCores()))).contains(made), "\(count)")
        }
    }

    @Test("more threads than cores work at once where they wait for something else")
    func waiting() {
        let wanted = availableCores() + 4
        let arrived = Atomic(0)
        let met = Atomic(0)
        onThreads(wanted, waiting: true) {
            arrived.wrappingAdd(1, ordering: .relaxed)
            // Only when all are at work at once, everybody sees everybody.
            let end = ContinuousClock.now + .seconds(20)
            while arrived.load(ordering: .relaxed) < wanted, ContinuousClock.now < end {
                usleep(100)
            }
            if arrived.load(ordering: .relaxed) == wanted { met.wrappingAdd(1, ordering: .relaxed) }
        }
        #expect(met.load(ordering: .relaxed) == wanted)
    }
}
