import WinnowColumns
import WinnowDisk
import WinnowFormat
import WinnowModel
import Synchronization
import WinnowThreads

/// What a check of a whole store came to.
package struct Verification: Sendable {
    package var files = 0
    package var bytes = 0
    package var findings: [(file: String, what: String)] = []
}

extension StoreDirectory {
    /// Checks every byte of the current version: checksums, structures, and everything that is
    /// derived against what it derives from. What is found is listed, not thrown; only a store that
    /// is not there, or cannot be read, throws.
    /// - Parameter progress: told the bytes that were checked and that there are, now and then, on
    ///   any thread.
    package func verify(
        progress: @escaping @Sendable (Int, Int) -> Void, _ cancellation: Cancellation
    ) throws(WinnowError) -> Verification {
        let findings = Findings(cancellation)
        var result = Verification()
        do throws(WinnowError) {
            let snapshot = try StoreVersion(self)
            result.files = 1 + snapshot.manifest.parts.count
            result.bytes = snapshot.manifest.parts.reduce(snapshot.manifest.encoded.count) {
                $0 + Int(clamping: $1.length)
            }
            try StoreCheck(self, snapshot, findings, progress).run()
        } catch {
            guard case .damaged(let file, let what) = error else { throw error }
            findings.add(file, what)
        }
        try findings.throwFailure()
        result.findings = findings.all
        return result
    }
}

/// A check of one version, and what families need for their part of it.
final class StoreCheck: Sendable {
    let snapshot: StoreVersion
    let findings: Findings
    /// The manifest's path, for findings about it.
    let manifest: String
    private let directory: StoreDirectory
    private let progress: @Sendable (Int, Int) -> Void
    private let passed = Atomic(0)

    init(
        _ directory: StoreDirectory, _ snapshot: StoreVersion, _ findings: Findings,
        _ progress: @escaping @Sendable (Int, Int) -> Void
    ) {
        self.directory = directory
        self.snapshot = snapshot
        self.findings = findings
        self.progress = progress
        manifest = directory.path + "/" + snapshot.manifest.fileName
    }

    /// Erased profiles of which nothing may be left; nil when none are, or values of some are left.
    var purged: ErasedRows? { snapshot.erased.flatMap { $0.isPurged ? $0 : nil } }

    /// Says that a part has been looked at once more; each is twice, for its checksums and for what
    /// it holds.
    func pass(_ part: PartReference) {
        let length = Int(clamping: part.length)
        let total = snapshot.manifest.parts.reduce(0) { $0 + 2 * Int(clamping: $1.length) }
        progress(passed.wrappingAdd(length, ordering: .relaxed).newValue, total)
    }

    func run() throws(WinnowError) {
        checkManifest()
        // What cannot be opened, or does not match its checksums, is not looked at any further.
        let references = snapshot.manifest.parts
        let sound = try concurrentMap(references.count) { (i) throws(WinnowError) in
            defer { pass(references[i]) }
            return hasSoundBytes(references[i])
        }
        guard !sound.contains(false) else { return }
        for kind in PartKind.allCases {
            try findings.cancellation.check()
            try kind.family.verify(self)
        }
    }

    private func checkManifest() {
        let ids = snapshot.manifest.parts.map(\.id)
        findings.expect(Set(ids).count == ids.count, manifest, "a part is named twice")
        let forgets =
            snapshot.manifest.parts.contains { $0.horizon > .min }
            || snapshot.erased?.isPurged == false
        findings.expect(
            snapshot.manifest.forgets || !forgets, manifest,
            "something is forgotten that it does not know of")
    }

    private func hasSoundBytes(_ reference: PartReference) -> Bool {
        var sound = true
        findings.check(directory.parts + "/" + reference.fileName) { () throws(WinnowError) in
            sound = false
            let part = try directory.open(reference)
            sound = true
            try part.verifyAll(findings.cancellation) { error in
                sound = false
                findings.check(part.path) { () throws(WinnowError) in throw error }
            }
        }
        return sound
    }
}
