import Model
import Synchronization

/// What a check of the whole store found wrong, from many threads. Of one file only the first findings are kept: a file
/// that was overwritten would fill the memory with them.
package final class Findings: Sendable {
    private let found = Mutex<[String: [String]]>([:])
    private static let perFile = 50

    package init() {}

    package var all: [(file: String, what: String)] {
        found.withLock { found in
            found.keys.sorted().flatMap { file in (found[file] ?? []).map { (file, $0) } }
        }
    }

    package func add(_ file: String, _ what: String) {
        found.withLock { found in
            guard found[file, default: []].count < Findings.perFile, found[file]?.contains(what) != true else { return }
            found[file, default: []].append(what)
        }
    }

    package func expect(_ condition: Bool, _ file: String, _ what: @autoclosure () -> String) {
        if !condition { add(file, what()) }
    }

    /// Runs a check; that it cannot be finished is a finding, too.
    package func check(_ file: String, _ body: () throws(WinnowError) -> Void) {
        do throws(WinnowError) { try body() } catch {
            if case .damaged(let named, let what) = error {
                add(named.isEmpty ? file : named, what)
            } else {
                add(file, error.description)
            }
        }
    }
}
