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
