import WinnowFormat
import WinnowModel

/// The batches that were ever loaded under an id of their own, so that none is loaded twice. Merged
/// like any other kind and opened only by loads that name a batch, they cost nothing else however
/// many there are.
///
///     strings = the ids, as in `StringTable`, namespace `batch`
///     digests = 32 bytes per id, in the order of the codes
package struct BatchesPart: Sendable {
    private let file: PartFile
    package let ids: StringTable

    package static let digestSize = 32

    package init(_ file: PartFile) throws(WinnowError) {
        self.file = file
        guard let ids = try StringTable(file, .batch),
            file.size(of: .digests) == ids.count * BatchesPart.digestSize
        else { throw .damaged(file: file.path, what: "ids and digests of batches do not match") }
        self.ids = ids
    }

    /// The digest of a batch's content, nil when it was never loaded. Complexity: O(1) on average.
    package func digest(of id: UnsafeRawBufferPointer) throws(WinnowError) -> [UInt8]? {
        guard let code = unsafe ids.code(of: id, hash: stringHash(id)) else { return nil }
        return try digest(Int(code - ids.first))
    }

    private func digest(_ index: Int) throws(WinnowError) -> [UInt8] {
        unsafe Array(
            try file.bytes(.digests, index * BatchesPart.digestSize, BatchesPart.digestSize))
    }

    /// Writes older parts, oldest first, and perhaps one more batch, whose code is `first`.
    package static func write(
        _ older: some Collection<BatchesPart>, adding batch: (id: [UInt8], digest: [UInt8])?,
        first: UInt32,
        to part: PartWriter
    ) throws(WinnowError) -> PartReference {
        var new = StringInterner(first: first)
        if let batch, unsafe batch.id.withUnsafeBytes({ unsafe new.intern($0) }) == nil {
            throw .usage("the store has no room for more batches")
        }
        try StringTableWriter.append([.init(.batch, older: older.map(\.ids), new: new)], to: part)
        try part.begin(.digests)
        for batches in older {
            for i in 0..<batches.ids.count { try part.append(try batches.digest(i)) }
        }
        if let batch { try part.append(batch.digest) }
        return try part.finish()
    }
}
