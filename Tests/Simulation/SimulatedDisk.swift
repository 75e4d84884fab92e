import WinnowDisk
import Foundation
import WinnowModel

/// A whole disk in memory that keeps what is durable apart from what is only in the system's cache,
/// so that it can crash at any moment into every state that a real one may leave.
///
/// Method: names and contents are versioned since they were last made durable. A name in a
/// directory has a history of what it stood for; a file has its durable bytes, its present ones,
/// and which were written since. After every call the disk keeps an *image*, a value. A crash
/// chooses for every name one entry of its history, and for every file what has become of each
/// unsynced sector (`CrashStates`): no order between them is assumed, since file systems promise
/// none. Directories that are not reachable any more take what is in them along. Locks do not
/// survive.
///
/// Any call can be made to fail, once or from then on (`Fault`).
package final class SimulatedDisk: Disk, @unchecked Sendable {
    package typealias Node = Int

    package struct File {
        package var durable: [UInt8] = []
        package var bytes: [UInt8] = []
        /// Written since `durable`.
        package var pending: [Range<Int>] = []
        package var isDirectory = false
    }

    /// Everything there is, a value.
    package struct Image {
        package var files: [Node: File] = [:]
        /// By path: what the name stood for since its directory was last made durable, oldest
        /// first; nil for nothing.
        package var names: [String: [Node?]] = [:]
        /// Steps of the workload that were acknowledged.
        package var acknowledged = 0

        package func node(_ path: String) -> Node? { names[path].flatMap { $0.last ?? nil } }

        package func children(of path: String) -> [String] {
            names.keys.filter {
                $0.hasPrefix(path + "/") && !$0.dropFirst(path.count + 1).contains("/")
            }
        }
    }

    /// Which calls fail, and how.
    package struct Fault {
        /// The number of the first call that fails, counted from 1.
        package var call: Int
        /// How many fail from there on.
        package var times: Int
        package var code: Int32
        /// Only calls of this name count; nil for all.
        package var only: String?

        package init(call: Int, times: Int = 1, code: Int32, only: String? = nil) {
            self.call = call
            self.times = times
            self.code = code
            self.only = only
        }
    }

    /// A moment in taking a shared lock, or in removing a manifest, at which somebody else may come
    /// in between.
    package enum Moment { case beforeOpening, beforeLocking, beforeRemoving }

    /// What somebody else does at that moment, once or more often.
    package var race: (moment: Moment, body: () -> Void)?

    private let lock = NSRecursiveLock()
    private var image: Image
    private var nextNode: Int
    private var held: [Node: (shared: Int, exclusive: Bool)] = [:]
    package private(set) var images: [Image] = []
    private let keepsImages: Bool
    package var fault: Fault? { didSet { calls = 0 } }
    package private(set) var calls = 0

    /// - Parameter keepsImages: whether the disk keeps an image after every call that changes it.
    package init(_ image: Image = Image(), keepsImages: Bool = false) {
        self.image = image
        self.keepsImages = keepsImages
        nextNode = (image.files.keys.max() ?? 0) + 1
    }

    package func acknowledge(_ steps: Int) {
        lock.withLock {
            image.acknowledged = steps
            if keepsImages { images.append(image) }
        }
    }

    package var now: Image { lock.withLock { image } }

    /// Counts a call, and makes it fail when that is its turn.
    private func enter(_ call: String, _ path: String) throws(WinnowError) {
        guard fault?.only == nil || fault?.only == call else { return }
        calls += 1
        if let fault, calls >= fault.call, calls - fault.call < fault.times {
            throw .io(operation: call, path: path, code: fault.code)
        }
    }

    private func changed() { if keepsImages { images.append(image) } }

    private func bind(_ path: String, _ node: Node?) {
        image.names[path, default: [nil]].append(node)
    }

    // MARK: Disk

    package func createDirectory(_ path: String) throws(WinnowError) {
        try lock.locked { () throws(WinnowError) in
            try enter("create directory", path)
            guard image.node(path) == nil else {
                throw .io(operation: "create directory", path: path, code: EEXIST)
            }
            image.files[nextNode] = File(isDirectory: true)
            bind(path, nextNode)
            nextNode += 1
            changed()
        }
    }

    package func create(_ path: String) throws(WinnowError) -> any WritableFile {
        try lock.locked { () throws(WinnowError) in
            try enter("create", path)
            guard image.node(path) == nil else {
                throw .io(operation: "create", path: path, code: EEXIST)
            }
            image.files[nextNode] = File()
            bind(path, nextNode)
            nextNode += 1
            changed()
            return Writing(disk: self, node: nextNode - 1, path: path)
        }
    }

    private final class Writing: WritableFile {
        private let disk: SimulatedDisk
        let node: Node
        let path: String

        init(disk: SimulatedDisk, node: Node, path: String) {
            self.disk = disk
            self.node = node
            self.path = path
        }

        func append(_ bytes: UnsafeRawBufferPointer) throws(WinnowError) {
            try disk.lock.locked { () throws(WinnowError) in
                var failure: WinnowError?
                do throws(WinnowError) { try disk.enter("write", path) } catch { failure = error }
                var file = disk.image.files[node] ?? File()
                let start = file.bytes.count
                // A write that fails may have written a part.
                file.bytes.append(
                    contentsOf: failure == nil ? bytes[...] : bytes.prefix(bytes.count / 2))
                file.pending.append(start..<file.bytes.count)
                disk.image.files[node] = file
                disk.changed()
                if let failure { throw failure }
            }
        }

        func close() throws(WinnowError) {
            try disk.lock.locked { () throws(WinnowError) in try disk.enter("close", path) }
        }
    }

    package func sync(_ files: [any WritableFile], directory: String?) throws(WinnowError) {
        try lock.locked { () throws(WinnowError) in
            for case let file as Writing in files {
                // What a failed sync has made durable is unknown: nothing is, here.
                try enter("sync", file.path)
                if let bytes = image.files[file.node]?.bytes {
                    image.files[file.node] = File(durable: bytes, bytes: bytes)
                }
                changed()
            }
            guard let directory else { return }
            try enter("sync directory", directory)
            for path in image.children(of: directory) {
                let last = image.node(path)
                image.names[path] = last.map { [$0] }
            }
            changed()
        }
    }

    package func map(_ path: String, expecting length: Int?) throws(WinnowError) -> MappedFile {
        try lock.locked { () throws(WinnowError) in
            try enter("map", path)
            guard let node = image.node(path), let file = image.files[node] else {
                throw .notFound(what: "file or folder", path: path)
            }
            if let length, length != file.bytes.count {
                throw .damaged(
                    file: path, what: "it is \(file.bytes.count) bytes long and should be \(length)"
                )
            }
            return MappedFile(path: path, copying: file.bytes)
        }
    }

    package func link(_ from: String, to: String) throws(WinnowError) {
        try lock.locked { () throws(WinnowError) in
            try enter("link", to)
            guard let node = image.node(from) else {
                throw .notFound(what: "file or folder", path: from)
            }
            guard image.node(to) == nil else {
                throw .io(operation: "link", path: to, code: EEXIST)
            }
            bind(to, node)
            changed()
        }
    }

    package func unlink(_ path: String) throws(WinnowError) {
        try lock.locked { () throws(WinnowError) in
            try enter("remove", path)
            guard image.node(path) != nil else {
                throw .notFound(what: "file or folder", path: path)
            }
            if path.contains("/MANIFEST-"), !path.hasSuffix(".tmp") { interfere(.beforeRemoving) }
            bind(path, nil)
            changed()
        }
    }

    package func list(_ path: String) throws(WinnowError) -> [String]? {
        try lock.locked { () throws(WinnowError) in
            try enter("read directory", path)
            guard let node = image.node(path), image.files[node]?.isDirectory == true else {
                return nil
            }
            return image.children(of: path).filter { image.node($0) != nil }.map {
                String($0.dropFirst(path.count + 1))
            }
        }
    }

    /// Its folders have no times.
    package func lastChange(inFolder path: String) throws(WinnowError) -> FolderChange? { nil }

    package func isDirectory(_ path: String) throws(WinnowError) -> Bool {
        try lock.locked { () throws(WinnowError) in
            try enter("stat", path)
            return image.node(path).flatMap { image.files[$0]?.isDirectory } ?? false
        }
    }

    package func lock(_ path: String, _ kind: LockKind) throws(WinnowError) -> (any FileLock)? {
        try lock.locked { () throws(WinnowError) in
            try enter("lock", path)
            if case .exclusive(creating: true) = kind, image.node(path) == nil {
                image.files[nextNode] = File()
                bind(path, nextNode)
                nextNode += 1
                changed()
            }
            if case .shared = kind { interfere(.beforeOpening) }
            guard let node = image.node(path) else {
                throw .notFound(what: "file or folder", path: path)
            }
            if case .shared = kind { interfere(.beforeLocking) }
            let holders = held[node] ?? (0, false)
            switch kind {
            case .shared:
                if holders.exclusive { return nil }
                held[node] = (holders.shared + 1, false)
                return Held(disk: self, node: node, exclusive: false)
            case .exclusive, .folder:
                if holders.exclusive || holders.shared > 0 { return nil }
                held[node] = (0, true)
                return Held(disk: self, node: node, exclusive: true)
            }
        }
    }

    private func interfere(_ moment: Moment) {
        guard let race, race.moment == moment else { return }
        // What it does takes locks of its own.
        self.race = nil
        race.body()
    }

    private final class Held: FileLock {
        private let disk: SimulatedDisk
        private let node: Node
        private let exclusive: Bool

        init(disk: SimulatedDisk, node: Node, exclusive: Bool) {
            self.disk = disk
            self.node = node
            self.exclusive = exclusive
        }

        deinit {
            disk.lock.withLock {
                let holders = disk.held[node] ?? (0, false)
                disk.held[node] = exclusive ? (0, false) : (holders.shared - 1, false)
            }
        }

        var isLinked: Bool {
            disk.lock.withLock { disk.image.names.values.contains { $0.last == node } }
        }
    }
}

