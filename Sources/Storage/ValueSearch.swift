import WinnowColumns
import WinnowDisk
import WinnowFormat
import WinnowModel
import WinnowThreads

extension StoreDirectory {
    /// Where a value is in any file of the store, decoded: in the parts of the current version,
    /// and in what else is there, of older versions that readers hold or of a writer that died.
    package func find(_ value: String) throws(WinnowError) -> [(file: String, what: String)] {
        let sought = SoughtValue(value)
        let found = Findings()
        // A writer may be at work; the current version stays meanwhile.
        let (manifest, lock) = try current()
        defer { withExtendedLifetime(lock) {} }
        for field in manifest.schema.fields where sought.isEqual(to: field.name.utf8) {
            found.add(path + "/" + manifest.fileName, "found as the name of a field")
        }
        _ = try concurrentMap(manifest.parts.count) { (i) throws(WinnowError) in
            try search(manifest.parts[i], for: sought, manifest.schema, found)
        }
        let own = Set(manifest.parts.map(\.fileName))
        for name in try disk.list(parts) ?? [] where !own.contains(name) {
            search(stray: name, for: sought, manifest.schema, found)
        }
        for name in try disk.list(path) ?? []
        where name.hasPrefix(Manifest.prefix) && name != manifest.fileName {
            // Names of fields are in it as they are.
            let file = path + "/" + name
            if (try? bytes(of: file, contain: sought)) == true {
                found.add(file, "found in another version's manifest")
            }
        }
        return found.all
    }

    private func search(
        _ part: PartReference, for sought: SoughtValue, _ schema: Schema, _ found: Findings
    ) throws(WinnowError) {
        try part.kind.family.search(try open(part), for: sought, schema, found)
    }

    /// Searches a file among the parts that is none of the current version. One that is gone by now
    /// has nothing.
    private func search(
        stray name: String, for sought: SoughtValue, _ schema: Schema, _ found: Findings
    ) {
        let file = parts + "/" + name
        do throws(WinnowError) {
            if let reference = try PartReference.naming(name, try disk.map(file, expecting: nil)) {
                return try search(reference, for: sought, schema, found)
            }
        } catch { /* It is searched as it is. */  }
        do throws(WinnowError) {
            let contains = try bytes(of: file, contain: sought)
            found.add(
                file,
                "it is no part of this version"
                    + (contains ? ", and has it" : ", and cannot be decoded"))
        } catch {
            if case .notFound = error, !name.contains("\u{FFFD}") { return }
            found.add(file, "it is no part of this version, and cannot be read")
        }
    }

    /// Whether a value is in a file as it is.
    private func bytes(of file: String, contain sought: SoughtValue) throws(WinnowError) -> Bool {
        let mapped = try disk.map(file, expecting: nil)
        defer { withExtendedLifetime(mapped) {} }
        return unsafe sought.occurs(in: mapped.bytes)
    }
}
