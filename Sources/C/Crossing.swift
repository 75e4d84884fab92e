import Winnow
import WinnowCHeader
import WinnowCommands

/// Runs what a function of the door does. An error is kept for the thread, and becomes a code.
func answering(_ body: () throws(WinnowError) -> Void) -> CInt {
    door_keep_notes(nil)
    do throws(WinnowError) {
        try body()
        door_keep_error(nil)
        return 0
    } catch {
        unsafe door_keep_error(error.json)
        return error.exitCode
    }
}

func missing(_ name: String) -> WinnowError { .usage("\(name) is NULL") }

/// Keeps for the thread what a command told beside its answers.
func keepNotes(of call: CommandCall) {
    if !call.notes.isEmpty { unsafe door_keep_notes(call.notes.joined(separator: "\n")) }
}

/// A text of C.
/// - Throws: `usage` for NULL and for what is no UTF-8.
func text(_ pointer: UnsafePointer<CChar>?, _ name: String) throws(WinnowError) -> String {
    guard let text = try unsafe optionalText(pointer, name) else { throw missing(name) }
    return text
}

/// The same where NULL stands for none.
func optionalText(_ pointer: UnsafePointer<CChar>?, _ name: String) throws(WinnowError) -> String? {
    guard let pointer = unsafe pointer else { return nil }
    guard let text = unsafe String(validatingCString: pointer) else {
        throw .usage("\(name) is not UTF-8")
    }
    return text
}

/// Where a handle goes.
@safe struct Place {
    private let pointer: UnsafeMutablePointer<OpaquePointer?>

    /// - Throws: `usage` for NULL.
    init(_ pointer: UnsafeMutablePointer<OpaquePointer?>?, _ name: String) throws(WinnowError) {
        guard let pointer = unsafe pointer else { throw missing(name) }
        unsafe self.pointer = pointer
    }

    func put(_ value: any Handle) { unsafe pointer.pointee = Handles.all.add(value) }
}

func put<Value: BitwiseCopyable>(
    _ value: Value, _ place: UnsafeMutablePointer<Value>?, _ name: String
) throws(WinnowError) {
    guard let place = unsafe place else { throw missing(name) }
    unsafe place.pointee = value
}

/// Hands out a text.
func put(
    _ text: String, _ place: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) throws(WinnowError) {
    let bytes = text.utf8.map { CChar(bitPattern: $0) } + [0]
    unsafe place.pointee = try copied(bytes)
}

/// Memory for C, which `winnow_free` frees.
/// - Throws: `io` where there is none.
func allocate<Value: BitwiseCopyable>(
    _: Value.Type, _ count: Int
) throws(WinnowError) -> UnsafeMutablePointer<Value> {
    let (size, overflows) = count.multipliedReportingOverflow(by: MemoryLayout<Value>.stride)
    guard !overflows, let memory = unsafe door_allocate(UInt(max(size, 1))) else {
        throw .io(operation: "allocate memory for", path: "an answer", code: 12)
    }
    return unsafe memory.bindMemory(to: Value.self, capacity: count)
}

func copied<Value: BitwiseCopyable>(
    _ values: [Value]
) throws(WinnowError) -> UnsafeMutablePointer<Value> {
    let memory = try unsafe allocate(Value.self, values.count)
    unsafe values.withUnsafeBufferPointer { values in
        if let base = values.baseAddress {
            unsafe memory.update(from: base, count: values.count)
        }
    }
    return unsafe memory
}

/// Bytes of the caller, a piece at a time; they stay its own, and there until its call returns.
@safe final class CallerBytes: @unchecked Sendable {
    private let bytes: UnsafeRawBufferPointer
    private var at = 0

    init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = unsafe bytes }

    @Sendable func next() throws(WinnowError) -> [UInt8]? {
        let piece = unsafe bytes[at..<min(at + (1 << 20), bytes.count)]
        unsafe at += piece.count
        return unsafe piece.isEmpty ? nil : Array(piece)
    }
}
