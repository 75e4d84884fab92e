import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Lets short work go before long, where more is to be done than there are cores.
///
/// Method: work that has just begun runs at once. What takes longer goes on in turns, in the order in
/// which it asks: as many at a time as there are cores, one fewer while something fresh runs. Work asks
/// now and then, between two blocks of profiles, and waits there. What holds something that others need
/// could keep all of them waiting; so nobody waits for longer than two seconds.
@safe package final class Turns: @unchecked Sendable {
    /// How long work is fresh, and how long a turn is, in nanoseconds.
    private static let fresh: UInt64 = 25_000_000
    private static let length: UInt64 = 10_000_000

    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let most: Int
    // All that follows is guarded by the lock.
    private var freshOnes = 0
    private var running = 0
    private var waiting: [Turn] = []

    /// - Parameter most: how many run at a time.
    package init(most: Int = availableCores()) {
        self.most = most
        unsafe pthread_mutex_init(lock, nil)
    }

    deinit {
        unsafe pthread_mutex_destroy(lock)
        unsafe lock.deallocate()
    }

    /// Begins some work, which `Turn.end` ends.
    /// - Returns: its turn, and how many others are at work or wait.
    package func begin() -> (turn: Turn, others: Int) {
        let turn = Turn(of: self, until: Turns.now() &+ Turns.fresh)
        let others = locked {
            freshOnes += 1
            return freshOnes - 1 + running + waiting.count
        }
        return (turn, others)
    }

    private func locked<T>(_ body: () -> T) -> T {
        unsafe pthread_mutex_lock(lock)
        defer { unsafe pthread_mutex_unlock(lock) }
        return body()
    }

    fileprivate static func now() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    /// Waits until the work may go on.
    fileprivate func ask(_ turn: Turn) {
        locked {
            switch turn.state {
            case .fresh, .away: queue(turn)
            case .running where !waiting.isEmpty || running > allowed: queue(turn)
            case .running: turn.until.store(Turns.now() &+ Turns.length, ordering: .relaxed)
            case .waiting, .ended: break
            }
            admit()
            var end = timespec()
            unsafe clock_gettime(CLOCK_REALTIME, &end)
            end.tv_sec += 2
            while turn.state == .waiting {
                let result = unsafe pthread_cond_timedwait(turn.changed, lock, &end)
                if result == ETIMEDOUT, turn.state == .waiting { run(turn) }
            }
        }
    }

    /// Takes the turn away, for good or until the work asks again.
    fileprivate func leave(_ turn: Turn, as state: Turn.State) {
        locked {
            if turn.state == .ended { return }
            take(turn)
            turn.state = state
            turn.until.store(state == .ended ? .max : 0, ordering: .relaxed)
            unsafe pthread_cond_broadcast(turn.changed)
            admit()
        }
    }

    // MARK: With the lock

    private var allowed: Int { freshOnes > 0 ? max(1, most - 1) : most }

    private func admit() {
        while running < allowed, let next = waiting.first { run(next) }
    }

    private func run(_ turn: Turn) {
        take(turn)
        turn.state = .running
        turn.until.store(Turns.now() &+ Turns.length, ordering: .relaxed)
        running += 1
        unsafe pthread_cond_broadcast(turn.changed)
    }

    private func queue(_ turn: Turn) {
        take(turn)
        turn.state = .waiting
        waiting.append(turn)
    }

    private func take(_ turn: Turn) {
        switch turn.state {
        case .fresh: freshOnes -= 1
        case .running: running -= 1
        case .waiting: waiting.removeAll { $0 === turn }
        case .away, .ended: break
        }
    }
}

/// Some work that takes turns with others.
@safe package final class Turn: @unchecked Sendable {
    fileprivate enum State { case fresh, running, waiting, away, ended }

    private let turns: Turns
    /// Guarded by the lock of `turns`.
    fileprivate var state = State.fresh
    /// When it has to ask again.
    fileprivate let until: Atomic<UInt64>
    fileprivate let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    fileprivate init(of turns: Turns, until: UInt64) {
        self.turns = turns
        self.until = Atomic(until)
        unsafe pthread_cond_init(changed, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(changed)
        unsafe changed.deallocate()
    }

    /// Waits while others are to go first; called often, by all threads of the work.
    package func giveWay() {
        if Turns.now() >= until.load(ordering: .relaxed) { turns.ask(self) }
    }

    /// Lets others go on while the work waits for something that is no core.
    package func step<T, E: Error>(aside body: () throws(E) -> T) throws(E) -> T {
        turns.leave(self, as: .away)
        return try body()
    }

    /// The work is done, or is to end soon: it waits no more.
    package func end() { turns.leave(self, as: .ended) }
}
