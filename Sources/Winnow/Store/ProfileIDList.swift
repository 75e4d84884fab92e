import WinnowDisk
import WinnowJSON
import WinnowLoader
import WinnowModel

/// Different external ids, in the order in which they come first.
package struct ProfileIDList: Sendable {
    let ids: [[UInt8]]
    private static let limit = 1 << 32

    /// Those of a program.
    /// - Throws: `badData` for what can be no id.
    package init(_ ids: [String]) throws(WinnowError) {
        var known: Set<[UInt8]> = []
        var different: [[UInt8]] = []
        for (i, id) in ids.enumerated() {
            let bytes = Array(id.utf8)
            guard (1...LoadLimits.id).contains(bytes.count) else {
                throw .badData(
                    file: "profiles", line: i + 1, column: nil, code: .badID,
                    reason: "an id is text of 1 to \(LoadLimits.id) bytes")
            }
            if known.insert(bytes).inserted { different.append(bytes) }
        }
        self.ids = different
    }

    /// Those of a file, one a line as it is or in a JSON object; blank lines are passed over.
    /// - Throws: `badData` for a line that has no possible id.
    package init(file path: String, _ format: ProfileIDFormat) throws(WinnowError) {
        let stream = try InputStream(path: path)
        let bytes = try stream.readAll(limit: ProfileIDList.limit)
        var ids: [[UInt8]] = []
        var known: Set<ArraySlice<UInt8>> = []
        for (i, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated()
        {
            var id = line.last == 0x0D ? line.dropLast() : line
            if i == 0, id.starts(with: [0xEF, 0xBB, 0xBF]) { id = id.dropFirst(3) }
            let said = format == .lines ? id : ProfileIDList.id(inObject: id)
            guard let id = said, id.count <= LoadLimits.id,
                String(validating: id, as: UTF8.self) != nil
            else {
                let what = "text of 1 to \(LoadLimits.id) bytes"
                throw .badData(
                    file: stream.name, line: i + 1, column: nil, code: .badID,
                    reason: format == .lines
                        ? "an id is \(what), UTF-8"
                        : "a line is a JSON object with the field “id”, \(what)")
            }
            if id.isEmpty { continue }
            if known.insert(id).inserted { ids.append(Array(id)) }
        }
        self.ids = ids
    }

    /// The field `id` of an object; empty for a blank line, nil when there is no such text.
    private static func id(inObject line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return [] }
        let value = unsafe line.withUnsafeBytes { unsafe try? JSONValue(parsing: $0) }
        guard case .object(let fields) = value,
            let id = fields.last(where: { $0.key == "id" })?.value,
            case .string(let text) = id, !text.isEmpty
        else { return nil }
        return Array(text.utf8)[...]
    }
}

/// How a file names profiles.
public enum ProfileIDFormat: String, Sendable, CaseIterable {
    /// An id a line, as it is.
    case lines
    /// A JSON object a line, its field `id` the id, others passed over: any id can be written so.
    case ndjson
}
