import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowStorage

/// Loads rows of another program's file, as a mapping says: finds or makes the profile of each row,
/// in order, and gives it what the row says.
struct FeedLoading: Loading {
    private let writer: Writer
    private let parser: FeedParser
    private let schema: Schema
    private let unknownProfiles: UnknownProfiles
    private let allowsEmptyEntries: Bool
    private let memory: Int
    private var pending: Batch
    private var fields: ProfileBatch
    private var events: RecordRun
    private var subscriptions: RecordRun
    private var goals: RecordRun
    /// Made when the first row needs them.
    private var profiles: ProfileIndex?
    private var devices: ProfileIndex?
    /// Profiles that were there before and that the batch writes.
    private var updated: Set<Row> = []
    private let firstNew: Row
    private(set) var yielded: [Int]
    private(set) var yieldedNothing: [Int]
    let columns: ColumnNames

    init(
        _ mapping: Mapping, _ writer: Writer, _ options: LoadOptions, latest: Int64
    ) throws(WinnowError) {
        self.writer = writer
        schema = writer.snapshot.schema
        unknownProfiles = options.unknownProfiles ?? .skip
        allowsEmptyEntries = options.allowsEmptyEntries
        memory = LoadLimits.gathered(options.memory)
        pending = try Batch(writer.snapshot)
        if options.distinct { pending.distinct = DistinctEvents() }
        fields = ProfileBatch(fields: schema.fields.count)
        events = RecordRun(of: EventRows.self, in: &pending)
        subscriptions = RecordRun(of: SubscriptionRows.self, in: &pending)
        goals = RecordRun(of: GoalRows.self, in: &pending)
        firstNew = Row(rawValue: writer.snapshot.manifest.rows)
        var mapping = mapping
        var names: [[UInt8]] = []
        func column(_ name: [UInt8]) -> Int {
            if let known = names.firstIndex(of: name) { return known }
            names.append(name)
            return names.count - 1
        }
        let hasItems = mapping.source.each != nil
        mapping.forEachPath { path in
            let isItem = hasItems && path.keys[0] == Array("item".utf8)
            path.column = isItem ? Mapping.Path.item : column(path.keys[0])
        }
        let hasProfile = mapping.profile != nil
        let device = schema.builtInDevice.flatMap { field in
            hasProfile
                ? (field: field, column: column(Array(FeedParser.deviceName.utf8))) : nil
        }
        parser = FeedParser(mapping, schema, latest: latest, device: device)
        yielded = Array(repeating: 0, count: mapping.entries.count)
        yieldedNothing = yielded
        var columns = options
        columns.ignoresUnknownColumns = true
        columns.ignoresSimilarColumns = true
        self.columns = ColumnNames(
            names.map { InputColumn(String(decoding: $0, as: UTF8.self), .text) }, columns)
    }

    var parse: @Sendable (InputPiece, RowLayout, Cancellation) -> ParsedPiece<FeedContent> {
        let parser = parser
        return { parser.parse($0, $1, $2) }
    }

    // MARK: Profiles

    /// The profile of a row, and whether it was made for it.
    private struct Found {
        var row: Row
        var isNew: Bool
    }

    mutating func gather(_ content: FeedContent, _ summary: inout LoadSummary) throws(WinnowError) {
        var found: [Found?] = []
        found.reserveCapacity(content.profiles.count)
        var rows: [Row] = []
        var written = 0
        for profile in content.profiles {
            let own = try find(profile, &summary)
            found.append(own)
            let isWritten = own.map { writes($0) } ?? false
            rows.append(isWritten ? own?.row ?? ProfileBatch.noRow : ProfileBatch.noRow)
            guard let own else {
                // Its goals may be goals of nobody.
                if !content.hasAnonymousGoals { summary.skipped += 1 }
                continue
            }
            if isWritten, profile.hasFields {
                written += 1
                if !own.isNew, own.row < firstNew, updated.insert(own.row).inserted {
                    summary.updated += 1
                }
            } else if own.isNew {
                written += 1
            }
            note(profile, own, isWritten: isWritten)
        }
        if written > 0 { summary.kinds["profiles", default: 0] += written }
        fields.append(content.fields, rows: rows)
        storeKeys(of: content.profiles, found)
        summary.skipped += content.skipped
        for i in yielded.indices {
            yielded[i] += content.yielded[i]
            yieldedNothing[i] += content.yieldedNothing[i]
        }
        try gatherRecords(content, found, &summary)
        if fields.memory + events.bytes + subscriptions.bytes + goals.bytes + pending.memory
            > memory
        {
            try spill()
        }
    }

