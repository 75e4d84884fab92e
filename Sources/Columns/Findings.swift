import WinnowModel
import Synchronization

/// What a check of the whole store found wrong, from many threads. Of one file only the first
/// findings are kept: a file that was overwritten would fill the memory with them.
package final class Findings: Sendable {
    private let found = Mutex<[String: [String]]>([:])
    /// The first error that is no finding: something could not be read, or nobody wants to know
    /// any more.
    private let failure = Mutex<WinnowError?>(nil)
    private static let perFile = 50

    package let cancellation: Cancellation

    package init(_ cancellation: Cancellation = Cancellation()) { self.cancellation = cancellation }

    package var all: [(file: String, what: String)] {
        found.withLock { found in
            found.keys.sorted().flatMap { file in (found[file] ?? []).map { (file, $0) } }
        }
    }

    /// Throws what kept checks from being made.
    package func throwFailure() throws(WinnowError) {
        if let error = failure.withLock({ $0 }) { throw error }
    }

    package func add(_ file: String, _ what: String) {
        found.withLock { found in
            guard found[file, default: []].count < Findings.perFile,
                found[file]?.contains(what) != true
            else { return }
            found[file, default: []].append(what)
        }
    }

    package func expect(_ condition: Bool, _ file: String, _ what: @autoclosure () -> String) {
        if !condition { add(file, what()) }
    }

    /// Runs a check; that damage keeps it from being finished is a finding, too.
    package func check(_ file: String, _ body: () throws(WinnowError) -> Void) {
        do throws(WinnowError) {
            try cancellation.check()
            try body()
        } catch {
            switch error {
            case .damaged(let named, let what): add(named.isEmpty ? file : named, what)
            case .io, .cancelled: failure.withLock { $0 = $0 ?? error }
            default: add(file, error.description)
            }
        }
    }
}
