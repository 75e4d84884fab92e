import CKernels
import Format
import Model

/// What strings are numbered for. The raw value is stored; never renumber.
package enum Namespace: UInt32, Sendable, CaseIterable {
    /// External profile ids; the code is the row. In parts of kind `keys`.
    case profile = 1
    case campaign, template, link
    /// Ids of batches, in parts of kind `batches`.
    case batch

    /// Those that a dictionary part holds.
    package static let names: [Namespace] = [.campaign, .template, .link]
}

/// Strings with dense codes, found by bytes or by code. Codes are given once, in order, and never change; a store's
/// table is the concatenation of its parts' tables.
///
///     strings = tables:u32 0:u32 (namespace:u32 first:u32 count:u32 0:u32 offset:u64 length:u64) … table …
///     table   = bits:u32 0:u32 ends starts entries text
///     ends    = packed column: where string i ends in text
///     starts  = packed column of 2^bits + 1: the first entry of each bucket
///     entries = packed column: the 16 bits of the hash after the bucket's, then the index of the string
///
/// The bucket of a string is the first `bits` bits of its XXH64; hashes only narrow the search, bytes decide.
package final class StringTable: Sendable {
    package let first: UInt32
    package let count: Int
    private let bits: Int
    private let ends, starts, entries: PackedColumn
    private let text: UnsafeRawSlice
    private let file: PartFile

    private struct UnsafeRawSlice: @unchecked Sendable { let bytes: UnsafeRawBufferPointer }

    static let fragmentBits = 16
    /// Strings per bucket, on average.
    static let bucketSize = 4

    /// The table of a namespace, nil when the part has none.
    package init?(_ file: PartFile, _ namespace: Namespace) throws(WinnowError) {
        // Only the tables that are asked for are touched, and so verified.
        guard file.size(of: .strings) > 0 else { return nil }
        let tables = try file.bytes(.strings, 0, 4).loadUnaligned(as: UInt32.self).littleEndian
        var reader = ByteReader(try file.bytes(.strings, 8, Int(tables) * 32), of: file.path, "string tables")
        for _ in 0..<tables {
            let name = try reader.take(UInt32.self), first = try reader.take(UInt32.self)
            let count = Int(try reader.take(UInt32.self))
            _ = try reader.take(UInt32.self)
            let offset = Int(clamping: try reader.take(UInt64.self))
            let length = Int(clamping: try reader.take(UInt64.self))
            guard name == namespace.rawValue else { continue }
            var table = ByteReader(try file.bytes(.strings, offset, length), of: file.path, "string table")
            bits = Int(try table.take(UInt32.self))
            _ = try table.take(UInt32.self)
            ends = try PackedColumn(&table)
            starts = try PackedColumn(&table)
            entries = try PackedColumn(&table)
            text = UnsafeRawSlice(bytes: table.rest)
            self.first = first
            self.count = count
            self.file = file
            guard bits < 32, ends.count == count, entries.count == count, starts.count == (1 << bits) + 1 else {
                throw table.damage("columns of the wrong length")
            }
            return
        }
        return nil
    }

    /// The code of a string, nil when it is not in the table. Complexity: O(1) on average.
    package func code(of bytes: UnsafeRawBufferPointer, hash: UInt64) -> UInt32? {
        let bucket = bits == 0 ? 0 : Int(hash >> UInt64(64 - bits))
        let fragment = StringTable.fragment(hash, bits)
        let width = StringTable.indexWidth(count)
        var i = Int(starts[bucket])
        let end = min(Int(starts[bucket + 1]), count)
        while i < end, i >= 0 {
            let entry = UInt64(bitPattern: entries[i])
            if entry >> UInt64(width) == fragment {
                let index = Int(entry & ((1 << UInt64(width)) &- 1))
                if index < count, self.bytes(index).elementsEqual(bytes) { return first + UInt32(index) }
            }
            i += 1
        }
        return nil
    }

    /// The string at an index (its code less `first`), empty when the table is damaged there.
    package func bytes(_ index: Int) -> UnsafeRawBufferPointer {
        let start = index == 0 ? 0 : Int(ends[index - 1])
        return text.bytes.slice(start, Int(ends[index]) - start) ?? UnsafeRawBufferPointer(start: nil, count: 0)
    }

    static func fragment(_ hash: UInt64, _ bits: Int) -> UInt64 { (hash << UInt64(bits)) >> UInt64(64 - fragmentBits) }
    static func indexWidth(_ count: Int) -> Int { Packing.width(of: UInt64(max(0, count - 1))) }
}

