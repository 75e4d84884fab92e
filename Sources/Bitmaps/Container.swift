import WinnowCKernels

/// A set of rows of one block as part files store it: roaring's array and bitset, and the two ends
/// of the scale.
///
///     array  = row:u16 …           rows ascending, at most 4,096
///     bitset = word:u64 × 1,024
///     full   =                     the rows 0 ..< count; takes no bytes
///
/// In a file an array begins at an even offset and a bitset at a multiple of 8.
@safe package struct Container {
    package enum Kind: UInt8 { case empty, array, bitset, full }

    package let kind: Kind
    /// Rows in the set.
    package let count: Int
    private let bytes: UnsafeRawPointer

    /// Largest array: at 4,096 rows of two bytes a bitset takes the same 8 KiB.
    package static let maximumArray = 4096

    /// Where the first byte is, and how many there are.
    package init(kind: Kind, count: Int, bytes: UnsafeRawPointer) {
        self.kind = kind
        self.count = count
        unsafe self.bytes = unsafe bytes
    }

    /// Whether a file may claim a container of so many rows.
    package static func isPossible(_ kind: Kind, count: Int) -> Bool {
        switch kind {
        case .empty: count == 0
        case .array: (0...maximumArray).contains(count)
        case .bitset, .full: (0...BlockSet.rows).contains(count)
        }
    }

    package static func byteCount(_ kind: Kind, count: Int) -> Int {
        switch kind {
        case .empty, .full: 0
        case .array: count * 2
        case .bitset: BlockSet.words * 8
        }
    }

    /// The ascending rows of an array; nil for the other kinds.
    package var array: UnsafePointer<UInt16>? {
        unsafe kind == .array ? bytes.assumingMemoryBound(to: UInt16.self) : nil
    }

    /// The words of a bitset; nil for the other kinds.
    package var words: UnsafePointer<UInt64>? {
        unsafe kind == .bitset ? bytes.assumingMemoryBound(to: UInt64.self) : nil
    }

    /// Adds the rows to a set.
    package func union(into set: BlockSet) {
        switch kind {
        case .empty: break
        case .array: if let array = unsafe array { unsafe kernels.set_rows(set.bits, array, count) }
        case .bitset:
            if let words = unsafe words { unsafe kernels.or_into(set.bits, words, BlockSet.words) }
        case .full: for row in 0..<count { set.insert(row) }
        }
    }

    /// Takes the rows that are in a set off it, and adds the others.
    package func toggle(in set: BlockSet) {
        switch kind {
        case .empty: break
        case .array:
            guard let array = unsafe array else { return }
            for i in 0..<count {
                let row = unsafe array[i]
                unsafe set.bits[Int(row >> 6)] ^= 1 << UInt64(row & 63)
            }
        case .bitset:
            guard let words = unsafe words else { return }
            for word in 0..<BlockSet.words { unsafe set.bits[word] ^= words[word] }
        case .full:
            for word in 0..<count / 64 { unsafe set.bits[word] ^= .max }
            if count % 64 != 0 { unsafe set.bits[count / 64] ^= 1 << UInt64(count % 64) - 1 }
        }
    }

    /// Makes `set` equal to this set.
    package func copy(into set: BlockSet) {
        switch kind {
        case .bitset:
            if let words = unsafe words {
                unsafe set.bits.update(from: words, count: BlockSet.words)
            }
        case .full: set.fill(first: count)
        case .empty, .array:
            set.clear()
            union(into: set)
        }
    }

    /// Whether there are as many rows as `count` says; anything else is damage, and must be found
    /// before rows are written where there is room for `count`.
    package var isSound: Bool {
        unsafe words.map { unsafe kernels.popcount($0, BlockSet.words) == count } ?? true
    }

    /// Writes the rows in ascending order; there is room for `count`, and the container is sound.
    package func rows(into rows: UnsafeMutablePointer<UInt16>) {
        switch kind {
        case .empty: break
        case .array: if let array = unsafe array { unsafe rows.update(from: array, count: count) }
        case .bitset:
            if let words = unsafe words {
                _ = unsafe kernels.rows_of(words, BlockSet.words, rows, count)
            }
        case .full: for row in 0..<count { unsafe rows[row] = UInt16(truncatingIfNeeded: row) }
        }
    }

    /// Makes `ranks` a bit for each row, by rank: whether it is in a set, too. There is room for a
    /// word more than these take. Returns whether any is.
    package func ranks(in set: BlockSet, into ranks: UnsafeMutablePointer<UInt64>) -> Bool {
        let full = count / 64
        unsafe ranks[full] = 1 << UInt64(count % 64) - 1
        switch kind {
        case .empty: return false
        case .array:
            guard let array = unsafe array else { return false }
            for word in 0..<full { unsafe ranks[word] = .max }
            unsafe kernels.narrow_to_rows(array, count, set.bits, ranks)
        case .bitset:
            guard let words = unsafe words else { return false }
            unsafe kernels.gather(words, set.bits, BlockSet.words, ranks)
        case .full:
            for word in 0..<full { unsafe ranks[word] = unsafe set.bits[word] }
            if count % 64 > 0 { unsafe ranks[full] &= set.bits[full] }
        }
        return (0...full).contains { unsafe ranks[$0] != 0 }
    }

    /// How many rows come before one; nil when it is not here. Complexity: O(log count), of a bitset
    /// O(rows).
    package func rank(of row: UInt16) -> Int? {
        switch kind {
        case .empty: return nil
        case .full: return Int(row) < count ? Int(row) : nil
        case .array:
            guard let array = unsafe array else { return nil }
            var (low, high) = (0, count)
            while low < high {
                let middle = (low + high) / 2
                if unsafe array[middle] < row { low = middle + 1 } else { high = middle }
            }
            return unsafe low < count && array[low] == row ? low : nil
        case .bitset:
            guard let words = unsafe words else { return nil }
            let (word, bit) = (Int(row >> 6), UInt64(row & 63))
            guard unsafe words[word] >> bit & 1 == 1 else { return nil }
            let before = (0..<word).reduce(0) { unsafe $0 + words[$1].nonzeroBitCount }
            return unsafe before + (words[word] & ((1 << bit) - 1)).nonzeroBitCount
        }
    }

    /// The rows, ascending.
    package var allRows: [UInt16] {
        if count == 0 { return [] }
        return unsafe [UInt16](unsafeUninitializedCapacity: count) { buffer, filled in
            if let base = buffer.baseAddress { unsafe rows(into: base) }
            filled = count
        }
    }
}

/// Writes a container: the smallest kind that holds the rows.
package enum ContainerEncoder {
    /// The kind for so many distinct rows of which the last is `last`.
    package static func kind(count: Int, last: UInt16) -> Container.Kind {
        if count == 0 { return .empty }
        if count == Int(last) + 1 { return .full }
        return count <= Container.maximumArray ? .array : .bitset
    }

    /// Appends the container of ascending distinct rows and returns its kind.
    package static func append(_ rows: UnsafeBufferPointer<UInt16>, to out: inout [UInt8])
        -> Container.Kind
    {
        guard let last = unsafe rows.last else { return .empty }
        let kind = kind(count: rows.count, last: last)
        switch kind {
        case .empty, .full: break
        case .array: unsafe out.append(contentsOf: UnsafeRawBufferPointer(rows))
        case .bitset:
            let start = out.count
            out.append(contentsOf: repeatElement(0, count: BlockSet.words * 8))
            unsafe out.withUnsafeMutableBytes { buffer in
                for i in 0..<rows.count {
                    let row = unsafe rows[i]
                    unsafe buffer[start + Int(row >> 3)] |= 1 << (row & 7)
                }
            }
        }
        return kind
    }
}
