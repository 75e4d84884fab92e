import WinnowBitmaps
import WinnowCKernels
import WinnowColumns
import WinnowFormat
import WinnowModel

/// Evaluates one activity in one block.
///
/// Method: first the runs in scope are gathered from the chunks' directories; their stored maxima
/// bound what any row can reach. That bound may already say that nobody qualifies; else it says how
/// wide the counters must be. For "at least once" no counters are needed at all, containers are
/// united. Only of runs that straddle the window, whose clicks must be told apart by link, or from
/// which unique events are derived, are events looked at: sliced comparisons make a mask of a
/// piece's events, and the rows of those that are left are handed on.
struct ActivityEvaluation {
    let scope: ActivityScope
    let scratch: Scratch
    /// The rows that matter, where events are looked at one by one in any case; nil for all.
    private let wantedRows: BlockSet?
    /// Where runs are gathered.
    let gathered: GatheredRuns

    /// - Parameter within: rows outside need not be right.
    init(
        _ scope: ActivityScope, _ scratch: Scratch, _ within: BlockSet? = nil,
        in gathered: GatheredRuns? = nil
    ) {
        self.scope = scope
        self.scratch = scratch
        wantedRows = within
        self.gathered = gathered ?? scratch.gathered
    }

    /// The same where rows outside need not be right.
    func within(_ rows: BlockSet?) -> ActivityEvaluation {
        ActivityEvaluation(scope, scratch, rows, in: gathered)
    }

    /// Rows whose events count between two bounds, and where they go.
    struct Wanted {
        let lower: UInt64
        let upper: UInt64?
        let out: BlockSet

        /// Whether it matters how often a row comes.
        var counts: Bool { lower != 1 || upper != nil }
        /// Whether counters that stop at 255 tell what matches.
        var fitsByte: Bool { lower <= 255 && (upper ?? 0) < 255 }
    }

    /// Makes the rows of the block that are wanted; the events are looked at once, whatever is
    /// wanted of their counts.
    func evaluate(_ block: BlockIndex, _ wanted: [Wanted]) throws(WinnowError) {
        if try answerFromSummary(block, wanted) { return }
        let plain = scope.links == nil && scope.unique == nil
        try gathered.gather(
            scope, block, stored: plain, recency: plain && wanted.count == 1 && !wanted[0].counts)
        try evaluate(gathered, .block(block), wanted)
    }

    /// What is scanned into a sink: all runs of a block, or some.
    private enum Source {
        case block(BlockIndex)
        case runs(ArraySlice<RunInScope>)
    }

    private func evaluate(
        _ gathered: GatheredRuns, _ source: Source, _ wanted: [Wanted]
    ) throws(WinnowError) {
        var bound = gathered.bound
        if case .runs(let runs) = source {
            bound = runs.reduce(0) { $0.saturatingAdd(gathered.bound(of: $1)) }
        }
        guard wanted.contains(where: { bound >= $0.lower }) else {
            scratch.record(.bounded)
            for one in wanted { one.out.clear() }
            return
        }
        if wanted.count == 1, !wanted[0].counts {
            scratch.record(.united)
            let out = wanted[0].out
            out.clear()
            try scan(source, gathered, UnionSink(set: out))
            if case .block = source {
                for recency in gathered.recencies { unite(recency, into: out) }
            }
        } else if bound <= 255 || wanted.allSatisfy(\.fitsByte) {
            try count(source, gathered, bound, wanted)
        } else {
            scratch.record(.countedWide)
            let counters = unsafe scratch.wideCounters.base
            unsafe counters.update(repeating: 0, count: Block.rows)
            try unsafe scan(source, gathered, WideSink(counters: counters, rows: scratch.distinct))
            for one in wanted {
                unsafe kernels.counters_between_wide(
                    counters, one.lower, one.upper ?? .max, one.out.bits, Block.rows)
            }
        }
    }

    private func unite(_ recency: (latest: SlicedBlock, since: Int64), into out: BlockSet) {
        scratch.record(.lastTimes)
        scratch.look(bytes: recency.latest.byteCount)
        let recent = scratch.sliced.spare
        recency.latest.select(recency.since...Int64.max, into: recent, scratch.sliced)
        out.formUnion(recent)
    }

