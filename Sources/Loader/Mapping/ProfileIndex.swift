import WinnowBitmaps
import WinnowColumns
import WinnowModel
import WinnowStorage
import WinnowThreads

/// Finds profiles by what they say of themselves: by e-mail, by a contact, by a field.
///
/// Method: a hash table of 128-bit keys and rows, 33 bytes a profile or so. The key is a hash with
/// a seed of the process's own, so nobody can make two values meet, and by chance two of ten
/// million do once in 10²⁴ tries; the values themselves are not kept. What a batch changes is added;
/// entries that it makes wrong are told by the key that a row has now.
struct ProfileIndex {
    private var low: [UInt64]
    private var high: [UInt64]
    private var rows: [UInt32]
    private var count = 0
    /// The keys of rows that the batch has changed; nil for one without a value.
    private var current: [Row: Key?] = [:]

    struct Key: Hashable {
        fileprivate let low, high: UInt64

        init(_ value: [UInt8]) {
            func hash(_ salt: UInt8) -> UInt64 {
                var hasher = Hasher()
                hasher.combine(salt)
                unsafe value.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
                hasher.combine(value.count)
                return UInt64(bitPattern: Int64(hasher.finalize()))
            }
            low = hash(0)
            high = hash(1)
        }
    }

    /// - Parameter normalize: what is left of a value that is compared; empty for nothing.
    init(
        _ snapshot: StoreVersion, field: Int, contacts: Bool,
        _ normalize: @escaping @Sendable ([UInt8]) -> [UInt8]
    ) throws(WinnowError) {
        let size = ProfileIndex.size(for: snapshot.rows)
        low = Array(repeating: 0, count: size)
        high = low
        rows = Array(repeating: .max, count: size)
        let texts = try FieldColumn(try snapshot.profiles(), snapshot.schema.fields[field])
        let subscriptions = contacts ? try snapshot.subscriptions() : []
        let names = try snapshot.strings(.contact)
        let erased = snapshot.erased
        let blocks = snapshot.blocks
        let group = max(1, availableCores()) * 4
        for start in stride(from: 0, to: blocks, by: group) {
            let found = try concurrentMap(min(group, blocks - start)) {
                (i) throws(WinnowError) -> [(Key, Row)] in
                var found: [(Key, Row)] = []
                func add(_ row: Row, _ text: UnsafeRawBufferPointer) {
                    guard erased?.contains(row) != true else { return }
                    let value = unsafe normalize(Array(text))
                    if !value.isEmpty { found.append((Key(value), row)) }
                }
                let block = BlockIndex(start + i)
                let all = BlockSet.allocate()
                defer { all.deallocate() }
                all.fill(first: Block.rows)
                try texts.forEachPart(in: block, of: all) { (values, rows) throws(WinnowError) in
                    try unsafe values.forEachText(of: rows) { row, text in
                        unsafe add(Row(block, UInt16(truncatingIfNeeded: row)), text)
                    }
                }
                guard !subscriptions.isEmpty else { return found }
                let leaves = try subscriptions.map { (part) throws(WinnowError) in
                    try part.leaves(of: .subscription)
                }
                try SubscriptionRecords(subscriptions).forEach(in: block) { part, records in
                    for record in records {
                        guard record.leaf.index < leaves[part].count,
                            leaves[part][record.leaf.index].key.channel == .email,
                            let code = record.link.code, let text = unsafe names.bytes(code)
                        else { continue }
                        unsafe add(record.row, text)
                    }
                }
                return found
            }
            for (key, row) in found.joined() { insert(key, row) }
        }
    }

    private static func size(for entries: Int) -> Int { max(64, entries * 5 / 3 + 1) }

    private func slot(_ key: Key) -> Int { Int(key.low % UInt64(rows.count)) }

    private mutating func insert(_ key: Key, _ row: Row) {
        if count * 5 > rows.count * 3 { grow() }
        var at = slot(key)
        while rows[at] != .max {
            if low[at] == key.low, high[at] == key.high, rows[at] == row.rawValue { return }
            at = at + 1 == rows.count ? 0 : at + 1
        }
        (low[at], high[at], rows[at]) = (key.low, key.high, row.rawValue)
        count += 1
    }

    private mutating func grow() {
        let old = (low, high, rows)
        let size = ProfileIndex.size(for: 2 * count)
        low = Array(repeating: 0, count: size)
        high = low
        rows = Array(repeating: .max, count: size)
        count = 0
        for at in old.2.indices where old.2[at] != .max {
            insert(Key(low: old.0[at], high: old.1[at]), Row(rawValue: old.2[at]))
        }
    }

    /// The profile with a value, of several the one with the least row, and whether there are
    /// several.
    func find(_ key: Key) -> (row: Row, isAmbiguous: Bool)? {
        var best: Row?
        var others = 0
        var at = slot(key)
        while rows[at] != .max {
            if low[at] == key.low, high[at] == key.high {
                let row = Row(rawValue: rows[at])
                if current[row].map({ $0 == key }) ?? true {
                    if best != nil { others += 1 }
                    best = best.map { min($0, row) } ?? row
                }
            }
            at = at + 1 == rows.count ? 0 : at + 1
        }
        return best.map { ($0, others > 0) }
    }

    /// Says that a profile has another value from now on; nil for none.
    mutating func set(_ row: Row, _ key: Key?) {
        current[row] = .some(key)
        if let key { insert(key, row) }
    }

    /// Says that a profile has one more value, a contact.
    mutating func add(_ row: Row, _ key: Key) { insert(key, row) }
}

extension ProfileIndex.Key {
    fileprivate init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }
}
