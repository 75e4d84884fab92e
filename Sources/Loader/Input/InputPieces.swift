import WinnowModel

/// A piece of an input that begins and ends between records, so that pieces can be parsed side by
/// side.
enum InputPiece: Sendable {
    case text(TextPiece)
    case table(TablePiece)
}

/// Reads an input piece by piece.
protocol InputPieces {
    /// The next piece, nil at the end.
    mutating func next() throws(WinnowError) -> InputPiece?

    /// What the rows look like.
    /// - Parameter plain: what is known without the input.
    /// - Parameter first: the first piece, nil where there is none.
    func layout(_ plain: RowLayout, of first: InputPiece?) throws(WinnowError) -> RowLayout

    /// Whether there was something where rows are looked for.
    var foundRows: Bool { get }
    /// Bytes taken so far, as they are in the file.
    var taken: Int { get }
    /// Whether a row's place is its line; else it is its number.
    var hasLines: Bool { get }

    /// Takes note of what was parsed, piece by piece in order.
    mutating func hasParsed(_ rows: RowReport)

    /// The digest of everything; empty when none was wanted.
    mutating func finishDigest() -> [UInt8]
}

extension InputPieces {
    mutating func hasParsed(_ rows: RowReport) {}
}
