import WinnowBitmaps
import WinnowColumns
import WinnowDisk
import WinnowFormat
import WinnowJSON
import WinnowModel
import WinnowQuery
import WinnowRules
import WinnowStorage
import WinnowThreads

extension Snapshot {
    /// Writes a segment's profiles in the order of their rows, a few megabytes at a time: memory
    /// does not grow with the segment, but for a bit per row of the store.
    ///
    /// Loading what is written as CSV or NDJSON, with all fields, into an empty store with the same
    /// schema gives the same profiles.
    /// - Parameter segment: who is written.
    /// - Parameter export: what is written of them.
    /// - Parameter options: when and how the segment is evaluated.
    /// - Parameter write: takes the bytes, in order, on the caller's thread.
    /// - Throws: `invalidRule` with the place in the rule; `usage` for fields that are not there or a
    ///   limit below 0; `badData` for an id with a line break among `ids`; what `write` throws;
    ///   `damaged` when the store is.
    /// - Complexity: as `count`, and O(profiles × fields).
    @discardableResult
    public func export(
        _ segment: Segment, as export: ExportOptions = ExportOptions(),
        _ options: EvaluationOptions = EvaluationOptions(),
        to write: (ArraySlice<UInt8>) throws(WinnowError) -> Void
    ) throws(WinnowError) -> ExportSummary {
        if let limit = export.limit, limit < 0 {
            throw .usage("a limit is at least 0, not \(limit)")
        }
        let binding = try Binding(self, options, of: [segment])
        let bound = try binding.bind(segment)
        let writer = try RowWriters.writer(export, snapshot)
        let all = try evaluator(options, Cancellation()).rows(bound.plan)
        let rows = export.limit.map { all.first($0) } ?? all
        try writer.write(rows, export, threads: threads(options), to: write)
        return ExportSummary(
            rows: rows.count, count: all.count, asOf: binding.asOf, warnings: bound.warnings)
    }

    /// Writes a segment's profiles to a file, which gets its name when it is complete: there is
    /// never half of one.
    /// - Throws: `cannotCreate` where there can be no such file, also inside of the store.
    @discardableResult
    public func export(
        _ segment: Segment, as export: ExportOptions = ExportOptions(),
        _ options: EvaluationOptions = EvaluationOptions(), toFile path: String
    ) throws(WinnowError) -> ExportSummary {
        guard !isInside(path, snapshot.path) else {
            throw .cannotCreate(path: path, reason: "it would be inside the store")
        }
        let file = try CompletedFile(path: path)
        let summary = try self.export(segment, as: export, options) {
            (bytes) throws(WinnowError) in try file.write(bytes)
        }
        try file.finish()
        return summary
    }
}

/// Writes rows of a store in one of the formats.
private protocol RowWriter: Sendable {
    func write(
        _ rows: RowSet, _ export: ExportOptions, threads: Int,
        to write: (ArraySlice<UInt8>) throws(WinnowError) -> Void
    ) throws(WinnowError)
}

private enum RowWriters {
    static func writer(
        _ export: ExportOptions, _ snapshot: StoreVersion
    ) throws(WinnowError) -> any RowWriter {
        switch export.format {
        case .ids: LineWriter(lines: IDLines(keys: try snapshot.keys()))
        case .csv:
            LineWriter(lines: CSVLines(profiles: try ExportedProfiles(export.fields, snapshot)))
        case .ndjson:
            LineWriter(lines: JSONLines(profiles: try ExportedProfiles(export.fields, snapshot)))
        case .roaring: RoaringWriter()
        }
    }
}

/// How profiles become lines.
private protocol ProfileLines: Sendable {
    var header: [UInt8] { get }

    /// Appends the lines of some rows of a block.
    func append(
        _ rows: BlockSet, of block: BlockIndex, to out: inout [UInt8]
    ) throws(WinnowError)
}

/// Writes lines: pieces are made side by side, and written in order.
private struct LineWriter<Lines: ProfileLines>: RowWriter {
    let lines: Lines