/// The strings of a namespace in all parts of a snapshot.
package struct StringTables: Sendable {
    package let tables: [StringTable]

    package init(_ files: [PartFile], _ namespace: Namespace) throws(WinnowError) {
        var tables: [StringTable] = []
        for file in files { if let table = try StringTable(file, namespace) { tables.append(table) } }
        self.tables = tables
    }

    init(_ tables: [StringTable]) { self.tables = tables }

    /// Codes given so far.
    package var count: Int { tables.last.map { Int($0.first) + $0.count } ?? 0 }

    package func code(of bytes: UnsafeRawBufferPointer) -> UInt32? { code(of: bytes, hash: stringHash(bytes)) }

    package func code(of bytes: UnsafeRawBufferPointer, hash: UInt64) -> UInt32? {
        for table in tables { if let code = table.code(of: bytes, hash: hash) { return code } }
        return nil
    }

    package func code(of text: String) -> UInt32? {
        var text = text
        return text.withUTF8 { code(of: UnsafeRawBufferPointer($0)) }
    }

    /// The string of a code, nil when the code was never given.
    package func bytes(_ code: UInt32) -> UnsafeRawBufferPointer? {
        for table in tables where code >= table.first && Int(code - table.first) < table.count {
            return table.bytes(Int(code - table.first))
        }
        return nil
    }
}

package func stringHash(_ bytes: UnsafeRawBufferPointer) -> UInt64 { ck_xxh64(bytes.baseAddress, bytes.count, 0) }

