import Synchronization
import WinnowBitmaps
import WinnowColumns
import WinnowModel
import WinnowQuery
import WinnowThreads

extension PreparedSegment {
    /// The profiles as columns.
    /// - Parameter fields: the fields beside the id; nil for all.
    /// - Parameter limit: the most profiles, those with the first rows; nil for all.
    /// - Throws: `usage` for fields that are not there or a limit below 0; `damaged` when the store is.
    package func table(
        fields: [String]?, limit: Int? = nil
    ) throws(WinnowError) -> ProfileTable {
        if let limit, limit < 0 { throw .usage("a limit is at least 0, not \(limit)") }
        let profiles = try ExportedProfiles(fields, snapshot.snapshot)
        let all = try rows()
        return ProfileTable(
            limit.map { all.first($0) } ?? all, profiles, threads: snapshot.threads(options))
    }
}

/// Profiles of a segment as columns, a block of rows at a time. It keeps its version of the store.
package final class ProfileTable: Sendable {
    private let rows: RowSet
    private let profiles: ExportedProfiles
    private let threads: Int
    private let state = Mutex<(next: Int, waiting: [ProfileColumns])>((0, []))

    init(_ rows: RowSet, _ profiles: ExportedProfiles, threads: Int) {
        self.rows = rows
        self.profiles = profiles
        self.threads = threads
    }

    /// The fields, in their order; before them comes the id.
    package var fields: [Field] { profiles.columns.map(\.field) }

    /// The next rows, nil at the end. Several are made side by side.
    package func next() throws(WinnowError) -> ProfileColumns? {
        try state.withLock { (state) throws(WinnowError) in
            let pieces = rows.pieces
            if state.waiting.isEmpty, state.next < pieces.count {
                let start = state.next
                let count = min(threads, pieces.count - start)
                state.waiting = try concurrentMap(count) { [profiles] (i) throws(WinnowError) in
                    let set = BlockSet.allocate()
                    defer { set.deallocate() }
                    pieces[start + i].copy(into: set)
                    return try ProfileColumns(set, of: pieces[start + i].block, profiles)
                }.reversed()
                state.next += count
            }
            return state.waiting.popLast()
        }
    }
}

/// Values of some profiles, column by column.
package struct ProfileColumns: Sendable {
    package private(set) var ids = Texts()
    /// In the order of the fields.
    package private(set) var columns: [Column] = []

    /// Texts one after the other.
    package struct Texts: Sendable {
        /// Where each begins, and where the last ends.
        package private(set) var offsets: [Int64] = [0]
        package private(set) var bytes: [UInt8] = []
        package var count: Int { offsets.count - 1 }

        fileprivate mutating func append(_ text: some Sequence<UInt8>) {
            bytes.append(contentsOf: text)
            end()
        }

        fileprivate mutating func end() { offsets.append(Int64(bytes.count)) }
    }

    /// The values of a field; where there is none stands 0, or nothing.
    package struct Column: Sendable {
        package let field: Field
        package private(set) var count = 0
        /// A bit a row, the first in the lowest, 0 where there is no value.
        package private(set) var validity: [UInt8] = []
        /// Rows without a value.
        package private(set) var missing = 0
        /// Of all types but text and sets, see `Field.number`.
        package private(set) var numbers: [Int64] = []
        /// Of text the values, of sets the members of all.
        package private(set) var texts = Texts()
        /// Of sets, where the members of each begin, and where the last's end.
        package private(set) var starts: [Int32] = [0]

        fileprivate init(_ field: Field) { self.field = field }

        fileprivate mutating func append(_ value: FieldValue?) {
            let row = count
            count += 1
            if row & 7 == 0 { validity.append(0) }
            if value == nil { missing += 1 } else { validity[row >> 3] |= 1 << UInt8(row & 7) }
            switch field.type.nature {
            case .text:
                if case .text(let text) = value { texts.append(text) } else { texts.end() }
            case .quantity, .truth, .time:
                if case .number(let number) = value {
                    numbers.append(number)
                } else {
                    numbers.append(0)
                }
            case .set:
                if case .set(let members) = value { for text in members { texts.append(text) } }
                starts.append(Int32(truncatingIfNeeded: texts.count))
            }
        }
    }

    fileprivate init(
        _ rows: BlockSet, of block: BlockIndex, _ profiles: ExportedProfiles
    ) throws(WinnowError) {
        rows.forEach { row in
            if let id = unsafe profiles.id(row, block) { unsafe ids.append(id) }
        }
        for (i, column) in profiles.columns.enumerated() {
            let cells = try FieldCells(column, in: block, of: rows)
            let missing = profiles.missing(i)
            var own = Column(column.field)
            rows.forEach { own.append(cells[$0] ?? missing) }
            columns.append(own)
        }
    }
}