    /// Counts in bytes. Counters that stop, or are cut down, are exact for conditions that they can
    /// tell apart.
    private func count(
        _ source: Source, _ gathered: GatheredRuns, _ bound: UInt64, _ wanted: [Wanted]
    ) throws(WinnowError) {
        let counters = unsafe scratch.counters
        func select(_ body: (UInt8, UInt8, BlockSet) -> Void) {
            for one in wanted {
                // What a byte cannot hold no row reaches.
                guard let lower = UInt8(exactly: one.lower) else {
                    one.out.clear()
                    continue
                }
                body(lower, UInt8(clamping: one.upper ?? 255), one.out)
            }
        }
        if areFew(source, gathered) {
            scratch.record(.countedFew)
            let sink = unsafe FewSink(counters, rows: scratch.touched)
            try scan(source, gathered, sink)
            select { sink.select($0, $1, into: $2) }
            return sink.clear()
        }
        let cap = wanted.reduce(1) { max($0, $1.lower, ($1.upper ?? 0) + 1) }
        let sink = unsafe NarrowSink(counters, cap: UInt8(clamping: cap), bound: bound)
        try scan(source, gathered, sink)
        scratch.record(sink.cuts == 0 ? .counted : .countedCapped)
        select { unsafe kernels.counters_between(counters, $0, $1, $2.bits, Block.rows) }
        unsafe counters.update(repeating: 0, count: Block.rows)
    }

    private func areFew(_ source: Source, _ gathered: GatheredRuns) -> Bool {
        switch source {
        case .block:
            gathered.events < Tuning.fewEvents && gathered.summaries.isEmpty && !joins(gathered)
        case .runs(let runs):
            runs.reduce(0) { $0 + gathered.events(of: $1) } < Tuning.fewEvents
        }
    }

    /// Calls `body` with rows, keys (zero for none) and counts of the events in scope, some
    /// thousands at a time.
    func forEachKey(
        _ block: BlockIndex,
        _ body: (UnsafePointer<UInt16>, UnsafePointer<UInt32>, UnsafePointer<UInt32>, Int) -> Void
    ) throws(WinnowError) {
        // Where leaves give the keys, events must come run by run.
        let gathered = scope.parts.contains { $0.keys != nil } ? scratch.keyed : scratch.gathered
        try gathered.gather(scope, block, stored: false)
        try unsafe withoutActuallyEscaping(body) { (body) throws(WinnowError) in
            try unsafe scan(.block(block), gathered, KeySink(body: body))
        }
    }

    /// Calls `body` with rows, keys, counts and times of the events in scope, some thousands at a
    /// time.
    func forEachKeyAndTime(_ block: BlockIndex, _ body: TimeSink.Body) throws(WinnowError) {
        let gathered = scope.parts.contains { $0.keys != nil } ? scratch.keyed : scratch.gathered
        try gathered.gather(scope, block, stored: false)
        try unsafe withoutActuallyEscaping(body) { (body) throws(WinnowError) in
            try unsafe scan(.block(block), gathered, TimeSink(wantsKeys: true, body: body))
        }
    }

    /// Calls `body` with rows and values of those events in scope that have a value, some thousands
    /// at a time.
    func forEachValue(_ block: BlockIndex, _ body: ValueSink.Body) throws(WinnowError) {
        let gathered = scratch.gathered
        try gathered.gather(scope, block, stored: false)
        try unsafe withoutActuallyEscaping(body) { (body) throws(WinnowError) in
            try unsafe scan(.block(block), gathered, ValueSink(body: body))
        }
    }

    /// Calls `body` with rows, keys (of no meaning), counts and times of the events in scope, in no
    /// order.
    func forEachTime(_ block: BlockIndex, _ body: TimeSink.Body) throws(WinnowError) {
        try gathered.gather(scope, block, stored: false)
        try unsafe withoutActuallyEscaping(body) { (body) throws(WinnowError) in
            try unsafe scan(.block(block), gathered, TimeSink(wantsKeys: false, body: body))
        }
    }

