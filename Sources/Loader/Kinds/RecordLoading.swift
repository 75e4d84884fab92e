import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowStorage

/// Loads events, goals or subscriptions. A piece is parsed into records whose names have numbers of
/// the piece's own, so that records are touched only as numbers.
struct RecordLoading<Rows: RecordRows>: Loading {
    private let writer: Writer
    private var parser: RecordParser<Rows>
    private var pending: Batch
    private var run: RecordRun
    /// What may be gathered before it is written out.
    private var memory: Int
    /// Whether the store's ids were to be indexed.
    private var triedIndex = false
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
        indexKeys(after: summary.rows)
    }

    /// Indexes the store's ids once the rows are so many that it pays: as many as a quarter of the
    /// profiles, where looking each up takes longer than entering all. It may take an eighth of the
    /// memory.
    private mutating func indexKeys(after rows: Int) {
        let keys = parser.keys
        guard !triedIndex, rows > keys.count / 4, keys.indexSize < memory / 8 else { return }
        triedIndex = true
        parser.keys = keys.indexed
        if parser.keys.isIndexed { memory -= keys.indexSize }
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
