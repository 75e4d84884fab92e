import Disk
import Format
import Model

/// The files of a store:
///
///     STORE/LOCK                    held by the writer
///     STORE/MANIFEST-<version>      immutable; the highest version is the store
///     STORE/parts/<kind>-<id>.part  immutable
package struct StoreDirectory: Sendable {
    package let path: String
    package let disk: any Disk

    package init(path: String, disk: any Disk) {
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        self.disk = disk
    }

    package var parts: String { path + "/parts" }
    package var lock: String { path + "/LOCK" }

    /// Makes an empty store; nothing may be there yet but an empty folder.
    package func create(_ schema: Schema, at time: Instant) throws(WinnowError) {
        if let problem = schema.problem { throw .usage(problem) }
        if let names = try disk.list(path) {
            guard names.isEmpty else {
                let reason =
                    names.contains { Manifest.version(ofFileName: $0) != nil }
                    ? "there is a store already" : "the folder is not empty"
                throw .cannotCreate(path: path, reason: reason)
            }
        } else {
            do throws(WinnowError) { try disk.createDirectory(path) } catch {
                throw .cannotCreate(path: path, reason: error.description)
            }
        }
        try disk.createDirectory(parts)
        try publish(Manifest(schema: schema, time: time))
    }

    /// Versions of the manifests there are, ascending.
    func versions() throws(WinnowError) -> [UInt64] {
        guard let names = try disk.list(path) else { throw .notFound(what: "store", path: path) }
        let versions = names.compactMap(Manifest.version(ofFileName:)).sorted()
        if versions.isEmpty {
            guard names.contains("parts") else { throw .notFound(what: "store", path: path) }
            throw .damaged(file: path, what: "the manifest is missing")
        }
        return versions
    }

    /// Reads the current manifest and locks it against removal. A manifest that was removed between choosing and
    /// locking is no longer current: look again. One that is damaged is damage; never fall back to an older one.
    func current() throws(WinnowError) -> (manifest: Manifest, lock: FileLock) {
        for _ in 0..<1000 {
            guard let version = try versions().last else { continue }
            let file = path + "/" + Manifest.fileName(version)
            do throws(WinnowError) {
                guard let lock = try disk.lock(file, .shared), lock.isLinked else { continue }
                let mapped = try disk.map(file, expecting: nil)
                let manifest = try Manifest(decoding: mapped.bytes, of: file)
                guard manifest.version == version else {
                    throw .damaged(file: file, what: "it says that it is version \(manifest.version)")
                }
                return (manifest, lock)
            } catch {
                if case .notFound = error { continue }
                throw error
            }
        }
        throw .io(operation: "lock the manifest of", path: path, code: 11)
    }

    /// Writes a manifest under a temporary name, makes it durable, and gives it its final name: the commit point.
    func publish(_ manifest: Manifest) throws(WinnowError) {
        try disk.syncDirectory(parts)
        let final = path + "/" + manifest.fileName, temporary = final + ".tmp"
        if try disk.list(path)?.contains(manifest.fileName + ".tmp") == true { try disk.unlink(temporary) }
        let file = try disk.create(temporary)
        try file.append(manifest.encoded[...])
        try file.sync()
        try file.close()
        try disk.link(temporary, to: final)
        do throws(WinnowError) {
            try disk.syncDirectory(path)
        } catch {
            throw .outcomeUnknown(path: path, reason: error.description)
        }
        try? disk.unlink(temporary)
    }

    /// Removes manifests older than the current that no reader holds, and every part that no remaining manifest names.
    func removeUnused(keeping current: Manifest) throws(WinnowError) {
        var kept = Set(current.parts.map(\.fileName))
        for version in try versions() where version < current.version {
            let file = path + "/" + Manifest.fileName(version)
            if try disk.lock(file, .exclusive(creating: false)) != nil {
                try disk.unlink(file)
            } else {
                let mapped = try disk.map(file, expecting: nil)
                kept.formUnion(try Manifest(decoding: mapped.bytes, of: file).parts.map(\.fileName))
            }
        }
        for name in try disk.list(parts) ?? [] where name.hasSuffix(".part") && !kept.contains(name) {
            try disk.unlink(parts + "/" + name)
        }
        for name in try disk.list(path) ?? [] where name.hasSuffix(".tmp") { try disk.unlink(path + "/" + name) }
    }
}
