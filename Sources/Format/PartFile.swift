import WinnowCKernels
import WinnowDisk
import WinnowModel
import Synchronization

/// A mapped part. Opening reads the trailer and the two tables before it; a 64 KiB page of a
/// section is checked against its checksum when it is first touched, by whichever thread comes
/// first, and never again by this object.
@safe package final class PartFile: @unchecked Sendable {
    package let reference: PartReference
    package var path: String { file.path }
    private let file: MappedFile
    /// A handful, searched one by one.
    private let sections: [(tag: SectionTag, range: Range<Int>)]
    private let checksums: UnsafeRawBufferPointer
    private let verified: UnsafeMutablePointer<Atomic<UInt64>>
    private let verifiedWords: Int
    /// Where a file ends there are its trailer and the tables before it; of most files all is here.
    private static let tail = 1 << 16

    package init(disk: any Disk, directory: String, _ reference: PartReference) throws(WinnowError)
    {
        self.reference = reference
        let path = directory + "/" + reference.fileName
        do throws(WinnowError) {
            file = try disk.map(path, expecting: Int(clamping: reference.length))
        } catch {
            if case .notFound = error { throw .damaged(file: path, what: "the file is missing") }
            throw error
        }
        file.readsByRequest()
        let bytes = unsafe file.bytes
        file.willRead(bytes.count - PartFile.tail..<bytes.count)
        func damage(_ what: String) -> WinnowError { .damaged(file: path, what: what) }
        guard
            let trailer = unsafe bytes.slice(
                bytes.count - PartFormat.trailerSize, PartFormat.trailerSize)
        else {
            throw damage("it is too short to be a part")
        }
        var reader = unsafe ByteReader(trailer, of: path, "trailer")
        guard try unsafe reader.take(bytes: 8).elementsEqual(PartFormat.magic) else {
            throw damage("it is not a part file")
        }
        let version = try reader.take(UInt32.self)
        let kind = try reader.take(UInt32.self)
        let id = try reader.take(UInt64.self)
        let length = try reader.take(UInt64.self)
        let directory = Int(clamping: try reader.take(UInt64.self))
        let sectionCount = Int(try reader.take(UInt32.self))
        let pages = Int(try reader.take(UInt32.self))
        let tables = try reader.take(UInt32.self)
        _ = try reader.take(UInt64.self)
        let checksum = try reader.take(UInt32.self)
        // All formats end with a trailer like this one: a flipped byte is damage, not a newer
        // format.
        guard unsafe checksum == crc32c(trailer.dropLast(4)) else {
            throw damage("its trailer is damaged")
        }
        guard version <= PartFormat.version else {
            throw .newerFormat(file: path, version: version)
        }
        guard version == PartFormat.version else {
            throw .olderFormat(file: path, version: version)
        }
        guard checksum == reference.checksum,
            kind == reference.kind.rawValue, id == reference.id, length == reference.length
        else { throw damage("its trailer is not the one the manifest names") }
        let tableSize = bytes.count - PartFormat.trailerSize - directory
        if tableSize > PartFile.tail { file.willRead(directory..<bytes.count) }
        guard let table = unsafe bytes.slice(directory, tableSize),
            tableSize == sectionCount * PartFormat.directoryEntry + pages * 4,
            pages == (directory + PartFormat.page - 1) / PartFormat.page,
            unsafe crc32c(table) == tables
        else { throw damage("its directory is damaged") }
        var entries = unsafe ByteReader(table, of: path, "directory")
        var sections: [(tag: SectionTag, range: Range<Int>)] = []
        for _ in 0..<sectionCount {
            let tag = try entries.take(UInt32.self)
            _ = try entries.take(UInt32.self)
            let start = Int(clamping: try entries.take(UInt64.self))
            let size = Int(clamping: try entries.take(UInt64.self))
            guard let tag = SectionTag(rawValue: tag), start <= directory,
                size <= directory - start,
                start % PartFormat.alignment == 0
            else {
                throw damage("a section is outside the file")
            }
            sections.append((tag, start..<start + size))
        }
        self.sections = sections
        unsafe checksums = unsafe entries.rest
        verifiedWords = (pages + 63) / 64
        unsafe verified = .allocate(capacity: max(1, verifiedWords))
        for i in 0..<verifiedWords { unsafe (verified + i).initialize(to: Atomic(0)) }
    }

    deinit {
        unsafe verified.deinitialize(count: verifiedWords)
        unsafe verified.deallocate()
    }

    /// The sections and how many bytes they have.
    package var sectionSizes: [(tag: SectionTag, size: Int)] {
        sections.map { ($0.tag, $0.range.count) }
    }

    package func size(of tag: SectionTag) -> Int { range(tag).count }

    private func range(_ tag: SectionTag) -> Range<Int> {
        sections.first { $0.tag == tag }?.range ?? 0..<0
    }

    /// A whole section; empty when the part does not have it.
    package func section(_ tag: SectionTag) throws(WinnowError) -> UnsafeRawBufferPointer {
        try unsafe bytes(tag, 0, size(of: tag))
    }

    package func reader(_ tag: SectionTag) throws(WinnowError) -> ByteReader {
        unsafe ByteReader(try section(tag), of: path, "section \(tag)")
    }

    /// Some bytes of a section, their checksums verified.
    package func bytes(_ tag: SectionTag, _ offset: Int, _ count: Int) throws(WinnowError)
        -> UnsafeRawBufferPointer
    {
        let bytes = try unsafe unverifiedBytes(tag, offset, count)
        try unsafe verify(bytes)
        return unsafe bytes
    }

    /// Some bytes of a section that the caller verifies piece by piece before it looks at them.
    package func unverifiedBytes(
        _ tag: SectionTag, _ offset: Int, _ count: Int
    ) throws(WinnowError) -> UnsafeRawBufferPointer {
        let section = range(tag)
        guard offset >= 0, count >= 0, offset <= section.count, count <= section.count - offset
        else {
            throw .damaged(file: path, what: "an offset leads out of section \(tag)")
        }
        guard count > 0 else { return unsafe UnsafeRawBufferPointer(start: nil, count: 0) }
        let start = section.lowerBound + offset
        return unsafe UnsafeRawBufferPointer(rebasing: file.bytes[start..<start + count])
    }

    /// Checks what is under some bytes of this file against their checksums.
    package func verify(_ bytes: UnsafeRawBufferPointer) throws(WinnowError) {
        try unsafe checks.verify(bytes)
    }

    /// A way to verify bytes of the file that does not count references: what is in hot loops of
    /// several threads would contend for the count. It must not outlive the file.
    @safe package struct Checks: @unchecked Sendable {
        fileprivate let base: UnsafeRawPointer?
        fileprivate let verified: UnsafeMutablePointer<Atomic<UInt64>>
        fileprivate let file: Unmanaged<PartFile>

        /// Checks what is under some bytes of the file against their checksums.
        package func verify(_ bytes: UnsafeRawBufferPointer) throws(WinnowError) {
            guard let first = bytes.baseAddress, let base = unsafe base, bytes.count > 0 else {
                return
            }
            let start = unsafe first - base
            let last = (start + bytes.count - 1) / PartFormat.page
            for page in start / PartFormat.page...last {
                let word = unsafe verified[page / 64].load(ordering: .relaxed)
                if word >> UInt64(page % 64) & 1 == 0 {
                    return try unsafe file.takeUnretainedValue().verify(page...last)
                }
            }
        }

        /// The error for contents that contradict themselves.
        package func damage(_ what: String) -> WinnowError {
            unsafe .damaged(file: file.takeUnretainedValue().path, what: what)
        }
    }

    package var checks: Checks {
        unsafe Checks(
            base: file.bytes.baseAddress, verified: verified, file: Unmanaged.passUnretained(self))
    }

    /// Checks everything that was not checked when the part was opened; calls `body` for what does
    /// not match.
    package func verifyAll(
        _ cancellation: Cancellation = Cancellation(), _ body: (WinnowError) -> Void
    ) throws(WinnowError) {
        let ahead = 64
        for page in unsafe 0..<checksums.count / 4 {
            if page % ahead == 0 {
                let next = (page + ahead) * PartFormat.page
                file.willRead((page == 0 ? 0 : next)..<next + ahead * PartFormat.page)
            }
            try cancellation.check()
            do throws(WinnowError) { try verify(page) } catch { body(error) }
        }
    }

    /// Says that some bytes of the file will be asked for soon.
    package func willRead(_ bytes: UnsafeRawBufferPointer) {
        guard let first = bytes.baseAddress, let base = unsafe file.bytes.baseAddress else {
            return
        }
        let start = unsafe first - base
        file.willRead(start..<start + bytes.count)
    }

    /// How often checking bytes took so long in this process that they must have come from the disk.
    package static var waits: Int { waited.load(ordering: .relaxed) }
    package static func noteWait() { waited.wrappingAdd(1, ordering: .relaxed) }
    private static let waited = Atomic(0)
    /// In memory a page is checked in ten microseconds.
    private static let slowPage = Duration.microseconds(60)

    /// Checks some pages; what is missing of them is read at once.
    private func verify(_ pages: ClosedRange<Int>) throws(WinnowError) {
        let start = ContinuousClock.now
        file.willRead(pages.lowerBound * PartFormat.page..<(pages.upperBound + 1) * PartFormat.page)
        for page in pages { try verify(page) }
        if ContinuousClock.now - start > PartFile.slowPage * pages.count {
            PartFile.noteWait()
        }
    }

    private func verify(_ page: Int) throws(WinnowError) {
        let word = unsafe verified + page / 64
        let bit: UInt64 = 1 << UInt64(page % 64)
        if unsafe word.pointee.load(ordering: .relaxed) & bit != 0 { return }
        let start = page * PartFormat.page
        let covered = unsafe min(
            start + PartFormat.page, file.bytes.count - PartFormat.trailerSize - tableSize)
        let expected = unsafe checksums.loadUnaligned(fromByteOffset: page * 4, as: UInt32.self)
        guard unsafe crc32c(file.bytes[start..<covered]) == UInt32(littleEndian: expected) else {
            throw .damaged(
                file: path, what: "the checksum of bytes \(start)–\(covered - 1) does not match")
        }
        _ = unsafe word.pointee.bitwiseOr(bit, ordering: .relaxed)
    }

    private var tableSize: Int {
        unsafe sections.count * PartFormat.directoryEntry + checksums.count
    }
}
