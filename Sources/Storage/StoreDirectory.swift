import WinnowDisk
import WinnowFormat
import WinnowModel

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

    package func open(_ part: PartReference) throws(WinnowError) -> PartFile {
        WorkLog.say("opening part \(part.id): \(part.kind.name), \(part.length) bytes")
        return try PartFile(disk: disk, directory: parts, part)
    }

    /// Makes an empty store, durably. Nothing may be there yet but an empty folder, or what is left
    /// of an attempt that was cut short.
    package func create(_ schema: Schema, at time: Instant) throws(WinnowError) {
        try schema.validate()
        if path.isEmpty { throw .cannotCreate(path: "a store", reason: "its path is empty") }
        if try disk.list(path) == nil { try createFolder(path) }
        // Of two that make a store in one folder the second finds it made, or still being made.
        let creating = try disk.lock(path, .folder)
        guard creating != nil else {
            throw .cannotCreate(path: path, reason: "somebody else is making a store there")
        }
        defer { withExtendedLifetime(creating) {} }
        let names = try disk.list(path) ?? []
        if names.contains(where: { Manifest.version(ofFileName: $0) != nil }) {
            throw .cannotCreate(path: path, reason: "there is a store already")
        }
        guard try isUnfinished(names) else {
            throw .cannotCreate(path: path, reason: "the folder is not empty")
        }
        if !names.contains("parts") { try createFolder(parts) }
        do throws(WinnowError) { try disk.sync([], directory: parent) } catch {
            // A folder that may be passed through but not read (EACCES) is for its owner to make
            // durable.
            guard case .io(_, _, 13) = error else { throw error }
        }
        // No manifest may outlive a crash without the folder of its parts.
        try disk.sync([], directory: path)
        try publish(Manifest(schema: schema, time: time))
        // From now on a folder without a manifest is a damaged store, not one that is unfinished.
        _ = try? disk.lock(lock, .exclusive(creating: true))
    }

    /// Makes a folder, or finds that somebody else just has.
    private func createFolder(_ folder: String) throws(WinnowError) {
        do throws(WinnowError) { try disk.createDirectory(folder) } catch {
            if try disk.list(folder) == nil {
                throw .cannotCreate(path: path, reason: error.description)
            }
        }
    }

    /// The folder that the store's own is in.
    private var parent: String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Whether names in the store's folder are at most what creating it leaves before its first
    /// manifest is there.
    private func isUnfinished(_ names: [String]) throws(WinnowError) -> Bool {
        let first = Manifest.fileName(1) + StoreDirectory.temporary
        guard names.allSatisfy({ $0 == "parts" || $0 == first }) else { return false }
        return try disk.list(parts)?.isEmpty ?? true
    }

    /// The number of the version that is current now.
    package func newestVersion() throws(WinnowError) -> UInt64 {
        let names = try disk.list(path) ?? []
        if let newest = names.lazy.compactMap(Manifest.version(ofFileName:)).max() { return newest }
        return try versions().last ?? 0
    }

    /// Versions of the manifests there are, ascending.
    func versions() throws(WinnowError) -> [UInt64] {
        guard let names = try disk.list(path) else { throw .notFound(what: "store", path: path) }
        let versions = names.compactMap(Manifest.version(ofFileName:)).sorted()
        guard names.contains("parts") else {
            if versions.isEmpty { throw .notFound(what: "store", path: path) }
            throw .damaged(file: path, what: "its parts are missing")
        }
        guard !versions.isEmpty else {
            if try isUnfinished(names) { throw .notFound(what: "store", path: path) }
            throw .damaged(file: path, what: "the manifest is missing")
        }
        guard try disk.isDirectory(parts) else {
            throw .damaged(file: parts, what: "it is a link or a file, and no folder of this store")
        }
        return versions
    }

    /// Reads the current manifest and locks it against removal. A manifest that was removed between
    /// choosing and locking is no longer current: look again. One that is damaged is damage; never
    /// fall back to an older one.
    func current() throws(WinnowError) -> (manifest: Manifest, lock: any FileLock) {
        for _ in 0..<1000 {
            if let version = try versions().last, let held = try hold(version) { return held }
        }
        throw .io(operation: "lock the manifest of", path: path, code: 11)
    }

    /// Reads a manifest and locks it against removal; nil when it is gone, or about to be.
    func hold(_ version: UInt64) throws(WinnowError) -> (
        manifest: Manifest, lock: any FileLock
    )? {
        do throws(WinnowError) {
            guard let lock = try disk.lock(path + "/" + Manifest.fileName(version), .shared),
                lock.isLinked
            else {
                return nil
            }
            return (try manifest(version), lock)
        } catch {
            if case .notFound = error { return nil }
            throw error
        }
    }

    static let temporary = ".tmp"

    /// The manifest of a version.
    func manifest(_ version: UInt64) throws(WinnowError) -> Manifest {
        let file = path + "/" + Manifest.fileName(version)
        let mapped = try disk.map(file, expecting: nil)
        // The bytes are there for as long as the mapping is.
        defer { withExtendedLifetime(mapped) {} }
        let manifest = try unsafe Manifest(decoding: mapped.bytes, of: file)
        guard manifest.version == version else {
            throw .damaged(file: file, what: "it says that it is version \(manifest.version)")
        }
        return manifest
    }

    /// Writes a manifest under a temporary name, makes it durable, and gives it its final name: the
    /// commit point. All that it names must be durable.
    func publish(_ manifest: Manifest) throws(WinnowError) {
        // A manifest that cannot be read again would be the end of the store.
        let encoded = manifest.encoded
        let decoded = try unsafe encoded.withUnsafeBytesThrowing { (bytes) throws(WinnowError) in
            try unsafe Manifest(decoding: bytes, of: manifest.fileName)
        }
        guard decoded == manifest else {
            throw .usage(
                "the store cannot hold this: its manifest would not say the same when it is read")
        }
        let final = path + "/" + manifest.fileName
        let temporary = final + StoreDirectory.temporary
        if try disk.list(path)?.contains(manifest.fileName + StoreDirectory.temporary) == true {
            try disk.unlink(temporary)
        }
        let file = try disk.create(temporary)
        try file.append(encoded[...])
        try disk.sync([file], directory: nil)
        try file.close()
        try disk.link(temporary, to: final)
        do throws(WinnowError) {
            try disk.sync([], directory: path)
        } catch {
            throw .outcomeUnknown(path: path, reason: error.description)
        }
        try? disk.unlink(temporary)
    }

    /// Removes manifests older than the current that no reader holds, and every part that no
    /// remaining manifest names.
    /// - Returns: how many older versions readers hold.
    func removeUnused(keeping current: Manifest) throws(WinnowError) -> Int {
        var kept = Set(current.parts.map(\.fileName))
        var held = 0
        for version in try versions() where version < current.version {
            let file = path + "/" + Manifest.fileName(version)
            if let unread = try disk.lock(file, .exclusive(creating: false)) {
                // Held until the name is gone: a reader that chose the version before the current
                // one was there, and locks it only now, must see that.
                defer { withExtendedLifetime(unread) {} }
                try remove(file)
            } else {
                held += 1
                kept.formUnion(try manifest(version).parts.map(\.fileName))
            }
        }
        for name in try disk.list(parts) ?? [] where name.hasSuffix(".part") && !kept.contains(name)
        {
            try remove(parts + "/" + name)
        }
        for name in try disk.list(path) ?? []
        where name.hasPrefix(Manifest.prefix) && name.hasSuffix(StoreDirectory.temporary) {
            try remove(path + "/" + name)
        }
        return held
    }

    /// Removes a file; a folder that somebody has put there under such a name stays.
    private func remove(_ file: String) throws(WinnowError) {
        if try !disk.isDirectory(file) { try disk.unlink(file) }
    }
}
