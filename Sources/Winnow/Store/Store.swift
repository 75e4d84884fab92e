import WinnowDisk
import WinnowLoader
@_exported import WinnowModel
@_exported import WinnowRules
import WinnowStorage

/// A store on disk: profiles, their activity, campaigns and templates.
///
///     let store = try Store("shop.winnow")
///     let fans: Segment = .email(.opened, .atLeast(5)) && .field("country", in: ["DE", "SE"])
///     print(try store.snapshot().count(fans).count)
///
/// One process writes at a time; any number reads. The value itself holds nothing open.
public struct Store: Sendable {
    /// The folder.
    public let path: String
    let disk: any Disk
    var directory: StoreDirectory { StoreDirectory(path: path, disk: disk) }

    /// A store that is there already.
    /// - Throws: `WinnowError.notFound` when there is none.
    public init(_ path: String) throws(WinnowError) { try self.init(path, on: PosixDisk()) }

    /// The same on another disk than the system's.
    package init(_ path: String, on disk: any Disk) throws(WinnowError) {
        self.init(path: path, disk: disk)
        _ = try StoreVersion(directory)
    }

    private init(path: String, disk: any Disk) {
        self.path = path
        self.disk = disk
    }

    /// Makes an empty store.
    /// - Throws: `WinnowError.cannotCreate` when something is there already, `usage` for a schema
    ///   that cannot be.
    @discardableResult
    public static func create(_ path: String, schema: Schema = Schema()) throws(WinnowError)
        -> Store
    {
        try create(path, schema: schema, on: PosixDisk())
    }

    @discardableResult
    package static func create(
        _ path: String, schema: Schema, on disk: any Disk
    ) throws(WinnowError) -> Store {
        let store = Store(path: path, disk: disk)
        try store.directory.create(schema, at: systemTime())
        return store
    }

    /// The version of the store that is current now. It stays readable, unchanged, for as long as
    /// the value lives.
    public func snapshot() throws(WinnowError) -> Snapshot {
        Snapshot(try StoreVersion(directory))
    }

    /// A version that another snapshot, of this process or its parent, holds.
    package func snapshot(version: UInt64) throws(WinnowError) -> Snapshot {
        Snapshot(try StoreVersion(directory, version: version))
    }

    /// Loads rows as one batch: all of it becomes visible at once, durably, or nothing does.
    /// - Throws: `badData` for the first row that cannot be loaded, `anotherWriter` when the store
    ///   is being written, `cancelled` when the options or the calling task ask for that,
    ///   `outcomeUnknown` when the system failed after the commit point.
    /// - Complexity: O(rows), and what merging with earlier small batches takes.
    @discardableResult
    public func load(
        _ kind: LoadKind, from source: LoadSource, options: LoadOptions = LoadOptions()
    ) throws(WinnowError) -> LoadSummary {
        try options.validate()
        if source.inputs.isEmpty { throw .usage("there is no file to load") }
        let writer = try Writer(directory, Cancellation(options.isCancelled))
        return try Load.run(kind, source, into: writer, options, now: systemTime()) {
            (name) throws(WinnowError) in
            guard let name else { return { $0 } }
            let zone = try TimeZoneRules.system(name)
            return { zone.instant(ofWall: $0).milliseconds }
        }
    }

    /// Merges all parts of each kind into one, without what was erased or dropped: of that nothing
    /// is left in the files of the new version. Counts do not change; a store of many small batches
    /// is read faster and takes less room. Names that only erased or dropped activity had are
    /// unknown from now on.
    /// - Returns: how many older versions readers still hold. Their files, and what was erased in
    ///   them, go with the first commit or compaction after these readers are done.
    /// - Throws: `anotherWriter` when the store is being written, `cancelled` when the calling task
    ///   is cancelled before the commit point.
    /// - Complexity: O(store).
    @discardableResult
    public func compact(memory: Int = LoadOptions().memory) throws(WinnowError) -> Int {
        try compact(memory: memory, Cancellation())
    }

    func compact(memory: Int, _ cancellation: Cancellation) throws(WinnowError) -> Int {
        try LoadOptions.validate(memory: memory)
        let writer = try Writer(directory, cancellation)
        try writer.compact(memory: memory)
        return writer.versionsHeld
    }

    /// Takes profiles out of every answer, at once and durably, and out of static segments. Their ids
    /// become free, but never their rows; whatever the store has of them leaves its files when it is
    /// compacted. Rules of saved segments stay as they are; `Snapshot.savedSegments(naming:)` tells
    /// which have an id or an address of theirs in them.
    /// - Parameter ids: external ids; those that the store does not have are passed over.
    /// - Returns: how many profiles were erased.
    /// - Throws: `anotherWriter` when the store is being written.
    /// - Complexity: O(ids), and a bit for each profile that the store ever had.
    @discardableResult
    public func erase(profiles ids: [String]) throws(WinnowError) -> Int {
        try Writer(directory).erase(ids.map { Array($0.utf8) }, at: systemTime())
    }

