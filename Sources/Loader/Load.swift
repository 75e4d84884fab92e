import Columns
import Disk
import Model
import Store

/// Loads files as one batch: reads them in pieces, parses the pieces side by side, gathers what they say in order, and
/// commits. One bad row stops the load with nothing stored, unless rejects go to a file.
package struct Load {
    private let writer: Writer
    private let files: [String]
    private let options: LoadOptions
    private let now: Instant

    /// Pieces that are parsed side by side.
    private static let window = 8

    package static func run(
        _ kind: LoadKind, _ files: [String], into writer: Writer, _ options: LoadOptions, now: Instant
    ) throws(WinnowError) -> LoadSummary {
        let load = Load(writer: writer, files: files, options: options, now: now)
        switch kind {
        case .events: return try load.run(try EventLoading(writer, now: now, options))
        case .profiles: return try load.run(try ProfileLoading(writer, options))
        case .campaigns: return try load.run(try CatalogueLoading(writer, .campaign, options))
        case .templates: return try load.run(try CatalogueLoading(writer, .template, options))
        }
    }

    private func run<L: Loading>(_ loading: L) throws(WinnowError) -> LoadSummary {
        var loading = loading, summary = LoadSummary()
        if let path = options.rejects, let file = files.first(where: { isSameFile($0, path) }) {
            throw .usage("--rejects \(path) would overwrite the input \(file)")
        }
        var rejects = try Rejects(options)
        for file in files {
            let format = if let chosen = options.format { chosen } else { try InputFormat(file: file) }
            var chunks = InputChunks([file], quoted: format == .csv)
            var layout = RowLayout(columns: loading.columns, positions: nil)
            var line = 0
            let name = file == "-" ? "standard input" : file
            var empty = true
            while true {
                var window: [InputChunk] = []
                while window.count < Load.window, let chunk = try chunks.next() { window.append(chunk) }
                if window.isEmpty { break }
                empty = false
                if format == .csv, let first = window.first, first.isFirst {
                    layout = try RowLayout.csv(first, loading.columns, file: name)
                }
                layout.emptyClears = options.emptyClears
                let parse = loading.parser, shape = layout, pieces = window
                let parsed = try concurrentMap(pieces.count) { (i) throws(WinnowError) in parse(pieces[i], shape) }
                for piece in parsed {
                    summary.rows += piece.rows
                    for row in piece.rejected { try rejects.add(row, file: name, line: line + row.line) }
                    line += piece.lines
                    try loading.gather(piece.content, &summary)
                }
            }
            if empty, format == .csv {
                throw .badData(
                    file: name, line: 1, column: nil, code: "missing_header", reason: "there is no header row")
            }
        }
        summary.rejected = rejects.count
        try rejects.finish()
        try writer.commit(try loading.batch(), at: now)
        return summary
    }
}

/// One kind of input: how a piece is parsed, alone, and how what was parsed is gathered, in order.
protocol Loading {
    associatedtype Content: Sendable
    var columns: ColumnNames { get }
    /// Parses a piece; called on any thread.
    var parser: @Sendable (InputChunk, RowLayout) -> ParsedChunk<Content> { get }
    mutating func gather(_ content: Content, _ summary: inout LoadSummary) throws(WinnowError)
    /// Everything gathered.
    mutating func batch() throws(WinnowError) -> Batch
}

struct ParsedChunk<Content: Sendable>: Sendable {
    var rows = 0
    var lines = 0
    var rejected: [RejectedRow] = []
    var content: Content
}

/// Where bad rows go.
private struct Rejects {
    private(set) var count = 0
    private let output: OutputStream?
    private let limit: Int

    init(_ options: LoadOptions) throws(WinnowError) {
        output = try options.rejects.map { (path) throws(WinnowError) in try OutputStream(path: path) }
        limit = options.maximumRejects ?? .max
    }

    mutating func add(_ row: RejectedRow, file: String, line: Int) throws(WinnowError) {
        let error = WinnowError.badData(
            file: file, line: line, column: row.column, code: row.code, reason: row.reason)
        guard let output else { throw error }
        count += 1
        try output.write(row.json(file: file, line: line).utf8)
        if count > limit {
            try output.flush()
            throw .badData(
                file: file, line: line, column: row.column, code: "too_many_rejects",
                reason: "more than \(limit) rows were rejected, the last because: \(row.reason)")
        }
    }

    func finish() throws(WinnowError) { try output?.flush() }
}
