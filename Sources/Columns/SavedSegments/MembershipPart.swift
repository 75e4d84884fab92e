import WinnowBitmaps
import WinnowFormat
import WinnowModel

/// Who entered and left static segments, and when: a part of the history of each list, block by
/// block. A list is one static segment; its number is given once.
///
///     lists   = (list:u32 block:u32 offset:u64 length:u64) …                 ascending
///     members = changes …                                                    each at a multiple of 8
///     changes = flags:u32 count:u32 last:i64 [members] (time:i64 entered left) …    oldest first
///     members, entered, left = container as in `FieldBlock`
///
/// Each change names the rows that entered and those that left at a time; later parts go on where
/// earlier ones end. With flag 1 `members` says who is in the list once all changes of the part, and
/// of those before it, are made; so changes that nobody needs any more can be left out. Without it
/// anywhere a list begins empty.
package struct MembershipPart: Sendable {
    package let file: PartFile
    private let entries: Entries

    /// The table, sorted.
    @safe private struct Entries: @unchecked Sendable {
        let bytes: UnsafeRawBufferPointer

        static let size = 24
        var count: Int { unsafe bytes.count / Entries.size }

        func key(_ i: Int) -> MembershipKey {
            let list = unsafe bytes.loadUnaligned(fromByteOffset: i * Entries.size, as: UInt32.self)
            let block = unsafe bytes.loadUnaligned(
                fromByteOffset: i * Entries.size + 4, as: UInt32.self)
            return MembershipKey(
                list: UInt32(littleEndian: list),
                block: BlockIndex(rawValue: UInt32(littleEndian: block)))
        }

        func place(_ i: Int) -> (offset: Int, length: Int) {
            func number(_ at: Int) -> Int {
                let number = unsafe bytes.loadUnaligned(
                    fromByteOffset: i * Entries.size + at, as: UInt64.self)
                return Int(clamping: UInt64(littleEndian: number))
            }
            return (number(8), number(16))
        }
    }

    package init(_ file: PartFile) throws(WinnowError) {
        self.file = file
        let bytes = try unsafe file.section(.lists)
        guard bytes.count % Entries.size == 0 else {
            throw .damaged(file: file.path, what: "the table of lists does not end where it should")
        }
        entries = unsafe Entries(bytes: bytes)
    }

    /// The lists and blocks that it speaks of, ascending where the part is sound.
    package var keys: [MembershipKey] { (0..<entries.count).map(entries.key) }

    /// Whether it says something of a list. Complexity: O(log entries).
    package func speaks(of list: UInt32) -> Bool {
        let first = MembershipKey(list: list, block: BlockIndex(0))
        let low = firstNotBelow(0..<entries.count) { entries.key($0) < first }
        return low < entries.count && entries.key(low).list == list
    }

    /// What it says of a list in a block; nil for nothing. Complexity: O(log entries).
    package func changes(_ key: MembershipKey) throws(WinnowError) -> MembershipChanges? {
        let low = firstNotBelow(0..<entries.count) { entries.key($0) < key }
        guard low < entries.count, entries.key(low) == key else { return nil }
        let (offset, length) = entries.place(low)
        return unsafe try MembershipChanges(
            try file.bytes(.members, offset, length), of: file.path)
    }
}

/// A list in a block.
package struct MembershipKey: Hashable, Comparable, Sendable {
    package let list: UInt32
    package let block: BlockIndex

    package init(list: UInt32, block: BlockIndex) {
        self.list = list
        self.block = block
    }

    package static func < (a: MembershipKey, b: MembershipKey) -> Bool {
        (a.list, a.block) < (b.list, b.block)
    }
}

/// What one part says of a list in a block; good for as long as the part is open.
package struct MembershipChanges {
    /// Who is in the list at the end; nil where the changes alone tell.
    package let members: Container?
    /// The time of the last change; the least number for none.
    package let last: Int64
    package let count: Int
    private let rest: ByteReader

    private static let hasMembers: UInt32 = 1

    fileprivate init(_ bytes: UnsafeRawBufferPointer, of file: String) throws(WinnowError) {
        var reader = unsafe ByteReader(bytes, of: file, "members")
        let flags = try reader.take(UInt32.self)
        count = Int(try reader.take(UInt32.self))
        last = try reader.take(Int64.self)
        let isKnown = flags & MembershipChanges.hasMembers != 0
        members = isKnown ? try FieldBlock.container(&reader) : nil
        rest = reader
    }

    /// Calls `body` with each change, oldest first.
    package func forEach(
        _ body: (_ time: Int64, _ entered: Container, _ left: Container) throws(WinnowError) -> Void
    ) throws(WinnowError) {
        var reader = rest
        for _ in 0..<count {
            let time = try reader.take(Int64.self)
            let entered = try FieldBlock.container(&reader)
            let left = try FieldBlock.container(&reader)
            try body(time, entered, left)
        }
        guard unsafe reader.rest.isEmpty else { throw reader.damage("it is longer than it says") }
    }

    /// Appends what a part holds.
    package static func append(
        members: [UInt16]?, _ changes: [MembershipChange], to out: inout ByteWriter
    ) {
        out.put(members == nil ? 0 : hasMembers)
        out.put(UInt32(clamping: changes.count))
        out.put(changes.last?.time ?? .min)
        if let members { FieldBlock.append(container: members, to: &out) }
        for change in changes {
            out.put(change.time)
            FieldBlock.append(container: change.entered, to: &out)
            FieldBlock.append(container: change.left, to: &out)
        }
    }
}

/// Rows of a block that entered and left a list at a time, ascending.
package struct MembershipChange: Sendable, Hashable {
    package var time: Int64
    package var entered: [UInt16]
    package var left: [UInt16]

    package init(time: Int64, entered: [UInt16], left: [UInt16]) {
        self.time = time
        self.entered = entered
        self.left = left
    }

    package var isEmpty: Bool { entered.isEmpty && left.isEmpty }
}

extension [MembershipPart] {
    /// Makes `set` those who are in a list as of an instant, by all parts of a store, oldest first;
    /// erased profiles among them.
    ///
    /// Method: the newest part that says who is in the list is taken; changes after it are made, and
    /// those that come after the instant are not, or unmade. A row that enters or leaves changes
    /// sides, so that making and unmaking are one.
    /// - Complexity: O(changes of the block), where the last is not after the instant mostly O(1).
    package func members(
        of key: MembershipKey, asOf: Int64, into set: BlockSet
    ) throws(WinnowError) {
        var newer: [MembershipChanges] = []
        var older: [MembershipChanges] = []
        set.clear()
        for part in reversed() {
            guard let changes = try part.changes(key) else { continue }
            if older.isEmpty, changes.members == nil {
                newer.append(changes)
                continue
            }
            if older.isEmpty { changes.members?.copy(into: set) }
            older.append(changes)
            // Times ascend.
            if changes.last <= asOf, older.count == 1 { break }
        }
        for changes in newer where changes.count > 0 {
            try changes.forEach { (time, entered, left) throws(WinnowError) in
                guard time <= asOf else { return }
                entered.toggle(in: set)
                left.toggle(in: set)
            }
        }
        for changes in older where changes.last > asOf {
            try changes.forEach { (time, entered, left) throws(WinnowError) in
                guard time > asOf else { return }
                entered.toggle(in: set)
                left.toggle(in: set)
            }
        }
    }
}
