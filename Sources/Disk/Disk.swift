import Model

/// The only door to the file system. Everything that the store keeps goes through these calls, so that one other
/// implementation can stand in for a whole disk and its failures. Paths are those of the process; errors say which call
/// failed on which path.
package protocol Disk: Sendable {
    func createDirectory(_ path: String) throws(WinnowError)
    /// Makes a new, empty file for writing; one that exists is an error.
    func create(_ path: String) throws(WinnowError) -> any WritableFile
    /// Maps a whole file for reading. `expecting` is the length that it must have, where one is known.
    func map(_ path: String, expecting length: Int?) throws(WinnowError) -> MappedFile
    func rename(_ from: String, to: String) throws(WinnowError)
    /// Gives a file a second name; fails when that name is taken.
    func link(_ from: String, to: String) throws(WinnowError)
    func unlink(_ path: String) throws(WinnowError)
    /// Makes names in a directory durable.
    func syncDirectory(_ path: String) throws(WinnowError)
    /// The names in a directory, in no order; nil when there is no such directory.
    func list(_ path: String) throws(WinnowError) -> [String]?
    /// Locks a file, nil when somebody else holds a lock that excludes this one.
    func lock(_ path: String, _ kind: LockKind) throws(WinnowError) -> FileLock?
}

package enum LockKind: Sendable {
    /// Many may hold it; taken on an existing file.
    case shared
    /// One may hold it; the file is made when `creating`.
    case exclusive(creating: Bool)
}

/// A file that is being written, front to back.
package protocol WritableFile: AnyObject {
    func append(_ bytes: UnsafeRawBufferPointer) throws(WinnowError)
    /// Makes what was appended durable.
    func sync() throws(WinnowError)
    func close() throws(WinnowError)
}

extension WritableFile {
    package func append(_ bytes: ArraySlice<UInt8>) throws(WinnowError) {
        try bytes.withUnsafeBytesThrowing { (raw) throws(WinnowError) in try append(raw) }
    }
}
