import WinnowFormat
import WinnowModel

/// A piece of a table: rows of one batch or of several.
struct TablePiece: Sendable {
    let columns: [Table.Column]
    let slices: [Slice]

    struct Slice: Sendable {
        let batch: TableBatch
        let rows: Range<Int>
    }

    var rows: Int { slices.reduce(0) { $0 + $1.rows.count } }
}

/// Cuts batches of a table into pieces of a size that suits, small ones gathered.
struct TablePieces: InputPieces {
    private let table: Table
    /// Rows of a piece.
    private let size: Int
    private let cancellation: Cancellation
    /// What is left of the last batch.
    private var rest: TablePiece.Slice?
    private var digest: SHA256?

    // A row's place is its number.
    let hasLines = false
    let foundRows = true
    let taken = 0

    init(_ table: Table, _ options: LoadOptions, _ cancellation: Cancellation) {
        self.table = table
        self.cancellation = cancellation
        // About as many as a piece of text has.
        size = max(1, options.pieceSize / 8 / max(1, table.columns.count))
        digest = options.batch == nil ? nil : SHA256()
    }

    func layout(_ plain: RowLayout, of first: InputPiece?) throws(WinnowError) -> RowLayout {
        try plain.table(table)
    }

    mutating func next() throws(WinnowError) -> InputPiece? {
        var slices: [TablePiece.Slice] = []
        var missing = size
        while missing > 0, let slice = try nextSlice() {
            let end = min(slice.rows.upperBound, slice.rows.lowerBound + missing)
            if end < slice.rows.upperBound {
                rest = TablePiece.Slice(batch: slice.batch, rows: end..<slice.rows.upperBound)
            }
            slices.append(
                TablePiece.Slice(batch: slice.batch, rows: slice.rows.lowerBound..<end))
            missing -= end - slice.rows.lowerBound
        }
        return slices.isEmpty
            ? nil : .table(TablePiece(columns: table.columns, slices: slices))
    }

    /// Rows that are not in a piece yet; nil at the end.
    private mutating func nextSlice() throws(WinnowError) -> TablePiece.Slice? {
        if let rest {
            self.rest = nil
            return rest
        }
        while true {
            try cancellation.check()
            guard let batch = try table.next() else { return nil }
            if batch.rows > 0 { return TablePiece.Slice(batch: batch, rows: 0..<batch.rows) }
        }
    }

    mutating func hasParsed(_ rows: RowReport) {
        unsafe rows.written.withUnsafeBytes { unsafe digest?.update($0) }
    }

    mutating func finishDigest() -> [UInt8] { digest?.finish() ?? [] }

    /// Reads everything for its digest alone.
    static func digest(
        _ table: Table, _ options: LoadOptions, _ cancellation: Cancellation
    ) throws(WinnowError) -> [UInt8] {
        var pieces = TablePieces(table, options, cancellation)
        while case .table(let piece) = try pieces.next() {
            var report = RowReport()
            report.written = TableLines.all(of: piece)
            pieces.hasParsed(report)
        }
        return pieces.finishDigest()
    }
}
