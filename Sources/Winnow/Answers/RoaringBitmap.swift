import WinnowBitmaps
import WinnowFormat
import WinnowModel
import WinnowQuery

/// Row numbers in the portable format of Roaring bitmaps
/// (https://github.com/RoaringBitmap/RoaringFormatSpec): arrays and bitsets, no runs.
///
///     bitmap = 12346:u32 containers:u32 (block:u16 count-1:u16) … offset:u32 … container …
struct RoaringBitmap {
    private let rows: RowSet

    init(_ rows: RowSet) { self.rows = rows }

    /// Writes it container by container.
    func write(
        to write: (ArraySlice<UInt8>) throws(WinnowError) -> Void
    ) throws(WinnowError) {
        var keys = ByteWriter()
        var counts: [Int] = []
        try rows.forEachBlock { (block, words) throws(WinnowError) in
            counts.append(words.reduce(0) { $0 + $1.nonzeroBitCount })
            keys.put(UInt16(truncatingIfNeeded: block.rawValue))
            keys.put(UInt16(truncatingIfNeeded: (counts.last ?? 1) - 1))
        }
        var head = ByteWriter()
        head.put(UInt32(12346))
        head.put(UInt32(counts.count))
        head.bytes += keys.bytes
        var offset = head.bytes.count + 4 * counts.count
        for count in counts {
            head.put(UInt32(truncatingIfNeeded: offset))
            offset += RoaringBitmap.isArray(count) ? 2 * count : 8 * Block.words
        }
        try write(head.bytes[...])
        var number = 0
        try rows.forEachBlock { (_, words) throws(WinnowError) in
            var out = ByteWriter()
            if RoaringBitmap.isArray(counts[number]) {
                for (i, word) in words.enumerated() {
                    var rest = word
                    while rest != 0 {
                        out.put(UInt16(i * 64 + rest.trailingZeroBitCount))
                        rest &= rest - 1
                    }
                }
            } else {
                for word in words { out.put(word) }
            }
            number += 1
            try write(out.bytes[...])
        }
    }

    /// Up to 4,096 rows are listed.
    private static func isArray(_ count: Int) -> Bool { count <= 4096 }
}
