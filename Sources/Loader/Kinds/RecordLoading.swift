import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowStorage

/// Loads events, goals or subscriptions. A piece is parsed into records whose names have numbers of
/// the piece's own, so that records are touched only as numbers.
struct RecordLoading<Rows: RecordRows>: Loading {
    private let writer: Writer
    private let parser: RecordParser<Rows>
    private var pending: Batch
    private var run: RecordRun
    private let memory: Int
    let columns: ColumnNames

    init(_ kind: Rows, _ writer: Writer, _ options: LoadOptions) throws(WinnowError) {
        self.writer = writer
        pending = try Batch(writer.snapshot)
        if options.distinct { pending.distinct = DistinctEvents() }
        run = RecordRun(of: Rows.self, in: &pending)
        parser = RecordParser(
            kind: kind, keys: try writer.snapshot.keys(),
            unknownProfiles: options.unknownProfiles ?? .reject)
        memory = LoadLimits.gathered(options.memory)
        columns = ColumnNames(kind.columns, alternatives: kind.alternatives, options)
    }

    var parse: @Sendable (InputPiece, RowLayout, Cancellation) -> ParsedPiece<RecordContent> {
        let parser = parser
        return { parser.parse($0, $1, $2) }
    }

    mutating func gather(_ content: RecordContent, _ summary: inout LoadSummary) throws(WinnowError)
    {
        var content = content
        content.setRows(try newRows(content.unknownProfiles))
        summary.skipped += content.skipped
        let count = try run.add(content, to: &pending)
        // Only when they are laid over the store's it is known which subscriptions are new.
        if Rows.parts != .subscriptions { summary.new += count }
        if run.bytes + pending.memory > memory { try spill() }
    }

    /// Rows for the profiles that the store does not have.
    private mutating func newRows(_ profiles: StringInterner) throws(WinnowError) -> [Row] {
        var rows: [Row] = []
        for i in 0..<profiles.count {
            let row = unsafe profiles.bytes(i).withUnsafeBytes {
                unsafe pending.profiles.intern($0)
            }
            guard let row else { throw .usage("the store has no room for more profiles") }
            rows.append(Row(rawValue: row))
        }
        return rows
    }

    private mutating func spill() throws(WinnowError) {
        try run.spill(writer, memory: memory, to: &pending)
        try writer.spillStrings(of: &pending, above: memory / 16)
    }

    mutating func batch() throws(WinnowError) -> Batch {
        try run.finish(writer, memory: memory, to: &pending)
        return pending
    }
}
