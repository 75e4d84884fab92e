import Model

extension StringTable {
    /// Checks that every string is one and is found under its own code, here and in no earlier table.
    package func verify(following earlier: [StringTable], of file: String, _ findings: Findings) {
        findings.expect(
            Int(first) == earlier.last.map { Int($0.first) + $0.count } ?? 0, file,
            "codes do not follow the part before")
        let step = 1 << 14
        let pieces = (count + step - 1) / step
        findings.check(file) { () throws(WinnowError) in
            _ = try concurrentMap(pieces) { (piece) throws(WinnowError) in
                for i in piece * step..<min(count, (piece + 1) * step) {
                    let string = bytes(i), hash = stringHash(string)
                    guard (1...255).contains(string.count), String(validating: string, as: UTF8.self) != nil,
                        code(of: string, hash: hash) == first + UInt32(i),
                        !earlier.contains(where: { $0.code(of: string, hash: hash) != nil })
                    else { throw .damaged(file: file, what: "string \(i) is not found under its own code") }
                }
            }
        }
    }
}
