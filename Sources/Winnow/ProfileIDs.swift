import Disk
import Loader
import Model

/// A file of external ids, one a line; blank lines are passed over.
enum ProfileIDs {
    private static let limit = 1 << 32

    /// The different ids, in the order in which they come first.
    static func read(_ path: String) throws(WinnowError) -> [[UInt8]] {
        let stream = try InputStream(path: path)
        let bytes = try stream.readAll(limit: limit)
        var ids: [[UInt8]] = [], known: Set<ArraySlice<UInt8>> = []
        for (i, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            var id = line.last == 0x0D ? line.dropLast() : line
            if i == 0, id.starts(with: [0xEF, 0xBB, 0xBF]) { id = id.dropFirst(3) }
            if id.isEmpty { continue }
            guard id.count <= LoadLimits.id, String(validating: id, as: UTF8.self) != nil else {
                throw .badData(
                    file: stream.name, line: i + 1, column: nil, code: "bad_id",
                    reason: "an id is UTF-8 of 1 to \(LoadLimits.id) bytes")
            }
            if known.insert(id).inserted { ids.append(Array(id)) }
        }
        return ids
    }
}
