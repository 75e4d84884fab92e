import WinnowCKernels
import WinnowFormat
import WinnowModel

/// What strings are numbered for. The raw value is stored; never renumber.
package enum Namespace: UInt32, Sendable, CaseIterable {
    /// External profile ids; the code is the row. In parts of kind `keys`.
    case profile = 1
    case campaign, template, link
    /// Ids of batches, in parts of kind `batches`.
    case batch
    /// Of goals.
    case pixel, goal
    /// Of subscriptions.
    case resource, provider, contact

    /// Those that a dictionary part holds.
    package static let names: [Namespace] = [
        .campaign, .template, .link, .pixel, .goal, .resource, .provider, .contact,
    ]
}

/// Strings with dense codes, found by bytes or by code. Codes are given once, in order, and never
/// change; a store's table is the concatenation of its parts' tables.
///
///     strings = tables:u32 0:u32 (namespace:u32 first:u32 count:u32 0:u32 offset:u64 length:u64) … table …
///     table   = bits:u32 0:u32 ends starts entries text
///     ends    = packed column: where string i ends in text
///     starts  = packed column of 2^bits + 1: the first entry of each bucket
///     entries = packed column: the 16 bits of the hash after the bucket's, then the index of the string
///
/// The bucket of a string is the first `bits` bits of its XXH64; hashes only narrow the search,
/// bytes decide. A string that was purged leaves its code, with no bytes and no entry.
package final class StringTable: Sendable {
    /// What is looked at to find a string.
    @safe struct Columns: @unchecked Sendable {
        let first: UInt32
        let count: Int
        let bits: Int
        let ends, starts, entries: PackedColumn
        let text: UnsafeRawBufferPointer
    }

    fileprivate let columns: Columns
    private let file: PartFile
    package var first: UInt32 { columns.first }
    package var count: Int { columns.count }

    static let fragmentBits = 16
    /// Strings per bucket, on average.
    static let bucketSize = 4

    /// The table of a namespace, nil when the part has none.
    package init?(_ file: PartFile, _ namespace: Namespace) throws(WinnowError) {
        // Only the tables that are asked for are touched, and so verified.
        guard let bytes = try unsafe StringTable.bytes(of: namespace, in: file) else { return nil }
        try unsafe file.verify(bytes.table)
        columns = unsafe try Columns(bytes.table, bytes.first, bytes.count, of: file)
        self.file = file
    }

    /// The table of a namespace, not verified, with its first code and how many there are.
    fileprivate static func bytes(
        of namespace: Namespace, in file: PartFile
    ) throws(WinnowError) -> (table: UnsafeRawBufferPointer, first: UInt32, count: Int)? {
        guard file.size(of: .strings) > 0 else { return nil }
        let tables = try unsafe file.bytes(.strings, 0, 4).loadUnaligned(as: UInt32.self)
            .littleEndian
        var reader = unsafe ByteReader(
            try file.bytes(.strings, 8, Int(tables) * 32), of: file.path, "string tables")
        for _ in 0..<tables {
            let name = try reader.take(UInt32.self)
            let first = try reader.take(UInt32.self)
            let count = Int(try reader.take(UInt32.self))
            _ = try reader.take(UInt32.self)
            let offset = Int(clamping: try reader.take(UInt64.self))
            let length = Int(clamping: try reader.take(UInt64.self))
            guard name == namespace.rawValue else { continue }
            let table = try unsafe file.unverifiedBytes(.strings, offset, length)
            return unsafe (table, first, count)
        }
        return nil
    }

    /// The code of a string, nil when it is not in the table, or only under codes that are hidden.
    /// Complexity: O(1) on average.
    package func code(
        of bytes: UnsafeRawBufferPointer, hash: UInt64, hiding erased: ErasedRows? = nil
    ) -> UInt32? {
        unsafe columns.code(of: bytes, hash: hash, hiding: erased.map(HiddenCodes.init))
    }

    /// Whether the index has so many entries, and the text ends where the last string does.
    func hasEntries(_ count: Int) -> Bool {
        unsafe columns.entries.count == count
            && columns.text.count == (columns.count == 0 ? 0 : Int(columns.ends[columns.count - 1]))
    }

    /// The string at an index (its code less `first`), empty when the table is damaged there.
    package func bytes(_ index: Int) -> UnsafeRawBufferPointer { unsafe columns.bytes(index) }

    static func fragment(_ hash: UInt64, _ bits: Int) -> UInt64 {
        (hash << UInt64(bits)) >> UInt64(64 - fragmentBits)
    }
    static func indexWidth(_ count: Int) -> Int { Packing.width(of: UInt64(max(0, count - 1))) }
}

/// Codes that are not found any more, as a bit each; counts no references.
@safe struct HiddenCodes {
    let bits: UnsafePointer<UInt64>
    let capacity: Int

    init(_ erased: ErasedRows) {
        unsafe bits = unsafe UnsafePointer(erased.bits)
        capacity = erased.capacity
    }

