import WinnowDisk
import WinnowModel

extension FeedMapping {
    /// A mapping that comes with Winnow.
    public struct Shipped: Sendable {
        /// What it is called.
        public var name: String
        /// What it is for.
        public var about: String
        /// A file of the kind.
        public var example: String
        /// The mapping.
        public var mapping: FeedMapping
    }

    /// The mapping of a name that comes with Winnow.
    /// - Throws: `usage` that says which there are.
    public init(named name: String) throws(WinnowError) {
        guard let shipped = FeedMapping.shipped.first(where: { $0.name == name }) else {
            let names = FeedMapping.shipped.map(\.name)
            throw .usage(
                "there is no mapping “\(name)”\(nearestHint(for: name, among: names)); "
                    + "those that come with Winnow are \(names.joined(separator: ", "))")
        }
        self = shipped.mapping
    }

    /// A mapping of a file, in which everything is read.
    /// - Throws: `io` when it cannot be read, `badData` when it is no UTF-8 or beyond 16 MiB.
    public init(file path: String) throws(WinnowError) {
        let bytes = try InputStream(path: path).readAll(limit: 1 << 24)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .badData(
                file: path, line: nil, column: nil, code: .badUTF8, reason: "the file is not UTF-8")
        }
        self.init(json: text)
    }

    /// A mapping that comes with Winnow, or one of a file, as its name tells: a name has neither a
    /// slash nor a dot. A text that begins with a brace is the mapping itself.
    package init(_ text: String) throws(WinnowError) {
        if text.hasPrefix("{") {
            self.init(json: text)
        } else if text.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ".") })
        {
            try self.init(file: text)
        } else {
            try self.init(named: text)
        }
    }
}
