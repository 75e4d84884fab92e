#if Server
    import HTTPTypes
    import Synchronization

    /// How many requests the engine works on at once. Further ones wait a little, then they are refused.
    final class Admission: Sendable {
        private struct Waiting {
            let number: Int
            let since: ContinuousClock.Instant
            let resume: CheckedContinuation<Bool, Never>
        }

        private struct State {
            var running = 0
            var waiting: [Waiting] = []
            var refused = 0
            var next = 0
        }

        private let state = Mutex(State())
        let most: Int
        /// How long a request waits for its turn.
        private static let patience = Duration.seconds(1)
        /// So many wait for each that runs.
        private static let waitingPerPlace = 4

        init(most: Int) { self.most = most }

        var figures: (running: Int, waiting: Int, refused: Int) {
            state.withLock { ($0.running, $0.waiting.count, $0.refused) }
        }

        /// Waits for a turn, which `leave` ends.
        func enter() async throws(Refusal) {
            let isFree = state.withLock { state in
                guard state.running < most else { return false }
                state.running += 1
                return true
            }
            if isFree { return }
            let isAdmitted = await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    if state.running < most {
                        state.running += 1
                        return true
                    }
                    guard state.waiting.count < most * Admission.waitingPerPlace else {
                        state.refused += 1
                        return false
                    }
                    state.next += 1
                    state.waiting.append(
                        Waiting(number: state.next, since: .now, resume: continuation))
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
            guard isAdmitted else {
                throw Refusal(
                    .tooManyRequests, "too_many_requests",
                    "\(most) requests are being answered; try again in a second",
                    [.retryAfter: "1"])
            }
        }

        /// Gives the turn to who waits longest.
        func leave() {
            let next: Waiting? = state.withLock { state in
                if state.waiting.isEmpty {
                    state.running -= 1
                    return nil
                }
                return state.waiting.removeFirst()
            }
            next?.resume.resume(returning: true)
        }

        /// Refuses those that have waited too long; called now and then.
        func refuseImpatient() {
            let now = ContinuousClock.now
            let late = state.withLock { state in
                let late = state.waiting.prefix { $0.since + Admission.patience < now }
                state.waiting.removeFirst(late.count)
                state.refused += late.count
                return Array(late)
            }
            for waiting in late { waiting.resume.resume(returning: false) }
        }
    }
#endif
