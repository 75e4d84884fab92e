import WinnowModel

/// The events of one block that may count, by row and message (or object), and for each pair the
/// time of the event before them: a hash table of the pairs that have such events.
@safe final class PairTimes {
    /// The events in the order in which they came.
    private var events: [(pair: UInt64, time: Int64, by: UInt32)] = []
    // In plain memory: every event before them comes by here.
    private var pairs = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
    private var slots = UnsafeMutablePointer<Slot>.allocate(capacity: 1)
    private var capacity = 1
    private var mask = 0

    private struct Slot {
        /// The last (first) time of the event before.
        var start: Int64
        var isKnown = false
        var count: UInt64 = 0
    }

    deinit {
        unsafe pairs.deallocate()
        unsafe slots.deallocate()
    }

    private static func pair(_ row: UInt16, _ key: UInt32) -> UInt64 {
        UInt64(key) << 16 | UInt64(row)
    }

    /// Events that there is room for.
    var room: Int { max(events.capacity, capacity / 2) }

    /// Forgets all events; memory is kept.
    func clear() { events.removeAll(keepingCapacity: true) }

    /// Adds events that may count; those without a key are of no pair.
    func add(
        _ rows: UnsafePointer<UInt16>, _ keys: UnsafePointer<UInt32>, _ by: UnsafePointer<UInt32>,
        _ at: UnsafePointer<Int64>, _ n: Int
    ) {
        for i in 0..<n where unsafe keys[i] > 0 {
            unsafe events.append((PairTimes.pair(rows[i], keys[i]), at[i], by[i]))
        }
    }

    /// Makes the table of the events that were added; there are no more of them.
    func seal() {
        var size = 64
        while size < 2 * events.count { size *= 2 }
        if size > capacity {
            unsafe pairs.deallocate()
            unsafe slots.deallocate()
            unsafe pairs = .allocate(capacity: size)
            unsafe slots = .allocate(capacity: size)
            capacity = size
        }
        unsafe pairs.update(repeating: 0, count: size)
        mask = size - 1
        for event in events {
            let at = slot(event.pair)
            guard unsafe pairs[at] == 0 else { continue }
            unsafe pairs[at] = event.pair
            unsafe (slots + at).initialize(to: Slot(start: 0))
        }
    }

    /// Where a pair is, or where it would be; keys above zero make pairs above zero.
    private func slot(_ pair: UInt64) -> Int {
        var at = Int(truncatingIfNeeded: (pair &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
        while unsafe pairs[at] != 0 && pairs[at] != pair { at = (at + 1) & mask }
        return at
    }

    /// Takes note of events before; calls `alone` with the rows of those of whose pair no event may
    /// count.
    func start(
        _ rows: UnsafePointer<UInt16>, _ keys: UnsafePointer<UInt32>, _ at: UnsafePointer<Int64>,
        _ n: Int, _ span: AfterCondition.Span, alone: (UInt16) -> Void
    ) {
        for i in 0..<n where unsafe keys[i] > 0 {
            let slot = unsafe slot(PairTimes.pair(rows[i], keys[i]))
            guard unsafe pairs[slot] != 0 else {
                unsafe alone(rows[i])
                continue
            }
            let known = unsafe slots[slot].isKnown
            unsafe slots[slot].start =
                unsafe known ? span.choose(slots[slot].start, at[i]) : at[i]
            unsafe slots[slot].isKnown = true
        }
    }

    /// Calls `body` with the row and the count of each pair that has an event before.
    func forEachCount(_ span: AfterCondition.Span, _ body: (Int, UInt64) -> Void) {
        for event in events {
            let at = slot(event.pair)
            let slot = unsafe slots[at]
            guard slot.isKnown, event.time > slot.start, event.time <= span.end(after: slot.start)
            else { continue }
            unsafe slots[at].count = slot.count.saturatingAdd(UInt64(event.by))
        }
        for at in 0...mask where unsafe pairs[at] != 0 && slots[at].isKnown {
            unsafe body(Int(pairs[at] & 0xFFFF), slots[at].count)
        }
    }
}