    /// The quarter hours of each row's last event in scope, see `Recency`, as far as one part tells
    /// them; takes the rows of which it does not off the set. nil when nothing is told.
    func lastQuarters(_ block: BlockIndex, _ told: BlockSet) throws(WinnowError) -> SlicedBlock? {
        guard scope.links == nil else { return nil }
        var largest: (part: PartScope, entry: ActivityPart.BlockEntry)?
        for part in scope.parts where part.tellsLast {
            guard let entry = try part.part.find(part.index, block: block), entry.hasSummary,
                entry.events > largest?.entry.events ?? 0
            else { continue }
            largest = (part, entry)
        }
        guard let largest else { return nil }
        for part in scope.parts where part !== largest.part {
            guard let entry = try part.part.find(part.index, block: block) else { continue }
            try part.part.rows(entry, into: scratch.sliced.spare)
            told.subtract(scratch.sliced.spare)
        }
        return try largest.part.part.latest(largest.entry)
    }

    /// Rows, counts and times of some events, and the time that events to come do not pass, which may
    /// be any; nil when none are to come.
    typealias TimeBody = (
        UnsafePointer<UInt16>, UnsafePointer<UInt32>, UnsafePointer<Int64>, Int, Int64?
    ) -> Void

    /// Calls `body` with events of the rows in a set, run by run in the order of their times; ends
    /// when the body has taken all rows off the set.
    func forEachTime(
        _ block: BlockIndex, _ order: TimeOrder, while rows: BlockSet, _ body: TimeBody
    ) throws(WinnowError) {
        if try gather(block, order) {
            let runs = gathered.runs[...]
            return try unsafe forEachTime(
                runs, of: gathered, order, among: nil, while: rows, body)
        }
        // Unique events that are compared come in no order.
        let within = within(rows)
        try unsafe withoutActuallyEscaping(body) { (body) throws(WinnowError) in
            let sink = unsafe TimeSink(wantsKeys: false) { rows, _, by, at, n in
                unsafe body(rows, by, at, n, order.unknown)
            }
            try within.scan(.block(block), gathered, sink)
        }
    }

    /// The same with some runs, which are in that order.
    /// - Parameter times: runs that are before these times, or after them, are passed over.
    func forEachTime(
        _ runs: ArraySlice<RunInScope>, of gathered: GatheredRuns, _ order: TimeOrder,
        among times: ClosedRange<Int64>?, while rows: BlockSet, _ body: TimeBody
    ) throws(WinnowError) {
        func next(_ start: Int) -> Int? {
            runs[start...].indices.first {
                times.map(runs[$0].span.touches) ?? true
            }
        }
        let within = within(rows)
        try unsafe withoutActuallyEscaping(body) { (body) throws(WinnowError) in
            var following = next(runs.startIndex)
            while let i = following, !rows.isEmpty {
                following = next(i + 1)
                let bound = following.map { order.bound(runs[$0].span) }
                let sink = unsafe TimeSink(wantsKeys: false) { rows, _, by, at, n in
                    unsafe body(rows, by, at, n, bound)
                }
                try within.scan(runs[i...i], gathered, sink)
            }
        }
    }

    /// Gathers the runs of a block, in the order of their times; false when runs do not tell which
    /// events are in scope.
    func gather(
        _ block: BlockIndex, _ order: TimeOrder, among times: ClosedRange<Int64>? = nil
    ) throws(WinnowError) -> Bool {
        try gathered.gather(scope, block, stored: false, among: times)
        if scope.unique != nil, joins(gathered) { return false }
        gathered.sort(by: order)
        return true
    }

    /// The same with those of each object together.
    func gatherByKey(
        _ block: BlockIndex, _ gathered: GatheredRuns, _ order: TimeOrder? = nil
    ) throws(WinnowError) -> Bool {
        try gathered.gather(scope, block, stored: false)
        if scope.unique != nil, joins(gathered) { return false }
        gathered.sortByKey(then: order)
        return true
    }

    /// Makes `out` the rows with events in those of some runs that pass.
    func unite(
        _ runs: ArraySlice<RunInScope>, of gathered: GatheredRuns, into out: BlockSet,
        where passes: (LeafSpan) -> Bool
    ) throws(WinnowError) {
        out.clear()
        for i in runs.indices where passes(runs[i].span) {
            try scan(runs[i...i], gathered, UnionSink(set: out))
        }
    }

