import Disk
import Loader
@_exported import Model
@_exported import Rules
import Store

/// A store on disk: profiles, their activity, campaigns and templates.
///
///     let store = try WinnowStore(at: "shop.winnow")
///     let snapshot = try store.snapshot()
///     let fans = Segment(.activity(Activity(.email, .opened, .atLeast(5))))
///     print(try snapshot.count(fans).count)
///
/// One process writes at a time; any number reads. The value itself holds nothing open.
public struct WinnowStore: Sendable {
    public let path: String
    private let disk: any Disk
    private var directory: StoreDirectory { StoreDirectory(path: path, disk: disk) }

    /// A store that is there already.
    /// - Throws: `WinnowError.notFound` when there is none.
    public init(at path: String) throws(WinnowError) { try self.init(at: path, on: PosixDisk()) }

    /// The same on another disk than the system's.
    package init(at path: String, on disk: any Disk) throws(WinnowError) {
        self.init(path: path, disk: disk)
        _ = try Store.Snapshot(directory)
    }

    private init(path: String, disk: any Disk) {
        self.path = path
        self.disk = disk
    }

    /// Makes an empty store.
    /// - Throws: `WinnowError.cannotCreate` when something is there already.
    public static func create(at path: String, schema: Schema = Schema()) throws(WinnowError) -> WinnowStore {
        try create(at: path, schema: schema, on: PosixDisk())
    }

    package static func create(
        at path: String, schema: Schema, on disk: any Disk
    ) throws(WinnowError) -> WinnowStore {
        let store = WinnowStore(path: path, disk: disk)
        try store.directory.create(schema, at: systemTime())
        return store
    }

    /// The version of the store that is current now. It stays readable, unchanged, for as long as the value lives.
    public func snapshot() throws(WinnowError) -> WinnowSnapshot {
        WinnowSnapshot(try Store.Snapshot(directory))
    }

    /// Loads files as one batch: all of it becomes visible at once, durably, or nothing does.
    /// - Parameter files: paths; `-` is standard input.
    /// - Throws: `badData` for the first row that cannot be loaded, `anotherWriter` when the store is being written,
    ///   `outcomeUnknown` when the system failed after the commit point.
    /// - Complexity: O(rows), and what merging with earlier small batches takes.
    @discardableResult
    public func load(
        _ kind: LoadKind, files: [String], options: LoadOptions = LoadOptions()
    ) throws(WinnowError) -> LoadSummary {
        guard options.memory >= LoadOptions.smallestMemory else {
            throw .usage("a load needs at least \(LoadOptions.smallestMemory) bytes of memory")
        }
        let writer = try Writer(directory)
        return try Load.run(kind, files, into: writer, options, now: systemTime())
    }

    /// Merges all parts of each kind into one. Answers do not change; a store of many small batches is read faster
    /// and takes less room.
    /// - Throws: `anotherWriter` when the store is being written.
    /// - Complexity: O(store).
    public func compact(memory: Int = LoadOptions().memory) throws(WinnowError) {
        try Writer(directory).compact(memory: memory)
    }

    /// Adds a field that no profile has a value of yet.
    /// - Throws: `usage` when the name is taken or cannot be one, `anotherWriter` when the store is being written.
    public func add(_ field: Field) throws(WinnowError) { try Writer(directory).add(field) }

    /// Checks every byte of the store: checksums, structures, and all that is derived against what it derives from.
    /// What is wrong is listed, not thrown; a store that is damaged cannot even be opened, hence a path.
    /// - Throws: `notFound` when there is no store, `io` when it cannot be read.
    /// - Complexity: O(store); reads all of it.
    public static func verify(at path: String) throws(WinnowError) -> StoreVerification {
        try verify(at: path, on: PosixDisk())
    }

    package static func verify(at path: String, on disk: any Disk) throws(WinnowError) -> StoreVerification {
        let verification = try WinnowStore(path: path, disk: disk).directory.verify()
        return StoreVerification(
            files: verification.files, bytes: verification.bytes,
            findings: verification.findings.map { StoreVerification.Finding(file: $0.file, what: $0.what) })
    }
}

/// What a check of a store came to.
public struct StoreVerification: Sendable, Hashable {
    public struct Finding: Sendable, Hashable {
        public var file: String
        public var what: String
    }

    /// Files of the current version, and their bytes.
    public var files: Int
    public var bytes: Int
    /// Empty when all is well.
    public var findings: [Finding]
    public var isSound: Bool { findings.isEmpty }
}

extension Schema {
    /// Reads a schema file: `{"fields": [{"name": "country", "type": "string"}], "unique_events": "derived"}`.
    /// - Throws: `WinnowError.badData` that says what is wrong.
    public init(file path: String) throws(WinnowError) {
        try self.init(json: try InputStream(path: path).readAll(limit: 1 << 24), file: path)
    }
}

extension Segment {
    /// Reads rule documents, one a line, blank lines aside.
    public static func all(ndjson path: String) throws(WinnowError) -> [Segment] {
        let text = try text(path, limit: 1 << 30)
        var segments: [Segment] = []
        // By bytes: to Swift, CR LF is one character.
        for (i, bytes) in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            let line = String(decoding: bytes, as: UTF8.self)
            guard line.contains(where: { !$0.isWhitespace }) else { continue }
            do throws(WinnowError) { segments.append(try Segment(json: line)) } catch {
                guard case .invalidRule(let place, let message) = error else { throw error }
                throw .invalidRule(path: place, message: "\(message) (\(path), line \(i + 1))")
            }
        }
        return segments
    }

    /// Reads one rule document from a file.
    public init(file path: String) throws(WinnowError) {
        try self.init(json: try Segment.text(path, limit: RuleLimits.bytes + 65_536))
    }

    private static func text(_ path: String, limit: Int) throws(WinnowError) -> String {
        let bytes = try InputStream(path: path).readAll(limit: limit)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .invalidRule(path: "", message: "\(path) is not UTF-8")
        }
        return text
    }
}
