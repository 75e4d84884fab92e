import WinnowBitmaps
import WinnowCKernels
import WinnowColumns
import WinnowModel

/// Conditions on events that differ in their windows, which go forward in time: the counts of a
/// segment day after day, say.
///
/// Method: the ends of all windows cut time into stretches. The events of a block are looked at once
/// and sorted by stretch. Then the windows are gone through: events that a window has and the one
/// before it had not are added to their rows' counters, events that it has no more are taken off,
/// and the set at hand changes where a counter passes a bound.
/// - Complexity: O(events + windows × rows ÷ 64) for each block. Memory is 16 bytes for each event
///   of as many rows as make a million events.
struct WindowSweep: SharedPass {
    private let events: ActivityScope
    /// The first instants of the stretches, ascending.
    private let cuts: [Int64]
    private let lookUp: StretchLookUp
    private let windows: [SweptWindow]
    /// The bounds of counts that are asked for.
    private let bounds: [CountBounds]

    /// Windows from which on a sweep may be worth it.
    private static let fewestWindows = 4
    /// How often events would be looked at one by one for each time that a sweep looks at them.
    private static let leastGain = 2
    /// Events that are sorted together, more or less.
    private static let together = 1 << 20

    /// nil where the conditions had better be evaluated one by one.
    init?(_ conditions: [EventCondition]) throws(WinnowError) {
        var scopes: [ObjectIdentifier: ActivityScope] = [:]
        for condition in conditions { scopes[ObjectIdentifier(condition.scope)] = condition.scope }
        guard scopes.count >= WindowSweep.fewestWindows, let lineage = conditions[0].scope.lineage
        else { return nil }
        var order = conditions.indices.map { ($0, conditions[$0].scope.window) }
        order.sort {
            ($0.1.lowerBound, $0.1.upperBound, $0.0) < ($1.1.lowerBound, $1.1.upperBound, $1.0)
        }
        var last = Int64.min
        var cuts: [Int64] = []
        for (_, window) in order {
            guard window.upperBound >= last else { return nil }
            last = window.upperBound
            cuts.append(window.lowerBound)
            if last < .max { cuts.append(last + 1) }
        }
        guard let first = order.first?.1.lowerBound,
            let events = try lineage.events(in: first...last)
        else { return nil }
        let oneByOne = scopes.values.reduce(0) { $0 + $1.events }
        guard oneByOne / WindowSweep.leastGain >= events.events else { return nil }
        self.events = events
        cuts = Set(cuts).sorted()
        guard cuts.count < StretchLookUp.mostCuts else { return nil }
        self.cuts = cuts
        lookUp = StretchLookUp(cuts)
        var bounds: [CountBounds] = []
        var windows: [SweptWindow] = []
        for (place, window) in order {
            let own = CountBounds(
                lower: conditions[place].lower, upper: conditions[place].upper ?? .max)
            let known = bounds.firstIndex(of: own)
            if known == nil { bounds.append(own) }
            windows.append(
                SweptWindow(
                    first: lookUp.stretch(of: window.lowerBound),
                    last: lookUp.stretch(of: window.upperBound),
                    bounds: known ?? bounds.count - 1, place: place))
        }
        self.windows = windows
        self.bounds = bounds
    }
}

extension WindowSweep {
    func evaluate(_ view: BlockView, into sets: [BlockSet]) throws(WinnowError) {
        view.scratch.record(.swept)
        var events = 0
        for part in self.events.parts {
            events += try part.part.find(part.index, block: view.block)?.events ?? 0
        }
        let counters = unsafe view.scratch.wideCounters.base
        unsafe counters.update(repeating: 0, count: Block.rows)
        let slices = min(Block.words, events / WindowSweep.together + 1)
        let size = (Block.words + slices - 1) / slices
        for start in stride(from: 0, to: Block.words, by: size) {
            let words = start..<min(start + size, Block.words)
            let keys = try sortedEvents(
                of: slices == 1 ? nil : words, expecting: events / slices, view)
            unsafe sweep(keys, words, counters, view, into: sets)
        }
    }

