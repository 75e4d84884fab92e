import WinnowDisk
import WinnowFormat
import WinnowModel
import WinnowSimulation
import Testing

/// Parts on a disk in memory. A suite keeps one: what is read from parts points into them.
final class Parts {
    let disk = SimulatedDisk()
    private var files: [PartFile] = []

    /// A part as `body` writes it.
    func write(
        _ kind: PartKind, _ body: (PartWriter) throws -> PartReference
    ) throws -> PartFile {
        let id = UInt64(files.count + 1)
        let writer = try PartWriter(disk: disk, directory: "parts", id: id, kind: kind)
        let reference = try body(writer)
        let file = try PartFile(disk: disk, directory: "parts", reference)
        files.append(file)
        return file
    }

    /// A part with nothing but a section `fieldValues`.
    func write(_ bytes: [UInt8]) throws -> PartFile {
        try write(.profiles) { part in
            try part.begin(.fieldValues)
            try part.append(bytes)
            return try part.finish()
        }
    }

    /// The same part with one section changed; all checksums are right.
    func changing(
        _ tag: SectionTag, of part: PartFile, _ change: (inout [UInt8]) -> Void
    ) throws -> PartFile {
        try write(part.reference.kind) { writer in
            for (found, _) in part.sectionSizes {
                var bytes = Array(try part.section(found))
                if found == tag { change(&bytes) }
                try writer.begin(found)
                try writer.append(bytes)
            }
            return try writer.finish()
        }
    }

    /// Flips the bits of each byte of a section, one part a byte, and reads it. Not every byte can
    /// be told wrong, but whatever is read must end, and fail with `damaged` if it fails.
    func flipping(
        _ tag: SectionTag, of part: PartFile, _ location: SourceLocation = #_sourceLocation,
        _ read: (PartFile) throws -> Void
    ) throws {
        for i in 0..<part.size(of: tag) {
            for mask in [0xFF, 0x80, 0x01] as [UInt8] {
                let damaged = try changing(tag, of: part) { $0[i] ^= mask }
                do { try read(damaged) } catch WinnowError.damaged {
                } catch {
                    Issue.record("byte \(i) ^ \(mask): \(error)", sourceLocation: location)
                }
            }
        }
    }
}

/// Expects that the body throws `damaged` and says why in these words.
func expectDamage(
    _ words: String, _ location: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) {
    do {
        try body()
        Issue.record("no damage was found: \(words)", sourceLocation: location)
    } catch WinnowError.damaged(_, let what) {
        #expect(words.isEmpty || what.contains(words), sourceLocation: location)
    } catch {
        Issue.record("\(error)", sourceLocation: location)
    }
}

/// Bytes as hexadecimal digits, white space aside.
func hex(_ text: String) -> [UInt8] {
    let digits = text.filter { !$0.isWhitespace }.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map {
        UInt8(digits[$0] << 4 | digits[$0 + 1])
    }
}

extension [UInt8] {
    /// Writes a little-endian number over what stands at an offset.
    mutating func put<T: FixedWidthInteger>(_ value: T, at offset: Int) {
        let bytes = Swift.withUnsafeBytes(of: value.littleEndian) { Array($0) }
        replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }
}

extension Dice {
    /// A number of so many bits.
    mutating func bits(_ width: Int) -> UInt64 {
        let number = next() << 32 ^ next()
        return width == 0 ? 0 : number >> UInt64(64 - width)
    }

    /// Ascending distinct rows of a block.
    mutating func rows(_ count: Int) -> [UInt16] {
        var all = (0..<Block.rows).map { UInt16($0) }
        for i in 0..<count { all.swapAt(i, i + below(Block.rows - i)) }
        return all.prefix(count).sorted()
    }
}
