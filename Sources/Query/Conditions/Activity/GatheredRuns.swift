import WinnowColumns
import WinnowModel

/// The runs of one block that are in a scope, found in the directories of its chunks; nothing of
/// their data is read yet. Buffers are kept from block to block.
final class GatheredRuns {
    private(set) var runs: [RunInScope] = []
    private(set) var chunks: [ActivityChunk] = []
    /// Per chunk the window that its events must be in.
    private(set) var windows: [ClosedRange<Int64>] = []
    /// Stored counts of parts that are in scope as a whole.
    private(set) var summaries: [SlicedBlock] = []
    /// Last times of parts whose events are in scope from a quarter hour on.
    private(set) var recencies: [(latest: SlicedBlock, since: Int64)] = []
    /// What all of these may add up to for one row.
    private(set) var bound: UInt64 = 0
    /// Events of the runs, before windows, links and the like are looked at.
    private(set) var events = 0
    /// A bit per event of the tails of the chunks: those of leaves inside the window, and of those
    /// that straddle it.
    private(set) var inside = GrowingMask(), straddling = GrowingMask()
    private var codes: [UInt32] = []
    private var ends: [UInt32] = []

    /// Whether tails are taken as a whole, not run by run.
    private let wholeTails: Bool

    init(wholeTails: Bool) { self.wholeTails = wholeTails }

    /// Runs that there is room for.
    var capacity: Int { max(runs.capacity, codes.count) }

    /// Finds the runs of a block that are in scope.
    /// - Parameter stored: whether stored counts may stand for the events of a part that is in
    ///   scope as a whole.
    /// - Parameter recency: whether it only matters who has an event, so that times of last events
    ///   may tell.
    /// - Parameter times: heads without events among these times are left out.
    func gather(
        _ scope: ActivityScope, _ block: BlockIndex, stored: Bool, recency: Bool = false,
        among times: ClosedRange<Int64>? = nil
    ) throws(WinnowError) {
        runs.removeAll(keepingCapacity: true)
        chunks.removeAll(keepingCapacity: true)
        windows.removeAll(keepingCapacity: true)
        summaries.removeAll(keepingCapacity: true)
        recencies.removeAll(keepingCapacity: true)
        inside.clear()
        straddling.clear()
        (bound, events) = (0, 0)
        for scope in scope.parts {
            guard let entry = try scope.part.find(scope.index, block: block) else { continue }
            if stored, scope.places == nil, entry.hasSummary {
                let summary = try scope.part.summary(entry)
                summaries.append(summary)
                bound = bound.saturatingAdd(UInt64(clamping: summary.bound))
                continue
            }
            if recency, let since = scope.since, entry.hasSummary {
                recencies.append((try scope.part.latest(entry), since))
                bound = bound.saturatingAdd(1)
                continue
            }
            let chunk = try scope.part.chunk(entry)
            var reach = heads(of: chunk, scope, among: times)
            if try tail(of: chunk, scope) { reach = reach.saturatingAdd(chunk.tailMaximum) }
            if reach > 255, entry.hasSummary {
                reach = min(reach, UInt64(clamping: try scope.part.summary(entry).bound))
            }
            bound = bound.saturatingAdd(reach)
            chunks.append(chunk)
            windows.append(scope.window)
        }
    }

    /// Brings the runs of each object together, in an order of their own if need be; objects ascend
    /// by key.
    func sortByKey(then order: TimeOrder? = nil) {
        func comes(_ a: RunInScope, before b: RunInScope) -> Bool {
            let (x, y) = (a.key ?? 0, b.key ?? 0)
            return x != y ? x < y : order?.comes(a.span, before: b.span) ?? false
        }
        // One chunk has its leaves in the order of campaigns.
        let isSorted = (1..<max(1, runs.count)).allSatisfy {
            !comes(runs[$0], before: runs[$0 - 1])
        }
        if !isSorted { runs.sort(by: comes) }
    }