    /// The events of some words of rows, nil for all, by stretch. Of each the lowest 16 bits are the
    /// stretch, the next 16 the row, the others how often it counts.
    private func sortedEvents(
        of words: Range<Int>?, expecting expected: Int, _ view: BlockView
    ) throws(WinnowError) -> [UInt64] {
        var within: BlockSet?
        if let words {
            let rows = view.spare(bounds.count)
            rows.clear()
            for word in words { unsafe rows.bits[word] = .max }
            within = rows
        }
        var keys: [UInt64] = []
        keys.reserveCapacity(expected)
        try unsafe ActivityEvaluation(events, view.scratch, within).forEachTime(view.block) {
            rows, _, by, at, n in
            for i in 0..<n {
                let stretch = unsafe UInt64(lookUp.stretch(of: at[i]))
                unsafe keys.append(stretch | UInt64(rows[i]) << 16 | UInt64(by[i]) << 32)
            }
        }
        var spare = [UInt64](repeating: 0, count: keys.count)
        let bits = UInt32(Int.bitWidth - cuts.count.leadingZeroBitCount)
        unsafe ck_sort(&keys, &spare, keys.count, bits)
        return keys
    }

    /// Goes through the windows; sets are made in some of their words.
    private func sweep(
        _ events: [UInt64], _ words: Range<Int>,
        _ counters: UnsafeMutablePointer<UInt64>, _ view: BlockView, into sets: [BlockSet]
    ) {
        let current = bounds.indices.map { view.spare($0) }
        for set in current { set.clear() }
        let (first, only) = unsafe (bounds[0], bounds.count == 1 ? current[0].bits : nil)
        // Events from `gone` on and before `come` are in the window at hand.
        var (gone, come) = (0, 0)
        func turn(_ event: UInt64, _ change: (UInt64, UInt64) -> UInt64) {
            let row = Int(event >> 16 & 0xffff)
            let before = unsafe counters[row]
            let after = change(before, event >> 32)
            unsafe counters[row] = after
            if let only = unsafe only {
                let turns = first.contains(before) != first.contains(after)
                unsafe only[row >> 6] ^= (turns ? 1 : 0) << UInt64(row & 63)
                return
            }
            for (i, bounds) in bounds.enumerated()
            where bounds.contains(before) != bounds.contains(after) {
                unsafe current[i].bits[row >> 6] ^= 1 << UInt64(row & 63)
            }
        }
        for window in windows {
            while come < events.count, Int(events[come] & 0xffff) <= window.last {
                turn(events[come], &+)
                come += 1
            }
            while gone < come, Int(events[gone] & 0xffff) < window.first {
                turn(events[gone], &-)
                gone += 1
            }
            let set = unsafe current[window.bounds].bits
            unsafe (sets[window.place].bits + words.lowerBound).update(
                from: set + words.lowerBound, count: words.count)
        }
        for event in events[gone..<come] { unsafe counters[Int(event >> 16 & 0xffff)] = 0 }
    }
}

/// A window in terms of stretches.
private struct SweptWindow {
    let first, last: Int
    /// Which of the bounds are asked for.
    let bounds: Int
    /// Its condition's place among all.
    let place: Int
}

/// What a count must be.
private struct CountBounds: Equatable {
    /// At least 1.
    let lower, upper: UInt64

    func contains(_ count: UInt64) -> Bool { count >= lower && count <= upper }
}

/// Finds the stretch of a time: how many cuts are not after it.
private struct StretchLookUp {
    private let cuts: [Int64]
    private let start, end: Int64
    private let shift: Int64
    /// The number of cuts not after the time at which each slot begins; of the first, none.
    private let slots: [UInt16]

    /// A stretch fits into 16 bits.
    static let mostCuts = 1 << 16
    private static let slotBits = 13

    /// - Parameter cuts: ascending.
    init(_ cuts: [Int64]) {
        self.cuts = cuts
        // Windows without a beginning say nothing about where times are.
        let possible = cuts.filter(Instant.possibleMilliseconds.contains)
        let start = possible.first ?? 0
        let end = possible.last ?? 0
        let span = end - start
        let shift = Int64(
            max(0, Int64.bitWidth - span.leadingZeroBitCount - StretchLookUp.slotBits))
        var slots: [UInt16] = []
        var passed = 0
        for slot in 0...span >> shift {
            while passed < cuts.count, cuts[passed] <= start + slot << shift { passed += 1 }
            slots.append(slot == 0 ? 0 : UInt16(truncatingIfNeeded: passed))
        }
        (self.start, self.end, self.shift, self.slots) = (start, end, shift, slots)
    }

    func stretch(of time: Int64) -> Int {
        let slot = time <= start ? 0 : Int((min(time, end) &- start) >> shift)
        var stretch = Int(slots[slot])
        while stretch < cuts.count, cuts[stretch] <= time { stretch += 1 }
        return stretch
    }
}
