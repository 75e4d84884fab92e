import WinnowFormat
import WinnowModel

/// A saved segment as it is stored.
package struct StoredSegment: Sendable, Hashable {
    package var name: [UInt8]
    /// Whether there is none of the name any more.
    package var isRemoved = false
    /// The number of its list; zero for a dynamic one.
    package var list: UInt32 = 0
    /// What happened before is forgotten; the least number for nothing.
    package var horizon = Int64.min
    package var description: [UInt8]?
    /// The rule as a document of JSON; nil for a list of ids.
    package var rule: [UInt8]?

    package init(name: [UInt8]) { self.name = name }

    package var isStatic: Bool { list != 0 }
}

/// One time at which the members of a list were found anew.
package struct StoredRefresh: Sendable, Hashable {
    package var list: UInt32
    /// As of which instant.
    package var asOf: Int64
    package var entered, left, members: Int64

    package init(list: UInt32, asOf: Int64, entered: Int64, left: Int64, members: Int64) {
        self.list = list
        self.asOf = asOf
        self.entered = entered
        self.left = left
        self.members = members
    }
}

/// Saved segments, and when their lists were refreshed. A segment in a later part replaces the one
/// of the same name in an earlier part; refreshes follow each other.
///
///     definitions = next:u32 count:u32 size:u64 length:u64 zstd frame of segment …
///     segment     = name:string flags:u32 list:u32 horizon:i64 [description:string] [rule:string]
///     refreshes   = lists times entered left members                          packed columns
///
/// `next` is the first list number that no segment ever had. Flags: 1 removed, 2 a description,
/// 4 a rule.
package struct SegmentsPart: Sendable {
    package var segments: [StoredSegment] = []
    package var refreshes: [StoredRefresh] = []
    package var nextList: UInt32 = 1

    package init() {}

    package init(_ file: PartFile) throws(WinnowError) {
        var reader = try file.reader(.definitions)
        nextList = try reader.take(UInt32.self)
        let count = try reader.take(UInt32.self)
        let size = Int(clamping: try reader.take(UInt64.self))
        let frame = try unsafe reader.take(bytes: Int(clamping: try reader.take(UInt64.self)))
        let bytes = try unsafe Zstd.decompress(frame, size: size, of: file.path)
        segments = try unsafe bytes.withUnsafeBytesThrowing { (raw) throws(WinnowError) in
            var reader = unsafe ByteReader(raw, of: file.path, "segments")
            var segments: [StoredSegment] = []
            for _ in 0..<count { segments.append(try StoredSegment(&reader)) }
            guard unsafe reader.rest.isEmpty else {
                throw reader.damage("they are longer than they say")
            }
            return segments
        }
        var columns = try file.reader(.refreshes)
        let lists = try PackedColumn(&columns)
        let times = try PackedColumn(&columns)
        let entered = try PackedColumn(&columns)
        let left = try PackedColumn(&columns)
        let members = try PackedColumn(&columns)
        guard [times, entered, left, members].allSatisfy({ $0.count == lists.count }) else {
            throw columns.damage("columns of the wrong length")
        }
        for i in 0..<lists.count {
            refreshes.append(
                StoredRefresh(
                    list: UInt32(truncatingIfNeeded: lists[i]), asOf: times[i], entered: entered[i],
                    left: left[i], members: members[i]))
        }
        let possible = Instant.possibleMilliseconds
        guard segments.allSatisfy({ $0.list < nextList && $0.isSound }),
            refreshes.allSatisfy({ $0.list < nextList && possible.contains($0.asOf) })
        else { throw .damaged(file: file.path, what: "an impossible segment") }
    }

    /// Adds what a later part says.
    package mutating func add(_ later: SegmentsPart) {
        var places: [[UInt8]: Int] = [:]
        for (i, segment) in segments.enumerated() { places[segment.name] = i }
        for segment in later.segments {
            if let place = places[segment.name] {
                segments[place] = segment
            } else {
                places[segment.name] = segments.count
                segments.append(segment)
            }
        }
        refreshes += later.refreshes
        nextList = max(nextList, later.nextList)
    }

    /// Forgets segments that were removed, and refreshes of lists that are no segment's; the part
    /// must speak of all of a store.
    package mutating func forgetRemoved() {
        segments.removeAll(where: \.isRemoved)
        let lists = Set(segments.map(\.list))
        refreshes.removeAll { !lists.contains($0.list) }
    }

    /// Forgets the refreshes before an instant but for the last of each list.
    package mutating func forget(before horizon: Int64) {
        var last: [UInt32: Int] = [:]
        for (i, refresh) in refreshes.enumerated() { last[refresh.list] = i }
        refreshes = refreshes.enumerated().filter {
            $0.element.asOf >= horizon || last[$0.element.list] == $0.offset
        }.map(\.element)
    }

    package func write(to part: PartWriter) throws(WinnowError) -> PartReference {
        var body = ByteWriter()
        for segment in segments { segment.append(to: &body) }
        let frame = try Zstd.compress(body.bytes[...])
        var head = ByteWriter()
        head.put(nextList)
        head.put(UInt32(clamping: segments.count))
        head.put(UInt64(body.bytes.count))
        head.put(UInt64(frame.count))
        try part.begin(.definitions)
        try part.append(head.bytes + frame)
        var columns = ByteWriter()
        PackedColumn.append(refreshes.map { Int64($0.list) }, to: &columns)
        PackedColumn.append(refreshes.map(\.asOf), to: &columns)
        PackedColumn.append(refreshes.map(\.entered), to: &columns)
        PackedColumn.append(refreshes.map(\.left), to: &columns)
        PackedColumn.append(refreshes.map(\.members), to: &columns)
        try part.begin(.refreshes)
        try part.append(columns.bytes)
        return try part.finish()
    }
}

extension StoredSegment {
    private static let removed: UInt32 = 1
    private static let described: UInt32 = 2
    private static let ruled: UInt32 = 4

    fileprivate init(_ reader: inout ByteReader) throws(WinnowError) {
        name = try reader.takeString()
        let flags = try reader.take(UInt32.self)
        isRemoved = flags & StoredSegment.removed != 0
        list = try reader.take(UInt32.self)
        horizon = try reader.take(Int64.self)
        description = flags & StoredSegment.described != 0 ? try reader.takeString() : nil
        rule = flags & StoredSegment.ruled != 0 ? try reader.takeString() : nil
    }

    fileprivate func append(to out: inout ByteWriter) {
        out.put(string: name)
        out.put(
            (isRemoved ? StoredSegment.removed : 0)
                | (description == nil ? 0 : StoredSegment.described)
                | (rule == nil ? 0 : StoredSegment.ruled))
        out.put(list)
        out.put(horizon)
        if let description { out.put(string: description) }
        if let rule { out.put(string: rule) }
    }

    /// Whether it can be: texts are UTF-8, and a dynamic segment has a rule.
    fileprivate var isSound: Bool {
        (1...255).contains(name.count) && (isRemoved || isStatic || rule != nil)
            && [name, description ?? [], rule ?? []].allSatisfy {
                String(validating: $0, as: UTF8.self) != nil
            }
    }
}
