import WinnowFormat
import WinnowModel

/// The strings of a namespace while a batch is gathered: the store's, those that were written out
/// when memory ran short, and those in memory.
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
        unsafe tables.code(of: bytes, hash: hash) ?? new.find(bytes, hash: hash)
    }

    /// The code of a string, new if need be; nil when all codes are given.
    package mutating func intern(_ bytes: UnsafeRawBufferPointer) -> UInt32? {
        let hash = unsafe stringHash(bytes)
        return unsafe tables.code(of: bytes, hash: hash) ?? new.intern(bytes, hash: hash)
    }

    /// Adds a string that is not there; nil when all codes are given.
    package mutating func add(_ bytes: UnsafeRawBufferPointer, hash: UInt64) -> UInt32? {
        unsafe new.intern(bytes, hash: hash)
    }

    /// Says that one of some strings will be looked for soon.
    package func prefetch(_ strings: StringInterner, _ index: Int) {
        if index < strings.count { new.prefetch(strings.hash(index)) }
    }

    /// Writes what is in memory to a part and reads it from there.
    package mutating func spill(
        to part: PartWriter, _ open: (PartReference) throws(WinnowError) -> PartFile
    ) throws(WinnowError) {
        let reference = try StringTableWriter.write(
            [.init(namespace, older: [], new: new)], to: part)
        let next = new.first + UInt32(new.count)
        tables = try tables.appending(open(reference), namespace)
        new = StringInterner(first: next)
    }
}
