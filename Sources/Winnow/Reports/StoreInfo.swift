import WinnowColumns
import WinnowFormat
import WinnowJSON
import WinnowModel
import WinnowStorage

/// What a store holds.
public struct StoreInfo: Sendable {
    /// The number of the version.
    public var version: UInt64
    /// Profiles that are not erased.
    public var profiles: Int
    /// Events that are not forgotten.
    public var events: Int
    /// Records of subscriptions.
    public var subscriptions: Int
    /// Goals of profiles that are not forgotten, and goals of nobody.
    public var goals, anonymousGoals: Int
    /// Segments that are saved.
    public var segments: Int
    /// Erased profiles whose values are still in files; none after a compaction.
    public var erased: Int
    /// Part files of the version.
    public var parts: Int
    /// Bytes of events; of field values; of campaigns and templates; of ids and names; of the rest.
    public var activityBytes, profileBytes, catalogueBytes, indexBytes, otherBytes: Int
    /// When the first and the last event were; nil without events.
    public var firstEvent, lastEvent: Instant?
    /// The format of its files.
    public var format: UInt32
}

extension Snapshot {
    /// Totals of the store; every part is opened, so a missing or shortened one is reported.
    /// Complexity: O(parts), but O(events) from when something is forgotten until the store is
    /// compacted.
    public func info() throws(WinnowError) -> StoreInfo {
        let manifest = snapshot.manifest
        func bytes(_ share: StoreShare) -> Int {
            manifest.parts.filter { $0.kind.share == share }.reduce(0) {
                $0 + Int(clamping: $1.length)
            }
        }
        for kind in PartKind.allCases { _ = try snapshot.files(kind) }
        let erased = snapshot.erased
        let unpurged = erased.flatMap { $0.isPurged ? nil : $0 }
        var types: [(events: Int, minimum: Int64, maximum: Int64)] = []
        for part in try snapshot.activity() {
            for index in part.types.values {
                types.append(try part.remaining(index, without: unpurged))
            }
        }
        types.removeAll { $0.events == 0 }
        func goals(_ type: RecordType) throws(WinnowError) -> Int {
            var goals = 0
            for part in try snapshot.goals() {
                guard let index = part.types[type] else { continue }
                goals += try part.remaining(index, without: unpurged).events
            }
            return goals
        }
        return StoreInfo(
            version: manifest.version, profiles: snapshot.live,
            events: types.reduce(0) { $0 + $1.events },
            subscriptions: try SubscriptionRecords(try snapshot.subscriptions())
                .count(without: unpurged),
            goals: try goals(.goal), anonymousGoals: try goals(.anonymousGoal),
            segments: try snapshot.savedSegments().all.count,
            erased: erased.map { $0.count - $0.purged } ?? 0,
            parts: manifest.parts.count, activityBytes: bytes(.activity),
            profileBytes: bytes(.profiles),
            catalogueBytes: bytes(.catalogue), indexBytes: bytes(.index),
            otherBytes: manifest.encoded.count + bytes(.other),
            firstEvent: types.map(\.minimum).min().map(Instant.init(milliseconds:)),
            lastEvent: types.map(\.maximum).max().map(Instant.init(milliseconds:)),
            format: Manifest.format)
    }
}

/// Where the bytes of a store are.
public struct StoreDetail: Sendable {
    /// A section of all parts of one kind.
    public struct Section: Sendable {
        /// The kind of part.
        public var kind: String
        /// The section.
        public var name: String
        /// Its bytes, in all parts of the kind.
        public var bytes: Int
    }

    /// What all parts have of one event type.
    public struct EventTypeDetail: Sendable {
        /// The event type.
        public var type: EventType
        /// Events that are not forgotten.
        public var events: Int
        /// Leaves (campaign, template, people or machines, perhaps month) of all parts.
        public var leaves: Int
        /// Of chunks, summaries and tables.
        public var bytes: Int
        /// When the first and the last event were.
        public var firstEvent, lastEvent: Instant
    }

    /// By kind, then name.
    public var sections: [Section]
    /// By channel, then event.
    public var eventTypes: [EventTypeDetail]
}

extension Snapshot {
    /// Bytes per section and per event type; what is forgotten counts until the store is compacted.
    /// Complexity: O(parts + blocks of each event type).
    public func detail() throws(WinnowError) -> StoreDetail {
        var sections: [StoreDetail.Section] = []
        for kind in PartKind.allCases {
            var sizes: [SectionTag: Int] = [:]
            for file in try snapshot.files(kind) { sizes.merge(file.sectionSizes) { $0 + $1 } }
            for (tag, bytes) in sizes.sorted(by: { "\($0.key)" < "\($1.key)" }) {
                sections.append(.init(kind: kind.name, name: "\(tag)", bytes: bytes))
            }
        }
        var types: [EventType: StoreDetail.EventTypeDetail] = [:]
        for part in try snapshot.activity() {
            for index in part.types.values where index.events > 0 {
                guard case .event(let type) = index.type else { continue }
                let first = Instant(milliseconds: index.minimum)
                let last = Instant(milliseconds: index.maximum)
                var detail =
                    types[type]
                    ?? .init(
                        type: type, events: 0, leaves: 0, bytes: 0, firstEvent: first,
                        lastEvent: last)
                detail.events += index.events
                detail.leaves += index.leafCount
                detail.bytes += try part.size(of: index)
                detail.firstEvent = min(detail.firstEvent, first)
                detail.lastEvent = max(detail.lastEvent, last)
                types[type] = detail
            }
        }
        return StoreDetail(
            sections: sections, eventTypes: types.values.sorted { $0.type < $1.type })
    }
}

extension StoreInfo {
    /// What `info` prints: the totals, and the detail where it is given.
    package func json(_ detail: StoreDetail?) -> String {
        var json = JSONWriter()
        json.object { json in
            json.member("version", version)
            json.member("profiles", profiles)
            json.member("events", events)
            json.member("subscriptions", subscriptions)
            json.member("goals", goals)
            json.member("anonymous_goals", anonymousGoals)
            json.member("segments", segments)
            json.member("erased", erased)
            json.member("parts", parts)
            json.member("bytes") {
                $0.object {
                    $0.member("activity", activityBytes)
                    $0.member("profiles", profileBytes)
                    $0.member("catalogue", catalogueBytes)
                    $0.member("index", indexBytes)
                    $0.member("other", otherBytes)
                }
            }
            json.member("first_event", firstEvent?.description)
            json.member("last_event", lastEvent?.description)
            json.member("format", format)
            if let detail { json.member("detail") { detail.write(to: &$0) } }
        }
        return json.text
    }
}

extension StoreDetail: JSONWritable {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("sections") {
                $0.array(sections) { json, section in
                    json.object {
                        $0.member("kind", section.kind)
                        $0.member("section", section.name)
                        $0.member("bytes", section.bytes)
                    }
                }
            }
            json.member("event_types") {
                $0.array(eventTypes) { json, type in
                    json.object {
                        $0.member("channel", type.type.channel.name)
                        $0.member("event", type.type.event.name)
                        $0.member("events", type.events)
                        $0.member("leaves", type.leaves)
                        $0.member("bytes", type.bytes)
                        $0.member("first_event", type.firstEvent.description)
                        $0.member("last_event", type.lastEvent.description)
                    }
                }
            }
        }
    }
}