    /// Makes the rows that are wanted by these runs alone.
    func evaluate(
        _ runs: ArraySlice<RunInScope>, _ gathered: GatheredRuns, _ wanted: Wanted
    ) throws(WinnowError) {
        try evaluate(gathered, .runs(runs), [wanted])
    }

    /// Scans the events of these runs.
    func scan(_ runs: Range<Int>, of gathered: GatheredRuns, _ sink: some CountSink)
        throws(WinnowError)
    {
        try scan(gathered.runs[runs], gathered, sink)
    }

    /// Whether unique events must be found by comparing: a chunk's own marks say which events are
    /// unique, unless other chunks, links or forgotten events have a say.
    private func joins(_ gathered: GatheredRuns) -> Bool {
        scope.unique?.isRestricted == true || gathered.chunks.count > 1
            || scope.parts.contains(where: \.forgets)
    }

    /// Whether the stored counts of all events of the type answer: nothing restricts the scope and
    /// one part owns it.
    private func answerFromSummary(_ block: BlockIndex, _ wanted: [Wanted]) throws(WinnowError)
        -> Bool
    {
        guard scope.links == nil, scope.unique == nil, let part = scope.parts.first,
            scope.parts.count == 1,
            part.places == nil, let entry = try part.part.find(part.index, block: block),
            entry.hasSummary
        else { return false }
        scratch.record(.storedCounts)
        let summary = try part.part.summary(entry)
        scratch.look(bytes: summary.byteCount)
        for one in wanted {
            let upper = one.upper.map { Int64(clamping: $0) } ?? .max
            summary.select(Int64(clamping: one.lower)...upper, into: one.out, scratch.sliced)
        }
        return true
    }

    // MARK: Runs

    private func scan(_ source: Source, _ gathered: GatheredRuns, _ sink: some CountSink)
        throws(WinnowError)
    {
        switch source {
        case .runs(let runs): try scan(runs, gathered, sink)
        case .block(let block):
            guard let unique = scope.unique, joins(gathered) else {
                try scan(gathered.runs[...], gathered, sink)
                for summary in gathered.summaries {
                    sink.expect(UInt64(clamping: summary.bound))
                    scan(summary, sink)
                }
                return
            }
            scratch.record(.uniqueJoin)
            let join = UniqueJoin(scope: scope, unique: unique, scratch: scratch)
            var compared = wantedRows
            if !unique.isRestricted {
                // Of rows that one chunk alone speaks about, its marks are right.
                let contested = try join.contestedRows(block)
                let others = scratch.uncontested
                others.copy(from: wantedRows ?? scratch.universe)
                others.subtract(contested)
                if let wantedRows { contested.formIntersection(wantedRows) }
                compared = contested
                try within(others).scan(gathered.runs[...], gathered, sink)
            }
            // Said once for all of them: saying it may take a pass over the counters.
            sink.expect(.max)
            try join.forEach(block, in: compared) { event, part, leaf in
                unsafe scratch.kept[0] = event.row
                unsafe scratch.numbers[0] = 1
                unsafe scratch.messages[0] = part.keys?[leaf.index] ?? event.message
                unsafe scratch.times[0] = event.time
                hand(1, to: sink)
            }
        }
    }

    private func scan(_ summary: SlicedBlock, _ sink: some CountSink) {
        scratch.record(.storedCountsAdded)
        scratch.look(bytes: summary.byteCount)
        if sink.unites {
            sink.add(summary.members)
        } else if let (rows, values) = unsafe summary.few {
            unsafe sink.add(rows, by: values, values.count)
        } else {
            summary.forEachAddend(scratch.sliced) { sink.add($0, by: $1) }
        }
    }

    private func scan(
        _ runs: ArraySlice<RunInScope>, _ gathered: GatheredRuns, _ sink: some CountSink
    ) throws(WinnowError) {
        let chunks = gathered.chunks
        let windows = gathered.windows
        let masks = TailMasks(gathered)
        for run in runs {
            sink.expect(gathered.bound(of: run))
            try scan(run, of: chunks[run.chunk], windows[run.chunk], masks, sink)
        }
    }