extension NSRecursiveLock {
    fileprivate func locked<T>(_ body: () throws(WinnowError) -> T) throws(WinnowError) -> T {
        lock()
        defer { unlock() }
        return try body()
    }
}

/// The states that a crash may leave of an image.
package struct CrashStates {
    private let image: SimulatedDisk.Image
    /// Names that are not durable, and what each may stand for.
    private let names: [(path: String, choices: [SimulatedDisk.Node?])]
    /// Files that are not durable, and what each may hold.
    private let contents: [(node: SimulatedDisk.Node, choices: [[UInt8]])]

    package init(_ image: SimulatedDisk.Image, thorough: Bool) {
        self.image = image
        names = image.names.sorted { $0.key < $1.key }.compactMap { path, history in
            var choices: [SimulatedDisk.Node?] = []
            for entry in history where !choices.contains(entry) { choices.append(entry) }
            return choices.count > 1 ? (path, choices) : nil
        }
        contents = image.files.sorted { $0.key < $1.key }.compactMap { node, file in
            file.pending.isEmpty ? nil : (node, CrashStates.outcomes(file, thorough: thorough))
        }
    }

    /// What may be left of a file with unsynced writes: all and nothing first.
    private static func outcomes(_ file: SimulatedDisk.File, thorough: Bool) -> [[UInt8]] {
        let durable = file.durable.count
        let all = file.bytes
        func zeros(_ range: Range<Int>, in bytes: [UInt8]) -> [UInt8] {
            var bytes = bytes
            for i in range { bytes[i] = i < durable ? file.durable[i] : 0 }
            return bytes
        }
        func garbage(_ range: Range<Int>, in bytes: [UInt8]) -> [UInt8] {
            var bytes = bytes
            for i in range { bytes[i] = UInt8(truncatingIfNeeded: (i &* 2_654_435_761) >> 7) }
            return bytes
        }
        var result = [all, file.durable]
        // Metadata without data, data without metadata, garbage.
        result.append(zeros(durable..<all.count, in: all))
        result.append(garbage(durable..<all.count, in: all))
        for write in file.pending { result.append(zeros(write, in: all)) }
        for sector in thorough ? [512, 4096] : [4096] {
            for start in stride(from: durable / sector * sector, to: all.count, by: sector) {
                let range = max(start, durable)..<min(start + sector, all.count)
                result.append(Array(all[..<range.lowerBound]))
                result.append(zeros(range, in: all))
                result.append(garbage(range, in: all))
                result.append(zeros(range.lowerBound..<all.count, in: all))
            }
        }
        var unique: [[UInt8]] = []
        for bytes in result where !unique.contains(bytes) { unique.append(bytes) }
        return unique
    }

    /// Calls `body` with states: every combination of names, where they are at most `limit`, else
    /// that many chosen by the seed; each with all unsynced files whole, all gone, and every
    /// outcome of each file alone.
    package func forEach(limit: Int, seed: UInt64, _ body: (SimulatedDisk.Image) throws -> Void)
        rethrows
    {
        let combinations = names.reduce(1) { min(1 << 40, $0 * $1.choices.count) }
        var state = seed
        for i in 0..<min(combinations, limit) {
            var rest = i
            if combinations > limit {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                rest = Int(state >> 20) % combinations
            }
            var chosen = image
            for (path, choices) in names {
                chosen.names[path] = [choices[rest % choices.count]]
                rest /= choices.count
            }
            for base in [0, 1] {
                var whole = chosen
                for (node, choices) in contents { whole.set(node, choices[base]) }
                try body(whole.settled)
                for (node, choices) in contents {
                    for choice in choices.dropFirst(2) {
                        var one = whole
                        one.set(node, choice)
                        try body(one.settled)
                    }
                }
                if contents.isEmpty { break }
            }
        }
    }
}

extension SimulatedDisk.Image {
    fileprivate mutating func set(_ node: SimulatedDisk.Node, _ bytes: [UInt8]) {
        files[node]?.bytes = bytes
        files[node]?.durable = bytes
        files[node]?.pending = []
    }

    /// What is there after the crash, durable: names whose directory is gone are gone.
    fileprivate var settled: SimulatedDisk.Image {
        var result = self
        result.names = names.compactMapValues { $0.last.flatMap { $0 }.map { [$0] } }
        for path in result.names.keys {
            var parent = path[...]
            while let slash = parent.lastIndex(of: "/") {
                parent = parent[..<slash]
                if !parent.isEmpty, result.names[String(parent)] == nil,
                    names[String(parent)] != nil
                {
                    result.names[path] = nil
                }
            }
        }
        return result
    }
}
