import CKernels
import Format
import Model

/// What strings are numbered for. The raw value is stored; never renumber.
package enum Namespace: UInt32, Sendable, CaseIterable {
    /// External profile ids; the code is the row. In parts of kind `keys`, all others in `dictionary`.
    case profile = 1
    case campaign, template, link
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
        let used = sources.filter { !$0.isEmpty }
        var head = ByteWriter(), body = ByteWriter()
        let headSize = 8 + used.count * 32
        head.put(UInt32(clamping: used.count))
        head.put(UInt32(0))
        for source in used {
            let start = body.bytes.count
            let count = append(source, to: &body)
            head.put(source.namespace.rawValue)
            head.put(source.first)
            head.put(UInt32(clamping: count))
            head.put(UInt32(0))
            head.put(UInt64(headSize + start))
            head.put(UInt64(body.bytes.count - start))
        }
        try part.begin(.strings)
        try part.append(head.bytes)
        try part.append(body.bytes)
        return try part.finish()
    }

    private static func append(_ source: Source, to out: inout ByteWriter) -> Int {
        var text: [UInt8] = [], ends: [Int64] = [], hashes: [UInt64] = []
        func add(_ bytes: UnsafeRawBufferPointer) {
            text.append(contentsOf: bytes)
            ends.append(Int64(text.count))
            hashes.append(stringHash(bytes))
        }
        for table in source.older { for i in 0..<table.count { add(table.bytes(i)) } }
        if let new = source.new { for i in 0..<new.count { new.bytes(i).withUnsafeBytes(add) } }
        let count = hashes.count, width = StringTable.indexWidth(count)
        let bits = max(0, Packing.width(of: UInt64(count / StringTable.bucketSize)) - 1)
        var starts = [Int64](repeating: 0, count: (1 << bits) + 1)
        for hash in hashes { starts[(bits == 0 ? 0 : Int(hash >> UInt64(64 - bits))) + 1] += 1 }
        for i in 1..<starts.count { starts[i] += starts[i - 1] }
        var next = starts, entries = [Int64](repeating: 0, count: count)
        for (i, hash) in hashes.enumerated() {
            let bucket = bits == 0 ? 0 : Int(hash >> UInt64(64 - bits))
            entries[Int(next[bucket])] = Int64(StringTable.fragment(hash, bits) << UInt64(width) | UInt64(i))
            next[bucket] += 1
        }
        out.put(UInt32(bits))
        out.put(UInt32(0))
        PackedColumn.append(ends, to: &out)
        PackedColumn.append(starts, to: &out)
        PackedColumn.append(entries, to: &out)
        out.bytes.append(contentsOf: text)
        return count
    }
}
