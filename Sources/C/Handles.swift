import Synchronization
import Winnow
import WinnowThreads

/// What C holds. To C it is a pointer, here a number that is given once: one that has ended, or never was,
/// is told from one that is.
final class Handles: Sendable {
    static let all = Handles()
    private let table = Mutex<(last: UInt, values: [UInt: any Handle])>((0, [:]))

    func add(_ value: any Handle) -> OpaquePointer? {
        unsafe table.withLock { table in
            // Aligned as pointers are, for those who look.
            table.last &+= 16
            table.values[table.last] = value
            return unsafe OpaquePointer(bitPattern: table.last)
        }
    }

    /// - Throws: `usage` for a handle that is none, or of another kind.
    func value<Value: Handle>(_ handle: OpaquePointer?, _: Value.Type) throws(WinnowError) -> Value
    {
        guard let found = unsafe any(handle) as? Value else {
            throw unsafe misuse(handle, Value.name)
        }
        return found
    }

    /// What a handle of any kind stands for; nil when there is nothing.
    func any(_ handle: OpaquePointer?) -> (any Handle)? {
        guard let handle = unsafe handle else { return nil }
        return table.withLock { $0.values[UInt(bitPattern: handle)] }
    }

    /// Ends a handle. What it stands for lives until no call uses it any more.
    func end<Value: Handle>(_ handle: OpaquePointer?, _ type: Value.Type) throws(WinnowError) {
        _ = try unsafe value(handle, type)
        // The last use may be the value's end, which is not to happen with the table locked.
        let ended = table.withLock { $0.values.removeValue(forKey: UInt(bitPattern: handle)) }
        guard ended != nil else { throw unsafe misuse(handle, Value.name) }
    }

    private func misuse(_ handle: OpaquePointer?, _ name: String) -> WinnowError {
        .usage(
            unsafe handle == nil ? "\(name) is NULL" : "this is no \(name), or one that has ended")
    }
}

/// Something that C can hold.
protocol Handle: Sendable {
    /// What C calls it.
    static var name: String { get }
}

extension Store: Handle {
    static var name: String { "store" }
}

/// A version of a store. A child of the process that opened it opens it again for itself: the locks that
/// hold the files belong to the parent.
final class SnapshotHandle: Handle {
    static let name = "snapshot"
    let store: Store
    private let state: Mutex<(snapshot: Snapshot, process: Int)>

    init(_ store: Store) throws(WinnowError) {
        self.store = store
        state = Mutex((try store.snapshot(), Forks.count))
    }

    /// - Throws: `notFound` in a child when the version is no more.
    func snapshot() throws(WinnowError) -> Snapshot {
        let (snapshot, process) = state.withLock { $0 }
        if process == Forks.count { return snapshot }
        let own = try store.snapshot(version: snapshot.version)
        return state.withLock { state in
            if state.process != Forks.count { state = (own, Forks.count) }
            return state.snapshot
        }
    }
}

/// A segment bound to a version, by each process for itself.
final class PreparedHandle: Handle {
    static let name = "prepared segment"
    private let snapshot: SnapshotHandle
    private let rule: WrittenRule
    private let options: EvaluationOptions
    private let state: Mutex<(prepared: PreparedSegment, process: Int)>

    init(
        _ snapshot: SnapshotHandle, _ rule: WrittenRule, _ options: EvaluationOptions
    ) throws(WinnowError) {
        let process = Forks.count
        let prepared = try PreparedHandle.prepare(rule, try snapshot.snapshot(), options)
        self.snapshot = snapshot
        self.rule = rule
        var options = options
        options.asOf = prepared.asOf
        self.options = options
        state = Mutex((prepared, process))
    }

    private static func prepare(
        _ rule: WrittenRule, _ snapshot: Snapshot, _ options: EvaluationOptions
    ) throws(WinnowError) -> PreparedSegment {
        do throws(WinnowError) { return try snapshot.prepare(rule.segment, options) } catch {
            throw rule.located(error)
        }
    }

    func prepared() throws(WinnowError) -> PreparedSegment {
        let (prepared, process) = state.withLock { $0 }
        if process == Forks.count { return prepared }
        let own = try PreparedHandle.prepare(rule, try snapshot.snapshot(), options)
        return state.withLock { state in
            if state.process != Forks.count { state = (own, Forks.count) }
            return state.prepared
        }
    }
}
