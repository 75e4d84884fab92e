#if Server
    import Dispatch
    import Synchronization

    /// Hands values, one at a time, from a task to a thread that may block, or the other way.
    final class Handoff<Value: Sendable>: Sendable {
        private struct State {
            var value: Value?
            var isEnded = false
            /// Tells who waits for the other side that something has changed.
            var wake: (@Sendable () -> Void)?
        }

        private let state = Mutex(State())

        /// No more values come, or are wanted. What was put and not taken can still be taken.
        func end() {
            let wake = state.withLock { state in
                state.isEnded = true
                defer { state.wake = nil }
                return state.wake
            }
            wake?()
        }

        /// Puts a value when there is room; nil when there is none, and `wake` is called once it is worth
        /// trying again.
        private func tryPut(_ value: Value, _ wake: @escaping @Sendable () -> Void) -> Bool? {
            var isPut: Bool?
            let other = state.withLock { state -> (@Sendable () -> Void)? in
                if state.isEnded {
                    isPut = false
                    return nil
                }
                guard state.value == nil else {
                    state.wake = wake
                    return nil
                }
                state.value = value
                isPut = true
                defer { state.wake = nil }
                return state.wake
            }
            other?()
            return isPut
        }

        private enum Taken { case value(Value), end }

        private func tryTake(_ wake: @escaping @Sendable () -> Void) -> Taken? {
            var taken: Taken?
            let other = state.withLock { state -> (@Sendable () -> Void)? in
                guard let value = state.value else {
                    if state.isEnded { taken = .end } else { state.wake = wake }
                    return nil
                }
                taken = .value(value)
                state.value = nil
                defer { state.wake = nil }
                return state.wake
            }
            other?()
            return taken
        }

        /// Puts a value, once the one before is taken; false when no more are wanted.
        func put(_ value: Value) async -> Bool {
            while true {
                var isPut: Bool?
                await withCheckedContinuation { continuation in
                    isPut = tryPut(value) { continuation.resume() }
                    if isPut != nil { continuation.resume() }
                }
                if let isPut { return isPut }
            }
        }

        /// The same, on a thread that may block.
        func putBlocking(_ value: Value) -> Bool {
            let changed = DispatchSemaphore(value: 0)
            while true {
                if let isPut = tryPut(value, { changed.signal() }) { return isPut }
                changed.wait()
            }
        }

        /// The next value; nil at the end.
        func take() async -> Value? {
            while true {
                var taken: Taken?
                await withCheckedContinuation { continuation in
                    taken = tryTake { continuation.resume() }
                    if taken != nil { continuation.resume() }
                }
                switch taken {
                case .value(let value): return value
                case .end: return nil
                case nil: continue
                }
            }
        }

        /// The same, on a thread that may block.
        func takeBlocking() -> Value? {
            let changed = DispatchSemaphore(value: 0)
            while true {
                switch tryTake({ changed.signal() }) {
                case .value(let value): return value
                case .end: return nil
                case nil: changed.wait()
                }
            }
        }
    }
#endif