    /// Whether the row's fields are stored.
    private func writes(_ found: Found) -> Bool {
        switch parser.mapping.profile?.mode ?? .find {
        case .upsert: true
        case .insert: found.isNew
        case .update: !found.isNew
        case .find: found.isNew
        }
    }

    /// Finds the profile of a row, or makes one.
    private mutating func find(
        _ profile: FeedContent.Profile, _ summary: inout LoadSummary
    ) throws(WinnowError) -> Found? {
        guard let own = parser.mapping.profile else { return nil }
        if let key = profile.indexed {
            if let row = try row(of: key, own.match, &summary) {
                return Found(row: row, isNew: false)
            }
        } else if let key = profile.key {
            if let row = row(ofID: key) { return Found(row: row, isNew: false) }
        } else if let id = profile.id {
            if let row = row(ofID: id) { return Found(row: row, isNew: false) }
        } else if let device = profile.device, parser.device != nil {
            if let row = try row(ofDevice: device, &summary) {
                return Found(row: row, isNew: false)
            }
        } else {
            return nil
        }
        let creates =
            own.mode == .upsert || own.mode == .insert || unknownProfiles == .create
        guard creates else { return nil }
        return try create(profile, own, &summary)
    }

    private mutating func row(
        of key: ProfileIndex.Key, _ match: Mapping.Profile.Match, _ summary: inout LoadSummary
    ) throws(WinnowError) -> Row? {
        if profiles == nil, let field = match.field(schema) {
            let schema = schema
            profiles = try ProfileIndex(
                writer.snapshot, field: field, contacts: match == .emailOrSubscription
            ) { match.normalized($0, schema) }
        }
        guard let found = profiles?.find(key) else { return nil }
        if found.isAmbiguous { summary.ambiguous += 1 }
        return found.row
    }

    private mutating func row(
        ofDevice device: [UInt8], _ summary: inout LoadSummary
    ) throws(WinnowError) -> Row? {
        guard let field = parser.device?.field else { return nil }
        if devices == nil {
            devices = try ProfileIndex(writer.snapshot, field: field, contacts: false) { $0 }
        }
        guard let found = devices?.find(ProfileIndex.Key(device)) else { return nil }
        if found.isAmbiguous { summary.ambiguous += 1 }
        return found.row
    }

    private func row(ofID id: [UInt8]) -> Row? {
        unsafe id.withUnsafeBytes {
            unsafe pending.profiles.find($0, hash: stringHash($0)).map(Row.init(rawValue:))
        }
    }

    private mutating func create(
        _ profile: FeedContent.Profile, _ own: Mapping.Profile, _ summary: inout LoadSummary
    ) throws(WinnowError) -> Found {
        var id = profile.id ?? []
        if id.isEmpty, let key = profile.key {
            id = own.match == .id ? profile.value : FeedLoading.id(own.name, key)
        }
        if id.isEmpty, let device = profile.device {
            id = FeedLoading.id(FeedParser.deviceName, device)
        }
        var suffix = 1
        var free = id
        while row(ofID: free) != nil {
            suffix += 1
            let end = Array("-\(suffix)".utf8)
            free = Array(id.prefix(LoadLimits.id - end.count)) + end
        }
        let row = unsafe free.withUnsafeBytes { unsafe pending.profiles.intern($0) }
        guard let row else { throw .usage("the store has no room for more profiles") }
        summary.new += 1
        return Found(row: Row(rawValue: row), isNew: true)
    }

    /// An id that does not tell the value.
    private static func id(_ match: String, _ value: [UInt8]) -> [UInt8] {
        var digest = SHA256()
        unsafe value.withUnsafeBytes { unsafe digest.update($0) }
        let digits = Array("0123456789abcdef".utf8)
        let hex = digest.finish().prefix(16).flatMap {
            [digits[Int($0 >> 4)], digits[Int($0 & 15)]]
        }
        return Array("\(match)-".utf8) + hex
    }

