import WinnowModel

/// The only door to the files of a store, so that one other implementation can stand in for a whole
/// disk, its failures and its crashes. Paths are those of the process; errors say which call failed
/// on which path.
package protocol Disk: Sendable {
    func createDirectory(_ path: String) throws(WinnowError)
    /// Makes a new, empty file for writing; one that exists is an error.
    func create(_ path: String) throws(WinnowError) -> any WritableFile
    /// Makes durable what was appended to some files, and the names in a directory: in no order,
    /// side by side where the system can. What a failed call leaves is unknown, so it is never
    /// tried again.
    func sync(_ files: [any WritableFile], directory: String?) throws(WinnowError)
    /// Maps a whole file for reading; a link is not followed. `expecting` is the length that it
    /// must have, where one is known.
    func map(_ path: String, expecting length: Int?) throws(WinnowError) -> MappedFile
    /// Gives a file a second name; fails when that name is taken.
    func link(_ from: String, to: String) throws(WinnowError)
    func unlink(_ path: String) throws(WinnowError)
    /// The names in a directory, in no order; nil when there is no such directory.
    func list(_ path: String) throws(WinnowError) -> [String]?
    /// When a folder last changed; nil where that cannot be told apart from another change.
    func lastChange(inFolder path: String) throws(WinnowError) -> FolderChange?
    /// Whether a path is a directory itself, not a link to one.
    func isDirectory(_ path: String) throws(WinnowError) -> Bool
    /// Locks a file, nil when somebody else holds a lock that excludes this one.
    func lock(_ path: String, _ kind: LockKind) throws(WinnowError) -> (any FileLock)?
}

/// When something last came to a folder or went from it. As long as it is the same, nothing has.
package struct FolderChange: Equatable, Sendable {
    let device, inode: UInt64
    let seconds, nanoseconds: Int
}

package enum LockKind: Sendable {
    /// Many may hold it; taken on an existing file.
    case shared
    /// One may hold it; the file is made when `creating`.
    case exclusive(creating: Bool)
    /// One may hold it; taken on an existing folder, to which a link may lead.
    case folder
}

/// An advisory lock on a whole file, released when the last reference goes.
package protocol FileLock: AnyObject, Sendable {
    /// Whether the locked file still has a name; a reader that locked a file just removed must look
    /// again.
    var isLinked: Bool { get }
}

/// A file that is being written, front to back.
package protocol WritableFile: AnyObject {
    func append(_ bytes: UnsafeRawBufferPointer) throws(WinnowError)
    func close() throws(WinnowError)
}

extension WritableFile {
    package func append(_ bytes: ArraySlice<UInt8>) throws(WinnowError) {
        try unsafe bytes.withUnsafeBytesThrowing { (raw) throws(WinnowError) in
            try unsafe append(raw)
        }
    }
}