    /// Brings the runs with the last events to the front, or those with the first ones.
    func sort(by order: TimeOrder) { runs.sort { order.comes($0.span, before: $1.span) } }

    private func run(
        _ kind: RunInScope.Kind, of chunk: Int, _ leaf: LeafID, _ scope: PartScope
    ) -> RunInScope {
        RunInScope(
            kind: kind, chunk: chunk,
            straddles: scope.places?[Int(leaf.rawValue)] == .straddles,
            key: scope.keys?[Int(leaf.rawValue)], span: span(of: leaf, scope))
    }

    /// When the events of a leaf happened, where that matters.
    private func span(of leaf: LeafID, _ scope: PartScope) -> LeafSpan {
        guard let spans = scope.spans, leaf.rawValue < spans.count else { return .unknown }
        return spans[Int(leaf.rawValue)]
    }

    /// Appends the heads in scope; returns what they may add up to for one row.
    private func heads(
        of chunk: ActivityChunk, _ scope: PartScope, among times: ClosedRange<Int64>?
    ) -> UInt64 {
        var reach: UInt64 = 0
        func take(_ i: Int, _ leaf: LeafID) {
            if let times, !span(of: leaf, scope).touches(times) { return }
            events += chunk.events(ofHead: i)
            runs.append(run(.head(i), of: chunks.count, leaf, scope))
            reach = reach.saturatingAdd(chunk.maximum(ofHead: i))
        }
        if let places = scope.places {
            if scope.leaves.count * 8 < chunk.headCount {
                var from = 0
                for leaf in scope.leaves {
                    from = firstNotBelow(from..<chunk.headCount) { chunk.leaf(ofHead: $0) < leaf }
                    guard from < chunk.headCount else { break }
                    if chunk.leaf(ofHead: from) == leaf { take(from, leaf) }
                }
            } else {
                for i in 0..<chunk.headCount {
                    let leaf = chunk.leaf(ofHead: i)
                    if Int(leaf.rawValue) < places.count, places[Int(leaf.rawValue)] != .out {
                        take(i, leaf)
                    }
                }
            }
        } else {
            for i in 0..<chunk.headCount { take(i, chunk.leaf(ofHead: i)) }
        }
        return reach
    }

    /// Appends the tail, or its runs in scope; returns whether there are any.
    private func tail(of chunk: ActivityChunk, _ scope: PartScope) throws(WinnowError) -> Bool {
        guard chunk.tail.events > 0 else { return false }
        let offset = inside.count
        if wholeTails {
            let words = SlicedStream.maskWords(chunk.tail.events)
            inside.grow(by: words)
            straddling.grow(by: words)
        }
        var chosen = 0
        var straddles = false
        var span = LeafSpan(first: .max, last: .min)
        // A tail may have tens of thousands of runs: what they need is at hand, not in the object.
        var runs = self.runs
        self.runs = []
        let number = chunks.count
        func take(_ range: Range<Int>, _ leaf: LeafID) {
            chosen += range.count
            guard wholeTails else {
                return runs.append(run(.tailRun(range), of: number, leaf, scope))
            }
            span.formUnion(self.span(of: leaf, scope))
            if scope.places?[Int(leaf.rawValue)] == .straddles {
                straddles = true
                straddling.insert(range, offset)
            } else {
                inside.insert(range, offset)
            }
        }
        if let places = scope.places {
            if scope.leaves.count * 8 < chunk.tailRuns {
                var from = 0
                for leaf in scope.leaves {
                    from = firstNotBelow(from..<chunk.tailRuns) { chunk.leaf(ofRun: $0) < leaf }
                    guard from < chunk.tailRuns else { break }
                    if chunk.leaf(ofRun: from) == leaf { take(try chunk.run(from), leaf) }
                }
            } else {
                let n = chunk.tailRuns
                if codes.count < n {
                    codes = Array(repeating: 0, count: n)
                    ends = codes
                }
                unsafe chunk.leaves(ofRuns: 0..<n, into: &codes)
                unsafe chunk.ends(ofRuns: 0..<n, into: &ends)
                let (codes, ends) = (codes, ends)
                for i in 0..<n {
                    let leaf = Int(codes[i])
                    guard leaf < places.count, places[leaf] != .out else { continue }
                    take(
                        try chunk.run(from: i == 0 ? 0 : ends[i - 1], to: ends[i]),
                        LeafID(rawValue: codes[i]))
                }
            }
        } else {
            take(0..<chunk.tail.events, LeafID(0))
            span = LeafSpan(first: scope.index.minimum, last: scope.index.maximum)
        }
        if wholeTails, chosen > 0 {
            runs.append(
                RunInScope(
                    kind: .tail(offset), chunk: chunks.count, straddles: straddles, key: nil,
                    span: span))
        }
        self.runs = runs
        events += chosen
        return chosen > 0
    }
}