    /// Forgets the activity before an instant that the store has now, at once and durably; it
    /// leaves the files when the store is compacted. Older activity that is loaded later counts
    /// again. Of static segments who entered and left before is forgotten, too; who is in them is not.
    /// - Throws: `anotherWriter` when the store is being written.
    /// - Complexity: O(parts). Until the store is compacted, rules look at the times of what
    ///   straddles the instant.
    public func drop(before instant: Instant) throws(WinnowError) {
        guard (Instant.first...Instant.last).contains(instant) else {
            throw .usage(
                "activity is dropped before an instant of the years 0001 to 9999, not \(instant)")
        }
        try Writer(directory).drop(before: instant.milliseconds)
    }

    /// Adds a field that no profile has a value of yet.
    /// - Throws: `usage` when the name is taken or cannot be one, `anotherWriter` when the store is
    ///   being written.
    public func add(_ field: Field) throws(WinnowError) { try Writer(directory).add(field) }

    /// Checks every byte of the store: checksums, structures, and all that is derived against what
    /// it derives from. What is wrong is listed, not thrown; a store that is damaged cannot even be
    /// opened, hence a path.
    /// - Throws: `notFound` when there is no store, `io` when it cannot be read, `cancelled` when
    ///   the calling task is cancelled.
    /// - Complexity: O(store); reads all of it.
    /// - Parameter path: the store's folder.
    /// - Parameter progress: told now and then, on any thread, how many bytes were checked, and of
    ///   how many.
    public static func verify(
        at path: String,
        progress: @escaping @Sendable (_ checked: Int, _ total: Int) -> Void = { _, _ in }
    ) throws(WinnowError) -> StoreVerification {
        try verify(at: path, on: PosixDisk(), progress: progress)
    }

    package static func verify(
        at path: String, on disk: any Disk,
        progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
    ) throws(WinnowError) -> StoreVerification {
        let verification = try Store(path: path, disk: disk).directory.verify(
            progress: progress, Cancellation())
        return StoreVerification(
            files: verification.files, bytes: verification.bytes,
            findings: verification.findings.map {
                StoreVerification.Finding(file: $0.file, what: $0.what)
            })
    }
}

extension Store {
    /// Looks for a value in everything that the store's files hold, decoded: ids, texts, members of
    /// sets, names, and where the value can be read so, numbers, dates and instants. Older versions
    /// that readers still hold count, and so do files that belong to no version. Meant for showing
    /// that a compaction has purged what was erased.
    /// - Returns: the places, at most fifty a file; empty when the value is nowhere. What belongs
    ///   to no version and cannot be decoded is among them, whatever it holds.
    /// - Throws: `usage` when the value is empty, `damaged` when a file of the current version
    ///   cannot be read.
    /// - Complexity: O(store); reads all of it.
    public static func find(_ value: String, at path: String) throws(WinnowError)
        -> [StoreVerification.Finding]
    {
        try find(value, at: path, on: PosixDisk())
    }

    package static func find(
        _ value: String, at path: String, on disk: any Disk
    ) throws(WinnowError) -> [StoreVerification.Finding] {
        if value.isEmpty { throw .usage("there is nothing to look for") }
        return try Store(path: path, disk: disk).directory.find(value).map {
            .init(file: $0.file, what: $0.what)
        }
    }

    /// Erases the profiles whose ids a file names.
    /// - Throws: `badData` for a line that has no possible id; nothing is erased then.
    public func erase(
        profilesIn file: String, format: ProfileIDFormat = .lines
    ) throws(WinnowError) -> EraseSummary {
        try erase(ProfileIDList(file: file, format))
    }

    package func erase(_ list: ProfileIDList) throws(WinnowError) -> EraseSummary {
        let ids = list.ids
        let writer = try Writer(directory)
        let segments = try Snapshot(writer.snapshot).savedSegments(naming: ids)
        let erased = try writer.erase(ids, at: systemTime())
        return EraseSummary(ids: ids.count, erased: erased, segments: segments)
    }
}

extension Schema {
    /// Finds fields that hold every value of some files of profiles; nothing is stored.
    /// - Parameters:
    ///   - source: files or bytes of profiles.
    ///   - options: how the text is laid out: `format`, `delimiter`, `renames` and `trims`.
    /// - Throws: `badData` for text that cannot be read.
    /// - Complexity: O(bytes); memory of the names and of a hundred thousand values a column.
    public static func inferred(
        from source: LoadSource, options: LoadOptions = LoadOptions()
    ) throws(WinnowError) -> InferredSchema {
        try options.validate()
        if source.inputs.isEmpty { throw .usage("there is no file to read") }
        return try Inference.run(source, options)
    }

    /// Reads a schema file: `{"fields": [{"name": "country", "type": "string"}], "unique_events":
    /// "derived", "text": "plain"}`.
    /// - Throws: `WinnowError.badData` that says what is wrong.
    public init(file path: String) throws(WinnowError) {
        try self.init(json: try InputStream(path: path).readAll(limit: 1 << 24), file: path)
    }

    /// Reads a schema as a file has it.
    /// - Throws: `WinnowError.badData` that says what is wrong.
    public init(json text: String) throws(WinnowError) {
        try self.init(json: Array(text.utf8), file: "the schema")
    }
}

extension Store {
    /// From now on `body` is told what the process does with its stores: parts that are opened,
    /// written and merged.
    package static func listenToWork(_ body: @escaping @Sendable (String) -> Void) {
        WorkLog.listen(body)
    }
}
