import WinnowCKernels
import WinnowDisk
import WinnowModel

/// Writes a part file front to back; checksums are taken as the bytes pass. Nothing of it counts
/// before a manifest names it, so a writer that fails leaves at most a file to be removed.
package final class PartWriter {
    package let path: String
    private let kind: PartKind
    private let id: UInt64
    /// To be synced or closed by whoever asked for the part.
    package let file: any WritableFile
    private var buffer: [UInt8] = []
    private var written = 0
    private var checksums: [UInt32] = []
    private var directory: [(tag: SectionTag, offset: Int, length: Int)] = []
    /// Ends the work on the part when that is asked for; whoever works long between two appends
    /// asks it, too.
    package let cancellation: Cancellation

    /// Bytes handed to the system at a time; a multiple of the checksum page.
    private static let bufferSize = 1 << 20

    package init(
        disk: any Disk, directory path: String, id: UInt64, kind: PartKind,
        cancellation: Cancellation = Cancellation()
    ) throws(WinnowError) {
        self.cancellation = cancellation
        let name = PartReference(id: id, kind: kind, length: 0, checksum: 0).fileName
        self.path = path + "/" + name
        self.kind = kind
        self.id = id
        file = try disk.create(self.path)
        buffer.reserveCapacity(2 * PartWriter.bufferSize)
    }

    /// Bytes appended so far.
    package var offset: Int { written + buffer.count }

    /// Starts a section; the one before it ends.
    package func begin(_ tag: SectionTag) throws(WinnowError) {
        endSection()
        while offset % PartFormat.alignment != 0 { buffer.append(0) }
        directory.append((tag, offset, 0))
    }

    private func endSection() {
        guard let last = directory.indices.last, directory[last].length == 0 else { return }
        directory[last].length = offset - directory[last].offset
    }

    package func append(_ bytes: [UInt8]) throws(WinnowError) {
        try cancellation.check()
        buffer.append(contentsOf: bytes)
        if buffer.count >= PartWriter.bufferSize {
            try writeOut(buffer.count / PartFormat.page * PartFormat.page)
        }
    }

    /// Pads the open section so that the next byte is at a multiple of `boundary` from its start.
    package func align(to boundary: Int) {
        guard let start = directory.last?.offset else { return }
        while (offset - start) % boundary != 0 { buffer.append(0) }
    }

    private func writeOut(_ count: Int) throws(WinnowError) {
        if count == 0 { return }
        for start in stride(from: 0, to: count, by: PartFormat.page) {
            checksums.append(crc32c(buffer[start..<min(start + PartFormat.page, count)]))
        }
        try file.append(buffer[..<count])
        buffer.removeFirst(count)
        written += count
    }

    /// Ends the part and says how a manifest refers to it. It is not durable yet.
    package func finish() throws(WinnowError) -> PartReference {
        endSection()
        while offset % PartFormat.alignment != 0 { buffer.append(0) }
        try writeOut(buffer.count)
        let directoryOffset = written
        var tail = ByteWriter()
        for entry in directory {
            tail.put(entry.tag.rawValue)
            tail.put(UInt32(0))
            tail.put(UInt64(entry.offset))
            tail.put(UInt64(entry.length))
        }
        for checksum in checksums { tail.put(checksum) }
        let tables = crc32c(tail.bytes[...])
        let length = directoryOffset + tail.bytes.count + PartFormat.trailerSize
        let start = tail.bytes.count
        tail.bytes.append(contentsOf: PartFormat.magic)
        tail.put(PartFormat.version)
        tail.put(kind.rawValue)
        tail.put(id)
        tail.put(UInt64(length))
        tail.put(UInt64(directoryOffset))
        tail.put(UInt32(clamping: directory.count))
        tail.put(UInt32(clamping: checksums.count))
        tail.put(tables)
        tail.put(UInt64(0))
        let checksum = crc32c(tail.bytes[start...])
        tail.put(checksum)
        try file.append(tail.bytes[...])
        return PartReference(id: id, kind: kind, length: UInt64(length), checksum: checksum)
    }
}

/// CRC-32C of some bytes.
package func crc32c(_ bytes: some Collection<UInt8>) -> UInt32 {
    let contiguous = bytes.withContiguousStorageIfAvailable { buffer in
        unsafe buffer.baseAddress.map { unsafe ck_crc32c(0, $0, buffer.count) } ?? 0
    }
    if let contiguous { return contiguous }
    return unsafe Array(bytes).withUnsafeBytes { buffer in
        unsafe buffer.baseAddress.map { unsafe ck_crc32c(0, $0, buffer.count) } ?? 0
    }
}
