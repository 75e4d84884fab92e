import JSON
import Winnow

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Standard output, standard error and the end of the process.
enum Terminal {
    /// Writes a line to standard error. Control characters of data are escaped there.
    static func note(_ line: String) { try? write(escaped(line), to: STDERR_FILENO) }

    /// Writes a line to standard output.
    static func print(_ line: String) throws(WinnowError) { try write(line, to: STDOUT_FILENO) }

    private static func write(_ line: String, to descriptor: Int32) throws(WinnowError) {
        var text = line + "\n", failed: Int32 = 0
        text.withUTF8 { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let chunk = UnsafeBufferPointer(rebasing: rest)
                let written = systemWrite(descriptor, chunk.baseAddress, chunk.count)
                if written < 0 && errno == EINTR { continue }
                if written < 0 {
                    failed = errno
                    return
                }
                rest = rest.dropFirst(written)
            }
        }
        if failed != 0 { throw .io(operation: "write to", path: "standard output", code: failed) }
    }

    static func fail(_ error: WinnowError, json: Bool) -> Never {
        if json {
            let line =
                "{\"error\": {\"code\": \(jsonString(error.code)), \"path\": \(jsonString(error.path)), "
                + "\"message\": \(jsonString(error.description))}}"
            try? write(line, to: STDERR_FILENO)
        } else {
            note("winnow: \(error)")
        }
        exit(error.exitCode)
    }

    private static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            if scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) {
                out += "\\u{" + String(scalar.value, radix: 16) + "}"
            } else {
                out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}

extension Duration {
    /// Milliseconds with three digits behind the point.
    var milliseconds: String {
        let microseconds = components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
        let digits = String(microseconds % 1000)
        return "\(microseconds / 1000).\(String(repeating: "0", count: 3 - digits.count))\(digits)"
    }

    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}

/// `write` by a name that does not clash with ours.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
