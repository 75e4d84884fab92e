import Disk
import Model

/// A piece of an input file that begins and ends between records, so that pieces can be parsed side by side.
struct InputChunk: Sendable {
    let file: Int
    let bytes: [UInt8]
    /// Whether nothing stands before it in its file.
    let isFirst: Bool
    /// The record is longer than `LoadLimits.line`: only its beginning is here.
    let isCut: Bool
}

/// Reads files piece by piece, cutting at ends of records.
struct InputChunks {
    private let names: [String]
    private let quoted: Bool
    private var file = 0
    private var stream: InputStream?
    private var pending: [UInt8] = []
    private var fresh = true
    private var ended = false
    /// The rest of a record that was too long is being passed over.
    private var skipping = false

    private static let size = 4 << 20

    /// `quoted`: line ends within double quotes do not end a record.
    init(_ names: [String], quoted: Bool) {
        self.names = names
        self.quoted = quoted
    }

    /// The next piece, nil behind the last file.
    mutating func next() throws(WinnowError) -> InputChunk? {
        while file < names.count {
            if stream == nil {
                stream = try InputStream(path: names[file])
                (pending, fresh, ended, skipping) = ([], true, false, false)
            }
            if let chunk = try nextInFile() { return chunk }
            stream = nil
            file += 1
        }
        return nil
    }

    private mutating func nextInFile() throws(WinnowError) -> InputChunk? {
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
        defer { fresh = false }
        let bytes = Array(pending[..<count])
        pending.removeFirst(count)
        return InputChunk(file: file, bytes: bytes, isFirst: fresh, isCut: isCut)
    }

    private mutating func fill() throws(WinnowError) {
        guard let stream else { return }
        let old = pending.count
        pending.append(contentsOf: repeatElement(0, count: InputChunks.size))
        let result = pending.withUnsafeMutableBytes { (buffer) -> Result<Int, WinnowError> in
            do throws(WinnowError) {
                return .success(try stream.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[old...])))
            } catch {
                return .failure(error)
            }
        }
        let count = (try? result.get()) ?? 0
        pending.removeLast(InputChunks.size - count)
        _ = try result.get()
        if count == 0 { ended = true }
    }

    /// Behind the last line end that is not within quotes.
    private func lastRecordEnd() -> Int? {
        pending.withUnsafeBytes { bytes in
            if !quoted || !bytes.contains(UInt8(ascii: "\"")) {
                var at = bytes.count
                while at > 0, bytes[at - 1] != 0x0A { at -= 1 }
                return at > 0 ? at : nil
            }
            var inside = false, end: Int?
            for (i, byte) in bytes.enumerated() {
                if byte == UInt8(ascii: "\"") { inside.toggle() } else if byte == 0x0A && !inside { end = i + 1 }
            }
            return end
        }
    }
}

/// Limits of input data.
enum LoadLimits {
    static let line = 16 << 20
    static let id = 255
    /// 2000-01-01.
    static let firstEvent: Int64 = 946_684_800_000
}
