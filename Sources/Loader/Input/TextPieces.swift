import WinnowFormat
import WinnowModel

/// A piece of text.
struct TextPiece: Sendable {
    let bytes: [UInt8]
    /// Whether it is the beginning of its input.
    let isFirst: Bool
    /// The record is longer than `LoadLimits.line`: only its beginning is here.
    let isCut: Bool

    /// The text, without a byte order mark at the beginning of an input.
    func withText(_ body: (UnsafeRawBufferPointer) throws(WinnowError) -> Void) throws(WinnowError)
    {
        try unsafe bytes.withUnsafeBytesThrowing { (raw) throws(WinnowError) in
            try unsafe body(TextPiece.text(raw, isFirst: isFirst))
        }
    }

    /// Lines of the piece.
    var lines: Int { unsafe bytes.withUnsafeBytes { unsafe $0.occurrences(of: 0x0A) } }

    /// Throws for an input that is plainly something else.
    func refuseOthers(_ format: InputFormat, file: String) throws(WinnowError) {
        let isUTF16 =
            bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF])
            || bytes.count > 1 && (bytes[0] == 0) != (bytes[1] == 0)
        if isUTF16 {
            throw .badData(
                file: file, line: 1, column: nil, code: .otherEncoding,
                reason: "the text is UTF-16; convert it to UTF-8 "
                    + "(iconv -f UTF-16 -t UTF-8)")
        }
        let text = bytes.drop { $0 >= 0x80 || $0 == 0x20 || (0x09...0x0D).contains($0) }
        // A header may begin with a bracket, but hardly with one before a brace.
        let inside = text.dropFirst().first { $0 != 0x20 && !(0x09...0x0D).contains($0) }
        let isArray =
            text.first == UInt8(ascii: "[")
            && (format == .ndjson || format == .csv && inside == UInt8(ascii: "{"))
        if isArray {
            throw .badData(
                file: file, line: 1, column: nil, code: .jsonArray,
                reason: "the text is one JSON array; wanted is one object a line "
                    + "(jq -c '.[]' makes it so; a feed with a mapping reads it as it is)")
        }
    }

    fileprivate static func text(
        _ bytes: UnsafeRawBufferPointer, isFirst: Bool
    ) -> UnsafeRawBufferPointer {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        return unsafe isFirst && bytes.starts(with: mark)
            ? UnsafeRawBufferPointer(rebasing: bytes[mark.count...]) : bytes
    }
}

/// Reads text piece by piece, cutting where records end.
///
/// Method: a record ends with a line, but for CSV a line end in quotes is part of a cell. Where a
/// piece has no quote, its last line end is the cut; else the reader of CSV says where records end,
/// from the last cut on, so that cutting and parsing cannot disagree.
struct TextPieces: InputPieces {
    private let input: InputBytes
    private let format: InputFormat
    private var pending: [UInt8] = []
    private var isFirst = true
    private var ended = false
    /// The rest of a record that was too long is being passed over.
    private var skipping = false
    private let size: Int
    private let delimiter: UInt8
    private let file: String
    /// Of JSON, which becomes lines as it is read.
    private var splitter: JSONRowSplitter?

    var foundRows: Bool { splitter?.found ?? true }
    var taken: Int { input.taken }
    // Rows of JSON may have any number of lines.
    var hasLines: Bool { format != .json }

    /// - Parameter delimiter: of CSV.
    /// - Parameter size: bytes that are read at a time; a piece has about as many.
    /// - Parameter rows: of JSON, where the rows are; nil where they are the text.
    /// - Parameter file: the name, for messages.
    init(
        _ input: InputBytes, _ format: InputFormat, delimiter: UInt8, size: Int,
        rows: Mapping.Path? = nil, file: String
    ) {
        splitter = format == .json ? JSONRowSplitter(rows, file: file) : nil
        self.file = file
        self.delimiter = delimiter
        self.input = input
        self.format = format
        self.size = size
    }

    func layout(_ plain: RowLayout, of first: InputPiece?) throws(WinnowError) -> RowLayout {
        guard case .text(let first) = first else {
            guard format == .csv else { return plain }
            throw .badData(
                file: file, line: 1, column: nil, code: .missingHeader,
                reason: "there is no header row")
        }
        try first.refuseOthers(format, file: file)
        return format == .csv ? try plain.csv(first, file: file) : plain
    }

