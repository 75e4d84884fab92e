import Columns
import Disk
import Format
import Model
import Synchronization
import Threads

/// What a check of a whole store came to.
package struct Verification: Sendable {
    package var files = 0
    package var bytes = 0
    package var findings: [(file: String, what: String)] = []
}

extension StoreDirectory {
    /// Checks every byte of the current version: checksums, structures, and everything that is derived against what it
    /// derives from. What is found is listed, not thrown; only a store that is not there, or cannot be read, throws.
    /// - Parameter progress: told the bytes that were checked and that there are, now and then, on any thread.
    package func verify(
        progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
    ) throws(WinnowError) -> Verification {
        let findings = Findings()
        var result = Verification()
        do throws(WinnowError) {
            let snapshot = try Snapshot(self)
            result.files = 1 + snapshot.manifest.parts.count
            result.bytes = snapshot.manifest.parts.reduce(snapshot.manifest.encoded.count) {
                $0 + Int(clamping: $1.length)
            }
            try StoreCheck(directory: self, snapshot: snapshot, findings: findings, progress: progress).run()
        } catch {
            guard case .damaged(let file, let what) = error else { throw error }
            findings.add(file, what)
        }
        try findings.throwFailure()
        result.findings = findings.all
        return result
    }
}

private struct StoreCheck {
    let directory: StoreDirectory
    let snapshot: Snapshot
    let findings: Findings
    let progress: @Sendable (Int, Int) -> Void

    func run() throws(WinnowError) {
        checkManifest()
        // What cannot be opened, or does not match its checksums, is not looked at any further.
        let references = snapshot.manifest.parts
        let passed = Atomic(0), total = references.reduce(0) { $0 + 2 * Int(clamping: $1.length) }
        @Sendable func pass(_ part: PartReference) {
            let length = Int(clamping: part.length)
            progress(passed.wrappingAdd(length, ordering: .relaxed).newValue, total)
        }
        let sound = try concurrentMap(references.count) { (i) throws(WinnowError) in
            defer { pass(references[i]) }
            return hasSoundBytes(references[i])
        }
        guard !sound.contains(false) else { return }
        try checkStrings()
        try checkActivity(pass)
        for part in try snapshot.profiles() {
            part.verify(snapshot.schema, rows: snapshot.rows, purged: purged, findings)
            pass(part.file.reference)
        }
        try checkCatalogue()
    }

    /// Erased profiles of which nothing may be left; nil when none are, or values of some are left.
    private var purged: ErasedRows? { snapshot.erased.flatMap { $0.isPurged ? $0 : nil } }

    private func checkManifest() {
        let manifest = snapshot.manifest, file = directory.path + "/" + manifest.fileName
        let ids = manifest.parts.map(\.id)
        findings.expect(Set(ids).count == ids.count, file, "a part is named twice")
        let forgets = manifest.parts.contains { $0.horizon > .min } || snapshot.erased?.isPurged == false
        findings.expect(manifest.forgets || !forgets, file, "something is forgotten that it does not know of")
        findings.expect(manifest.parts(of: .erased).count <= 1, file, "several parts tell who is erased")
    }

    private func hasSoundBytes(_ reference: PartReference) -> Bool {
        var sound = true
        findings.check(directory.parts + "/" + reference.fileName) { () throws(WinnowError) in
            sound = false
            let part = try directory.open(reference)
            sound = true
            part.verifyAll { error in
                sound = false
                findings.check(part.path) { () throws(WinnowError) in throw error }
            }
        }
        return sound
    }

    private func checkStrings() throws(WinnowError) {
        for (kind, namespaces) in [
            (PartKind.keys, [Namespace.profile]), (.dictionary, Namespace.names), (.batches, [.batch]),
        ] {
            var earlier: [Namespace: [StringTable]] = [:]
            for file in try snapshot.files(kind) {
                for namespace in namespaces {
                    guard let table = try StringTable(file, namespace) else { continue }
                    let erased = kind == .keys ? snapshot.erased : nil
                    let gone: StringTable.Purged =
                        switch kind {
                        case .dictionary: .any
                        case .keys: purged.map { .only($0) } ?? .none
                        default: .none
                        }
                    table.verify(
                        following: earlier[namespace] ?? [], hiding: erased, purged: gone, of: file.path, findings)
                    earlier[namespace, default: []].append(table)
                }
            }
        }
        // Opening these compares numbers of ids with rows, and of batches with digests.
        _ = try snapshot.keys()
        _ = try snapshot.batches()
    }

    private func checkActivity(_ pass: (PartReference) -> Void) throws(WinnowError) {
        let names = try snapshot.names(), parts = try snapshot.activity()
        var expected = ActivityExpectations(
            rows: snapshot.rows, names: names,
            order: snapshot.schema.uniqueEvents == .derived ? NameOrder(names) : nil, purged: purged, older: [])
        for part in parts {
            part.verify(expected, findings)
            expected.older.append(part)
            pass(part.file.reference)
        }
    }

    private func checkCatalogue() throws(WinnowError) {
        for file in try snapshot.files(.catalogue) {
            let objects = try CataloguePart.read(file)
            findings.expect(
                CataloguePart.merged([objects]).count == objects.count, file.path, "an object is there twice")
            for object in objects {
                let strings = try snapshot.strings(object.kind == .campaign ? .campaign : .template)
                let known = strings.code(of: object.id) != nil
                findings.expect(known, file.path, "an object that the dictionary does not have")
            }
        }
    }
}
