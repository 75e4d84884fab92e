#if Server
    import Synchronization

    /// A request and its response, for as long as they take: whether somebody still waits, and until when.
    final class Exchange: Sendable {
        /// Why it ends before its answer.
        enum End { case clientIsGone, isLate }

        private struct State {
            var deadline: ContinuousClock.Instant?
            var ended: End?
            var cancels: [@Sendable () -> Void] = []
        }

        private let state: Mutex<State>
        private let limit: Duration

        /// - Parameter limit: how long it may go without progress.
        init(limit: Duration) {
            self.limit = limit
            state = Mutex(State(deadline: .now + limit))
        }

        var ended: End? { state.withLock(\.ended) }

        /// Somebody moved on: the time begins anew.
        func progress(within time: Duration? = nil) {
            state.withLock { $0.deadline = .now + (time ?? limit) }
        }

        /// From now on this machine is at work for as long as it takes.
        func stopClock() { state.withLock { $0.deadline = nil } }

        /// What ends some of the work, beside what does already; called at once when it is to end already.
        func onEnd(_ cancel: @escaping @Sendable () -> Void) {
            let isEnded = state.withLock { state in
                state.cancels.append(cancel)
                return state.ended != nil
            }
            if isEnded { cancel() }
        }

        func end(_ reason: End) {
            let cancels = state.withLock { state in
                state.ended = state.ended ?? reason
                return state.cancels
            }
            for cancel in cancels { cancel() }
        }

        func endIfLate(_ now: ContinuousClock.Instant) {
            if state.withLock({ $0.ended == nil && $0.deadline.map { $0 < now } ?? false }) {
                end(.isLate)
            }
        }
    }

    /// All exchanges that go on.
    final class Exchanges: Sendable {
        private let open = Mutex<[ObjectIdentifier: Exchange]>([:])

        var count: Int { open.withLock(\.count) }

        func begin(limit: Duration) -> Exchange {
            let exchange = Exchange(limit: limit)
            open.withLock { $0[ObjectIdentifier(exchange)] = exchange }
            return exchange
        }

        func end(_ exchange: Exchange) {
            open.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(exchange)) }
        }

        /// Ends those whose time is over; called now and then.
        func endLate() {
            let now = ContinuousClock.now
            for exchange in open.withLock({ Array($0.values) }) { exchange.endIfLate(now) }
        }
    }
#endif
