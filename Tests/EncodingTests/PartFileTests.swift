import WinnowDisk
import WinnowFormat
import WinnowModel
import WinnowSimulation
import Testing

@Suite("Part files")
struct PartFileTests {
    private let parts = Parts()

    private func bytes(_ file: PartFile) throws -> [UInt8] {
        let mapped = try parts.disk.map(file.path, expecting: nil)
        return withExtendedLifetime(mapped) { Array(mapped.bytes) }
    }

    private func map(
        _ bytes: [UInt8], as name: String
    ) throws -> (disk: SimulatedDisk, file: MappedFile) {
        let disk = SimulatedDisk()
        let path = "parts/" + name
        try disk.create(path).append(bytes[...])
        return (disk, try disk.map(path, expecting: nil))
    }

    private func open(_ bytes: [UInt8], _ reference: PartReference) throws -> PartFile {
        let disk = try map(bytes, as: reference.fileName).disk
        return try PartFile(disk: disk, directory: "parts", reference)
    }

    /// Makes the checksums of the tables and the trailer right, and opens the part.
    private func openSealed(_ bytes: [UInt8], directory: Int, id: UInt64 = 1) throws -> PartFile {
        var bytes = bytes
        let trailer = bytes.count - 64
        bytes.put(crc32c(bytes[directory..<trailer]), at: trailer + 48)
        let checksum = crc32c(bytes[trailer..<trailer + 60])
        bytes.put(checksum, at: trailer + 60)
        let reference = PartReference(
            id: id, kind: .erased, length: UInt64(bytes.count), checksum: checksum)
        return try open(bytes, reference)
    }

    private func write(_ sections: [(SectionTag, [UInt8])]) throws -> PartFile {
        try parts.write(.erased) { part in
            for (tag, bytes) in sections {
                try part.begin(tag)
                try part.append(bytes)
            }
            return try part.finish()
        }
    }

    private func small() throws -> PartFile { try write([(.erased, Array("hi".utf8))]) }

