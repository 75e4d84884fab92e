import WinnowDisk
import WinnowFormat
import WinnowModel

/// A campaign or template as it was loaded.
package struct CatalogueObject: Sendable, Hashable {
    package enum Kind: UInt8, Sendable, CaseIterable {
        case campaign = 1, template

        /// What its ids are numbered in.
        package var namespace: Namespace {
            switch self {
            case .campaign: .campaign
            case .template: .template
            }
        }
    }

    package var kind: Kind
    package var id: [UInt8]
    package var name: [UInt8]
    /// Templates only; the channel's name.
    package var channel: Channel?
    package var tags: [[UInt8]]
    package var attributes: [Attribute]

    package struct Attribute: Sendable, Hashable {
        package var key: [UInt8]
        package var value: [UInt8]

        package init(key: [UInt8], value: [UInt8]) {
            self.key = key
            self.value = value
        }
    }

    package init(
        kind: Kind, id: [UInt8], name: [UInt8], channel: Channel?, tags: [[UInt8]],
        attributes: [Attribute]
    ) {
        self.kind = kind
        self.id = id
        self.name = name
        self.channel = channel
        self.tags = tags
        self.attributes = attributes
    }

    struct Key: Hashable {
        let kind: Kind
        let id: [UInt8]
    }
    var key: Key { Key(kind: kind, id: id) }
}

/// Campaigns and templates. An object in a later part replaces the one of the same kind and id in
/// an earlier part.
///
///     objects = (count:u32 size:u64 length:u64 zstd frame of object …) …
///     object  = kind:u8 channel:u8 id name tags:u32 tag … attributes:u32 (key value) …
///     selectors = (size:u64 table) …                        campaigns, then templates, see `SelectorTable`
package enum CataloguePart {
    /// Bytes of objects after which a frame ends; one object more fits any frame that is believed.
    private static let frameSize = 1 << 26

    package static func write(
        _ objects: [CatalogueObject], to part: PartWriter, _ code: CodeOfObject
    ) throws(WinnowError) -> PartReference {
        try part.begin(.objects)
        var body = ByteWriter()
        var count: UInt32 = 0
        for (i, object) in objects.enumerated() {
            append(object, to: &body)
            count += 1
            guard body.bytes.count >= frameSize || i == objects.count - 1 else { continue }
            let compressed = try Zstd.compress(body.bytes[...])
            var out = ByteWriter()
            out.put(count)
            out.put(UInt64(body.bytes.count))
            out.put(UInt64(compressed.count))
            try part.append(out.bytes + compressed)
            body.bytes.removeAll(keepingCapacity: true)
            count = 0
        }
        try appendSelectors(objects, to: part, code)
        return try part.finish()
    }

    private static func append(_ object: CatalogueObject, to body: inout ByteWriter) {
        body.put(object.kind.rawValue)
        body.put(object.channel?.rawValue ?? UInt8.max)
        body.put(string: object.id)
        body.put(string: object.name)
        body.put(UInt32(clamping: object.tags.count))
        for tag in object.tags { body.put(string: tag) }
        body.put(UInt32(clamping: object.attributes.count))
        for attribute in object.attributes {
            body.put(string: attribute.key)
            body.put(string: attribute.value)
        }
    }

    package static func read(_ file: PartFile) throws(WinnowError) -> [CatalogueObject] {
        var reader = try file.reader(.objects)
        var objects: [CatalogueObject] = []
        while unsafe !reader.rest.isEmpty {
            let count = try reader.take(UInt32.self)
            let size = Int(clamping: try reader.take(UInt64.self))
            let frame = try unsafe reader.take(bytes: Int(clamping: try reader.take(UInt64.self)))
            let bytes = try unsafe Zstd.decompress(frame, size: size, of: file.path)
            objects += try parse(bytes, count: Int(count), of: file.path)
        }
        return objects
    }

    private static func parse(_ bytes: [UInt8], count: Int, of file: String) throws(WinnowError)
        -> [CatalogueObject]
    {
        try unsafe bytes.withUnsafeBytesThrowing { (raw) throws(WinnowError) in
            var reader = unsafe ByteReader(raw, of: file, "catalogue")
            var objects: [CatalogueObject] = []
            for _ in 0..<count { objects.append(try object(&reader)) }
            return objects
        }
    }

    private static func object(_ reader: inout ByteReader) throws(WinnowError) -> CatalogueObject {
        guard let kind = CatalogueObject.Kind(rawValue: try reader.take(UInt8.self)) else {
            throw reader.damage("an object of unknown kind")
        }
        let channel = Channel(rawValue: try reader.take(UInt8.self))
        let id = try reader.takeString()
        let name = try reader.takeString()
        var tags: [[UInt8]] = []
        var attributes: [CatalogueObject.Attribute] = []
        for _ in 0..<(try reader.take(UInt32.self)) { tags.append(try reader.takeString()) }
        for _ in 0..<(try reader.take(UInt32.self)) {
            attributes.append(.init(key: try reader.takeString(), value: try reader.takeString()))
        }
        return CatalogueObject(
            kind: kind, id: id, name: name, channel: channel, tags: tags, attributes: attributes)
    }

    /// The objects of several parts, oldest first, each id once as it was loaded last.
    package static func merged(_ parts: [[CatalogueObject]]) -> [CatalogueObject] {
        var position: [CatalogueObject.Key: Int] = [:]
        var result: [CatalogueObject] = []
        for object in parts.joined() {
            if let at = position[object.key] {
                result[at] = object
            } else {
                position[object.key] = result.count
                result.append(object)
            }
        }
        return result
    }
}
