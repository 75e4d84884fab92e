import WinnowBitmaps
import WinnowCKernels
import WinnowFormat
import WinnowModel

/// Strings that hardly repeat, one after the other in frames of about 64 KiB, each as it is
/// (`length` = `size`) or compressed.
///
///     texts = lengths:packed column frames:u32 0:u32 (strings:u32 size:u32 length:u32 0:u32) … frame …
@safe package struct TextFrames {
    private let lengths: PackedColumn
    private let frames: [(strings: Int, size: Int, bytes: UnsafeRawBufferPointer)]
    private let part: PartFile

    package var count: Int { lengths.count }

    private static let frameSize = 1 << 16

    /// Verifies what it reads; frames are verified when they are read.
    package init(_ reader: inout ByteReader, in part: PartFile) throws(WinnowError) {
        self.part = part
        let start = unsafe reader.rest
        lengths = try PackedColumn(&reader)
        let count = Int(try reader.take(UInt32.self))
        _ = try reader.take(UInt32.self)
        var table = unsafe ByteReader(
            try reader.take(bytes: count * 16), of: part.path, "text frames")
        try unsafe part.verify(UnsafeRawBufferPointer(rebasing: start.dropLast(reader.rest.count)))
        var frames: [(strings: Int, size: Int, bytes: UnsafeRawBufferPointer)] = unsafe []
        var strings = 0
        for _ in 0..<count {
            let held = Int(try table.take(UInt32.self))
            let size = Int(try table.take(UInt32.self))
            let length = Int(try table.take(UInt32.self))
            _ = try table.take(UInt32.self)
            unsafe frames.append((held, size, try reader.take(bytes: length)))
            strings += held
            // Empty strings are those of fields, of which a block has one a row.
            guard held <= max(size, Block.rows), size <= Zstd.maximumFrame else {
                throw reader.damage("an impossible text frame")
            }
        }
        unsafe self.frames = unsafe frames
        guard strings == lengths.count, lengths.width <= 32 else {
            throw reader.damage("texts and frames do not match")
        }
    }

    /// Calls `body` with the number and bytes of every string of every frame that `wanted` asks
    /// for; it is asked with the numbers of a frame's strings.
    package func forEach(
        wanted: (Range<Int>) -> Bool = { _ in true }, _ body: (Int, UnsafeRawBufferPointer) -> Void
    ) throws(WinnowError) {
        try unsafe forEachFrame(wanted) { numbers, text, lengths in
            var at = 0
            for (i, number) in numbers.enumerated() {
                unsafe body(
                    number, UnsafeRawBufferPointer(rebasing: text[at..<at + Int(lengths[i])]))
                at += Int(lengths[i])
            }
        }
    }

    /// The same for the strings in which one of some parts, none of them empty, occurs; frames are
    /// searched as a whole.
    package func search(
        _ parts: [[UInt8]], wanted: (Range<Int>) -> Bool,
        _ body: (Int, UnsafeRawBufferPointer) -> Void
    ) throws(WinnowError) {
        try unsafe forEachFrame(wanted) { numbers, text, lengths in
            guard let base = unsafe text.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
                return
            }
            for part in parts {
                var from = 0
                var i = 0
                var start = 0
                while from < text.count {
                    let found =
                        unsafe from
                        + kernels.find_bytes(base + from, text.count - from, part, part.count)
                    guard found < text.count else { break }
                    while start + Int(lengths[i]) <= found {
                        start += Int(lengths[i])
                        i += 1
                    }
                    let end = start + Int(lengths[i])
                    // What crosses the end of a string is none of it, and neither is what begins
                    // later in it.
                    if found + part.count <= end {
                        unsafe body(
                            numbers.lowerBound + i,
                            UnsafeRawBufferPointer(rebasing: text[start..<end]))
                    }
                    from = end
                }
            }
        }
    }

    /// Calls `body` with the numbers of a frame's strings, their bytes and their lengths, which add
    /// up to the bytes.
    private func forEachFrame(
        _ wanted: (Range<Int>) -> Bool,
        _ body: (Range<Int>, UnsafeRawBufferPointer, [UInt32]) -> Void
    ) throws(WinnowError) {
        var first = 0
        var own: [UInt32] = []
        for i in unsafe frames.indices {
            let frame = unsafe frames[i]
            let numbers = unsafe first..<first + frame.strings
            first = numbers.upperBound
            guard wanted(numbers) else { continue }
            try unsafe part.verify(frame.bytes)
            if own.count < numbers.count { own = Array(repeating: 0, count: numbers.count) }
            unsafe lengths.copy(numbers, into: &own)
            let size = own.prefix(numbers.count).reduce(0) { $0 + Int($1) }
            guard unsafe size == frame.size else {
                throw .damaged(file: part.path, what: "a frame's texts do not fill it")
            }
            if unsafe frame.bytes.count == frame.size {
                unsafe body(numbers, frame.bytes, own)
            } else {
                let text = try unsafe Zstd.decompress(frame.bytes, size: frame.size, of: part.path)
                unsafe text.withUnsafeBytes { unsafe body(numbers, $0, own) }
            }
        }
    }

    /// Gathers strings, in order, for a `TextFrames`.
    package struct Writer {
        /// Whether frames are compressed, see `Schema.Text`.
        private let compresses: Bool
        private var lengths: [Int64] = []
        private var table = ByteWriter()
        private var frames: [UInt8] = []
        private var pending: [UInt8] = []
        private var strings: UInt32 = 0
        private var count: UInt32 = 0

        package init(compresses: Bool) { self.compresses = compresses }

        package mutating func add(_ text: ArraySlice<UInt8>) throws(WinnowError) {
            lengths.append(Int64(text.count))
            pending.append(contentsOf: text)
            strings += 1
            if pending.count >= frameSize { try endFrame() }
        }

        private mutating func endFrame() throws(WinnowError) {
            guard strings > 0 else { return }
            let compressed = compresses ? try Zstd.compress(pending[...]) : pending
            let frame = compressed.count < pending.count ? compressed : pending
            table.put(strings)
            table.put(UInt32(clamping: pending.count))
            table.put(UInt32(clamping: frame.count))
            table.put(UInt32(0))
            frames.append(contentsOf: frame)
            pending.removeAll(keepingCapacity: true)
            strings = 0
            count += 1
        }

        package mutating func finish(to out: inout ByteWriter) throws(WinnowError) {
            try endFrame()
            PackedColumn.append(lengths, to: &out)
            out.put(count)
            out.put(UInt32(0))
            out.bytes.append(contentsOf: table.bytes)
            out.bytes.append(contentsOf: frames)
        }
    }
}