    private func scan(
        _ run: RunInScope, of chunk: ActivityChunk, _ window: ClosedRange<Int64>,
        _ masks: TailMasks,
        _ sink: some CountSink
    ) throws(WinnowError) {
        switch run.kind {
        case .head(let i):
            let head = try chunk.head(i)
            if !run.straddles && scope.links == nil && scope.unique == nil && !sink.wantsKeys
                && !sink.wantsTimes
                && (sink.unites || !head.streams.hasWeights)
            {
                scratch.record(.wholeHead)
                scratch.look(at: sink.unites ? head.distinct : head.events, bytes: head.rowBytes)
                try scanWhole(head, sink)
            } else {
                scratch.record(.headByEvent)
                scratch.look(at: head.events, bytes: head.rowBytes + head.streams.byteCount)
                try scan(head, run, window, sink)
            }
        case .tailRun(let range):
            scratch.record(.tailRun)
            let share = chunk.tail.byteCount * range.count / max(1, chunk.tail.events)
            scratch.look(at: range.count, bytes: 2 * range.count + share)
            // Masks have whole groups; what is before and after the run is taken off.
            let start = range.lowerBound / SlicedStream.group * SlicedStream.group
            for at in stride(from: start, to: range.upperBound, by: Scratch.piece) {
                let n = min(Scratch.piece, range.upperBound - at)
                choose(max(0, range.lowerBound - at)..<n)
                if run.straddles { narrow(chunk.tail, at, n, to: window) }
                unsafe scanChosen(chunk.tail, at, n, chunk.tailRows + at, run.key, sink)
            }
        case .tail(let offset):
            scratch.record(.tail)
            scratch.look(
                at: chunk.tail.events, bytes: 2 * chunk.tail.events + chunk.tail.byteCount)
            for at in stride(from: 0, to: chunk.tail.events, by: Scratch.piece) {
                let n = min(Scratch.piece, chunk.tail.events - at)
                let words = (n + 63) / 64
                let mask = unsafe scratch.mask
                let first = offset + at / 64
                if run.straddles {
                    unsafe mask.update(
                        from: masks.straddling + first, count: SlicedStream.maskWords(n))
                    narrow(chunk.tail, at, n, to: window)
                    for word in 0..<words { unsafe mask[word] |= masks.inside[first + word] }
                } else {
                    unsafe mask.update(from: masks.inside + first, count: SlicedStream.maskWords(n))
                }
                unsafe scanChosen(chunk.tail, at, n, chunk.tailRows + at, nil, sink)
            }
        }
    }

    /// All events of a head, each counting once.
    private func scanWhole(
        _ head: ActivityChunk.Head, _ sink: some CountSink
    ) throws(WinnowError) {
        guard !sink.unites else { return sink.add(head.container) }
        guard head.container.isSound else { throw head.misfit }
        sink.add(head.container)
        guard let starts = unsafe head.starts else { return }
        // Every row has been counted once; what is left are the events that are not the first of
        // their row.
        let rows = unsafe self.rows(of: head)
        var passed = 0
        for at in stride(from: 0, to: head.events, by: Scratch.piece) {
            let n = min(Scratch.piece, head.events - at)
            for word in 0..<(n + 63) / 64 {
                unsafe scratch.mask[word] = unsafe ~starts.word(at / 64 + word)
            }
            let count = unsafe kernels.keep_ranked(
                rows, head.distinct, starts + at / 8, scratch.mask, n, &passed, scratch.kept)
            if count < 0 { throw head.misfit }
            unsafe sink.add(scratch.kept, by: nil, count)
        }
    }

    /// The distinct rows of a head whose container is sound, ascending.
    private func rows(of head: ActivityChunk.Head) -> UnsafePointer<UInt16> {
        if let array = unsafe head.container.array { return unsafe array }
        unsafe head.container.rows(into: scratch.distinct)
        return unsafe UnsafePointer(scratch.distinct)
    }

