import WinnowFormat

/// A few names, looked up by their bytes. Lives as long as the process, in memory that no references
/// are counted for: threads that look up all the time would wait for each other's counting.
@safe struct NameTable<Value: Sendable>: @unchecked Sendable {
    @safe private struct Slot {
        let name: UnsafeRawBufferPointer
        let value: Value
    }

    private static var size: Int { 256 }
    /// By length, first and last byte, which few names share; nil is a free slot.
    private let slots: UnsafeMutablePointer<Slot?>

    /// - Parameter entries: fewer than 100.
    init(_ entries: [(String, Value)]) {
        unsafe slots = .allocate(capacity: NameTable.size)
        unsafe slots.initialize(repeating: nil, count: NameTable.size)
        for (name, value) in entries.prefix(NameTable.size / 2) {
            let bytes = UnsafeMutableRawBufferPointer.allocate(
                byteCount: name.utf8.count, alignment: 1)
            unsafe bytes.copyBytes(from: name.utf8)
            let stored = UnsafeRawBufferPointer(bytes)
            var slot = unsafe NameTable.slot(stored)
            while unsafe slots[slot] != nil { slot = (slot + 1) % NameTable.size }
            unsafe slots[slot] = unsafe Slot(name: stored, value: value)
        }
    }

    private static func slot(_ name: UnsafeRawBufferPointer) -> Int {
        guard let first = unsafe name.first, let last = unsafe name.last else { return 0 }
        return (name.count &* 47 &+ Int(first) &* 7 &+ Int(last)) % size
    }

    func value(of name: UnsafeRawBufferPointer) -> Value? {
        var slot = unsafe NameTable.slot(name)
        while let entry = unsafe slots[slot] {
            if unsafe name.holds(entry.name) { return entry.value }
            slot = (slot + 1) % NameTable.size
        }
        return nil
    }
}
