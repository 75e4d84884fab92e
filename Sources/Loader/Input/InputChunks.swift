import WinnowModel

/// A piece of an input file that begins and ends between records, so that pieces can be parsed side
/// by side.
struct InputChunk: Sendable {
    let bytes: [UInt8]
    /// Whether nothing stands before it in its file.
    let isFirst: Bool
    /// The record is longer than `LoadLimits.line`: only its beginning is here.
    let isCut: Bool
}

/// Reads a file piece by piece, cutting at ends of records.
struct InputChunks {
    private let input: InputBytes
    private let quoted: Bool
    private var pending: [UInt8] = []
    private var fresh = true
    private var ended = false
    /// The rest of a record that was too long is being passed over.
    private var skipping = false
    /// How far `pending` was searched for ends of records, in which state that ended, and the last
    /// end found.
    private var scanned = 0
    private var scan = CSVScan.cellStart
    private var recordEnd: Int?

    private static let size = 4 << 20

    /// `quoted`: line ends within double quotes do not end a record.
    init(_ input: InputBytes, quoted: Bool) {
        self.input = input
        self.quoted = quoted
    }

    /// The next piece, nil at the end.
    mutating func next() throws(WinnowError) -> InputChunk? {
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
            if let cut = ended ? pending.count : lastRecordEnd() {
                return take(cut, isCut: false)
            }
            if pending.count > LoadLimits.line {
                skipping = true
                return take(pending.count, isCut: true)
            }
        }
    }

    private mutating func take(_ count: Int, isCut: Bool) -> InputChunk {
        defer {
            fresh = false
            scanned = max(0, scanned - count)
            recordEnd = nil
            if isCut { scan = .cellStart }
        }
        let bytes = Array(pending[..<count])
        pending.removeFirst(count)
        return InputChunk(bytes: bytes, isFirst: fresh, isCut: isCut)
    }

    private mutating func fill() throws(WinnowError) {
        let old = pending.count
        pending.append(contentsOf: repeatElement(0, count: InputChunks.size))
        let count = try unsafe pending.withUnsafeMutableBytesThrowing {
            (buffer) throws(WinnowError) in
            try unsafe input.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[old...]))
        }
        pending.removeLast(InputChunks.size - count)
        if count == 0 { ended = true }
    }

    /// Behind the last end of a record that is in the pending bytes; every byte is looked at once.
    private mutating func lastRecordEnd() -> Int? {
        unsafe pending.withUnsafeBytes { bytes in
            if scanned == 0, fresh, unsafe bytes.starts(with: [0xEF, 0xBB, 0xBF]) { scanned = 3 }
            let new = unsafe UnsafeRawBufferPointer(rebasing: bytes[scanned...])
            let plain =
                unsafe !quoted || (scan.isOutsideQuotes && !new.contains(UInt8(ascii: "\"")))
            if plain, let last = unsafe new.lastIndex(of: 0x0A) {
                recordEnd = scanned + last + 1
                scan =
                    unsafe last + 1 == new.count || new.last == UInt8(ascii: ",")
                    ? .cellStart : .cell
            } else if plain {
                if let last = unsafe new.last {
                    scan = last == UInt8(ascii: ",") ? .cellStart : .cell
                }
            } else {
                for i in 0..<new.count where unsafe scan.take(new[i]) {
                    recordEnd = scanned + i + 1
                }
            }
            scanned = bytes.count
        }
        return recordEnd
    }
}

/// Where records of CSV end, by the same rules as `CSVRows`: a quote opens only at the start of a
/// cell, and a malformed row ends at its line end.
private enum CSVScan {
    case cellStart, cell, quoted, quoteInQuoted, returnBehindQuoted, malformed

    var isOutsideQuotes: Bool { self == .cellStart || self == .cell }

    /// Takes a byte; true when a record ends with it.
    mutating func take(_ byte: UInt8) -> Bool {
        if byte == 0x0A, self != .quoted {
            self = .cellStart
            return true
        }
        switch (self, byte) {
        case (.cellStart, UInt8(ascii: "\"")), (.quoteInQuoted, UInt8(ascii: "\"")): self = .quoted
        case (.quoted, UInt8(ascii: "\"")): self = .quoteInQuoted
        case (.quoted, _), (.malformed, _): break
        case (.cell, UInt8(ascii: "\"")), (.returnBehindQuoted, _): self = .malformed
        case (_, UInt8(ascii: ",")): self = .cellStart
        case (.quoteInQuoted, 0x0D): self = .returnBehindQuoted
        case (.quoteInQuoted, _): self = .malformed
        default: self = .cell
        }
        return false
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