    func write(
        _ rows: RowSet, _ export: ExportOptions, threads: Int,
        to write: (ArraySlice<UInt8>) throws(WinnowError) -> Void
    ) throws(WinnowError) {
        if !lines.header.isEmpty { try write(lines.header[...]) }
        let pieces = rows.pieces
        var written = 0
        for start in stride(from: 0, to: pieces.count, by: threads) {
            if export.isCancelled() { throw .cancelled }
            let texts = try concurrentMap(min(threads, pieces.count - start)) {
                (i) throws(WinnowError) -> (bytes: [UInt8], rows: Int) in
                let set = BlockSet.allocate()
                defer { set.deallocate() }
                pieces[start + i].copy(into: set)
                var out: [UInt8] = []
                try lines.append(set, of: pieces[start + i].block, to: &out)
                return (out, set.count)
            }
            for text in texts {
                try write(text.bytes[...])
                written += text.rows
            }
            export.progress(written, rows.count)
        }
    }
}

private struct IDLines: ProfileLines {
    let keys: StringTables
    var header: [UInt8] { [] }

    func append(
        _ rows: BlockSet, of block: BlockIndex, to out: inout [UInt8]
    ) throws(WinnowError) {
        var broken: String?
        rows.forEach { row in
            let id = unsafe keys.bytes(Row(block, UInt16(truncatingIfNeeded: row)).rawValue)
            guard let id = unsafe id else { return }
            if unsafe id.contains(where: { $0 == 0x0A || $0 == 0x0D }), broken == nil {
                broken = unsafe String(decoding: id, as: UTF8.self)
            }
            unsafe out.append(contentsOf: id)
            out.append(0x0A)
        }
        if let broken {
            throw .badData(
                file: "ids", line: nil, column: nil, code: .badID,
                reason:
                    "the id \(jsonString(broken)) has a line break; export as csv or ndjson instead"
            )
        }
    }
}

private struct CSVLines: ProfileLines {
    let profiles: ExportedProfiles

    var header: [UInt8] {
        var out = Array(Schema.idName.utf8)
        for column in profiles.columns {
            out.append(UInt8(ascii: ","))
            CSVText.append(Array(column.field.name.utf8)[...], to: &out)
        }
        return out + [0x0A]
    }

    func append(
        _ rows: BlockSet, of block: BlockIndex, to out: inout [UInt8]
    ) throws(WinnowError) {
        try unsafe profiles.forEach(rows, of: block) { id, values in
            unsafe CSVText.append(ArraySlice(id), to: &out)
            for (column, value) in zip(profiles.columns, values) {
                out.append(UInt8(ascii: ","))
                switch value {
                case nil: break
                case .number(let number): out.append(contentsOf: column.field.text(number).utf8)
                case .text(let text): CSVText.append(text, to: &out)
                case .set(let members): CSVText.append(CSVText.joined(members)[...], to: &out)
                }
            }
            out.append(0x0A)
        }
    }
}

private struct JSONLines: ProfileLines {
    let profiles: ExportedProfiles
    var header: [UInt8] { [] }

    func append(
        _ rows: BlockSet, of block: BlockIndex, to out: inout [UInt8]
    ) throws(WinnowError) {
        let names = profiles.columns.map { jsonString($0.field.name) }
        try unsafe profiles.forEach(rows, of: block) { id, values in
            out.append(contentsOf: "{\"id\": ".utf8)
            let id = unsafe String(decoding: id, as: UTF8.self)
            out.append(contentsOf: jsonString(id).utf8)
            for (i, value) in values.enumerated() {
                out.append(contentsOf: ", ".utf8)
                out.append(contentsOf: names[i].utf8)
                out.append(contentsOf: ": ".utf8)
                out.append(contentsOf: profiles.columns[i].field.json(value).utf8)
            }
            out.append(contentsOf: "}\n".utf8)
        }
    }
}

private struct RoaringWriter: RowWriter {
    func write(
        _ rows: RowSet, _ export: ExportOptions, threads: Int,
        to write: (ArraySlice<UInt8>) throws(WinnowError) -> Void
    ) throws(WinnowError) {
        try RoaringBitmap(rows).write { (bytes) throws(WinnowError) in
            if export.isCancelled() { throw .cancelled }
            try write(bytes)
        }
        export.progress(rows.count, rows.count)
    }
}
