import Disk
import Format
import Model

/// A campaign or template as it was loaded.
package struct CatalogueObject: Sendable, Hashable {
    package enum Kind: UInt8, Sendable { case campaign = 1, template }

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
        kind: Kind, id: [UInt8], name: [UInt8], channel: Channel?, tags: [[UInt8]], attributes: [Attribute]
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

/// Campaigns and templates. An object in a later part replaces the one of the same kind and id in an earlier part.
///
///     objects = count:u32 size:u64 zstd frame of object …
///     object  = kind:u8 channel:u8 id name tags:u32 tag … attributes:u32 (key value) …
package enum CataloguePart {
    package static func write(_ objects: [CatalogueObject], to part: PartWriter) throws(WinnowError) -> PartReference {
        var body = ByteWriter()
        for object in objects {
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
        var out = ByteWriter()
        out.put(UInt32(clamping: objects.count))
        out.put(UInt64(body.bytes.count))
        out.bytes.append(contentsOf: body.bytes.withUnsafeBytes { Zstd.compress($0) })
        try part.begin(.objects)
        try part.append(out.bytes)
        return try part.finish()
    }

    package static func read(_ file: PartFile) throws(WinnowError) -> [CatalogueObject] {
        var head = try file.reader(.objects)
        let count = try head.take(UInt32.self), size = Int(clamping: try head.take(UInt64.self))
        let bytes = try Zstd.decompress(head.rest, size: size, of: file.path)
        return try parse(bytes, count: Int(count), of: file.path)
    }

    private static func parse(_ bytes: [UInt8], count: Int, of file: String) throws(WinnowError) -> [CatalogueObject] {
        let result = bytes.withUnsafeBytes { (raw) -> Result<[CatalogueObject], WinnowError> in
            var reader = ByteReader(raw, of: file, "catalogue"), objects: [CatalogueObject] = []
            do throws(WinnowError) {
                for _ in 0..<count { objects.append(try object(&reader)) }
                return .success(objects)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private static func object(_ reader: inout ByteReader) throws(WinnowError) -> CatalogueObject {
        guard let kind = CatalogueObject.Kind(rawValue: try reader.take(UInt8.self)) else {
            throw reader.damage("an object of unknown kind")
        }
        let channel = Channel(rawValue: try reader.take(UInt8.self))
        let id = try reader.takeString(), name = try reader.takeString()
        var tags: [[UInt8]] = [], attributes: [CatalogueObject.Attribute] = []
        for _ in 0..<(try reader.take(UInt32.self)) { tags.append(try reader.takeString()) }
        for _ in 0..<(try reader.take(UInt32.self)) {
            attributes.append(.init(key: try reader.takeString(), value: try reader.takeString()))
        }
        return CatalogueObject(kind: kind, id: id, name: name, channel: channel, tags: tags, attributes: attributes)
    }

    /// The objects of several parts, oldest first, each id once as it was loaded last.
    package static func merged(_ parts: [[CatalogueObject]]) -> [CatalogueObject] {
        var position: [CatalogueObject.Key: Int] = [:], result: [CatalogueObject] = []
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
