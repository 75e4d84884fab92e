import WinnowFormat
import WinnowModel

/// The distinct strings of a field in one part, ascending by bytes, so that a prefix is a range of
/// codes.
@safe package struct FieldDictionary: @unchecked Sendable {
    private let ends: PackedColumn
    private let text: UnsafeRawBufferPointer
    package var count: Int { ends.count }

    init(_ source: ByteReader) throws(WinnowError) {
        var reader = source
        ends = try PackedColumn(&reader)
        unsafe text = unsafe reader.rest
        // Strings are distinct, so at most one is empty.
        guard unsafe ends.count <= text.count + 1 else {
            throw reader.damage("more strings than there can be")
        }
    }

    package subscript(code: Int) -> UnsafeRawBufferPointer {
        let start = code == 0 ? 0 : Int(ends[code - 1])
        return unsafe text.slice(start, Int(ends[code]) &- start)
            ?? UnsafeRawBufferPointer(start: nil, count: 0)
    }
}