/// A run of one chunk that is in scope, and whether its times must be looked at.
struct RunInScope {
    enum Kind {
        case head(Int)
        case tailRun(Range<Int>)
        /// What is in scope of the tail, as masks that begin at a word of `GatheredRuns`.
        case tail(Int)
    }
    let kind: Kind
    /// Index into the chunks of the block at hand.
    let chunk: Int
    let straddles: Bool
    /// What pairs its events with others, where that is the same for all of them; nil for their
    /// message.
    let key: UInt32?
    /// Between which times all of its events are, where that matters.
    let span: LeafSpan
}

/// In which order runs are looked at where only the last events, or the first, are wanted.
enum TimeOrder {
    case lastFirst, firstFirst

    func comes(_ a: LeafSpan, before b: LeafSpan) -> Bool {
        self == .lastFirst ? a.last > b.last : a.first < b.first
    }

    /// What the events of a run, and of those after it, do not pass.
    func bound(_ span: LeafSpan) -> Int64 { self == .lastFirst ? span.last : span.first }

    /// What anything may follow.
    var unknown: Int64 { self == .lastFirst ? .max : .min }
}

/// A long mask that is made anew for every block, in memory that stays where it is while it is
/// read.
@safe struct GrowingMask: ~Copyable {
    private(set) var base = UnsafeMutablePointer<UInt64>.allocate(capacity: 1024)
    private(set) var count = 0
    private var capacity = 1024

    deinit { unsafe base.deallocate() }

    mutating func clear() { count = 0 }

    /// Appends so many words of zeros.
    mutating func grow(by words: Int) {
        if count + words > capacity {
            capacity = max(2 * capacity, count + words)
            let larger = UnsafeMutablePointer<UInt64>.allocate(capacity: capacity)
            unsafe larger.update(from: base, count: count)
            unsafe base.deallocate()
            unsafe base = unsafe larger
        }
        unsafe (base + count).update(repeating: 0, count: words)
        count += words
    }

    /// Sets the bits of a range that begins at bit 0 of word `offset`.
    func insert(_ range: Range<Int>, _ offset: Int) {
        guard !range.isEmpty else { return }
        let first = range.lowerBound >> 6
        let last = (range.upperBound - 1) >> 6
        let words = unsafe base + offset
        let low: UInt64 = ~0 << UInt64(range.lowerBound & 63)
        let high: UInt64 = ~0 >> UInt64(63 - (range.upperBound - 1) & 63)
        if first == last {
            unsafe words[first] |= low & high
        } else {
            unsafe words[first] |= low
            for word in first + 1..<last { unsafe words[word] = .max }
            unsafe words[last] |= high
        }
    }
}

extension [RunInScope] {
    /// Where the runs of the object end that begin at `start`, once they are sorted by key.
    func endOfObject(from start: Int) -> Int {
        var end = start + 1
        while end < count, self[end].key == self[start].key { end += 1 }
        return end
    }
}
