import Synchronization
import WinnowModel
import WinnowQuery
import WinnowThreads

/// The same methods for async functions: they run on the engine's threads, so neither the caller's
/// actor nor a thread of the concurrency pool is held, and end with `cancelled` soon after the task
/// is cancelled.
public struct AsyncSnapshot: Sendable {
    let snapshot: Snapshot

    /// Counts the profiles of a segment, exactly. See `Snapshot.count`.
    public func count(
        _ segment: Segment, asOf: Instant? = nil, in timezone: String? = nil
    ) async throws(WinnowError) -> SegmentCount {
        try await count(segment, EvaluationOptions(asOf: asOf, timezone: timezone))
    }

    /// Counts the profiles of a segment, exactly.
    public func count(_ segment: Segment, _ options: EvaluationOptions) async throws(WinnowError)
        -> SegmentCount
    {
        try await count([segment], options)[0]
    }

    /// Counts several segments together.
    public func count(
        _ segments: [Segment], _ options: EvaluationOptions = EvaluationOptions()
    ) async throws(WinnowError) -> [SegmentCount] {
        let snapshot = snapshot
        return try await onEngine(leaving: true) { (cancellation) throws(WinnowError) in
            try snapshot.evaluate(segments, options, cancellation).counts
        }
    }

    /// The external ids of a segment's profiles. See `Snapshot.ids`.
    public func ids(
        of segment: Segment, asOf: Instant? = nil, in timezone: String? = nil
    ) async throws(WinnowError) -> ProfileIDs {
        try await ids(of: segment, EvaluationOptions(asOf: asOf, timezone: timezone))
    }

    /// The external ids of a segment's profiles.
    public func ids(of segment: Segment, _ options: EvaluationOptions) async throws(WinnowError)
        -> ProfileIDs
    {
        let snapshot = snapshot
        return try await onEngine(leaving: true) { (cancellation) throws(WinnowError) in
            try snapshot.ids(of: segment, options, cancellation)
        }
    }

    /// Binds a segment once. See `Snapshot.prepare`.
    public func prepare(
        _ segment: Segment, asOf: Instant? = nil, in timezone: String? = nil
    ) async throws(WinnowError) -> PreparedSegment {
        let snapshot = snapshot
        let options = EvaluationOptions(asOf: asOf, timezone: timezone)
        return try await onEngine(leaving: true) { (_) throws(WinnowError) in
            try snapshot.prepare(segment, options)
        }
    }
}

/// A store's methods for async functions.
public struct AsyncStore: Sendable {
    let store: Store

    /// The version of the store that is current now. See `Store.snapshot`.
    public func snapshot() async throws(WinnowError) -> Snapshot {
        let store = store
        return try await onEngine(leaving: true) { (_) throws(WinnowError) in try store.snapshot() }
    }

    /// Loads rows as one batch. See `Store.load`.
    @discardableResult
    public func load(
        _ kind: LoadKind, from source: LoadSource, options: LoadOptions = LoadOptions()
    ) async throws(WinnowError) -> LoadSummary {
        let store = store
        return try await onEngine { (cancellation) throws(WinnowError) in
            var own = options
            own.isCancelled = { options.isCancelled() || cancellation.isRequested }
            return try store.load(kind, from: source, options: own)
        }
    }

    /// Merges all parts of each kind into one. See `Store.compact`.
    @discardableResult
    public func compact(memory: Int = LoadOptions().memory) async throws(WinnowError) -> Int {
        let store = store
        return try await onEngine { (cancellation) throws(WinnowError) in
            try store.compact(memory: memory, cancellation)
        }
    }
}

extension Snapshot {
    /// The same methods for async functions.
    public var async: AsyncSnapshot { AsyncSnapshot(snapshot: self) }
}

extension Store {
    /// The same methods for async functions.
    public var async: AsyncStore { AsyncStore(store: self) }
}

/// Runs work on one of the engine's threads. A task that is cancelled before its work has begun
/// ends at once.
/// - Parameter leaving: whether it also does when the work goes on for a moment: for what only
///   reads.
private func onEngine<T: Sendable>(
    leaving: Bool = false,
    _ work: @escaping @Sendable (Cancellation) throws(WinnowError) -> T
) async throws(WinnowError) -> T {
    let call = EngineCall<T>(leaving: leaving)
    let result = await withTaskCancellationHandler {
        await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<T, WinnowError>, Never>) in
            guard call.wait(continuation) else { return }
            inBackground {
                guard call.begin() else { return }
                do throws(WinnowError) { call.finish(.success(try work(call.cancellation))) } catch
                {
                    call.finish(.failure(error))
                }
            }
        }
    } onCancel: {
        call.cancel()
    }
    return try result.get()
}

/// One call that waits for its turn, runs, or is done.
private final class EngineCall<T: Sendable>: Sendable {
    let cancellation = Cancellation()
    private let leaving: Bool
    private let state = Mutex(State())

    init(leaving: Bool) { self.leaving = leaving }

    private struct State {
        var continuation: CheckedContinuation<Result<T, WinnowError>, Never>?
        var hasBegun = false
        var isCancelled = false
    }

    /// Takes what is to be resumed; false when the call is over before it began.
    func wait(_ continuation: CheckedContinuation<Result<T, WinnowError>, Never>) -> Bool {
        let isCancelled = state.withLock { state in
            if !state.isCancelled { state.continuation = continuation }
            return state.isCancelled
        }
        if isCancelled { continuation.resume(returning: .failure(.cancelled)) }
        return !isCancelled
    }

    /// Whether the work is still wanted.
    func begin() -> Bool {
        state.withLock { state in
            state.hasBegun = !state.isCancelled
            return state.hasBegun
        }
    }

    func finish(_ result: Result<T, WinnowError>) {
        let continuation = state.withLock { state in
            defer { state.continuation = nil }
            return state.continuation
        }
        continuation?.resume(returning: result)
    }

    func cancel() {
        cancellation.request()
        let waits = state.withLock { state in
            state.isCancelled = true
            return !state.hasBegun
        }
        if waits || leaving { finish(.failure(.cancelled)) }
    }
}