    func contains(_ code: UInt32) -> Bool {
        unsafe Int(code) < capacity && bits[Int(code >> 6)] >> UInt64(code & 63) & 1 == 1
    }
}

extension StringTable.Columns {
    fileprivate init(
        _ bytes: UnsafeRawBufferPointer, _ first: UInt32, _ count: Int, of file: PartFile
    ) throws(WinnowError) {
        var table = unsafe ByteReader(bytes, of: file.path, "string table")
        bits = Int(try table.take(UInt32.self))
        _ = try table.take(UInt32.self)
        ends = try PackedColumn(&table)
        starts = try PackedColumn(&table)
        entries = try PackedColumn(&table)
        unsafe text = unsafe table.rest
        self.first = first
        self.count = count
        guard bits < 32, UInt64(first) + UInt64(count) < UInt64(UInt32.max),
            ends.count == count,
            entries.count <= count, starts.count == (1 << bits) + 1
        else {
            throw table.damage("columns of the wrong length")
        }
    }

    /// - Parameter verify: called with what is about to be looked at.
    @inline(__always)
    fileprivate func code<E>(
        of bytes: UnsafeRawBufferPointer, hash: UInt64, hiding hidden: HiddenCodes?,
        verify: (UnsafeRawBufferPointer) throws(E) -> Void
    ) throws(E) -> UInt32? {
        let bucket = bits == 0 ? 0 : Int(hash >> UInt64(64 - bits))
        let fragment = StringTable.fragment(hash, bits)
        let width = StringTable.indexWidth(count)
        try unsafe verify(starts.bytes(of: bucket..<bucket + 2))
        var i = max(0, Int(starts[bucket]))
        let end = min(Int(starts[bucket + 1]), entries.count)
        if i < end { try unsafe verify(entries.bytes(of: i..<end)) }
        while i < end {
            let entry = UInt64(bitPattern: entries[i])
            if entry >> UInt64(width) == fragment {
                let index = Int(entry & ((1 << UInt64(width)) &- 1))
                if index < count,
                    unsafe try self.bytes(index, verify: verify).elementsEqual(bytes),
                    hidden?.contains(first + UInt32(index)) != true
                {
                    return first + UInt32(index)
                }
            }
            i += 1
        }
        return nil
    }

    func code(
        of bytes: UnsafeRawBufferPointer, hash: UInt64, hiding hidden: HiddenCodes?
    ) -> UInt32? {
        unsafe code(of: bytes, hash: hash, hiding: hidden) { _ in }
    }

    @inline(__always)
    fileprivate func bytes<E>(
        _ index: Int, verify: (UnsafeRawBufferPointer) throws(E) -> Void
    ) throws(E) -> UnsafeRawBufferPointer {
        try unsafe verify(ends.bytes(of: max(0, index - 1)..<index + 1))
        let start = index == 0 ? 0 : Int(ends[index - 1])
        let bytes =
            unsafe text.slice(start, Int(ends[index]) &- start)
            ?? UnsafeRawBufferPointer(start: nil, count: 0)
        try unsafe verify(bytes)
        return unsafe bytes
    }

    func bytes(_ index: Int) -> UnsafeRawBufferPointer {
        unsafe bytes(index) { _ in }
    }
}

/// The strings of a namespace in all parts of a snapshot, where a few are asked for: only the pages
/// that are looked at are verified.
package struct FewStrings: Sendable {
    private let tables: [(columns: StringTable.Columns, file: PartFile)]
    private let erased: ErasedRows?

    /// - Parameter erased: profiles whose ids are not found any more.
    package init(
        _ files: [PartFile], _ namespace: Namespace, hiding erased: ErasedRows? = nil
    ) throws(WinnowError) {
        self.erased = erased
        var tables: [(columns: StringTable.Columns, file: PartFile)] = []
        for file in files {
            guard let bytes = try unsafe StringTable.bytes(of: namespace, in: file) else {
                continue
            }
            let columns = try unsafe StringTable.Columns(
                bytes.table, bytes.first, bytes.count, of: file)
            // What was read so far.
            var (start, size) = (0, 8)
            for column in [columns.ends, columns.starts, columns.entries] {
                size += PackedColumn.headerSize
                try unsafe file.verify(bytes.table.slice(start, size) ?? bytes.table)
                (start, size) = (start + size - PackedColumn.headerSize + column.byteCount, 0)
            }
            tables.append((columns, file))
        }
        self.tables = tables
    }

    /// Codes given so far.
    package var count: Int { tables.last.map { Int($0.columns.first) + $0.columns.count } ?? 0 }

    /// The code of a string; nil when it has none.
    package func code(of text: String) throws(WinnowError) -> UInt32? {
        try code(of: Array(text.utf8))
    }

    package func code(of bytes: [UInt8]) throws(WinnowError) -> UInt32? {
        let hash = unsafe bytes.withUnsafeBytes { unsafe stringHash($0) }
        for (columns, file) in tables {
            let code = try unsafe bytes.withUnsafeBufferPointer { (bytes) throws(WinnowError) in
                try unsafe columns.code(
                    of: UnsafeRawBufferPointer(bytes), hash: hash,
                    hiding: erased.map(HiddenCodes.init)
                ) { (some) throws(WinnowError) in try unsafe file.verify(some) }
            }
            if let code { return code }
        }
        return nil
    }

    /// The string of a code; empty for one that was never given, and when it was purged.
    package func text(_ code: UInt32) throws(WinnowError) -> String {
        for (columns, file) in tables
        where code >= columns.first && Int(code - columns.first) < columns.count {
            return unsafe String(
                decoding: try columns.bytes(Int(code - columns.first)) {
                    (some) throws(WinnowError) in try unsafe file.verify(some)
                }, as: UTF8.self)
        }
        return ""
    }
}