    @Test(
        "sections come back as they were written",
        arguments: [0, 1, 63, 64, 65, 65_535, 65_536, 65_537, 1_048_575, 1_048_577, 3_000_000])
    func roundTrip(size: Int) throws {
        let big = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 9) }
        let file = try write([(.strings, [1, 2, 3]), (.objects, big), (.erased, [4])])
        #expect(try file.section(.strings).elementsEqual([1, 2, 3]))
        #expect(try file.section(.objects).elementsEqual(big))
        #expect(try file.section(.erased).elementsEqual([4]))
        #expect(file.sectionSizes.map(\.tag) == [.strings, .objects, .erased])
        #expect(file.sectionSizes.map(\.size) == [3, size, 1])
        try file.verifyAll { Issue.record("\($0)") }
        let stored = try bytes(file)
        #expect(UInt64(stored.count) == file.reference.length)
        // A section begins at a multiple of 64.
        #expect(Array(stored[64..<64 + size]) == big)
    }

    @Test("a section that the part does not have is empty")
    func missing() throws {
        let file = try small()
        #expect(try file.section(.fields).isEmpty && file.size(of: .fields) == 0)
        #expect(try write([]).section(.erased).isEmpty)
    }

    @Test("what reaches out of a section throws")
    func outside() throws {
        let file = try small()
        #expect(try file.bytes(.erased, 1, 1).elementsEqual([UInt8(ascii: "i")]))
        #expect(try file.bytes(.erased, 2, 0).isEmpty)
        let ranges: [(Int, Int)] = [
            (0, 3), (2, 1), (3, 0), (-1, 1), (0, -1), (1, .max), (.max, 1),
        ]
        for (offset, count) in ranges {
            expectDamage("leads out of section") { _ = try file.bytes(.erased, offset, count) }
        }
    }

    @Test("the layout is sections, a directory, checksums, and a trailer of 64 bytes")
    func layout() throws {
        let file = try small()
        let bytes = try bytes(file)
        func number(_ value: UInt32) -> [UInt8] {
            withUnsafeBytes(of: value.littleEndian) { Array($0) }
        }
        let section = Array("hi".utf8) + [UInt8](repeating: 0, count: 62)
        let tables =
            hex("50000000 00000000 0000000000000000 0200000000000000") + number(crc32c(section))
        let trailer =
            hex(
                """
                57494E4E4F575054 03000000 07000000 0100000000000000 9C00000000000000
                4000000000000000 01000000 01000000
                """) + number(crc32c(tables)) + hex("00000000 00000000")
        #expect(bytes == section + tables + trailer + number(crc32c(trailer)))
        #expect(file.reference.checksum == crc32c(trailer))
        #expect(trailer.count == 60)
    }

    @Test("every byte that is wrong is found")
    func flips() throws {
        let file = try small()
        let bytes = try bytes(file)
        for i in bytes.indices {
            var damaged = bytes
            var isFound = false
            damaged[i] ^= 0x10
            do {
                try open(damaged, file.reference).verifyAll { _ in isFound = true }
            } catch WinnowError.damaged { isFound = true }
            #expect(isFound, "byte \(i)")
        }
    }

    @Test("a part that is cut short or too long throws, whatever length the manifest says")
    func lengths() throws {
        let file = try small()
        let bytes = try bytes(file)
        for length in [0, 1, 63, 64, 65, bytes.count - 1, bytes.count + 1] {
            let cut = Array((bytes + [0]).prefix(length))
            expectDamage("bytes long and should be") { _ = try open(cut, file.reference) }
            var reference = file.reference
            reference.length = UInt64(length)
            expectDamage("") { _ = try open(cut, reference) }
        }
        expectDamage("the file is missing") {
            _ = try PartFile(disk: SimulatedDisk(), directory: "parts", file.reference)
        }
    }

    @Test("a chunk of 64 KiB is checked when it is touched, and no other")
    func chunks() throws {
        let file = try write([(.erased, [UInt8](repeating: 7, count: 200_000))])
        var bytes = try bytes(file)
        bytes[70_000] ^= 1
        let damaged = try open(bytes, file.reference)
        #expect(try damaged.bytes(.erased, 0, 65_536).count == 65_536)
        #expect(try damaged.bytes(.erased, 131_072, 68_928).count == 68_928)
        for (offset, count) in [(65_536, 1), (131_071, 1), (65_535, 2), (0, 200_000)] {
            expectDamage("the checksum of bytes 65536–131071 does not match") {
                _ = try damaged.bytes(.erased, offset, count)
            }
        }
        var found: [WinnowError] = []
        try damaged.verifyAll { found.append($0) }
        #expect(found.count == 1)
    }

    @Test("another format is told from damage")
    func formats() throws {
        let bytes = try bytes(try small())
        let name = "parts/erased-00000001.part"
        for (version, error) in [
            (1, WinnowError.olderFormat(file: name, version: 1)),
            (2, .olderFormat(file: name, version: 2)),
            (4, .newerFormat(file: name, version: 4)),
        ] as [(UInt32, WinnowError)] {
            var other = bytes
            other.put(version, at: bytes.count - 64 + 8)
            #expect(throws: error) { try openSealed(other, directory: 64) }
        }
    }

    @Test("tables that cannot be throw, though all checksums are right")
    func impossible() throws {
        let bytes = try bytes(try small())
        let trailer = bytes.count - 64
        func damaged(_ words: String, _ change: (inout [UInt8]) -> Void) {
            expectDamage(words) {
                var changed = bytes
                change(&changed)
                _ = try openSealed(changed, directory: 64)
            }
        }
        damaged("it is not a part file") { $0[trailer] = 0 }
        damaged("not the one the manifest names") { $0[trailer + 12] = 6 }
        damaged("not the one the manifest names") { $0[trailer + 16] = 2 }
        damaged("not the one the manifest names") { $0[trailer + 24] = 0 }
        damaged("its directory is damaged") { $0.put(UInt64(128), at: trailer + 32) }
        damaged("its directory is damaged") { $0.put(UInt64.max, at: trailer + 32) }
        damaged("its directory is damaged") { $0.put(UInt32.max, at: trailer + 40) }
        damaged("its directory is damaged") { $0.put(UInt32(2), at: trailer + 44) }
        damaged("is outside the file") { $0.put(UInt32(2000), at: 64) }
        damaged("is outside the file") { $0.put(UInt64(1), at: 72) }
        damaged("is outside the file") { $0.put(UInt64(128), at: 72) }
        damaged("is outside the file") { $0.put(UInt64(65), at: 80) }
        damaged("is outside the file") { $0.put(UInt64.max, at: 80) }
    }

    @Test("a part that the manifest does not name is not read")
    func references() throws {
        let file = try small()
        let bytes = try bytes(file)
        var other = file.reference
        other.checksum ^= 1
        expectDamage("not the one the manifest names") { _ = try open(bytes, other) }
    }

    @Test("a file name is the kind and the number in hexadecimal digits")
    func names() throws {
        func name(_ id: UInt64, _ kind: PartKind) -> String {
            PartReference(id: id, kind: kind, length: 0, checksum: 0).fileName
        }
        #expect(name(31, .erased) == "erased-0000001f.part")
        #expect(name(0x1_2345_6789, .activity) == "activity-123456789.part")
        let file = try small()
        let bytes = try bytes(file)
        func naming(_ name: String) throws -> PartReference? {
            try PartReference.naming(name, try map(bytes, as: name).file)
        }
        #expect(try naming("erased-00000001.part") == file.reference)
        for other in ["erased-1.part", "erased-0000001.tmp", "other-00000001.part", "erased", ""] {
            #expect(try naming(other) == nil, "\(other)")
        }
    }

    @Test("an appended piece may be aligned within its section")
    func alignment() throws {
        let file = try parts.write(.erased) { part in
            try part.begin(.strings)
            try part.append([1])
            try part.begin(.erased)
            try part.append([2, 3])
            part.align(to: 8)
            part.align(to: 8)
            try part.append([4])
            return try part.finish()
        }
        #expect(try file.section(.erased).elementsEqual([2, 3, 0, 0, 0, 0, 0, 0, 4]))
    }
}
