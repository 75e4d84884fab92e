import WinnowDisk
import WinnowModel

/// A part is one immutable file, written front to back by one load or one merge:
///
///     part      = section … directory checksums trailer
///     section   = bytes, at a multiple of 64
///     directory = (tag:u32 0:u32 offset:u64 length:u64) …            one entry a section
///     checksums = crc32c:u32 …                                       one per 64 KiB of what is before directory
///     trailer   = "WINNOWPT" version:u32 kind:u32 id:u64 length:u64 directory:u64 sections:u32 pages:u32
///                 tables:u32 0:u32 0:u32 crc32c:u32                  64 bytes; `tables` covers directory, checksums
///
/// Every byte is under a checksum: pages are verified when they are first touched, everything else
/// on opening.
package enum PartFormat {
    package static let version: UInt32 = 3
    static let magic = Array("WINNOWPT".utf8)
    static let trailerSize = 64
    static let directoryEntry = 24
    static let page = 1 << 16
    static let alignment = 64
}

/// What a part holds, in the order in which a commit writes the kinds: what activity says of names
/// comes before names are left out. The raw value is stored; never renumber.
package enum PartKind: UInt32, Sendable, CaseIterable {
    case activity = 1
    case goals = 8
    case subscriptions = 9
    case keys = 4
    case profiles = 2
    case dictionary = 3
    case catalogue = 5
    case members = 11
    case segments = 10
    case batches = 6
    case erased = 7

    /// The name in file names.
    package var name: String { "\(self)" }
}

/// The sections of all kinds of part. The raw value is stored; never renumber.
package enum SectionTag: UInt32, Sendable {
    case eventTypes = 1, leaves, blocks, chunks, summaries, messageBlocks
    case strings = 16
    case fields = 32, fieldBlocks, fieldValues
    case objects = 48, selectors
    case digests = 64
    case erased = 80
    case lists = 96, members, definitions, refreshes
}

/// A part as the manifest knows it.
package struct PartReference: Sendable, Hashable {
    package var id: UInt64
    package var kind: PartKind
    package var length: UInt64
    /// The checksum of its trailer, and by that of everything in it.
    package var checksum: UInt32
    /// Of activity and goals: what was before this instant (milliseconds since 1970) is forgotten;
    /// the least number for none.
    package var horizon: Int64

    package init(
        id: UInt64, kind: PartKind, length: UInt64, checksum: UInt32, horizon: Int64 = .min
    ) {
        self.id = id
        self.kind = kind
        self.length = length
        self.checksum = checksum
        self.horizon = horizon
    }

    package var fileName: String {
        let digits = String(id, radix: 16)
        return "\(kind.name)-" + String(repeating: "0", count: max(0, 8 - digits.utf8.count))
            + digits + ".part"
    }
}

extension PartReference {
    /// What a manifest would say of a whole part; nil for a file whose name is not a part's.
    package static func naming(_ name: String, _ file: MappedFile) throws(WinnowError)
        -> PartReference?
    {
        defer { withExtendedLifetime(file) {} }
        guard let dash = name.lastIndex(of: "-"),
            let id = UInt64(name[dash...].dropFirst().dropLast(5), radix: 16),
            let kind = PartKind.allCases.first(where: { $0.name == name[..<dash] }),
            let end = unsafe file.bytes.slice(file.bytes.count - 4, 4)
        else { return nil }
        var reader = unsafe ByteReader(end, of: file.path, "trailer")
        let checksum = try reader.take(UInt32.self)
        let reference = unsafe PartReference(
            id: id, kind: kind, length: UInt64(file.bytes.count), checksum: checksum)
        return reference.fileName == name ? reference : nil
    }
}