/// The strings of a namespace in all parts of a snapshot.
package struct StringTables: Sendable {
    package let tables: [StringTable]
    private let lookup: Lookup
    /// Whose codes are not found any more.
    private let erased: ErasedRows?

    /// The tables' columns in memory that no references are counted for: threads look strings up
    /// all the time.
    @safe private final class Lookup: Sendable {
        nonisolated(unsafe) let columns: UnsafeMutableBufferPointer<StringTable.Columns>
        nonisolated(unsafe) let hidden: HiddenCodes?
        let index: StringIndex?

        init(_ tables: [StringTable], hiding erased: ErasedRows?, indexed: Bool) {
            unsafe hidden = erased.map(HiddenCodes.init)
            unsafe columns = .allocate(capacity: tables.count)
            _ = unsafe columns.initialize(from: tables.map(\.columns))
            unsafe index = indexed ? StringIndex(columns, hiding: hidden) : nil
        }

        deinit { unsafe columns.deallocate() }
    }

    /// - Parameter erased: profiles whose ids are not found any more.
    package init(
        _ files: [PartFile], _ namespace: Namespace, hiding erased: ErasedRows? = nil
    ) throws(WinnowError) {
        var tables: [StringTable] = []
        for file in files {
            if let table = try StringTable(file, namespace) { tables.append(table) }
        }
        self.init(tables, hiding: erased)
    }

    private init(_ tables: [StringTable], hiding erased: ErasedRows?, indexed: Bool = false) {
        self.tables = tables
        self.erased = erased
        lookup = Lookup(tables, hiding: erased, indexed: indexed)
    }

    /// The same with an index of all strings in memory, where the system has memory for it: `find`
    /// then takes half the time.
    package var indexed: StringTables { StringTables(tables, hiding: erased, indexed: true) }

    package var isIndexed: Bool { lookup.index != nil }

    /// What an index of all strings takes, in bytes.
    package var indexSize: Int { StringIndex.byteCount(count) }

    /// With the tables of a newer part.
    func appending(_ file: PartFile, _ namespace: Namespace) throws(WinnowError) -> StringTables {
        guard let table = try StringTable(file, namespace) else { return self }
        return StringTables(tables + [table], hiding: erased)
    }

    /// Codes given so far.
    package var count: Int { tables.last.map { Int($0.first) + $0.count } ?? 0 }

    package func code(of bytes: UnsafeRawBufferPointer) -> UInt32? {
        unsafe code(of: bytes, hash: stringHash(bytes))
    }

    package func code(of bytes: UnsafeRawBufferPointer, hash: UInt64) -> UInt32? {
        let columns = unsafe lookup.columns
        for i in 0..<columns.count {
            if let code = unsafe columns[i].code(of: bytes, hash: hash, hiding: lookup.hidden) {
                return code
            }
        }
        return nil
    }

    /// The codes of many strings, as `code(of:hash:)` finds them one by one.
    /// - Parameter wanted: numbers of the strings that are looked for; the others' codes stay.
    package func find(
        _ strings: [UnsafeRawBufferPointer], _ hashes: [UInt64], _ wanted: [Int],
        _ codes: inout [UInt32?]
    ) {
        if let index = lookup.index { return unsafe index.find(strings, hashes, wanted, &codes) }
        let columns = unsafe lookup.columns
        var missing = wanted
        for i in 0..<columns.count where !missing.isEmpty {
            unsafe columns[i].find(strings, hashes, &missing, &codes, hiding: lookup.hidden)
        }
    }

    package func code(of bytes: [UInt8]) -> UInt32? {
        unsafe bytes.withUnsafeBytes { unsafe code(of: $0) }
    }

    package func code(of text: String) -> UInt32? {
        var text = text
        return text.withUTF8 { unsafe code(of: UnsafeRawBufferPointer($0)) }
    }

    /// The string of a code, nil when the code was never given; empty when it was purged.
    package func bytes(_ code: UInt32) -> UnsafeRawBufferPointer? {
        let columns = unsafe lookup.columns
        for i in 0..<columns.count
        where unsafe code >= columns[i].first && Int(code - columns[i].first) < columns[i].count {
            return unsafe columns[i].bytes(Int(code - columns[i].first))
        }
        return nil
    }
}

package func stringHash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    unsafe ck_xxh64(bytes.baseAddress, bytes.count, 0)
}
