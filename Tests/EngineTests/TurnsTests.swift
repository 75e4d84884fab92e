import Synchronization
import Testing
import WinnowModel
import WinnowThreads

/// Short work goes before long, and nobody waits for ever.
@Suite("Turns") struct TurnsTests {
    /// Asks every fifth of a millisecond, for some of its own time.
    private static func work(_ turn: Turn, milliseconds: Int) {
        let clock = ContinuousClock()
        var done = Duration.zero
        while done < .milliseconds(milliseconds) {
            turn.giveWay()
            let start = clock.now
            while clock.now - start < .microseconds(200) {}
            done += clock.now - start
        }
    }

    @Test("long work goes on one after the other, and ends")
    func long() {
        let turns = Turns(most: 1)
        let running = Atomic(0)
        let most = Atomic(0)
        onThreads(4) {
            let (turn, _) = turns.begin()
            // Past its first time it asks for a turn before each step.
            TurnsTests.work(turn, milliseconds: 40)
            turn.giveWay()
            let now = running.wrappingAdd(1, ordering: .relaxed).newValue
            most.max(now, ordering: .relaxed)
            running.wrappingSubtract(1, ordering: .relaxed)
            turn.end()
        }
        #expect(turns.begin().others == 0)
        let atOnce = most.load(ordering: .relaxed)
        #expect(atOnce == 1)
    }

    @Test("what has just begun does not wait for what goes on")
    func short() {
        let turns = Turns(most: 1)
        let (long, _) = turns.begin()
        TurnsTests.work(long, milliseconds: 30)
        long.giveWay()
        let (fresh, others) = turns.begin()
        #expect(others == 1)
        // Would wait for ever if it were not let go: nobody else gives the turn back.
        fresh.giveWay()
        fresh.end()
        long.end()
        #expect(turns.begin().others == 0)
    }

    @Test("who waits goes on when the others end, step aside, or hold the turn for too long")
    func waiting() {
        for release in [{ (turn: Turn) in turn.end() }, { $0.step {} }, { _ in }] {
            let turns = Turns(most: 1)
            let (first, _) = turns.begin()
            TurnsTests.work(first, milliseconds: 30)
            first.giveWay()
            let (second, _) = turns.begin()
            TurnsTests.work(second, milliseconds: 26)
            let isThrough = Atomic(false)
            let thread = StartedMap(1) { _ in
                second.giveWay()
                isThrough.store(true, ordering: .sequentiallyConsistent)
            }
            release(first)
            _ = thread.values()
            let isDone = isThrough.load(ordering: .sequentiallyConsistent)
            #expect(isDone)
            first.end()
            second.end()
            first.giveWay()
            #expect(turns.begin().others == 0)
        }
    }

    @Test("work in a task asks its turn whenever it asks whether to end")
    func cancellation() {
        final class Counted: GivingWay {
            let calls = Atomic(0)
            func giveWay() { calls.wrappingAdd(1, ordering: .relaxed) }
        }
        let counted = Counted()
        let inside = Cancellation.$others.withValue(counted) { Cancellation() }
        for _ in 0..<2 { _ = inside.isRequested }
        _ = Cancellation().isRequested
        let calls = counted.calls.load(ordering: .relaxed)
        #expect(calls == 2)
    }
}