    mutating func next() throws(WinnowError) -> InputPiece? { try nextText().map { .text($0) } }

    func finishDigest() -> [UInt8] { input.finishDigest() }

    /// The next piece, nil at the end.
    mutating func nextText() throws(WinnowError) -> TextPiece? {
        while true {
            if !ended { try fill() }
            if skipping, !pending.isEmpty {
                guard let end = pending.firstIndex(of: 0x0A) else {
                    pending.removeAll(keepingCapacity: true)
                    if ended { return nil }
                    continue
                }
                pending.removeFirst(end + 1)
                skipping = false
            }
            if ended && pending.isEmpty { return nil }
            let isLong = pending.count > LoadLimits.line
            if let cut = ended ? pending.count : endOfRecords,
                ended || isLong || !lacksHeader(cut)
            {
                return take(cut, isCut: false)
            }
            if isLong {
                skipping = true
                return take(pending.count, isCut: true)
            }
        }
    }

    private mutating func take(_ count: Int, isCut: Bool) -> TextPiece {
        defer { isFirst = false }
        // The rest is little, and what is handed over need not be copied.
        let rest = Array(pending[count...])
        pending.removeLast(rest.count)
        defer { pending = rest }
        return TextPiece(bytes: pending, isFirst: isFirst, isCut: isCut)
    }

    /// Reads as much as was asked for, however little comes at a time.
    private mutating func fill() throws(WinnowError) {
        if splitter != nil { return try fillWithLines() }
        var failure: WinnowError?
        let before = pending
        pending = unsafe Array(unsafeUninitializedCapacity: before.count + size) { buffer, end in
            let buffer = UnsafeMutableRawBufferPointer(buffer)
            unsafe buffer.copyBytes(from: before)
            end = before.count
            do throws(WinnowError) {
                while end < before.count + size, !ended {
                    let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[end...])
                    let count = try unsafe input.read(into: room)
                    end += count
                    ended = count == 0
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// Reads some JSON and appends the rows that it has as lines.
    private mutating func fillWithLines() throws(WinnowError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 64)
        defer { unsafe buffer.deallocate() }
        let start = pending.count
        while pending.count < start + size, !ended {
            let count = try unsafe input.read(into: buffer)
            ended = count == 0
            var text = unsafe UnsafeRawBufferPointer(rebasing: buffer[..<count])
            if isFirst, start == 0, pending.isEmpty {
                unsafe text = unsafe TextPiece.text(text, isFirst: true)
            }
            try unsafe splitter?.take(text, into: &pending)
        }
        guard ended else { return }
        guard splitter?.isComplete == true else {
            throw .badData(
                file: file, line: nil, column: nil, code: .malformedJSON,
                reason: "the JSON ends before all is closed")
        }
        splitter?.finish(into: &pending)
    }

    /// Whether a first piece of so many bytes would have blank lines in place of the header.
    private func lacksHeader(_ count: Int) -> Bool {
        unsafe isFirst && format == .csv
            && pending.withUnsafeBytes { bytes in
                unsafe TextPiece.text(
                    UnsafeRawBufferPointer(rebasing: bytes[..<count]), isFirst: true
                ).allSatisfy { $0 == 0x0A || $0 == 0x0D }
            }
    }

    /// Where the last record ends that is here as a whole; nil when there is none.
    private var endOfRecords: Int? {
        unsafe pending.withUnsafeBytes { bytes in
            guard let line = unsafe bytes.lastIndex(of: 0x0A) else { return nil }
            let quote = unsafe bytes.firstIndex(of: UInt8(ascii: "\""), from: 0)
            guard format == .csv, quote != nil else {
                return line + 1
            }
            let text = unsafe TextPiece.text(bytes, isFirst: isFirst)
            var rows = unsafe CSVRows(text, delimiter: delimiter)
            while rows.skip() {}
            return rows.complete.map { $0 + bytes.count - text.count }
        }
    }
}

/// Limits of input data.
package enum LoadLimits {
    static let line = 16 << 20
    package static let id = 255
    /// 2000-01-01.
    static let firstEvent: Int64 = 946_684_800_000

    /// How much of a loader's memory may be filled with what it gathers; the rest is for pieces of
    /// input and their parsed rows.
    static func gathered(_ memory: Int) -> Int { max(memory / 4, memory - 256 << 20) }
}
