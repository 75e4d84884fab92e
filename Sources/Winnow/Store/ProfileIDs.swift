import WinnowColumns
import WinnowQuery

/// The external ids of a segment's profiles, in the order of their rows. A sequence that can be
/// walked any number of times; it takes a bit of memory per row of the store, and keeps its version
/// of the store.
public struct ProfileIDs: Sequence, Sendable {
    private let rows: RowSet
    private let keys: StringTables

    init(_ rows: RowSet, _ keys: StringTables) {
        self.rows = rows
        self.keys = keys
    }

    /// How many there are. Complexity: O(1).
    public var count: Int { rows.count }

    /// Where each id begins in their text, and where the last ends.
    /// - Parameter offsets: room for one more than there are ids.
    /// - Returns: the bytes of the text.
    package func fillOffsets(_ offsets: UnsafeMutableBufferPointer<Int64>) -> Int {
        var at = 0
        var i = 0
        for row in rows {
            unsafe offsets[i] = Int64(at)
            at += unsafe keys.bytes(row.rawValue)?.count ?? 0
            i += 1
        }
        unsafe offsets[i] = Int64(at)
        return at
    }

    /// Writes all ids, one after the other.
    /// - Parameter text: room for them.
    /// - Parameter offsets: what `fillOffsets` gave.
    package func fillText(
        _ text: UnsafeMutableRawBufferPointer, _ offsets: UnsafeBufferPointer<Int64>
    ) {
        var i = 0
        for row in rows {
            if let id = unsafe keys.bytes(row.rawValue) {
                unsafe UnsafeMutableRawBufferPointer(rebasing: text[Int(offsets[i])...])
                    .copyMemory(from: id)
            }
            i += 1
        }
    }

    /// As `count`.
    public var underestimatedCount: Int { rows.count }

    /// Begins with the first row. Complexity: O(1).
    public func makeIterator() -> Iterator { Iterator(rows: rows.makeIterator(), keys: keys) }

    /// Reads one id after the other.
    public struct Iterator: IteratorProtocol {
        var rows: RowSet.Iterator
        let keys: StringTables

        /// The next id; nil after the last. Complexity: O(length).
        public mutating func next() -> String? {
            guard let row = rows.next() else { return nil }
            // Every row of a snapshot has an id: their numbers were compared when the ids were
            // opened.
            return unsafe keys.bytes(row.rawValue).map {
                unsafe String(decoding: $0, as: UTF8.self)
            } ?? ""
        }
    }
}
