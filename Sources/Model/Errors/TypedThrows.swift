// The standard library's versions of these lose the type of what their bodies throw.
extension ArraySlice<UInt8> {
    package func withUnsafeBytesThrowing<T>(
        _ body: (UnsafeRawBufferPointer) throws(WinnowError) -> T
    ) throws(WinnowError) -> T {
        let result = unsafe withUnsafeBytes { (bytes) -> Result<T, WinnowError> in
            do throws(WinnowError) { return unsafe .success(try body(bytes)) } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}

extension [UInt8] {
    package func withUnsafeBytesThrowing<T>(
        _ body: (UnsafeRawBufferPointer) throws(WinnowError) -> T
    ) throws(WinnowError) -> T {
        try unsafe self[...].withUnsafeBytesThrowing(body)
    }

    package mutating func withUnsafeMutableBytesThrowing<T>(
        _ body: (UnsafeMutableRawBufferPointer) throws(WinnowError) -> T
    ) throws(WinnowError) -> T {
        let result = unsafe withUnsafeMutableBytes { (buffer) -> Result<T, WinnowError> in
            do throws(WinnowError) { return unsafe .success(try body(buffer)) } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
