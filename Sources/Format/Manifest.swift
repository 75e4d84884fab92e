import WinnowDisk
import WinnowModel

/// One version of the store: the complete list of its parts and what must be known before any of
/// them is opened.
///
///     manifest = "WINNOWMF" format:u32 version:u64 parent:u64 time:i64 rows:u64 nextPart:u64
///                unique:u8 fields:u32 (name:string type:string scale:u8) …
///                forgets:u8 parts:u32 (id:u64 kind:u32 length:u64 checksum:u32 horizon:i64) … crc32c:u32
package struct Manifest: Sendable, Hashable {
    package var version: UInt64
    package var parent: UInt64
    /// When the newest batch was committed.
    package var time: Instant
    /// Rows ever given out; the next profile gets this one.
    package var rows: UInt32
    package var nextPart: UInt64
    package var schema: Schema
    /// Oldest first; among parts of a kind later ones add to or overlay earlier ones.
    package var parts: [PartReference]
    /// Whether profiles or activity were forgotten that may still be in files, until a compaction.
    package var forgets = false

    /// Format 4 has goals and subscriptions, format 5 saved segments.
    package static let format: UInt32 = 5
    private static let oldestFormat: UInt32 = 3
    private static let magic = Array("WINNOWMF".utf8)
    /// Bits of the schema's options.
    private static let storesUnique: UInt8 = 1
    private static let compressesText: UInt8 = 2

    package init(schema: Schema, time: Instant) {
        version = 1
        parent = 0
        self.time = time
        rows = 0
        nextPart = 1
        self.schema = schema
        parts = []
    }

    package func parts(of kind: PartKind) -> [PartReference] { parts.filter { $0.kind == kind } }

    package static let prefix = "MANIFEST-"

    package var fileName: String { Manifest.fileName(version) }

    package static func fileName(_ version: UInt64) -> String {
        let digits = String(version)
        return prefix + String(repeating: "0", count: max(0, 20 - digits.utf8.count)) + digits
    }

    /// The version that a file name stands for; nil for other names.
    package static func version(ofFileName name: String) -> UInt64? {
        let digits = name.dropFirst(prefix.count)
        guard name.hasPrefix(prefix), digits.utf8.count == 20,
            digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 })
        else { return nil }
        return UInt64(digits)
    }

    package var encoded: [UInt8] {
        var out = ByteWriter()
        out.bytes = Manifest.magic
        out.put(Manifest.format)
        out.put(version)
        out.put(parent)
        out.put(time.milliseconds)
        out.put(UInt64(rows))
        out.put(nextPart)
        out.put(
            (schema.uniqueEvents == .stored ? Manifest.storesUnique : 0)
                | (schema.text == .compressed ? Manifest.compressesText : 0))
        out.put(UInt32(clamping: schema.ownFields.count))
        for field in schema.ownFields {
            out.put(string: field.name.utf8)
            out.put(string: field.type.rawValue.utf8)
            out.put(UInt8(clamping: field.scale))
        }
        out.put(UInt8(forgets ? 1 : 0))
        out.put(UInt32(clamping: parts.count))
        for part in parts {
            out.put(part.id)
            out.put(part.kind.rawValue)
            out.put(part.length)
            out.put(part.checksum)
            out.put(part.horizon)
        }
        out.put(crc32c(out.bytes))
        return out.bytes
    }

    package init(decoding bytes: UnsafeRawBufferPointer, of file: String) throws(WinnowError) {
        var reader = unsafe ByteReader(bytes, of: file, "manifest")
        guard try unsafe reader.take(bytes: 8).elementsEqual(Manifest.magic) else {
            throw reader.damage("it is not one")
        }
        // All formats begin and end like this one: a flipped byte is damage, not a newer format.
        guard let body = unsafe bytes.slice(0, bytes.count - 4),
            unsafe bytes.loadUnaligned(fromByteOffset: body.count, as: UInt32.self).littleEndian
                == crc32c(body)
        else { throw reader.damage("its checksum does not match") }
        let format = try reader.take(UInt32.self)
        guard format <= Manifest.format else { throw .newerFormat(file: file, version: format) }
        guard format >= Manifest.oldestFormat else {
            throw .olderFormat(file: file, version: format)
        }
        version = try reader.take(UInt64.self)
        parent = try reader.take(UInt64.self)
        time = Instant(milliseconds: try reader.take(Int64.self))
        guard let rows = UInt32(exactly: try reader.take(UInt64.self)) else {
            throw reader.damage("too many rows")
        }
        self.rows = rows
        nextPart = try reader.take(UInt64.self)
        guard version < 1 << 62, parent < version, nextPart < 1 << 62,
            Instant.first...Instant.last ~= time
        else {
            throw reader.damage("impossible numbers")
        }
        let options = try reader.take(UInt8.self)
        guard options & ~(Manifest.storesUnique | Manifest.compressesText) == 0 else {
            throw reader.damage("options of a schema that are not known")
        }
        var fields: [Field] = []
        for _ in 0..<(try reader.take(UInt32.self)) {
            let name = try reader.takeText()
            let type = try reader.takeText()
            let scale = try reader.take(UInt8.self)
            guard let type = FieldType(rawValue: type), scale <= Field.maximumScale else {
                throw reader.damage("a field of unknown type")
            }
            fields.append(Field(name: name, type: type, scale: Int(scale)))
        }
        schema = Schema(
            fields: fields,
            uniqueEvents: options & Manifest.storesUnique == 0 ? .derived : .stored,
            text: options & Manifest.compressesText == 0 ? .plain : .compressed)
        forgets = try reader.take(UInt8.self) == 1
        parts = []
        for _ in 0..<(try reader.take(UInt32.self)) {
            let id = try reader.take(UInt64.self)
            guard let kind = PartKind(rawValue: try reader.take(UInt32.self)) else {
                throw reader.damage("a part of unknown kind")
            }
            let length = try reader.take(UInt64.self)
            let checksum = try reader.take(UInt32.self)
            let horizon = try reader.take(Int64.self)
            guard length < 1 << 48, id < nextPart else { throw reader.damage("an impossible part") }
            parts.append(
                PartReference(
                    id: id, kind: kind, length: length, checksum: checksum, horizon: horizon))
        }
        guard unsafe reader.rest.count == 4 else {
            throw reader.damage("it is longer than it says")
        }
    }
}