    /// Takes note of what later rows may find the profile by.
    private mutating func note(
        _ profile: FeedContent.Profile, _ found: Found, isWritten: Bool
    ) {
        func key(_ value: [UInt8]) -> ProfileIndex.Key? {
            value.isEmpty ? nil : ProfileIndex.Key(value)
        }
        if isWritten, let own = profile.newKey {
            profiles?.set(found.row, key(own))
        } else if found.isNew, let own = profile.indexed {
            profiles?.set(found.row, own)
        }
        if isWritten, let device = profile.newDevice { devices?.set(found.row, key(device)) }
        guard parser.mapping.profile?.match == .emailOrSubscription else { return }
        for (address, whom) in profile.contacts
        where FeedMarks.isFor(FeedMarks.mark(whom), isNew: found.isNew) {
            profiles?.add(found.row, ProfileIndex.Key(address))
        }
    }

    /// Stores on new profiles what they were looked for by, where the row's columns do not.
    private mutating func storeKeys(of profiles: [FeedContent.Profile], _ found: [Found?]) {
        guard let field = parser.mapping.profile?.match.field(schema) else { return }
        for (profile, found) in zip(profiles, found) {
            guard let found, found.isNew, profile.key != nil, profile.newKey == nil else {
                continue
            }
            unsafe profile.value.withUnsafeBytes {
                unsafe fields.set(field: field, row: found.row, text: $0)
            }
        }
    }

    // MARK: Records

    private mutating func gatherRecords(
        _ content: FeedContent, _ found: [Found?], _ summary: inout LoadSummary
    ) throws(WinnowError) {
        var content = content
        content.events.settle { record, profile in
            guard let found = found[Int(profile)] else { return .drop }
            var record = record
            record.row = found.row
            return .keep(record)
        }
        content.subscriptions.settle { record, profile in
            guard let found = found[Int(profile)],
                FeedMarks.isFor(record.count, isNew: found.isNew)
            else { return .drop }
            var record = record
            record.row = found.row
            record.count = FeedMarks.choice(record.count)
            return .keep(record)
        }
        content.goals.settle { record, profile in
            var record = record
            let mayBeAnonymous = record.count == FeedMarks.anonymous
            record.count = 1
            guard let found = found[Int(profile)] else {
                return mayBeAnonymous ? .anonymous(record) : .drop
            }
            record.row = found.row
            return .keep(record)
        }
        let eventCount = try events.add(content.events, to: &pending)
        let goalCount = try goals.add(content.goals, to: &pending)
        let subscriptionCount = try subscriptions.add(content.subscriptions, to: &pending)
        summary.new += eventCount + goalCount
        for (kind, count) in [
            ("events", eventCount), ("goals", goalCount), ("subscriptions", subscriptionCount),
        ] where count > 0 {
            summary.kinds[kind, default: 0] += count
        }
    }

    private mutating func spill() throws(WinnowError) {
        try pending.spill(&fields, schema, writer)
        try events.spill(writer, memory: memory, to: &pending)
        try subscriptions.spill(writer, memory: memory, to: &pending)
        try goals.spill(writer, memory: memory, to: &pending)
        try writer.spillStrings(of: &pending, above: memory / 16)
    }

    mutating func batch() throws(WinnowError) -> Batch {
        if !pending.fields.isEmpty { try spill() }
        pending.take(&fields, schema)
        try events.finish(writer, memory: memory, to: &pending)
        try subscriptions.finish(writer, memory: memory, to: &pending)
        try goals.finish(writer, memory: memory, to: &pending)
        return pending
    }

    func finish(_ summary: inout LoadSummary) throws(WinnowError) {
        for (entry, nothing) in zip(parser.mapping.entries, yieldedNothing) {
            summary.yieldedNothing.append(.init(entry: entry.name, rows: nothing))
        }
        let idle = zip(parser.mapping.entries, yielded).first { $0.1 == 0 }
        guard let idle, !allowsEmptyEntries else { return }
        throw .badData(
            file: "mapping", line: nil, column: nil, code: .idleEntry,
            reason:
                "\(idle.0.name) had nothing of any row; mend it, or allow entries that are empty")
    }
}

extension FeedContent {
    fileprivate var hasAnonymousGoals: Bool {
        goals.types.contains { $0.events.contains { $0.count == FeedMarks.anonymous } }
    }
}
