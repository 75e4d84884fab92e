import Foundation
import WinnowSimulation

/// What the fuzzer calls, again and again: `WINNOW_FUZZ` names what reads the bytes. Whatever is
/// not understood must be told by an error of the engine's own; anything else, and any trap, ends
/// the run.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    do { try target.run(Array(UnsafeBufferPointer(start: bytes, count: count))) } catch {
        fatalError("\(error)")
    }
    return 0
}

private let target =
    Fuzzing(rawValue: ProcessInfo.processInfo.environment["WINNOW_FUZZ"] ?? "") ?? .rule