    /// The events of a head that pass the window, links and first marks.
    private func scan(
        _ head: ActivityChunk.Head, _ run: RunInScope, _ window: ClosedRange<Int64>,
        _ sink: some CountSink
    ) throws(WinnowError) {
        let wanted = looksAtRows(sink) ? wantedRows : nil
        guard head.container.isSound else { throw head.misfit }
        if let wanted, unsafe !head.container.ranks(in: wanted, into: scratch.ranks) { return }
        let rows = unsafe self.rows(of: head)
        var passed = 0
        var chosen = ck_passed(ranks: 0, fills: false)
        for at in stride(from: 0, to: head.events, by: Scratch.piece) {
            let n = min(Scratch.piece, head.events - at)
            choose(0..<n)
            if wanted != nil { try narrowToRanks(head, at, n, &chosen) }
            if run.straddles { narrow(head.streams, at, n, to: window) }
            narrow(head.streams, at, n, to: sink)
            guard let starts = unsafe head.starts else {
                let count = unsafe kernels.keep_rows(rows + at, scratch.mask, n, scratch.kept)
                deliver(count, head.streams, at, n, run.key, sink)
                continue
            }
            let count = unsafe kernels.keep_ranked(
                rows, head.distinct, starts + at / 8, scratch.mask, n, &passed, scratch.kept)
            if count < 0 { throw head.misfit }
            deliver(count, head.streams, at, n, run.key, sink)
        }
    }

    /// Makes the mask those of a head's `n` events from `at` on whose rows are among the ranks.
    private func narrowToRanks(
        _ head: ActivityChunk.Head, _ at: Int, _ n: Int, _ passed: inout ck_passed
    ) throws(WinnowError) {
        let mask = unsafe scratch.mask
        if let starts = unsafe head.starts {
            let fits = unsafe kernels.events_of_ranks(
                scratch.ranks, head.distinct, starts + at / 8, n, &passed, mask)
            guard fits else { throw head.misfit }
        } else {
            for word in 0..<(n + 63) / 64 { unsafe mask[word] &= scratch.ranks[at / 64 + word] }
        }
    }

    /// Scans what the mask chooses of `n` events of a tail from `at` on, once links and first marks
    /// are looked at.
    private func scanChosen(
        _ streams: EventStreams, _ at: Int, _ n: Int, _ rows: UnsafePointer<UInt16>, _ key: UInt32?,
        _ sink: some CountSink
    ) {
        if let wantedRows, looksAtRows(sink) {
            unsafe kernels.narrow_to_rows(rows, n, wantedRows.bits, scratch.mask)
        }
        narrow(streams, at, n, to: sink)
        let count = unsafe kernels.keep_rows(rows, scratch.mask, n, scratch.kept)
        deliver(count, streams, at, n, key, sink)
    }

    // MARK: Events

    /// Whether events of rows that are not wanted are left out: where much is done for each event,
    /// and where others speak for those rows.
    private func looksAtRows(_ sink: some CountSink) -> Bool {
        sink.wantsKeys || sink.wantsTimes || scope.unique != nil
    }

    /// Makes the mask these events of a piece.
    private func choose(_ range: Range<Int>) {
        let mask = unsafe scratch.mask
        let last = range.upperBound / 64
        for word in last..<SlicedStream.maskWords(range.upperBound) { unsafe mask[word] = 0 }
        for word in 0..<last { unsafe mask[word] = ~0 }
        if range.upperBound % 64 > 0 { unsafe mask[last] = 1 << UInt64(range.upperBound % 64) - 1 }
        for word in 0..<range.lowerBound / 64 { unsafe mask[word] = 0 }
        if range.lowerBound % 64 > 0 {
            unsafe mask[range.lowerBound / 64] &= ~0 << UInt64(range.lowerBound % 64)
        }
    }

    private func narrow(_ streams: EventStreams, _ at: Int, _ n: Int, to window: ClosedRange<Int64>)
    {
        scratch.record(.byTime)
        if let stored = streams.storedRange(window) {
            unsafe streams.storedTimes.from(at).narrow(scratch.mask, to: stored, first: n)
        } else {
            unsafe scratch.mask.update(repeating: 0, count: (n + 63) / 64)
        }
    }

