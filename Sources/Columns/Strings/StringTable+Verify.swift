import WinnowFormat
import WinnowModel
import WinnowThreads

extension StringTable {
    /// Which strings may be gone while their codes stay.
    package enum Purged: Sendable {
        case none
        case any
        /// These, and then all of them are.
        case only(ErasedRows)
    }

    /// Checks that every string is one and is found under its own code, here and in no earlier
    /// table; those of erased profiles aside, whose ids may have come again.
    package func verify(
        following earlier: [StringTable], hiding erased: ErasedRows?, purged: Purged,
        of file: String,
        _ findings: Findings
    ) {
        findings.expect(
            Int(first) == earlier.last.map { Int($0.first) + $0.count } ?? 0, file,
            "codes do not follow the part before")
        let step = 1 << 14
        let pieces = (count + step - 1) / step
        findings.check(file) { () throws(WinnowError) in
            let filled = try concurrentMap(pieces) { (piece) throws(WinnowError) in
                try findings.cancellation.check()
                var filled = 0
                for i in piece * step..<min(count, (piece + 1) * step) {
                    guard isSound(i, earlier, erased, purged) else {
                        throw .damaged(
                            file: file, what: "string \(i) is not found under its own code")
                    }
                    if unsafe !bytes(i).isEmpty { filled += 1 }
                }
                return filled
            }
            guard hasEntries(filled.reduce(0, +)) else {
                throw .damaged(file: file, what: "its index has entries of no string")
            }
        }
    }

    private func isSound(
        _ i: Int, _ earlier: [StringTable], _ erased: ErasedRows?, _ purged: Purged
    ) -> Bool {
        let string = unsafe bytes(i)
        let code = first + UInt32(i)
        let row = Row(rawValue: code)
        if case .only(let rows) = purged, rows.contains(row) { return unsafe string.isEmpty }
        if unsafe string.isEmpty {
            switch purged {
            case .any: return true
            case .none, .only: return erased?.contains(row) == true
            }
        }
        guard string.count <= 255, unsafe String(validating: string, as: UTF8.self) != nil else {
            return false
        }
        if erased?.contains(row) == true { return true }
        let hash = unsafe stringHash(string)
        return unsafe self.code(of: string, hash: hash, hiding: erased) == code
            && !earlier.contains { unsafe $0.code(of: string, hash: hash, hiding: erased) != nil }
    }
}
