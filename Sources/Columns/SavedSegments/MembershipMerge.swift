import WinnowBitmaps
import WinnowCKernels
import WinnowFormat
import WinnowModel
import WinnowThreads

/// What one refresh of a list came to, as a part that is to be written takes it.
package struct MembershipUpdate: Sendable {
    package let list: UInt32
    package let time: Int64
    /// Ascending by block.
    package var blocks: [(block: BlockIndex, rows: Rows)] = []

    /// Rows of a block that entered and left, as containers.
    package struct Rows: Sendable {
        fileprivate let bytes: [UInt8]
        package let entered, left: Int

        package init(entered: BlockSet, left: BlockSet) {
            var out = ByteWriter()
            var counts: [Int] = []
            for set in [entered, left] {
                let rows = set.rowNumbers
                counts.append(rows.count)
                FieldBlock.append(container: rows, to: &out)
            }
            bytes = out.bytes
            (self.entered, self.left) = (counts[0], counts[1])
        }
    }

    package init(list: UInt32, time: Int64) {
        self.list = list
        self.time = time
    }

    /// About how many bytes it takes in a part.
    package var size: Int { blocks.reduce(0) { $0 + $1.rows.bytes.count + 48 } }

    package var entered: Int { blocks.reduce(0) { $0 + $1.rows.entered } }
    package var left: Int { blocks.reduce(0) { $0 + $1.rows.left } }
}

/// Writes one part of memberships in place of some others, and of what refreshes say.
package struct MembershipMerge {
    /// The parts that are replaced, oldest first, the newest of the store.
    package var older: [MembershipPart]
    /// Whether these are all of the store.
    package var isWhole: Bool
    package var updates: [MembershipUpdate]
    /// The lists that there are; nil keeps all.
    package var lists: Set<UInt32>?
    /// Profiles that are left out; nil keeps all.
    package var erased: ErasedRows?
    /// Changes before it are forgotten; given only where the parts are all of the store.
    package var horizon = Int64.min

    package init(_ older: [MembershipPart], isWhole: Bool, _ updates: [MembershipUpdate]) {
        self.older = older
        self.isWhole = isWhole
        self.updates = updates
    }

    /// Who is in a list is stored where changes take so many times its bytes: reading then looks at
    /// no more than that, and what is written is at most a quarter larger.
    private static let changesPerMembers = 4
    /// Lists and blocks that are encoded side by side, of some kilobytes each.
    private static let together = 512

    package func write(to part: PartWriter) throws(WinnowError) -> PartReference {
        var keys = Set(older.flatMap(\.keys))
        var new: [MembershipKey: [(time: Int64, rows: MembershipUpdate.Rows)]] = [:]
        for update in updates {
            for (block, rows) in update.blocks {
                let key = MembershipKey(list: update.list, block: block)
                new[key, default: []].append((update.time, rows))
                keys.insert(key)
            }
        }
        var table = ByteWriter()
        try part.begin(.members)
        let start = part.offset
        let kept = keys.sorted().filter { lists?.contains($0.list) != false }
        let updates = new
        for first in stride(from: 0, to: kept.count, by: MembershipMerge.together) {
            let some = kept[first..<min(first + MembershipMerge.together, kept.count)]
            let pieces = try concurrentMap(some.count) { (i) throws(WinnowError) in
                let key = some[first + i]
                return try encoded(key, updates[key] ?? [])
            }
            for (key, bytes) in zip(some, pieces) where !bytes.isEmpty {
                table.put(key.list)
                table.put(key.block.rawValue)
                table.put(UInt64(part.offset - start))
                table.put(UInt64(bytes.count))
                try part.append(bytes)
            }
        }
        try part.begin(.lists)
        try part.append(table.bytes)
        return try part.finish()
    }

    /// What is left of a list in a block; empty for nothing.
    private func encoded(
        _ key: MembershipKey, _ new: [(time: Int64, rows: MembershipUpdate.Rows)]
    ) throws(WinnowError) -> [UInt8] {
        let members = BlockSet.allocate()
        defer { members.deallocate() }
        let erased = erased?.block(key.block)
        var changes: [MembershipChange] = []
        var areKnown = isWhole
        var forgets = false
        members.clear()
        func add(_ time: Int64, _ entered: Container, _ left: Container) {
            entered.toggle(in: members)
            left.toggle(in: members)
            guard time >= horizon else {
                forgets = true
                return
            }
            func kept(_ rows: Container) -> [UInt16] {
                erased.map { erased in rows.allRows.filter { !erased.contains(Int($0)) } }
                    ?? rows.allRows
            }
            let change = MembershipChange(time: time, entered: kept(entered), left: kept(left))
            if !change.isEmpty { changes.append(change) }
        }
        var hadMembers = false
        for part in older {
            guard let own = try part.changes(key) else { continue }
            try own.forEach { (time, entered, left) throws(WinnowError) in
                add(time, entered, left)
            }
            if let known = own.members {
                known.copy(into: members)
                (areKnown, hadMembers) = (true, true)
            }
        }
        for (time, rows) in new {
            try unsafe rows.bytes.withUnsafeBytesThrowing { (bytes) throws(WinnowError) in
                var reader = unsafe ByteReader(bytes, of: part(key), "members")
                let entered = try FieldBlock.container(&reader)
                add(time, entered, try FieldBlock.container(&reader))
            }
        }
        if let erased { members.subtract(erased) }
        let rows = areKnown ? members.rowNumbers : []
        if isWhole, changes.isEmpty, rows.isEmpty { return [] }
        let bytes = changes.reduce(0) { $0 + 2 * ($1.entered.count + $1.left.count) + 24 }
        let isHeavy = bytes > MembershipMerge.changesPerMembers * (2 * rows.count + 64)
        let tells = areKnown && (hadMembers || forgets || isHeavy)
        var out = ByteWriter()
        MembershipChanges.append(members: tells ? rows : nil, changes, to: &out)
        return out.bytes
    }

    private func part(_ key: MembershipKey) -> String { "members of list \(key.list)" }
}

extension BlockSet {
    /// Its rows, ascending.
    fileprivate var rowNumbers: [UInt16] {
        let count = count
        return unsafe [UInt16](unsafeUninitializedCapacity: count + 64) { buffer, filled in
            guard let base = buffer.baseAddress else { return }
            filled = unsafe kernels.rows_of(bits, BlockSet.words, base, count)
        }
    }
}
