import WinnowFormat
import WinnowModel
import Testing

@Suite("Manifests")
struct ManifestTests {
    private static let sample: Manifest = {
        let schema = Schema(
            fields: [Field(name: "a", type: .decimal, scale: 2)], uniqueEvents: .stored)
        var manifest = Manifest(schema: schema, time: Instant(milliseconds: 1000))
        manifest.version = 3
        manifest.parent = 2
        manifest.rows = 5
        manifest.nextPart = 9
        manifest.forgets = true
        manifest.parts = [
            PartReference(id: 8, kind: .activity, length: 640, checksum: 0xDDCC_BBAA, horizon: -1)
        ]
        return manifest
    }()

    private func decoded(_ bytes: [UInt8]) throws -> Manifest {
        try bytes.withUnsafeBytes { try Manifest(decoding: $0, of: "MANIFEST") }
    }

    /// The sample's bytes, changed, with the checksum that they have then.
    private func changed(_ change: (inout [UInt8]) -> Void) -> [UInt8] {
        var bytes = Array(ManifestTests.sample.encoded.dropLast(4))
        change(&bytes)
        return bytes + withUnsafeBytes(of: crc32c(bytes).littleEndian) { Array($0) }
    }

    @Test("a manifest comes back as it was written")
    func roundTrip() throws {
        let sample = ManifestTests.sample
        #expect(try decoded(sample.encoded) == sample)
        let choices: [(Schema.UniqueEvents, Schema.Text, Bool)] = [
            (.derived, .compressed, false), (.stored, .compressed, true), (.stored, .plain, true),
        ]
        for (unique, text, forgets) in choices {
            let schema = Schema(
                fields: FieldType.allCases.map { Field(name: "é \($0)", type: $0) },
                uniqueEvents: unique, text: text)
            var manifest = Manifest(schema: schema, time: Instant.last)
            manifest.version = 1 << 62 - 1
            manifest.parent = 1 << 62 - 2
            manifest.rows = .max
            manifest.nextPart = 1 << 62 - 1
            manifest.forgets = forgets
            manifest.parts = PartKind.allCases.enumerated().map { i, kind in
                PartReference(
                    id: UInt64(i) << 58, kind: kind, length: 1 << 48 - 1, checksum: .max,
                    horizon: i % 2 == 0 ? .min : .max)
            }
            #expect(try decoded(manifest.encoded) == manifest)
        }
    }

    @Test("an empty store's manifest comes back")
    func empty() throws {
        let manifest = Manifest(schema: Schema(), time: Instant.first)
        #expect(try decoded(manifest.encoded) == manifest)
        #expect((manifest.version, manifest.parent, manifest.nextPart) == (1, 0, 1))
    }

    @Test("the layout is numbers, fields, parts, and a checksum")
    func layout() {
        let body = hex(
            """
            57494E4E4F574D46 05000000 0300000000000000 0200000000000000
            E803000000000000 0500000000000000 0900000000000000
            01 01000000 01000000 61 07000000 646563696D616C 02
            01 01000000 0800000000000000 01000000 8002000000000000 AABBCCDD FFFFFFFFFFFFFFFF
            """)
        let bytes = ManifestTests.sample.encoded
        #expect(Array(bytes.dropLast(4)) == body)
        #expect(bytes == changed { _ in })
    }

    @Test("every byte that is wrong or missing is found")
    func damage() {
        let bytes = ManifestTests.sample.encoded
        for i in bytes.indices {
            expectDamage("") {
                var damaged = bytes
                damaged[i] ^= 0x40
                _ = try decoded(damaged)
            }
            expectDamage("") { _ = try decoded(Array(bytes[..<i])) }
        }
        expectDamage("its checksum does not match") { _ = try decoded(bytes + [0]) }
    }

    @Test("numbers that cannot be throw, though the checksum is right")
    func impossible() {
        func damaged(_ words: String, _ change: (inout [UInt8]) -> Void) {
            expectDamage(words) { _ = try decoded(changed(change)) }
        }
        damaged("it is not one") { $0[0] = 0 }
        damaged("impossible numbers") { $0.put(UInt64(1 << 62), at: 12) }
        damaged("impossible numbers") { $0.put(UInt64(3), at: 20) }
        damaged("impossible numbers") { $0.put(Int64.max, at: 28) }
        damaged("impossible numbers") { $0.put(Int64.min, at: 28) }
        damaged("too many rows") { $0.put(UInt64(1 << 32), at: 36) }
        damaged("impossible numbers") { $0.put(UInt64(1 << 62), at: 44) }
        damaged("it ends early") { $0.put(UInt32.max, at: 57) }
        damaged("a name is not UTF-8") { $0[61] = 0xFF }
        damaged("a field of unknown type") { $0[66] = 0 }
        damaged("a field of unknown type") { $0[73] = 10 }
        damaged("it ends early") { $0.put(UInt32(2), at: 75) }
        damaged("longer than it says") { $0.put(UInt32(0), at: 75) }
        damaged("an impossible part") { $0.put(UInt64(9), at: 79) }
        damaged("a part of unknown kind") { $0.put(UInt32(0), at: 87) }
        damaged("a part of unknown kind") { $0.put(UInt32(12), at: 87) }
        damaged("an impossible part") { $0.put(UInt64(1 << 48), at: 91) }
        damaged("longer than it says") { $0.append(0) }
    }

    @Test("another format is told from damage")
    func formats() throws {
        #expect(throws: WinnowError.newerFormat(file: "MANIFEST", version: 6)) {
            try decoded(changed { $0.put(UInt32(6), at: 8) })
        }
        for version in [3, 4] as [UInt32] {
            let earlier = try decoded(changed { $0.put(version, at: 8) })
            #expect(earlier == ManifestTests.sample)
        }
        for version in [1, 2] as [UInt32] {
            #expect(throws: WinnowError.olderFormat(file: "MANIFEST", version: version)) {
                try decoded(changed { $0.put(version, at: 8) })
            }
        }
    }

    @Test("a file name is the version in twenty digits")
    func names() {
        #expect(ManifestTests.sample.fileName == "MANIFEST-00000000000000000003")
        for version in [0, 1, 12_345, UInt64.max] {
            #expect(Manifest.version(ofFileName: Manifest.fileName(version)) == version)
        }
        for name in [
            "MANIFEST-3", "MANIFEST-0000000000000000000x", "MANIFEST-000000000000000000003",
            "MANIFEST-+0000000000000000003", "MANIFEST-99999999999999999999", "MANIFEST-", "",
            "manifest-00000000000000000003", "MANIFEST-00000000000000000003.tmp",
        ] { #expect(Manifest.version(ofFileName: name) == nil, "\(name)") }
    }
}