/// New strings on their way into a table: each gets the next code, in the order of arrival.
package struct StringInterner: Sendable {
    package let first: UInt32
    private var text: [UInt8] = []
    private var ends: [Int] = []
    private var hashes: [UInt64] = []
    /// Open addressing; index plus one, 0 for a free slot.
    private var slots: [UInt32]

    package init(first: UInt32) {
        self.first = first
        slots = Array(repeating: 0, count: 64)
    }

    package var count: Int { ends.count }

    /// About how much memory it takes: arrays that grow have a third to spare.
    package var memory: Int { text.count * 4 / 3 + ends.count * 24 + slots.count * 4 }

    package func hash(_ index: Int) -> UInt64 { hashes[index] }

    package func bytes(_ index: Int) -> ArraySlice<UInt8> { text[(index == 0 ? 0 : ends[index - 1])..<ends[index]] }

    /// The code of a string that was interned before.
    package func find(_ bytes: UnsafeRawBufferPointer, hash: UInt64) -> UInt32? {
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            if hashes[index] == hash, self.bytes(index).elementsEqual(bytes) { return first + UInt32(index) }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// The code of a string, new if need be; nil when all 2³² − 2 codes are given.
    package mutating func intern(_ bytes: UnsafeRawBufferPointer, hash: UInt64) -> UInt32? {
        if let code = find(bytes, hash: hash) { return code }
        guard UInt64(first) + UInt64(count) < UInt64(UInt32.max) - 1 else { return nil }
        if (count + 1) * 2 > slots.count { grow() }
        text.append(contentsOf: bytes)
        ends.append(text.count)
        hashes.append(hash)
        place(count - 1)
        return first + UInt32(count - 1)
    }

    package mutating func intern(_ bytes: UnsafeRawBufferPointer) -> UInt32? { intern(bytes, hash: stringHash(bytes)) }

    private mutating func grow() {
        slots = Array(repeating: 0, count: slots.count * 2)
        for index in 0..<count { place(index) }
    }

    private mutating func place(_ index: Int) {
        var slot = Int(truncatingIfNeeded: hashes[index]) & (slots.count - 1)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = UInt32(index + 1)
    }
}

/// Writes the tables of a dictionary or keys part.
package enum StringTableWriter {
    /// One namespace's strings: what older parts that are merged had, then new ones.
    package struct Source {
        package var namespace: Namespace
        package var older: [StringTable]
        package var new: StringInterner?

        package init(_ namespace: Namespace, older: [StringTable], new: StringInterner?) {
            self.namespace = namespace
            self.older = older
            self.new = new
        }

        package var isEmpty: Bool { older.allSatisfy { $0.count == 0 } && (new?.count ?? 0) == 0 }
        fileprivate var first: UInt32 { older.first?.first ?? new?.first ?? 0 }
    }

    package static func write(_ sources: [Source], to part: PartWriter) throws(WinnowError) -> PartReference {
        try append(sources, to: part)
        return try part.finish()
    }

    /// Writes the section of the tables. Complexity: O(strings) time; 9 bytes of memory a string of the largest source.
    package static func append(_ sources: [Source], to part: PartWriter) throws(WinnowError) {
        let layouts = sources.filter { !$0.isEmpty }.map(Layout.init)
        var head = ByteWriter(), offset = 8 + layouts.count * 32
        head.put(UInt32(clamping: layouts.count))
        head.put(UInt32(0))
        for layout in layouts {
            head.put(layout.source.namespace.rawValue)
            head.put(layout.source.first)
            head.put(UInt32(clamping: layout.count))
            head.put(UInt32(0))
            head.put(UInt64(offset))
            head.put(UInt64(layout.size))
            offset += layout.size
        }
        try part.begin(.strings)
        try part.append(head.bytes)
        for layout in layouts { try layout.write(to: part) }
    }

    /// One table, measured before it is written, so that nothing of it but the index is ever in memory.
    private struct Layout {
        let source: Source
        let count: Int
        private let bits: Int
        private let starts: [UInt32]
        private let ends, buckets, entries: PackedColumnWriter
        private let text: Int

        var size: Int { 8 + ends.size + buckets.size + entries.size + text }

        init(_ source: Source) {
            self.source = source
            count = source.older.reduce(0) { $0 + $1.count } + (source.new?.count ?? 0)
            let bits = max(0, Packing.width(of: UInt64(count / StringTable.bucketSize)) - 1)
            var starts = [UInt32](repeating: 0, count: (1 << bits) + 1), total = 0, first: Int?
            source.forEach { string in
                starts[Layout.bucket(stringHash(string), bits) + 1] += 1
                total += string.count
                if first == nil { first = total }
            }
            for i in 1..<starts.count { starts[i] += starts[i - 1] }
            self.bits = bits
            self.starts = starts
            text = total
            ends = PackedColumnWriter(count: count, base: Int64(first ?? 0), maximum: Int64(total))
            buckets = PackedColumnWriter(count: starts.count, base: 0, maximum: Int64(count))
            let widest: Int64 = 1 << Int64(StringTable.fragmentBits + StringTable.indexWidth(count))
            entries = PackedColumnWriter(count: count, base: 0, maximum: widest - 1)
        }

        private static func bucket(_ hash: UInt64, _ bits: Int) -> Int {
            bits == 0 ? 0 : Int(hash >> UInt64(64 - bits))
        }

        func write(to part: PartWriter) throws(WinnowError) {
            var head = ByteWriter()
            head.put(UInt32(bits))
            head.put(UInt32(0))
            try part.append(head.bytes)
            var end: Int64 = 0
            try write(ends, to: part) { put in
                source.forEach { string in
                    end += Int64(string.count)
                    put(end)
                }
            }
            try write(buckets, to: part) { put in for start in starts { put(Int64(start)) } }
            let indexed = sortedEntries()
            try write(entries, to: part) { put in for entry in indexed { put(Int64(entry)) } }
            var failure: WinnowError?, pending: [UInt8] = []
            func flush() {
                do throws(WinnowError) { if failure == nil { try part.append(pending) } } catch { failure = error }
                pending.removeAll(keepingCapacity: true)
            }
            source.forEach { string in
                pending.append(contentsOf: string)
                if pending.count >= 1 << 18 { flush() }
            }
            flush()
            if let failure { throw failure }
        }

        private func write(
            _ column: PackedColumnWriter, to part: PartWriter, _ values: ((Int64) -> Void) -> Void
        ) throws(WinnowError) {
            var column = column, failure: WinnowError?
            try column.begin(part)
            values { value in
                do throws(WinnowError) { if failure == nil { try column.append(value, to: part) } } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
            try column.finish(part)
        }

        /// Fragment and index of every string, bucket by bucket.
        private func sortedEntries() -> [UInt64] {
            let width = UInt64(StringTable.indexWidth(count))
            var next = starts, index: UInt64 = 0
            var entries = [UInt64](repeating: 0, count: count)
            source.forEach { string in
                let hash = stringHash(string), bucket = Layout.bucket(hash, bits)
                entries[Int(next[bucket])] = StringTable.fragment(hash, bits) << width | index
                next[bucket] += 1
                index += 1
            }
            return entries
        }
    }
}

extension StringTableWriter.Source {
    fileprivate func forEach(_ body: (UnsafeRawBufferPointer) -> Void) {
        for table in older { for i in 0..<table.count { body(table.bytes(i)) } }
        if let new { for i in 0..<new.count { new.bytes(i).withUnsafeBytes(body) } }
    }
}

/// The strings of a namespace while a batch is gathered: the store's, those that were written out when memory ran
/// short, and those in memory.
package struct GrowingStrings: Sendable {
    package private(set) var tables: StringTables
    package private(set) var new: StringInterner
    private let stored: Int
    private let namespace: Namespace

    package init(_ namespace: Namespace, _ stored: StringTables) {
        self.namespace = namespace
        tables = stored
        self.stored = stored.tables.count
        new = StringInterner(first: UInt32(clamping: stored.count))
    }

    /// Tables that were written out.
    package var runs: [StringTable] { Array(tables.tables.dropFirst(stored)) }

    /// Strings that the store does not have.
    package var added: Int { runs.reduce(0) { $0 + $1.count } + new.count }

    package func find(_ bytes: UnsafeRawBufferPointer, hash: UInt64) -> UInt32? {
        tables.code(of: bytes, hash: hash) ?? new.find(bytes, hash: hash)
    }

    /// The code of a string, new if need be; nil when all codes are given.
    package mutating func intern(_ bytes: UnsafeRawBufferPointer) -> UInt32? {
        let hash = stringHash(bytes)
        return tables.code(of: bytes, hash: hash) ?? new.intern(bytes, hash: hash)
    }

    /// Writes what is in memory to a part and reads it from there.
    package mutating func spill(
        to part: PartWriter, _ open: (PartReference) throws(WinnowError) -> PartFile
    ) throws(WinnowError) {
        let reference = try StringTableWriter.write([.init(namespace, older: [], new: new)], to: part)
        let next = new.first + UInt32(new.count)
        tables = StringTables(tables.tables + (try StringTables([open(reference)], namespace).tables))
        new = StringInterner(first: next)
    }
}