    /// Takes events off the mask that are not on the links, not unique, or without the value that is
    /// wanted.
    private func narrow(
        _ streams: EventStreams, _ at: Int, _ n: Int, to sink: some CountSink
    ) {
        if sink.wantsValues {
            unsafe streams.narrowToValues(at, n, scratch.mask)
        }
        let mask = unsafe scratch.mask
        if let links = scope.links {
            scratch.record(.byLink)
            unsafe streams.narrow(
                mask, toLinks: links, from: at, first: n, spare: scratch.spareMask,
                result: scratch.unitedMask)
        }
        if let unique = scope.unique {
            scratch.record(.byFirstMark)
            unsafe streams.narrow(
                mask, toMarks: unique.marks, from: at, first: n, spare: scratch.spareMask,
                result: scratch.unitedMask)
        }
    }

    /// Delivers the `count` events that the mask has kept of `n` from `at` on.
    private func deliver(
        _ count: Int, _ streams: EventStreams, _ at: Int, _ n: Int, _ key: UInt32?,
        _ sink: some CountSink
    ) {
        guard count > 0 else { return }
        let mask = unsafe scratch.mask
        let kept = unsafe scratch.kept
        let weighs = scope.unique == nil && streams.hasWeights && !sink.unites
        guard sink.wantsKeys || sink.wantsTimes || weighs else {
            return unsafe sink.add(kept, by: nil, count)
        }
        let numbers = unsafe scratch.numbers
        let messages = unsafe scratch.messages
        if weighs {
            unsafe streams.weights(at..<at + n, into: numbers)
            unsafe keep(numbers, n)
        } else {
            unsafe numbers.update(repeating: 1, count: count)
        }
        if sink.wantsTimes {
            scratch.record(.byEventTime)
            if sink.wantsValues {
                unsafe streams.values(at, n, of: mask, into: scratch.times)
            } else {
                unsafe streams.times(at, n, of: mask, into: scratch.times)
            }
        }
        if sink.wantsKeys {
            scratch.record(.byKey)
            if let key {
                unsafe messages.update(repeating: key, count: count)
            } else {
                unsafe streams.messages(at..<at + n, into: messages)
                unsafe keep(messages, n)
            }
        }
        if sink.wantsKeys || sink.wantsTimes {
            hand(count, to: sink)
        } else {
            unsafe sink.add(kept, by: numbers, count)
        }
    }

    /// Moves those of `n` numbers that the mask chooses together.
    private func keep(_ numbers: UnsafeMutablePointer<UInt32>, _ n: Int) {
        var k = 0
        for word in 0..<(n + 63) / 64 {
            var bits = unsafe scratch.mask[word]
            while bits != 0 {
                unsafe numbers[k] = numbers[word * 64 + bits.trailingZeroBitCount]
                k += 1
                bits &= bits - 1
            }
        }
    }

    /// Hands on the events that are left, with what the sink wants of them.
    private func hand(_ count: Int, to sink: some CountSink) {
        if sink.wantsTimes {
            unsafe sink.add(
                scratch.kept, keys: scratch.messages, by: scratch.numbers, at: scratch.times, count)
        } else {
            unsafe sink.add(scratch.kept, keys: scratch.messages, by: scratch.numbers, count)
        }
    }
}

extension GatheredRuns {
    /// How many events a run has.
    func events(of run: RunInScope) -> Int {
        switch run.kind {
        case .head(let i): chunks[run.chunk].events(ofHead: i)
        case .tailRun(let range): range.count
        case .tail: chunks[run.chunk].tail.events
        }
    }

    /// What a run may add up to for one row.
    func bound(of run: RunInScope) -> UInt64 {
        switch run.kind {
        case .head(let i): chunks[run.chunk].maximum(ofHead: i)
        case .tail, .tailRun: chunks[run.chunk].tailMaximum
        }
    }
}

/// The masks of a block's tails.
@safe private struct TailMasks {
    let inside, straddling: UnsafePointer<UInt64>

    /// Good until the next block is gathered.
    init(_ gathered: GatheredRuns) {
        unsafe inside = unsafe UnsafePointer(gathered.inside.base)
        unsafe straddling = unsafe UnsafePointer(gathered.straddling.base)
    }
}

extension UnsafePointer<UInt8> {
    /// 64 bits from bit 64·i on.
    fileprivate func word(_ i: Int) -> UInt64 {
        unsafe UnsafeRawPointer(self).loadUnaligned(fromByteOffset: i * 8, as: UInt64.self)
    }
}
