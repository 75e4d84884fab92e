import Format
import Model

/// Strings that hardly repeat, one behind the other in zstd frames of about 64 KiB.
///
///     texts = lengths:packed column frames:u32 0:u32 (strings:u32 size:u32 length:u32 0:u32) … frame …
package struct TextFrames {
    private let lengths: PackedColumn
    private let frames: [(strings: Int, size: Int, bytes: UnsafeRawBufferPointer)]
    private let part: PartFile

    package var count: Int { lengths.count }

    private static let frameSize = 1 << 16

    /// Verifies what it reads; frames are verified when they are decompressed.
    init(_ reader: inout ByteReader, in part: PartFile) throws(WinnowError) {
        self.part = part
        let start = reader.rest
        lengths = try PackedColumn(&reader)
        let count = Int(try reader.take(UInt32.self))
        _ = try reader.take(UInt32.self)
        var table = ByteReader(try reader.take(bytes: count * 16), of: part.path, "text frames")
        try part.verify(UnsafeRawBufferPointer(rebasing: start.dropLast(reader.rest.count)))
        var frames: [(strings: Int, size: Int, bytes: UnsafeRawBufferPointer)] = [], strings = 0
        for _ in 0..<count {
            let held = Int(try table.take(UInt32.self)), size = Int(try table.take(UInt32.self))
            let length = Int(try table.take(UInt32.self))
            _ = try table.take(UInt32.self)
            frames.append((held, size, try reader.take(bytes: length)))
            strings += held
        }
        self.frames = frames
        guard strings == lengths.count else { throw reader.damage("texts and frames do not match") }
    }

    /// Calls `body` with the number and bytes of every string of every frame that `wanted` asks for; it is asked with
    /// the numbers of a frame's strings.
    package func forEach(
        wanted: (Range<Int>) -> Bool = { _ in true }, _ body: (Int, UnsafeRawBufferPointer) -> Void
    ) throws(WinnowError) {
        var first = 0
        for frame in frames {
            let numbers = first..<first + frame.strings
            first = numbers.upperBound
            guard wanted(numbers) else { continue }
            try part.verify(frame.bytes)
            let text = try Zstd.decompress(frame.bytes, size: frame.size, of: part.path)
            let whole = text.withUnsafeBytes { raw in
                var at = 0
                for number in numbers {
                    guard let string = raw.slice(at, Int(lengths[number])) else { return false }
                    body(number, string)
                    at += string.count
                }
                return at == raw.count
            }
            guard whole else { throw .damaged(file: part.path, what: "a frame's texts do not fill it") }
        }
    }

    /// Gathers strings, in order, for a `TextFrames`.
    struct Writer {
        private var lengths: [Int64] = []
        private var table = ByteWriter()
        private var frames: [UInt8] = []
        private var pending: [UInt8] = []
        private var strings: UInt32 = 0
        private var count: UInt32 = 0

        mutating func add(_ text: ArraySlice<UInt8>) throws(WinnowError) {
            lengths.append(Int64(text.count))
            pending.append(contentsOf: text)
            strings += 1
            if pending.count >= frameSize { try endFrame() }
        }

        private mutating func endFrame() throws(WinnowError) {
            guard strings > 0 else { return }
            let frame = try Zstd.compress(pending[...])
            table.put(strings)
            table.put(UInt32(clamping: pending.count))
            table.put(UInt32(clamping: frame.count))
            table.put(UInt32(0))
            frames.append(contentsOf: frame)
            pending.removeAll(keepingCapacity: true)
            strings = 0
            count += 1
        }

        mutating func finish(to out: inout ByteWriter) throws(WinnowError) {
            try endFrame()
            PackedColumn.append(lengths, to: &out)
            out.put(count)
            out.put(UInt32(0))
            out.bytes.append(contentsOf: table.bytes)
            out.bytes.append(contentsOf: frames)
        }
    }
}
