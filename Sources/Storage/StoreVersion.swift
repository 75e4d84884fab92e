import WinnowColumns
import WinnowDisk
import WinnowFormat
import WinnowModel
import Synchronization

/// One version of a store, as it stays for as long as this object lives: its files cannot be
/// removed meanwhile. Parts are opened when they are first needed.
package final class StoreVersion: Sendable {
    package let manifest: Manifest
    private let directory: StoreDirectory
    /// Held, never asked.
    private let lock: any FileLock
    /// Profiles that are no more; nil when none ever was erased.
    package let erased: ErasedRows?

    private let openedActivity = Once<[ActivityPart]>()
    private let openedGoals = Once<[ActivityPart]>()
    private let openedSubscriptions = Once<[ActivityPart]>()
    private let openedProfiles = Once<[ProfilePart]>()
    private let openedDictionaries = Once<[PartFile]>()
    private let openedKeys = Once<StringTables>()
    private let openedFewKeys = Once<FewStrings>()
    private let openedCatalogue = Once<[CatalogueObject]>()
    private let openedSegments = Once<SavedSegments>()
    private let openedIndices = Mutex<[Namespace: CatalogueIndex]>([:])
    private let openedFirstTimes = Mutex<[FirstTimesKey: [NameCode: Int64]]>([:])

    private let openedUsedNames = Mutex<[Namespace: Set<NameCode>]>([:])

    private struct FirstTimesKey: Hashable {
        let type: RecordType
        let namespace: Namespace
    }

    private let openedLast = Once<Int64>()
    private let openedTables = Mutex<[Namespace: StringTables]>([:])

    /// The current version.
    package convenience init(_ directory: StoreDirectory) throws(WinnowError) {
        let (manifest, lock) = try directory.current()
        try self.init(directory, manifest, lock)
    }

    /// A version that somebody else holds, too.
    /// - Throws: `notFound` when it is no more.
    package convenience init(_ directory: StoreDirectory, version: UInt64) throws(WinnowError) {
        guard let (manifest, lock) = try directory.hold(version) else {
            throw .notFound(what: "version \(version) of the store", path: directory.path)
        }
        try self.init(directory, manifest, lock)
    }

    private init(
        _ directory: StoreDirectory, _ manifest: Manifest, _ lock: any FileLock
    ) throws(WinnowError) {
        self.directory = directory
        self.manifest = manifest
        self.lock = lock
        let rows = Int(manifest.rows)
        erased = try manifest.parts(of: .erased).last.map { (reference) throws(WinnowError) in
            try ErasedRows(directory.open(reference), rows: rows)
        }
    }

    /// The folder of the store.
    package var path: String { directory.path }
    /// Rows ever given, those of erased profiles included.
    package var rows: Int { Int(manifest.rows) }
    /// Profiles that are not erased.
    package var live: Int { rows - (erased?.count ?? 0) }
    package var blocks: Int { Block.count(rows: rows) }
    package var schema: Schema { manifest.schema }

    package func activity() throws(WinnowError) -> [ActivityPart] {
        try records(.activity, openedActivity)
    }

    package func goals() throws(WinnowError) -> [ActivityPart] {
        try records(.goals, openedGoals)
    }

    /// Oldest first; see `SubscriptionRecords`.
    package func subscriptions() throws(WinnowError) -> [ActivityPart] {
        try records(.subscriptions, openedSubscriptions)
    }

    /// The parts that hold records of a type.
    package func parts(of type: RecordType) throws(WinnowError) -> [ActivityPart] {
        switch type {
        case .event: try activity()
        case .goal, .anonymousGoal: try goals()
        case .subscription: try subscriptions()
        }
    }

    private func records(
        _ kind: PartKind, _ opened: Once<[ActivityPart]>
    ) throws(WinnowError) -> [ActivityPart] {
        try opened.get { () throws(WinnowError) in
            try open(kind) { (file) throws(WinnowError) in try ActivityPart(file) }
        }
    }

    /// Oldest first.
    package func profiles() throws(WinnowError) -> [ProfilePart] {
        try openedProfiles.get { () throws(WinnowError) in
            try open(.profiles) { (file) throws(WinnowError) in try ProfilePart(file) }
        }
    }

    package func dictionaries() throws(WinnowError) -> [PartFile] {
        try openedDictionaries.get { () throws(WinnowError) in try files(.dictionary) }
    }

    /// The numbered strings of a namespace other than profiles.
    package func strings(_ namespace: Namespace) throws(WinnowError) -> StringTables {
        if let tables = openedTables.withLock({ $0[namespace] }) { return tables }
        let tables = try StringTables(try dictionaries(), namespace)
        openedTables.withLock { $0[namespace] = tables }
        return tables
    }

    /// The names of campaigns, templates and links.
    package func names() throws(WinnowError) -> [Namespace: StringTables] {
        var names: [Namespace: StringTables] = [:]
        for namespace in Namespace.names { names[namespace] = try strings(namespace) }
        return names
    }

    /// External id → row, and back.
    package func keys() throws(WinnowError) -> StringTables {
        try openedKeys.get { () throws(WinnowError) in
            let keys = try StringTables(try files(.keys), .profile, hiding: erased)
            try expectKeys(keys.count)
            return keys
        }
    }

    /// The same, for those who ask for a few ids or rows.
    package func fewKeys() throws(WinnowError) -> FewStrings {
        try openedFewKeys.get { () throws(WinnowError) in
            let keys = try FewStrings(try files(.keys), .profile, hiding: erased)
            try expectKeys(keys.count)
            return keys
        }
    }

    private func expectKeys(_ count: Int) throws(WinnowError) {
        guard count == rows else {
            throw .damaged(
                file: directory.path,
                what: "there are \(rows) rows, but \(count) ids of profiles")
        }
    }

    /// Campaigns and templates, each as it was loaded last.
    package func catalogue() throws(WinnowError) -> [CatalogueObject] {
        try openedCatalogue.get { () throws(WinnowError) in
            var parts: [[CatalogueObject]] = []
            for file in try files(.catalogue) { parts.append(try CataloguePart.read(file)) }
            return CataloguePart.merged(parts)
        }
    }

    /// Segments that the store keeps.
    package func savedSegments() throws(WinnowError) -> SavedSegments {
        try openedSegments.get { () throws(WinnowError) in
            SavedSegments(
                try open(.segments) { (file) throws(WinnowError) in try SegmentsPart(file) })
        }
    }

    /// The catalogue of campaigns or of templates by what selectors ask for.
    package func catalogueIndex(_ namespace: Namespace) throws(WinnowError) -> CatalogueIndex {
        if let index = openedIndices.withLock({ $0[namespace] }) { return index }
        let kind: CatalogueObject.Kind = namespace == .template ? .template : .campaign
        var tables: [SelectorTable] = []
        for file in try files(.catalogue) {
            let table = try CataloguePart.selectors(file, kind) { (object) throws(WinnowError) in
                try strings(object.kind.namespace).code(of: object.id)
            }
            tables.append(table)
        }
        let index = CatalogueIndex(tables)
        openedIndices.withLock { $0[namespace] = index }
        return index
    }

    /// When each campaign, or template, first had an event of a type that is stored, of those that
    /// the store holds of profiles that are there; the same of pixels and goals. Kept once it is
    /// known.
    package func firstTimes(
        of type: RecordType, _ namespace: Namespace
    ) throws(WinnowError) -> [NameCode: Int64] {
        let key = FirstTimesKey(type: type, namespace: namespace)
        if let known = openedFirstTimes.withLock({ $0[key] }) { return known }
        var times: [NameCode: Int64] = [:]
        for part in try parts(of: type) {
            let remaining = RemainingEvents(part, without: erased?.isPurged == false ? erased : nil)
            for leaf in try remaining.firstTimes(of: type) {
                let isFirst = namespace == .campaign || namespace == .pixel
                let name = isFirst ? leaf.key.campaign : leaf.key.template
                if name == .none { continue }
                times[name] = min(times[name] ?? .max, leaf.minimum)
            }
        }
        openedFirstTimes.withLock { $0[key] = times }
        return times
    }

    /// The names that goals, or records of subscriptions, have which are neither forgotten nor
    /// replaced. Kept once they are known. Complexity: O(leaves) where one part tells all, else
    /// O(records).
    package func usedNames(_ namespace: Namespace) throws(WinnowError) -> Set<NameCode> {
        if let known = openedUsedNames.withLock({ $0[namespace] }) { return known }
        var names: Set<NameCode>
        switch namespace {
        case .pixel, .goal:
            names = Set(try firstTimes(of: .goal, namespace).keys)
            names.formUnion(try firstTimes(of: .anonymousGoal, namespace).keys)
        default:
            let keys = try SubscriptionRecords(try subscriptions()).leaves(
                without: erased?.isPurged == false ? erased : nil)
            names = Set(keys.map { namespace == .resource ? $0.resource : $0.provider })
        }
        openedUsedNames.withLock { $0[namespace] = names }
        return names
    }

    /// When something happened last, by activity, goals and members of static segments: as of later
    /// instants the same has happened.
    package func lastMillisecond() throws(WinnowError) -> Int64 {
        try openedLast.get { () throws(WinnowError) in
            let records = try (activity() + goals()).flatMap { $0.types.values.map(\.maximum) }
            let saved = try savedSegments()
            let lists = saved.all.map(\.horizon) + saved.refreshes.values.flatMap { $0.map(\.asOf) }
            return (records + lists).max() ?? .min
        }
    }

    package func files(_ kind: PartKind) throws(WinnowError) -> [PartFile] {
        try open(kind) { (file) throws(WinnowError) in file }
    }

    private func open<T>(
        _ kind: PartKind, _ body: (PartFile) throws(WinnowError) -> T
    ) throws(WinnowError) -> [T] {
        var result: [T] = []
        for reference in manifest.parts(of: kind) {
            result.append(try body(try directory.open(reference)))
        }
        return result
    }
}

/// A value made on first use, once; a failure is not remembered.
private final class Once<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)

    func get(_ make: () throws(WinnowError) -> Value) throws(WinnowError) -> Value {
        if let made = value.withLock({ $0 }) { return made }
        // Two threads may both make it; parts are immutable, so either result serves.
        let made = try make()
        value.withLock { if $0 == nil { $0 = made } }
        return made
    }
}

extension StoreVersion {
    /// The type whose stored events are looked at for a type: for one that this store derives, that
    /// of its source.
    package func storedType(of type: EventType) -> EventType {
        guard schema.uniqueEvents == .derived, let source = type.event.derivedFrom else {
            return type
        }
        return EventType(type.channel, source)
    }
}
