import Columns
import Disk
import Format
import Model
import Threads

extension StoreDirectory {
    /// Where a value stands in any file of the store: in what parts of the current version, and of older ones that
    /// readers still hold, say when they are decoded, and in the bytes of files that belong to no version.
    package func find(_ value: String) throws(WinnowError) -> [(file: String, what: String)] {
        let sought = SoughtValue(value), found = Findings()
        // A writer may be at work; what is searched stays meanwhile.
        var held = [try current()], parts: [PartReference: Schema] = [:]
        defer { withExtendedLifetime(held) {} }
        for version in try versions() where version != held[0].manifest.version {
            if let other = try hold(version) { held.append(other) }
        }
        for (manifest, _) in held {
            for part in manifest.parts { parts[part] = manifest.schema }
            for field in manifest.schema.fields where sought.isEqual(to: field.name.utf8) {
                found.add(path + "/" + manifest.fileName, "found as the name of a field")
            }
        }
        let all = Array(parts)
        _ = try concurrentMap(all.count) { (i) throws(WinnowError) in
            try sought.search(try open(all[i].key), all[i].value, found)
        }
        let known = Set(parts.keys.map(\.fileName))
        var strays: [String] = []
        for name in try disk.list(self.parts) ?? [] where !known.contains(name) {
            strays.append(self.parts + "/" + name)
        }
        for name in try disk.list(path) ?? [] where name.hasSuffix(StoreDirectory.temporary) {
            strays.append(path + "/" + name)
        }
        for file in strays where try holds(file, sought) {
            found.add(file, "found in a file that belongs to no version; the next load removes it")
        }
        return found.all
    }

    /// Whether a value stands in a file as it is; not in one that is gone by now.
    private func holds(_ file: String, _ sought: SoughtValue) throws(WinnowError) -> Bool {
        do throws(WinnowError) {
            let mapped = try disk.map(file, expecting: nil)
            defer { withExtendedLifetime(mapped) {} }
            return unsafe sought.occurs(in: mapped.bytes)
        } catch {
            if case .notFound = error { return false }
            throw error
        }
    }
}
