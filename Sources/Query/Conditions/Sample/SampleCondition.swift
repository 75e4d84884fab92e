import WinnowBitmaps
import WinnowColumns
import WinnowModel
import WinnowRules
import WinnowStorage

extension Sample: BindableCondition {
    var usesCurrentState: Bool { true }
    var isTimeless: Bool { true }

    func bind(_ binder: inout Binder) throws(WinnowError) -> Plan {
        .condition(
            SampleCondition(keys: try binder.snapshot.keys(), range: range, salt: Array(salt.utf8)))
    }
}

/// A share of all profiles, by a hash of their ids.
private final class SampleCondition: BoundCondition {
    private let keys: StringTables
    private let range: Range<Int>
    private let salt: [UInt8]

    init(keys: StringTables, range: Range<Int>, salt: [UInt8]) {
        self.keys = keys
        self.range = range
        self.salt = salt
    }

    var cost: Int { 5_000_000 }

    func evaluate(_ view: BlockView, into out: BlockSet) {
        view.scratch.record(.sample)
        // A hash a row: only of those that still matter.
        out.copy(from: view.candidates ?? view.scratch.universe)
        let keys = keys
        let range = range
        let block = view.block
        unsafe withUnsafeTemporaryAllocation(byteCount: 8 + salt.count, alignment: 8) { text in
            for (i, byte) in salt.enumerated() { unsafe text[8 + i] = byte }
            out.filter { row in
                guard
                    let id = unsafe keys.bytes(Row(block, UInt16(truncatingIfNeeded: row)).rawValue)
                else {
                    return false
                }
                unsafe text.storeBytes(of: stringHash(id).littleEndian, as: UInt64.self)
                return unsafe range.contains(Int(stringHash(UnsafeRawBufferPointer(text)) % 10_000))
            }
        }
    }
}
